#include "commands/preparation.hpp"

#include <algorithm>
#include <set>

#include "commands/host_claims.hpp"
#include "commands/provenance.hpp"
#include "commands/wait_gone.hpp"
#include "providers/error.hpp"

namespace litedesk {

namespace {

using kubernetes::Object;
using kubernetes::ObjectRef;

[[noreturn]] void refuse_phase(const Tenant& tenant, const std::string& hint) {
  throw Conflict({.message = "tenant " + tenant.slug + " is " + std::string(to_string(tenant.status.phase)),
                  .hint = hint,
                  .resource = "tenant " + tenant.slug,
                  .cause = {}});
}

void check_tenant(const Tenant& tenant) {
  if (tenant.placement == "shared")
    throw Conflict(
        {.message = "tenant " + tenant.slug + " is placed in the shared application and has no instance",
         .hint = "give it one of its own first: litedesk tenant update " + tenant.slug + " --placement dedicated",
         .resource = "tenant " + tenant.slug,
         .cause = {}});
  if (tenant.status.phase == Phase::suspended) refuse_phase(tenant, "resume it first");
  if (tenant.status.phase == Phase::terminated) refuse_phase(tenant, "register a new tenant: termination is final");
}

[[noreturn]] void refuse_host(const Tenant& tenant, const std::string& host, const HostOwner& owner) {
  throw Conflict({.message = "the host " + host + " of tenant " + tenant.slug + " is tenant " + owner.slug + "'s" +
                             (owner.custom ? " custom domain" : ""),
                  .hint = host == tenant.custom_domain
                              ? "give " + tenant.slug + " another one: litedesk tenant update " + tenant.slug +
                                    " --custom-domain HOST"
                              : "register the tenant under another slug",
                  .resource = "tenant " + tenant.slug,
                  .cause = {}});
}

// A record may have been written by kubectl, an import or an older litedesk, which claimed nothing.
void check_hosts(const World& world, const LiveState& live) {
  HostClaims claims(world);
  for (const Host& host : hosts_of(live.tenant, world.settings.dns.domain)) {
    const auto claim = live.claims.find(host.name);
    if (claim == live.claims.end() || HostClaims::slug_of(claim->second) == live.tenant.slug) continue;
    if (const auto owner = claims.owner(claim->second)) refuse_host(live.tenant, host.name, *owner);
  }
}

// The instance's namespace where it stands and is to be the instance's: anything in another one is not even asked for.
const Object* usable_namespace(const LiveState& live, const Settings& settings, bool adopt) {
  const ObjectRef ref{kubernetes::type_of("v1", "Namespace"), "",
                      names_of(live.tenant.slug, settings.dns.domain).name_space};
  const auto* object = live.find(ref);
  if (object == nullptr || object->deleting()) return nullptr;
  return adopt || Provenance(live.tenant).owns_namespace(*object) ? object : nullptr;
}

// What other field managers own of the fields that applying would set; rethrows any other error.
std::vector<kubernetes::StatusCause> field_conflicts(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Conflict& conflict) {
    std::vector<kubernetes::StatusCause> causes;
    if (const auto* info = kubernetes::api_error_info(conflict))
      for (const auto& cause : info->causes)
        if (cause.reason == "FieldManagerConflict") causes.push_back(cause);
    if (causes.empty()) throw;
    return causes;
  }
}

std::map<ObjectRef, DryRun> dry_run_all(const World& world, const DesiredState& desired, const LiveState& live,
                                        bool adopt) {
  std::map<ObjectRef, DryRun> runs;
  if (usable_namespace(live, world.settings, adopt) == nullptr) return runs;
  std::vector<Object> objects;
  for (const auto& json : desired.objects)
    if (live.find(Object(json).ref()) != nullptr) objects.emplace_back(json);
  auto results = world.applier.apply_all(objects, {.dry_run = true});
  std::vector<Object> contested;
  for (std::size_t index = 0; index < objects.size(); ++index) {
    auto& run = runs[objects[index].ref()];
    if (auto* error = std::get_if<std::exception_ptr>(&results[index])) {
      try {
        run.conflicts = field_conflicts(*error);
        contested.push_back(objects[index]);
      } catch (const PermissionDenied&) {
        run.refused = true;
      }
    } else {
      run.result = std::get<Object>(results[index]).json();
    }
  }
  if (contested.empty()) return runs;
  // What it would come to if those fields were taken over: whether they are is not decided here.
  results = world.applier.apply_all(contested, {.dry_run = true, .force = true});
  for (std::size_t index = 0; index < contested.size(); ++index) {
    if (auto* error = std::get_if<std::exception_ptr>(&results[index])) std::rethrow_exception(*error);
    runs[contested[index].ref()].result = std::get<Object>(results[index]).json();
  }
  return runs;
}

// A namespace of ours that an undo has left to go by itself: it must be gone before the next is made.
void wait_for_old_namespace(const World& world, LiveState& live, std::chrono::milliseconds budget,
                            const Observer& observer) {
  const ObjectRef ref{kubernetes::type_of("v1", "Namespace"), "",
                      names_of(live.tenant.slug, world.settings.dns.domain).name_space};
  const auto* object = live.find(ref);
  if (object == nullptr || !object->deleting() || !Provenance(live.tenant).owns_namespace(*object)) return;
  if (observer) observer({"namespace", StepState::running, ref.name + " of an earlier run is being deleted", {}});
  if (const auto holder = wait_until_gone(world, ref, object->uid(), budget, world.interrupted)) return;
  live = read_live_state(world, live.tenant.slug);
}

// Who takes a namespace over is told what comes with it.
void note_what_else_is_there(const World& world, Plan& plan) {
  std::set<std::string> own;
  const Change* adopted = nullptr;
  for (const auto& change : plan.changes) {
    if (change.id.provider == Provider::kubernetes) own.insert(change.id.kind + " " + change.id.name);
    if (change.id.kind == "Namespace" && change.adopted) adopted = &change;
  }
  if (adopted == nullptr) return;
  for (const auto& other : other_objects(world, adopted->id.name, own))
    plan.warnings.push_back("in " + adopted->id.name + " stands also: " + other);
}

}  // namespace

