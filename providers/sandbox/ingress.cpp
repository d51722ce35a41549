// The ingress controller and what stands behind it. Of the application there is one thing only: what a login that
// nobody has gets, which follows from what was made for the instance at the other stand-ins.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "providers/sandbox/api.hpp"
#include "providers/sandbox/atlas_users.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/system/hash.hpp"

namespace litedesk::sandbox {

namespace {

using kube::at;
using kube::text;

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

Reply page(int status, const std::string& words) {
  Reply reply;
  reply.status = status;
  reply.content_type = "text/html; charset=utf-8";
  reply.body = fmt::format("<html><head><title>{0}</title></head><body>{0}</body></html>\n", words);
  return reply;
}

Reply json(int status, const Json& body) {
  Reply reply;
  reply.status = status;
  reply.content_type = "application/json; charset=utf-8";
  reply.body = body.dump();
  return reply;
}

// "12m" in bytes, as nginx reads it; its default where the annotation is absent.
std::size_t largest_body(const std::string& annotation) {
  if (annotation.empty()) return std::size_t{1} << 20;
  std::size_t size = 0;
  for (const char c : annotation) {
    if (c >= '0' && c <= '9') size = size * 10 + static_cast<std::size_t>(c - '0');
    if (c == 'k' || c == 'K') size <<= 10;
    if (c == 'm' || c == 'M') size <<= 20;
    if (c == 'g' || c == 'G') size <<= 30;
  }
  return size;
}

struct Route {
  Json ingress;
  std::string name_space, service;
  std::size_t length = 0;  // of the path that fits
};

class Ingress : public Api {
 public:
  explicit Ingress(const Context& context) : state_(context.state), clock_(context.clock) {}

  Reply handle(const Call& call) override {
    Reply reply;
    state_.read([&] { reply = answer(call); });
    return reply;
  }
  Reply throttled() override { return page(503, "503 Service Temporarily Unavailable"); }
  Reply failed(int status) override { return page(status, "the sandbox was told to fail"); }
  [[nodiscard]] bool is_public() const override { return true; }

 private:
  Reply answer(const Call& call) {
    const auto host = lower(call.header("host"));
    const auto route = find_route(host.substr(0, host.find(':')), call.path);
    if (!route) return page(404, "404 Not Found");
    const auto annotation = [&route](const char* name) {
      return kube::annotation_of(route->ingress, std::string("nginx.ingress.kubernetes.io/") + name);
    };
    if (annotation("denylist-source-range").find("0.0.0.0/0") != std::string::npos) return page(403, "403 Forbidden");
    if (call.body.size() > largest_body(annotation("proxy-body-size")))
      return page(413, "413 Request Entity Too Large");
    const auto endpoints = state_.get("kubernetes/endpoints", route->name_space, route->service);
    if (!endpoints || !has_address(endpoints->body)) return page(503, "503 Service Temporarily Unavailable");
    const auto deployment = state_.get("kubernetes/deployments.apps", route->name_space, route->service);
    if (!deployment) return page(200, "the sandbox serves no pages");
    return application(call, route->name_space, deployment->body);
  }

  static bool has_address(const Json& endpoints) {
    const auto& subsets = at(endpoints, "subsets");
    return subsets.is_array() && std::any_of(subsets.begin(), subsets.end(), [](const Json& subset) {
             const auto& addresses = at(subset, "addresses");
             return addresses.is_array() && !addresses.empty();
           });
  }

  // The longest path that fits wins, whichever Ingress it is of.
  std::optional<Route> find_route(const std::string& host, const std::string& path) {
    std::optional<Route> best;
    for (auto& row : state_.list("kubernetes/ingresses.networking.k8s.io", std::nullopt)) {
      const auto& ingress = row.body;
      for (const auto& rule : at(ingress, "spec.rules")) {
        if (text(rule, "host") != host) continue;
        for (const auto& each : at(rule, "http.paths")) {
          const auto prefix = text(each, "path");
          if (!lower(path).starts_with(lower(prefix)) || (best && best->length >= prefix.size())) continue;
          best = Route{ingress, row.scope, text(each, "backend.service.name"), prefix.size()};
        }
      }
    }
    return best;
  }

  Reply application(const Call& call, const std::string& name_space, const Json& deployment) {
    if (call.method != "POST" || !call.path.ends_with("/auth/login"))
      return json(404, {{"message", "the sandbox's application knows its login only"}});
    const auto& container = at(deployment, "spec.template.spec.containers")[0];
    const auto origin = call.header("origin");
    const auto origins = "," + variable(container, "CORS_ORIGINS") + ",";
    if (!origin.empty() && origins.find("," + origin + ",") == std::string::npos)
      return page(500, "Error: Not allowed by CORS");
    const auto uri = secret(name_space, "database", "connection-string");
    if (!may_use(uri, database_of(uri, container)))
      return json(500, {{"message", "Server error during login."}, {"error", "not authorized to execute command"}});
    return json(401, {{"message", "Invalid credentials"}, {"code", "INVALID_CREDENTIALS"}});
  }

  static std::string variable(const Json& container, const std::string& name) {
    const auto& variables = at(container, "env");
    if (!variables.is_array()) return {};
    for (const auto& each : variables)
      if (text(each, "name") == name) return text(each, "value");
    return {};
  }

  std::string secret(const std::string& name_space, const std::string& name, const char* key) {
    const auto row = state_.get("kubernetes/secrets", name_space, name);
    const auto& data = row ? at(row->body, "data") : at(Json(), "data");
    if (!data.is_object() || !data.contains(key)) return {};
    return system::base64_decode(data[key].get<std::string>()).value_or("");
  }

  // Which database the server opens: both generations put their own in the place of the one in the URI, the newer one
  // the variable's, the older one not behind a fragment.
  static std::string database_of(const std::string& uri, const Json& container) {
    if (auto named = variable(container, "MASTER_DB_NAME"); !named.empty()) return named;
    const auto fragment = uri.find('#');
    if (fragment == std::string::npos) return "litedesk_master";
    const auto slash = uri.rfind('/', fragment - 1);
    return uri.substr(slash + 1, fragment - slash - 1);
  }

  bool may_use(const std::string& uri, const std::string& database) {
    const auto begin = uri.find("://"), end = uri.find(':', begin + 3);
    if (begin == std::string::npos || end == std::string::npos) return false;
    const auto name = percent_decode(uri.substr(begin + 3, end - begin - 3));
    const auto user = atlas::live_user(state_, std::string(atlas_project), "admin", name, clock_.now());
    if (!user) return false;
    const auto& roles = at(*user, "roles");
    return std::any_of(roles.begin(), roles.end(), [&database](const Json& role) {
      return text(role, "databaseName") == database && text(role, "roleName") == "readWrite";
    });
  }

  State& state_;
  const system::Clock& clock_;
};

}  // namespace

std::unique_ptr<Api> make_ingress(Context context) {
  return std::make_unique<Ingress>(context);
}

}  // namespace litedesk::sandbox
