// A cluster without a network: requests in, JSON out, on a clock that the test moves.
#pragma once

#include <memory>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "providers/sandbox/kubernetes_json.hpp"
#include "sandbox_support.hpp"

namespace litedesk::sandbox::tests {

using kube::at;
using kube::text;

struct Answer {
  int status = 0;
  Json body;
  std::vector<std::string> warnings;

  [[nodiscard]] std::string message() const { return text(body, "message"); }
  [[nodiscard]] std::string reason() const { return text(body, "reason"); }
};

class TestCluster {
 public:
  explicit TestCluster(double time_scale = 1) : state_(folder_ / "state.db") {
    api_ = make_kubernetes_api({state_, clock_, time_scale, "litedesk.com", tests::keys});
  }

  Answer send(const std::string& method, const std::string& target, const Json& body = nullptr,
              const std::string& type = "application/json", const std::string& accept = "application/json") {
    auto reply = raw(method, target, body.is_null() ? std::string() : body.dump(), type, accept);
    Answer answer;
    answer.status = reply.status;
    answer.body = Json::parse(reply.body, nullptr, false);
    for (const auto& [name, value] : reply.headers)
      if (name == "Warning") answer.warnings.push_back(value);
    return answer;
  }
  Reply raw(const std::string& method, const std::string& target, const std::string& body = {},
            const std::string& type = "application/json", const std::string& accept = "application/json") {
    return api_->handle(make_call(method, target, body,
                                  {{"content-type", type},
                                   {"accept", accept},
                                   {"authorization", "Bearer " + tests::keys.kubernetes_token},
                                   {"user-agent", "tests/1.0"}}));
  }
  Json get(const std::string& target) { return send("GET", target).body; }
  Answer merge(const std::string& target, const Json& patch) {
    return send("PATCH", target, patch, "application/merge-patch+json");
  }
  Answer apply(const std::string& target, const Json& object, const std::string& manager = "litedesk",
               const std::string& more = "") {
    return send("PATCH", fmt::format("{}?fieldManager={}{}", target, manager, more), object,
                "application/apply-patch+yaml");
  }

  // The namespace "acme", made on the first call.
  void make_namespace(const std::string& name = "acme", Json labels = Json::object()) {
    const auto made = send(
        "POST", "/api/v1/namespaces",
        {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}, {"labels", std::move(labels)}}}});
    REQUIRE(made.status == 201);
  }
  void pass(double seconds) { clock_.move(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000))); }

  // The events of a watch so far: it is asked until it has nothing new.
  std::vector<Json> events(const Reply& reply) {
    std::vector<Json> seen;
    for (int quiet = 0, rounds = 0; quiet < 2 && rounds < 1000; ++rounds) {
      bool any = false;
      const bool more = reply.stream([&](std::string_view piece) {
        if (piece.empty()) return true;
        any = true;
        seen.push_back(Json::parse(piece));
        return true;
      });
      if (!more) break;
      quiet = any ? 0 : quiet + 1;
    }
    return seen;
  }

  [[nodiscard]] State& state() { return state_; }
  [[nodiscard]] HandClock& clock() { return clock_; }
  [[nodiscard]] Api& api() { return *api_; }

 private:
  TemporaryFolder folder_;
  State state_;
  HandClock clock_;
  std::unique_ptr<Api> api_;
};

inline const std::string acme = "/api/v1/namespaces/acme";
inline const std::string deployments = "/apis/apps/v1/namespaces/acme/deployments";

inline Json config_map(const std::string& name, const Json& data, Json labels = nullptr) {
  Json object = {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", name}}}, {"data", data}};
  if (!labels.is_null()) object["metadata"]["labels"] = std::move(labels);
  return object;
}

inline Json deployment(const std::string& name, const std::string& image, int replicas = 1) {
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata", {{"name", name}}},
          {"spec",
           {{"replicas", replicas},
            {"selector", {{"matchLabels", {{"app", name}}}}},
            {"template",
             {{"metadata", {{"labels", {{"app", name}}}}},
              {"spec", {{"containers", Json::array({{{"name", "main"}, {"image", image}}})}}}}}}}};
}

inline std::string condition(const Json& object, const std::string& type, const char* field = "status") {
  const auto& conditions = at(object, "status.conditions");
  if (conditions.is_array())
    for (const auto& item : conditions)
      if (text(item, "type") == type) return text(item, field);
  return {};
}

inline std::string waiting_reason(const Json& pod) {
  const auto& statuses = at(pod, "status.containerStatuses");
  return statuses.is_array() && !statuses.empty() ? text(statuses[0], "state.waiting.reason") : std::string();
}

}  // namespace litedesk::sandbox::tests
