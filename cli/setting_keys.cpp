// Every setting once: its key, its variables, and how its text becomes a value.
#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/settings.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"
#include "commands/app_profile.hpp"
#include "commands/domain_name.hpp"
#include "providers/error.hpp"
#include "providers/http/url.hpp"
#include "providers/utf8.hpp"

namespace litedesk::cli {
namespace {

std::vector<std::string> split_commas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string joined(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ","));
}

constexpr std::string_view backend_image = "litedesk/crm-backend:latest";
constexpr std::string_view frontend_image = "litedesk/crm-frontend:latest";

// What is set for a component, or the name that the images have in every generation.
std::string image_of(const Settings& settings, std::string_view component, std::string_view otherwise) {
  const auto found = settings.images.find(component);
  return found == settings.images.end() ? std::string(otherwise) : found->second;
}

Backing to_backing(const std::string& text) {
  return text == "sandbox" ? Backing::sandbox : Backing::real;
}
std::string from_backing(Backing backing) {
  return backing == Backing::sandbox ? "sandbox" : "real";
}

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
  throw UsageError({.message = std::move(message), .hint = std::move(hint), .resource = {}, .cause = {}});
}

bool to_bool(const std::string& text) {
  std::string word = text;
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  if (word == "true" || word == "enabled" || word == "1" || word == "yes" || word == "on") return true;
  if (word == "false" || word == "disabled" || word == "0" || word == "no" || word == "off") return false;
  refuse(fmt::format("\"{}\" is neither true nor false", printable(text)));
}

std::string to_http_url(const std::string& text) {
  const auto url = http::split_url(text);
  if (url.scheme != "https" && !(url.scheme == "http" && url.loopback())) {
    refuse(fmt::format("\"{}\" is not an https:// URL", printable(text)),
           "credentials are sent there: plain http is accepted for loopback only");
  }
  std::string address = text;
  while (address.ends_with('/')) address.pop_back();
  return address;
}

std::string to_domain(const std::string& text) {
  std::string name = normal_domain(text);
  const std::string fault = fault_of_domain(name);
  if (!fault.empty())
    refuse(fmt::format("\"{}\" is not a domain name: {}", printable(text), fault), "give one like litedesk.com");
  return name;
}

std::string to_host(const std::string& text) {
  if (is_ip_address(text)) return text;
  std::string name = normal_domain(text);
  const std::string fault = fault_of_domain(name);
  if (!fault.empty())
    refuse(fmt::format("\"{}\" is neither an address nor a full host name: {}", printable(text), fault),
           "give one like a1b2.elb.amazonaws.com or 192.0.2.1");
  return name;
}

// Where to connect to: without TLS only on this machine, for rehearsals.
std::string to_connect(const std::string& text) {
  const auto url = http::split_url(text);
  if (url.scheme == "http" && url.loopback() && (url.path.empty() || url.path == "/")) return to_http_url(text);
  const auto colon = text.rfind(':');
  int port = 0;
  const char* const end = text.data() + text.size();
  const bool formed = colon != std::string::npos && colon > 0 && text.find('/') == std::string::npos &&
                      std::from_chars(text.data() + colon + 1, end, port).ptr == end && port > 0 && port < 65536;
  if (!formed)
    refuse(fmt::format("\"{}\" is not HOST:PORT", printable(text)), "give one like 10.8.0.5:443 or lb.internal:8443");
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  static_cast<void>(to_host(host));
  return text;
}

// CIDR notation (RFC 4632, 3.1; RFC 4291, 2.3), with no bit set behind the prefix: the API server refuses those.
std::string to_range(const std::string& text) {
  const auto slash = text.find('/');
  const auto fail = [&text](std::string_view why) {
    refuse(fmt::format("\"{}\" is not a range: {}", printable(text), why), "give one like 10.8.0.0/21 or fd00:8::/32");
  };
  if (slash == std::string::npos) fail("it has no /LENGTH");
  const std::string address = text.substr(0, slash);
  const bool ipv6 = address.find(':') != std::string::npos;
  unsigned char bytes[16] = {};
  if (::inet_pton(ipv6 ? AF_INET6 : AF_INET, address.c_str(), bytes) != 1) fail("it does not begin with an IP address");
  const unsigned most = ipv6 ? 128 : 32;
  unsigned length = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + slash + 1, end, length);
  if (parsed.ec != std::errc() || parsed.ptr != end || length > most)
    fail(fmt::format("its length is not 0 to {}", most));
  for (unsigned bit = length; bit < most; ++bit)
    if ((bytes[bit / 8] & (0x80U >> (bit % 8))) != 0) fail(fmt::format("bits are set behind the first {}", length));
  return text;
}

