#include "commands/dns_records.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "commands/dns_names.hpp"
#include "commands/host_claims.hpp"
#include "commands/parallel.hpp"
#include "commands/tenant.hpp"
#include "providers/error.hpp"

namespace litedesk {

namespace {

using route53::Action;
using route53::RecordChange;
using route53::RecordSet;

std::string title(const RecordSet& record) {
  return record.type + " " + record.name;
}

std::string describe(const RecordSet& record) {
  if (record.alias) return "alias to " + record.alias->name;
  std::string text;
  for (const auto& value : record.values) text += (text.empty() ? "" : ", ") + value;
  return text + " (TTL " + std::to_string(record.ttl) + ")";
}

[[noreturn]] void conflict(const RecordSet& record, const std::string& why, std::string hint) {
  throw Conflict({.message = title(record) + " " + why,
                  .hint = std::move(hint),
                  .resource = "route53 " + title(record),
                  .cause = title(record) + " is " + describe(record)});
}

std::string owner_name_of(const World& world, std::string_view name, std::string_view type) {
  return owner_record_name(name, type, world.settings.dns.domain);
}

// What a TXT at an owner record's name says.
struct Ownership {
  bool ours = false;
  RecordOwner owner;  // the registry's and tenant's, when it is one of litedesk
  std::string other;  // who else has it: "registry 1234", "external-dns"; empty when nobody
};

Ownership read_ownership(const std::optional<RecordSet>& txt, std::string_view registry_id) {
  Ownership result;
  if (!txt) return result;
  for (const auto& value : txt->values) {
    const auto text = route53::unquote_txt(value);
    if (const auto owner = parse_owner_text(text)) {
      result.owner = *owner;
      if (owner->registry_id == registry_id) {
        result.ours = true;
        result.other.clear();
        return result;
      }
      result.other = "registry " + owner->registry_id + (owner->slug.empty() ? "" : ", tenant " + owner->slug);
    } else if (result.other.empty()) {
      result.other =
          text.starts_with("heritage=external-dns") ? "external-dns" : "someone else, who wrote other text there";
    }
  }
  return result;
}

// Owner texts of any registry or external-dns give way; whatever else stands in that TXT record stays.
RecordSet owner_record(std::string name, const std::optional<RecordSet>& live, const std::string& text) {
  RecordSet owner;
  owner.name = std::move(name);
  owner.type = "TXT";
  if (live) owner.ttl = live->ttl;
  if (live)
    for (const auto& value : live->values)
      if (!route53::unquote_txt(value).starts_with("heritage=")) owner.values.push_back(value);
  owner.values.push_back(route53::quote_txt(text));
  return owner;
}

std::optional<RecordSet> without_owner(const RecordSet& live) {
  auto rest = live;
  std::erase_if(rest.values,
                [](const std::string& value) { return parse_owner_text(route53::unquote_txt(value)).has_value(); });
  if (rest.values.empty()) return std::nullopt;
  return rest;
}

// A DELETE of exactly what was read, then a CREATE: the batch fails if somebody was quicker, where an UPSERT would not.
void replace(std::vector<RecordChange>& removals, std::vector<RecordChange>& additions,
             const std::optional<RecordSet>& before, const std::optional<RecordSet>& after) {
  if (before && after && route53::equivalent(*before, *after)) return;
  if (before) removals.push_back({Action::remove, *before});
  if (after) additions.push_back({Action::create, *after});
}

class Progress {
 public:
  Progress(World& world, const Observer& observer) : world_(world), observer_(observer), begin_(world.clock.steady()) {}

  void say(StepState state, std::string message) const {
    if (!observer_) return;
    const auto elapsed = std::chrono::duration_cast<system::milliseconds>(world_.clock.steady() - begin_);
    observer_({"dns", state, std::move(message), elapsed});
  }

