#include "commands/tenant.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "commands/host_claims.hpp"
#include "commands/nearest.hpp"
#include "commands/operation.hpp"
#include "commands/tenant_checks.hpp"
#include "commands/tiers.hpp"
#include "providers/error.hpp"
#include "providers/store/label_selector.hpp"

namespace litedesk {
namespace {

// How often a change is made again on a record that somebody else has just changed.
constexpr int attempts = 3;

std::string resource(std::string_view slug) {
  return fmt::format("tenant {}", slug);
}

bool has_instance(const Tenant& tenant) {
  return tenant.status.phase != Phase::none && tenant.status.phase != Phase::terminated;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::string host_of(std::string_view slug, const TenantRules& rules) {
  return names_of(slug, rules.domain).host;
}

[[noreturn]] void refuse_domain(const std::string& domain, const HostOwner& other) {
  throw Conflict({.message = other.custom
                                 ? fmt::format("{} is the custom domain of tenant {}", domain, other.slug)
                                 : fmt::format("the custom domain {} is the host of tenant {}", domain, other.slug),
                  .hint = "choose a name that no tenant uses",
                  .resource = resource(other.slug),
                  .cause = {}});
}

// Two tenants cannot have one host.
void reserve_domain(HostReservation& reservation, const std::string& domain, const std::string& own_host) {
  if (domain.empty() || domain == own_host) return;
  if (const auto other = reservation.add({domain, true})) refuse_domain(domain, *other);
}

// What a process that stood still for too long has written is taken back.
void check_reservation(HostReservation& reservation, std::string_view slug, const std::function<void()>& take_back) {
  if (reservation.holds()) return;
  take_back();
  throw Conflict(
      {.message = fmt::format("the hosts of {} were claimed by another process while this one was stopped", slug),
       .hint = "run the command again",
       .resource = resource(slug),
       .cause = {}});
}

std::int64_t checked_trial_days(const std::optional<std::int64_t>& wanted, std::string_view tier) {
  const std::int64_t days = wanted.value_or(15);
  if (days < 1 || days > 365) {
    throw UsageError({.message = fmt::format("--trial-days {}: a trial lasts 1 to 365 days", days),
                      .hint = days == 0 ? "for no trial, choose a paid --tier" : "the default is 15 days",
                      .resource = {},
                      .cause = {}});
  }
  if (wanted && tier != "trial") {
    throw UsageError({.message = fmt::format("--trial-days {} goes with tier trial, and the tier is {}", days, tier),
                      .hint = "leave one of them out",
                      .resource = {},
                      .cause = {}});
  }
  return days;
}

Tenant checked(const NewTenant& wanted, const TenantRules& rules, const system::Clock& clock) {
  Tenant tenant;
  tenant.company = check_company(wanted.company);
  if (!wanted.slug.empty()) check_slug(wanted.slug);
  tenant.slug = wanted.slug.empty() ? derive_slug(tenant.company) : wanted.slug;
  tenant.owner.email = check_email(wanted.email);
  tenant.owner.name = check_line("--owner-name", wanted.owner_name, 200);
  tenant.owner.phone = check_line("--phone", wanted.phone, 40);
  tenant.tier = rules.tiers.get(wanted.tier).name;
  tenant.industry = check_line("--industry", wanted.industry, 100);
  tenant.company_size = check_company_size(wanted.company_size);
  tenant.custom_domain = check_custom_domain(wanted.custom_domain);
  tenant.placement = check_placement(wanted.placement);
  tenant.created_by = check_line("the creator's name", wanted.created_by, 254);
  tenant.tags = check_tags(wanted.tags);
  const std::int64_t trial_days = checked_trial_days(wanted.trial_days, tenant.tier);
  tenant.subscription.status = tenant.tier == "trial" ? "trial" : "active";
  if (tenant.tier == "trial") {
    const system::TimePoint now = clock.now();
    tenant.subscription.trial_start = system::to_rfc3339(now);
    tenant.subscription.trial_end = system::to_rfc3339(now + std::chrono::hours(24) * trial_days);
  }
  return tenant;
}

// Whose the slug is, as far as its host or a record of that name tells.
std::string taken_by(const std::string& slug, const std::optional<HostOwner>& owner, const TenantRules& rules) {
  if (!owner) return {};
  if (owner->custom) return fmt::format(": {} is the custom domain of tenant {}", host_of(slug, rules), owner->slug);
  return fmt::format(" by tenant {} ({})", owner->slug, owner->company);
}

[[noreturn]] void refuse_taken(store::Store& registry, HostClaims& hosts, const NewTenant& wanted,
                               const std::string& slug, std::optional<HostOwner> owner, const TenantRules& rules) {
  if (!owner) {
    if (const auto stored = registry.get(slug)) {
      const Tenant there = to_tenant(*stored);
      owner = HostOwner{there.slug, there.company, false};
    }
  }
  const auto free = free_slug(slug, [&](const std::string& name) {
    return hosts.owner(host_of(name, rules)).has_value() || registry.get(name).has_value();
  });
  ErrorDetails details{.message = fmt::format("the slug {} is taken{}", slug, taken_by(slug, owner, rules)),
                       .hint = free ? fmt::format("register another tenant with --slug {}", *free)
                                    : std::string("choose another one with --slug"),
                       .resource = resource(slug),
                       .cause = {}};
  // A name that was given is the caller's to change; from a company's name another can be derived.
  throw SlugTaken(std::move(details), wanted.slug.empty() && free ? *free : std::string());
}

// The hint of a slug that nobody has: the nearest one, or the one of the company that was meant.
std::string hint_for(store::Store& registry, std::string_view slug) {
  std::vector<std::string> slugs;
  std::string by_company;
  for (const store::Document& document : registry.list("")) {
    slugs.push_back(document.name);
    const auto company = document.desired.find("displayName");
    if (company != document.desired.end() && company->is_string() &&
        lower(company->get<std::string>()) == lower(slug)) {
      by_company = document.name;
    }
  }
  if (!by_company.empty()) return fmt::format("the slug of that company is {}", by_company);
  if (slugs.empty()) return "no tenant is registered yet: litedesk tenant create NAME --email E";
  const std::string near = did_you_mean(nearest(slug, slugs));
  return near.empty() ? "list them with: litedesk tenant list" : near;
}

std::string smallest_paid(const Tiers& tiers) {
  for (const Tier& tier : tiers.all())
    if (tier.price_cents > 0) return fmt::format("{} is the smallest paid tier", tier.name);
  return {};
}

void apply_tier(Tenant& tenant, const std::string& tier, const Tiers& tiers) {
  if (tier == tenant.tier) return;
  if (tier == "trial" && tenant.subscription.trial_end.empty()) {
    throw Conflict({.message = fmt::format("{} pays for {} and was never on trial", tenant.slug, tenant.tier),
                    .hint = smallest_paid(tiers),
                    .resource = resource(tenant.slug),
                    .cause = {}});
  }
  tenant.tier = tier;
  if (tier == "trial") {
    tenant.subscription.status = "trial";
  } else if (tenant.subscription.status == "trial" || tenant.subscription.status.empty()) {
    tenant.subscription.status = "active";  // when the trial was is kept
  }
}

void apply_placement(Tenant& tenant, const std::string& placement) {
  if (placement == tenant.placement) return;
  if (has_instance(tenant)) {
    throw Conflict({.message = fmt::format("{} has an instance ({}): its placement stays {}", tenant.slug,
                                           to_string(tenant.status.phase), tenant.placement),
                    .hint = fmt::format("litedesk status {} shows it", tenant.slug),
                    .resource = resource(tenant.slug),
                    .cause = {}});
  }
  tenant.placement = placement;
}

// All checks first, so that nothing is asked of the registry for a change that cannot be.
TenantChanges checked(const TenantChanges& given, std::string_view slug, const TenantRules& rules) {
  TenantChanges changes = given;
  if (changes.company) changes.company = check_company(*changes.company);
  if (changes.email) changes.email = check_email(*changes.email);
  if (changes.owner_name) changes.owner_name = check_line("--owner-name", *changes.owner_name, 200);
  if (changes.phone) changes.phone = check_line("--phone", *changes.phone, 40);
  if (changes.tier) changes.tier = rules.tiers.get(*changes.tier).name;
  if (changes.industry) changes.industry = check_line("--industry", *changes.industry, 100);
  if (changes.company_size) changes.company_size = check_company_size(*changes.company_size);
  if (changes.custom_domain) {
    changes.custom_domain = check_custom_domain(*changes.custom_domain);
    check_below_base(*changes.custom_domain, rules.domain, slug);
  }
  if (changes.placement) changes.placement = check_placement(*changes.placement);
  if (changes.notes) changes.notes = check_notes(*changes.notes);
  if (changes.tags) changes.tags = check_tags(*changes.tags);
  return changes;
}

void apply(Tenant& tenant, const TenantChanges& changes, const Tiers& tiers) {
  if (changes.company) tenant.company = *changes.company;
  if (changes.email) tenant.owner.email = *changes.email;
  if (changes.owner_name) tenant.owner.name = *changes.owner_name;
  if (changes.phone) tenant.owner.phone = *changes.phone;
  if (changes.tier) apply_tier(tenant, *changes.tier, tiers);
  if (changes.industry) tenant.industry = *changes.industry;
  if (changes.company_size) tenant.company_size = *changes.company_size;
  if (changes.custom_domain) tenant.custom_domain = *changes.custom_domain;
  if (changes.placement) apply_placement(tenant, *changes.placement);
  if (changes.notes) tenant.notes = *changes.notes;
  if (changes.tags) tenant.tags = *changes.tags;
}

store::Document read(store::Store& registry, std::string_view slug) {
  if (slug.empty()) throw UsageError("no tenant was given");
  auto document = registry.get(slug);
  if (document) return std::move(*document);
  throw NotFound({.message = fmt::format("tenant {} not found", slug),
                  .hint = hint_for(registry, slug),
                  .resource = resource(slug),
                  .cause = {}});
}

[[noreturn]] void refuse_deletion(const Tenant& tenant, const std::vector<std::string>& left) {
  const bool begun = tenant.status.phase == Phase::provisioning || tenant.status.phase == Phase::failed;
  throw Conflict({.message = left.empty() ? fmt::format("{} is {}: its instance exists", tenant.slug,
                                                        to_string(tenant.status.phase))
                                          : fmt::format("{} is {}, and parts of its instance remain: {}", tenant.slug,
                                                        to_string(tenant.status.phase), fmt::join(left, ", ")),
                  .hint = begun ? fmt::format("litedesk instance provision {} finishes it, or undoes it", tenant.slug)
                                : "a tenant can be deleted only once its instance is gone, and litedesk does not "
                                  "support removing instances yet",
                  .resource = resource(tenant.slug),
                  .cause = {}});
}

// The labels of a tenant's record that people select by, without the prefix that they have there.
std::string with_prefixes(std::string_view selector) {
  std::vector<store::Requirement> requirements = store::parse_selector(selector);
  for (store::Requirement& requirement : requirements) {
    if (requirement.key == "tier" || requirement.key == "placement") requirement.key.insert(0, "litedesk.io/");
  }
  return store::to_string(requirements);
}

using Before = bool (*)(const Tenant&, const Tenant&, const Tiers&);

struct SortKey {
  std::string_view name;
  Before before;
};
constexpr std::array<SortKey, 5> sort_keys = {
    {{"slug", [](const Tenant& a, const Tenant& b, const Tiers&) { return a.slug < b.slug; }},
     {"company", [](const Tenant& a, const Tenant& b, const Tiers&) { return lower(a.company) < lower(b.company); }},
     {"tier",
      [](const Tenant& a, const Tenant& b, const Tiers& tiers) { return tiers.rank(a.tier) < tiers.rank(b.tier); }},
     {"status", [](const Tenant& a, const Tenant& b, const Tiers&) { return a.status.phase < b.status.phase; }},
     {"created", [](const Tenant& a, const Tenant& b, const Tiers&) { return a.created < b.created; }}}};

Before sort_order(std::string_view name) {
  std::vector<std::string_view> known;
  for (const SortKey& key : sort_keys) {
    if (key.name == name) return key.before;
    known.push_back(key.name);
  }
  std::string hint = did_you_mean(nearest(name, known));
  if (hint.empty()) hint = fmt::format("sort by {}", fmt::join(known, ", "));
  throw UsageError({.message = fmt::format("--sort-by \"{}\" is invalid", name),
                    .hint = std::move(hint),
                    .resource = {},
                    .cause = {}});
}

}  // namespace

Names names_of(std::string_view slug, std::string_view domain) {
  std::string word(slug);
  std::replace(word.begin(), word.end(), '-', '_');
  return {.name_space = fmt::format("instance-{}", slug),
          .database = fmt::format("litedesk_{}", word),
          .database_user = fmt::format("user_{}", word),
          .host = fmt::format("{}.{}", slug, domain)};
}

void check_record(const Tenant& tenant, const TenantRules& rules) {
  const auto same = [](std::string_view what, const auto& checked, const auto& stored) {
    if (checked != stored) throw UsageError(fmt::format("{} is not as litedesk writes it", what));
  };
  try {
    check_slug(tenant.slug);
    same("the company's name", check_company(tenant.company), tenant.company);
    if (!tenant.owner.email.empty()) same("--email", check_email(tenant.owner.email), tenant.owner.email);
    same("--owner-name", check_line("--owner-name", tenant.owner.name, 200), tenant.owner.name);
    same("--phone", check_line("--phone", tenant.owner.phone, 40), tenant.owner.phone);
    same("--industry", check_line("--industry", tenant.industry, 100), tenant.industry);
    same("--notes", check_notes(tenant.notes), tenant.notes);
    same("--custom-domain", check_custom_domain(tenant.custom_domain), tenant.custom_domain);
    check_below_base(tenant.custom_domain, rules.domain, tenant.slug);
    static_cast<void>(check_company_size(tenant.company_size));
    static_cast<void>(check_placement(tenant.placement));
    same("--tag", check_tags(tenant.tags), tenant.tags);
    static_cast<void>(rules.tiers.get(tenant.tier));
  } catch (const Error& error) {
    throw ValidationError(
        {.message =
             fmt::format("the record of tenant {} holds what litedesk refuses: {}", tenant.slug, error.message()),
         .hint = "it was changed by hand or by another program; set it right with: litedesk tenant update " +
                 tenant.slug + ", or register the tenant under another slug",
         .resource = "tenant " + tenant.slug,
         .cause = error.hint()});
  }
}

Tenant create_tenant(store::Store& registry, HostClaims& hosts, const NewTenant& wanted, const TenantRules& rules,
                     const system::Clock& clock) {
  Tenant tenant = checked(wanted, rules, clock);
  check_below_base(tenant.custom_domain, rules.domain, tenant.slug);
  const std::string host = host_of(tenant.slug, rules);
  HostReservation reservation(hosts, tenant.slug);
  if (auto other = reservation.add({host, false}))
    refuse_taken(registry, hosts, wanted, tenant.slug, std::move(other), rules);
  reserve_domain(reservation, tenant.custom_domain, host);
  try {
    // Creating is asking: whoever comes second is told, so that two runs at once never make one slug.
    tenant = to_tenant(registry.create(to_document(tenant)));
  } catch (const Conflict&) {
    refuse_taken(registry, hosts, wanted, tenant.slug, std::nullopt, rules);
  }
  check_reservation(reservation, tenant.slug, [&] { registry.remove(tenant.slug, tenant.version); });
  reservation.keep();
  return tenant;
}

Tenant get_tenant(store::Store& registry, std::string_view slug) {
  return to_tenant(read(registry, slug));
}

std::vector<Tenant> list_tenants(store::Store& registry, const TenantFilter& filter, const Tiers& tiers) {
  const Before before = sort_order(filter.sort_by);
  const std::string placement = filter.placement.empty() ? std::string() : check_placement(filter.placement);
  const bool any_phase = filter.phase.empty();
  const Phase phase = any_phase || filter.phase == "none" ? Phase::none : parse_phase(filter.phase);

  std::vector<Tenant> all;
  for (const store::Document& document : registry.list(with_prefixes(filter.selector)))
    all.push_back(to_tenant(document));
  // A tier that was taken out of the file may still be some tenant's.
  std::string tier = filter.tier;
  const auto has_it = [&tier](const Tenant& tenant) { return tenant.tier == tier; };
  if (!tier.empty() && std::none_of(all.begin(), all.end(), has_it)) tier = tiers.get(tier).name;

  std::vector<Tenant> found;
  for (Tenant& tenant : all) {
    if (!tier.empty() && tenant.tier != tier) continue;
    if (!placement.empty() && tenant.placement != placement) continue;
    if (!any_phase && tenant.status.phase != phase) continue;
    if (!filter.tag.empty() && std::find(tenant.tags.begin(), tenant.tags.end(), filter.tag) == tenant.tags.end())
      continue;
    found.push_back(std::move(tenant));
  }
  // The registry sorts by slug: of two that are equal the smaller slug stays first.
  std::stable_sort(found.begin(), found.end(), [&](const Tenant& a, const Tenant& b) { return before(a, b, tiers); });
  return found;
}

Tenant update_tenant(store::Store& registry, HostClaims& hosts, std::string_view slug, const TenantChanges& given,
                     const TenantRules& rules) {
  const TenantChanges changes = checked(given, slug, rules);
  HostReservation reservation(hosts, std::string(slug));
  for (int attempt = 1;; ++attempt) {
    const store::Document stored = read(registry, slug);
    const Tenant before = to_tenant(stored);
    Tenant tenant = before;
    apply(tenant, changes, rules.tiers);
    const store::Document wanted = to_document(tenant, &stored);
    if (wanted == stored) return tenant;
    const bool moves = tenant.custom_domain != before.custom_domain;
    if (moves && attempt == 1) reserve_domain(reservation, tenant.custom_domain, host_of(slug, rules));
    store::Document written;
    try {
      written = registry.update(wanted);
    } catch (const Conflict&) {
      if (attempt == attempts) throw;
      continue;
    }
    tenant = to_tenant(written);
    check_reservation(reservation, slug, [&] {
      tenant.custom_domain = before.custom_domain;
      registry.update(to_document(tenant, &written));
    });
    reservation.keep();
    if (moves) hosts.release(slug, hosts_of(tenant, rules.domain));
    return tenant;
  }
}

void check_deletable(const Tenant& tenant, const Remains& remains) {
  if (has_instance(tenant)) {
    const bool undone = tenant.status.phase == Phase::failed && tenant.status.activated_at.empty();
    if (!undone) refuse_deletion(tenant, {});
    const std::vector<std::string> left = remains(tenant);
    if (!left.empty()) refuse_deletion(tenant, left);
  }
  if (tenant.status.operation && !surely_gone(*tenant.status.operation)) {
    throw Locked({.message = fmt::format("tenant {} is locked by {}", tenant.slug, describe(*tenant.status.operation)),
                  .hint = "wait for that run to finish",
                  .resource = resource(tenant.slug),
                  .cause = {}});
  }
}

void delete_tenant(store::Store& registry, HostClaims& hosts, std::string_view slug, const Remains& remains) {
  for (int attempt = 1;; ++attempt) {
    const store::Document stored = read(registry, slug);
    check_deletable(to_tenant(stored), remains);
    try {
      if (registry.remove(slug, stored.version)) {
        hosts.release(slug, {});
        return;
      }
    } catch (const Conflict&) {
      if (attempt == attempts) throw;
      continue;
    }
    throw NotFound({.message = fmt::format("tenant {} was deleted by someone else in the meantime", slug),
                    .hint = {},
                    .resource = resource(slug),
                    .cause = {}});
  }
}

}  // namespace litedesk
