#include "providers/kubernetes/rollout_status.hpp"

#include <ostream>

#include <doctest/doctest.h>

using namespace litedesk;
using namespace litedesk::kubernetes;

namespace litedesk::kubernetes {
std::ostream& operator<<(std::ostream& out, Progress progress) {
  return out << (progress == Progress::waiting ? "waiting" : progress == Progress::done ? "done" : "failed");
}
}  // namespace litedesk::kubernetes

namespace {

Object parse(const char* json) {
  return Object(Json::parse(json));
}

struct Row {
  const char* json;
  Progress progress;
  const char* message;
};

PodTrouble only(const std::vector<PodTrouble>& troubles) {
  REQUIRE(troubles.size() == 1);
  return troubles.front();
}

Object pod_with(const std::string& container_status, const std::string& policy = "Always") {
  return Object(Json::parse(R"({"spec":{"restartPolicy":")" + policy +
                            R"("},"status":{"phase":"Running","containerStatuses":[)" + container_status + "]}}"));
}

}  // namespace

TEST_CASE("a Deployment is rolled out when kubectl says so") {
  for (
      const auto& row : {
          Row{R"({"metadata":{"generation":2},"spec":{"replicas":2},"status":{"observedGeneration":1,"replicas":2,"updatedReplicas":2,"availableReplicas":2,"readyReplicas":2}})",
              Progress::waiting, "waiting for the controller"},
          Row{R"({"metadata":{"generation":1}})", Progress::waiting, "waiting for the controller"},
          Row{R"({"metadata":{"generation":1},"status":{"observedGeneration":1}})", Progress::waiting, "0/1 updated"},
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":2},"status":{"observedGeneration":1,"conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"ReplicaSet x has timed out progressing."}]}})",
              Progress::failed, "progress deadline exceeded: ReplicaSet x has timed out progressing."},
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":3},"status":{"observedGeneration":1,"replicas":3,"updatedReplicas":1}})",
              Progress::waiting, "1/3 updated"},
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":3,"paused":true},"status":{"observedGeneration":1,"replicas":3,"updatedReplicas":1}})",
              Progress::waiting, "1/3 updated, paused"},
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":2},"status":{"observedGeneration":1,"replicas":3,"updatedReplicas":2,"availableReplicas":2,"readyReplicas":3}})",
              Progress::waiting, "1 old pod terminating"},
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":2},"status":{"observedGeneration":1,"replicas":2,"updatedReplicas":2,"availableReplicas":1,"readyReplicas":1}})",
              Progress::waiting, "1/2 ready"},
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":2},"status":{"observedGeneration":1,"replicas":2,"updatedReplicas":2,"availableReplicas":1,"readyReplicas":2}})",
              Progress::waiting, "1/2 available"},
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":2},"status":{"observedGeneration":1,"replicas":2,"updatedReplicas":2,"availableReplicas":2,"readyReplicas":2}})",
              Progress::done, "2/2 ready"},
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":0},"status":{"observedGeneration":1}})",
              Progress::done, "scaled to zero"},
          // Rolled out once, then crashed: Progressing stays True.
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":1},"status":{"observedGeneration":1,"replicas":1,"updatedReplicas":1,"conditions":[{"type":"Progressing","status":"True","reason":"NewReplicaSetAvailable"}]}})",
              Progress::waiting, "0/1 ready"},
      }) {
    CAPTURE(row.json);
    const auto status = deployment_status(parse(row.json));
    CHECK(status.progress == row.progress);
    CHECK(status.message == row.message);
  }
}

TEST_CASE("a StatefulSet is rolled out when kubectl says so") {
  for (
      const auto& row : {
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":1}})", Progress::waiting,
              "waiting for the controller"},
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":2},"status":{"observedGeneration":1,"readyReplicas":1}})",
              Progress::waiting, "1/2 ready"},
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":2},"status":{"observedGeneration":1,"readyReplicas":2,"updatedReplicas":1,"updateRevision":"b","currentRevision":"a"}})",
              Progress::waiting, "1/2 updated"},
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":2},"status":{"observedGeneration":1,"readyReplicas":2,"updateRevision":"a","currentRevision":"a"}})",
              Progress::done, "2/2 ready"},
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":3,"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":1}}},"status":{"observedGeneration":1,"readyReplicas":3,"updatedReplicas":1,"updateRevision":"b","currentRevision":"a"}})",
              Progress::waiting, "1/2 updated (partition 1)"},
          Row{R"({"metadata":{"generation":1},"spec":{"replicas":3,"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":1}}},"status":{"observedGeneration":1,"readyReplicas":3,"updatedReplicas":2,"updateRevision":"b","currentRevision":"a"}})",
              Progress::done, "3/3 ready"},
          Row{R"({"metadata":{"generation":1},"spec":{"updateStrategy":{"type":"OnDelete"}},"status":{"observedGeneration":1}})",
              Progress::failed,
              "the update strategy is OnDelete: its pods are replaced only when they are deleted by hand"},
      }) {
    CAPTURE(row.json);
    const auto status = stateful_set_status(parse(row.json));
    CHECK(status.progress == row.progress);
    CHECK(status.message == row.message);
  }
}

