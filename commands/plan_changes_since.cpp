// What has changed since a plan was saved.
#include <map>
#include <set>
#include <utility>

#include "commands/field_diff.hpp"
#include "commands/plan.hpp"

namespace litedesk {

namespace {

std::string member(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json part(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? Json() : *found;
}

bool in_kubernetes(const Json& change) {
  return member(part(change, "resource"), "provider") == to_string(Provider::kubernetes);
}

// As to_string has it of a ResourceId.
std::string name_of(const Json& change) {
  const auto resource = part(change, "resource");
  const auto scope = in_kubernetes(change) ? member(resource, "scope") : std::string();
  return member(resource, "provider") + " " + member(resource, "kind") + " " + scope + (scope.empty() ? "" : "/") +
         member(resource, "name");
}

std::string shown(const Json& value) {
  if (value.is_null()) return "(absent)";
  if (value.is_string() && value.get<std::string>().find('\n') == std::string::npos) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string arrow(const Json& before, const Json& after) {
  return shown(before) + " -> " + shown(after);
}

std::string done(const std::string& action) {
  if (action == "none") return "stay as it is";
  return "be " + action + (action.ends_with('e') ? "d" : "ed");
}

// One resource's entry in the plan that was saved and in the one that would be made now.
class Comparison {
 public:
  Comparison(const Json& saved, const Json& now, std::vector<std::string>& lines)
      : saved_(saved), now_(now), name_(name_of(saved.is_null() ? now : saved)), lines_(lines) {}

  void run() {
    const auto then = member(saved_, "action"), today = member(now_, "action");
    if (saved_.is_null()) return today == "none" ? void() : say("new in the plan, would " + done(today));
    if (now_.is_null()) return then == "none" ? void() : say("no longer in the plan, was to " + done(then));
    const auto old_uid = member(saved_, "uid"), uid = member(now_, "uid");
    if (then != "create" && today == "create") return say("deleted since" + with_uid(old_uid, saved_));
    if (then == "create" && today != "create") return say("created since" + with_uid(uid, now_));
    if (old_uid != uid) return say("replaced by another of its name: uid " + old_uid + " -> " + uid);
    if (then == "create") return desired();
    if (then != today && (then == "delete" || today == "delete"))
      return say("was to " + done(then) + ", would now " + done(today));
    fields();
    const auto conflict = member(now_, "conflict");
    if (conflict != member(saved_, "conflict") && !conflict.empty()) say("others own " + conflict);
  }

 private:
  void say(const std::string& what) { lines_.push_back(name_ + ": " + what); }

  // Elsewhere the name is all the identity that there is.
  static std::string with_uid(const std::string& uid, const Json& change) {
    return uid.empty() || !in_kubernetes(change) ? "" : " (uid " + uid + ")";
  }

  // Of what is created, the saved plan holds the whole.
  void desired() {
    const auto before = part(saved_, "desired"), after = part(now_, "desired");
    if (before.is_null()) return;  // an older version's plan
    for (const auto& field : diff_fields(before, after)) say(field.path + ": " + arrow(field.before, field.after));
  }

  static std::map<std::string, std::pair<Json, Json>> fields_of(const Json& change) {
    std::map<std::string, std::pair<Json, Json>> fields;
    for (const auto& field : part(change, "fields"))
      if (const auto path = member(field, "path"); !follows_from_secrets(path))
        fields[path] = {part(field, "before"), part(field, "after")};
    return fields;
  }

  void fields() {
    const auto then = fields_of(saved_), today = fields_of(now_);
    std::set<std::string> paths;
    for (const auto& [path, values] : then) paths.insert(path);
    for (const auto& [path, values] : today) paths.insert(path);
    for (const auto& path : paths) {
      const auto before = then.find(path), after = today.find(path);
      if (before == then.end())
        say(path + ": is now " + shown(after->second.first) + ", would become " + shown(after->second.second));
      else if (after == today.end())
        say(path + ": no longer to change (" + arrow(before->second.first, before->second.second) + ")");
      else if (before->second != after->second)
        say(path + ": was " + arrow(before->second.first, before->second.second) + ", is now " +
            arrow(after->second.first, after->second.second));
    }
  }

  const Json& saved_;
  const Json& now_;
  std::string name_;
  std::vector<std::string>& lines_;
};

}  // namespace

std::vector<std::string> changes_since(const Json& saved, const Plan& plan) {
  const auto now = to_json(plan);
  std::vector<std::string> lines;
  if (member(saved, "context") != plan.context)
    lines.push_back("context " + member(saved, "context") + " -> " + plan.context);
  if (const auto id = member(saved, "clusterId"); !id.empty() && id != plan.cluster_id)
    lines.push_back("cluster " + member(saved, "cluster") + " (" + id + ") -> " + plan.cluster + " (" +
                    plan.cluster_id + ")");
  std::map<std::string, std::pair<Json, Json>> entries;
  for (const auto& change : part(saved, "changes")) entries[name_of(change)].first = change;
  for (const auto& change : now["changes"]) entries[name_of(change)].second = change;
  for (const auto& [name, both] : entries) Comparison(both.first, both.second, lines).run();
  return lines;
}

}  // namespace litedesk
