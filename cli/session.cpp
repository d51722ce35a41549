#include "cli/session.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pwd.h>
#include <unistd.h>

#include "cli/lazy_providers.hpp"
#include "cli/trace.hpp"
#include "commands/host_claims.hpp"
#include "commands/lifecycle.hpp"
#include "commands/registry.hpp"
#include "providers/aws/credentials.hpp"
#include "providers/error.hpp"
#include "providers/http/gate.hpp"
#include "providers/kubernetes/kubeconfig.hpp"
#include "providers/sandbox/sandbox.hpp"
#include "providers/store/kubernetes_store.hpp"
#include "providers/store/sqlite_store.hpp"
#include "providers/system/files.hpp"
#include "providers/system/process.hpp"
#include "providers/system/trust.hpp"

namespace litedesk::cli {
namespace {

// The HTTP client comes with a thread of its own, and libcurl sets up OpenSSL: not before the first request.
class LazyTransport : public http::Transport {
 public:
  explicit LazyTransport(std::function<std::unique_ptr<http::Transport>()> open) : transport_(std::move(open)) {}
  http::Response send(http::Request request, std::stop_token stop) override {
    return transport_->send(std::move(request), std::move(stop));
  }
  std::vector<http::Result> send_all(std::vector<http::Request> requests, std::stop_token stop) override {
    return transport_->send_all(std::move(requests), std::move(stop));
  }
  http::Response stream(http::Request request, const http::ChunkHandler& on_chunk, std::chrono::milliseconds idle,
                        std::stop_token stop) override {
    return transport_->stream(std::move(request), on_chunk, idle, std::move(stop));
  }