TEST_CASE("a Job is done when it is Complete and failed as soon as it will fail") {
  for (
      const auto& row : {
          Row{R"({})", Progress::waiting, "waiting for the controller"},
          Row{R"({"status":{"active":1}})", Progress::waiting, "0/1 succeeded, 1 running"},
          Row{R"({"status":{"active":1,"failed":2}})", Progress::waiting, "0/1 succeeded, 1 running, 2 failed"},
          Row{R"({"status":{"succeeded":1,"conditions":[{"type":"SuccessCriteriaMet","status":"True"}]}})",
              Progress::waiting, "succeeded, its last pods are terminating"},
          Row{R"({"status":{"succeeded":1,"conditions":[{"type":"SuccessCriteriaMet","status":"True"},{"type":"Complete","status":"True"}]}})",
              Progress::done, "1/1 succeeded"},
          Row{R"({"status":{"failed":1,"conditions":[{"type":"FailureTarget","status":"True","reason":"BackoffLimitExceeded","message":"too many"}]}})",
              Progress::failed, "BackoffLimitExceeded: too many"},
          Row{R"({"status":{"failed":1,"conditions":[{"type":"Failed","status":"True","reason":"DeadlineExceeded"}]}})",
              Progress::failed, "DeadlineExceeded"},
          Row{R"({"status":{"conditions":[{"type":"Suspended","status":"True"}]}})", Progress::waiting, "suspended"},
      }) {
    CAPTURE(row.json);
    const auto status = job_status(parse(row.json));
    CHECK(status.progress == row.progress);
    CHECK(status.message == row.message);
  }
}

TEST_CASE("a pod that runs, starts or has ended well is in no trouble") {
  for (
      const auto* container :
      {R"({"name":"c","ready":true,"restartCount":0,"state":{"running":{}}})",
       R"({"name":"c","ready":false,"state":{"waiting":{"reason":"ContainerCreating"}}})",
       R"({"name":"c","ready":false,"state":{"waiting":{"reason":"PodInitializing"}}})", R"({"name":"c","state":{}})",
       // Restarted once, and well since.
       R"({"name":"c","ready":true,"restartCount":1,"state":{"running":{}},"lastState":{"terminated":{"exitCode":1}}})"}) {
    CAPTURE(container);
    CHECK(pod_troubles(pod_with(container)).empty());
  }
  CHECK(pod_troubles(pod_with(R"({"name":"c","state":{"terminated":{"exitCode":0,"reason":"Completed"}}})", "Never"))
            .empty());
  CHECK(pod_troubles(Object()).empty());
}

TEST_CASE("a container that waits says why, and whether waiting can help") {
  struct WaitingRow {
    const char* reason;
    bool image, crash, final;
  };
  for (const auto& row :
       {WaitingRow{"ErrImagePull", true, false, false}, WaitingRow{"ImagePullBackOff", true, false, false},
        WaitingRow{"InvalidImageName", true, false, true}, WaitingRow{"ErrImageNeverPull", true, false, true},
        WaitingRow{"CreateContainerConfigError", false, false, true},
        WaitingRow{"CreateContainerError", false, false, false}, WaitingRow{"RunContainerError", false, true, false},
        WaitingRow{"CrashLoopBackOff", false, true, false}}) {
    CAPTURE(row.reason);
    const auto trouble =
        only(pod_troubles(pod_with(std::string(R"({"name":"c","restartCount":2,"state":{"waiting":{"reason":")") +
                                   row.reason + R"(","message":"why"}}})")));
    CHECK(trouble.container == "c");
    CHECK(trouble.reason == row.reason);
    CHECK(trouble.message == "why");
    CHECK(trouble.restarts == 2);
    CHECK(trouble.image == row.image);
    CHECK(trouble.crash == row.crash);
    CHECK(trouble.final == row.final);
  }
}

