#include <functional>

#include "kubernetes_cluster_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using namespace litedesk::sandbox::tests;

namespace {

const std::string pods = acme + "/pods";
const std::string jobs = "/apis/batch/v1/namespaces/acme/jobs";

std::vector<Json> pods_of(TestCluster& cluster) {
  return cluster.get(pods)["items"].get<std::vector<Json>>();
}

Json only_pod(TestCluster& cluster) {
  const auto all = pods_of(cluster);
  REQUIRE(all.size() == 1);
  return all.front();
}

Json job(const std::string& image, int backoff_limit = 0) {
  return {{"apiVersion", "batch/v1"},
          {"kind", "Job"},
          {"metadata", {{"name", "first"}}},
          {"spec",
           {{"backoffLimit", backoff_limit},
            {"template",
             {{"spec",
               {{"restartPolicy", "Never"}, {"containers", Json::array({{{"name", "main"}, {"image", image}}})}}}}}}}};
}

}  // namespace

TEST_CASE("a Deployment rolls out: a ReplicaSet, pods, and a status as the controller writes it") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:1", 2));
  auto live = cluster.get(deployments + "/web");
  CHECK(at(live, "status.observedGeneration") == 1);
  CHECK(at(live, "status.unavailableReplicas") == 2);
  CHECK(condition(live, "Available") == "False");
  CHECK(condition(live, "Available", "reason") == "MinimumReplicasUnavailable");
  CHECK(condition(live, "Progressing", "reason") == "ReplicaSetUpdated");
  cluster.pass(1);
  live = cluster.get(deployments + "/web");
  CHECK(at(live, "status.readyReplicas") == 2);
  CHECK(at(live, "status.availableReplicas") == 2);
  CHECK(at(live, "status.updatedReplicas") == 2);
  CHECK(condition(live, "Available", "reason") == "MinimumReplicasAvailable");
  CHECK(condition(live, "Progressing", "reason") == "NewReplicaSetAvailable");
  CHECK(kube::annotation_of(live, "deployment.kubernetes.io/revision") == "1");

  const auto sets = cluster.get("/apis/apps/v1/namespaces/acme/replicasets")["items"];
  REQUIRE(sets.size() == 1);
  CHECK(sets[0]["metadata"]["ownerReferences"][0]["uid"] == live["metadata"]["uid"]);
  for (const auto& pod : pods_of(cluster)) {
    CHECK(pod["metadata"]["ownerReferences"][0]["uid"] == sets[0]["metadata"]["uid"]);
    CHECK(kube::label_of(pod, "pod-template-hash") == kube::label_of(sets[0], "pod-template-hash"));
    CHECK(text(pod, "status.phase") == "Running");
  }
}

TEST_CASE("with a time scale of 0 all is done at the first look") {
  TestCluster cluster(0);
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:slow", 3));
  CHECK(at(cluster.get(deployments + "/web"), "status.availableReplicas") == 3);
  cluster.apply(deployments + "/bad", deployment("bad", "bad:crash"));
  CHECK(condition(cluster.get(deployments + "/bad"), "Available") == "False");
}

TEST_CASE("an update replaces the pods step by step, and keeps the old ReplicaSet for a way back") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:1", 2));
  cluster.pass(2);
  cluster.apply(deployments + "/web", deployment("web", "web:2", 2));
  auto live = cluster.get(deployments + "/web");
  CHECK(at(live, "status.updatedReplicas") == 1);
  CHECK(at(live, "status.replicas") == 3);
  CHECK(condition(live, "Available") == "True");
  for (int second = 0; second < 10; ++second) {
    cluster.pass(1);
    CHECK(at(cluster.get(deployments + "/web"), "status.availableReplicas").get<int>() >= 2);
  }
  live = cluster.get(deployments + "/web");
  CHECK(at(live, "status.replicas") == 2);
  CHECK(at(live, "status.updatedReplicas") == 2);
  CHECK(kube::annotation_of(live, "deployment.kubernetes.io/revision") == "2");
  CHECK(cluster.get("/apis/apps/v1/namespaces/acme/replicasets")["items"].size() == 2);
  for (const auto& pod : pods_of(cluster)) CHECK(at(pod, "spec.containers")[0]["image"] == "web:2");
}

TEST_CASE("an update that fails leaves the old pods running") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:1", 2));
  cluster.pass(2);
  cluster.apply(deployments + "/web", deployment("web", "web:missing", 2));
  cluster.pass(30);
  const auto live = cluster.get(deployments + "/web");
  CHECK(at(live, "status.availableReplicas") == 2);
  CHECK(at(live, "status.updatedReplicas") == 1);
  CHECK(condition(live, "Progressing", "reason") == "ReplicaSetUpdated");
}

