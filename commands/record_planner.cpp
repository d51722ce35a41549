#include "commands/record_planner.hpp"

#include <algorithm>

#include "commands/dns_records.hpp"
#include "commands/field_diff.hpp"
#include "providers/error.hpp"

namespace litedesk {

namespace {

Json record_json(const route53::RecordSet& record) {
  if (record.alias) return {{"alias", record.alias->name}};
  auto values = record.values;
  std::sort(values.begin(), values.end());
  return {{"ttl", record.ttl}, {"values", values}};
}

class RecordPlanner {
 public:
  RecordPlanner(const PlanInputs& inputs, const Provenance& provenance) : in_(inputs), provenance_(provenance) {}

  std::vector<Change> make() {
    for (const auto& record : in_.desired.records) host(record);
    superfluous_hosts();
    return std::move(changes_);
  }

 private:
  const std::string& slug() const { return in_.live.tenant.slug; }

  [[noreturn]] void refuse_record(const route53::RecordSet& record, const std::string& why, std::string hint) {
    throw Conflict({.message = record.type + " record " + record.name + " " + why,
                    .hint = std::move(hint),
                    .resource = "route53 " + record.type + " " + record.name,
                    .cause = record_json(record).dump()});
  }

  // Whether the record set is taken over; refuses what is somebody else's, and without --adopt what was not made for
  // the tenant, whatever the owner record for that type of address says: whoever knows that it may be taken over says
  // so.
  bool takes_over(const HostState& state, const route53::RecordSet& record, const std::string& type) {
    const bool marked = owned(state, type);
    if (marked && provenance_.owns_record(record_id(*in_.live.zone, record), state.host)) return false;
    refuse_marked(state, type);
    if (in_.adopt) return true;
    refuse_record(record,
                  marked ? "exists and was not made for tenant " + slug() : "exists and is not owned by litedesk",
                  "if nobody needs it, take it over with `litedesk instance provision " + slug() +
                      " --adopt`; otherwise choose another host for " + slug());
  }

  // external-dns names its owner records in the same way.
  void refuse_marked(const HostState& state, const std::string& type) {
    for (const auto& owner : state.owner_records) {
      if (owner.name != owner_record_name(state.host, type)) continue;
      for (const auto& value : owner.values)
        if (const auto text = route53::unquote_txt(value);
            text.starts_with("heritage=") && !parse_owner_text(text).has_value())
          refuse_record(owner, "says that someone else owns " + state.host + ": " + text, give_way(state.host));
    }
  }

  // What belongs to somebody else is theirs to give up: no way leads there from here.
  std::string give_way(const std::string& host) const {
    return host == in_.live.tenant.custom_domain
               ? "give " + slug() + " another custom domain: litedesk tenant update " + slug() + " --custom-domain HOST"
               : "register the tenant under another slug, or have the owner release " + host;
  }

  // Whether the TXT beside a record says that it is this tenant's. Refuses what says that it is somebody else's.
  bool owned(const HostState& state, const std::string& type) {
    for (const auto& record : state.owner_records) {
      if (record.name != owner_record_name(state.host, type)) continue;
      for (const auto& value : record.values) {
        const auto owner = parse_owner_text(route53::unquote_txt(value));
        if (!owner) continue;
        if (owner->registry_id == in_.live.registry_id && owner->slug == slug()) return true;
        refuse_record(record,
                      "says that registry " + owner->registry_id +
                          (owner->slug.empty() ? std::string() : ", tenant " + owner->slug) + " owns " + state.host,
                      give_way(state.host));
      }
    }
    return false;
  }

  void record(const route53::RecordSet& wanted, const route53::RecordSet* live, bool adopted) {
    Change change;
    change.adopted = adopted;
    change.id = record_id(*in_.live.zone, wanted);
    change.desired = record_json(wanted);
    if (live == nullptr) {
      change.verb = Verb::create;
    } else if (!route53::equivalent(*live, wanted)) {
      change.verb = Verb::update;
      change.fields = diff_fields(record_json(*live), record_json(wanted));
    }
    changes_.push_back(std::move(change));
  }

  void host(const DesiredRecord& wanted) {
    const HostState* state = nullptr;
    for (const auto& candidate : in_.live.hosts)
      if (candidate.host == wanted.host) state = &candidate;
    static const HostState nothing;
    const auto& there = state == nullptr ? nothing : *state;

    const route53::RecordSet* same = nullptr;
    bool adopted = false;
    for (const auto& live : there.records) {
      const bool address = live.type == "CNAME" || live.type == "A" || live.type == "AAAA";
      if (!address && wanted.record.type != "CNAME") continue;
      if (!address)
        refuse_record(live, "exists, and no CNAME can stand beside it", "choose another host for " + slug());
      if (!live.set_identifier.empty())
        refuse_record(live, "has a routing policy", "delete it where it was made, or choose another host");
      const bool taken = takes_over(there, live, live.type);
      if (live.type != wanted.record.type) {
        remove_record(there, live);
        continue;
      }
      same = &live;
      adopted = taken;
    }
    record(wanted.record, same, adopted);

    const route53::RecordSet* owner = nullptr;
    for (const auto& live : there.owner_records)
      if (live.name == wanted.owner.name) owner = &live;
    record(wanted.owner, owner, owner != nullptr && takes_over(there, *owner, wanted.record.type));
  }

  // The record, and the owner record beside it when it says nothing else.
  void remove_record(const HostState& state, const route53::RecordSet& live) {
    Change change;
    change.verb = Verb::remove;
    change.id = record_id(*in_.live.zone, live);
    changes_.push_back(change);
    for (const auto& owner : state.owner_records) {
      if (owner.name != owner_record_name(state.host, live.type) || owner.values.size() != 1) continue;
      change.id = record_id(*in_.live.zone, owner);
      changes_.push_back(change);
    }
  }

  // Hosts that the tenant had before (a custom domain that was taken away): what is ours there goes.
  void superfluous_hosts() {
    for (const auto& state : in_.live.hosts) {
      if (std::any_of(in_.desired.records.begin(), in_.desired.records.end(),
                      [&state](const DesiredRecord& wanted) { return wanted.host == state.host; }))
        continue;
      for (const auto& live : state.records)
        if (ours(state, live.type)) remove_record(state, live);
    }
  }

  bool ours(const HostState& state, const std::string& type) const {
    for (const auto& record : state.owner_records) {
      if (record.name != owner_record_name(state.host, type)) continue;
      for (const auto& value : record.values)
        if (const auto owner = parse_owner_text(route53::unquote_txt(value));
            owner && owner->registry_id == in_.live.registry_id && owner->slug == slug())
          return true;
    }
    return false;
  }

  const PlanInputs& in_;
  const Provenance& provenance_;
  std::vector<Change> changes_;
};

}  // namespace

std::vector<Change> plan_records(const PlanInputs& inputs, const Provenance& provenance) {
  return RecordPlanner(inputs, provenance).make();
}

}  // namespace litedesk