 private:
  Lazy<http::Transport> transport_;
};

std::string holder(const Environment& environment) {
  std::string user = variable(environment, "USER");
  if (user.empty()) {
    const passwd* entry = ::getpwuid(::geteuid());
    user = entry ? entry->pw_name : fmt::format("uid {}", ::geteuid());
  }
  return user + "@" + system::this_process().host;
}

std::vector<sandbox::Fault> sandbox_faults(const Environment& environment) {
  std::vector<sandbox::Fault> faults;
  std::string_view rest;
  const std::string text = variable(environment, "LITEDESK_SANDBOX_FAULT");
  for (rest = text; !rest.empty();) {
    const auto end = std::min(rest.find(','), rest.size());
    faults.push_back(sandbox::parse_fault(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return faults;
}

double sandbox_time_scale(const Environment& environment) {
  const std::string text = variable(environment, "LITEDESK_SANDBOX_TIME_SCALE");
  if (text.empty()) return 1.0;
  char* end = nullptr;
  const double scale = std::strtod(text.c_str(), &end);
  if (*end == '\0' && scale >= 0 && scale <= 1000) return scale;
  throw UsageError({.message = fmt::format("LITEDESK_SANDBOX_TIME_SCALE: \"{}\" is not a number from 0 to 1000", text),
                    .hint = "0 is instantaneous, 1 is real time",
                    .resource = {},
                    .cause = {}});
}

}  // namespace

// Everything that talks to the outside in one context. Each part is opened by its first use.
struct Session::Providers {
  explicit Providers(Session& session)
      : session_(session),
        settings_(session.settings()),
        sandbox_([this] { return open_sandbox(); }),
        transport_([this] { return open_transport(); }),
        cluster_config_([this] { return std::make_unique<kubernetes::ClusterConfig>(read_cluster_config()); }),
        gate(transport_, session.runtime_.clock),
        cluster([this] { return open_cluster(); }, pin()),
        atlas([this] { return open_atlas(); }),
        dns([this] { return open_route53(); }),
        registry([this] { return open_registry(); }, describe_registry()),
        claims([this] { return open_claims(); }, describe_registry()) {}

  route53::HostedZoneId zone() {
    const std::lock_guard guard(zone_mutex_);
    if (zone_.value.empty()) zone_ = find_zone();
    return zone_;
  }

  World make_world() {
    // The sandbox knows its own names, and the plan shows them.
    if (settings_.database.provider == Backing::sandbox) {
      const sandbox::Endpoints& endpoints = sandbox_->endpoints();
      Settings& settings = session_.resolved_->settings;
      settings.database.cluster = endpoints.atlas_cluster;
      settings.database.projects = {endpoints.atlas_project};
    }
    if (settings_.kubernetes.provider == Backing::sandbox && settings_.kubernetes.load_balancer_connect.empty())
      session_.resolved_->settings.kubernetes.load_balancer_connect = sandbox_->endpoints().ingress_url;
    return World{.settings = settings_,
                 .registry = registry,
                 .claims = claims,
                 .registry_in_cluster = settings_.registry == "cluster",
                 .objects = cluster,
                 .applier = cluster,
                 .watcher = cluster,
                 .logs = cluster,
                 .users = atlas,
                 .clusters = atlas,
                 .records = dns,
                 .record_writer = dns,
                 .zone = [this] { return zone(); },
                 .gate = gate,
                 .templates = session_.templates(),
                 .tiers = session_.tiers(),
                 .profile = [this]() -> const AppProfile& { return session_.profile(); },
                 .prices = session_.prices(),
                 .clock = session_.runtime_.clock,
                 .random = session_.runtime_.random,
                 .interrupted = session_.interrupted(),
                 .holder = holder(settings_.environment),
                 .warn = [this](const std::string& text) { session_.printer_.warn(text); },
                 .cluster_name = [this] { return cluster_config_->context; }};
  }

 private:
  static constexpr std::chrono::milliseconds usual_wait{60'000};
  static constexpr std::string_view sqlite_scheme = "sqlite:";

  std::chrono::milliseconds request_timeout() const {
    constexpr std::chrono::milliseconds usual{30'000};
    return std::min(usual, session_.timeout(usual));
  }

  std::unique_ptr<sandbox::Sandbox> open_sandbox() {
    sandbox::Options options;
    options.folder = settings_.state_folder / "sandbox";
    options.domain = settings_.dns.domain;
    options.clock = &session_.runtime_.clock;
    options.faults = sandbox_faults(settings_.environment);
    options.time_scale = sandbox_time_scale(settings_.environment);
    return std::make_unique<sandbox::Sandbox>(std::move(options));
  }

  std::unique_ptr<http::Transport> open_transport() {
    http::ClientOptions options;
    options.user_agent = "litedesk/" LITEDESK_VERSION;
    options.trace =
        make_trace(session_.global_.trace, session_.global_.verbose, session_.printer_, session_.interrupted());
    options.trace_bodies = !session_.global_.trace.empty() || session_.global_.verbose >= 3;
    options.clock = &session_.runtime_.clock;
    options.random = &session_.runtime_.random;
    options.proxies = http::ProxySettings(session_.runtime_.environment);
    options.authorities = http::Authorities(session_.runtime_.environment);
    return session_.runtime_.make_transport(std::move(options));
  }

  kubernetes::ClusterConfig read_cluster_config() {
    if (settings_.kubernetes.provider == Backing::sandbox) {
      kubernetes::ClusterConfig config;
      config.server = sandbox_->endpoints().kubernetes_url;
      config.token = Secret(sandbox_->endpoints().kubernetes_token);
      config.name_space = "default";
      config.context = "sandbox";
      config.origin = "the sandbox";
      return config;
    }
    const Resolved& resolved = session_.resolved();
    if (!resolved.kubeconfig_refusal.empty()) {
      throw UsageError({.message = resolved.kubeconfig_refusal,
                        .hint = fmt::format("litedesk context set {} kubernetes.context=NAME, or --kubeconfig FILE",
                                            settings_.context),
                        .resource = "context " + settings_.context,
                        .cause = {}});
    }
    kubernetes::KubeconfigQuery query;
    query.kubeconfig_flag = session_.global_.kubeconfig.empty() ? "" : settings_.kubernetes.kubeconfig;
    query.kubeconfig_setting = settings_.kubernetes.kubeconfig;
    query.context = settings_.kubernetes.context;
    query.environment = settings_.environment;
    query.patience = session_.patience();
    return kubernetes::load_cluster_config(query);
  }

  std::unique_ptr<kubernetes::Client> open_cluster() {
    kubernetes::ClientOptions options;
    options.on_warning = [this](const std::string& text) { session_.printer_.warn("kubernetes: " + text); };
    options.exec_cache_folder = (settings_.state_folder / "credentials").string();
    // A plugin signs in to a cluster: what signs in elsewhere, or to customers' data, is none of its business.
    options.exec_withheld = credential_variables();
    options.exec_withheld.emplace_back("LITEDESK_");
    options.interactive = session_.runtime_.terminal.in && session_.runtime_.terminal.err;
    options.clock = &session_.runtime_.clock;
    options.request_timeout = request_timeout();
    options.interrupted = session_.interrupted();
    kubernetes::ClusterConfig config = *cluster_config_;
    session_.printer_.detail(
        1, fmt::format("kubernetes: {} (context {}, from {})", config.server, config.context, config.origin));
    return std::make_unique<kubernetes::Client>(gate, std::move(config), std::move(options));
  }

  std::unique_ptr<atlas::Client> open_atlas() {
    atlas::ClientOptions options;
    atlas::Credentials credentials;
    options.clock = &session_.runtime_.clock;
    options.request_timeout = request_timeout();
    options.warn = [this](const std::string& text) { session_.printer_.warn("atlas: " + text); };
    if (settings_.database.provider == Backing::sandbox) {
      const sandbox::Endpoints& endpoints = sandbox_->endpoints();
      options.url = endpoints.atlas_url;
      options.project = endpoints.atlas_project;
      credentials = {endpoints.atlas_public_key, Secret(endpoints.atlas_private_key)};
    } else {
      check_atlas_settings();
      options.url = settings_.database.url;
      options.project = settings_.database.projects.front();
      options.token_cache_folder = (settings_.state_folder / "credentials").string();
      credentials = {settings_.database.key_id, settings_.database.key_secret};
    }
    session_.printer_.detail(1, fmt::format("atlas: {} project {}", options.url, options.project));
    return std::make_unique<atlas::Client>(gate, std::move(credentials), std::move(options));
  }

  void check_atlas_settings() const {
    if (settings_.database.key_id.empty() || settings_.database.key_secret.empty()) {
      throw AuthError({.message = fmt::format("no API key for Atlas: {} is not set", settings_.database.key_id.empty()
                                                                                         ? "MONGODB_ATLAS_API_KEY"
                                                                                         : "MONGODB_ATLAS_API_SECRET"),
                       .hint = "set MONGODB_ATLAS_API_KEY and MONGODB_ATLAS_API_SECRET, in the environment or in .env",
                       .resource = "context " + settings_.context,
                       .cause = {}});
    }
    if (settings_.database.projects.empty()) {
      throw UsageError({.message = fmt::format("context {} names no Atlas project", settings_.context),
                        .hint = fmt::format("litedesk context set {} database.projects=ID (24 hexadecimal digits), or "
                                            "MONGODB_ATLAS_PROJECT_ID without an explicit context",
                                            settings_.context),
                        .resource = "context " + settings_.context,
                        .cause = {}});
    }
  }

  std::unique_ptr<route53::Client> open_route53() {
    route53::ClientOptions options;
    options.clock = &session_.runtime_.clock;
    options.request_timeout = request_timeout();
    aws::Credentials credentials;
    if (settings_.dns.provider == Backing::sandbox) {
      const sandbox::Endpoints& endpoints = sandbox_->endpoints();
      options.endpoint = endpoints.route53_url;
      options.region = endpoints.aws_region;
      credentials = {endpoints.aws_access_key_id, Secret(endpoints.aws_secret_access_key), Secret(), "the sandbox"};
    } else {
      const aws::Config config = aws::load_config(settings_.environment);
      credentials = aws::load_credentials(settings_.environment);
      options.endpoint = settings_.dns.url.empty() ? config.route53_endpoint : settings_.dns.url;
      options.region = config.route53_region;
      if (!config.ca_bundle.empty()) options.tls = trusting(config.ca_bundle);
    }
    session_.printer_.detail(1, fmt::format("route53: {} (credentials from {})", options.endpoint, credentials.origin));
    return std::make_unique<route53::Client>(
        gate, [credentials] { return credentials; }, std::move(options));
  }

  static std::shared_ptr<const http::Tls> trusting(const std::string& bundle) {
    const auto pem = system::read_file(bundle, "AWS_CA_BUNDLE");
    if (!pem) {
      throw NotFound({.message = fmt::format("AWS_CA_BUNDLE names {}, which does not exist", bundle),
                      .hint = "correct it, or unset it to use the system's authorities",
                      .resource = {},
                      .cause = {}});
    }
    auto tls = std::make_shared<http::Tls>();
    tls->ca_pem = *pem;
    return tls;
  }

  // A context that names its cluster works on no other.
  LazyCluster::Check pin() const {
    if (settings_.kubernetes.cluster_id.empty()) return {};
    return [this](const std::string& cluster_id) { check_cluster(settings_, cluster_id); };
  }

  route53::HostedZoneId find_zone() {
    if (settings_.dns.provider == Backing::sandbox) return {sandbox_->endpoints().zone_id};
    if (!settings_.dns.zone.empty()) return {settings_.dns.zone};
    const std::vector<route53::HostedZone> zones = dns.client().zones_named(settings_.dns.domain);
    const std::string hint =
        fmt::format("litedesk context set {} dns.zone=ID, or LITEDESK_DNS_ZONE", settings_.context);
    if (zones.empty()) {
      throw NotFound({.message = fmt::format("Route 53 has no public hosted zone {}", settings_.dns.domain),
                      .hint = hint,
                      .resource = "route53 zone " + settings_.dns.domain,
                      .cause = {}});
    }
    if (zones.size() > 1) {
      std::vector<std::string> ids;
      for (const route53::HostedZone& zone : zones) ids.push_back(zone.id.value);
      throw Conflict({.message = fmt::format("Route 53 has {} hosted zones {}: {}", zones.size(), settings_.dns.domain,
                                             fmt::join(ids, ", ")),
                      .hint = "choose one: " + hint,
                      .resource = "route53 zone " + settings_.dns.domain,
                      .cause = {}});
    }
    return zones.front().id;
  }

  [[nodiscard]] std::string describe_registry() const {
    return settings_.registry == "cluster" ? "cluster (tenants.litedesk.io)" : settings_.registry;
  }

  [[nodiscard]] bool registry_in_file() const { return settings_.registry.starts_with(sqlite_scheme); }

  std::unique_ptr<store::Store> open_file(std::string kind, store::Validator validate) const {
    store::SqliteOptions options;
    options.path = settings_.registry.substr(sqlite_scheme.size());
    options.kind = std::move(kind);
    options.validate = std::move(validate);
    options.clock = &session_.runtime_.clock;
    options.random = &session_.runtime_.random;
    options.stop = session_.interrupted();
    return store::open_sqlite_store(std::move(options));
  }

  // The sandbox's cluster comes without the kinds, or with those of an older litedesk.
  void install_in_sandbox() {
    if (settings_.kubernetes.provider != Backing::sandbox) return;
    const std::lock_guard guard(install_mutex_);
    if (installed_) return;
    installed_ = is_current(cluster, session_.templates());
    if (installed_) return;
    const RegistryTarget target{cluster, cluster, cluster, session_.templates(), session_.runtime_.clock};
    (void)install_registry(target, session_.timeout(usual_wait), session_.interrupted());
    const auto tenants = store::make_kubernetes_store(cluster, cluster, tenant_type());
    const auto hosts = store::make_kubernetes_store(cluster, cluster, host_claim_type());
    claim_old_hosts(*tenants, *hosts);
    installed_ = true;
  }

  // What was registered before there were claims.
  void claim_old_hosts(store::Store& tenants, store::Store& hosts) {
    HostClaims all(
        hosts, tenants,
        {session_.runtime_.clock, session_.runtime_.random, session_.interrupted(), holder(settings_.environment), {}});
    std::vector<Tenant> registered;
    for (const store::Document& document : tenants.list("")) registered.push_back(to_tenant(document));
    for (const std::string& contested : claim_all_hosts(all, registered, settings_.dns.domain))
      session_.printer_.warn(contested);
  }

  std::unique_ptr<store::Store> open_registry() {
    if (registry_in_file()) return open_file("Tenant", validate_tenant_document);
    install_in_sandbox();
    return store::make_kubernetes_store(cluster, cluster, tenant_type());
  }

  std::unique_ptr<store::Store> open_claims() {
    if (registry_in_file()) {
      auto hosts = open_file("HostClaim", {});
      if (hosts->list("").empty()) claim_old_hosts(*open_file("Tenant", validate_tenant_document), *hosts);
      return hosts;
    }
    install_in_sandbox();
    return store::make_kubernetes_store(cluster, cluster, host_claim_type());
  }

  Session& session_;
  const Settings& settings_;
  Lazy<sandbox::Sandbox> sandbox_;
  std::mutex install_mutex_;
  bool installed_ = false;  // the registry's kinds, in the sandbox
  LazyTransport transport_;
  Lazy<kubernetes::ClusterConfig> cluster_config_;
  std::mutex zone_mutex_;
  route53::HostedZoneId zone_;

 public:
  http::Gate gate;
  LazyCluster cluster;
  LazyAtlas atlas;
  LazyRoute53 dns;
  LazyStore registry, claims;
  std::optional<World> world;
  std::optional<std::stop_callback<std::function<void()>>> on_interrupt;
};

std::vector<std::string> credential_variables() {
  return {"MONGODB_", "MONGO_", "JWT_SECRET", "SENDGRID_"};
}

Session::Session(Runtime& runtime, const GlobalOptions& global, const Command& command)
    : runtime_(runtime), global_(global), command_(command), printer_(runtime, global) {
  runtime_.interruption->set_teller([this](std::string_view text) { printer_.interrupted(text); });
}
Session::~Session() {
  runtime_.interruption->set_teller({});
  runtime_.interruption->set_in_flight({});
}

std::chrono::milliseconds Session::timeout(std::chrono::milliseconds otherwise) const {
  return global_.timeout.value_or(otherwise);
}

system::Patience Session::patience() const {
  system::Patience patience{.stop = interrupted()};
  patience.longest = timeout(patience.longest);
  return patience;
}

const Resolved& Session::resolved() {
  if (command_.needs == Needs::nothing) throw std::logic_error("a command that needs no context asked for one");
  if (!resolved_) {
    resolved_ = resolve_settings(global_, runtime_.environment, runtime_.folder, runtime_.terminal.err, patience());
    if (resolved_->sandbox_by_default) {
      printer_.note("no settings found: working in the embedded sandbox, on this machine only");
    }
    tell(*resolved_);
  }
  return *resolved_;
}

const Settings& Session::settings_or_defaults() {
  if (resolved_) return resolved_->settings;
  if (!or_defaults_) {
    or_defaults_ =
        resolve_settings(global_, runtime_.environment, runtime_.folder, false, patience(), SettingsAre::optional);
    tell(*or_defaults_);
  }
  return or_defaults_->settings;
}

void Session::tell(const Resolved& resolved) {
  // Tokens, the registry and the sandbox are kept there.
  system::require_trusted(resolved.paths.state, "state folder");
  for (const std::string& warning : resolved.warnings) printer_.warn(warning);
  printer_.detail(1, "context: " + resolved.settings.context);
}

Paths Session::paths() const {
  return find_paths(runtime_.environment, global_.config, runtime_.folder);
}

const templates::Files& Session::templates() {
  if (!templates_) {
    const Settings& from = command_.needs == Needs::context ? settings() : settings_or_defaults();
    if (!from.templates_folder.empty()) system::require_trusted_tree(from.templates_folder, "template");
    templates_ = std::make_unique<templates::Files>(from.templates_folder);
  }
  return *templates_;
}

const Tiers& Session::tiers() {
  if (!tiers_) tiers_ = std::make_unique<Tiers>(templates());
  return *tiers_;
}

const AppProfile& Session::profile() {
  const std::lock_guard guard(profile_mutex_);  // whichever thread of a command asks first
  if (!profile_) profile_ = std::make_unique<AppProfile>(load_profile(templates(), settings().app.profile));
  return *profile_;
}

const Prices& Session::prices() {
  if (!prices_) prices_ = std::make_unique<Prices>(templates());
  return *prices_;
}

void Session::check_known(std::string_view prefix) {
  const auto& keys = resolved().dotenv_may_have;
  const auto missing =
      std::find_if(keys.begin(), keys.end(), [prefix](const std::string& key) { return key.starts_with(prefix); });
  if (missing == keys.end()) return;
  throw UsageError(
      {.message = fmt::format("{}, and nothing else sets {}", resolved().dotenv_unread, *missing),
       .hint = fmt::format("make it a regular file that you may read, or: litedesk context set {} {}=VALUE",
                           settings().context, *missing),
       .resource = "context " + settings().context,
       .cause = {}});
}

Session::Providers& Session::providers() {
  if (!providers_) {
    (void)resolved();
    providers_ = std::make_unique<Providers>(*this);
    runtime_.interruption->set_in_flight([gate = &providers_->gate] { return gate->in_flight(); });
  }
  return *providers_;
}

store::Store& Session::registry() {
  return providers().registry;
}

World& Session::world() {
  check_known("dns.");
  Providers& all = providers();
  if (!all.world) all.world.emplace(all.make_world());
  return *all.world;
}

void Session::stop_requests_when_interrupted() {
  Providers& all = providers();
  if (!all.on_interrupt) all.on_interrupt.emplace(interrupted(), [&all] { all.gate.stop(); });
}

}  // namespace litedesk::cli
