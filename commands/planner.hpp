// Comparing desired and live state: a pure function.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "commands/desired_state.hpp"
#include "commands/live_state.hpp"
#include "commands/plan.hpp"

namespace litedesk {

// What a server-side dry run of applying an object said: the object as it would be stored, or that we may not ask.
struct DryRun {
  Json result;           // null when `refused`
  bool refused = false;  // 403: compare the fields that we manage instead
  // What other field managers own of what would be applied ("spec.replicas: kubectl"): `result` took it over.
  std::vector<kubernetes::StatusCause> conflicts;
};

struct PlanInputs {
  const Settings& settings;
  const LiveState& live;
  const DesiredState& desired;
  const std::map<kubernetes::ObjectRef, DryRun>& dry_runs;  // one for each desired object that is live
  Money instance_adds;
  bool adopt = false;  // take over what nobody else owns
};

// Throws Conflict for what is there and not the tenant's (commands/provenance): a namespace, an object in it, a
// database user, a DNS record; where `adopt` is set, only for what somebody else owns.
[[nodiscard]] Plan make_plan(const PlanInputs& inputs);

// What is done first, at which provider nothing is waited for; then the rest of the namespace; then what needs DNS to
// be INSYNC; then what needs the database user to be applied.
enum class Wave { first, namespaced, after_dns, after_database };
[[nodiscard]] Wave wave_of(const ResourceId& id);

// The quota to apply until the instance is ready, when the wanted one is narrower than the live one somewhere: for each
// limit the wider of the two. A rolling update keeps the old pods until new ones run, and the narrower quota would
// refuse those. Null when the wanted one can be applied at once.
[[nodiscard]] Json interim_quota(const Json& live, const Json& wanted);

[[nodiscard]] ResourceId resource_id(const kubernetes::ObjectRef& ref);
[[nodiscard]] ResourceId user_id(const Settings& settings, std::string_view username);
[[nodiscard]] ResourceId record_id(const route53::HostedZoneId& zone, const route53::RecordSet& record);

}  // namespace litedesk
