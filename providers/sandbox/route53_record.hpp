// A record set: read from XML, kept as JSON, printed as XML.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "providers/json.hpp"

namespace pugi {
class xml_node;
}

namespace litedesk::sandbox::route53 {

struct Alias {
  std::string zone_id;
  std::string target;  // canonical
  bool evaluate_health = false;
  bool operator==(const Alias&) const = default;
};

struct RecordSet {
  std::string name;  // canonical
  std::string type;
  std::string set_identifier;
  std::optional<std::int64_t> ttl;
  std::vector<std::string> values;
  std::optional<Alias> alias;
  // Weight, Region, Failover, MultiValueAnswer, HealthCheckId, and GeoLocation's as "GeoLocation/CountryCode".
  std::vector<std::pair<std::string, std::string>> routing;

  // Where it stands in a list of its zone; its name in the state.
  [[nodiscard]] std::string key() const;
  // "[name='x.', type='A']", and the set identifier where there is one.
  [[nodiscard]] std::string label() const;
  // The same whatever the order of its values.
  [[nodiscard]] bool same_values(const RecordSet& other) const;
};

// The <ResourceRecordSet> of a <Change> with that action. Throws Refusal (InvalidInput) where a field is missing, of
// the wrong form, or fits no other; adds to `problems` what the batch's own check finds.
[[nodiscard]] RecordSet parse_record(const pugi::xml_node& node, const std::string& action,
                                     std::vector<std::string>& problems);
void print_record(pugi::xml_node parent, const RecordSet& record);

[[nodiscard]] Json to_json(const RecordSet& record);
[[nodiscard]] RecordSet record_of(const Json& json);

// What is wrong with the value of a record, in Route 53's words; nothing when it is right.
[[nodiscard]] std::optional<std::string> value_problem(const std::string& type, const std::string& value);

[[nodiscard]] bool is_known_type(std::string_view type);

}  // namespace litedesk::sandbox::route53
