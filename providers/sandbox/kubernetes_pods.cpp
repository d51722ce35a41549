// The scheduler and the kubelet. A container's image decides what becomes of it:
//   ...:missing  cannot be pulled: ErrImagePull, ImagePullBackOff, and again, ever later
//   ...:crash    ends with exit code 1 after 1.5 s, and again: CrashLoopBackOff
//   ...:slow     ready after 20 s
//   ...:elsewhere  runs, and listens on another port than its probes ask
//   any other    ready after 1 s; a Job's container ends 1 s later, with exit code 1 if its image ends in ":fail"
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/sandbox/kubernetes_controllers.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_names.hpp"
#include "providers/sandbox/kubernetes_quantity.hpp"
#include "providers/sandbox/kubernetes_write.hpp"

namespace litedesk::sandbox::kube {

namespace {

constexpr std::array nodes{"node-1", "node-2"};
constexpr std::int64_t node_cpus = 64;

// Seconds from one pull or crash to the next; the last one repeats. The first ones are short, so that a person who
// watches (or a test) sees the loop.
constexpr std::array<double, 8> pull_delays{1, 2, 3, 10, 20, 40, 80, 160};
constexpr std::array<double, 6> crash_delays{1.5, 1.5, 1.5, 20, 20, 20};
// Without a pace of its own (time scale 0) the cluster is in its final state at once: after so many of them.
constexpr std::int64_t rounds_at_once = 5;

enum class Fate { good, slow, missing, crash, elsewhere, invalid };

Fate fate_of(const Json& container) {
  const auto image = text(container, "image");
  if (image.ends_with(":missing")) return Fate::missing;
  if (image.ends_with(":crash")) return Fate::crash;
  if (image.ends_with(":slow")) return Fate::slow;
  if (image.ends_with(":elsewhere")) return Fate::elsewhere;
  const auto slash = image.rfind('/');
  const auto repository = image.substr(0, image.find(':', slash == std::string::npos ? 0 : slash));
  const bool bad =
      std::any_of(repository.begin(), repository.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == ' '; });
  return bad ? Fate::invalid : Fate::good;
}

template <std::size_t Size>
double delay(const std::array<double, Size>& delays, std::int64_t round) {
  return delays[std::min(static_cast<std::size_t>(round), Size - 1)];
}

class Kubelet {
 public:
  Kubelet(World& world, Record pod) : world_(world), pod_(std::move(pod)) {
    if (!pod_.note.is_object()) pod_.note = Json::object();
  }

  void run() {
    const auto phase = text(pod_.object, "status.phase");
    if (!at(pod_.object, "metadata.deletionTimestamp").is_null()) return stop();
    if (phase == "Succeeded" || phase == "Failed") return;
    if (text(pod_.object, "spec.nodeName").empty()) return schedule();
    const auto step = text(pod_.note, "step");
    if (step == "start") return start();
    if (step == "work") return finish_work();
    if (step == "pull") return back_off_pull();
    if (step == "retry") return fail_again();
    if (step == "probe") return fail_probe();
  }

 private:
  [[nodiscard]] const Json& spec() const { return at(pod_.object, "spec"); }
  [[nodiscard]] std::string name() const { return name_of(pod_.object); }
  void store() { world_.put("pods", pod_); }
  void next(double seconds, const char* step) {
    pod_.note["step"] = step;
    world_.wake_at(world_.in(seconds), "pod", namespace_of(pod_.object), name());
  }
  void event(std::string_view type, std::string_view reason, const std::string& message,
             std::string_view who = "kubelet") {
    record_event(world_, pod_.object, type, reason, message, who);
  }

  void set(const char* type, bool good, const char* reason = "", const std::string& message = "") {
    Json condition = {{"type", type}, {"status", good ? "True" : "False"}, {"lastProbeTime", nullptr}};
    if (*reason != '\0') condition["reason"] = reason;
    if (!message.empty()) condition["message"] = message;
    set_condition(pod_.object["status"]["conditions"], std::move(condition), world_.stamp());
  }

  void stop() {
    // The grace is over once the containers have ended.
    pod_.object["metadata"]["deletionGracePeriodSeconds"] = 0;
    if (!finish_removal(world_, world_.kinds().get("pods"), pod_)) store();
  }

