// litedesk sandbox: the embedded stand-ins, kept up for other clients.
#include <array>
#include <cmath>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/prompt.hpp"
#include "cli/remember.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "commands/registry.hpp"
#include "providers/error.hpp"
#include "providers/kubernetes/client.hpp"
#include "providers/sandbox/sandbox.hpp"
#include "providers/system/files.hpp"

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

void bind_serve(Flags& flags, SandboxServe& options) {
  flags.flag({.names = "--dir", .value = "FOLDER", .help = "where to keep its state", .values = Values::folder},
             options.folder);
  flags.flag(
      {.names = "--fault",
       .value = "API:KIND:HOW",
       .help = "inject faults: kubernetes, atlas, route53 or all; throttle, error, unavailable, reset, lost, slow or "
               "conflict; a probability (0.3) or a count (2). May be repeated",
       .values = Values::fault},
      options.faults);
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

// Litedesk's own kind, as in the built-in context: then a fresh one takes tenants at once.
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
  if (client.serves(tenant_type())) return;
  (void)install_registry({client, client, client, files, clock}, longest, session.interrupted());
}

void wait_until_stopped(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, stop, [] { return false; });
}

int serve(const SandboxServe& options, Session& session) {
  check_serve(options);
  Printer& printer = session.printer();
  sandbox::Options how;
  how.folder = folder_of(options.folder, session);
  how.port_base = static_cast<int>(options.port);
  how.time_scale = options.time_scale;
  how.clock = &session.runtime().clock;
  if (const std::string domain = variable(session.runtime().environment, "LITEDESK_DOMAIN"); !domain.empty()) {
    how.domain = domain;
  }
  std::vector<sandbox::Fault> faults;
  for (const std::string& fault : options.faults) faults.push_back(sandbox::parse_fault(fault));
  {
    const sandbox::Sandbox undisturbed(how);
    install_tenant_kind(undisturbed.endpoints(), session);
  }
  how.faults = std::move(faults);
  if (session.global().verbose > 0) how.on_request = [&printer](const std::string& line) { printer.detail(1, line); };
  const sandbox::Sandbox running(std::move(how));
  const sandbox::Endpoints& endpoints = running.endpoints();
  const std::filesystem::path kubeconfig = folder_of(options.folder, session) / "kubeconfig";
  system::write_file_atomically(kubeconfig, sandbox::kubeconfig(endpoints), "kubeconfig");
  const std::array<std::pair<const char*, std::string>, 11> exports{
      {{"KUBECONFIG", kubeconfig.string()},
       {"AWS_ENDPOINT_URL", endpoints.route53_url},
       {"AWS_ACCESS_KEY_ID", endpoints.aws_access_key_id},
       {"AWS_SECRET_ACCESS_KEY", endpoints.aws_secret_access_key},
       {"AWS_REGION", endpoints.aws_region},
       {"AWS_DEFAULT_REGION", endpoints.aws_region},  // what the aws command before version 2 reads
       {"AWS_ROUTE53_HOSTED_ZONE_ID", endpoints.zone_id},
       {"LITEDESK_ATLAS_URL", endpoints.atlas_url},
       {"MONGODB_ATLAS_API_KEY", endpoints.atlas_public_key},
       {"MONGODB_ATLAS_API_SECRET", endpoints.atlas_private_key},
       {"MONGODB_ATLAS_PROJECT_ID", endpoints.atlas_project}}};
  std::string lines;
  for (const auto& [name, value] : exports) lines += fmt::format("export {}={}\n", name, shell_quoted(value));
  session.runtime().streams.out(lines);
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
  const bool exists = sandbox::has_state(folder);
  // Nothing real is lost: a script need not confirm, a person who may have mistyped is asked.
  const bool asks = exists && session.runtime().terminal.in && session.runtime().terminal.err;
  if (asks || !options.confirm.empty())
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

int status(const SandboxStatus& options, Session& session) {
  const sandbox::Contents contents = sandbox::contents(folder_of(options.folder, session));
  Answer answer;
  answer.json = {{"folder", contents.folder}, {"exists", contents.exists}, {"counts", contents.counts}};
  answer.names = {"sandbox/" + contents.folder};
  std::vector<Detail> lines{{"Folder", contents.folder}, {"State", contents.exists ? "present" : "none yet"}};
  for (const auto& [what, count] : contents.counts) lines.push_back({what, std::to_string(count)});
  answer.text = render(lines);
  session.printer().answer(answer);
  return 0;
}

constexpr std::array commands{
    Command{
        "sandbox", "serve", "keep the sandbox running for other clients",
        "Starts stand-ins for Kubernetes, Atlas and Route 53 on loopback, prints one `export NAME=value` line each for "
        "what reaches them, and serves until it is stopped. With -v it prints every request to stderr.",
        "litedesk sandbox serve > sandbox.env &\n"
        "litedesk sandbox serve --fault route53:throttle:0.3 --fault all:lost:2 -v",
        binder<SandboxServe, bind_serve>, runner<SandboxServe, serve>, Needs::nothing},
    Command{"sandbox", "reset", "reset the sandbox: delete everything in it", "", "litedesk sandbox reset --yes",
            binder<SandboxReset, bind_reset>, runner<SandboxReset, reset>, Needs::nothing},
    Command{"sandbox", "status", "show what is in the sandbox", "", "litedesk sandbox status -o json",
            binder<SandboxStatus, bind_status>, runner<SandboxStatus, status>, Needs::nothing},
};

}  // namespace

std::span<const Command> sandbox_commands() {
  return commands;
}

}  // namespace litedesk::cli
