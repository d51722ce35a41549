#include "kubernetes_cluster_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using namespace litedesk::sandbox::tests;

namespace {

const std::string certificates = "/apis/cert-manager.io/v1/namespaces/acme/certificates";

Json certificate(const std::string& host, const std::string& issuer = "letsencrypt-prod") {
  return {
      {"apiVersion", "cert-manager.io/v1"},
      {"kind", "Certificate"},
      {"metadata", {{"name", "tls"}}},
      {"spec",
       {{"secretName", "tls"}, {"dnsNames", {host}}, {"issuerRef", {{"name", issuer}, {"kind", "ClusterIssuer"}}}}}};
}

std::string conditions(const Json& object) {
  std::string result;
  if (const auto& list = at(object, "status.conditions"); list.is_array())
    for (const auto& item : list)
      result += fmt::format("{}={}:{} ", text(item, "type"), text(item, "status"), text(item, "reason"));
  return result;
}

}  // namespace

TEST_CASE("a Certificate becomes Ready through the conditions that cert-manager sets, in their order") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto list = cluster.get(certificates);
  const auto watch =
      cluster.raw("GET", certificates + "?watch=1&resourceVersion=" + text(list, "metadata.resourceVersion"));
  cluster.apply(certificates + "/tls", certificate("acme.litedesk.com"));
  cluster.pass(3);
  std::vector<std::string> seen;
  for (const auto& event : cluster.events(watch))
    if (seen.empty() || seen.back() != conditions(event["object"])) seen.push_back(conditions(event["object"]));
  CHECK(seen == std::vector<std::string>{"", "Issuing=True:DoesNotExist ",
                                         "Issuing=True:DoesNotExist Ready=False:DoesNotExist ",
                                         "Issuing=True:DoesNotExist Ready=True:Ready ", "Ready=True:Ready "});
  const auto live = cluster.get(certificates + "/tls");
  CHECK(at(live, "status.revision") == 1);
  CHECK(at(live, "status.notAfter") == "2026-04-02T03:04:07Z");
  const auto secret = cluster.get(acme + "/secrets/tls");
  CHECK(secret["type"] == "kubernetes.io/tls");
  CHECK(secret["data"].contains("tls.key"));
  CHECK(condition(cluster.get("/apis/cert-manager.io/v1/namespaces/acme/certificaterequests/tls-1"), "Ready",
                  "reason") == "Issued");
}

TEST_CASE("a Certificate whose issuer is absent waits, and the request says why") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(certificates + "/tls", certificate("acme.litedesk.com", "other"));
  cluster.pass(10);
  CHECK(conditions(cluster.get(certificates + "/tls")) == "Issuing=True:DoesNotExist Ready=False:DoesNotExist ");
  const std::string request = "/apis/cert-manager.io/v1/namespaces/acme/certificaterequests/tls-1";
  CHECK(condition(cluster.get(request), "Ready", "message") ==
        "Referenced \"ClusterIssuer\" not found: clusterissuer.cert-manager.io \"other\" not found");
  cluster.send("POST", "/apis/cert-manager.io/v1/clusterissuers",
               {{"apiVersion", "cert-manager.io/v1"},
                {"kind", "ClusterIssuer"},
                {"metadata", {{"name", "other"}}},
                {"spec", {{"selfSigned", Json::object()}}}});
  cluster.pass(3);
  CHECK(conditions(cluster.get(certificates + "/tls")) == "Ready=True:Ready ");
}

TEST_CASE("an issuer without its key never becomes ready") {
  TestCluster cluster;
  cluster.make_namespace();
  const std::string issuers = "/apis/cert-manager.io/v1/clusterissuers";
  cluster.send("POST", issuers,
               {{"apiVersion", "cert-manager.io/v1"},
                {"kind", "ClusterIssuer"},
                {"metadata", {{"name", "broken"}}},
                {"spec", {{"ca", {{"secretName", "missing"}}}}}});
  CHECK(condition(cluster.get(issuers + "/broken"), "Ready", "reason") == "ErrGetKeyPair");
  cluster.apply(certificates + "/tls", certificate("acme.litedesk.com", "broken"));
  CHECK(condition(cluster.get("/apis/cert-manager.io/v1/namespaces/acme/certificaterequests/tls-1"), "Ready",
                  "message") == "Referenced issuer does not have a Ready status condition");
}

TEST_CASE("the host decides what becomes of its certificate") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(certificates + "/tls", certificate("acme.blocked.example"));
  auto live = cluster.get(certificates + "/tls");
  CHECK(conditions(live) == "Issuing=False:Failed Ready=False:DoesNotExist ");
  CHECK(condition(live, "Issuing", "message").find("rejectedIdentifier") != std::string::npos);
  CHECK(at(live, "status.failedIssuanceAttempts") == 1);
  cluster.apply(certificates + "/tls", certificate("unreachable.litedesk.com"));
  cluster.pass(60);
  CHECK(condition(cluster.get(certificates + "/tls"), "Issuing") == "True");
  const auto challenges = cluster.get("/apis/acme.cert-manager.io/v1/namespaces/acme/challenges")["items"];
  REQUIRE(challenges.size() == 1);
  CHECK(text(challenges[0], "status.reason").starts_with("Waiting for HTTP-01 challenge propagation: "));
}

TEST_CASE("an Ingress gets its address after a second, and a Certificate if it asks for one") {
  TestCluster cluster;
  cluster.make_namespace();
  const std::string ingresses = "/apis/networking.k8s.io/v1/namespaces/acme/ingresses";
  const Json path = {
      {"path", "/"}, {"pathType", "Prefix"}, {"backend", {{"service", {{"name", "web"}, {"port", {{"number", 80}}}}}}}};
  const Json ingress = {
      {"apiVersion", "networking.k8s.io/v1"},
      {"kind", "Ingress"},
      {"metadata", {{"name", "web"}, {"annotations", {{"cert-manager.io/cluster-issuer", "letsencrypt-prod"}}}}},
      {"spec",
       {{"ingressClassName", "nginx"},
        {"tls", Json::array({{{"hosts", {"a.litedesk.com"}}, {"secretName", "web-tls"}}})},
        {"rules", Json::array({{{"host", "a.litedesk.com"}, {"http", {{"paths", Json::array({path})}}}}})}}}};
  CHECK(cluster.apply(ingresses + "/web", ingress).status == 201);
  CHECK(at(cluster.get(ingresses + "/web"), "status.loadBalancer.ingress").is_null());
  cluster.pass(1);
  CHECK(at(cluster.get(ingresses + "/web"), "status.loadBalancer.ingress") ==
        Json::array({{{"hostname", load_balancer}}}));
  const auto made = cluster.get(certificates + "/web-tls");
  CHECK(at(made, "spec.dnsNames") == Json::array({"a.litedesk.com"}));
  CHECK(made["metadata"]["ownerReferences"][0]["kind"] == "Ingress");
  cluster.send("DELETE", ingresses + "/web");
  CHECK(cluster.send("GET", certificates + "/web-tls").status == 404);
}
