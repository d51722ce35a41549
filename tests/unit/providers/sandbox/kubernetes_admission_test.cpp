#include "providers/sandbox/kubernetes_admission.hpp"

#include "kubernetes_cluster_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using namespace litedesk::sandbox::tests;

namespace {

Json quota(const Json& hard) {
  return {{"apiVersion", "v1"}, {"kind", "ResourceQuota"}, {"metadata", {{"name", "q"}}}, {"spec", {{"hard", hard}}}};
}

std::string failure(TestCluster& cluster) {
  return condition(cluster.get(deployments + "/web"), "ReplicaFailure", "message");
}

}  // namespace

TEST_CASE("a quota refuses pods: the Deployment says so, and goes on when there is room") {
  for (const double scale : {1.0, 0.0}) {
    CAPTURE(scale);
    TestCluster cluster(scale);
    cluster.make_namespace();
    cluster.apply(acme + "/resourcequotas/q", quota({{"pods", "1"}}));
    cluster.apply(deployments + "/web", deployment("web", "web:1", 2));
    CHECK(failure(cluster).find("is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1") !=
          std::string::npos);
    CHECK(condition(cluster.get(deployments + "/web"), "ReplicaFailure", "reason") == "FailedCreate");
    CHECK(at(cluster.get(acme + "/resourcequotas/q"), "status.used.pods") == "1");
    cluster.apply(acme + "/resourcequotas/q", quota({{"pods", "4"}}));
    CHECK(failure(cluster).empty());
    CHECK(cluster.get(acme + "/pods")["items"].size() == 2);
  }
}

TEST_CASE("a quota on requests makes them a must, unless a LimitRange gives them") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(acme + "/resourcequotas/q", quota({{"requests.cpu", "1"}, {"limits.cpu", "2"}}));
  cluster.apply(deployments + "/web", deployment("web", "web:1"));
  CHECK(failure(cluster).find("failed quota: q: must specify limits.cpu for: main; requests.cpu for: main") !=
        std::string::npos);
  cluster.apply(acme + "/limitranges/l", {{"apiVersion", "v1"},
                                          {"kind", "LimitRange"},
                                          {"metadata", {{"name", "l"}}},
                                          {"spec",
                                           {{"limits", Json::array({{{"type", "Container"},
                                                                     {"default", {{"cpu", "500m"}}},
                                                                     {"defaultRequest", {{"cpu", "100m"}}}}})}}}});
  CHECK(failure(cluster).empty());
  CHECK(at(cluster.get(acme + "/resourcequotas/q"), "status.used") ==
        Json{{"limits.cpu", "500m"}, {"requests.cpu", "100m"}});
}

TEST_CASE("a quota counts other objects too") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(acme + "/resourcequotas/q", quota({{"configmaps", "2"}, {"count/deployments.apps", "1"}}));
  CHECK(cluster.send("POST", acme + "/configmaps", config_map("a", {})).status == 201);
  const auto refused = cluster.send("POST", acme + "/configmaps", config_map("b", {}));
  CHECK(refused.status == 403);
  CHECK(refused.message() ==
        "configmaps \"b\" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: "
        "configmaps=2");
  CHECK(cluster.send("POST", deployments, deployment("a", "a:1")).status == 201);
  CHECK(cluster.send("POST", deployments, deployment("b", "b:1")).status == 403);
}