  // Why no node takes it; empty when one does.
  [[nodiscard]] std::string obstacle() {
    Quantity cpu;
    for (const auto& container : at(spec(), "containers")) cpu += to_quantity(at(container, "resources.requests.cpu"));
    if (cpu > to_quantity(node_cpus))
      return fmt::format(
          "0/{0} nodes are available: {0} Insufficient cpu. preemption: 0/{0} nodes are available: {0} No "
          "preemption victims found for incoming pod.",
          nodes.size());
    const auto& volumes = at(spec(), "volumes");
    if (!volumes.is_array()) return {};
    for (const auto& volume : volumes) {
      const auto claim_name = text(volume, "persistentVolumeClaim.claimName");
      if (claim_name.empty()) continue;
      const auto claim = world_.get("persistentvolumeclaims", namespace_of(pod_.object), claim_name);
      if (!claim)
        return fmt::format("0/{} nodes are available: persistentvolumeclaim \"{}\" not found. not found", nodes.size(),
                           claim_name);
      if (text(claim->object, "status.phase") != "Bound")
        return fmt::format("0/{} nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
                           nodes.size());
    }
    return {};
  }

  void schedule() {
    if (const auto why = obstacle(); !why.empty()) {
      if (text(condition_of(pod_.object, "PodScheduled"), "message") == why) return;
      pod_.note["waiting"] = true;
      set("PodScheduled", false, "Unschedulable", why);
      event("Warning", "FailedScheduling", why, "default-scheduler");
      return store();
    }
    const auto* node = nodes[small_hash(uid_of(pod_.object)) % nodes.size()];
    pod_.object["spec"]["nodeName"] = node;
    pod_.note.erase("waiting");
    event("Normal", "Scheduled",
          fmt::format("Successfully assigned {}/{} to {}", namespace_of(pod_.object), name(), node),
          "default-scheduler");
    auto& status = pod_.object["status"];
    status["startTime"] = world_.stamp();
    status["hostIP"] = node == nodes[0] ? "10.0.0.11" : "10.0.0.12";
    set("PodReadyToStartContainers", false);
    set("Initialized", true);
    set("Ready", false, "ContainersNotReady", unready(all_names()));
    set("ContainersReady", false, "ContainersNotReady", unready(all_names()));
    set("PodScheduled", true);
    fill_statuses([](const Json&) { return Json{{"state", {{"waiting", {{"reason", "ContainerCreating"}}}}}}; });
    double first = 1;
    for (const auto& container : at(spec(), "containers")) {
      if (fate_of(container) == Fate::slow) first = 20;
      if (fate_of(container) == Fate::crash) first = std::max(first, crash_delays[0]);
    }
    next(first, "start");
    store();
  }

  [[nodiscard]] std::vector<std::string> all_names() const {
    std::vector<std::string> names;
    for (const auto& container : at(spec(), "containers")) names.push_back(text(container, "name"));
    return names;
  }

  static std::string unready(const std::vector<std::string>& names) {
    return fmt::format("containers with unready status: [{}]", fmt::join(names, " "));
  }

  // One status a container: `state` gives what differs from a container that does not run.
  template <class State>
  void fill_statuses(State state) {
    Json statuses = Json::array();
    for (const auto& container : at(spec(), "containers")) {
      Json status = {{"name", text(container, "name")},
                     {"image", text(container, "image")},
                     {"imageID", ""},
                     {"ready", false},
                     {"started", false},
                     {"restartCount", 0},
                     {"lastState", Json::object()}};
      status.update(state(container));
      if (flag(status, "started"))
        status["imageID"] = fmt::format(
            "docker.io/{}@sha256:{:08x}{:08x}", text(container, "image").substr(0, text(container, "image").rfind(':')),
            small_hash(text(container, "image")), small_hash(text(container, "image") + "#"));
      statuses.push_back(std::move(status));
    }
    pod_.object["status"]["containerStatuses"] = std::move(statuses);
  }