TEST_CASE("the Recreate strategy lets the old pods end first") {
  TestCluster cluster;
  cluster.make_namespace();
  auto object = deployment("web", "web:1", 2);
  object["spec"]["strategy"]["type"] = "Recreate";
  cluster.apply(deployments + "/web", object);
  cluster.pass(2);
  object["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2";
  cluster.apply(deployments + "/web", object);
  for (const auto& pod : pods_of(cluster)) CHECK(at(pod, "spec.containers")[0]["image"] == "web:1");
  cluster.pass(5);
  CHECK(at(cluster.get(deployments + "/web"), "status.availableReplicas") == 2);
  for (const auto& pod : pods_of(cluster)) CHECK(at(pod, "spec.containers")[0]["image"] == "web:2");
}

TEST_CASE("an image that is not there: ErrImagePull, ImagePullBackOff, and events that say why") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:missing"));
  CHECK(waiting_reason(only_pod(cluster)) == "ContainerCreating");
  cluster.pass(1);
  CHECK(waiting_reason(only_pod(cluster)) == "ErrImagePull");
  cluster.pass(0.5);
  const auto pod = only_pod(cluster);
  CHECK(waiting_reason(pod) == "ImagePullBackOff");
  CHECK(text(pod, "status.phase") == "Pending");
  cluster.pass(8);
  const auto events = cluster.get(acme + "/events?fieldSelector=involvedObject.name%3D" + kube::name_of(pod) +
                                  "%2Creason%3DFailed%2Ctype%3DWarning")["items"];
  std::int64_t pulls = 0;
  for (const auto& event : events)
    if (text(event, "message").starts_with("Failed to pull image \"web:missing\""))
      pulls = event["count"].get<std::int64_t>();
  CHECK(pulls == 3);
}

