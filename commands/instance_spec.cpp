#include "commands/instance_spec.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "commands/quantity.hpp"
#include "providers/error.hpp"
#include "providers/kubernetes/object.hpp"
#include "providers/system/hash.hpp"
#include "providers/system/sealed.hpp"
#include "templates/filters.hpp"
#include "templates/renderer.hpp"
#include "templates/yaml_tree.hpp"

namespace litedesk {
namespace {

std::string url_encoded(std::string_view text) {
  return templates::apply_filter("url", Json(std::string(text)));
}

// https://www.mongodb.com/docs/manual/reference/connection-string/; every pod keeps at most ten connections, since the
// shared cluster's are shared by all tenants.
Secret connection_string(const Names& names, const SpecInputs& inputs) {
  return system::unseal("mongodb+srv://" + url_encoded(names.database_user) + ":" +
                        url_encoded(system::seal(inputs.database_password)) + "@" + inputs.database_host + "/" +
                        names.database + "?authSource=admin&retryWrites=true&w=majority&maxPoolSize=10");
}

// The tag of "repository:tag", or the beginning of a digest, as a label value: at most 63 characters, letters and
// digits at the ends.
std::string version_of(std::string_view image) {
  std::string version = "latest";
  const auto digest = image.find('@');
  const auto name = image.substr(0, digest);
  const auto colon = name.rfind(':');
  if (colon != std::string_view::npos && name.find('/', colon) == std::string_view::npos) {
    version = name.substr(colon + 1);
  } else if (digest != std::string_view::npos) {
    const auto hex = image.find(':', digest);
    version = image.substr(hex == std::string_view::npos ? digest + 1 : hex + 1, 12);
  }
  version.resize(std::min<std::size_t>(version.size(), 63));
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  while (!version.empty() && !is_alphanumeric(version.back())) version.pop_back();
  while (!version.empty() && !is_alphanumeric(version.front())) version.erase(0, 1);
  return version;
}

// Of a node's disk, for what a container writes and logs.
constexpr std::string_view ephemeral_request = "256Mi", ephemeral_limit = "1Gi";

Json container_context(const std::string& image, const ContainerResources& resources, int replicas) {
  return {{"image", image},
          {"version", version_of(image)},
          {"replicas", replicas},
          {"requests",
           {{"cpu", resources.cpu_request},
            {"memory", resources.memory_request},
            {"ephemeral-storage", ephemeral_request}}},
          {"limits",
           {{"cpu", resources.cpu_limit}, {"memory", resources.memory_limit}, {"ephemeral-storage", ephemeral_limit}}}};
}

struct Replicas {
  int backend = 1, frontend = 1;
  std::optional<Autoscale> autoscale;  // a number that somebody asked for takes the autoscaler's place
};

Replicas replicas_of(const SpecInputs& inputs) {
  const auto& wanted = inputs.tenant.instance;
  Replicas replicas;
  replicas.backend = wanted.backend_replicas.value_or(inputs.tier.backend_replicas);
  replicas.frontend = wanted.frontend_replicas.value_or(inputs.tier.frontend_replicas);
  if (!wanted.backend_replicas) replicas.autoscale = inputs.tier.autoscale;
  return replicas;
}

// Room for the most pods there can be, twice (new ones while old ones still end), and for what comes and goes: a
// challenge's pod for each host, and two Jobs with the LimitRange's defaults.
Json quota_context(const Tier& tier, const Replicas& replicas, std::size_t hosts) {
  const auto backend = std::int64_t{2} * std::max({replicas.backend, tier.backend_replicas,
                                                   replicas.autoscale ? replicas.autoscale->max_replicas : 0});
  const auto frontend = std::int64_t{2} * std::max(replicas.frontend, tier.frontend_replicas);
  const auto passing = static_cast<std::int64_t>(hosts) + 2;
  const auto sum = [&](const std::string& of_backend, const std::string& of_frontend, std::string_view of_passing) {
    const auto amount = [](std::string_view text) { return parse_quantity(text).value_or(Quantity{}); };
    return to_string(backend * amount(of_backend) + frontend * amount(of_frontend) + passing * amount(of_passing));
  };
  const auto pods = backend + frontend + passing;
  return {{"pods", std::to_string(pods)},
          // cert-manager's default for a challenge is a Service of type NodePort, one a host.
          {"nodePorts", std::to_string(hosts)},
          {"ephemeralStorage",
           {{"requests", to_string(pods * *parse_quantity(ephemeral_request))},
            {"limits", to_string(pods * *parse_quantity(ephemeral_limit))}}},
          {"requests",
           {{"cpu", sum(tier.backend.cpu_request, tier.frontend.cpu_request, "100m")},
            {"memory", sum(tier.backend.memory_request, tier.frontend.memory_request, "128Mi")}}},
          {"limits",
           {{"cpu", sum(tier.backend.cpu_limit, tier.frontend.cpu_limit, "500m")},
            {"memory", sum(tier.backend.memory_limit, tier.frontend.memory_limit, "512Mi")}}}};
}

// What is no part of the Internet: an instance reaches none of it, the API server, other tenants and the machine's
// metadata among them. IANA's special-purpose registries (RFC 6890); in IPv6 also what NAT64 (RFC 6052, 2.1) makes of
// the IPv4 ones.
constexpr const char* private_ipv4[] = {"0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10", "127.0.0.0/8",
                                        "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",  "192.168.0.0/16",
                                        "198.18.0.0/15",  "224.0.0.0/4",   "240.0.0.0/4"};
constexpr const char* private_ipv6[] = {"::1/128",
                                        "64:ff9b::a00:0/104",
                                        "64:ff9b::6440:0/106",
                                        "64:ff9b::7f00:0/104",
                                        "64:ff9b::a9fe:0/112",
                                        "64:ff9b::ac10:0/108",
                                        "64:ff9b::c0a8:0/112",
                                        "fc00::/7",
                                        "fe80::/10",
                                        "ff00::/8"};

Json egress_context(const KubernetesSettings& kubernetes) {
  Json ipv4(private_ipv4), ipv6(private_ipv6);
  for (const auto& range : kubernetes.egress_denied)
    (range.find(':') == std::string::npos ? ipv4 : ipv6).push_back(range);
  return {{"exceptIpv4", std::move(ipv4)}, {"exceptIpv6", std::move(ipv6)}, {"allowed", kubernetes.egress_allowed}};
}

// The most that one container may ask for: the tier's largest, and what the LimitRange gives to one that asks for
// nothing.
Json largest_container(const Tier& tier) {
  const auto most = [](std::initializer_list<std::string_view> texts) {
    std::string_view largest;
    for (const auto text : texts)
      if (largest.empty() || parse_quantity(text).value_or(Quantity{}).thousandths >
                                 parse_quantity(largest).value_or(Quantity{}).thousandths)
        largest = text;
    return std::string(largest);
  };
  return {{"cpu", most({tier.backend.cpu_limit, tier.frontend.cpu_limit, "500m"})},
          {"memory", most({tier.backend.memory_limit, tier.frontend.memory_limit, "512Mi"})}};
}

std::vector<std::string> hosts_of(const Tenant& tenant, const Names& names) {
  std::vector<std::string> hosts{names.host};
  if (!tenant.custom_domain.empty() && tenant.custom_domain != names.host) hosts.push_back(tenant.custom_domain);
  return hosts;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

Json tenant_context(const Tenant& tenant, const Tier& tier) {
  const auto& config = tenant.config;
  const auto& modules = config.modules.empty() ? tier.modules : config.modules;
  return {{"slug", tenant.slug},
          {"company", tenant.company},
          {"tier", tier.name},
          {"industry", tenant.industry},
          {"companySize", tenant.company_size},
          {"customDomain", tenant.custom_domain},
          {"tags", tenant.tags},
          {"ownerName", tenant.owner.name},
          {"ownerEmail", tenant.owner.email},
          {"timeZone", config.time_zone},
          {"currency", config.currency},
          {"language", config.language},
          {"modules", modules},
          {"moduleList", joined(modules)},
          {"logoUrl", config.logo_url},
          {"primaryColor", config.primary_color},
          {"companyName", config.company_name.empty() ? tenant.company : config.company_name}};
}

Json labels_of(const std::string& slug) {
  return {{"app.kubernetes.io/name", "litedesk"},
          {"app.kubernetes.io/instance", slug},
          {"app.kubernetes.io/part-of", "litedesk"},
          {"app.kubernetes.io/managed-by", "litedesk"},
          {"litedesk.io/tenant", slug}};
}

[[noreturn]] void refuse(const std::string& where, const std::string& what, std::string hint = {}) {
  throw ValidationError({.message = where + ": " + what, .hint = std::move(hint), .resource = {}, .cause = {}});
}

const kubernetes::ResourceType& type_of(const Json& object, const std::string& where) {
  const auto text = [&](const Json& in, const char* key) {
    if (!in.is_object() || !in.contains(key) || !in[key].is_string() || in[key].get_ref<const std::string&>().empty())
      refuse(where, "not a Kubernetes object: it has no " + std::string(key));
    return in[key].get<std::string>();
  };
  const auto api_version = text(object, "apiVersion"), kind = text(object, "kind");
  if (!object.contains("metadata")) refuse(where, "not a Kubernetes object: it has no metadata");
  static_cast<void>(text(object["metadata"], "name"));
  try {
    return kubernetes::type_of(api_version, kind);
  } catch (const ValidationError& unknown) {
    refuse(where, unknown.message(), unknown.hint());
  }
}

// Into the instance's namespace and under its labels, so that it is found again, and goes when the instance goes.
void take_in(Json& object, const kubernetes::ResourceType& type, const Names& names, const Json& labels,
             const std::string& where) {
  auto& metadata = object["metadata"];
  if (!type.namespaced) {
    if (type.kind != "Namespace" || metadata["name"] != names.name_space)
      refuse(where, type.kind + " " + metadata["name"].get<std::string>() + " is outside of the instance's namespace",
             "an instance is namespace " + names.name_space + " and what is in it");
  } else {
    if (metadata.contains("namespace") && metadata["namespace"] != names.name_space)
      refuse(where, "it names another namespace", "leave metadata.namespace out: it is set to " + names.name_space);
    metadata["namespace"] = names.name_space;
  }
  auto& own = metadata["labels"];
  if (!own.is_null() && !own.is_object()) refuse(where, "metadata.labels is not a map");
  for (const auto& [key, value] : labels.items()) own[key] = value;
}

std::string masked(std::size_t bytes) {
  return "(masked, " + std::to_string(bytes) + (bytes == 1 ? " byte)" : " bytes)");
}

}  // namespace

Json template_context(const SpecInputs& inputs, const Settings& settings) {
  const auto& tenant = inputs.tenant;
  const auto names = names_of(tenant.slug, settings.dns.domain);
  const auto hosts = hosts_of(tenant, names);
  const auto replicas = replicas_of(inputs);
  const auto image = [](const std::string& own, const std::string& usual) { return own.empty() ? usual : own; };

  auto backend = container_context(image(tenant.instance.backend_image, settings.backend_image), inputs.tier.backend,
                                   replicas.backend);
  backend["autoscale"] = nullptr;
  if (replicas.autoscale)
    backend["autoscale"] = {{"minReplicas", replicas.autoscale->min_replicas},
                            {"maxReplicas", replicas.autoscale->max_replicas},
                            {"cpuPercent", replicas.autoscale->cpu_percent}};
  const auto& kubernetes = settings.kubernetes;
  const auto connection = system::seal(connection_string(names, inputs)), jwt = system::seal(inputs.jwt_secret);
  const auto checksum = system::sha256_hex(system::unseal(jwt + "\n" + connection).reveal());

  Json context;
  context["tenant"] = tenant_context(tenant, inputs.tier);
  context["labels"] = labels_of(tenant.slug);
  context["names"] = {{"namespace", names.name_space},
                      {"database", names.database},
                      {"databaseUser", names.database_user},
                      {"host", names.host}};
  context["hosts"] = hosts;
  context["urls"] = {{"app", "https://" + names.host}, {"api", "https://" + names.host + "/api"}};
  context["tier"] = {{"name", inputs.tier.name}, {"backupDays", inputs.tier.backup_days}};
  context["backend"] = std::move(backend);
  context["frontend"] = container_context(image(tenant.instance.frontend_image, settings.frontend_image),
                                          inputs.tier.frontend, replicas.frontend);
  context["quota"] = quota_context(inputs.tier, replicas, hosts.size());
  context["limits"] = {{"largest", largest_container(inputs.tier)},
                       {"ephemeralStorage", {{"request", ephemeral_request}, {"limit", ephemeral_limit}}}};
  context["database"] = {{"host", inputs.database_host},
                         {"name", names.database},
                         {"user", names.database_user},
                         {"password", system::seal(inputs.database_password)},
                         {"connectionString", connection}};
  context["secrets"] = {{"jwt", jwt}, {"checksum", checksum}};
  context["kubernetes"] = {{"ingressClass", kubernetes.ingress_class},
                           {"ingressNamespace", kubernetes.ingress_namespace},
                           {"ingressPodLabels", kubernetes.ingress_pod_labels},
                           {"imagePullSecrets", kubernetes.image_pull_secrets},
                           {"egress", egress_context(kubernetes)},
                           {"runtimeClass", kubernetes.runtime_class},
                           {"readOnlyRoot", kubernetes.read_only_root}};
  context["certificate"] = {{"mode", kubernetes.certificates},
                            {"managed", inputs.cert_manager && kubernetes.certificates == "per-host"},
                            {"issuer", kubernetes.issuer}};
  context["dns"] = {
      {"domain", settings.dns.domain}, {"strategy", settings.dns.strategy}, {"loadBalancer", inputs.load_balancer}};
  context["registry"] = {{"id", inputs.registry_id}};
  return context;
}

std::vector<Json> render_instance(const templates::Files& files, const SpecInputs& inputs, const Settings& settings) {
  const auto context = template_context(inputs, settings);
  const auto names = names_of(inputs.tenant.slug, settings.dns.domain);
  std::vector<Json> objects;
  std::set<std::pair<kubernetes::ResourceType, std::string>> seen;
  for (const auto& name : files.list("instance/")) {
    const auto file = files.parsed(name);
    for (auto& document : templates::render_documents(*file, context)) {
      const auto where = file->origin + ":" + std::to_string(document.line);
      const auto& type = type_of(document.value, where);
      take_in(document.value, type, names, context["labels"], where);
      const auto own_name = document.value["metadata"]["name"].get<std::string>();
      if (!seen.emplace(type, own_name).second)
        refuse(where, type.kind + " " + own_name + " is defined twice",
               "two documents of instance/ produce the same object");
      objects.push_back(std::move(document.value));
    }
  }
  const bool has_namespace =
      std::any_of(objects.begin(), objects.end(), [](const Json& object) { return object["kind"] == "Namespace"; });
  if (!has_namespace)
    throw ValidationError({.message = "the templates in instance/ produce no Namespace",
                           .hint = "bring back the built-in file: litedesk template eject DIR",
                           .resource = "kubernetes Namespace " + names.name_space,
                           .cause = {}});
  return objects;
}

Json mask_secrets(const Json& object) {
  if (!object.is_object() || object.value("kind", Json()) != "Secret") return object;
  Json copy = object;
  for (const auto* part : {"data", "stringData"}) {
    if (!copy.contains(part) || !copy[part].is_object()) continue;
    for (auto& [key, value] : copy[part].items()) {
      const auto text = system::unseal(value.is_string() ? value.get<std::string>() : value.dump());
      auto decoded = part == std::string_view("data") ? system::base64_decode(text.reveal()) : std::nullopt;
      value = masked(decoded ? decoded->size() : text.reveal().size());
      if (decoded) wipe(*decoded);
    }
  }
  // kubectl apply leaves a whole copy here.
  constexpr auto last_applied = "kubectl.kubernetes.io/last-applied-configuration";
  auto& metadata = copy["metadata"];
  if (metadata.is_object() && metadata.contains("annotations") && metadata["annotations"].is_object() &&
      metadata["annotations"].contains(last_applied))
    metadata["annotations"][last_applied] = masked(metadata["annotations"][last_applied].dump().size());
  return copy;
}

}  // namespace litedesk
