// The stand-in of the Kubernetes API: who may ask, what is asked for, and refusals in the API's own words.
#include <fmt/format.h>

#include "providers/sandbox/kubernetes_cluster.hpp"
#include "providers/sandbox/kubernetes_discovery.hpp"
#include "providers/sandbox/kubernetes_mutate.hpp"
#include "providers/sandbox/kubernetes_names.hpp"
#include "providers/sandbox/kubernetes_read.hpp"
#include "providers/sandbox/kubernetes_request.hpp"
#include "providers/sandbox/kubernetes_status.hpp"

namespace litedesk::sandbox {

namespace {

using kube::StatusError;

// What every answer of an API server carries, and a proxy's page in its place does not: clients tell them apart by it.
constexpr std::string_view flow_schema = "7e1c2f0a-5f0b-4a52-9d5e-2c1b0f6a9d01";
constexpr std::string_view priority_level = "7e1c2f0a-5f0b-4a52-9d5e-2c1b0f6a9d02";

constexpr std::size_t largest_body = std::size_t{3} * 1024 * 1024;

Reply refusal(const StatusError& error) {
  return kube::to_reply(error.body(), error.code());
}

Reply signed_reply(Reply reply, const std::string& audit_id = "") {
  reply.headers.emplace_back("Audit-Id", audit_id.empty() ? kube::new_uid() : audit_id);
  reply.headers.emplace_back("Cache-Control", "no-cache, private");
  if (reply.content_type.starts_with("text/plain")) reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
  // Who is not known yet has no place in a queue.
  if (reply.status == 401) return reply;
  reply.headers.emplace_back("X-Kubernetes-Pf-Flowschema-Uid", flow_schema);
  reply.headers.emplace_back("X-Kubernetes-Pf-Prioritylevel-Uid", priority_level);
  return reply;
}

class KubernetesApi : public Api {
 public:
  explicit KubernetesApi(Context context)
      : authorization_("Bearer " + context.keys.kubernetes_token), cluster_(std::move(context)) {
    kube::seed_cluster(cluster_);
  }

  Reply handle(const Call& call) override { return signed_reply(answer(call), call.header("audit-id")); }

  // API priority and fairness answers before anything knows of Status objects.
  Reply throttled() override {
    Reply reply;
    reply.status = 429;
    reply.content_type = "text/plain; charset=utf-8";
    reply.body = "Too many requests, please try again later.\n";
    reply.headers = {{"Retry-After", "1"}};
    return signed_reply(std::move(reply));
  }

  Reply failed(int status) override { return signed_reply(failure(status)); }

  Reply broken(const std::string& why) override {
    return signed_reply(refusal({500, "InternalError", fmt::format("Internal error occurred: {}", why)}));
  }

 private:
  Reply answer(const Call& call) {
    try {
      authenticate(call);
      auto kinds = cluster_.kinds();
      if (auto reply = kube::answer_discovery(call, *kinds)) return std::move(*reply);
      const auto request = kube::parse_request(call, std::move(kinds));
      if (call.body.size() > largest_body) throw too_large();
      if (call.method == "GET" || call.method == "HEAD") return kube::answer_get(cluster_, request);
      if (call.method == "POST") return kube::answer_post(cluster_, request);
      if (call.method == "PUT") return kube::answer_put(cluster_, request);
      if (call.method == "PATCH") return kube::answer_patch(cluster_, request);
      if (call.method == "DELETE") return kube::answer_delete(cluster_, request);
      return refusal(kube::method_not_allowed());
    } catch (const StatusError& error) {
      return refusal(error);
    }
  }

  static StatusError too_large() {
    return {413, "RequestEntityTooLarge", fmt::format("Request entity too large: limit is {}", largest_body)};
  }

  static Reply failure(int status) {
    if (status == 409)
      return refusal(
          {409, "Conflict",
           "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest "
           "version and try again",
           Json::object()});
    if (status == 503) {
      auto reply = refusal({503,
                            "ServiceUnavailable",
                            "the server is currently unable to handle the request",
                            {{"retryAfterSeconds", 1}}});
      reply.headers = {{"Retry-After", "1"}};
      return reply;
    }
    return refusal({status, status == 500 ? "InternalError" : "", "Internal error occurred: injected by the sandbox"});
  }

  void authenticate(const Call& call) const {
    if (call.header("authorization") != authorization_) throw StatusError(401, "Unauthorized", "Unauthorized");
  }

  std::string authorization_;
  kube::Cluster cluster_;
};

}  // namespace

std::unique_ptr<Api> make_kubernetes_api(Context context) {
  return std::make_unique<KubernetesApi>(std::move(context));
}

}  // namespace litedesk::sandbox