TEST_CASE("a container that ends restarts ever again, first soon and then every 20 s") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:crash"));
  const auto restarts = [&] { return at(only_pod(cluster), "status.containerStatuses")[0]["restartCount"].get<int>(); };
  cluster.pass(1.5);
  CHECK(restarts() == 1);
  const auto status = at(only_pod(cluster), "status.containerStatuses")[0];
  CHECK(text(status, "state.waiting.reason") == "CrashLoopBackOff");
  CHECK(at(status, "lastState.terminated.exitCode") == 1);
  cluster.pass(3);
  CHECK(restarts() == 3);
  cluster.pass(20);
  CHECK(restarts() == 4);
  cluster.pass(7 * 86'400);
  CHECK(restarts() > 30'000);
  CHECK(restarts() < 30'500);
}

TEST_CASE("a pod that no node can take says so and waits") {
  TestCluster cluster;
  cluster.make_namespace();
  auto object = deployment("web", "web:1");
  object["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "65";
  cluster.apply(deployments + "/web", object);
  const auto pod = only_pod(cluster);
  CHECK(condition(pod, "PodScheduled") == "False");
  CHECK(condition(pod, "PodScheduled", "reason") == "Unschedulable");
  CHECK(condition(pod, "PodScheduled", "message").starts_with("0/2 nodes are available: 2 Insufficient cpu."));
}

TEST_CASE("a container whose Secret is missing waits for it, and starts when it comes") {
  TestCluster cluster;
  cluster.make_namespace();
  auto object = deployment("web", "web:1");
  object["spec"]["template"]["spec"]["containers"][0]["env"] =
      Json::array({{{"name", "A"}, {"valueFrom", {{"secretKeyRef", {{"name", "app"}, {"key", "key"}}}}}}});
  cluster.apply(deployments + "/web", object);
  cluster.pass(1);
  CHECK(waiting_reason(only_pod(cluster)) == "CreateContainerConfigError");
  CHECK(at(only_pod(cluster), "status.containerStatuses")[0]["state"]["waiting"]["message"] ==
        "secret \"app\" not found");
  cluster.apply(
      acme + "/secrets/app",
      {{"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", {{"name", "app"}}}, {"stringData", {{"key", "x"}}}});
  CHECK(text(only_pod(cluster), "status.phase") == "Running");
}

TEST_CASE("a rollout that does not end exceeds its deadline") {
  TestCluster cluster;
  cluster.make_namespace();
  auto object = deployment("web", "web:missing");
  object["spec"]["progressDeadlineSeconds"] = 60;
  cluster.apply(deployments + "/web", object);
  cluster.pass(59);
  CHECK(condition(cluster.get(deployments + "/web"), "Progressing") == "True");
  cluster.pass(2);
  const auto live = cluster.get(deployments + "/web");
  CHECK(condition(live, "Progressing") == "False");
  CHECK(condition(live, "Progressing", "reason") == "ProgressDeadlineExceeded");
}

TEST_CASE("a paused Deployment starts nothing new") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:1"));
  cluster.pass(2);
  cluster.merge(deployments + "/web", {{"spec", {{"paused", true}}}});
  cluster.merge(deployments + "/web", {{"spec", {{"template", {{"metadata", {{"annotations", {{"a", "b"}}}}}}}}}});
  CHECK(cluster.get("/apis/apps/v1/namespaces/acme/replicasets")["items"].size() == 1);
  CHECK(condition(cluster.get(deployments + "/web"), "Progressing", "reason") == "DeploymentPaused");
}

TEST_CASE("a pod that was deleted is replaced, and a Deployment takes all of its own with it") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:1"));
  cluster.pass(2);
  const auto first = only_pod(cluster);
  const auto going = cluster.send("DELETE", pods + "/" + kube::name_of(first));
  CHECK(text(going.body, "kind") == "Pod");
  CHECK_FALSE(text(going.body, "metadata.deletionTimestamp").empty());
  cluster.pass(2);
  CHECK(only_pod(cluster)["metadata"]["uid"] != first["metadata"]["uid"]);
  cluster.send("DELETE", deployments + "/web");
  cluster.pass(1);
  CHECK(pods_of(cluster).empty());
  CHECK(cluster.get("/apis/apps/v1/namespaces/acme/replicasets")["items"].empty());
}

TEST_CASE("a foreground deletion waits for the dependents, an orphaning one leaves them") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:1"));
  cluster.pass(2);
  const auto going = cluster.send("DELETE", deployments + "/web", {{"propagationPolicy", "Foreground"}});
  CHECK(at(going.body, "metadata.finalizers") == Json::array({"foregroundDeletion"}));
  cluster.pass(2);
  CHECK(cluster.send("GET", deployments + "/web").status == 404);
  CHECK(pods_of(cluster).empty());

  cluster.apply(deployments + "/web", deployment("web", "web:1"));
  cluster.pass(2);
  cluster.send("DELETE", deployments + "/web", {{"propagationPolicy", "Orphan"}});
  CHECK(cluster.send("GET", deployments + "/web").status == 404);
  const auto sets = cluster.get("/apis/apps/v1/namespaces/acme/replicasets")["items"];
  REQUIRE(sets.size() == 1);
  CHECK_FALSE(sets[0]["metadata"].contains("ownerReferences"));
}

TEST_CASE("a Job completes two seconds after it was made") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", jobs, job("seed:1"));
  CHECK(at(cluster.get(jobs + "/first"), "status.active") == 1);
  cluster.pass(2);
  const auto live = cluster.get(jobs + "/first");
  CHECK(condition(live, "SuccessCriteriaMet") == "True");
  CHECK(condition(live, "Complete", "reason") == "CompletionsReached");
  CHECK(at(live, "status.succeeded") == 1);
  CHECK(text(only_pod(cluster), "status.phase") == "Succeeded");
}

TEST_CASE("a Job whose pods fail gives up after its back-off limit") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", jobs, job("seed:fail", 1));
  cluster.pass(2);
  CHECK(condition(cluster.get(jobs + "/first"), "Failed").empty());
  cluster.pass(2);
  const auto live = cluster.get(jobs + "/first");
  CHECK(condition(live, "FailureTarget", "reason") == "BackoffLimitExceeded");
  CHECK(condition(live, "Failed", "reason") == "BackoffLimitExceeded");
  CHECK(at(live, "status.failed") == 2);
}

