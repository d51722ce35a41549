#include "providers/sandbox/kubernetes_admission.hpp"

#include <array>

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

TEST_CASE("a LimitRange refuses containers beyond its bounds, before any quota is asked") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(acme + "/resourcequotas/q", quota({{"requests.cpu", "1"}}));
  const Json limit = {{"type", "Container"},
                      {"default", {{"cpu", "200m"}, {"memory", "100Mi"}}},
                      {"defaultRequest", {{"cpu", "100m"}, {"memory", "50Mi"}}},
                      {"max", {{"cpu", "2"}}},
                      {"min", {{"memory", "10Mi"}}}};
  const Json range = {{"apiVersion", "v1"},
                      {"kind", "LimitRange"},
                      {"metadata", {{"name", "l"}}},
                      {"spec", {{"limits", Json::array({limit})}}}};
  REQUIRE(cluster.send("POST", acme + "/limitranges", range).status == 201);
  const auto pod = [&](const Json& resources) {
    return cluster.send(
        "POST", acme + "/pods",
        {{"apiVersion", "v1"},
         {"kind", "Pod"},
         {"metadata", {{"name", "p"}}},
         {"spec", {{"containers", Json::array({{{"name", "m"}, {"image", "x"}, {"resources", resources}}})}}}});
  };
  CHECK(pod({{"limits", {{"cpu", "3"}, {"memory", "1Mi"}}}}).message() ==
        "pods \"p\" is forbidden: [minimum memory usage per Container is 10Mi, but request is 1Mi, maximum cpu usage "
        "per Container is 2, but limit is 3]");
  const auto made = pod(Json::object());
  CHECK(made.status == 201);
  CHECK(at(made.body, "metadata.annotations")["kubernetes.io/limit-ranger"] ==
        "LimitRanger plugin set: cpu, memory request for container m; cpu, memory limit for container m");
}

TEST_CASE("a LimitRange that contradicts itself is refused") {
  TestCluster cluster;
  cluster.make_namespace();
  const Json range = {
      {"apiVersion", "v1"},
      {"kind", "LimitRange"},
      {"metadata", {{"name", "l"}}},
      {"spec",
       {{"limits", Json::array({{{"type", "Container"}, {"default", {{"cpu", "1"}}}, {"max", {{"cpu", "500m"}}}}})}}}};
  CHECK(cluster.send("POST", acme + "/limitranges", range).message() ==
        "LimitRange \"l\" is invalid: [spec.limits[0].defaultRequest[cpu]: Invalid value: \"1\": default request value "
        "1 is greater than max value 500m, spec.limits[0].default[cpu]: Invalid value: \"500m\": default value 1 is "
        "greater than max value 500m]");
}

TEST_CASE("what Pod Security warns of is told with a refusal by the quota too") {
  TestCluster cluster;
  cluster.make_namespace("acme", {{"pod-security.kubernetes.io/warn", "restricted"}});
  cluster.apply(acme + "/resourcequotas/q", quota({{"count/deployments.apps", "0"}}));
  const auto refused = cluster.apply(deployments + "/web", deployment("web", "web:1"));
  CHECK(refused.status == 403);
  REQUIRE(refused.warnings.size() == 1);
  CHECK(refused.warnings[0].find("would violate PodSecurity") != std::string::npos);
}

