// A tenant: LiteDesk's customer, as the registry keeps it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/slug.hpp"
#include "providers/error.hpp"
#include "providers/json.hpp"
#include "providers/store/store.hpp"
#include "providers/system/clock.hpp"

namespace litedesk {

class HostClaims;
class Tiers;

enum class Phase { none, provisioning, active, suspended, failed, terminated };
[[nodiscard]] std::string_view to_string(Phase phase);   // "" for none
[[nodiscard]] Phase parse_phase(std::string_view text);  // ValidationError

struct Owner {
  std::string name, email, phone;
  friend bool operator==(const Owner&, const Owner&) = default;
};

struct Subscription {
  std::string status;                  // trial active past_due canceled suspended
  std::string trial_start, trial_end;  // RFC 3339; may be empty
  std::string period_start, period_end;
  std::int64_t mrr_cents = 0;
  std::string currency = "USD";
  std::string stripe_customer, stripe_subscription;
  friend bool operator==(const Subscription&, const Subscription&) = default;
};

struct ComponentOverrides {
  std::string image;  // "repository:tag"
  std::optional<int> replicas;
  friend bool operator==(const ComponentOverrides&, const ComponentOverrides&) = default;
};

// What people want of the instance beyond the tier's defaults; empty means the default.
struct InstanceOverrides {
  std::map<std::string, ComponentOverrides, std::less<>> components;
  std::string database_strategy;
  friend bool operator==(const InstanceOverrides&, const InstanceOverrides&) = default;
};

struct InstanceConfig {
  std::string time_zone = "UTC", currency = "USD", language = "en";
  std::vector<std::string> modules;  // empty: the tier's
  std::string logo_url, primary_color = "#3b82f6", company_name;
  friend bool operator==(const InstanceConfig&, const InstanceConfig&) = default;
};

// status.operation: the lock and the intent of whoever works on the tenant now.
struct OperationRecord {
  std::string id, verb;
  std::string holder;  // "user@host (pid 123)": for people
  std::string host, boot_id, start_time;
  long pid = 0;
  std::string since, renewed;  // RFC 3339 with microseconds
  std::vector<std::string>
      intent;  // every resource that the plan may touch: "kubernetes Deployment instance-acme/backend"
  friend bool operator==(const OperationRecord&, const OperationRecord&) = default;
};

struct ApplicationRecord {
  std::string state;  // ok | failed | unknown; empty: it was never asked
  std::string message, time;
  friend bool operator==(const ApplicationRecord&, const ApplicationRecord&) = default;
};

struct TenantStatus {
  Phase phase = Phase::none;
  std::string stage;    // initiated database secrets ... complete
  std::string health;   // healthy degraded unhealthy unknown; may be empty
  std::string message;  // why it failed; never a secret
  std::string database_strategy, database_host, database_name, database_user, database_secret, database_project;
  std::string dns_record, dns_target, dns_type;
  std::string url, api_url;
  std::string provisioned_at, activated_at, suspended_at, terminated_at;
  std::map<std::string, std::string> images;  // of each component, as last applied
  ApplicationRecord application;              // what it answered last
  std::string namespace_uid;       // of the namespace that was created or taken over for it: no other one is its own
  std::string namespace_origin;    // created | adopted: what was taken over is never deleted by an undo; may be empty
  std::string change_id;           // of the last Route 53 change, to wait for
  std::vector<std::string> hosts;  // that have a DNS record
  std::vector<std::string> inventory;  // "apps/v1 Deployment backend": what was applied in the namespace
  std::optional<OperationRecord> operation;
  friend bool operator==(const TenantStatus&, const TenantStatus&) = default;
};

struct Tenant {
  std::string slug;
  std::string company;  // display name, any UTF-8
  std::string tier = "trial";
  std::string industry, company_size, custom_domain, notes, demo_request_id, created_by;
  std::vector<std::string> tags;
  Owner owner;
  std::string placement = "dedicated";  // shared | dedicated
  Subscription subscription;
  InstanceOverrides instance;
  InstanceConfig config;
  Json metrics;  // kept when imported; null when there are none
  TenantStatus status;