TEST_CASE("the cause of a crash loop is how the last run ended") {
  auto trouble = only(pod_troubles(pod_with(
      R"({"name":"c","restartCount":4,"state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 5m0s"}},"lastState":{"terminated":{"exitCode":3,"reason":"Error","message":"no database"}}})")));
  CHECK(trouble.reason == "CrashLoopBackOff");
  CHECK(trouble.message == "exit code 3: no database");
  CHECK(trouble.exit_code == 3);
  CHECK(trouble.restarts == 4);
  CHECK(trouble.crash);
  trouble = only(pod_troubles(pod_with(
      R"({"name":"c","restartCount":1,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}})")));
  CHECK(trouble.reason == "OOMKilled");
  CHECK(trouble.message == "exit code 137 (OOMKilled)");
  // Between the crash and the back-off, and between the back-off and the next crash.
  CHECK(only(pod_troubles(
                 pod_with(R"({"name":"c","restartCount":0,"state":{"terminated":{"exitCode":1,"reason":"Error"}}})")))
            .reason == "Error");
  trouble = only(pod_troubles(pod_with(
      R"({"name":"c","ready":false,"restartCount":2,"state":{"running":{}},"lastState":{"terminated":{"exitCode":1,"reason":"Error"}}})")));
  CHECK(trouble.crash);
  CHECK(trouble.restarts == 2);
  // A server that ends, even well, is in trouble; a Job's pod is not.
  CHECK(
      only(pod_troubles(pod_with(R"({"name":"c","state":{"terminated":{"exitCode":0,"reason":"Completed"}}})"))).crash);
}

TEST_CASE("init containers are looked at as well") {
  const auto trouble = only(pod_troubles(parse(
      R"({"status":{"initContainerStatuses":[{"name":"done","state":{"terminated":{"exitCode":0}}},{"name":"wait","state":{"terminated":{"exitCode":2,"reason":"Error"}}}],
          "containerStatuses":[{"name":"c","state":{"waiting":{"reason":"PodInitializing"}}}]}})")));
  CHECK(trouble.container == "wait");
  CHECK(trouble.exit_code == 2);
}

TEST_CASE("the pod's own troubles have no container") {
  auto trouble = only(pod_troubles(parse(
      R"({"status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes are available"}]}})")));
  CHECK(trouble.container == "");
  CHECK(trouble.unschedulable);
  CHECK(trouble.message == "0/3 nodes are available");
  trouble = only(pod_troubles(
      parse(R"({"status":{"conditions":[{"type":"PodScheduled","status":"False","reason":"SchedulingGated"}]}})")));
  CHECK_FALSE(trouble.unschedulable);
  trouble = only(pod_troubles(parse(
      R"({"status":{"phase":"Failed","reason":"Evicted","message":"low on memory","conditions":[{"type":"DisruptionTarget","status":"True"}]}})")));
  CHECK(trouble.reason == "Evicted");
  CHECK(trouble.message == "low on memory");
  CHECK(
      only(
          pod_troubles(parse(
              R"({"status":{"conditions":[{"type":"DisruptionTarget","status":"True","reason":"PreemptionByScheduler"}]}})")))
          .reason == "PreemptionByScheduler");
}

TEST_CASE("only the ReplicaSet of the present template speaks for a rollout") {
  auto deployment = parse(
      R"({"metadata":{"uid":"d","generation":2,"annotations":{"deployment.kubernetes.io/revision":"2"}},"status":{"observedGeneration":2}})");
  const auto set = [](const std::string& owner, const std::string& revision) {
    return Object(Json{{"metadata",
                        {{"annotations", {{"deployment.kubernetes.io/revision", revision}}},
                         {"ownerReferences", {{{"uid", "other"}}, {{"uid", owner}, {"controller", true}}}}}}});
  };
  CHECK(is_current_replica_set(deployment, set("d", "2")));
  CHECK_FALSE(is_current_replica_set(deployment, set("d", "1")));
  CHECK_FALSE(is_current_replica_set(deployment, set("another", "2")));
  CHECK_FALSE(is_current_replica_set(deployment, Object()));

  deployment.json()["metadata"]["generation"] = 3;  // not yet seen by the controller
  CHECK_FALSE(is_current_replica_set(deployment, set("d", "2")));
  deployment.json()["metadata"] = {{"uid", "d"}};  // no revision yet
  CHECK_FALSE(is_current_replica_set(deployment, Object()));
  CHECK(controller_uid(Object()).empty());
}

TEST_CASE("pods that the API server refuses to create are a ReplicaFailure") {
  const auto* const failure =
      R"({"status":{"conditions":[{"type":"ReplicaFailure","status":"True","reason":"FailedCreate","message":"exceeded quota"}]}})";
  REQUIRE(replica_failure(parse(failure)));
  CHECK(replica_failure(parse(failure))->message == "exceeded quota");
  CHECK_FALSE(replica_failure(parse(R"({"status":{"conditions":[{"type":"ReplicaFailure","status":"False"}]}})")));
  CHECK_FALSE(replica_failure(Object()));
}
