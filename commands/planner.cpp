#include "commands/planner.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "commands/field_diff.hpp"
#include "commands/provenance.hpp"
#include "commands/quantity.hpp"
#include "commands/record_planner.hpp"
#include "commands/wait_gone.hpp"
#include "providers/error.hpp"

namespace litedesk {

namespace {

using kubernetes::Object;
using kubernetes::ObjectRef;

Json texts(const std::vector<std::string>& values) {
  return Json(values);
}

Json user_json(const atlas::DatabaseUser& user) {
  Json roles = Json::array();
  for (const auto& role : user.roles) roles.push_back(role.role + "@" + role.database);
  std::sort(roles.begin(), roles.end());
  Json labels = Json::object();
  for (const auto& [key, value] : user.labels)
    if (key.starts_with("litedesk-")) labels[key] = value;
  return {{"roles", roles}, {"scopes", texts(user.clusters)}, {"labels", labels}, {"description", user.description}};
}

class Planner {
 public:
  explicit Planner(const PlanInputs& inputs) : in_(inputs), provenance_(inputs.live.tenant) {}

  Plan make() {
    plan_.slug = in_.live.tenant.slug;
    plan_.context = in_.settings.context;
    plan_.cluster_id = in_.live.cluster_id;
    plan_.warnings = in_.desired.warnings;
    objects();
    superfluous_objects();
    database_user();
    for (auto& change : plan_records(in_, provenance_)) finish(std::move(change));
    warn_of_deletions();
    warn_of_foreign_objects();
    dependencies();
    std::sort(plan_.changes.begin(), plan_.changes.end(), [](const Change& a, const Change& b) {
      return std::tuple(wave_of(a.id), a.id) < std::tuple(wave_of(b.id), b.id);
    });
    if (in_.live.tenant.status.activated_at.empty() && !plan_.empty()) plan_.adds = in_.instance_adds;
    return std::move(plan_);
  }

 private:
  void warn_of_deletions() {
    if (deleted_percent(plan_) > most_deleted_percent)
      plan_.warnings.push_back("it deletes " + std::to_string(plan_.count(Verb::remove)) + " of the " +
                               std::to_string(plan_.changes.size() - plan_.count(Verb::create)) +
                               " existing resources");
  }

  void warn_of_foreign_objects() {
    std::set<std::string> own;
    std::map<std::string, std::string> labels;
    std::string name_space;
    for (const auto& change : plan_.changes) {
      if (change.id.provider != Provider::kubernetes) continue;
      own.insert(change.id.kind + " " + change.id.name);
      if (change.id.kind != "Namespace") continue;
      name_space = change.id.name;
      labels = labels_of(change.desired);
      labels.merge(labels_of(change.live));
    }
    for (const auto& object : foreign_objects(in_.live.surroundings, own, std::move(labels), name_space))
      plan_.warnings.push_back(to_string(object));
    for (const auto& unread : in_.live.surroundings.unread)
      plan_.warnings.push_back("not permitted to list " + unread + ": foreign ones are not shown");
  }

  void finish(Change change) {
    if (change.note.empty() && change.adopted) change.note = "taken over: it was not made for this tenant";
    if (change.note.empty() && change.verb != Verb::create && provenance_.was_to_be_created(change.id))
      change.note = "created by an interrupted run";
    plan_.changes.push_back(std::move(change));
  }

  // Whether the namespace is taken over; refuses what is another registry's, and without --adopt what is not the one
  // that was made for the tenant.
  bool takes_over_namespace(const Object& name_space) const {
    const auto id = resource_id(name_space.ref());
    const std::string what = "namespace " + name_space.name();
    const auto owner = name_space.annotation(registry_annotation);
    if (!owner.empty() && owner != in_.live.registry_id)
      throw Conflict({.message = what + " belongs to another registry, " + owner,
                      .hint = "register the tenant under another slug, or have the namespace's owner remove it",
                      .resource = to_string(id),
                      .cause = {}});
    const bool known = provenance_.owns_namespace(name_space);
    if (name_space.deleting() && (known || !owner.empty()))
      throw Conflict({.message = what + " is still being deleted",
                      .hint = "wait until it is gone: kubectl wait --for=delete namespace/" + name_space.name(),
                      .resource = to_string(id),
                      .cause = deletion_holders(name_space)});
    if (known || in_.adopt) return !known;
    const auto& noted = in_.live.tenant.status.namespace_uid;
    throw Conflict({.message = what + " exists and was not created for tenant " + plan_.slug,
                    .hint = "see what stands in it and would be taken over: litedesk instance plan " + plan_.slug +
                            " --adopt; or have its owner remove it, or register the tenant under another slug",
                    .resource = to_string(id),
                    .cause = noted.empty() ? "" : "its UID is " + name_space.uid() + ", and the tenant's is " + noted});
  }

