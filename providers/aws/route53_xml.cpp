#include "providers/aws/route53_xml.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include <pugixml.hpp>

#include "providers/error.hpp"

namespace litedesk::route53 {

namespace {

constexpr std::string_view schema = "https://route53.amazonaws.com/doc/2013-04-01/";

// Elements of a record set that a routing policy adds, in the order of the schema; the first five stand before the TTL.
constexpr std::array<std::string_view, 5> before_ttl{"Weight", "Region", "GeoLocation", "Failover", "MultiValueAnswer"};
constexpr std::array<std::string_view, 6> plain{"Name",       "Type", "SetIdentifier", "TTL", "ResourceRecords",
                                                "AliasTarget"};

template <std::size_t Size>
bool contains(const std::array<std::string_view, Size>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string text_of(const pugi::xml_node& node, const char* child) {
  return node.child_value(child);
}

bool is_true(const pugi::xml_node& node, const char* child) {
  return text_of(node, child) == "true";
}

std::string raw(const pugi::xml_node& node) {
  std::ostringstream out;
  node.print(out, "", pugi::format_raw);
  return out.str();
}

pugi::xml_document parse(std::string_view xml, const char* root) {
  pugi::xml_document document;
  const auto result = document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata_single);
  if (result && document.child(root)) return document;
  throw Unavailable({.message = "Route 53 answered something that is not " + std::string(root),
                     .hint = "check AWS_ENDPOINT_URL and any proxy between",
                     .resource = "route53",
                     .cause = result ? "the document's root is " + std::string(document.document_element().name())
                                     : std::string(result.description())});
}

RecordSet to_record(const pugi::xml_node& node) {
  RecordSet record;
  record.name = from_wire_name(text_of(node, "Name"));
  record.type = text_of(node, "Type");
  record.set_identifier = text_of(node, "SetIdentifier");
  record.ttl = node.child("TTL").text().as_llong(0);
  for (const auto& value : node.child("ResourceRecords").children("ResourceRecord"))
    record.values.push_back(text_of(value, "Value"));
  if (const auto alias = node.child("AliasTarget"))
    record.alias = AliasTarget{{bare_id(text_of(alias, "HostedZoneId"))},
                               from_wire_name(text_of(alias, "DNSName")),
                               is_true(alias, "EvaluateTargetHealth")};
  for (const auto& child : node.children())
    if (child.type() == pugi::node_element && !contains(plain, child.name())) record.routing_xml += raw(child);
  return record;
}

HostedZone to_zone(const pugi::xml_node& node) {
  HostedZone zone;
  zone.id = {bare_id(text_of(node, "Id"))};
  zone.name = from_wire_name(text_of(node, "Name"));
  zone.is_private = is_true(node.child("Config"), "PrivateZone");
  zone.record_count = node.child("ResourceRecordSetCount").text().as_llong(0);
  return zone;
}

void add(pugi::xml_node& parent, const char* name, const std::string& text) {
  parent.append_child(name).text().set(text.c_str());
}

void add_routing(pugi::xml_node& parent, const std::string& xml, bool wanted_before_ttl) {
  pugi::xml_document fragment;
  fragment.load_string(xml.c_str(), pugi::parse_default | pugi::parse_ws_pcdata_single | pugi::parse_fragment);
  for (const auto& child : fragment.children())
    if (contains(before_ttl, child.name()) == wanted_before_ttl) parent.append_copy(child);
}

void add_record(pugi::xml_node& parent, const RecordSet& record) {
  auto node = parent.append_child("ResourceRecordSet");
  add(node, "Name", to_wire_name(record.name));
  add(node, "Type", record.type);
  if (!record.set_identifier.empty()) add(node, "SetIdentifier", record.set_identifier);
  add_routing(node, record.routing_xml, true);
  if (record.alias) {
    auto alias = node.append_child("AliasTarget");
    add(alias, "HostedZoneId", record.alias->zone.value);
    add(alias, "DNSName", to_wire_name(record.alias->name));
    add(alias, "EvaluateTargetHealth", record.alias->evaluate_health ? "true" : "false");
  } else {
    add(node, "TTL", std::to_string(record.ttl));
    auto values = node.append_child("ResourceRecords");
    for (const auto& value : record.values) {
      auto element = values.append_child("ResourceRecord");
      add(element, "Value", value);
    }
  }
  add_routing(node, record.routing_xml, false);
}

const char* to_text(Action action) {
  switch (action) {
    case Action::create:
      return "CREATE";
    case Action::remove:
      return "DELETE";
    case Action::upsert:
      return "UPSERT";
  }
  return "UPSERT";
}

[[noreturn]] void refuse(const RecordSet& record, std::string_view why, std::string_view hint = {}) {
  throw ValidationError({.message = "record " + record.type + " " + record.name + " is refused: " + std::string(why),
                         .hint = std::string(hint),
                         .resource = "route53 " + record.type + " " + record.name,
                         .cause = ""});
}

// Lengths as on the wire: an escape is one byte, and so is each dot.
void check_name(const RecordSet& record) {
  const auto name = to_wire_name(record.name);
  std::size_t total = 0, label = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    ++total;
    if (name[i] == '.') {
      if (label == 0) refuse(record, "its name has an empty label");
      label = 0;
      continue;
    }
    if (name[i] == '\\') i += 3;
    if (++label > 63) refuse(record, "a label of its name is longer than 63 bytes");
  }
  if (total > 255) refuse(record, "its name is longer than 255 bytes");
}

void check_record(const RecordSet& record) {
  check_name(record);
  if (record.alias && !record.values.empty()) refuse(record, "an alias has no values of its own");
  if (!record.alias && record.values.empty()) refuse(record, "it has no value");
  if (record.ttl < 0 || record.ttl > 2147483647) refuse(record, "its TTL is not between 0 and 2147483647 seconds");
  for (const auto& value : record.values)
    if (value.size() > 4000) refuse(record, "a value is longer than 4,000 characters");
}

// The one message may be "[Tried to ..., Tried to ...]".
std::vector<std::string> split_messages(std::string text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::vector<std::string> messages;
  std::size_t start = 0;
  while (start < text.size()) {
    auto end = text.size();
    for (const auto* next : {", Tried to ", ", RRSet ", ", Invalid "}) end = std::min(end, text.find(next, start));
    messages.push_back(text.substr(start, end - start));
    start = end == text.size() ? end : end + 2;
  }
  return messages;
}

}  // namespace

