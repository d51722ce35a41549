// A parsed command line as a value: what all commands share, and one option struct a command.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace litedesk::cli {

struct GlobalOptions {
  std::string context, kubeconfig, kube_context, output = "table", color = "auto", trace, config;
  bool sandbox = false, no_headers = false, quiet = false, yes = false, help = false;
  int verbose = 0;
  std::optional<std::chrono::milliseconds> timeout;
  friend bool operator==(const GlobalOptions&, const GlobalOptions&) = default;
};

struct Help {
  std::vector<std::string> topic;  // the words of a command, a group, or "flags", "environment", "exit-codes"
  friend bool operator==(const Help&, const Help&) = default;
};
struct Version {
  friend bool operator==(const Version&, const Version&) = default;
};

struct TenantCreate {
  std::string company, email, slug, tier = "trial", owner_name, phone, industry, company_size, custom_domain;
  std::string placement = "dedicated";
  std::vector<std::string> tags;
  std::optional<std::int64_t> trial_days;
  friend bool operator==(const TenantCreate&, const TenantCreate&) = default;
};
struct TenantList {
  std::string tier, status, placement, tag, selector, sort_by = "slug";
  friend bool operator==(const TenantList&, const TenantList&) = default;
};
struct TenantGet {
  std::string slug;
  friend bool operator==(const TenantGet&, const TenantGet&) = default;
};
struct TenantUpdate {
  std::string slug;
  std::optional<std::string> company, email, owner_name, phone, tier, industry, company_size, custom_domain, placement,
      notes;
  std::vector<std::string> tags;
  bool clear_tags = false;
  friend bool operator==(const TenantUpdate&, const TenantUpdate&) = default;
};
struct TenantDelete {
  std::string slug, confirm;
  friend bool operator==(const TenantDelete&, const TenantDelete&) = default;
};

struct InstancePlan {
  std::string slug, out;
  bool exit_code = false, adopt = false;
  friend bool operator==(const InstancePlan&, const InstancePlan&) = default;
};
struct InstanceProvision {
  std::string slug, plan, confirm;
  bool dry_run = false, no_wait = false, keep_on_failure = false, fail_on_unschedulable = false;
  bool force_conflicts = false, adopt = false, require_application = false;
  friend bool operator==(const InstanceProvision&, const InstanceProvision&) = default;
};
struct InstanceWait {
  std::string slug, condition = "active";
  friend bool operator==(const InstanceWait&, const InstanceWait&) = default;
};

struct InstallRegistry {
  friend bool operator==(const InstallRegistry&, const InstallRegistry&) = default;
};
struct ShowRegistry {
  friend bool operator==(const ShowRegistry&, const ShowRegistry&) = default;
};

struct DnsSet {
  std::string name, type;
  std::optional<std::string> target;
  std::int64_t ttl = 300;
  bool alias = false, wildcard = false, adopt = false, wait = false, dry_run = false;
  friend bool operator==(const DnsSet&, const DnsSet&) = default;
};
struct DnsGet {
  std::string name;
  friend bool operator==(const DnsGet&, const DnsGet&) = default;
};
struct DnsList {
  bool all = false;
  friend bool operator==(const DnsList&, const DnsList&) = default;
};
struct DnsDelete {
  std::string name, type, confirm;
  bool adopt = false, wait = false;
  friend bool operator==(const DnsDelete&, const DnsDelete&) = default;
};

struct StatusShow {
  std::string slug;
  bool watch = false, probe = false;
  friend bool operator==(const StatusShow&, const StatusShow&) = default;
};

struct CostEstimateOf {
  std::optional<std::int64_t> instances;
  std::string tenant, model;
  bool from_registry = false, compare = false, break_even = false, advice = false, chart = false;
  // For --advice, which each of them implies. Money in dollars a month, as people write it.
  std::optional<std::int64_t> customers, subdomains;
  std::optional<std::string> revenue, budget;
  bool isolation = false, enterprise = false, compliance = false, staff = false;
  friend bool operator==(const CostEstimateOf&, const CostEstimateOf&) = default;
};

struct ContextList {
  friend bool operator==(const ContextList&, const ContextList&) = default;
};
struct ContextShow {
  std::string name;
  bool origins = false;
  friend bool operator==(const ContextShow&, const ContextShow&) = default;
};
struct ContextUse {
  std::string name;
  friend bool operator==(const ContextUse&, const ContextUse&) = default;
};
struct ContextSet {
  std::string name;
  std::vector<std::string> settings;  // "dns.zone=Z0123"
  bool use = false;
  friend bool operator==(const ContextSet&, const ContextSet&) = default;
};
struct ContextDelete {
  std::string name;
  friend bool operator==(const ContextDelete&, const ContextDelete&) = default;
};

struct TemplateList {
  friend bool operator==(const TemplateList&, const TemplateList&) = default;
};
struct TemplateShow {
  std::string file;
  friend bool operator==(const TemplateShow&, const TemplateShow&) = default;
};
struct TemplateRender {
  std::string slug, part;
  friend bool operator==(const TemplateRender&, const TemplateRender&) = default;
};
struct TemplateLint {
  std::string folder;
  friend bool operator==(const TemplateLint&, const TemplateLint&) = default;
};
struct TemplateEject {
  std::string folder;
  friend bool operator==(const TemplateEject&, const TemplateEject&) = default;
};

struct SandboxServe {
  std::string folder;
  std::vector<std::string> faults;
  std::int64_t port = 0;
  double time_scale = 1.0;
  bool detach = false;
  std::string log;
  friend bool operator==(const SandboxServe&, const SandboxServe&) = default;
};
struct SandboxReset {
  std::string folder, confirm;
  friend bool operator==(const SandboxReset&, const SandboxReset&) = default;
};
struct SandboxStop {
  std::string folder;
  friend bool operator==(const SandboxStop&, const SandboxStop&) = default;
};
struct SandboxStatus {
  std::string folder;
  friend bool operator==(const SandboxStatus&, const SandboxStatus&) = default;
};

struct CompletionScript {
  std::string shell;
  friend bool operator==(const CompletionScript&, const CompletionScript&) = default;
};

using Options =
    std::variant<Help, Version, TenantCreate, TenantList, TenantGet, TenantUpdate, TenantDelete, InstancePlan,
                 InstanceProvision, InstanceWait, InstallRegistry, ShowRegistry, DnsSet, DnsGet, DnsList, DnsDelete,
                 StatusShow, CostEstimateOf, ContextList, ContextShow, ContextUse, ContextSet, ContextDelete,
                 TemplateList, TemplateShow, TemplateRender, TemplateLint, TemplateEject, SandboxServe, SandboxReset,
                 SandboxStatus, SandboxStop, CompletionScript>;

struct Invocation {
  GlobalOptions global;
  Options options;
  friend bool operator==(const Invocation&, const Invocation&) = default;
};

}  // namespace litedesk::cli
