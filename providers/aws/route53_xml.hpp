// Route 53's documents: answers read, change batches written. Nothing here talks to anybody.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "providers/aws/route53.hpp"

namespace litedesk::route53 {

struct RecordPage {
  std::vector<RecordSet> records;
  bool truncated = false;
  std::string next_name, next_type, next_identifier;  // as they came: the next request repeats them
  friend bool operator==(const RecordPage&, const RecordPage&) = default;
};
struct ZonePage {
  std::vector<HostedZone> zones;
  bool truncated = false;
  std::string next_name, next_id;
};

// Each throws Unavailable when the text is no such document (a proxy's page, an answer cut off).
[[nodiscard]] RecordPage parse_records(std::string_view xml);
[[nodiscard]] ZonePage parse_zones(std::string_view xml);
[[nodiscard]] HostedZone parse_zone(std::string_view xml);
[[nodiscard]] ChangeInfo parse_change_info(std::string_view xml);

// "Z1" from "/hostedzone/Z1", "C1" from "/change/C1".
[[nodiscard]] std::string bare_id(std::string_view id);

// A ChangeResourceRecordSetsRequest.
[[nodiscard]] std::string change_batch(std::span<const RecordChange> changes, std::string_view comment);

// Throws ValidationError for what Route 53 would refuse: an empty batch, more than 1,000 changes or ResourceRecord
// elements, more than 32,000 characters of values (an UPSERT counts both twice), a value over 4,000 characters, a name
// over 255 or a label over 63 bytes, a TTL that is none, an alias that has values.
void check_batch(std::span<const RecordChange> changes);

struct ApiError {
  std::string code;                   // "InvalidChangeBatch"; empty when the body is no error document
  std::vector<std::string> messages;  // one, or one a refused change
};
// Both forms of InvalidChangeBatch: <ErrorResponse> with one bracketed message, and a root of that name with
// <Messages>.
[[nodiscard]] ApiError parse_error(std::string_view xml);

}  // namespace litedesk::route53