 private:
  World& world_;
  const Observer& observer_;
  system::SteadyPoint begin_;
};

struct Order {
  route53::HostedZoneId zone;
  std::vector<RecordChange> changes;
  std::string comment;
  bool wait = false;
  std::chrono::milliseconds timeout{0};
};

void send(World& world, const Order& order, RecordResult& result, const Observer& observer) {
  const Progress progress(world, observer);
  progress.say(StepState::running, order.comment);
  const auto info = world.record_writer.change(order.zone, order.changes, order.comment);
  result.change_id = info.id;
  result.status = info.status == route53::ChangeStatus::insync ? "insync" : "pending";
  if (result.status == "insync" || !order.wait) {
    progress.say(StepState::done, result.status == "insync" ? "INSYNC" : "PENDING");
    return;
  }
  progress.say(StepState::running, "PENDING");
  if (route53::wait_insync(world.record_writer, info.id, order.timeout, world.clock, world.interrupted)) {
    result.status = "insync";
    progress.say(StepState::done, "INSYNC");
    return;
  }
  progress.say(StepState::failed, "still PENDING");
  const ErrorDetails details{.message = title(result.record) + " was changed, but the change is still PENDING",
                             .hint = "aws route53 get-change --id " + info.id + " tells when it is INSYNC",
                             .resource = "route53 " + title(result.record),
                             .cause = ""};
  if (world.interrupted.stop_requested()) throw Cancelled(details);
  throw Timeout(details);
}

// The slug of the registered tenant whose host or custom domain this is; empty when there is none.
std::string tenant_of(World& world, const std::string& name) {
  const auto suffix = "." + route53::from_wire_name(world.settings.dns.domain);
  if (!name.ends_with(suffix) || name.starts_with("*.")) return {};
  if (const auto owner = HostClaims(world).owner(name)) return owner->slug;
  // A tenant that was registered without a claim: by kubectl, or by an older litedesk.
  const auto label = name.substr(0, name.size() - suffix.size());
  const bool may_be_slug =
      !label.empty() && label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  return may_be_slug && world.registry.get(label) ? label : std::string();
}

// What leads the visitors of a name somewhere.
bool leads_somewhere(std::string_view type) {
  return type == "A" || type == "AAAA" || type == "CNAME" || type == "NS";
}

// The host that an owner record of such a name would stand beside; empty when it is no owner record's name.
std::string owned_host(std::string_view name) {
  for (const std::string_view prefix : {"a-", "aaaa-", "cname-"})
    if (name.starts_with(prefix)) return std::string(name.substr(prefix.size()));
  return {};
}

// The tenant of that host, when it has an instance that counts on its record: of one whose first provision failed
// nothing need be left (see check_deletable).
std::optional<Tenant> live_tenant(World& world, const std::string& slug) {
  if (slug.empty()) return std::nullopt;
  const auto document = world.registry.get(slug);
  if (!document) return std::nullopt;
  auto tenant = to_tenant(*document);
  const auto& status = tenant.status;
  const bool undone = status.phase == Phase::failed && status.activated_at.empty();
  if (status.phase == Phase::none || status.phase == Phase::terminated || undone) return std::nullopt;
  return tenant;
}

// `why` follows the host: "is the host of ...". `there` is what is in the zone.
[[noreturn]] void refuse_live(const RecordSet& record, const RecordSet* there, const Tenant& tenant,
                              const std::string& why) {
  const auto& slug = tenant.slug;
  throw Conflict({.message = record.name + " " + why,
                  .hint = "`litedesk status " + slug + "` shows the instance, and `litedesk instance provision " +
                          slug + "` leads its hosts to the load balancer",
                  .resource = "route53 " + title(record),
                  .cause = there != nullptr ? title(*there) + " is " + describe(*there) : ""});
}

std::string host_of(const Tenant& tenant) {
  return "is the host of tenant " + tenant.slug + " (" + std::string(to_string(tenant.status.phase)) + ")";
}

// The live tenant that the owner record names, where the host is one of its own: one from before there were claims.
std::optional<Tenant> marked_tenant(World& world, const Ownership& ownership, const std::string& host) {
  if (!ownership.ours) return std::nullopt;
  auto tenant = live_tenant(world, ownership.owner.slug);
  if (!tenant) return std::nullopt;
  const auto& hosts = tenant->status.hosts;
  const bool has_it = tenant->custom_domain == host || tenant->status.dns_record == host ||
                      std::find(hosts.begin(), hosts.end(), host) != hosts.end();
  return has_it ? tenant : std::nullopt;
}

// Whether deleting it would take a live instance off the net, or the proof that its record is ours away. What else
// stands at the host (a text, an address of another type that is not ours) is no part of the instance.
void check_not_in_use(World& world, const RecordSet& record, const Ownership& ownership,
                      const std::optional<Tenant>& tenant) {
  if (tenant && record.type != "NS" && leads_somewhere(record.type)) {
    const auto& status = tenant->status;
    // Where the zone's own wildcard leads to the instances, a record beside it was made by hand.
    const bool made_for_it = world.settings.dns.strategy == "record" || status.dns_record == record.name ||
                             std::find(status.hosts.begin(), status.hosts.end(), record.name) != status.hosts.end();
    const bool marked = ownership.ours && ownership.owner.slug == tenant->slug;
    if (made_for_it && (marked || record.type == status.dns_type))
      refuse_live(record, &record, *tenant,
                  host_of(*tenant) + ", which could not be reached without its " + record.type + " record");
  }
  const auto host = record.type == "TXT" && ownership.ours ? owned_host(record.name) : "";
  if (host.empty()) return;
  auto owner = live_tenant(world, tenant_of(world, host));
  if (!owner) owner = marked_tenant(world, ownership, host);
  if (owner && owner->slug == ownership.owner.slug)
    refuse_live(record, &record, *owner, "says whose " + host + " is, which " + host_of(*owner));
}

// A live tenant's host leads to the load balancer: a record that says so (again) is fine, and so is another TTL.
void check_leads_to_instance(const RecordResult& result, const SetRecord& wanted, const std::string& load_balancer,
                             const Tenant& tenant) {
  const auto& record = result.record;
  if (!wanted.target || !leads_somewhere(record.type)) return;
  if (result.before && result.before->values == record.values && result.before->alias == record.alias) return;
  const auto target = route53::from_wire_name(record.alias ? record.alias->name : record.values.front());
  if (record.type != "NS")
    for (const auto& right : {wanted.load_balancer, load_balancer, tenant.status.dns_target})
      if (target == route53::from_wire_name(right)) return;
  refuse_live(record, result.before ? &*result.before : nullptr, tenant,
              host_of(tenant) + ", which could not be reached if it led to " + target);
}

// Records with a routing policy (a set identifier) are several of one name and type. To change or delete one of them
// takes saying which, and all of them at once is nobody's wish.
void check_simple(const std::vector<RecordSet>& records, std::string_view verb) {
  std::vector<const RecordSet*> found;
  for (const auto& record : records)
    if (!record.set_identifier.empty()) found.push_back(&record);
  if (found.empty()) return;
  std::string list;
  for (const auto* record : found)
    list += (list.empty() ? "" : "; ") + record->type + " " + record->set_identifier + ": " + describe(*record);
  const auto& first = *found.front();
  throw Conflict({.message = title(first) + " has a routing policy (" + std::to_string(found.size()) +
                             (found.size() == 1 ? " record" : " records") + "), and litedesk " + std::string(verb) +
                             " simple records only",
                  .hint = "`litedesk dns get " + first.name +
                          "` lists them; change them where they were made, or with "
                          "`aws route53 change-resource-record-sets`",
                  .resource = "route53 " + title(first),
                  .cause = list});
}

void check_neighbours(const std::vector<RecordSet>& records, const RecordSet& wanted) {
  std::vector<RecordSet> in_the_way;
  for (const auto& record : records)
    if (record.type == wanted.type || record.type == "CNAME" || wanted.type == "CNAME") in_the_way.push_back(record);
  check_simple(in_the_way, "sets");
  for (const auto& record : in_the_way) {
    if (record.type == wanted.type) continue;
    if (record.type == "SOA" || record.type == "NS")
      conflict(record, "exists at " + record.name + ", so no CNAME can be created there",
               "use --alias at the zone's apex (to an AWS load balancer), or --type A with an address");
    conflict(record, "exists at that name, and a CNAME cannot coexist with other records",
             "delete it first: litedesk dns delete " + record.name + " --type " + record.type);
  }
}

// What belongs to somebody else is theirs to give up.
std::string adopting_hint(const Ownership& ownership) {
  if (ownership.other == "external-dns")
    return "external-dns would change it back: remove it there first, then use --adopt";
  return ownership.owner.registry_id.empty() ? "--adopt takes it over"
                                             : "choose another name, or have its owner release it";
}

[[noreturn]] void refuse_foreign(const World& world, const RecordSet& record, const Ownership& ownership) {
  const auto owner_name = owner_name_of(world, record.name, record.type);
  conflict(record,
           ownership.other.empty() ? "exists, and this registry does not own it (no TXT " + owner_name + ")"
                                   : "belongs to " + ownership.other + " (TXT " + owner_name + ")",
           adopting_hint(ownership));
}

std::optional<RecordSet> of_type(const std::vector<RecordSet>& records, std::string_view type) {
  for (const auto& record : records)
    if (record.type == type) return record;
  return std::nullopt;
}

// A name so long that no owner record can stand beside it has none.
std::optional<RecordSet> read_owner_record(World& world, const route53::HostedZoneId& zone, std::string_view name,
                                           std::string_view type) {
  const auto owner = owner_name_of(world, name, type);
  if (!is_possible_name(owner)) return std::nullopt;
  return world.records.get(zone, owner, "TXT");
}

RecordResult shown(const RecordSet& record, const std::optional<RecordSet>& txt, std::string_view registry_id) {
  RecordResult result;
  result.record = record;
  auto ownership = read_ownership(txt, registry_id);
  // An owner record that has outlived its record is its own witness.
  if (!txt && record.type == "TXT") ownership = read_ownership(record, registry_id);
  result.owner = ownership.owner.registry_id;
  result.tenant = ownership.owner.slug;
  return result;
}

Json to_json(const RecordSet& record) {
  Json alias;
  if (record.alias)
    alias = {{"zone", record.alias->zone.value},
             {"name", record.alias->name},
             {"evaluateHealth", record.alias->evaluate_health}};
  return {{"name", record.name},     {"type", record.type}, {"ttl", record.ttl},
          {"values", record.values}, {"alias", alias},      {"setIdentifier", record.set_identifier}};
}

}  // namespace

RecordResult set_record(World& world, const SetRecord& wanted, const Observer& observer) {
  const auto name = record_name(wanted.name, world.settings.dns.domain, wanted.wildcard);
  route53::HostedZoneId zone;
  std::string registry_id, slug;
  std::optional<Tenant> tenant;
  run_all({[&] { zone = world.zone(); }, [&] { registry_id = world.registry.registry_id(); },
           [&] {
             slug = tenant_of(world, name);
             tenant = live_tenant(world, slug);
           }});
  RecordResult result;
  result.record = wanted_record(wanted, world.settings.dns.domain, world.settings.kubernetes.load_balancer, zone);

  std::vector<RecordSet> records;
  std::optional<RecordSet> txt;
  run_all({[&] { records = world.records.get_name(zone, name); },
           [&] { txt = read_owner_record(world, zone, name, result.record.type); }});
  result.before = of_type(records, result.record.type);
  const auto ownership = read_ownership(txt, registry_id);
  if (!tenant) tenant = marked_tenant(world, ownership, name);
  if (tenant) check_leads_to_instance(result, wanted, world.settings.kubernetes.load_balancer, *tenant);
  check_neighbours(records, result.record);
  if (!wanted.adopt && !ownership.ours && (result.before || !ownership.other.empty()))
    refuse_foreign(world, result.before ? *result.before : *txt, ownership);
  // What a tenant's instance was given stays marked as its own.
  if (slug.empty() && ownership.ours) slug = ownership.owner.slug;
  result.owner = registry_id;
  result.tenant = slug;
  result.dry_run = wanted.dry_run;

  std::vector<RecordChange> changes, additions;
  replace(changes, additions, result.before, result.record);
  replace(changes, additions, txt,
          owner_record(owner_name_of(world, name, result.record.type), txt, owner_text(registry_id, slug)));
  changes.insert(changes.end(), additions.begin(), additions.end());
  result.action = changes.empty() ? "unchanged" : result.before ? "updated" : "created";
  if (changes.empty() || wanted.dry_run) return result;
  send(world, {zone, std::move(changes), "litedesk dns set " + name, wanted.wait, wanted.timeout}, result, observer);
  return result;
}

std::vector<RecordResult> get_records(World& world, std::string_view name) {
  const auto full = record_name(name, world.settings.dns.domain, false);
  const auto zone = world.zone();
  const auto records = world.records.get_name(zone, full);
  if (records.empty())
    throw NotFound({.message = "no record " + full + " in the zone",
                    .hint = "list them with: litedesk dns list",
                    .resource = "route53 " + full,
                    .cause = ""});
  std::set<std::string> types;
  for (const auto& record : records) types.insert(record.type);
  std::map<std::string, std::optional<RecordSet>> owners;
  std::string registry_id;
  std::vector<std::function<void()>> reads{[&] { registry_id = world.registry.registry_id(); }};
  for (const auto& type : types) {
    auto* owner = &owners[type];
    reads.emplace_back([&world, &zone, &full, &type, owner] { *owner = read_owner_record(world, zone, full, type); });
  }
  run_all(reads);
  std::vector<RecordResult> results;
  for (const auto& record : records) results.push_back(shown(record, owners[record.type], registry_id));
  return results;
}

std::vector<RecordResult> list_records(World& world, bool owned_only) {
  std::vector<RecordSet> records;
  std::string registry_id;
  run_all({[&] { records = world.records.list(world.zone()); }, [&] { registry_id = world.registry.registry_id(); }});
  std::map<std::string, const RecordSet*> texts;
  for (const auto& record : records)
    if (record.type == "TXT") texts[record.name] = &record;
  std::set<std::string> beside;  // owner records that stand beside their record
  std::vector<RecordResult> results;
  for (const auto& record : records) {
    const auto found = texts.find(owner_name_of(world, record.name, record.type));
    std::optional<RecordSet> txt;
    if (found != texts.end()) txt = *found->second;
    results.push_back(shown(record, txt, registry_id));
    if (!results.back().owner.empty() && txt && !without_owner(*txt)) beside.insert(txt->name);
  }
  std::erase_if(results, [&](const RecordResult& result) {
    if (result.record.type == "TXT" && beside.contains(result.record.name)) return true;
    return owned_only && result.owner != registry_id;
  });
  std::stable_sort(results.begin(), results.end(), [](const RecordResult& a, const RecordResult& b) {
    return std::tie(a.record.name, a.record.type) < std::tie(b.record.name, b.record.type);
  });
  return results;
}

RecordResult delete_record(World& world, const DeleteRecord& wanted, const Observer& observer) {
  const auto full = record_name(wanted.name, world.settings.dns.domain, false);
  route53::HostedZoneId zone;
  std::string registry_id;
  std::optional<Tenant> tenant;
  run_all({[&] { zone = world.zone(); }, [&] { registry_id = world.registry.registry_id(); },
           [&] { tenant = live_tenant(world, tenant_of(world, full)); }});
  auto records = world.records.get_name(zone, full);
  auto wanted_type = wanted.type;
  for (char& c : wanted_type)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (!wanted_type.empty()) std::erase_if(records, [&](const RecordSet& record) { return record.type != wanted_type; });
  if (records.empty())
    throw NotFound({.message = "no record " + (wanted_type.empty() ? "" : wanted_type + " ") + full + " in the zone",
                    .hint = "list them with: litedesk dns list",
                    .resource = "route53 " + full,
                    .cause = ""});
  std::set<std::string> types;
  for (const auto& record : records) types.insert(record.type);
  if (types.size() > 1) {
    std::string list;
    for (const auto& each : types) list += (list.empty() ? "" : ", ") + each;
    throw UsageError({.message = "there are several records " + full + ": " + list,
                      .hint = "choose one with --type",
                      .resource = "route53 " + full,
                      .cause = ""});
  }

  RecordResult result;
  result.record = records.front();
  result.before = records.front();
  result.action = "deleted";
  const auto txt = read_owner_record(world, zone, full, result.record.type);
  auto ownership = read_ownership(txt, registry_id);
  if (!txt && result.record.type == "TXT") ownership = read_ownership(result.record, registry_id);
  if (!tenant) tenant = marked_tenant(world, ownership, full);
  check_not_in_use(world, result.record, ownership, tenant);
  check_simple(records, "deletes");
  if (!ownership.ours && !wanted.adopt) refuse_foreign(world, result.record, ownership);
  result.owner = ownership.owner.registry_id;
  result.tenant = ownership.owner.slug;
  result.dry_run = wanted.dry_run;
  if (wanted.dry_run) return result;

  std::vector<RecordChange> changes, additions;
  for (const auto& record : records) changes.push_back({Action::remove, record});
  // Another's text in the owner record stays.
  if (txt && ownership.owner.registry_id.size() > 0) replace(changes, additions, txt, without_owner(*txt));
  changes.insert(changes.end(), additions.begin(), additions.end());
  send(world, {zone, std::move(changes), "litedesk dns delete " + full, wanted.wait, wanted.timeout}, result, observer);
  return result;
}

Json to_json(const RecordResult& result) {
  auto document = to_json(result.record);
  document["before"] = result.before ? to_json(*result.before) : Json();
  document["action"] = result.action;
  document["dryRun"] = result.dry_run;
  document["status"] = result.status;
  document["changeId"] = result.change_id;
  document["owner"] = result.owner;
  document["tenant"] = result.tenant;
  return document;
}

}  // namespace litedesk