  std::string version, id, created;  // the registry's
};

// The names that follow from a slug (DOMAIN: "Names and rules").
struct Names {
  std::string name_space;     // instance-<slug>
  std::string database;       // litedesk_<slug with _>
  std::string database_user;  // user_<slug with _>
  std::string host;           // <slug>.<domain>
};
[[nodiscard]] Names names_of(std::string_view slug, std::string_view domain);

// A document holds every field of a tenant, and what it holds beside them (a newer version's fields) is kept on update.
[[nodiscard]] Tenant to_tenant(const store::Document& document);
[[nodiscard]] store::Document to_document(const Tenant& tenant, const store::Document* base = nullptr);
// The stable JSON of `tenant get -o json` (docs/json/tenant.schema.json).
[[nodiscard]] Json to_json(const Tenant& tenant);

// What a tenant's fields are checked against, beyond their form.
struct TenantRules {
  std::string domain;  // the base domain: names below it are tenants' hosts and LiteDesk's own
  const Tiers& tiers;
};

// A record may have been written by kubectl, an import or another program: every check of create_tenant on what stands
// in it, but for what a record may leave out (an e-mail address). Throws ValidationError that names the first field
// that create_tenant would have refused, and how to set it right.
void check_record(const Tenant& tenant, const TenantRules& rules);

struct NewTenant {
  std::string company, email, slug, tier = "trial", owner_name, phone, industry, company_size, custom_domain;
  std::string placement = "dedicated", created_by;
  std::vector<std::string> tags;
  std::optional<std::int64_t> trial_days;  // 1 to 365, of a trial only; 15 without it
};
// The slug is another tenant's, or its host is another's custom domain.
class SlugTaken : public Conflict {
 public:
  SlugTaken(ErrorDetails details, std::string free) : Conflict(std::move(details)), free_(std::move(free)) {}
  // One that was free just now (-2, -3 ...), where the slug was made from the company's name; else empty.
  [[nodiscard]] const std::string& free() const { return free_; }

 private:
  std::string free_;
};

// Checks every field (ValidationError or UsageError names the flag), claims the hosts, and stores it. Throws SlugTaken,
// and Conflict for a custom domain that is another tenant's host. Touches nothing but the registry, and asks it the
// same few things however many tenants there are.
[[nodiscard]] Tenant create_tenant(store::Store& registry, HostClaims& hosts, const NewTenant& wanted,
                                   const TenantRules& rules, const system::Clock& clock);
// Throws NotFound, with the nearest slug as the hint.
[[nodiscard]] Tenant get_tenant(store::Store& registry, std::string_view slug);

struct TenantFilter {
  std::string tier, phase, placement, tag;
  std::string selector;  // of labels; the keys tier and placement are short for litedesk.io/tier and .../placement
  std::string sort_by = "slug";  // slug company tier status created
};
// `tiers` gives the order of tiers. A tier that no tenant has and that is in no file is a UsageError.
[[nodiscard]] std::vector<Tenant> list_tenants(store::Store& registry, const TenantFilter& filter, const Tiers& tiers);

// Only what is set changes.
struct TenantChanges {
  std::optional<std::string> company, email, owner_name, phone, tier, industry, company_size, custom_domain, placement,
      notes;
  std::optional<std::vector<std::string>> tags;
};
// Throws Conflict for a custom domain that is another tenant's host.
[[nodiscard]] Tenant update_tenant(store::Store& registry, HostClaims& hosts, std::string_view slug,
                                   const TenantChanges& changes, const TenantRules& rules);

// What is left of a tenant's instance, one line each: "namespace instance-acme".
using Remains = std::function<std::vector<std::string>(const Tenant&)>;
// Refuses (Conflict) while an instance exists: any phase but none and terminated. One that failed and never was active
// may have been undone entirely: then `remains` is asked, and nothing left means that it can go. Locked while somebody
// works on it.
void check_deletable(const Tenant& tenant, const Remains& remains);
// Checks and removes it as it was checked, and gives its hosts back.
void delete_tenant(store::Store& registry, HostClaims& hosts, std::string_view slug, const Remains& remains);

}  // namespace litedesk
