#include "commands/policy_probe.hpp"

#include <optional>
#include <thread>

#include "commands/provenance.hpp"
#include "providers/error.hpp"

namespace litedesk {

namespace {

using kubernetes::Object;
using std::chrono::milliseconds;

constexpr int open_port = 8080;                     // and 8081, which the policy guards
constexpr int exit_open = 2, exit_unreachable = 3;  // of the client's pod; 0: the policy holds

constexpr const char* server_program =
    "for (const port of [8080, 8081]) require('net').createServer(s => s.end()).listen(port);";

// A plugin may take some seconds to apply a policy to a new pod: only a port that stays open is open.
constexpr const char* client_program = R"(
const net = require('net'), pause = () => new Promise(done => setTimeout(done, 500));
const reaches = port => new Promise(done => {
  const socket = net.connect({host: process.env.TARGET, port, timeout: 2000});
  const end = answer => { socket.destroy(); done(answer); };
  socket.on('connect', () => end(true)).on('timeout', () => end(false)).on('error', () => end(false));
});
(async () => {
  let control = false, guarded = true;
  for (let i = 0; i < 20 && !control; i++) { control = await reaches(8080); if (!control) await pause(); }
  for (let i = 0; i < 10 && control && guarded; i++) { guarded = await reaches(8081); if (guarded) await pause(); }
  process.exit(!control ? 3 : guarded ? 2 : 0);
})();
)";

Json metadata(const char* name, const std::string& name_space) {
  return {{"name", name}, {"namespace", name_space}, {"labels", {{"litedesk.io/probe", name}}}};
}

// One that Pod Security "restricted" takes, and that ends by itself.
Object pod(const char* name, const std::string& name_space, const std::string& image, const char* program,
           const std::string& target) {
  Json container = {
      {"name", "probe"},
      {"image", image},
      {"command", {"node", "-e", program}},
      {"env", Json::array({{{"name", "TARGET"}, {"value", target}}})},
      {"resources",
       {{"requests", {{"cpu", "50m"}, {"memory", "64Mi"}}}, {"limits", {{"cpu", "200m"}, {"memory", "128Mi"}}}}},
      {"securityContext", {{"allowPrivilegeEscalation", false}, {"capabilities", {{"drop", {"ALL"}}}}}}};
  return Object({{"apiVersion", "v1"},
                 {"kind", "Pod"},
                 {"metadata", metadata(name, name_space)},
                 {"spec",
                  {{"restartPolicy", "Never"},
                   {"activeDeadlineSeconds", 300},
                   {"automountServiceAccountToken", false},
                   {"enableServiceLinks", false},
                   {"securityContext",
                    {{"runAsNonRoot", true},
                     {"runAsUser", 1001},
                     {"runAsGroup", 1001},
                     {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
                   {"containers", Json::array({container})}}}});
}

Object policy(const std::string& name_space) {
  return Object(
      {{"apiVersion", "networking.k8s.io/v1"},
       {"kind", "NetworkPolicy"},
       {"metadata", metadata("server", name_space)},
       {"spec",
        {{"podSelector", {{"matchLabels", {{"litedesk.io/probe", "server"}}}}},
         {"policyTypes", {"Ingress"}},
         {"ingress", Json::array({{{"ports", Json::array({{{"protocol", "TCP"}, {"port", open_port}}})}}})}}}});
}

std::string phase_of(const Object& pod) {
  return pod.text("status.phase");
}

// The exit code of the pod's only container; nothing while it has none.
std::optional<std::int64_t> exit_code_of(const Object& pod) {
  const auto& statuses = pod.at("status.containerStatuses");
  if (!statuses.is_array() || statuses.empty()) return std::nullopt;
  const Object status(statuses.front());
  if (status.at("state.terminated").is_null()) return std::nullopt;
  return status.integer("state.terminated.exitCode", -1);
}

class Probe {
 public:
  Probe(const World& world, const std::string& image, milliseconds patience)
      : world_(world), image_(image), end_(world.clock.steady() + patience), run_(world.random.hex(8).reveal()) {}

  PolicyProbe run() {
    const auto space =
        world_.applier.create(Object({{"apiVersion", "v1"},
                                      {"kind", "Namespace"},
                                      {"metadata",
                                       {{"name", "litedesk-probe-" + run_},
                                        {"annotations", {{std::string(run_annotation), run_}}},
                                        {"labels", {{"pod-security.kubernetes.io/enforce", "restricted"}}}}}}));
    PolicyProbe result;
    std::exception_ptr thrown;
    try {
      result = ask(space.name());
    } catch (...) {
      thrown = std::current_exception();
    }
    const auto left = remove(space);
    if (thrown) std::rethrow_exception(thrown);
    if (!left.empty()) result.reason += (result.reason.empty() ? "" : "; ") + left;
    return result;
  }

 private:
  PolicyProbe ask(const std::string& name_space) {
    world_.applier.create(policy(name_space));
    world_.applier.create(pod("server", name_space, image_, server_program, ""));
    std::string address;
    const auto why_not = await(name_space, "server", [&address](const Object& seen) {
      address = seen.text("status.podIP");
      return phase_of(seen) == "Running" && !address.empty();
    });
    if (!why_not.empty()) return {Enforcement::unknown, why_not};
    world_.applier.create(pod("client", name_space, image_, client_program, address));
    std::optional<std::int64_t> code;
    const auto why_no_answer = await(name_space, "client", [&code](const Object& seen) {
      code = exit_code_of(seen);
      return code.has_value();
    });
    if (!why_no_answer.empty()) return {Enforcement::unknown, why_no_answer};
    if (*code == 0) return {Enforcement::enforced, ""};
    if (*code == exit_open) return {Enforcement::not_enforced, ""};
    if (*code == exit_unreachable) return {Enforcement::unknown, "its two pods do not reach each other at all"};
    return {Enforcement::unknown,
            "pod client ended with exit code " + std::to_string(*code) + ": has " + image_ + " no node?"};
  }

  // Watches a pod until `done`; why that did not come about, empty when it did.
  std::string await(const std::string& name_space, const char* name, const std::function<bool(const Object&)>& done) {
    std::stop_source over;
    const std::stop_callback interrupted(world_.interrupted, [&over] { over.request_stop(); });
    const auto left = std::chrono::duration_cast<milliseconds>(end_ - world_.clock.steady());
    std::jthread timer([&](const std::stop_token& cancelled) {
      if (world_.clock.wait(std::max(left, milliseconds(0)), cancelled)) over.request_stop();
    });
    bool came = false;
    std::string phase = "not there";
    world_.watcher.watch(
        kubernetes::type_of("v1", "Pod"), name_space,
        {.label_selector = {}, .field_selector = std::string("metadata.name=") + name},
        [&](const kubernetes::WatchEvent& event) {
          if (event.type == kubernetes::EventType::bookmark) return true;
          phase = phase_of(event.object);
          came = done(event.object);
          return !came && phase != "Failed" && phase != "Succeeded";
        },
        over.get_token());
    if (came) return {};
    if (world_.interrupted.stop_requested()) throw Cancelled("the probe of the network plugin was interrupted");
    return std::string("pod ") + name + " is " + (phase.empty() ? "Pending" : phase);
  }

  // What could not be removed; an interruption does not keep it from being tried.
  [[nodiscard]] std::string remove(const Object& space) const {
    try {
      world_.applier.remove(space.ref(), {.uid = space.uid(), .resource_version = {}});
      return {};
    } catch (const std::exception& error) {
      return "namespace " + space.name() + " is left (" + error.what() + ")";
    }
  }

  const World& world_;
  const std::string& image_;
  system::SteadyPoint end_;
  std::string run_;
};

}  // namespace

PolicyProbe probe_policies(const World& world, const std::string& image, std::chrono::milliseconds patience) {
  return Probe(world, image, patience).run();
}

}  // namespace litedesk