std::string bare_id(std::string_view id) {
  const auto slash = id.rfind('/');
  return std::string(slash == std::string_view::npos ? id : id.substr(slash + 1));
}

RecordPage parse_records(std::string_view xml) {
  const auto document = parse(xml, "ListResourceRecordSetsResponse");
  const auto root = document.child("ListResourceRecordSetsResponse");
  RecordPage page;
  for (const auto& node : root.child("ResourceRecordSets").children("ResourceRecordSet"))
    page.records.push_back(to_record(node));
  page.truncated = is_true(root, "IsTruncated");
  page.next_name = text_of(root, "NextRecordName");
  page.next_type = text_of(root, "NextRecordType");
  page.next_identifier = text_of(root, "NextRecordIdentifier");
  return page;
}

ZonePage parse_zones(std::string_view xml) {
  const auto document = parse(xml, "ListHostedZonesByNameResponse");
  const auto root = document.child("ListHostedZonesByNameResponse");
  ZonePage page;
  for (const auto& node : root.child("HostedZones").children("HostedZone")) page.zones.push_back(to_zone(node));
  page.truncated = is_true(root, "IsTruncated");
  page.next_name = text_of(root, "NextDNSName");
  page.next_id = text_of(root, "NextHostedZoneId");
  return page;
}

HostedZone parse_zone(std::string_view xml) {
  const auto document = parse(xml, "GetHostedZoneResponse");
  return to_zone(document.child("GetHostedZoneResponse").child("HostedZone"));
}

ChangeInfo parse_change_info(std::string_view xml) {
  const bool asked = xml.find("<GetChangeResponse") != std::string_view::npos;
  const auto document = parse(xml, asked ? "GetChangeResponse" : "ChangeResourceRecordSetsResponse");
  const auto info = document.document_element().child("ChangeInfo");
  return {bare_id(text_of(info, "Id")),
          text_of(info, "Status") == "INSYNC" ? ChangeStatus::insync : ChangeStatus::pending};
}

std::string change_batch(std::span<const RecordChange> changes, std::string_view comment) {
  pugi::xml_document document;
  auto declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version").set_value("1.0");
  declaration.append_attribute("encoding").set_value("UTF-8");
  auto request = document.append_child("ChangeResourceRecordSetsRequest");
  request.append_attribute("xmlns").set_value(std::string(schema).c_str());
  auto batch = request.append_child("ChangeBatch");
  if (!comment.empty()) {
    // At most 256 characters; a UTF-8 sequence is not cut in two.
    auto text = comment.substr(0, 256);
    while (text.size() < comment.size() && (static_cast<unsigned char>(comment[text.size()]) & 0xC0) == 0x80)
      text.remove_suffix(1);
    add(batch, "Comment", std::string(text));
  }
  auto list = batch.append_child("Changes");
  for (const auto& change : changes) {
    auto node = list.append_child("Change");
    add(node, "Action", to_text(change.action));
    add_record(node, change.record);
  }
  std::ostringstream out;
  document.save(out, "", pugi::format_raw);
  return out.str();
}

void check_batch(std::span<const RecordChange> changes) {
  constexpr std::size_t most_records = 1'000, most_characters = 32'000;
  if (changes.empty()) throw ValidationError("a Route 53 change batch without a change");
  std::size_t records = 0, characters = 0;
  for (const auto& change : changes) {
    check_record(change.record);
    const std::size_t times = change.action == Action::upsert ? 2 : 1;
    records += times * change.record.values.size();
    for (const auto& value : change.record.values) characters += times * value.size();
  }
  if (changes.size() > most_records || records > most_records || characters > most_characters)
    throw ValidationError({.message = "a Route 53 change batch of " + std::to_string(changes.size()) +
                                      " changes with " + std::to_string(records) + " values of " +
                                      std::to_string(characters) + " characters is too large (an UPSERT counts twice)",
                           .hint = "a batch holds at most 1,000 values and 32,000 characters: send it in parts",
                           .resource = "route53",
                           .cause = ""});
}

ApiError parse_error(std::string_view xml) {
  pugi::xml_document document;
  ApiError error;
  if (!document.load_buffer(xml.data(), xml.size())) return error;
  if (const auto older = document.child("InvalidChangeBatch")) {
    error.code = "InvalidChangeBatch";
    for (const auto& message : older.child("Messages").children("Message"))
      error.messages.emplace_back(message.child_value());
    if (error.messages.empty()) error.messages = split_messages(text_of(older, "Message"));
    return error;
  }
  const auto node = document.child("ErrorResponse").child("Error");
  error.code = text_of(node, "Code");
  const auto message = text_of(node, "Message");
  if (error.code == "InvalidChangeBatch")
    error.messages = split_messages(message);
  else if (!message.empty())
    error.messages.push_back(message);
  return error;
}

}  // namespace litedesk::route53
