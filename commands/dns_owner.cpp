// Whose a record is: the TXT beside it.
#include <array>
#include <optional>

#include "commands/dns_records.hpp"

namespace litedesk {

namespace {

constexpr std::string_view heritage = "heritage=litedesk",
                           owner_key = "litedesk/owner=", tenant_key = "litedesk/tenant=";

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

}  // namespace

std::string owner_record_name(std::string_view name, std::string_view type, std::string_view domain) {
  auto plain = route53::from_wire_name(name);
  if (!domain.empty() && plain == route53::from_wire_name(domain)) plain = "_apex." + plain;
  if (plain == "*" || plain.starts_with("*.")) plain.replace(0, 1, "_any");
  return lower(type) + "-" + plain;
}

std::string owner_text(std::string_view registry_id, std::string_view slug) {
  auto text = std::string(heritage) + "," + std::string(owner_key) + std::string(registry_id);
  if (!slug.empty()) text += "," + std::string(tenant_key) + std::string(slug);
  return text;
}

std::optional<RecordOwner> parse_owner_text(std::string_view text) {
  RecordOwner owner;
  bool ours = false;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const auto field = text.substr(0, end);
    if (field == heritage) ours = true;
    if (field.starts_with(owner_key)) owner.registry_id = field.substr(owner_key.size());
    if (field.starts_with(tenant_key)) owner.slug = field.substr(tenant_key.size());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!ours || owner.registry_id.empty()) return std::nullopt;
  return owner;
}

}  // namespace litedesk