TEST_CASE("a StatefulSet makes its pods in order, each with its volume") {
  TestCluster cluster;
  cluster.make_namespace();
  auto object = deployment("mongo", "mongo:7", 2);
  object["kind"] = "StatefulSet";
  object["spec"]["serviceName"] = "mongo";
  object["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
      Json::array({{{"name", "data"}, {"mountPath", "/data"}}});
  object["spec"]["volumeClaimTemplates"] = Json::array(
      {{{"metadata", {{"name", "data"}}},
        {"spec", {{"accessModes", {"ReadWriteOnce"}}, {"resources", {{"requests", {{"storage", "10Gi"}}}}}}}}});
  const std::string sets = "/apis/apps/v1/namespaces/acme/statefulsets";
  CHECK(cluster.send("POST", sets, object).status == 201);
  CHECK(kube::name_of(only_pod(cluster)) == "mongo-0");
  cluster.pass(1);
  CHECK(pods_of(cluster).size() == 2);
  cluster.pass(1);
  const auto live = cluster.get(sets + "/mongo");
  CHECK(at(live, "status.readyReplicas") == 2);
  CHECK(at(live, "status.currentRevision") == at(live, "status.updateRevision"));
  CHECK(at(cluster.get(acme + "/persistentvolumeclaims/data-mongo-1"), "status.phase") == "Bound");
  object["spec"]["template"]["spec"]["containers"][0]["image"] = "mongo:8";
  CHECK(cluster.send("PUT", sets + "/mongo", object).status == 200);
  cluster.pass(10);
  for (const auto& pod : pods_of(cluster)) CHECK(at(pod, "spec.containers")[0]["image"] == "mongo:8");
  CHECK(at(cluster.get(sets + "/mongo"), "status.updatedReplicas") == 2);
}

TEST_CASE("logs: what ran has written, what waits has not") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:crash"));
  const auto log = pods + "/" + kube::name_of(only_pod(cluster)) + "/log";
  const auto early = cluster.send("GET", log);
  CHECK(early.status == 400);
  CHECK(early.message().ends_with("is waiting to start: ContainerCreating"));
  cluster.pass(2);
  const auto written = cluster.raw("GET", log + "?tailLines=1");
  CHECK(written.content_type == "text/plain");
  CHECK(written.body == "MongoServerSelectionError: connect ECONNREFUSED 127.0.0.1:27017\n");
  CHECK(cluster.raw("GET", log + "?previous=true").status == 200);
  CHECK(cluster.send("GET", log + "?container=x").message().starts_with("container x is not valid for pod web-"));
  CHECK(cluster.raw("GET", log + "?timestamps=true&limitBytes=20").body == "2026-01-02T03:04:06.");
}

TEST_CASE("an autoscaler keeps its target between its bounds, and rests while it is scaled to none") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:1"));
  const std::string autoscalers = "/apis/autoscaling/v2/namespaces/acme/horizontalpodautoscalers";
  const Json scaler = {{"apiVersion", "autoscaling/v2"},
                       {"kind", "HorizontalPodAutoscaler"},
                       {"metadata", {{"name", "web"}}},
                       {"spec",
                        {{"minReplicas", 2},
                         {"maxReplicas", 10},
                         {"scaleTargetRef", {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", "web"}}}}}};
  CHECK(cluster.send("POST", autoscalers, scaler).status == 201);
  CHECK(cluster.get(deployments + "/web")["spec"]["replicas"] == 2);
  cluster.merge(deployments + "/web/scale", {{"spec", {{"replicas", 0}}}});
  CHECK(cluster.get(deployments + "/web")["spec"]["replicas"] == 0);
  CHECK(condition(cluster.get(autoscalers + "/web"), "ScalingActive", "reason") == "ScalingDisabled");
}

TEST_CASE("an object that its controller cannot bring on stops nobody else") {
  TestCluster cluster(0);
  cluster.make_namespace();
  REQUIRE(cluster.apply(deployments + "/web", deployment("web", "web:1")).status == 201);
  const auto tamper = [&](const std::function<void(Json&)>& change) {
    cluster.state().write([&] {
      auto rows = cluster.state().list("kubernetes/replicasets.apps", "acme");
      REQUIRE(rows.size() == 1);
      change(rows[0].body["spec"]["selector"]);
      cluster.state().put(rows[0].collection, "acme", rows[0].name, rows[0].body);
    });
  };
  // As an older version of this program stored it: the same.
  tamper([](Json& selector) { selector["matchExpressions"] = Json::array(); });
  CHECK(cluster.apply(deployments + "/web", deployment("web", "web:1", 2)).status == 200);
  CHECK(at(cluster.get(deployments + "/web"), "status.readyReplicas") == 2);
  // Another selector, which no update may change back.
  tamper([](Json& selector) { selector["matchLabels"]["app"] = "other"; });
  CHECK(cluster.apply(deployments + "/web", deployment("web", "web:1", 3)).status == 200);
  CHECK(cluster.send("POST", acme + "/configmaps", config_map("one", {{"a", "1"}})).status == 201);
}
