#include <algorithm>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_controllers.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_status.hpp"
#include "providers/sandbox/kubernetes_write.hpp"

namespace litedesk::sandbox::kube {

namespace {

constexpr std::string_view component = "job-controller";

class JobRun {
 public:
  JobRun(World& world, Record job) : world_(world), job_(std::move(job)) {
    for (auto& pod : controlled(world, "pods", job_.object)) {
      const auto phase = text(pod.object, "status.phase");
      if (phase == "Succeeded")
        ++succeeded_;
      else if (phase == "Failed")
        ++failed_;
      else if (at(pod.object, "metadata.deletionTimestamp").is_null())
        active_.push_back(std::move(pod));
      else
        ++terminating_;
    }
    status_ = at(job_.object, "status");
    if (!status_.is_object()) status_ = Json::object();
  }

  void run() {
    if (!condition_of(job_.object, "Complete").is_null() || !condition_of(job_.object, "Failed").is_null())
      return expire();
    if (flag(job_.object, "spec.suspend")) {
      for (const auto& pod : active_) remove_object(world_, world_.kinds().get("pods"), pod, {});
      active_.clear();
      return store();
    }
    if (!status_.contains("startTime")) status_["startTime"] = world_.stamp();
    const auto completions = integer(job_.object, "spec.completions", 1);
    if (succeeded_ >= completions) {
      finish("SuccessCriteriaMet", "Complete", "CompletionsReached", "Reached expected number of succeeded pods");
      status_["completionTime"] = world_.stamp();
      record_event(world_, job_.object, "Normal", "Completed", "Job completed", component);
    } else if (failed_ > integer(job_.object, "spec.backoffLimit", 6)) {
      fail("BackoffLimitExceeded", "Job has reached the specified backoff limit");
    } else if (late()) {
      fail("DeadlineExceeded", "Job was active longer than specified deadline");
    } else {
      make_pods(std::min(integer(job_.object, "spec.parallelism", 1), completions - succeeded_));
    }
    store();
    expire();
  }

 private:
  void finish(const char* first, const char* last, const char* reason, const char* message) {
    for (const auto* type : {first, last})
      set_condition(status_["conditions"],
                    {{"type", type},
                     {"status", "True"},
                     {"reason", reason},
                     {"message", message},
                     {"lastProbeTime", world_.stamp()}},
                    world_.stamp());
  }

  void fail(const char* reason, const char* message) {
    finish("FailureTarget", "Failed", reason, message);
    record_event(world_, job_.object, "Warning", reason, message, component);
    for (const auto& pod : active_) remove_object(world_, world_.kinds().get("pods"), pod, {});
    active_.clear();
  }

  bool late() {
    const auto limit = integer(job_.object, "spec.activeDeadlineSeconds");
    if (limit == 0) return false;
    const auto end = from_stamp(text(status_, "startTime")) + (world_.in(static_cast<double>(limit)) - world_.now());
    if (end <= world_.now() && world_.time_scale() > 0) return true;
    if (world_.time_scale() > 0) world_.wake_at(end, "job", namespace_of(job_.object), name_of(job_.object));
    return false;
  }

  void make_pods(std::int64_t wanted) {
    while (static_cast<std::int64_t>(active_.size()) < wanted) {
      try {
        active_.push_back(create_object(world_, world_.kinds().get("pods"), namespace_of(job_.object),
                                        pod_from_template(job_.object, at(job_.object, "spec.template")), {}));
        record_event(world_, job_.object, "Normal", "SuccessfulCreate",
                     "Created pod: " + name_of(active_.back().object), component);
      } catch (const StatusError& refusal) {
        record_event(world_, job_.object, "Warning", "FailedCreate", fmt::format("Error creating: {}", refusal.what()),
                     component);
        if (!job_.note.is_object()) job_.note = Json::object();
        job_.note["failures"] = std::min<std::int64_t>(integer(job_.note, "failures") + 1, 9);
        if (world_.time_scale() > 0)
          world_.wake_at(world_.in(static_cast<double>(1U << static_cast<unsigned>(integer(job_.note, "failures")))),
                         "job", namespace_of(job_.object), name_of(job_.object));
        world_.put("jobs.batch", job_);
        return;
      }
    }
    if (job_.note.is_object() && job_.note.erase("failures") > 0) world_.put("jobs.batch", job_);
  }

  void store() {
    std::int64_t ready = 0;
    for (const auto& pod : active_)
      if (pod_ready(pod.object)) ++ready;
    const auto put = [&](const char* name, std::int64_t value) {
      if (value > 0)
        status_[name] = value;
      else
        status_.erase(name);
    };
    put("active", static_cast<std::int64_t>(active_.size()));
    put("succeeded", succeeded_);
    put("failed", failed_);
    status_["ready"] = ready;
    status_["terminating"] = terminating_;
    status_["uncountedTerminatedPods"] = Json::object();
    world_.put_status("jobs.batch", job_, status_);
  }

  void expire() {
    const auto& life = at(job_.object, "spec.ttlSecondsAfterFinished");
    if (!life.is_number_integer()) return;
    Millis finished = 0;
    for (const auto* type : {"Complete", "Failed"})
      finished = std::max(finished, from_stamp(text(condition_of(job_.object, type), "lastTransitionTime")));
    if (finished == 0) return;
    const auto end = finished + (world_.in(life.get<double>()) - world_.now());
    if (end <= world_.now())
      remove_object(world_, world_.kinds().get("jobs.batch"), job_, {});
    else
      world_.wake_at(end, "job", namespace_of(job_.object), name_of(job_.object));
  }

  World& world_;
  Record job_;
  Json status_;
  std::vector<Record> active_;
  std::int64_t succeeded_ = 0;
  std::int64_t failed_ = 0;
  std::int64_t terminating_ = 0;
};

}  // namespace

void sync_job(World& world, const std::string& name_space, const std::string& name) {
  auto job = world.get("jobs.batch", name_space, name);
  if (!job || !at(job->object, "metadata.deletionTimestamp").is_null()) return;
  JobRun(world, std::move(*job)).run();
}

}  // namespace litedesk::sandbox::kube