Prepared prepare(const World& world, std::string_view slug, const PrepareOptions& options, const Observer& observer) {
  Prepared prepared;
  prepared.live = read_live_state(world, slug);
  check_tenant(prepared.live.tenant);
  check_record(prepared.live.tenant, {world.settings.dns.domain, world.tiers});
  check_hosts(world, prepared.live);
  if (options.patience.count() > 0) wait_for_old_namespace(world, prepared.live, options.patience, observer);
  prepared.desired = make_desired_state(world, prepared.live);

  const auto possible = possible_objects(world, slug);
  std::vector<ObjectRef> unread;
  for (const auto& json : prepared.desired.objects) {
    auto ref = Object(json).ref();
    if (!std::binary_search(possible.begin(), possible.end(), ref)) unread.push_back(std::move(ref));
  }
  read_more(world, unread, prepared.live);

  const auto dry_runs = dry_run_all(world, prepared.desired, prepared.live, options.adopt);
  prepared.plan = make_plan(
      {world.settings, prepared.live, prepared.desired, dry_runs, world.prices.instance_adds(), options.adopt});
  if (options.adopt) note_what_else_is_there(world, prepared.plan);
  if (world.cluster_name) prepared.plan.cluster = world.cluster_name();
  return prepared;
}

void claim_hosts(const World& world, const LiveState& live) {
  HostClaims claims(world);
  for (const Host& host : hosts_of(live.tenant, world.settings.dns.domain)) {
    const auto claim = live.claims.find(host.name);
    if (claim != live.claims.end() && HostClaims::slug_of(claim->second) == live.tenant.slug) continue;
    HostReservation reservation(claims, live.tenant.slug);
    if (const auto owner = reservation.add(host)) refuse_host(live.tenant, host.name, *owner);
    reservation.keep();
  }
}

}  // namespace litedesk