std::vector<std::string> to_ranges(const std::string& text) {
  std::vector<std::string> ranges;
  for (const std::string& part : split_commas(text)) ranges.push_back(to_range(part));
  return ranges;
}

std::map<std::string, std::string> to_labels(const std::string& text) {
  std::map<std::string, std::string> labels;
  for (const std::string& pair : split_pairs(text)) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) refuse(fmt::format("\"{}\" is not KEY=VALUE", printable(pair)));
    labels[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return labels;
}

std::string from_labels(const std::map<std::string, std::string>& labels) {
  std::vector<std::string> pairs;
  for (const auto& [key, value] : labels) pairs.push_back(escape_comma(key + "=" + value));
  return joined(pairs);
}

const std::vector<std::string> backings{"real", "sandbox"};

using S = Settings;
using Text = const std::string&;

const std::vector<SettingKey>& table() {
  static const std::vector<SettingKey> keys{
      {"provisioning",
       "whether instances may be provisioned: enabled or disabled, or true or false",
       "",
       {"ENABLE_INSTANCE_PROVISIONING"},
       false,
       {},
       [](S& s, Text t) { s.provisioning_enabled = to_bool(t); },
       [](const S& s) -> std::string { return s.provisioning_enabled ? "enabled" : "disabled"; }},
      {"autoRollback",
       "roll back a failed run: true or false",
       "",
       {"AUTO_ROLLBACK"},
       false,
       {},
       [](S& s, Text t) { s.auto_rollback = to_bool(t); },
       [](const S& s) -> std::string { return s.auto_rollback ? "true" : "false"; }},
      {"registry",
       "where tenants are kept: cluster, or sqlite:PATH",
       "LITEDESK_REGISTRY",
       {},
       true,
       {},
       [](S& s, Text t) {
         if (t != "cluster" && t != "sqlite" && !(t.starts_with("sqlite:") && t.size() > 7)) {
           refuse(fmt::format("\"{}\" is not a registry", printable(t)), "write cluster, or sqlite:PATH");
         }
         s.registry = t;
       },
       [](const S& s) { return s.registry; }},
      {"kubernetes.provider",
       "real or sandbox",
       "LITEDESK_KUBERNETES",
       {},
       true,
       backings,
       [](S& s, Text t) { s.kubernetes.provider = to_backing(t); },
       [](const S& s) { return from_backing(s.kubernetes.provider); }},
      {"kubernetes.kubeconfig",
       "kubeconfig file",
       "",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.kubeconfig = t; },
       [](const S& s) { return s.kubernetes.kubeconfig; }},
      {"kubernetes.context",
       "context within the kubeconfig",
       "",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.context = t; },
       [](const S& s) { return s.kubernetes.context; }},
      {"kubernetes.clusterId",
       "the UID of the namespace kube-system: another cluster is refused",
       "",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.cluster_id = t; },
       [](const S& s) { return s.kubernetes.cluster_id; }},
      {"kubernetes.routing",
       "ingress",
       "",
       {},
       true,
       {"ingress"},
       [](S&, Text) {},
       [](const S&) -> std::string { return "ingress"; }},
      {"kubernetes.ingressClass",
       "class of the Ingress",
       "",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.ingress_class = t; },
       [](const S& s) { return s.kubernetes.ingress_class; }},
      {"kubernetes.ingressNamespace",
       "namespace of the ingress controller",
       "",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.ingress_namespace = t; },
       [](const S& s) { return s.kubernetes.ingress_namespace; }},
      {"kubernetes.ingressService",
       "Service of the ingress controller",
       "",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.ingress_service = t; },
       [](const S& s) { return s.kubernetes.ingress_service; }},
      {"kubernetes.ingressPodLabels",
       "labels of the ingress controller's pods",
       "",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.ingress_pod_labels = to_labels(t); },
       [](const S& s) { return from_labels(s.kubernetes.ingress_pod_labels); }},
      {"kubernetes.loadBalancer",
       "host name or address of the ingress load balancer",
       "LITEDESK_LOAD_BALANCER",
       {"INGRESS_LOADBALANCER_DNS"},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.load_balancer = to_host(t); },
       [](const S& s) { return s.kubernetes.load_balancer; }},
      {"kubernetes.loadBalancerConnect",
       "HOST:PORT where this machine reaches the load balancer's HTTPS",
       "LITEDESK_LOAD_BALANCER_CONNECT",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.load_balancer_connect = to_connect(t); },
       [](const S& s) { return s.kubernetes.load_balancer_connect; }},
      {"kubernetes.issuer",
       "cert-manager's ClusterIssuer",
       "LITEDESK_ISSUER",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.issuer = t; },
       [](const S& s) { return s.kubernetes.issuer; }},
      {"kubernetes.certificates",
       "per-host or ingress-default",
       "",
       {},
       true,
       {"per-host", "ingress-default"},
       [](S& s, Text t) { s.kubernetes.certificates = t; },
       [](const S& s) { return s.kubernetes.certificates; }},
      {"kubernetes.imagePullSecrets",
       "Secrets for pulling images",
       "",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.image_pull_secrets = split_commas(t); },
       [](const S& s) { return joined(s.kubernetes.image_pull_secrets); }},
      {"kubernetes.egressDenied",
       "further ranges (CIDR) that instances may not reach",
       "",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.egress_denied = to_ranges(t); },
       [](const S& s) { return joined(s.kubernetes.egress_denied); }},
      {"kubernetes.egressAllowed",
       "private ranges (CIDR) that instances reach all the same",
       "",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.egress_allowed = to_ranges(t); },
       [](const S& s) { return joined(s.kubernetes.egress_allowed); }},
      {"kubernetes.runtimeClass",
       "RuntimeClass of the pods",
       "",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.runtime_class = t; },
       [](const S& s) { return s.kubernetes.runtime_class; }},
      {"kubernetes.readOnlyRoot",
       "whether the pods' file systems are read-only: true or false",
       "",
       {},
       true,
       {},
       [](S& s, Text t) { s.kubernetes.read_only_root = to_bool(t); },
       [](const S& s) -> std::string { return s.kubernetes.read_only_root ? "true" : "false"; }},
      {"database.provider",
       "real or sandbox",
       "LITEDESK_DATABASE",
       {},
       true,
       backings,
       [](S& s, Text t) { s.database.provider = to_backing(t); },
       [](const S& s) { return from_backing(s.database.provider); }},
      {"database.strategy",
       "atlas-shared",
       "LITEDESK_DATABASE_STRATEGY",
       {},
       true,
       {"atlas-shared"},
       [](S& s, Text t) { s.database.strategy = t; },
       [](const S& s) { return s.database.strategy; }},
      {"database.url",
       "address of the Atlas API",
       "LITEDESK_ATLAS_URL",
       {},
       true,
       {},
       [](S& s, Text t) { s.database.url = to_http_url(t); },
       [](const S& s) { return s.database.url; },
       true},
      {"database.projects",
       "Atlas projects",
       "",
       {"MONGODB_ATLAS_PROJECT_ID"},
       true,
       {},
       [](S& s, Text t) {
         for (const std::string& project : split_commas(t)) {
           const bool hex =
               project.size() == 24 && project.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
           if (!hex)
             refuse(fmt::format("\"{}\" is not an Atlas project ID", printable(project)), "24 hexadecimal digits");
         }
         s.database.projects = split_commas(t);
       },
       [](const S& s) { return joined(s.database.projects); }},
      {"database.cluster",
       "the shared Atlas cluster",
       "LITEDESK_ATLAS_CLUSTER",
       {},
       true,
       {},
       [](S& s, Text t) { s.database.cluster = t; },
       [](const S& s) { return s.database.cluster; }},
      {"dns.provider",
       "real or sandbox",
       "LITEDESK_DNS",
       {},
       true,
       backings,
       [](S& s, Text t) { s.dns.provider = to_backing(t); },
       [](const S& s) { return from_backing(s.dns.provider); }},
      {"dns.zone",
       "ID of the hosted zone",
       "LITEDESK_DNS_ZONE",
       {"AWS_ROUTE53_HOSTED_ZONE_ID", "ROUTE53_HOSTED_ZONE_ID"},
       true,
       {},
       [](S& s, Text t) {
         constexpr std::string_view prefix = "/hostedzone/";
         const std::string id = t.starts_with(prefix) ? t.substr(prefix.size()) : t;
         if (id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != std::string::npos) {
           refuse(fmt::format("\"{}\" is not a hosted zone ID", printable(t)),
                  "capital letters and digits, like Z0123456789ABC");
         }
         s.dns.zone = id;
       },
       [](const S& s) { return s.dns.zone; }},
      {"dns.domain",
       "the base domain",
       "LITEDESK_DOMAIN",
       {"BASE_DOMAIN"},
       true,
       {},
       [](S& s, Text t) { s.dns.domain = to_domain(t); },
       [](const S& s) { return s.dns.domain; }},
      {"dns.strategy",
       "record, wildcard or none",
       "LITEDESK_DNS_STRATEGY",
       {},
       true,
       {"record", "wildcard", "none"},
       [](S& s, Text t) { s.dns.strategy = t; },
       [](const S& s) { return s.dns.strategy; }},
      {"dns.url",
       "URL of the Route 53 API (default: as for the AWS CLI)",
       "",
       {},
       true,
       {},
       [](S& s, Text t) { s.dns.url = to_http_url(t); },
       [](const S& s) { return s.dns.url; },
       true},
      {"images.backend",
       "image of the backend",
       "LITEDESK_BACKEND_IMAGE",
       {},
       true,
       {},
       [](S& s, Text t) { s.images["backend"] = t; },
       [](const S& s) { return image_of(s, "backend", backend_image); }},
      {"images.frontend",
       "image of the frontend",
       "LITEDESK_FRONTEND_IMAGE",
       {},
       true,
       {},
       [](S& s, Text t) { s.images["frontend"] = t; },
       [](const S& s) { return image_of(s, "frontend", frontend_image); }},
      {"images.components",
       "images of the profile's further components, NAME=IMAGE",
       "",
       {},
       true,
       {},
       [](S& s, Text t) {
         for (auto& [name, image] : to_labels(t)) s.images[name] = image;
       },
       [](const S& s) {
         std::map<std::string, std::string> others(s.images.begin(), s.images.end());
         others.erase("backend");
         others.erase("frontend");
         return from_labels(others);
       }},
      {"app.profile",
       "the application's profile: litedesk, arivu or one of your own",
       "LITEDESK_APP_PROFILE",
       {},
       true,
       {},
       [](S& s, Text t) { s.app.profile = t; },
       [](const S& s) { return s.app.profile; }},
      {"app.database",
       "how the application's database is named, instead of the profile's rule",
       "LITEDESK_APP_DATABASE",
       {},
       true,
       {},
       [](S& s, Text t) { s.app.database = to_string(parse_database_rule(t)); },
       [](const S& s) { return s.app.database; }},
      {"app.environment",
       "optional variables of the application, NAME=VALUE",
       "LITEDESK_APP_ENVIRONMENT",
       {},
       true,
       {},
       [](S& s, Text t) { s.app.environment = to_labels(t); },
       [](const S& s) { return from_labels(s.app.environment); }},
      {"app.check",
       "whether the application is asked from outside once it is ready: true or false",
       "LITEDESK_APP_CHECK",
       {},
       true,
       {},
       [](S& s, Text t) { s.app.check = to_bool(t); },
       [](const S& s) -> std::string { return s.app.check ? "true" : "false"; }},
      {"app.storageClass",
       "StorageClass of the application's volumes",
       "LITEDESK_APP_STORAGE_CLASS",
       {},
       true,
       {},
       [](S& s, Text t) { s.app.storage_class = t; },
       [](const S& s) { return s.app.storage_class; }},
      {"app.accessMode",
       "access mode of the application's volumes",
       "LITEDESK_APP_ACCESS_MODE",
       {},
       true,
       {"ReadWriteOnce", "ReadWriteMany"},
       [](S& s, Text t) { s.app.access_mode = t; },
       [](const S& s) { return s.app.access_mode; }},
      {"templates",
       "folder of your own templates",
       "LITEDESK_TEMPLATES",
       {},
       true,
       {},
       [](S& s, Text t) { s.templates_folder = t; },
       [](const S& s) { return s.templates_folder.string(); }},
  };
  return keys;
}

}  // namespace