TEST_CASE("a template's mistakes are refused in the API server's words") {
  TestCluster cluster;
  cluster.make_namespace();
  const std::string container = "/spec/template/spec/containers/0";
  const std::vector<std::pair<std::string, std::pair<Json, std::string>>> cases = {
      {container + "/ports",
       {Json::parse(R"([{"containerPort": 1, "name": "toolongportname1234"}])"),
        "spec.template.spec.containers[0].ports[0].name: Invalid value: \"toolongportname1234\": must be no more than "
        "15 "
        "characters"}},
      {container + "/env",
       {Json::parse(R"([{"name": "1=", "value": "1"}])"),
        "spec.template.spec.containers[0].env[0].name: Invalid value: \"1=\": a valid environment variable name must "
        "consist only of printable ASCII characters other than '='"}},
      {container + "/resources",
       {Json::parse(R"({"limits": {"cpu": "-1"}})"),
        "spec.template.spec.containers[0].resources.limits[cpu]: Invalid value: \"-1\": must be greater than or equal "
        "to "
        "0"}},
      {container + "/readinessProbe",
       {Json::parse(R"({"periodSeconds": 5})"),
        "spec.template.spec.containers[0].readinessProbe: Required value: must specify a handler type"}},
      {container + "/livenessProbe",
       {Json::parse(R"({"httpGet": {"port": 80}, "initialDelaySeconds": -1})"),
        "spec.template.spec.containers[0].livenessProbe.initialDelaySeconds: Invalid value: -1: must be greater than "
        "or "
        "equal to 0"}},
      {"/spec/template/spec/volumes",
       {Json::parse(R"([{"name": "v", "secret": {"secretName": "a"}, "emptyDir": {}}])"),
        "spec.template.spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type"}},
      {"/spec/template/spec/topologySpreadConstraints",
       {Json::parse(R"([{"maxSkew": 0, "topologyKey": "", "whenUnsatisfiable": "DoNotSchedule"}])"),
        "[spec.template.spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero, "
        "spec.template.spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty]"}},
      {"/spec/strategy",
       {Json::parse(R"({"type": "Recreate", "rollingUpdate": {"maxSurge": 1}})"),
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"}},
      {"/spec/strategy",
       {Json::parse(R"({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}})"),
        "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"}},
      {"/spec/progressDeadlineSeconds",
       {0, "spec.progressDeadlineSeconds: Invalid value: 0: must be greater than minReadySeconds"}},
  };
  for (const auto& tried : cases) {
    const auto& where = tried.first;
    const auto& expected = tried.second;
    INFO(where);
    auto object = deployment("web", "web:1");
    object[Json::json_pointer(where)] = expected.first;
    CHECK(cluster.send("POST", deployments + "?dryRun=All", object).message() ==
          "Deployment.apps \"web\" is invalid: " + expected.second);
  }
  auto object = deployment("web", "web:1");
  object["spec"]["template"]["spec"]["volumes"] = Json::parse(R"([{"name": "v"}])");
  CHECK(at(cluster.send("POST", deployments + "?dryRun=All", object).body, "spec.template.spec.volumes")[0] ==
        Json::parse(R"({"name": "v", "emptyDir": {}})"));
}

TEST_CASE("other kinds' mistakes are refused in the API server's words") {
  TestCluster cluster;
  cluster.make_namespace();
  const std::vector<std::array<std::string, 3>> cases = {
      {"/api/v1/namespaces/acme/secrets",
       R"({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "type": "kubernetes.io/dockerconfigjson",
           "data": {".dockerconfigjson": "eA=="}})",
       "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character 'x' looking for "
       "beginning of value"},
      {"/apis/policy/v1/namespaces/acme/poddisruptionbudgets",
       R"({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "x"},
           "spec": {"minAvailable": -1, "selector": {"matchLabels": {"a": "b"}}}})",
       "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"},
      {"/apis/networking.k8s.io/v1/namespaces/acme/networkpolicies",
       R"({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"},
           "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "bad"}}]}]}})",
       "spec.egress[0].to[0].ipBlock.cidr: Invalid value: \"bad\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or "
       "2001:db8::/64)"},
      {"/apis/coordination.k8s.io/v1/namespaces/acme/leases",
       R"({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "x"},
           "spec": {"leaseDurationSeconds": 0}})",
       "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"},
      {"/api/v1/namespaces/acme/configmaps",
       R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "finalizers": ["nope"]}})",
       "metadata.finalizers[0]: Invalid value: \"nope\": name is neither a standard finalizer name nor is it fully "
       "qualified"},
  };
  for (const auto& tried : cases) {
    INFO(tried[0]);
    const auto answer = cluster.send("POST", tried[0], Json::parse(tried[1]));
    CHECK(answer.status == 422);
    CHECK(answer.message().ends_with("is invalid: " + tried[2]));
  }
  const Json good = Json::parse(R"({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
    "metadata": {"name": "y"}, "spec": {"podSelector": {}, "policyTypes": ["Egress"],
    "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}, {"ipBlock": {"cidr": "2001:db8::/64"}}]}]}})");
  CHECK(cluster.send("POST", "/apis/networking.k8s.io/v1/namespaces/acme/networkpolicies", good).status == 201);
}
