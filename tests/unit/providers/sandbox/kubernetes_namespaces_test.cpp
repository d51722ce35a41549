#include "kubernetes_cluster_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using namespace litedesk::sandbox::tests;

TEST_CASE("a new namespace is labelled with its name and furnished") {
  TestCluster cluster;
  cluster.make_namespace();
  CHECK(kube::label_of(cluster.get("/api/v1/namespaces/acme"), "kubernetes.io/metadata.name") == "acme");
  CHECK(cluster.send("GET", acme + "/serviceaccounts/default").status == 200);
  const auto root = cluster.get(acme + "/configmaps/kube-root-ca.crt");
  CHECK(root["data"]["ca.crt"].get<std::string>().starts_with("-----BEGIN CERTIFICATE-----"));
  CHECK(root["data"] == cluster.get("/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt")["data"]);
}

TEST_CASE("a namespace that is deleted terminates for a second, takes nothing new, and is gone with all in it") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", acme + "/configmaps", config_map("one", {}));
  cluster.apply(deployments + "/web", deployment("web", "web:1"));
  cluster.pass(2);
  const auto going = cluster.send("DELETE", "/api/v1/namespaces/acme");
  CHECK(going.status == 200);
  CHECK(at(going.body, "status.phase") == "Terminating");
  const auto refused = cluster.send("POST", acme + "/configmaps", config_map("two", {}));
  CHECK(refused.status == 403);
  CHECK(
      refused.message() ==
      "configmaps \"two\" is forbidden: unable to create new content in namespace acme because it is being terminated");
  CHECK(at(refused.body, "details.causes")[0]["reason"] == "NamespaceTerminating");
  CHECK(cluster.send("GET", acme + "/configmaps/one").status == 200);
  cluster.pass(1);
  CHECK(cluster.send("GET", "/api/v1/namespaces/acme").status == 404);
  CHECK(cluster.get(acme + "/configmaps")["items"].empty());
  CHECK(cluster.get(acme + "/pods")["items"].empty());
  CHECK(cluster.get(acme + "/events")["items"].empty());
  cluster.make_namespace();
  CHECK(cluster.get(acme + "/pods")["items"].empty());
}

TEST_CASE("a namespace waits for finalizers in it, and says for which") {
  TestCluster cluster;
  cluster.make_namespace();
  auto object = config_map("one", {});
  object["metadata"]["finalizers"] = {"example.com/hold"};
  cluster.send("POST", acme + "/configmaps", object);
  cluster.send("DELETE", "/api/v1/namespaces/acme");
  cluster.pass(5);
  const auto stuck = cluster.get("/api/v1/namespaces/acme");
  CHECK(condition(stuck, "NamespaceContentRemaining") == "True");
  CHECK(condition(stuck, "NamespaceContentRemaining", "message") ==
        "Some resources are remaining: configmaps. has 1 resource instances");
  CHECK(condition(stuck, "NamespaceFinalizersRemaining", "message") ==
        "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances");
  cluster.merge(acme + "/configmaps/one", {{"metadata", {{"finalizers", nullptr}}}});
  CHECK(cluster.send("GET", "/api/v1/namespaces/acme").status == 404);
}

TEST_CASE("at a time scale of 0 a namespace is gone at the next look") {
  TestCluster cluster(0);
  cluster.make_namespace();
  cluster.send("DELETE", "/api/v1/namespaces/acme");
  CHECK(cluster.send("GET", "/api/v1/namespaces/acme").status == 404);
}

TEST_CASE("the seed: what a sandbox needs to be provisioned on") {
  TestCluster cluster;
  CHECK(text(cluster.get("/api/v1/namespaces/kube-system"), "metadata.uid") == "5a4db0c5-0000-4000-8000-000000000001");
  CHECK(at(cluster.get("/api/v1/namespaces/ingress-nginx/services/ingress-nginx-controller"),
           "status.loadBalancer.ingress") == Json::array({{{"hostname", load_balancer}}}));
  CHECK(cluster.send("GET", "/apis/networking.k8s.io/v1/ingressclasses/nginx").status == 200);
  CHECK(condition(cluster.get("/apis/cert-manager.io/v1/clusterissuers/letsencrypt-prod"), "Ready") == "True");
  CHECK(condition(cluster.get("/api/v1/nodes/node-1"), "Ready") == "True");
  CHECK(cluster.send("GET", "/apis/storage.k8s.io/v1/storageclasses/standard").status == 200);
  CHECK(condition(cluster.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/certificates.cert-manager.io"),
                  "Established") == "True");
  const auto before = cluster.state().revision();
  const auto again = make_kubernetes_api({cluster.state(), cluster.clock(), 1.0, "litedesk.com", tests::keys});
  CHECK(cluster.state().revision() == before);
}
