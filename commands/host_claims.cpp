#include "commands/host_claims.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands/operation.hpp"
#include "commands/parallel.hpp"
#include "providers/error.hpp"

namespace litedesk {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds look_again{250};
// Below the patience of the others: whoever has worked for longer asks whether the claims still are its own.
constexpr milliseconds surely_held{8'000};
constexpr std::size_t claims_at_once = 16;
constexpr const char* tenant_label = "litedesk.io/tenant";

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_custom(const store::Document& claim) {
  const auto found = claim.desired.find("custom");
  return found != claim.desired.end() && found->is_boolean() && found->get<bool>();
}

// Who made the claim, in the terms of a lock's holder.
OperationRecord maker_of(const store::Document& claim) {
  OperationRecord maker;
  maker.id = text_at(claim.observed, "id");
  maker.host = text_at(claim.observed, "host");
  maker.boot_id = text_at(claim.observed, "bootId");
  maker.start_time = text_at(claim.observed, "startTime");
  const auto pid = claim.observed.find("pid");
  if (pid != claim.observed.end() && pid->is_number_integer()) maker.pid = pid->get<long>();
  return maker;
}

bool has_host(const Tenant& tenant, const store::Document& claim) {
  if (!is_custom(claim)) return true;
  return tenant.custom_domain == claim.name && tenant.status.phase != Phase::terminated;
}

// The one that is active, else the older one.
bool goes_first(const Tenant& a, const Tenant& b) {
  const auto rank = [](const Tenant& tenant) {
    return std::tuple(tenant.status.phase != Phase::active, tenant.created, tenant.slug);
  };
  return rank(a) < rank(b);
}

struct Wanted {
  Host host;
  std::string slug;
};

std::vector<Wanted> winners(std::vector<Tenant> tenants, std::string_view domain, std::vector<std::string>& contested) {
  std::sort(tenants.begin(), tenants.end(), goes_first);
  std::map<std::string, std::string> taken;
  std::vector<Wanted> wanted;
  for (const bool custom : {false, true}) {  // a slug's host cannot be given up, a custom domain can
    for (const Tenant& tenant : tenants) {
      for (const Host& host : hosts_of(tenant, domain)) {
        if (host.custom != custom) continue;
        const auto [entry, is_new] = taken.try_emplace(host.name, tenant.slug);
        if (is_new)
          wanted.push_back({host, tenant.slug});
        else if (entry->second != tenant.slug)
          contested.push_back(
              fmt::format("{} is the host of tenant {} and of tenant {}: {} keeps it, and {} needs another custom "
                          "domain",
                          host.name, entry->second, tenant.slug, entry->second, tenant.slug));
      }
    }
  }
  return wanted;
}

}  // namespace

const kubernetes::ResourceType& host_claim_type() {
  return kubernetes::type_of("litedesk.io/v1alpha1", "HostClaim");
}

std::vector<Host> hosts_of(const Tenant& tenant, std::string_view domain) {
  std::vector<Host> hosts{{names_of(tenant.slug, domain).host, false}};
  const std::string& custom = tenant.custom_domain;
  if (!custom.empty() && custom != hosts.front().name && tenant.status.phase != Phase::terminated)
    hosts.push_back({custom, true});
  return hosts;
}

HostClaims::HostClaims(store::Store& claims, store::Store& tenants, Surroundings surroundings)
    : claims_(claims), tenants_(tenants), surroundings_(std::move(surroundings)) {}

HostClaims::HostClaims(const World& world)
    : HostClaims(world.claims, world.registry,
                 {world.clock, world.random, world.interrupted, world.holder, world.warn}) {}

std::string HostClaims::slug_of(const store::Document& claim) {
  return text_at(claim.desired, "tenant");
}

std::set<std::string> HostClaims::names() {
  std::set<std::string> names;
  for (const store::Document& claim : claims_.list("")) names.insert(claim.name);
  return names;
}

std::optional<HostOwner> HostClaims::owner(std::string_view host) {
  const auto claim = claims_.get(host);
  return claim ? owner(*claim) : std::nullopt;
}

std::optional<HostOwner> HostClaims::owner(const store::Document& claim) {
  const auto stored = tenants_.get(slug_of(claim));
  if (!stored) return std::nullopt;
  const Tenant tenant = to_tenant(*stored);
  if (!has_host(tenant, claim)) return std::nullopt;
  return HostOwner{tenant.slug, tenant.company, is_custom(claim)};
}

store::Document HostClaims::document(const Host& host, const std::string& slug) const {
  const OperationRecord maker =
      operation_of_this_process("claim", surroundings_.holder, surroundings_.clock, surroundings_.random);
  store::Document document;
  document.name = host.name;
  document.desired = {{"tenant", slug}, {"custom", host.custom}};
  document.observed = {{"id", maker.id},          {"holder", maker.holder}, {"host", maker.host},
                       {"bootId", maker.boot_id}, {"pid", maker.pid},       {"startTime", maker.start_time},
                       {"claimed", maker.renewed}};
  document.labels = {
      {"app.kubernetes.io/part-of", "litedesk"}, {"app.kubernetes.io/managed-by", "litedesk"}, {tenant_label, slug}};
  return document;
}

// Whoever claims first registers the tenant next: seldom does a claim stand alone for longer than a request takes.
bool HostClaims::is_abandoned(const store::Document& claim) {
  if (surely_gone(maker_of(claim))) return true;
  const auto begin = surroundings_.clock.steady();
  bool said = false;
  while (surroundings_.clock.steady() - begin < claim_patience) {
    if (!surroundings_.clock.wait(look_again, surroundings_.interrupted))
      throw Cancelled("interrupted while waiting for whoever claimed the host " + claim.name);
    const auto now = claims_.get(claim.name);
    if (!now || now->version != claim.version || owner(*now)) return false;
    if (!said && surroundings_.clock.steady() - begin > 4 * look_again && surroundings_.note) {
      surroundings_.note(
          fmt::format("{} was claimed by {} for tenant {}, which is not registered: waiting up to {} s "
                      "to see whether it will be",
                      claim.name, text_at(claim.observed, "holder"), slug_of(claim), claim_patience.count() / 1000));
      said = true;
    }
  }
  return true;
}

// Nothing when the claim has moved meanwhile: look again.
std::optional<HostClaims::Answer> HostClaims::take_existing(const store::Document& claim, const Host& host,
                                                            const std::string& slug) {
  const bool same = slug_of(claim) == slug;
  if (!same) {
    if (auto other = owner(claim)) return Answer{std::nullopt, false, std::move(*other)};
    if (!is_abandoned(claim)) return std::nullopt;
  }
  // Written anew also when it is the slug's already: a run that fails must not give back what this one relies on.
  store::Document mine = document(host, slug);
  mine.version = claim.version;
  mine.id = claim.id;
  mine.base = claim.base;
  try {
    return Answer{claims_.update(mine), !same, {}};
  } catch (const Conflict&) {
    return std::nullopt;
  } catch (const NotFound&) {
    return std::nullopt;
  }
}

HostClaims::Answer HostClaims::take(const Host& host, const std::string& slug) {
  while (true) {
    try {
      return {claims_.create(document(host, slug)), true, {}};
    } catch (const Conflict&) {
      const auto claim = claims_.get(host.name);
      if (!claim) continue;  // given back just now
      if (auto answer = take_existing(*claim, host, slug)) return std::move(*answer);
    }
    if (surroundings_.interrupted.stop_requested()) throw Cancelled("interrupted while claiming the host " + host.name);
  }
}

void HostClaims::release(std::string_view slug, const std::vector<Host>& kept) {
  for (const store::Document& claim : claims_.list(fmt::format("{}={}", tenant_label, slug))) {
    const bool is_kept =
        std::any_of(kept.begin(), kept.end(), [&](const Host& host) { return host.name == claim.name; });
    if (is_kept) continue;
    try {
      static_cast<void>(claims_.remove(claim.name, claim.version));
    } catch (const Conflict&) {
      // Somebody has taken it over already.
    }
  }
}

HostReservation::HostReservation(HostClaims& claims, std::string slug) : claims_(claims), slug_(std::move(slug)) {}

HostReservation::~HostReservation() {
  for (const store::Document& claim : made_) {
    try {
      static_cast<void>(claims_.claims_.remove(claim.name, claim.version));
    } catch (const std::exception&) {
      // Taken over meanwhile, or it stays behind: whoever wants the host finds it abandoned.
    }
  }
}

std::optional<HostOwner> HostReservation::add(const Host& host) {
  const auto begin = claims_.surroundings_.clock.steady();
  HostClaims::Answer answer = claims_.take(host, slug_);
  if (!answer.claim) return std::move(answer.owner);
  if (!since_) since_ = begin;
  if (answer.made) made_.push_back(*answer.claim);
  all_.push_back(std::move(*answer.claim));
  return std::nullopt;
}

bool HostReservation::holds() {
  if (!since_ || claims_.surroundings_.clock.steady() - *since_ < surely_held) return true;
  return std::all_of(all_.begin(), all_.end(), [this](const store::Document& mine) {
    const auto now = claims_.claims_.get(mine.name);
    return now && HostClaims::slug_of(*now) == slug_;
  });
}

std::vector<std::string> claim_all_hosts(HostClaims& claims, const std::vector<Tenant>& tenants,
                                         std::string_view domain) {
  std::vector<std::string> contested;
  std::vector<Wanted> wanted = winners(tenants, domain, contested);
  const std::set<std::string> there = claims.names();
  std::erase_if(wanted, [&](const Wanted& each) { return there.contains(each.host.name); });
  for (std::size_t first = 0; first < wanted.size(); first += claims_at_once) {
    std::vector<std::function<void()>> tasks;
    for (std::size_t at = first; at < std::min(first + claims_at_once, wanted.size()); ++at) {
      tasks.emplace_back([&claims, &each = wanted[at]] {
        HostReservation reservation(claims, each.slug);
        if (!reservation.add(each.host)) reservation.keep();
      });
    }
    run_all(tasks);
  }
  return contested;
}

}  // namespace litedesk