  // A Secret or ConfigMap that the pod names and that is not there: "secret \"x\" not found"; empty when all are.
  [[nodiscard]] std::string missing_reference(const char* resource, const std::string& wanted, const std::string& key) {
    if (wanted.empty()) return {};
    const auto found = world_.get(resource, namespace_of(pod_.object), wanted);
    const std::string noun = std::string_view(resource) == "secrets" ? "secret" : "configmap";
    if (!found) return fmt::format("{} \"{}\" not found", noun, wanted);
    if (!key.empty() && !at(found->object, "data").contains(key))
      return fmt::format("couldn't find key {} in {} {}/{}", key, noun == "secret" ? "Secret" : "ConfigMap",
                         namespace_of(pod_.object), wanted);
    return {};
  }

  [[nodiscard]] std::string missing_environment(const Json& container) {
    if (const auto& variables = at(container, "env"); variables.is_array())
      for (const auto& variable : variables)
        for (const auto& [field, resource] :
             {std::pair{"secretKeyRef", "secrets"}, std::pair{"configMapKeyRef", "configmaps"}}) {
          const auto& reference = at(variable, std::string("valueFrom.") + field);
          if (!reference.is_object() || flag(reference, "optional")) continue;
          if (auto why = missing_reference(resource, text(reference, "name"), text(reference, "key")); !why.empty())
            return why;
        }
    if (const auto& sources = at(container, "envFrom"); sources.is_array())
      for (const auto& source : sources)
        for (const auto& [field, resource] :
             {std::pair{"secretRef", "secrets"}, std::pair{"configMapRef", "configmaps"}}) {
          const auto& reference = at(source, field);
          if (!reference.is_object() || flag(reference, "optional")) continue;
          if (auto why = missing_reference(resource, text(reference, "name"), ""); !why.empty()) return why;
        }
    return {};
  }

  [[nodiscard]] std::string missing_volume() {
    const auto& volumes = at(spec(), "volumes");
    if (!volumes.is_array()) return {};
    for (const auto& volume : volumes) {
      std::string why;
      if (!flag(volume, "secret.optional")) why = missing_reference("secrets", text(volume, "secret.secretName"), "");
      if (why.empty() && !flag(volume, "configMap.optional"))
        why = missing_reference("configmaps", text(volume, "configMap.name"), "");
      if (!why.empty())
        return fmt::format("MountVolume.SetUp failed for volume \"{}\" : {}", text(volume, "name"), why);
    }
    return {};
  }

  void start() {
    if (const auto why = missing_volume(); !why.empty()) {
      if (text(pod_.note, "why") == why) return;
      pod_.note["waiting"] = true;
      pod_.note["why"] = why;
      event("Warning", "FailedMount", why);
      return store();
    }
    bool blocked = false;
    bool started = false;
    bool crashing = false;
    bool pulling = false;
    bool deaf = false;
    std::string blame;
    fill_statuses([&](const Json& container) -> Json {
      const auto fate = fate_of(container);
      if (fate == Fate::missing) {
        pulling = true;
        return pull_error(container);
      }
      if (fate == Fate::invalid) {
        blocked = true;
        const auto image = text(container, "image");
        return waiting(
            "InvalidImageName",
            fmt::format("Failed to apply default image tag \"{0}\": couldn't parse image name \"{0}\": invalid "
                        "reference format",
                        image));
      }
      if (auto why = missing_environment(container); !why.empty()) {
        blocked = true;
        blame = why;
        return waiting("CreateContainerConfigError", why);
      }
      started = true;
      if (fate == Fate::crash) {
        crashing = true;
        return crashed(1);
      }
      auto status = running();
      if (fate == Fate::elsewhere) {
        deaf = true;
        status["ready"] = status["started"] = false;
      }
      return status;
    });
    if (!blame.empty()) {
      if (text(pod_.note, "why") != blame) event("Warning", "Failed", "Error: " + blame);
      pod_.note["why"] = blame;
      pod_.note["waiting"] = true;
    } else {
      pod_.note.erase("waiting");
    }
    if (crashing && text(spec(), "restartPolicy") == "Never") return end(true);
    auto& status = pod_.object["status"];
    if (started) {
      status["podIP"] = fmt::format("10.244.{}.{}", 1 + small_hash(uid_of(pod_.object)) % 250,
                                    2 + small_hash(uid_of(pod_.object) + "#") % 250);
      status["podIPs"] = Json::array({{{"ip", status["podIP"]}}});
      set("PodReadyToStartContainers", true);
    }
    status["phase"] = pulling || blocked ? "Pending" : "Running";
    pod_.note["round"] = 1;
    judge_readiness();
    if (pulling) {
      pull_events();
      if (world_.time_scale() > 0)
        next(0.5, "pull");
      else
        show_back_off();
    } else if (crashing) {
      crash_event();
      next(crash_delays[1], "retry");
    } else if (!blocked) {
      for (const auto& container : at(spec(), "containers")) started_events(container);
      if (text(controller_of(pod_.object), "kind") == "Job") next(1, "work");
      if (deaf) fail_probe();
    }
    if (crashing && world_.time_scale() <= 0) crash_at_once();
    store();
  }

