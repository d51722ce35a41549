// litedesk sandbox: the embedded stand-ins, kept up for other clients.
#include <array>
#include <cmath>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/prompt.hpp"
#include "cli/remember.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "commands/host_claims.hpp"
#include "commands/registry.hpp"
#include "providers/error.hpp"
#include "providers/kubernetes/client.hpp"
#include "providers/sandbox/sandbox.hpp"
#include "providers/sandbox/service.hpp"
#include "providers/system/files.hpp"
#include "providers/system/process.hpp"

namespace litedesk::cli {
namespace {

std::filesystem::path folder_of(const std::string& flag, Session& session) {
  const Paths paths = session.paths();
  if (flag.empty()) return paths.state / "sandbox";
  return (session.runtime().folder / system::expand_home(flag, paths.home)).lexically_normal();
}

// As a POSIX shell reads it back.
std::string shell_quoted(const std::string& text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,=";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string fault_help() {
  const auto kinds = sandbox::fault_kinds();
  return fmt::format(
      "inject faults: kubernetes, atlas, route53 or all; {} or {}; a probability (0.3) or a count (2). May be "
      "repeated",
      fmt::join(kinds.begin(), kinds.end() - 1, ", "), kinds.back());
}

void bind_serve(Flags& flags, SandboxServe& options) {
  static const std::string faults = fault_help();
  flags.flag({.names = "--dir", .value = "FOLDER", .help = "where to keep its state", .values = Values::folder},
             options.folder);
  flags.flag({.names = "--fault", .value = "API:KIND:HOW", .help = faults, .values = Values::fault}, options.faults);
  flags.flag({.names = "--detach", .value = "", .help = "return once it is ready, and let it serve in the background"},
             options.detach);
  // How the one in the background is told where to write once it is ready.
  flags.flag(
      {.names = "--log", .value = "FILE", .help = "write there once it serves", .values = Values::file, .hidden = true},
      options.log);
  flags.flag({.names = "--port", .value = "N", .help = "first of three ports (default: any free ones)"}, options.port);
  flags.flag(
      {.names = "--time-scale", .value = "X", .help = "how long things take: 1 is real time, 0 is instantaneous"},
      options.time_scale);
}

void check_serve(const SandboxServe& options) {
  if (options.port < 0 || options.port > 65'533)
    throw UsageError(fmt::format("--port {}: must be 1 to 65533", options.port));
  if (!std::isfinite(options.time_scale) || options.time_scale < 0 || options.time_scale > 1000) {
    throw UsageError(fmt::format("--time-scale {}: must be 0 to 1000", options.time_scale));
  }
}

// Litedesk's own kinds, as in the built-in context: then a fresh one takes tenants at once.
void install_tenant_kind(const sandbox::Endpoints& endpoints, Session& session) {
  constexpr std::chrono::milliseconds longest{30'000};
  const system::Clock& clock = session.runtime().clock;
  http::ClientOptions http_options;
  http_options.clock = &clock;
  http_options.random = &session.runtime().random;
  const auto transport = session.runtime().make_transport(std::move(http_options));
  kubernetes::ClusterConfig config;
  config.server = endpoints.kubernetes_url;
  config.token = Secret(endpoints.kubernetes_token);
  kubernetes::ClientOptions client_options;
  client_options.clock = &clock;
  kubernetes::Client client(*transport, std::move(config), std::move(client_options));
  const templates::Files files;
  if (is_current(client, files)) return;
  (void)install_registry({client, client, client, files, clock}, longest, session.interrupted());
}

void wait_until_stopped(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, stop, [] { return false; });
}

// What reaches the sandbox, as a shell reads it.
std::string export_lines(const sandbox::Endpoints& endpoints, const std::filesystem::path& kubeconfig) {
  const std::array<std::pair<const char*, std::string>, 14> exports{
      {{"KUBECONFIG", kubeconfig.string()},
       {"AWS_ENDPOINT_URL", endpoints.route53_url},
       {"AWS_ACCESS_KEY_ID", endpoints.aws_access_key_id},
       {"AWS_SECRET_ACCESS_KEY", endpoints.aws_secret_access_key},
       {"AWS_REGION", endpoints.aws_region},
       {"AWS_DEFAULT_REGION", endpoints.aws_region},  // what the aws command before version 2 reads
       {"AWS_ROUTE53_HOSTED_ZONE_ID", endpoints.zone_id},
       {"LITEDESK_ATLAS_URL", endpoints.atlas_url},
       {"LITEDESK_LOAD_BALANCER_CONNECT", endpoints.ingress_url},
       {"MONGODB_ATLAS_API_KEY", endpoints.atlas_public_key},
       {"MONGODB_ATLAS_API_SECRET", endpoints.atlas_private_key},
       {"MONGODB_ATLAS_CLIENT_ID", endpoints.atlas_client_id},
       {"MONGODB_ATLAS_CLIENT_SECRET", endpoints.atlas_client_secret},
       {"MONGODB_ATLAS_PROJECT_ID", endpoints.atlas_project}}};
  std::string lines;
  for (const auto& [name, value] : exports) lines += fmt::format("export {}={}\n", name, shell_quoted(value));
  return lines;
}

// This program, though the file that it was started from may be gone.
std::string own_program() {
  std::error_code error;
  const auto file = std::filesystem::read_symlink("/proc/self/exe", error);
  return !error && std::filesystem::exists(file, error) ? file.string() : "/proc/self/exe";
}

// The same command again, which goes on without this one.
int serve_detached(const SandboxServe& options, Session& session) {
  constexpr std::chrono::milliseconds longest{60'000};
  const std::filesystem::path folder = folder_of(options.folder, session);
  const std::filesystem::path log = folder / "serve.log";
  system::Command command;
  command.withheld = credential_variables();
  command.withheld.emplace_back("AWS_");  // it asks no API of anybody's
  command.program = own_program();
  command.arguments = {"sandbox",
                       "serve",
                       "--dir",
                       folder.string(),
                       "--log",
                       log.string(),
                       fmt::format("--port={}", options.port),
                       fmt::format("--time-scale={}", options.time_scale),
                       "--output",
                       session.global().output,
                       "--color",
                       session.global().color};
  for (const std::string& fault : options.faults) command.arguments.push_back("--fault=" + fault);
  for (int i = 0; i < session.global().verbose; ++i) command.arguments.emplace_back("-v");
  const auto started = system::start_detached(command, session.timeout(longest), session.interrupted());
  session.runtime().streams.err(started.errors);
  if (!started.ready) return started.exit_code != 0 ? started.exit_code : 1;
  session.runtime().streams.out(started.output);
  if (session.runtime().terminal.err)
    session.printer().note(
        fmt::format("serving in the background, with its log in {}\n"
                    "`litedesk sandbox stop` stops it",
                    log.string()));
  return 0;
}

int serve(const SandboxServe& options, Session& session) {
  check_serve(options);
  Printer& printer = session.printer();
  sandbox::Options how;
  for (const std::string& fault : options.faults) how.faults.push_back(sandbox::parse_fault(fault));
  if (options.detach) return serve_detached(options, session);
  how.folder = folder_of(options.folder, session);
  how.port_base = static_cast<int>(options.port);
  how.time_scale = options.time_scale;
  how.clock = &session.runtime().clock;
  if (const std::string domain = variable(session.runtime().environment, "LITEDESK_DOMAIN"); !domain.empty()) {
    Settings checked;
    apply_setting(checked, *find_setting("dns.domain"), domain, "LITEDESK_DOMAIN");
    how.domain = checked.dns.domain;
  }
  const sandbox::ServiceClaim claim(how.folder);
  {
    auto without_faults = how;
    without_faults.faults.clear();
    const sandbox::Sandbox undisturbed(std::move(without_faults));
    install_tenant_kind(undisturbed.endpoints(), session);
  }
  if (session.global().verbose > 0) how.on_request = [&printer](const std::string& line) { printer.detail(1, line); };
  const std::filesystem::path folder = how.folder;
  const sandbox::Sandbox running(std::move(how));
  const std::filesystem::path kubeconfig = folder / "kubeconfig";
  system::write_file_atomically(kubeconfig, sandbox::kubeconfig(running.endpoints()), "kubeconfig");
  const std::string lines = export_lines(running.endpoints(), kubeconfig);
  system::write_file_atomically(folder / "exports", lines, "the sandbox's variables");
  claim.announce(running.endpoints(), options.log, session.now());
  session.runtime().streams.out(lines);
  if (!options.log.empty()) system::redirect_output(options.log);
  if (session.runtime().terminal.err) printer.note("serving until Ctrl-C");
  wait_until_stopped(session.interrupted());
  return 0;
}

void bind_reset(Flags& flags, SandboxReset& options) {
  flags.flag({.names = "--dir", .value = "FOLDER", .help = "where to keep its state", .values = Values::folder},
             options.folder);
  flags.flag({.names = "--confirm", .value = "sandbox", .help = "confirm in advance"}, options.confirm);
}

int reset(const SandboxReset& options, Session& session) {
  const std::filesystem::path folder = folder_of(options.folder, session);
  if (sandbox::has_state(folder) || !options.confirm.empty())
    confirm(session, "reset the sandbox in " + folder.string(), "sandbox", options.confirm);
  const bool done = sandbox::reset(folder);
  if (folder == session.paths().state / "sandbox") forget_sandbox(session);
  session.printer().answer({.json = {{"folder", folder.string()}, {"reset", done}},
                            .names = {"sandbox/" + folder.string()},
                            .table = {},
                            .text = done ? fmt::format("the sandbox in {} was reset\n", folder.string())
                                         : fmt::format("no sandbox found in {}\n", folder.string())});
  return 0;
}

void bind_status(Flags& flags, SandboxStatus& options) {
  flags.flag({.names = "--dir", .value = "FOLDER", .help = "where to keep its state", .values = Values::folder},
             options.folder);
}

Json to_json(const std::optional<sandbox::Service>& service, const std::filesystem::path& folder) {
  if (!service) return nullptr;
  return {{"pid", service->process.pid},
          {"host", service->process.host},
          {"since", service->since},
          {"kubernetes", service->kubernetes_url},
          {"route53", service->route53_url},
          {"atlas", service->atlas_url},
          {"kubeconfig", (folder / "kubeconfig").string()},
          {"exports", (folder / "exports").string()},
          {"log", service->log.empty() ? Json() : Json(service->log)}};
}

int status(const SandboxStatus& options, Session& session) {
  const std::filesystem::path folder = folder_of(options.folder, session);
  const sandbox::Contents contents = sandbox::contents(folder);
  const auto service = sandbox::service_of(folder);
  Answer answer;
  answer.json = {{"folder", contents.folder},
                 {"exists", contents.exists},
                 {"counts", contents.counts},
                 {"server", to_json(service, folder)}};
  answer.names = {"sandbox/" + contents.folder};
  std::vector<Detail> lines{{"Folder", contents.folder}, {"State", contents.exists ? "present" : "none yet"}};
  if (!service) {
    lines.push_back({"Served", "no"});
  } else if (service->process.pid == 0) {
    lines.push_back({"Served", "starting"});
  } else {
    lines.push_back({"Served", fmt::format("by process {}, since {}", service->process.pid, service->since)});
    lines.push_back({"Kubernetes", service->kubernetes_url});
    lines.push_back({"Route 53", service->route53_url});
    lines.push_back({"Atlas", service->atlas_url});
    lines.push_back({"Exports", (folder / "exports").string()});
    if (!service->log.empty()) lines.push_back({"Log", service->log});
  }
  for (const auto& [what, count] : contents.counts) lines.push_back({what, std::to_string(count)});
  answer.text = render(lines);
  session.printer().answer(answer);
  return 0;
}

void bind_stop(Flags& flags, SandboxStop& options) {
  flags.flag({.names = "--dir", .value = "FOLDER", .help = "where its state is kept", .values = Values::folder},
             options.folder);
}

int stop(const SandboxStop& options, Session& session) {
  constexpr std::chrono::milliseconds longest{10'000};
  const std::filesystem::path folder = folder_of(options.folder, session);
  const auto ended = sandbox::end_service(folder, session.timeout(longest), session.interrupted());
  session.printer().answer({.json = {{"folder", folder.string()},
                                     {"stopped", ended.has_value()},
                                     {"pid", ended ? Json(ended->process.pid) : Json()}},
                            .names = {"sandbox/" + folder.string()},
                            .table = {},
                            .text = ended ? fmt::format("process {} no longer serves the sandbox in {}\n",
                                                        ended->process.pid, folder.string())
                                          : fmt::format("no sandbox is being served from {}\n", folder.string())});
  return 0;
}

constexpr std::array commands{
    Command{"sandbox", "serve", "keep the sandbox running for other clients",
            "Starts stand-ins for Kubernetes, Atlas and Route 53 on loopback, prints one `export NAME=value` line each "
            "for what reaches them, and serves until it is stopped. With --detach it runs in the background, and "
            "returns once it is ready; FOLDER/exports holds the lines too. With -v it prints every request to stderr, "
            "in the background to its log. One process at a time serves a folder.",
            "eval \"$(litedesk sandbox serve --detach)\"\n"
            "litedesk sandbox serve --fault route53:throttle:0.3 --fault all:lost:2 -v",
            binder<SandboxServe, bind_serve>, runner<SandboxServe, serve>, Needs::nothing},
    Command{"sandbox", "stop", "stop the sandbox that is being served", "", "litedesk sandbox stop",
            binder<SandboxStop, bind_stop>, runner<SandboxStop, stop>, Needs::nothing},
    Command{"sandbox", "reset", "reset the sandbox: delete everything in it", "", "litedesk sandbox reset --yes",
            binder<SandboxReset, bind_reset>, runner<SandboxReset, reset>, Needs::nothing, true},
    Command{"sandbox", "status", "show what is in the sandbox, and who serves it", "",
            "litedesk sandbox status -o json", binder<SandboxStatus, bind_status>, runner<SandboxStatus, status>,
            Needs::nothing},
};

}  // namespace

std::span<const Command> sandbox_commands() {
  return commands;
}

}  // namespace litedesk::cli