  // The same of an object in it.
  bool takes_over(const Object& object) const {
    const auto ref = object.ref();
    if (!ref.name_space.empty() && object.deleting())
      throw Conflict(
          {.message = ref.type.kind + " " + ref.name + " in namespace " + ref.name_space + " is still being deleted",
           .hint = "wait until it is gone: kubectl wait --for=delete -n " + ref.name_space + " " + ref.type.plural +
                   "/" + ref.name,
           .resource = "kubernetes " + ref.type.kind + " " + ref.name_space + "/" + ref.name,
           .cause = deletion_holders(object)});
    if (ref.name_space.empty() || provenance_.owns_object(ref)) return false;
    if (in_.adopt) return true;
    throw Conflict({.message = ref.type.kind + " " + ref.name + " in namespace " + ref.name_space +
                               " exists and was not created for tenant " + plan_.slug,
                    .hint = "if nobody else needs it, take it over with `litedesk instance provision " + plan_.slug +
                            " --adopt`, which keeps a Secret's values; otherwise delete it",
                    .resource = to_string(resource_id(ref)),
                    .cause = {}});
  }

  void objects() {
    for (const auto& json : in_.desired.objects) {
      const Object wanted(json);
      const auto ref = wanted.ref();
      Change change;
      change.id = resource_id(ref);
      change.desired = json;
      const auto* live = in_.live.find(ref);
      if (live == nullptr) {
        change.verb = Verb::create;
      } else {
        change.adopted = ref.type.kind == "Namespace" ? takes_over_namespace(*live) : takes_over(*live);
        change.uid = live->uid();
        change.live = live->json();
        const auto dry_run = in_.dry_runs.find(ref);
        if (dry_run != in_.dry_runs.end() && !dry_run->second.refused) {
          change.fields = diff_objects(live->json(), dry_run->second.result);
          note_conflicts(change, dry_run->second.conflicts);
        } else {
          change.fields = diff_managed_fields(live->json(), json);
          change.note = "compared by the fields that litedesk manages: a dry run is not permitted";
        }
        change.verb = change.fields.empty() ? Verb::none : Verb::update;
        if (ref.type.kind == "ResourceQuota" && change.verb == Verb::update)
          change.interim = interim_quota(change.live, json);
      }
      wanted_.insert(ref);
      finish(std::move(change));
    }
  }

  // The number of replicas is left to an autoscaler, which writes it by the controller manager; where the autoscaler
  // goes, it is ours again.
  bool autoscaler_goes(const std::string& deployment) const {
    for (const auto& [ref, object] : in_.live.objects)
      if (ref.type.kind == "HorizontalPodAutoscaler" && object.text("spec.scaleTargetRef.name") == deployment &&
          std::none_of(in_.desired.objects.begin(), in_.desired.objects.end(),
                       [&ref = ref](const Json& wanted) { return Object(wanted).ref() == ref; }))
        return true;
    return false;
  }

  void note_conflicts(Change& change, const std::vector<kubernetes::StatusCause>& conflicts) const {
    for (const auto& conflict : conflicts) {
      const bool replicas = conflict.field == ".spec.replicas" || conflict.field == "spec.replicas";
      if (change.id.kind == "Deployment" && replicas && autoscaler_goes(change.id.name)) {
        change.force = true;
        continue;
      }
      change.conflict += (change.conflict.empty() ? "" : "; ") + conflict.field + ": " + conflict.message;
    }
  }

  // What was applied for another tier or by other templates, and is wanted no more.
  void superfluous_objects() {
    for (const auto& [ref, object] : in_.live.objects) {
      if (wanted_.contains(ref) || object.label("app.kubernetes.io/managed-by") != "litedesk" ||
          object.label("litedesk.io/tenant") != plan_.slug)
        continue;
      Change change;
      change.verb = Verb::remove;
      change.id = resource_id(ref);
      change.uid = object.uid();
      change.live = object.json();
      finish(std::move(change));
    }
  }

