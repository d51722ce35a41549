// What would change: a list of small values, made by a pure function of desired and live state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "commands/cost.hpp"
#include "commands/resource.hpp"
#include "providers/json.hpp"

namespace litedesk {

enum class Verb { create, update, remove, none };
[[nodiscard]] std::string_view to_string(Verb verb);  // "create" "update" "delete" "none"

struct FieldChange {
  std::string path;    // "spec.template.spec.containers[backend].image"
  Json before, after;  // null when absent; secrets are "(masked)"
  friend bool operator==(const FieldChange&, const FieldChange&) = default;
};

struct Change {
  Verb verb = Verb::none;
  ResourceId id;
  std::string uid;                     // of what is there now; empty for create
  std::vector<FieldChange> fields;     // of an update
  std::vector<ResourceId> depends_on;  // must be done first
  std::string note;      // "adopts what an interrupted run made", "compared by managed fields"; may be empty
  std::string conflict;  // whose fields it would take over: "spec.replicas: kubectl"; empty when nobody's
  bool force = false;    // applied with force: the fields are ours to take
  bool adopted = false;  // somebody else's until now, taken over because --adopt says so: an undo never deletes it
  Json desired;          // as sent; holds secrets: printed and stored by masked_desired alone
  Json interim;          // sent instead until the instance is ready; null when `desired` is sent at once
  Json live;             // as read, for undoing an update; null for create
};

struct Plan {
  std::string slug, context;
  std::string cluster;                // what people call it; may be empty
  std::string cluster_id;             // the UID of its kube-system
  std::vector<Change> changes;        // sorted by wave, then id; `none` included
  std::vector<std::string> warnings;  // walls that it comes near, what is missing
  Money adds;                         // a month, USD cents; zero when the instance is there
  [[nodiscard]] std::size_t count(Verb verb) const;
  [[nodiscard]] bool empty() const;  // nothing but `none`
};

[[nodiscard]] Json to_json(const Plan& plan);  // docs/json/plan.schema.json; no secret in it
// The share of what is there that would be deleted, in per cent.
[[nodiscard]] std::size_t deleted_percent(const Plan& plan);
// A plan that deletes more of what it manages asks for the name to be typed, whatever --yes says.
inline constexpr std::size_t most_deleted_percent = 30;

// What a change is to make, without the values of Secrets and what follows from them (they are drawn anew at each
// planning).
[[nodiscard]] Json masked_desired(const Change& change);
// Whether the values of a field, by its path, follow from secrets.
[[nodiscard]] bool follows_from_secrets(std::string_view path);

// SHA-256 over what would be done (the cluster, verbs, ids, uids, fields, what is created), hex: a saved plan is
// compared by it. What follows from secrets is left out.
[[nodiscard]] std::string fingerprint(const Plan& plan);
// What has changed since a plan was saved (its to_json), one line each: which resource, and which of its fields or
// which uid. Empty when nothing that the saved plan tells of has.
[[nodiscard]] std::vector<std::string> changes_since(const Json& saved, const Plan& now);

}  // namespace litedesk