  // The kubelet asks again and again, and says so each time.
  void fail_probe() {
    for (const auto& container : at(spec(), "containers")) {
      const auto& ports = at(container, "ports");
      if (fate_of(container) != Fate::elsewhere || !ports.is_array() || ports.empty()) continue;
      event("Warning", "Unhealthy",
            fmt::format("Startup probe failed: dial tcp {}:{}: connect: connection refused",
                        text(pod_.object, "status.podIP"), kube::integer(ports[0], "containerPort")));
    }
    next(2, "probe");
    store();
  }

  void started_events(const Json& container) {
    event("Normal", "Pulled",
          fmt::format("Container image \"{}\" already present on machine", text(container, "image")));
    event("Normal", "Created", fmt::format("Created container: {}", text(container, "name")));
    event("Normal", "Started", fmt::format("Started container {}", text(container, "name")));
  }

  void judge_readiness() {
    std::vector<std::string> names;
    for (const auto& status : pod_.object["status"]["containerStatuses"])
      if (!flag(status, "ready")) names.push_back(text(status, "name"));
    set("Initialized", true);
    for (const auto* type : {"Ready", "ContainersReady"}) {
      if (names.empty())
        set(type, true);
      else
        set(type, false, "ContainersNotReady", unready(names));
    }
  }

  static Json waiting(const char* reason, const std::string& message) {
    return {{"state", {{"waiting", {{"reason", reason}, {"message", message}}}}}};
  }
  [[nodiscard]] Json running() const {
    return {{"ready", true}, {"started", true}, {"state", {{"running", {{"startedAt", world_.stamp()}}}}}};
  }
  [[nodiscard]] Json terminated(int code) const {
    return {{"exitCode", code},
            {"reason", code == 0 ? "Completed" : "Error"},
            {"startedAt", world_.stamp()},
            {"finishedAt", world_.stamp()},
            {"containerID", fmt::format("containerd://{:08x}", small_hash(uid_of(pod_.object)))}};
  }
  [[nodiscard]] Json crashed(std::int64_t restarts) const {
    const auto wait = restarts < 4 ? 10 * (1 << (restarts - 1)) : 160;
    return {{"restartCount", restarts},
            {"lastState", {{"terminated", terminated(1)}}},
            {"state",
             {{"waiting",
               {{"reason", "CrashLoopBackOff"},
                {"message", fmt::format("back-off {}s restarting failed container={} pod={}_{}({})", wait,
                                        text(at(spec(), "containers")[0], "name"), name(), namespace_of(pod_.object),
                                        uid_of(pod_.object))}}}}}};
  }
  static std::string pull_words(const Json& container) {
    const auto image = text(container, "image");
    const auto slash = image.find('/');
    const bool host = slash != std::string::npos && image.substr(0, slash).find_first_of(".:") != std::string::npos;
    return fmt::format(
        "failed to pull and unpack image \"{0}{1}\": failed to resolve reference \"{0}{1}\": {0}{1}: not found",
        host ? "" : "docker.io/", image);
  }
  static Json pull_error(const Json& container) {
    return waiting("ErrImagePull", fmt::format("rpc error: code = NotFound desc = {}", pull_words(container)));
  }

  template <class Action>
  void for_missing(Action action) {
    for (const auto& container : at(spec(), "containers"))
      if (fate_of(container) == Fate::missing) action(container);
  }