TEST_CASE("pods of an absent service account are refused until it comes") {
  TestCluster cluster;
  cluster.make_namespace();
  auto object = deployment("web", "web:1");
  object["spec"]["template"]["spec"]["serviceAccountName"] = "web";
  cluster.apply(deployments + "/web", object);
  CHECK(failure(cluster).empty());  // it may have been sent along with the Deployment
  cluster.pass(0.1);
  CHECK(failure(cluster).ends_with(
      "is forbidden: error looking up service account acme/web: serviceaccount \"web\" not found"));
  cluster.apply(acme + "/serviceaccounts/web",
                {{"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"metadata", {{"name", "web"}}}});
  CHECK(failure(cluster).empty());
  CHECK(cluster.get(acme + "/pods")["items"].size() == 1);
}

TEST_CASE("Pod Security: the Deployment is taken with a warning, its pods are refused") {
  TestCluster cluster;
  cluster.make_namespace("acme", {{"pod-security.kubernetes.io/enforce", "restricted"},
                                  {"pod-security.kubernetes.io/warn", "restricted"}});
  const auto made = cluster.apply(deployments + "/web", deployment("web", "web:1"));
  CHECK(made.status == 201);
  REQUIRE(made.warnings.size() == 1);
  CHECK(made.warnings[0].starts_with(
      "299 - \"would violate PodSecurity \\\"restricted:latest\\\": allowPrivilegeEscalation != false"));
  CHECK(
      failure(cluster).find(
          "violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"main\" must set "
          "securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"main\" must set "
          "securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"main\" must set "
          "securityContext.runAsNonRoot=true), seccompProfile (pod or container \"main\" must set "
          "securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")") != std::string::npos);
}

TEST_CASE("each rule of the restricted level is found broken by itself") {
  const Json good = {
      {"securityContext", {{"runAsNonRoot", true}, {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
      {"containers", Json::array({{{"name", "a"},
                                   {"securityContext",
                                    {{"allowPrivilegeEscalation", false}, {"capabilities", {{"drop", {"ALL"}}}}}}}})}};
  CHECK(kube::pod_security_violations("restricted", good).empty());
  struct Case {
    const char* pointer;
    Json value;
    const char* begin;
  };
  const Case cases[] = {
      {"/hostNetwork", true, "host namespaces (hostNetwork=true)"},
      {"/containers/0/securityContext/privileged", true, "privileged (container \"a\""},
      {"/containers/0/securityContext/allowPrivilegeEscalation", true, "allowPrivilegeEscalation != false"},
      {"/containers/0/securityContext/capabilities/drop", Json::array(), "unrestricted capabilities"},
      {"/containers/0/securityContext/capabilities/add", Json::array({"SYS_ADMIN"}), "unrestricted capabilities"},
      {"/containers/0/ports", Json::array({{{"containerPort", 80}, {"hostPort", 80}}}),
       "hostPort (container \"a\" uses hostPort 80)"},
      {"/volumes", Json::array({{{"name", "h"}, {"hostPath", {{"path", "/"}}}}}),
       "restricted volume types (volume \"h\""},
      {"/securityContext/runAsNonRoot", false, "runAsNonRoot != true"},
      {"/securityContext/runAsUser", 0, "runAsUser=0 (pod must not set runAsUser=0)"},
      {"/securityContext/seccompProfile/type", "Unconfined", "seccompProfile"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.pointer);
    auto spec = good;
    spec[Json::json_pointer(c.pointer)] = c.value;
    CHECK(kube::pod_security_violations("restricted", spec).starts_with(c.begin));
  }
  CHECK(kube::pod_security_violations("", Json::object()).empty());
}

TEST_CASE("what the defaults of the kinds add") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto service = cluster
                           .send("POST", acme + "/services",
                                 {{"apiVersion", "v1"},
                                  {"kind", "Service"},
                                  {"metadata", {{"name", "web"}}},
                                  {"spec", {{"selector", {{"app", "web"}}}, {"ports", Json::array({{{"port", 80}}})}}}})
                           .body;
  CHECK(at(service, "spec.ports") == Json::array({{{"port", 80}, {"protocol", "TCP"}, {"targetPort", 80}}}));
  CHECK(text(service, "spec.clusterIP").starts_with("10.96."));
  CHECK(at(service, "spec.clusterIPs")[0] == at(service, "spec.clusterIP"));
  CHECK(at(service, "spec.internalTrafficPolicy") == "Cluster");
  const auto policy = cluster
                          .send("POST", "/apis/networking.k8s.io/v1/namespaces/acme/networkpolicies",
                                {{"apiVersion", "networking.k8s.io/v1"},
                                 {"kind", "NetworkPolicy"},
                                 {"metadata", {{"name", "n"}}},
                                 {"spec",
                                  {{"podSelector", Json::object()},
                                   {"egress", Json::array({{{"ports", Json::array({{{"port", 53}}})}}})}}}})
                          .body;
  CHECK(at(policy, "spec.policyTypes") == Json::array({"Ingress", "Egress"}));
  CHECK(at(policy, "spec.egress")[0]["ports"][0]["protocol"] == "TCP");
  CHECK(policy["metadata"]["generation"] == 1);
  CHECK_FALSE(service["metadata"].contains("generation"));
}