  void database_user() {
    const auto& wanted = in_.desired.user;
    Change change;
    change.id = user_id(in_.settings, wanted.username);
    change.desired = user_json(wanted);
    if (!in_.live.user) {
      change.verb = Verb::create;
      check_user_limit();
    } else {
      const auto& live = *in_.live.user;
      const auto label = [&](std::string_view key) {
        const auto found = live.labels.find(std::string(key));
        return found == live.labels.end() ? std::string() : found->second;
      };
      if (label(label_registry) != in_.live.registry_id || label(label_tenant) != plan_.slug)
        throw Conflict({.message = "database user " + wanted.username + " exists and does not belong to tenant " +
                                   plan_.slug + " of this registry",
                        .hint = "register the tenant under another slug, or have the user's owner rename it",
                        .resource = to_string(change.id),
                        .cause = {}});
      change.uid = live.username;
      change.fields = diff_fields(user_json(live), user_json(wanted));
      change.verb = change.fields.empty() ? Verb::none : Verb::update;
    }
    finish(std::move(change));
  }

  void check_user_limit() {
    if (!in_.live.user_limit || in_.live.user_limit->value <= 0) return;
    const auto& [limit, used] = *in_.live.user_limit;
    const auto said = std::to_string(used) + " of " + std::to_string(limit) + " database users";
    if (used >= limit)
      throw Failed({.message = "the Atlas project is full: " + said,
                    .hint = "use another project (database.projects), or ask MongoDB to raise the limit",
                    .resource = "atlas project",
                    .cause = {}});
    if (used * 100 >= limit * 90) plan_.warnings.push_back("the Atlas project has " + said);
  }

  void dependencies() {
    std::vector<ResourceId> records, first;
    const ResourceId* name_space = nullptr;
    const ResourceId* user = nullptr;
    for (const auto& change : plan_.changes) {
      if (change.id.kind == "Namespace") name_space = &change.id;
      if (change.id.provider == Provider::atlas) user = &change.id;
      if (change.id.provider == Provider::route53) records.push_back(change.id);
    }
    std::sort(records.begin(), records.end());
    const auto space = name_space == nullptr ? ResourceId{} : *name_space;
    const auto database = user == nullptr ? ResourceId{} : *user;
    for (auto& change : plan_.changes) {
      if (change.verb == Verb::remove || change.id.provider != Provider::kubernetes || change.id.scope.empty())
        continue;
      if (name_space != nullptr) change.depends_on.push_back(space);
      if (wave_of(change.id) == Wave::after_dns)
        change.depends_on.insert(change.depends_on.end(), records.begin(), records.end());
      if (wave_of(change.id) == Wave::after_database && user != nullptr) change.depends_on.push_back(database);
    }
  }

  const PlanInputs& in_;
  Plan plan_;
  std::set<ObjectRef> wanted_;
  Provenance provenance_;
};

}  // namespace

Wave wave_of(const ResourceId& id) {
  if (id.provider != Provider::kubernetes || id.scope.empty()) return Wave::first;
  if (id.kind == "Certificate" || id.kind == "Ingress") return Wave::after_dns;
  if (id.kind == "Job") return Wave::after_database;
  return Wave::namespaced;
}

Json interim_quota(const Json& live, const Json& wanted) {
  const auto limits = [](const Json& quota) {
    const auto spec = quota.find("spec");
    return spec == quota.end() ? Json::object() : spec->value("hard", Json::object());
  };
  const auto quantity = [](const Json& value) {
    return parse_quantity(value.is_string() ? value.get<std::string>() : value.dump());
  };
  const auto before = limits(live), after = limits(wanted);
  auto wider = after;
  for (const auto& [key, value] : after.items()) {
    const auto old = before.find(key);
    if (old == before.end()) {
      wider.erase(key);  // it did not limit the pods that are there
      continue;
    }
    const auto was = quantity(*old), will_be = quantity(value);
    if (was && will_be && was->thousandths > will_be->thousandths) wider[key] = *old;
  }
  if (wider == after) return nullptr;
  auto interim = wanted;
  interim["spec"]["hard"] = std::move(wider);
  return interim;
}

ResourceId resource_id(const ObjectRef& ref) {
  return {Provider::kubernetes, ref.type.kind, ref.name_space, ref.name};
}

ResourceId user_id(const Settings& settings, std::string_view username) {
  return {Provider::atlas, "DatabaseUser",
          settings.database.projects.empty() ? std::string() : settings.database.projects.front(),
          std::string(username)};
}

ResourceId record_id(const route53::HostedZoneId& zone, const route53::RecordSet& record) {
  return {Provider::route53, record.type, zone.value, record.name};
}

Plan make_plan(const PlanInputs& inputs) {
  return Planner(inputs).make();
}

}  // namespace litedesk
