#include "commands/tenant.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "commands/nearest.hpp"
#include "commands/operation.hpp"
#include "commands/tenant_checks.hpp"
#include "providers/error.hpp"

namespace litedesk {
namespace {

// How often a change is made again on a record that somebody else has just changed.
constexpr int attempts = 3;
// How many names in a row may be taken by others between looking and creating.
constexpr int lost_races = 20;

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

// Two tenants cannot have one host.
void check_domain_is_free(store::Store& registry, const std::string& domain, std::string_view slug) {
  if (domain.empty()) return;
  for (const store::Document& document : registry.list("")) {
    const Tenant other = to_tenant(document);
    if (other.slug == slug || other.custom_domain != domain || other.status.phase == Phase::terminated) continue;
    throw Conflict(
        {.message = fmt::format("the custom domain {} is {}'s already", domain, other.slug),
         .hint = fmt::format("take it away there first: litedesk tenant update {} --custom-domain \"\"", other.slug),
         .resource = resource(other.slug),
         .cause = {}});
  }
}

Tenant checked(const NewTenant& wanted, const system::Clock& clock) {
  Tenant tenant;
  tenant.company = check_company(wanted.company);
  if (!wanted.slug.empty()) check_slug(wanted.slug);
  tenant.slug = wanted.slug.empty() ? derive_slug(tenant.company) : wanted.slug;
  tenant.owner.email = check_email(wanted.email);
  tenant.owner.name = check_line("--owner-name", wanted.owner_name, 200);
  tenant.owner.phone = check_line("--phone", wanted.phone, 40);
  tenant.tier = check_tier(wanted.tier);
  tenant.industry = check_line("--industry", wanted.industry, 100);
  tenant.company_size = check_company_size(wanted.company_size);
  tenant.custom_domain = check_custom_domain(wanted.custom_domain);
  tenant.placement = check_placement(wanted.placement);
  tenant.created_by = check_line("the creator's name", wanted.created_by, 254);
  tenant.tags = check_tags(wanted.tags);
  if (wanted.trial_days < 1 || wanted.trial_days > 365) {
    throw UsageError({.message = fmt::format("--trial-days {} is out of range", wanted.trial_days),
                      .hint = "give 1 to 365 days",
                      .resource = {},
                      .cause = {}});
  }
  tenant.subscription.status = tenant.tier == "trial" ? "trial" : "active";
  if (tenant.tier == "trial") {
    const system::TimePoint now = clock.now();
    tenant.subscription.trial_start = system::to_rfc3339(now);
    tenant.subscription.trial_end = system::to_rfc3339(now + std::chrono::hours(24) * wanted.trial_days);
  }
  return tenant;
}

[[noreturn]] void refuse_taken(store::Store& registry, const std::string& slug) {
  std::set<std::string> taken;
  std::string company;
  for (const store::Document& document : registry.list("")) {
    taken.insert(document.name);
    if (document.name == slug) company = to_tenant(document).company;
  }
  const std::string free = free_slug(slug, [&taken](const std::string& name) { return taken.count(name) > 0; });
  throw Conflict({.message = company.empty() ? fmt::format("the slug {} is taken", slug)
                                             : fmt::format("the slug {} is taken by {}", slug, company),
                  .hint = fmt::format("--slug {} is free", free),
                  .resource = resource(slug),
                  .cause = {}});
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
  return near.empty() ? "litedesk tenant list shows all" : near;
}

void apply_tier(Tenant& tenant, const std::string& tier) {
  if (tier == tenant.tier) return;
  if (tier == "trial" && tenant.subscription.trial_end.empty()) {
    throw Conflict({.message = fmt::format("{} pays for {} and never was on trial", tenant.slug, tenant.tier),
                    .hint = "starter is the smallest tier that is paid for",
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
                    .hint = fmt::format("litedesk instance terminate {} first", tenant.slug),
                    .resource = resource(tenant.slug),
                    .cause = {}});
  }
  tenant.placement = placement;
}

// All checks first, so that nothing is asked of the registry for a change that cannot be.
TenantChanges checked(const TenantChanges& given) {
  TenantChanges changes = given;
  if (changes.company) changes.company = check_company(*changes.company);
  if (changes.email) changes.email = check_email(*changes.email);
  if (changes.owner_name) changes.owner_name = check_line("--owner-name", *changes.owner_name, 200);
  if (changes.phone) changes.phone = check_line("--phone", *changes.phone, 40);
  if (changes.tier) changes.tier = check_tier(*changes.tier);
  if (changes.industry) changes.industry = check_line("--industry", *changes.industry, 100);
  if (changes.company_size) changes.company_size = check_company_size(*changes.company_size);
  if (changes.custom_domain) changes.custom_domain = check_custom_domain(*changes.custom_domain);
  if (changes.placement) changes.placement = check_placement(*changes.placement);
  if (changes.notes) changes.notes = check_notes(*changes.notes);
  if (changes.tags) changes.tags = check_tags(*changes.tags);
  return changes;
}

void apply(Tenant& tenant, const TenantChanges& changes) {
  if (changes.company) tenant.company = *changes.company;
  if (changes.email) tenant.owner.email = *changes.email;
  if (changes.owner_name) tenant.owner.name = *changes.owner_name;
  if (changes.phone) tenant.owner.phone = *changes.phone;
  if (changes.tier) apply_tier(tenant, *changes.tier);
  if (changes.industry) tenant.industry = *changes.industry;
  if (changes.company_size) tenant.company_size = *changes.company_size;
  if (changes.custom_domain) tenant.custom_domain = *changes.custom_domain;
  if (changes.placement) apply_placement(tenant, *changes.placement);
  if (changes.notes) tenant.notes = *changes.notes;
  if (changes.tags) tenant.tags = *changes.tags;
}

store::Document read(store::Store& registry, std::string_view slug) {
  if (slug.empty()) throw UsageError("no tenant was named");
  auto document = registry.get(slug);
  if (document) return std::move(*document);
  throw NotFound({.message = fmt::format("there is no tenant {}", slug),
                  .hint = hint_for(registry, slug),
                  .resource = resource(slug),
                  .cause = {}});
}

// Refuses while there is something that the record alone knows of.
void check_deletable(const Tenant& tenant) {
  if (has_instance(tenant)) {
    throw Conflict(
        {.message = fmt::format("{} is {}: its instance is there", tenant.slug, to_string(tenant.status.phase)),
         .hint = fmt::format("litedesk instance terminate {} first", tenant.slug),
         .resource = resource(tenant.slug),
         .cause = {}});
  }
  if (tenant.status.operation && !surely_gone(*tenant.status.operation)) {
    throw Locked({.message = fmt::format("tenant {} is locked by {}", tenant.slug, describe(*tenant.status.operation)),
                  .hint = "wait until that run has ended",
                  .resource = resource(tenant.slug),
                  .cause = {}});
  }
}

using Before = bool (*)(const Tenant&, const Tenant&);

struct SortKey {
  std::string_view name;
  Before before;
};
constexpr std::array<SortKey, 5> sort_keys = {
    {{"slug", [](const Tenant& a, const Tenant& b) { return a.slug < b.slug; }},
     {"company", [](const Tenant& a, const Tenant& b) { return lower(a.company) < lower(b.company); }},
     {"tier", [](const Tenant& a, const Tenant& b) { return tier_rank(a.tier) < tier_rank(b.tier); }},
     {"status", [](const Tenant& a, const Tenant& b) { return a.status.phase < b.status.phase; }},
     {"created", [](const Tenant& a, const Tenant& b) { return a.created < b.created; }}}};

Before sort_order(std::string_view name) {
  std::vector<std::string_view> known;
  for (const SortKey& key : sort_keys) {
    if (key.name == name) return key.before;
    known.push_back(key.name);
  }
  std::string hint = did_you_mean(nearest(name, known));
  if (hint.empty()) hint = fmt::format("sort by {}", fmt::join(known, ", "));
  throw UsageError({.message = fmt::format("--sort-by \"{}\" is not known", name),
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

Tenant create_tenant(store::Store& registry, const NewTenant& wanted, const system::Clock& clock) {
  Tenant tenant = checked(wanted, clock);
  check_domain_is_free(registry, tenant.custom_domain, {});
  const std::string first = tenant.slug;
  std::set<std::string> taken;
  // Creating is asking: whoever comes second is told, so that two runs at once never make one slug.
  for (int lost = 0;; ++lost) {
    tenant.slug = free_slug(first, [&taken](const std::string& name) { return taken.count(name) > 0; });
    try {
      return to_tenant(registry.create(to_document(tenant)));
    } catch (const Conflict&) {
      if (!wanted.slug.empty()) refuse_taken(registry, first);
      if (lost == lost_races) throw;
    }
    taken.insert(tenant.slug);
    for (const store::Document& document : registry.list("")) taken.insert(document.name);
  }
}

Tenant get_tenant(store::Store& registry, std::string_view slug) {
  return to_tenant(read(registry, slug));
}

std::vector<Tenant> list_tenants(store::Store& registry, const TenantFilter& filter) {
  const Before before = sort_order(filter.sort_by);
  const std::string tier = filter.tier.empty() ? std::string() : check_tier(filter.tier);
  const std::string placement = filter.placement.empty() ? std::string() : check_placement(filter.placement);
  const bool any_phase = filter.phase.empty();
  const Phase phase = any_phase || filter.phase == "none" ? Phase::none : parse_phase(filter.phase);

  std::vector<Tenant> found;
  for (const store::Document& document : registry.list(filter.selector)) {
    Tenant tenant = to_tenant(document);
    if (!tier.empty() && tenant.tier != tier) continue;
    if (!placement.empty() && tenant.placement != placement) continue;
    if (!any_phase && tenant.status.phase != phase) continue;
    if (!filter.tag.empty() && std::find(tenant.tags.begin(), tenant.tags.end(), filter.tag) == tenant.tags.end())
      continue;
    found.push_back(std::move(tenant));
  }
  // The registry sorts by slug: of two that are equal the smaller slug stays first.
  std::stable_sort(found.begin(), found.end(), before);
  return found;
}

Tenant update_tenant(store::Store& registry, std::string_view slug, const TenantChanges& given) {
  const TenantChanges changes = checked(given);
  if (changes.custom_domain) check_domain_is_free(registry, *changes.custom_domain, slug);
  for (int attempt = 1;; ++attempt) {
    const store::Document stored = read(registry, slug);
    Tenant tenant = to_tenant(stored);
    apply(tenant, changes);
    const store::Document wanted = to_document(tenant, &stored);
    if (wanted == stored) return tenant;
    try {
      return to_tenant(registry.update(wanted));
    } catch (const Conflict&) {
      if (attempt == attempts) throw;
    }
  }
}

void delete_tenant(store::Store& registry, std::string_view slug) {
  for (int attempt = 1;; ++attempt) {
    const store::Document stored = read(registry, slug);
    check_deletable(to_tenant(stored));
    try {
      if (registry.remove(slug, stored.version)) return;
    } catch (const Conflict&) {
      if (attempt == attempts) throw;
      continue;
    }
    throw NotFound({.message = fmt::format("tenant {} was deleted by somebody else meanwhile", slug),
                    .hint = {},
                    .resource = resource(slug),
                    .cause = {}});
  }
}

}  // namespace litedesk
