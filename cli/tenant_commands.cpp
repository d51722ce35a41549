// litedesk tenant: customers in the registry. Nothing outside it is touched.
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/prompt.hpp"
#include "cli/remember.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "commands/host_claims.hpp"
#include "commands/tenant.hpp"
#include "commands/tenant_remains.hpp"
#include "providers/error.hpp"

namespace litedesk::cli {
namespace {

const std::vector<std::string> placements{"shared", "dedicated"};
const std::vector<std::string> sizes{"1-10", "11-50", "51-200", "201-500", "500+"};
const std::vector<std::string> phases{"none", "provisioning", "active", "suspended", "failed", "terminated"};
const std::vector<std::string> sort_keys{"slug", "company", "tier", "status", "created"};

std::vector<std::string> split_tags(const std::vector<std::string>& given) {
  std::vector<std::string> tags;
  for (std::string_view rest : given) {
    while (!rest.empty()) {
      const auto end = std::min(rest.find(','), rest.size());
      if (end > 0) tags.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return tags;
}

Answer details(const Tenant& tenant, const Settings& settings, system::TimePoint now) {
  const std::string_view phase = to_string(tenant.status.phase);
  const auto when = [&](const std::string& time) {
    return time.empty() ? "" : fmt::format("{} ({})", day(time), age(time, now));
  };
  const std::vector<Detail> lines{
      {"Slug", tenant.slug},
      {"Company", tenant.company},
      {"Owner",
       tenant.owner.name.empty() ? tenant.owner.email : fmt::format("{} <{}>", tenant.owner.name, tenant.owner.email)},
      {"Phone", tenant.owner.phone},
      {"Tier", tenant.tier},
      {"Placement", tenant.placement},
      {"Subscription", tenant.subscription.status},
      {"Trial until", day(tenant.subscription.trial_end)},
      {"Status", phase.empty() ? "registered, no instance" : std::string(phase)},
      {"Stage", tenant.status.stage},
      {"Health", tenant.status.health},
      {"Message", tenant.status.message},
      {"Host", names_of(tenant.slug, settings.dns.domain).host},
      {"Custom domain", tenant.custom_domain},
      {"URL", tenant.status.url},
      {"Industry", tenant.industry},
      {"Size", tenant.company_size},
      {"Tags", fmt::format("{}", fmt::join(tenant.tags, ", "))},
      {"Notes", tenant.notes},
      {"Locked by",
       tenant.status.operation ? tenant.status.operation->verb + " of " + tenant.status.operation->holder : ""},
      {"Created", when(tenant.created)},
      {"Provisioned", when(tenant.status.provisioned_at)},
      {"Activated", when(tenant.status.activated_at)},
  };
  return {.json = to_json(tenant), .names = {"tenant/" + tenant.slug}, .table = {}, .text = render(lines)};
}

Answer changed(const Tenant& tenant, std::string text) {
  return {.json = to_json(tenant), .names = {"tenant/" + tenant.slug}, .table = {}, .text = std::move(text)};
}

TenantRules rules_of(Session& session) {
  session.check_known("dns.");
  return {.domain = session.settings().dns.domain, .tiers = session.tiers()};
}

void bind_create(Flags& flags, TenantCreate& options) {
  flags.argument({.name = "NAME", .help = "the company's name"}, options.company);
  flags.flag({.names = "--email", .value = "ADDRESS", .help = "the owner's e-mail address", .required = true},
             options.email);
  flags.flag({.names = "--slug", .value = "SLUG", .help = "the name in host names (default: derived from NAME)"},
             options.slug);
  flags.flag({.names = "--tier",
              .value = "TIER",
              .help = "trial (the default) or another tier of tiers.yaml",
              .values = Values::tier},
             options.tier);
  flags.flag({.names = "--owner-name", .value = "NAME", .help = "the owner's name"}, options.owner_name);
  flags.flag({.names = "--phone", .value = "NUMBER", .help = "the owner's telephone number"}, options.phone);
  flags.flag({.names = "--industry", .value = "TEXT", .help = "what the company does"}, options.industry);
  flags.flag({.names = "--size", .value = "RANGE", .help = "employees", .values = Values::choice, .choices = sizes},
             options.company_size);
  flags.flag({.names = "--custom-domain", .value = "HOST", .help = "a second host name of the instance"},
             options.custom_domain);
  flags.flag({.names = "--tag", .value = "TAG", .help = "a tag; repeat it, or separate several with commas"},
             options.tags);
  flags.flag({.names = "--trial-days", .value = "DAYS", .help = "how long a trial lasts, 1 to 365 (15)"},
             options.trial_days);
  flags.flag({.names = "--placement",
              .value = "WHERE",
              .help = "shared (in the shared app) or dedicated (an instance; the default)",
              .values = Values::choice,
              .choices = placements},
             options.placement);
}

// A company that is registered already is often the same one, registered twice: a person is asked, a script is told.
Tenant create_or_ask(Session& session, NewTenant wanted) {
  HostClaims claims(session.world());
  const auto create_it = [&] {
    return create_tenant(session.registry(), claims, wanted, rules_of(session), session.runtime().clock);
  };
  try {
    return create_it();
  } catch (const SlugTaken& taken) {
    if (taken.free().empty()) throw;
    if (!agrees(session, fmt::format("{}. Register another tenant as {}?", taken.message(), taken.free()))) throw;
    wanted.slug = taken.free();
  }
  return create_it();
}

int create(const TenantCreate& options, Session& session) {
  session.stop_requests_when_interrupted();
  NewTenant wanted;
  wanted.company = options.company;
  wanted.email = options.email;
  wanted.slug = options.slug;
  wanted.tier = options.tier;
  wanted.owner_name = options.owner_name;
  wanted.phone = options.phone;
  wanted.industry = options.industry;
  wanted.company_size = options.company_size;
  wanted.custom_domain = options.custom_domain;
  wanted.placement = options.placement;
  wanted.tags = split_tags(options.tags);
  wanted.trial_days = options.trial_days;
  wanted.created_by = session.world().holder;
  const Tenant tenant = create_or_ask(session, std::move(wanted));
  remember_tenant(session, tenant);
  const std::string trial = day(tenant.subscription.trial_end);
  const std::string about = fmt::format("{}{}", trial.empty() ? "" : fmt::format("trial until {}, ", trial),
                                        names_of(tenant.slug, session.settings().dns.domain).host);
  session.printer().answer(changed(tenant, fmt::format("tenant {} registered  ({})\n", tenant.slug, about)));
  if (tenant.placement == "dedicated") session.printer().next("litedesk instance provision " + tenant.slug);
  return 0;
}

void bind_list(Flags& flags, TenantList& options) {
  flags.flag({.names = "--tier", .value = "TIER", .help = "only tenants of this tier", .values = Values::tier},
             options.tier);
  flags.flag({.names = "--status",
              .value = "STATUS",
              .help = "only tenants with this status",
              .values = Values::choice,
              .choices = phases},
             options.status);
  flags.flag({.names = "--placement",
              .value = "WHERE",
              .help = "only shared or dedicated tenants",
              .values = Values::choice,
              .choices = placements},
             options.placement);
  flags.flag({.names = "--tag", .value = "TAG", .help = "only tenants with this tag"}, options.tag);
  flags.flag({.names = "-l,--selector",
              .value = "SELECTOR",
              .help = "labels, as in kubectl; tier and placement need no prefix"},
             options.selector);
  flags.flag({.names = "--sort-by",
              .value = "COLUMN",
              .help = "slug, company, tier, status or created",
              .values = Values::choice,
              .choices = sort_keys},
             options.sort_by);
}

Table table_of(const std::vector<Tenant>& tenants, system::TimePoint now) {
  Table table{.columns = {{.header = "SLUG", .importance = 10},
                          {.header = "COMPANY", .importance = 6, .shrinks = true},
                          {.header = "TIER", .importance = 7},
                          {.header = "STATUS", .importance = 9},
                          {.header = "PLACEMENT", .importance = 3},
                          {.header = "OWNER", .importance = 4, .shrinks = true},
                          {.header = "AGE", .importance = 5},
                          {.header = "TRIAL UNTIL", .importance = 2, .wide_only = true},
                          {.header = "TAGS", .importance = 1, .wide_only = true},
                          {.header = "URL", .importance = 1, .wide_only = true}},
              .rows = {}};
  for (const Tenant& tenant : tenants) {
    table.rows.push_back({tenant.slug, tenant.company, tenant.tier, std::string(to_string(tenant.status.phase)),
                          tenant.placement, tenant.owner.email, age(tenant.created, now),
                          day(tenant.subscription.trial_end), fmt::format("{}", fmt::join(tenant.tags, ",")),
                          tenant.status.url});
  }
  return table;
}

// A list of all of them is the whole truth; one of some tells of these.
void remember_listed(const TenantList& options, const std::vector<Tenant>& tenants, Session& session) {
  TenantList sorted;
  sorted.sort_by = options.sort_by;
  if (options == sorted) return remember_tenants(session, tenants);
  remember(session, [&](Snapshot& snapshot) {
    for (const Tenant& tenant : tenants) put(snapshot.tenants, word_of(tenant));
  });
}

int list(const TenantList& options, Session& session) {
  session.stop_requests_when_interrupted();
  TenantFilter filter;
  filter.tier = options.tier;
  filter.phase = options.status;
  filter.placement = options.placement;
  filter.tag = options.tag;
  filter.selector = options.selector;
  filter.sort_by = options.sort_by;
  const std::vector<Tenant> tenants = list_tenants(session.registry(), filter, session.tiers());
  remember_listed(options, tenants, session);
  Answer answer;
  answer.json = items(Json::array());
  for (const Tenant& tenant : tenants) {
    answer.json["items"].push_back(to_json(tenant));
    answer.names.push_back("tenant/" + tenant.slug);
  }
  if (tenants.empty() && session.printer().for_people()) {
    session.printer().note(options == TenantList{} ? "no tenants yet" : "no tenants match");
    if (options == TenantList{}) session.printer().next("litedesk tenant create NAME --email ADDRESS");
    return 0;
  }
  answer.table = table_of(tenants, session.now());
  session.printer().answer(answer);
  return 0;
}

void bind_get(Flags& flags, TenantGet& options) {
  flags.argument({.name = "SLUG", .help = "the tenant", .values = Values::slug}, options.slug);
}

int get(const TenantGet& options, Session& session) {
  session.stop_requests_when_interrupted();
  const Tenant tenant = get_tenant(session.registry(), options.slug);
  remember_tenant(session, tenant);
  session.printer().answer(details(tenant, session.settings(), session.now()));
  return 0;
}

void bind_update(Flags& flags, TenantUpdate& options) {
  flags.argument({.name = "SLUG", .help = "the tenant", .values = Values::slug}, options.slug);
  flags.flag({.names = "--company", .value = "NAME", .help = "the company's name"}, options.company);
  flags.flag({.names = "--email", .value = "ADDRESS", .help = "the owner's e-mail address"}, options.email);
  flags.flag({.names = "--owner-name", .value = "NAME", .help = "the owner's name"}, options.owner_name);
  flags.flag({.names = "--phone", .value = "NUMBER", .help = "the owner's telephone number"}, options.phone);
  flags.flag(
      {.names = "--tier", .value = "TIER", .help = "the tier; the next provision applies it", .values = Values::tier},
      options.tier);
  flags.flag({.names = "--industry", .value = "TEXT", .help = "what the company does"}, options.industry);
  flags.flag({.names = "--size", .value = "RANGE", .help = "employees", .values = Values::choice, .choices = sizes},
             options.company_size);
  flags.flag({.names = "--custom-domain", .value = "HOST", .help = "a second host name; \"\" removes it"},
             options.custom_domain);
  flags.flag({.names = "--placement",
              .value = "WHERE",
              .help = "shared or dedicated",
              .values = Values::choice,
              .choices = placements},
             options.placement);
  flags.flag({.names = "--notes", .value = "TEXT", .help = "notes"}, options.notes);
  flags.flag({.names = "--tag", .value = "TAG", .help = "the tags; repeat it, or separate several with commas"},
             options.tags);
  flags.flag({.names = "--clear-tags", .value = "", .help = "remove all tags"}, options.clear_tags);
}

int update(const TenantUpdate& options, Session& session) {
  TenantUpdate nothing;
  nothing.slug = options.slug;
  if (options == nothing) {
    throw UsageError({.message = fmt::format("tenant update {}: nothing to change was given", printable(options.slug)),
                      .hint = "see litedesk tenant update --help",
                      .resource = {},
                      .cause = {}});
  }
  if (options.clear_tags && !options.tags.empty()) throw UsageError("--tag and --clear-tags are mutually exclusive");
  session.stop_requests_when_interrupted();
  TenantChanges changes;
  changes.company = options.company;
  changes.email = options.email;
  changes.owner_name = options.owner_name;
  changes.phone = options.phone;
  changes.tier = options.tier;
  changes.industry = options.industry;
  changes.company_size = options.company_size;
  changes.custom_domain = options.custom_domain;
  changes.placement = options.placement;
  changes.notes = options.notes;
  if (options.clear_tags || !options.tags.empty()) changes.tags = split_tags(options.tags);
  HostClaims claims(session.world());
  const Tenant tenant = update_tenant(session.registry(), claims, options.slug, changes, rules_of(session));
  remember_tenant(session, tenant);
  session.printer().answer(changed(tenant, fmt::format("tenant {} updated\n", tenant.slug)));
  if (tenant.status.phase == Phase::active) session.printer().next("litedesk instance plan " + tenant.slug);
  return 0;
}

void bind_delete(Flags& flags, TenantDelete& options) {
  flags.argument({.name = "SLUG", .help = "the tenant", .values = Values::slug}, options.slug);
  flags.flag({.names = "--confirm", .value = "SLUG", .help = "the slug again, instead of typing it at the prompt"},
             options.confirm);
}

int remove(const TenantDelete& options, Session& session) {
  session.stop_requests_when_interrupted();
  const Remains remains = [&](const Tenant& failed) { return remains_of(session.world(), failed); };
  const Tenant tenant = get_tenant(session.registry(), options.slug);
  check_deletable(tenant, remains);  // nobody is asked about what cannot be
  confirm(session, "delete tenant " + tenant.slug, tenant.slug, options.confirm);
  HostClaims claims(session.world());
  delete_tenant(session.registry(), claims, tenant.slug, remains);
  remember(session, [&](Snapshot& snapshot) { drop(snapshot.tenants, tenant.slug); });
  session.printer().answer(changed(tenant, fmt::format("tenant {} deleted\n", tenant.slug)));
  return 0;
}

constexpr std::array commands{
    Command{
        "tenant", "create", "register a tenant",
        "Registers a customer and prints its slug and host. Nothing outside the registry is touched: its instance is "
        "created by `litedesk instance provision`.",
        "litedesk tenant create \"Acme Inc\" --email owner@acme.example --tier trial\n"
        "litedesk tenant create \"Żółw S.A.\" --email biuro@zolw.example --slug zolw",
        binder<TenantCreate, bind_create>, runner<TenantCreate, create>},
    Command{"tenant", "list", "list tenants", "",
            "litedesk tenant list --status active --sort-by created\n"
            "litedesk tenant list -o jsonpath='{range .items[*]}{.slug}{\"\\n\"}{end}'",
            binder<TenantList, bind_list>, runner<TenantList, list>},
    Command{"tenant", "get", "show one tenant", "", "litedesk tenant get acme -o yaml", binder<TenantGet, bind_get>,
            runner<TenantGet, get>},
    Command{"tenant", "update", "change a tenant",
            "Changes only what is given. An existing instance follows at the next `litedesk instance provision`.",
            "litedesk tenant update acme --tier professional --phone \"+44 20 7946 0000\"",
            binder<TenantUpdate, bind_update>, runner<TenantUpdate, update>},
    Command{"tenant", "delete", "remove a tenant from the registry",
            "Refuses while an instance exists, or while parts of a failed one remain. Asks you to type the slug.",
            "litedesk tenant delete acme --confirm acme", binder<TenantDelete, bind_delete>,
            runner<TenantDelete, remove>, Needs::context, true},
};

}  // namespace

std::span<const Command> tenant_commands() {
  return commands;
}

}  // namespace litedesk::cli
