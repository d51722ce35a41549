// ChangeResourceRecordSets: all of a batch, or nothing of it.
#pragma once

#include <string>
#include <vector>

#include "providers/sandbox/api.hpp"
#include "providers/sandbox/route53_record.hpp"

namespace litedesk::sandbox::route53 {

inline constexpr std::string_view zones_collection = "route53/zones";
inline constexpr std::string_view records_collection = "route53/records";
inline constexpr std::string_view changes_collection = "route53/changes";
inline constexpr std::int64_t most_records_of_a_zone = 10'000;

struct Change {
  std::string action;
  RecordSet record;
};
struct Batch {
  std::string comment;
  std::vector<Change> changes;
};

// The body of the request. Throws Refusal.
[[nodiscard]] Batch parse_batch(const std::string& body);
// Applies it to the zone of that id and canonical name, inside State::write(). Throws Refusal with every problem found,
// and the transaction is to be rolled back.
void apply_batch(State& state, const std::string& zone_id, const std::string& zone_name, const Batch& batch);

}  // namespace litedesk::sandbox::route53