std::span<const SettingKey> setting_keys() {
  return table();
}

const SettingKey* find_setting(std::string_view key) {
  const auto found =
      std::find_if(table().begin(), table().end(), [&](const SettingKey& each) { return each.key == key; });
  return found == table().end() ? nullptr : &*found;
}

void apply_setting(Settings& settings, const SettingKey& key, const std::string& text, const std::string& where) {
  // It goes into YAML, JSON and labels, none of which could hold it.
  if (!is_utf8(text)) {
    throw UsageError({.message = fmt::format("{}: \"{}\" is not UTF-8", where, printable(text)),
                      .hint = "type it in a UTF-8 locale",
                      .resource = {},
                      .cause = {}});
  }
  if (!key.choices.empty() && std::find(key.choices.begin(), key.choices.end(), text) == key.choices.end()) {
    throw UsageError({.message = fmt::format("{}: \"{}\" is not a valid value of {}", where, printable(text), key.key),
                      .hint = suggestion(text, key.choices),
                      .resource = {},
                      .cause = {}});
  }
  try {
    key.set(settings, text);
  } catch (const UsageError& error) {
    throw UsageError(
        {.message = fmt::format("{}: {}", where, error.message()), .hint = error.hint(), .resource = {}, .cause = {}});
  }
}

}  // namespace litedesk::cli
