#include "commands/dns_names.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "providers/error.hpp"

namespace litedesk {

namespace {

constexpr std::array<std::string_view, 8> types{"A", "AAAA", "CNAME", "TXT", "CAA", "MX", "NS", "SRV"};

[[noreturn]] void refuse(std::string message, std::string hint) {
  throw UsageError({.message = std::move(message), .hint = std::move(hint), .resource = "", .cause = ""});
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, 16> address{};
  return inet_pton(family, text.c_str(), address.data()) == 1;
}

// Labels of letters, digits, "-" and "_", at most 63 bytes each and 253 in all; "*" only as the whole first label.
void check_host(std::string_view name, std::string_view what, bool wildcard_allowed) {
  const auto shown = std::string(what) + " " + std::string(name);
  if (name.empty() || name.size() > 253) refuse(shown + " is empty or longer than 253 characters", "");
  bool first = true;
  for (auto rest = name; !rest.empty() || first;) {
    const auto end = std::min(rest.find('.'), rest.size());
    const auto label = rest.substr(0, end);
    if (label.empty() || label.size() > 63)
      refuse(shown + " has a label that is empty or longer than 63 characters", "");
    if (!(first && wildcard_allowed && label == "*"))
      for (const char c : label) {
        if (c == '*')
          refuse(shown + " has a * that is not the whole first label", "a wildcard is *.NAME, or --wildcard");
        if (static_cast<unsigned char>(c) >= 0x80) refuse(shown + " is not ASCII", "write it in Punycode (xn--...)");
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
          refuse(shown + " contains a character that is not allowed in host names", "use letters, digits, - and _");
      }
    if (end + 1 == rest.size()) refuse(shown + " has an empty label", "");
    rest.remove_prefix(std::min(end + 1, rest.size()));
    first = false;
  }
}

std::string type_of(const SetRecord& wanted, const std::string& target) {
  auto type = upper(wanted.type);
  if (!type.empty()) {
    if (std::find(types.begin(), types.end(), type) == types.end())
      refuse("record type " + wanted.type + " cannot be set", "one of A, AAAA, CNAME, TXT, CAA, MX, NS, SRV");
    if (wanted.alias && type != "A" && type != "AAAA")
      refuse("an alias is an A or AAAA record, not " + type, "leave --type out");
    return type;
  }
  if (wanted.alias || is_address(AF_INET, target)) return "A";
  return is_address(AF_INET6, target) ? "AAAA" : "CNAME";
}

route53::AliasTarget alias_of(const std::string& target, std::string_view domain, const route53::HostedZoneId& zone) {
  const auto name = route53::from_wire_name(target);
  check_host(name, "target", false);
  if (auto balancer = route53::load_balancer_zone(name)) return {std::move(*balancer), name, false};
  if (name == domain || name.ends_with("." + std::string(domain))) return {zone, name, false};
  refuse("an alias cannot point to " + target, "its target is an AWS load balancer or a name in " +
                                                   std::string(domain) + "; without --alias it becomes a CNAME");
}

std::string value_of(const std::string& type, const std::string& target, const std::string& name) {
  if (type == "A" && !is_address(AF_INET, target)) refuse("an A record needs an IPv4 address, not " + target, "");
  if (type == "AAAA" && !is_address(AF_INET6, target))
    refuse("an AAAA record needs an IPv6 address, not " + target, "");
  if (type == "TXT") return target.starts_with('"') ? target : route53::quote_txt(target);
  if (type != "CNAME") return target;
  if (is_address(AF_INET, target) || is_address(AF_INET6, target))
    refuse("a CNAME points to a name, not to the address " + target, "leave --type out");
  auto host = route53::from_wire_name(target);
  check_host(host, "target", false);
  if (host == name) refuse("the CNAME " + name + " would point to itself", "");
  return host;
}

// The owner record's name begins with the type, so that a name's first label has less room than DNS would give it.
void check_room_for_owner(const route53::RecordSet& record, std::string_view domain) {
  if (is_possible_name(owner_record_name(record.name, record.type, domain))) return;
  const auto room = 63 - record.type.size() - 1;
  const auto label = std::min(record.name.find('.'), record.name.size());
  if (label > room)
    refuse("the first label of " + record.name + " has " + std::to_string(label) + " characters, and a " + record.type +
               " record of ours has room for " + std::to_string(room),
           "its owner record needs the rest: " + owner_record_name("<name>", record.type));
  refuse("name " + record.name + " has " + std::to_string(record.name.size()) + " characters, and a " + record.type +
             " record of ours has room for " + std::to_string(253 - record.type.size() - 1),
         "its owner record needs the rest");
}

}  // namespace

bool is_possible_name(std::string_view name) {
  if (name.size() > 253) return false;
  while (!name.empty()) {
    const auto end = std::min(name.find('.'), name.size());
    if (end == 0 || end > 63) return false;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return true;
}

std::string record_name(std::string_view name, std::string_view domain, bool wildcard) {
  const bool absolute = name.ends_with('.');
  auto plain = route53::from_wire_name(name);
  const auto root = route53::from_wire_name(domain);
  if (plain.empty()) refuse("a record needs a name", "a label such as acme, a name in " + root + ", or @ for " + root);
  const bool inside = plain == root || plain.ends_with("." + root);
  if (plain == "@")
    plain = root;
  else if (!absolute && !inside) {
    if (plain.find('.') != std::string::npos && plain.rfind("*.", 0) != 0)
      refuse(plain + " is not in the domain " + root,
             "write " + plain + "." + root + ", or a trailing dot if it is meant so");
    plain += "." + root;
  }
  if (wildcard && !plain.starts_with("*.")) plain = "*." + plain;
  check_host(plain, "name", true);
  return plain;
}

route53::RecordSet wanted_record(const SetRecord& wanted, std::string_view domain, std::string_view load_balancer,
                                 const route53::HostedZoneId& zone) {
  const std::string target = !wanted.target.empty()          ? wanted.target
                             : !wanted.load_balancer.empty() ? wanted.load_balancer
                                                             : std::string(load_balancer);
  if (target.empty())
    refuse("no target is given, and the load balancer is not known",
           "give --target, or set kubernetes.loadBalancer of the context (LITEDESK_LOAD_BALANCER)");
  if (wanted.ttl < 0 || wanted.ttl > 2147483647) refuse("a TTL is 0 to 2147483647 seconds", "");
  route53::RecordSet record;
  record.name = record_name(wanted.name, domain, wanted.wildcard);
  record.type = type_of(wanted, target);
  check_room_for_owner(record, domain);
  if (wanted.alias) {
    record.ttl = 0;
    record.alias = alias_of(target, route53::from_wire_name(domain), zone);
  } else {
    record.ttl = wanted.ttl;
    record.values = {value_of(record.type, target, record.name)};
  }
  return record;
}

}  // namespace litedesk
