#include "commands/instance_spec.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "commands/component_context.hpp"
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
// shared cluster's are shared by all tenants. A server that puts another database in the place of the one that is named
// keeps what stands behind it; behind a fragment it finds no query, and authSource comes from the SRV record's TXT.
Secret connection_string(const Names& names, const SpecInputs& inputs, const DatabaseRule& rule,
                         const std::string& database) {
  const auto options = rule.kind == DatabaseRule::Kind::fragment
                           ? "#/y"
                           : "?authSource=admin&retryWrites=true&w=majority&maxPoolSize=10";
  return system::unseal("mongodb+srv://" + url_encoded(names.database_user) + ":" +
                        url_encoded(system::seal(inputs.database_password)) + "@" + inputs.database_host + "/" +
                        database + options);
}

// Room for the most pods there can be, twice (new ones while old ones still end), and for what comes and goes: a
// challenge's pod for each host, and two Jobs with the LimitRange's defaults.
Json quota_context(const std::vector<Component>& components, const std::vector<VolumeClaim>& claims,
                   std::size_t hosts) {
  const auto passing = static_cast<std::int64_t>(hosts) + 2;
  const auto amount = [](std::string_view text) { return parse_quantity(text).value_or(Quantity{}); };
  std::int64_t pods = passing;
  for (const auto& component : components) pods += 2 * std::int64_t{component.most_replicas};
  const auto sum = [&](std::string ContainerResources::*of_component, std::string_view of_passing) {
    auto total = passing * amount(of_passing);
    for (const auto& component : components)
      total = total + std::int64_t{2} * component.most_replicas * amount(component.resources.*of_component);
    return to_string(total);
  };
  Quantity storage{0, true};
  for (const auto& claim : claims) storage = storage + amount(claim.size);
  return {{"pods", std::to_string(pods)},
          // cert-manager's default for a challenge is a Service of type NodePort, one a host.
          {"nodePorts", std::to_string(hosts)},
          {"volumes", std::to_string(claims.size())},
          {"storage", claims.empty() ? "0" : to_string(storage)},
          {"ephemeralStorage",
           {{"requests", to_string(pods * amount(ephemeral_request))},
            {"limits", to_string(pods * amount(ephemeral_limit))}}},
          {"requests",
           {{"cpu", sum(&ContainerResources::cpu_request, "100m")},
            {"memory", sum(&ContainerResources::memory_request, "128Mi")}}},
          {"limits",
           {{"cpu", sum(&ContainerResources::cpu_limit, "500m")},
            {"memory", sum(&ContainerResources::memory_limit, "512Mi")}}}};
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

// The most that one container may ask for: the largest component, and what the LimitRange gives to one that asks for
// nothing.
Json largest_container(const std::vector<Component>& components) {
  const auto most = [&components](std::string ContainerResources::*limit, std::string largest) {
    for (const auto& component : components) {
      const auto& text = component.resources.*limit;
      if (parse_quantity(text).value_or(Quantity{}).thousandths >
          parse_quantity(largest).value_or(Quantity{}).thousandths)
        largest = text;
    }
    return largest;
  };
  return {{"cpu", most(&ContainerResources::cpu_limit, "500m")},
          {"memory", most(&ContainerResources::memory_limit, "512Mi")}};
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

// Where the application's own pages come from, as a browser says it in Origin (RFC 6454).
std::string origins_of(const std::vector<std::string>& hosts) {
  std::vector<std::string> origins;
  for (const auto& host : hosts) origins.push_back("https://" + host);
  return joined(origins);
}

// The tier and the modules in the application's words.
Json application_context(const AppProfile& profile, const Json& tenant, const std::string& tier) {
  Json modules = Json::array();
  for (const auto& name : tenant["modules"]) {
    const auto found = profile.modules.find(name.get<std::string>());
    modules.push_back(found == profile.modules.end() ? name : Json(found->second));
  }
  return {{"profile", profile.name},
          {"title", profile.title},
          {"tier", profile.tier_word(tier)},
          {"modules", std::move(modules)}};
}

Json routing_context(const AppProfile& profile) {
  Json routes = Json::array();
  std::set<int> ports;
  for (const auto& route : profile.routes) {
    const int port = profile.find(route.component)->port;
    routes.push_back({{"path", route.path}, {"component", route.component}, {"port", port}});
    ports.insert(port);
  }
  return {
      {"routes", std::move(routes)}, {"ports", ports}, {"blocked", profile.blocked}, {"bodySize", profile.body_size}};
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

// The keys of the Secret `app`, in base64; and a checksum over all that pods read once, when they start.
Json secrets_context(const SpecInputs& inputs, const std::string& connection) {
  Json app = Json::object();
  std::string all = connection, jwt;
  for (const auto& [key, secret] : inputs.app_secrets) {
    const auto sealed = system::seal(secret);
    app[key] = templates::apply_filter("base64", Json(sealed));
    all += "\n" + key + "\n" + sealed;
    if (key == "jwt-secret") jwt = sealed;
  }
  return {{"app", std::move(app)}, {"jwt", jwt}, {"checksum", system::sha256_hex(system::unseal(all).reveal())}};
}

Json volumes_context(const std::vector<VolumeClaim>& claims) {
  Json volumes = Json::array();
  for (const auto& claim : claims)
    volumes.push_back({{"name", claim.name},
                       {"size", claim.size},
                       {"accessMode", claim.access_mode},
                       {"storageClass", claim.storage_class}});
  return volumes;
}

std::string masked(std::size_t bytes) {
  return "(masked, " + std::to_string(bytes) + (bytes == 1 ? " byte)" : " bytes)");
}

}  // namespace

DatabaseRule database_rule(const AppProfile& profile, const Settings& settings) {
  return settings.app.database.empty() ? profile.database : parse_database_rule(settings.app.database);
}

std::string database_name(const AppProfile& profile, const Settings& settings, std::string_view slug) {
  const auto rule = database_rule(profile, settings);
  return rule.kind == DatabaseRule::Kind::fixed ? rule.name : names_of(slug, settings.dns.domain).database;
}

std::string secret_key(std::string_view variable) {
  std::string key(variable);
  for (char& c : key) c = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return key;
}

Json template_context(const SpecInputs& inputs, const Settings& settings) {
  const auto& tenant = inputs.tenant;
  const auto& profile = *inputs.profile;
  const auto names = names_of(tenant.slug, settings.dns.domain);
  const auto hosts = hosts_of(tenant, names);
  const auto components = components_of(profile, tenant, inputs.tier, settings);
  const auto claims = claims_of(components, settings, inputs.claims);
  const auto rule = database_rule(profile, settings);
  const auto database = database_name(profile, settings, tenant.slug);
  const auto& kubernetes = settings.kubernetes;
  const auto connection = system::seal(connection_string(names, inputs, rule, database));

  Json context;
  context["tenant"] = tenant_context(tenant, inputs.tier);
  context["labels"] = labels_of(tenant.slug);
  context["names"] = {{"namespace", names.name_space},
                      {"database", database},
                      {"databaseUser", names.database_user},
                      {"host", names.host}};
  context["hosts"] = hosts;
  context["origins"] = origins_of(hosts);
  context["urls"] = {{"app", "https://" + names.host}, {"api", "https://" + names.host + "/api"}};
  context["tier"] = {{"name", inputs.tier.name}, {"backupDays", inputs.tier.backup_days}};
  context["application"] = application_context(profile, context["tenant"], inputs.tier.name);
  context["routing"] = routing_context(profile);
  context["quota"] = quota_context(components, claims, hosts.size());
  context["limits"] = {{"largest", largest_container(components)},
                       {"ephemeralStorage", {{"request", ephemeral_request}, {"limit", ephemeral_limit}}}};
  context["database"] = {{"host", inputs.database_host},
                         {"name", database},
                         {"user", names.database_user},
                         {"password", system::seal(inputs.database_password)},
                         {"connectionString", connection}};
  context["secrets"] = secrets_context(inputs, connection);
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
  context["volumes"] = volumes_context(claims);
  add_components(context, components, inputs, settings);
  return context;
}

std::vector<Json> render_instance(const templates::Files& files, const SpecInputs& inputs, const Settings& settings) {
  const auto context = template_context(inputs, settings);
  const auto names = names_of(inputs.tenant.slug, settings.dns.domain);
  std::vector<Json> objects;
  std::map<std::pair<kubernetes::ResourceType, std::string>, std::string> seen;
  for (const auto& name : files.list("instance/")) {
    const auto file = files.parsed(name);
    for (auto& document : templates::render_documents(*file, context)) {
      const auto where = file->origin + ":" + std::to_string(document.line);
      const auto& type = type_of(document.value, where);
      take_in(document.value, type, names, context["labels"], where);
      const auto own_name = document.value["metadata"]["name"].get<std::string>();
      const auto [first, added] = seen.emplace(std::pair(type, own_name), where);
      if (!added)
        refuse(where, type.kind + " " + own_name + " is defined twice",
               "it is also in " + first->second + ": an empty file of the same name leaves a built-in one out");
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
