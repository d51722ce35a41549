#include "commands/plan.hpp"

#include <algorithm>

#include "providers/system/hash.hpp"

namespace litedesk {

std::string_view to_string(Verb verb) {
  switch (verb) {
    case Verb::create:
      return "create";
    case Verb::update:
      return "update";
    case Verb::remove:
      return "delete";
    case Verb::none:
      return "none";
  }
  return "none";
}

std::size_t Plan::count(Verb verb) const {
  return static_cast<std::size_t>(
      std::count_if(changes.begin(), changes.end(), [verb](const Change& change) { return change.verb == verb; }));
}

bool Plan::empty() const {
  return count(Verb::none) == changes.size();
}

namespace {

Json resource_json(const ResourceId& id) {
  return {{"provider", to_string(id.provider)}, {"kind", id.kind}, {"scope", id.scope}, {"name", id.name}};
}

Json change_json(const Change& change) {
  Json fields = Json::array();
  for (const auto& field : change.fields)
    fields.push_back({{"path", field.path}, {"before", field.before}, {"after", field.after}});
  Json depends = Json::array();
  for (const auto& id : change.depends_on) depends.push_back(to_string(id));
  return {{"action", to_string(change.verb)}, {"resource", resource_json(change.id)}, {"uid", change.uid},
          {"fields", std::move(fields)},      {"dependsOn", std::move(depends)},      {"note", change.note},
          {"conflict", change.conflict},      {"desired", masked_desired(change)}};
}

// What would be created, without the values that differ at each planning.
Json without_secrets(const Json& value, bool secret) {
  if (value.is_array()) {
    Json result = Json::array();
    for (const auto& each : value) result.push_back(without_secrets(each, secret));
    return result;
  }
  if (!value.is_object()) return value;
  Json result = Json::object();
  for (const auto& [key, each] : value.items()) {
    if (follows_from_secrets(key) || (secret && (key == "data" || key == "stringData")))
      result[key] = "(masked)";
    else
      result[key] = without_secrets(each, secret);
  }
  return result;
}

}  // namespace

bool follows_from_secrets(std::string_view path) {
  return path.find("litedesk.io/secrets-checksum") != std::string_view::npos ||
         path.find("litedesk-password-sha256") != std::string_view::npos;
}

Json masked_desired(const Change& change) {
  return change.verb == Verb::create ? without_secrets(change.desired, change.id.kind == "Secret") : Json();
}

Json to_json(const Plan& plan) {
  Json changes = Json::array();
  for (const auto& change : plan.changes) changes.push_back(change_json(change));
  return {{"slug", plan.slug},
          {"context", plan.context},
          {"cluster", plan.cluster},
          {"clusterId", plan.cluster_id},
          {"changes", std::move(changes)},
          {"summary",
           {{"create", plan.count(Verb::create)},
            {"update", plan.count(Verb::update)},
            {"delete", plan.count(Verb::remove)},
            {"unchanged", plan.count(Verb::none)}}},
          {"addsMonthly", {{"lowCents", plan.adds.low}, {"highCents", plan.adds.high}, {"currency", "USD"}}},
          {"warnings", plan.warnings},
          {"fingerprint", fingerprint(plan)}};
}

std::size_t deleted_percent(const Plan& plan) {
  const auto there = plan.changes.size() - plan.count(Verb::create);
  return there == 0 ? 0 : plan.count(Verb::remove) * 100 / there;
}

std::string fingerprint(const Plan& plan) {
  Json essence = Json::array({plan.slug, plan.context, plan.cluster_id});
  for (const auto& change : plan.changes) {
    if (change.verb == Verb::none) continue;
    auto entry = change_json(change);
    entry.erase("note");
    for (auto& field : entry["fields"]) {
      const bool masked = follows_from_secrets(field["path"].get<std::string>());
      field["after"] = masked ? Json("(masked)") : without_secrets(field["after"], false);
    }
    essence.push_back(std::move(entry));
  }
  return system::sha256_hex(essence.dump());
}

}  // namespace litedesk
