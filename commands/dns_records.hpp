// DNS records by hand, with ownership: `litedesk dns`.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/world.hpp"

namespace litedesk {

// The TXT record beside a record says whose it is, named as external-dns' TXT registry names them: the type in lower
// case before the first label, "cname-acme.litedesk.com" for the CNAME acme.litedesk.com (nothing may stand at a
// CNAME's own name). A leading "*" becomes "_any" (external-dns: --txt-wildcard-replacement=_any): no tenant's slug has
// an underscore, so that a tenant "any" and the wildcard never share an owner record. That of `domain` itself stands
// below it, "a-_apex.litedesk.com": "a-litedesk.com" would be outside the zone.
[[nodiscard]] std::string owner_record_name(std::string_view name, std::string_view type, std::string_view domain = {});
// The longest first label of a name whose record of any type can have an owner record: a label has 63 characters.
inline constexpr std::size_t longest_owned_label = 63 - std::string_view("cname-").size();
// "heritage=litedesk,litedesk/owner=<registry id>[,litedesk/tenant=<slug>]", unquoted.
[[nodiscard]] std::string owner_text(std::string_view registry_id, std::string_view slug);
struct RecordOwner {
  std::string registry_id, slug;
};
// Nothing when the text is no owner text of ours.
[[nodiscard]] std::optional<RecordOwner> parse_owner_text(std::string_view text);

struct SetRecord {
  std::string name;  // a label ("acme"), a name in the domain, or with a trailing dot; "*" with wildcard
  std::optional<std::string> target;  // none: the load balancer, for A, AAAA and CNAME
  std::string type;                   // empty: CNAME for a name, A for IPv4, AAAA for IPv6
  std::int64_t ttl = 300;
  bool alias = false;     // an alias A record at an AWS load balancer
  bool wildcard = false;  // *.NAME
  bool adopt = false;     // take over a record that nobody of ours owns
  bool wait = false;      // until INSYNC
  bool dry_run = false;
  std::string load_balancer;  // what no target means; empty: that of the settings
  std::chrono::milliseconds timeout{600'000};
};

struct RecordResult {
  route53::RecordSet record;
  std::optional<route53::RecordSet> before;
  std::string action;  // created | updated | unchanged | deleted
  std::string status;  // insync | pending; empty when unchanged
  std::string change_id;
  std::string owner;     // registry id; empty when nobody of ours
  std::string tenant;    // slug that the owner record names; may be empty
  bool dry_run = false;  // the action is what would be done
};

// The record and its owner record in one atomic batch, which holds only if both still are what was read. A name that is
// the host or the custom domain of a registered tenant is marked as that tenant's; while it has an instance it leads to
// the load balancer only. Throws UsageError for a name, target or type that cannot be; Conflict for a record that is
// not ours (unless adopt), for another type at the same name, for a routing policy, for a live tenant's host that would
// lead elsewhere; Timeout while PENDING.
[[nodiscard]] RecordResult set_record(World& world, const SetRecord& wanted, const Observer& observer);
// All records of that name with their owners. Throws NotFound.
[[nodiscard]] std::vector<RecordResult> get_records(World& world, std::string_view name);
// The zone by name and type; a record's owner record is not listed beside it.
[[nodiscard]] std::vector<RecordResult> list_records(World& world, bool owned_only);

struct DeleteRecord {
  std::string name;
  std::string type;      // empty: the only one there is
  bool adopt = false;    // even if it is not ours
  bool wait = false;     // until INSYNC
  bool dry_run = false;  // only check that it can be
  std::chrono::milliseconds timeout{600'000};
};
// Deletes exactly what was read, and its owner record with it. Throws NotFound; UsageError when the name has several
// types and none is said; Conflict for a record that is not ours, unless adopt, and in any case for the record of a
// tenant that has an instance, its owner record, and records with a routing policy.
[[nodiscard]] RecordResult delete_record(World& world, const DeleteRecord& wanted, const Observer& observer);
[[nodiscard]] Json to_json(const RecordResult& result);  // docs/json/dns-record.schema.json

}  // namespace litedesk