  void pull_events() {
    for_missing([&](const Json& container) {
      event("Warning", "Failed",
            fmt::format("Failed to pull image \"{}\": rpc error: code = NotFound desc = {}", text(container, "image"),
                        pull_words(container)));
      event("Warning", "Failed", "Error: ErrImagePull");
    });
  }

  Json* status_of(const Json& container) {
    for (auto& status : pod_.object["status"]["containerStatuses"])
      if (text(status, "name") == text(container, "name")) return &status;
    return nullptr;
  }

  void show_back_off() {
    for_missing([&](const Json& container) {
      if (auto* status = status_of(container))
        status->update(
            waiting("ImagePullBackOff",
                    fmt::format("Back-off pulling image \"{}\": ErrImagePull: rpc error: code = NotFound desc = {}",
                                text(container, "image"), pull_words(container))));
      event("Normal", "BackOff", fmt::format("Back-off pulling image \"{}\"", text(container, "image")));
      event("Warning", "Failed", "Error: ImagePullBackOff");
    });
  }

  void back_off_pull() {
    show_back_off();
    next_round(pull_delays);
    store();
  }

  // The next pull or restart, which fails like the ones before.
  void fail_again() {
    const auto round = integer(pod_.note, "round") + 1;
    pod_.note["round"] = round;
    bool pulling = false;
    for_missing([&](const Json& container) {
      pulling = true;
      if (auto* status = status_of(container)) status->update(pull_error(container));
    });
    if (pulling) {
      pull_events();
      next(0.5, "pull");
      return store();
    }
    for (const auto& container : at(spec(), "containers"))
      if (fate_of(container) == Fate::crash)
        if (auto* status = status_of(container)) status->update(crashed(round));
    crash_event();
    next_round(crash_delays);
    store();
  }

  // Waits for the next round. When nobody looked for long, the rounds between are counted, not played.
  template <std::size_t Size>
  void next_round(const std::array<double, Size>& delays) {
    constexpr Millis long_ago = 600'000;
    const auto round = integer(pod_.note, "round");
    const auto period = world_.in(delays.back()) - world_.now();
    std::int64_t leapt = 0;
    if (period > 0 && round >= static_cast<std::int64_t>(Size) && world_.horizon() - world_.now() > long_ago)
      leapt = (world_.horizon() - world_.now()) / period - 1;  // the last one is played: it gives the times
    pod_.note["round"] = round + leapt;
    next(delay(delays, round) + static_cast<double>(leapt) * delays.back(), "retry");
  }

  void crash_event() {
    for (const auto& container : at(spec(), "containers"))
      if (fate_of(container) == Fate::crash)
        event("Warning", "BackOff",
              fmt::format("Back-off restarting failed container {} in pod {}_{}({})", text(container, "name"), name(),
                          namespace_of(pod_.object), uid_of(pod_.object)));
  }

  void crash_at_once() {
    world_.forget("pod", namespace_of(pod_.object), name());
    for (const auto& container : at(spec(), "containers"))
      if (fate_of(container) == Fate::crash)
        if (auto* status = status_of(container)) status->update(crashed(rounds_at_once));
  }

  void finish_work() {
    const auto& containers = at(spec(), "containers");
    end(std::any_of(containers.begin(), containers.end(),
                    [](const Json& container) { return text(container, "image").ends_with(":fail"); }));
  }

  void end(bool failed) {
    fill_statuses([&](const Json& container) -> Json {
      const bool bad = text(container, "image").ends_with(":fail") || fate_of(container) == Fate::crash;
      return {{"state", {{"terminated", terminated(bad ? 1 : 0)}}}};
    });
    auto& status = pod_.object["status"];
    status["phase"] = failed ? "Failed" : "Succeeded";
    set("Initialized", true, failed ? "" : "PodCompleted");
    for (const auto* type : {"Ready", "ContainersReady"}) set(type, false, failed ? "PodFailed" : "PodCompleted");
    pod_.note.erase("step");
    store();
  }

  World& world_;
  Record pod_;
};

}  // namespace

void sync_pod(World& world, const std::string& name_space, const std::string& name) {
  if (auto pod = world.get("pods", name_space, name)) Kubelet(world, std::move(*pod)).run();
}

}  // namespace litedesk::sandbox::kube
