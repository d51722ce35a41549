#include "commands/readiness.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "commands/parallel.hpp"
#include "commands/status.hpp"
#include "providers/error.hpp"
#include "providers/kubernetes/rollout_status.hpp"

namespace litedesk {

namespace {

using kubernetes::EventType;
using kubernetes::Object;
using kubernetes::PodTrouble;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

// The kubelet tries a pull again after 10 s, then after 20 s: an image that has failed for this long was tried three
// times, and the third had some seconds.
constexpr milliseconds three_pulls{35'000};
// A pod may meet its Secret a moment before it is there, and a ReplicaSet a quota before it has taken effect; both are
// tried again within this time.
constexpr milliseconds settling{5'000};
constexpr int crashes_allowed = 4;

// "backend: CrashLoopBackOff: exit code 1"; a container that is not called as its component is named too.
std::string sentence(const std::string& component, const PodTrouble& trouble) {
  auto text = component + ": ";
  if (!trouble.container.empty() && trouble.container != component) text += trouble.container + ": ";
  text += trouble.reason;
  const auto exit_code = "exit code " + std::to_string(trouble.exit_code);
  if (trouble.crash && trouble.exit_code != 0 && trouble.message.find(exit_code) == std::string::npos)
    text += " (" + exit_code + ")";
  return trouble.message.empty() ? text : text + ": " + trouble.message;
}

std::string last_lines(const std::string& log, std::size_t count) {
  std::size_t at = log.find_last_not_of('\n');
  if (at == std::string::npos) return {};
  const auto end = at + 1;
  for (; count > 0 && at != std::string::npos; --count) at = at == 0 ? std::string::npos : log.rfind('\n', at - 1);
  const auto begin = at == std::string::npos ? 0 : at + 1;
  return log.substr(begin, end - begin);
}

// Quota, Pod Security and admission webhooks, in the API server's words. Another refusal may pass: a ServiceAccount
// that is applied along with its Deployment is missing for a moment.
bool refused_for_good(const std::string& message) {
  for (const auto* words : {"exceeded quota", "violates PodSecurity", "denied the request"})
    if (message.find(words) != std::string::npos) return true;
  return false;
}

struct PodState {
  std::string component;
  std::string replica_set;  // UID of its controller
  std::vector<PodTrouble> troubles;
  bool ready = false;
};

bool is_ready(const Object& pod) {
  const auto ready = kubernetes::find_condition(pod, "Ready");
  return ready && ready->status == "True";
}

// One provision's wait: the watches feed it, and whoever waits looks at its verdict.
class Wait {
 public:
  Wait(const World& world, const ReadinessGoal& goal, const ReadinessSteps& steps, const Observer& observer)
      : world_(world), goal_(goal), steps_(steps), observer_(observer), begin_(world.clock.steady()) {
    for (const auto& name : goal.deployments) set_part(name, "waiting", "", "waiting");
    if (!goal.certificate.empty()) set_part("certificate", "waiting", "", "waiting for DNS", true);
    if (goal.certificate_unknown) set_part("certificate", "unknown", "", "the cluster has no cert-manager");
    for (const auto& name : goal.jobs) set_part(job_part(name), "waiting", "", "waiting for the database", true);
  }

  ReadinessResult run() {
    const std::stop_callback interrupted(world_.interrupted,
                                         [this] { finish(ReadinessEnd::interrupted, "interrupted"); });
    std::vector<std::jthread> threads;
    const auto start = [&](std::function<void()> work) {
      threads.emplace_back([this, work = std::move(work)] {
        try {
          work();
        } catch (const Cancelled&) {
          finish(ReadinessEnd::interrupted, "interrupted");
        } catch (const std::exception& error) {
          finish(ReadinessEnd::failed, error.what());
        }
      });
    };
    start([this] { watch_deployments(); });
    start([this] { watch_replica_sets(); });
    start([this] { watch_pods(); });
    start([this] { watch_events(); });
    if (!goal_.certificate.empty()) start([this] { watch_certificate(); });
    if (!goal_.jobs.empty()) start([this] { watch_jobs(); });
    start([this] { follow_dns(); });
    start([this] { follow_database(); });
    start([this] { keep_time(); });

    {
      std::unique_lock lock(mutex_);
      ended_.wait(lock, [this] { return end_.has_value(); });
    }
    stop_.request_stop();
    threads.clear();
    return result();
  }

 private:
  static std::string job_part(const std::string& name) { return name == "first-data" ? "first data" : name; }

  milliseconds elapsed() const { return duration_cast<milliseconds>(world_.clock.steady() - begin_); }

  // Sets a part's state and tells the observer when it changed. `mutex_` is held, or no thread runs yet.
  void set_part(const std::string& name, const std::string& state, const std::string& reason,
                const std::string& message, bool quiet = false) {
    auto& part = parts_[name];
    if (part.state == state && part.reason == reason && part.message == message) return;
    part = {name, state, reason, message, system::to_rfc3339(world_.clock.now())};
    if (quiet || !observer_) return;
    const auto step = state == "ok"        ? StepState::done
                      : state == "failed"  ? StepState::failed
                      : state == "unknown" ? StepState::skipped
                                           : StepState::running;
    observer_({name, step, reason.empty() ? message : reason + (message.empty() ? "" : ": " + message), elapsed()});
  }

  void finish(ReadinessEnd end, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    finish_locked(end, reason);
  }
  void finish_locked(ReadinessEnd end, const std::string& reason) {
    if (end_) return;
    end_ = end;
    reason_ = reason;
    ended_.notify_all();
  }

  // Ready once every part is, and what was started for others has ended.
  void judge() {
    if (!dns_done_ || !database_done_) return;
    for (const auto& [name, part] : parts_)
      if (part.state != "ok" && part.state != "unknown") return;
    finish_locked(ReadinessEnd::ready, "");
  }

  void watch_deployments() {
    const kubernetes::ListOptions ours{.label_selector = "app.kubernetes.io/managed-by=litedesk", .field_selector = {}};
    world_.watcher.watch(
        kubernetes::type_of("apps/v1", "Deployment"), goal_.name_space, ours,
        [this](const kubernetes::WatchEvent& event) {
          if (event.type != EventType::bookmark) {
            const std::lock_guard lock(mutex_);
            if (event.type == EventType::deleted)
              deployments_.erase(event.object.name());
            else
              deployments_[event.object.name()] = event.object;
            refresh(event.object.name());
          }
          return !stop_.stop_requested();
        },
        stop_.get_token());
  }

  void watch_replica_sets() {
    const kubernetes::ListOptions ours{.label_selector = "litedesk.io/tenant=" + goal_.tenant, .field_selector = {}};
    world_.watcher.watch(
        kubernetes::type_of("apps/v1", "ReplicaSet"), goal_.name_space, ours,
        [this](const kubernetes::WatchEvent& event) {
          if (event.type != EventType::bookmark) {
            const std::lock_guard lock(mutex_);
            if (event.type == EventType::deleted)
              replica_sets_.erase(event.object.uid());
            else
              replica_sets_[event.object.uid()] = event.object;
            refresh(event.object.label("app.kubernetes.io/component"));
          }
          return !stop_.stop_requested();
        },
        stop_.get_token());
  }

  // Whether a pod runs its Deployment's present template. `mutex_` is held.
  bool current(const PodState& pod) const {
    const auto deployment = deployments_.find(pod.component);
    const auto set = replica_sets_.find(pod.replica_set);
    return deployment != deployments_.end() && set != replica_sets_.end() &&
           kubernetes::is_current_replica_set(deployment->second, set->second);
  }

  void watch_pods() {
    const kubernetes::ListOptions ours{.label_selector = "litedesk.io/tenant=" + goal_.tenant, .field_selector = {}};
    world_.watcher.watch(
        kubernetes::type_of("v1", "Pod"), goal_.name_space, ours,
        [this](const kubernetes::WatchEvent& event) {
          if (event.type != EventType::bookmark) {
            const std::lock_guard lock(mutex_);
            note_pod(event);
          }
          return !stop_.stop_requested();
        },
        stop_.get_token());
  }

  // A probe that fails is in no status. Who may not watch events goes without that reason.
  void watch_events() {
    try {
      world_.watcher.watch(
          kubernetes::type_of("v1", "Event"), goal_.name_space,
          {.label_selector = {}, .field_selector = "type=Warning"},
          [this](const kubernetes::WatchEvent& event) {
            note_probe(event.object);
            return !stop_.stop_requested();
          },
          stop_.get_token());
    } catch (const PermissionDenied& error) {
      if (world_.warn) world_.warn("failing probes are not told of: " + error.message());
    }
  }

  void note_probe(const Object& event) {
    auto trouble = kubernetes::probe_trouble(event.text("reason"), event.text("message"));
    if (!trouble) return;
    const std::lock_guard lock(mutex_);
    const auto name = event.text("involvedObject.name");
    probes_[name] = std::move(*trouble);
    if (const auto pod = pods_.find(name); pod != pods_.end()) refresh(pod->second.component);
  }

  void note_pod(const kubernetes::WatchEvent& event) {
    const auto name = event.object.name();
    const auto component = event.object.label("app.kubernetes.io/component");
    if (event.type == EventType::deleted || event.object.deleting()) {
      pods_.erase(name);
      image_since_.erase(name);
      final_since_.erase(name);
    } else {
      auto& pod = pods_[name];
      pod = {component, kubernetes::controller_uid(event.object), kubernetes::pod_troubles(event.object),
             is_ready(event.object)};
      count(name, pod);
    }
    refresh(component);
  }

  // Notes since when a pod has a trouble that is forgiven for a while, and how often a pull was seen to fail.
  void count(const std::string& name, const PodState& pod) {
    bool image = false, final_trouble = false;
    for (const auto& trouble : pod.troubles) {
      image = image || trouble.image;
      final_trouble = final_trouble || trouble.final;
      if (trouble.reason == "ErrImagePull" && last_reason_[name] != "ErrImagePull") ++pulls_[name];
      if (trouble.image) last_reason_[name] = trouble.reason;
      if (trouble.crash && !database_done_) crashes_before_[name] = trouble.restarts;
    }
    const auto now = world_.clock.steady();
    if (image)
      image_since_.try_emplace(name, now);
    else
      image_since_.erase(name);
    if (final_trouble)
      final_since_.try_emplace(name, now);
    else
      final_since_.erase(name);
  }

  // Looks at a component anew after one of its pods or ReplicaSets or its Deployment changed. `mutex_` is held.
  void refresh(const std::string& component) {
    const auto found = deployments_.find(component);
    if (found == deployments_.end()) return;
    std::vector<PodTrouble> troubles, probes;
    for (const auto& [name, pod] : pods_) {
      if (pod.component != component || !current(pod)) continue;
      troubles.insert(troubles.end(), pod.troubles.begin(), pod.troubles.end());
      if (const auto probe = probes_.find(name); probe != probes_.end() && !pod.ready) probes.push_back(probe->second);
    }
    troubles.insert(troubles.end(), probes.begin(), probes.end());
    const auto part = deployment_part(component, found->second, troubles);
    // A rollout that is later than its progressDeadlineSeconds goes on all the same: how long to wait is --timeout's.
    set_part(component, part.state == "failed" ? "waiting" : part.state, part.reason, part.message);
    // The Deployment's own condition may still tell of the ReplicaSet before.
    for (const auto& [uid, set] : replica_sets_)
      if (kubernetes::is_current_replica_set(found->second, set)) judge_refusal(component, uid, set);
    judge_pods();
    judge();
  }

  // Whether the pods of a ReplicaSet are refused for good. `mutex_` is held.
  void judge_refusal(const std::string& component, const std::string& uid, const Object& set) {
    const auto refused = kubernetes::replica_failure(set);
    if (!refused || !refused_for_good(refused->message)) {
      refused_since_.erase(uid);
      return;
    }
    const auto since = refused_since_.try_emplace(uid, world_.clock.steady()).first->second;
    const bool by_new_quota = std::any_of(goal_.quotas.begin(), goal_.quotas.end(), [&](const std::string& quota) {
      return refused->message.find("exceeded quota: " + quota + ",") != std::string::npos;
    });
    if (by_new_quota && world_.clock.steady() - since < settling) return;
    finish_locked(ReadinessEnd::failed, component + ": pods are refused: " + refused->message);
  }

  // Whether a pod's trouble is one where waiting cannot help. `mutex_` is held.
  void judge_pods() {
    const auto now = world_.clock.steady();
    for (const auto& [name, pod] : pods_) {
      if (!current(pod)) continue;
      for (const auto& trouble : pod.troubles) {
        const auto say = sentence(pod.component, trouble);
        const auto image = image_since_.find(name);
        const auto final_trouble = final_since_.find(name);
        if (trouble.reason == "InvalidImageName") finish_locked(ReadinessEnd::failed, say);
        if (trouble.final && final_trouble != final_since_.end() && now - final_trouble->second >= settling)
          finish_locked(ReadinessEnd::failed, say);
        if (trouble.image && (pulls_[name] >= 3 || (image != image_since_.end() && now - image->second >= three_pulls)))
          finish_locked(ReadinessEnd::failed, say);
        if (trouble.crash && database_done_ && trouble.restarts - crashes_before_[name] >= crashes_allowed)
          finish_locked(ReadinessEnd::failed, say);
        if (trouble.unschedulable && goal_.fail_on_unschedulable) finish_locked(ReadinessEnd::failed, say);
      }
    }
  }

  void watch_certificate() {
    const kubernetes::ListOptions one{.label_selector = {}, .field_selector = "metadata.name=" + goal_.certificate};
    world_.watcher.watch(
        kubernetes::type_of("cert-manager.io/v1", "Certificate"), goal_.name_space, one,
        [this](const kubernetes::WatchEvent& event) {
          if (event.type == EventType::added || event.type == EventType::modified) {
            const auto part = certificate_part(event.object);
            const std::lock_guard lock(mutex_);
            set_part("certificate", part.state == "failed" ? "waiting" : part.state, part.reason, part.message);
            judge();
          }
          return !stop_.stop_requested();
        },
        stop_.get_token());
  }

  void watch_jobs() {
    const kubernetes::ListOptions ours{.label_selector = "app.kubernetes.io/managed-by=litedesk", .field_selector = {}};
    world_.watcher.watch(
        kubernetes::type_of("batch/v1", "Job"), goal_.name_space, ours,
        [this](const kubernetes::WatchEvent& event) {
          const bool wanted = std::find(goal_.jobs.begin(), goal_.jobs.end(), event.object.name()) != goal_.jobs.end();
          if (wanted && (event.type == EventType::added || event.type == EventType::modified)) {
            const auto status = kubernetes::job_status(event.object);
            const std::lock_guard lock(mutex_);
            const auto name = job_part(event.object.name());
            if (status.progress == kubernetes::Progress::failed) {
              set_part(name, "failed", "", status.message);
              finish_locked(ReadinessEnd::failed, name + ": " + status.message);
            } else {
              set_part(name, status.progress == kubernetes::Progress::done ? "ok" : "waiting", "", status.message);
            }
            judge();
          }
          return !stop_.stop_requested();
        },
        stop_.get_token());
  }

  void follow_dns() {
    if (!goal_.dns_change_id.empty()) {
      {
        const std::lock_guard lock(mutex_);
        set_part("dns", "waiting", "", "PENDING");
      }
      const auto left = goal_.timeout - elapsed();
      if (!route53::wait_insync(world_.record_writer, goal_.dns_change_id, left, world_.clock, stop_.get_token()))
        return;  // ended, or late: then the time-out says so
      const std::lock_guard lock(mutex_);
      set_part("dns", "ok", "", "INSYNC");
    }
    step(steps_.dns_done, dns_done_);
  }

  void follow_database() {
    while (!user_applied())
      if (!world_.clock.wait(milliseconds(1000), stop_.get_token())) return;
    step(steps_.database_done, database_done_);
  }

  // What passes does not end the wait: it is asked again until the time-out.
  bool user_applied() {
    try {
      return world_.clusters.changes_applied(goal_.database_cluster, stop_.get_token());
    } catch (const Unavailable&) {
    } catch (const Timeout&) {
    } catch (const RateLimited&) {
    }
    return false;
  }

  void step(const std::function<void()>& work, bool& done) {
    {
      const std::lock_guard one_at_a_time(steps_mutex_);
      if (work) work();
    }
    const std::lock_guard lock(mutex_);
    done = true;
    judge();
  }

  // The clock's own part: time-outs, and troubles that are final only after a while.
  void keep_time() {
    while (elapsed() < goal_.timeout) {
      const auto left = std::min(goal_.timeout - elapsed(), milliseconds(1000));
      if (!world_.clock.wait(left, stop_.get_token())) return;
      const std::lock_guard lock(mutex_);
      judge_pods();
      for (const auto& [uid, since] : std::map(refused_since_))
        if (const auto set = replica_sets_.find(uid); set != replica_sets_.end())
          refresh(set->second.label("app.kubernetes.io/component"));
    }
    const std::lock_guard lock(mutex_);
    finish_locked(ReadinessEnd::timed_out,
                  "not ready after " + std::to_string(goal_.timeout.count() / 1000) + " s: " + missing());
  }

  std::string missing() const {
    std::string text;
    for (const auto& [name, part] : parts_)
      if (part.state != "ok" && part.state != "unknown")
        text += (text.empty() ? "" : "; ") + name + " " +
                (part.reason.empty() ? part.message : part.reason + ": " + part.message);
    return text.empty() ? "database user not applied" : text;
  }

  // The namespace's Warning events, the newest last, without those that the reason has told.
  void collect_events(std::vector<std::string>& details) const {
    constexpr std::size_t most = 5;
    try {
      auto events = warning_events(world_, goal_.name_space, world_.clock.now() - std::chrono::hours(1));
      std::erase_if(events, [this](const StatusEvent& event) {
        return reason_.find(event.message) != std::string::npos || event.reason == "BackOff" ||
               event.message.find("looking up service account") != std::string::npos;  // applied along with it
      });
      if (events.size() > most) events.resize(most);
      std::string text;
      for (auto event = events.rbegin(); event != events.rend(); ++event)
        text += "\n" + event->object + ": " + event->reason + ": " + event->message;
      if (!text.empty()) details.push_back("warnings in " + goal_.name_space + ":" + text);
    } catch (const Error& error) {
      details.push_back("the events of " + goal_.name_space + " cannot be read: " + error.message());
    }
  }

  // Logs of what crashed and events, collected before anything is undone.
  std::vector<std::string> collect_details() const {
    std::vector<std::string> details;
    std::set<std::string> seen;
    for (const auto& [name, pod] : pods_) {
      if (!current(pod)) continue;
      for (const auto& trouble : pod.troubles) {
        if (!trouble.crash || !seen.insert(pod.component).second) continue;
        for (const bool previous : {true, false}) {
          try {
            const auto log = world_.logs.logs(goal_.name_space, name,
                                              {.container = trouble.container, .previous = previous, .tail_lines = 5});
            if (!log || log->empty()) continue;
            details.push_back("last log lines of " + name + ":\n" + last_lines(*log, 5));
            break;
          } catch (const Error& error) {
            details.push_back("the log of " + name + " cannot be read: " + error.what());
            break;
          }
        }
      }
    }
    collect_events(details);
    return details;
  }

  ReadinessResult result() {
    ReadinessResult result;
    result.end = *end_;
    result.reason = reason_;
    for (const auto& [name, part] : parts_) result.parts.push_back(part);
    if (*end_ == ReadinessEnd::failed || *end_ == ReadinessEnd::timed_out) result.details = collect_details();
    return result;
  }

  const World& world_;
  const ReadinessGoal& goal_;
  const ReadinessSteps& steps_;
  const Observer& observer_;
  const system::SteadyPoint begin_;

  std::mutex mutex_, steps_mutex_;
  std::condition_variable ended_;
  std::stop_source stop_;
  std::optional<ReadinessEnd> end_;
  std::string reason_;
  bool dns_done_ = false, database_done_ = false;
  std::map<std::string, Part> parts_;
  std::map<std::string, Object> deployments_;   // by name
  std::map<std::string, Object> replica_sets_;  // by UID
  std::map<std::string, PodState> pods_;
  std::map<std::string, PodTrouble> probes_;  // by the pod's name: what failed last
  std::map<std::string, system::SteadyPoint> image_since_, final_since_;
  std::map<std::string, system::SteadyPoint> refused_since_;  // by the ReplicaSet's UID
  std::map<std::string, int> pulls_;
  std::map<std::string, std::int64_t> crashes_before_;
  std::map<std::string, std::string> last_reason_;
};

}  // namespace

ReadinessResult await_readiness(const World& world, const ReadinessGoal& goal, const ReadinessSteps& steps,
                                const Observer& observer) {
  return Wait(world, goal, steps, observer).run();
}

Part deployment_part(std::string_view name, const Object& deployment, const std::vector<PodTrouble>& troubles) {
  const auto status = kubernetes::deployment_status(deployment);
  Part part{std::string(name), "waiting", "", status.message, "", true};
  if (const auto available = kubernetes::find_condition(deployment, "Available")) part.since = available->since;
  if (status.progress == kubernetes::Progress::failed) {
    part.state = "failed";
    part.reason = "ProgressDeadlineExceeded";
  } else if (status.progress == kubernetes::Progress::done && status.ready >= status.wanted) {
    part.state = "ok";
    part.message = std::to_string(status.ready) + "/" + std::to_string(status.wanted) + " ready";
  } else if (!troubles.empty()) {
    part.reason = troubles.front().reason;
    part.message = troubles.front().message;
  }
  return part;
}

// cert-manager.io/docs/usage/certificate: Ready alone tells of success; only Issuing=False with reason Failed of a
// failure.
Part certificate_part(const Object& certificate) {
  Part part{"certificate", "waiting", "", "requested", ""};
  const auto ready = kubernetes::find_condition(certificate, "Ready");
  const auto issuing = kubernetes::find_condition(certificate, "Issuing");
  if (ready && ready->status == "True") {
    part.state = "ok";
    part.since = ready->since;
    const auto until = certificate.text("status.notAfter");
    part.message = until.empty() ? "Ready" : "Ready until " + until.substr(0, 10);
  } else if (issuing && issuing->status == "False" && issuing->reason == "Failed") {
    part = {"certificate", "failed", "Failed", issuing->message, issuing->since};
  } else if (issuing) {
    part.message = issuing->message;
    part.since = issuing->since;
  }
  return part;
}

}  // namespace litedesk
