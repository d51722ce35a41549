#include "providers/sandbox/sandbox.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <random>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/sandbox/api.hpp"
#include "providers/sandbox/server.hpp"
#include "providers/system/files.hpp"
#include "providers/system/limits.hpp"
#include "providers/system/random.hpp"
#include "providers/system/trust.hpp"

namespace litedesk::sandbox {

namespace {

constexpr const char* state_file = "state.db";
// The state and its journals, four servers, and both ends of what a command has open to them: 16 connections each.
constexpr std::size_t files_while_serving = 100;
constexpr std::string_view kubernetes_prefix = "kubernetes/";

// Shared by those that serve a folder, exclusive for the one that empties it. The kernel lets go of it when a process
// ends.
class FolderLock {
 public:
  enum class Mode { shared, exclusive };

  FolderLock(const std::filesystem::path& folder, Mode mode)
      : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (descriptor_ < 0)
      throw Failed({.message = fmt::format("cannot open the sandbox's folder {}", folder.string()),
                    .hint = "choose a folder that you can read and write",
                    .cause = std::strerror(errno)});
    if (::flock(descriptor_, (mode == Mode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0) return;
    ::close(descriptor_);
    if (mode == Mode::shared)
      throw Conflict({.message = fmt::format("the sandbox in {} is being reset by another process", folder.string()),
                      .hint = "run the command again"});
    throw Conflict({.message = fmt::format("the sandbox in {} is in use by another process", folder.string()),
                    .hint = "stop `litedesk sandbox serve` with `litedesk sandbox stop`, and anything else that uses "
                            "it, then run the command again"});
  }
  ~FolderLock() { ::close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

std::string url_of(const Server& server) {
  return fmt::format("http://127.0.0.1:{}", server.port());
}

}  // namespace

struct Sandbox::Impl {
  explicit Impl(Options given)
      : options(std::move(given)),
        lock(prepared(options.folder), FolderLock::Mode::shared),
        state(options.folder / state_file) {
    constexpr std::array<std::pair<const char*, std::unique_ptr<Api> (*)(Context)>, 4> makers = {
        {{"kubernetes", make_kubernetes_api},
         {"route53", make_route53_api},
         {"atlas", make_atlas_api},
         {"ingress", make_ingress}}};
    const auto keys = draw_keys();
    std::random_device seed;
    for (const auto& [name, make] : makers) {
      apis.push_back(make(Context{state, *options.clock, options.time_scale, options.domain, keys}));
      // What customers ask is no API of which a client would have to bear the faults.
      const bool is_public = apis.back()->is_public();
      faults.push_back(std::make_unique<Faults>(is_public ? std::vector<Fault>() : options.faults, name, seed()));
      const int port = options.port_base == 0 ? 0 : options.port_base + static_cast<int>(servers.size());
      std::function<void(const std::string&)> on_request;
      if (options.on_request)
        on_request = [this](const std::string& line) {
          const std::lock_guard guard(line_mutex);
          options.on_request(line);
        };
      ServerOptions how{.name = name, .port = port, .on_request = on_request, .clock = options.clock};
      if (apis.size() == 1) how.token_in_path = keys.kubernetes_token;
      servers.push_back(std::make_unique<Server>(*apis.back(), *faults.back(), std::move(how)));
    }
    endpoints = {.kubernetes_url = url_of(*servers[0]),
                 .route53_url = url_of(*servers[1]),
                 .atlas_url = url_of(*servers[2]),
                 .kubernetes_token = keys.kubernetes_token,
                 .aws_access_key_id = keys.aws_access_key_id,
                 .aws_secret_access_key = keys.aws_secret_access_key,
                 .aws_region = "us-east-1",
                 .zone_id = std::string(zone_id),
                 .atlas_project = std::string(atlas_project),
                 .atlas_public_key = keys.atlas_public_key,
                 .atlas_private_key = keys.atlas_private_key,
                 .atlas_client_id = keys.atlas_client_id,
                 .atlas_client_secret = keys.atlas_client_secret,
                 .atlas_cluster = "crm",
                 .load_balancer = std::string(load_balancer),
                 .ingress_url = url_of(*servers[3])};
  }

  ~Impl() {
    state.interrupt();
    for (const auto& server : servers) server->stop();
    servers.clear();
  }

  static const std::filesystem::path& prepared(const std::filesystem::path& folder) {
    // SQLite, the servers and their clients would each fail in their own words, and some of them late.
    if (const auto shortage = system::file_shortage_for(files_while_serving))
      throw Failed({.message = "the sandbox cannot start: " + shortage->message, .hint = shortage->hint});
    system::make_private_folder(folder);
    system::require_trusted(folder, "sandbox folder");
    return folder;
  }

  Options options;
  FolderLock lock;
  State state;
  std::mutex line_mutex;
  std::vector<std::unique_ptr<Api>> apis;
  std::vector<std::unique_ptr<Faults>> faults;
  std::vector<std::unique_ptr<Server>> servers;
  Endpoints endpoints;
};

Sandbox::Sandbox(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Sandbox::~Sandbox() = default;

const Endpoints& Sandbox::endpoints() const {
  return impl_->endpoints;
}

Keys draw_keys() {
  auto& random = system::os_random();
  const auto letters = [&random](std::string_view alphabet, std::size_t length) {
    std::string text;
    while (text.size() < length) text += alphabet[random.below(alphabet.size())];
    return text;
  };
  return {.kubernetes_token = std::string(random.hex(24).reveal()),
          .aws_access_key_id = "AKIA" + letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
          .aws_secret_access_key = std::string(random.password(40).reveal()),
          .atlas_public_key = letters("abcdefghijklmnopqrstuvwxyz", 8),
          .atlas_private_key = random.uuid(),
          .atlas_client_id = fmt::format("mdb_sa_id_{}", random.hex(12).reveal()),
          .atlas_client_secret = fmt::format("mdb_sa_sk_{}", random.password(40).reveal())};
}

std::string kubeconfig(const Endpoints& endpoints) {
  return fmt::format(R"(apiVersion: v1
kind: Config
clusters:
- name: litedesk-sandbox
  cluster:
    server: "{}/{}"
users:
- name: litedesk-sandbox
  user:
    token: "{}"
contexts:
- name: litedesk-sandbox
  context:
    cluster: litedesk-sandbox
    user: litedesk-sandbox
current-context: litedesk-sandbox
)",
                     endpoints.kubernetes_url, endpoints.kubernetes_token, endpoints.kubernetes_token);
}

bool has_state(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::exists(folder / state_file, error);
}

bool reset(const std::filesystem::path& folder) {
  std::error_code error;
  if (!has_state(folder)) return false;
  const FolderLock lock(folder, FolderLock::Mode::exclusive);
  for (const auto* suffix : {"", "-wal", "-shm"}) {
    const auto file = folder / fmt::format("{}{}", state_file, suffix);
    std::filesystem::remove(file, error);
    if (error)
      throw Failed({.message = fmt::format("cannot remove the sandbox's file {}", file.string()),
                    .hint = "check who owns the folder",
                    .cause = error.message()});
  }
  return true;
}

Contents contents(const std::filesystem::path& folder) {
  Contents found;
  found.folder = folder.string();
  found.exists = has_state(folder);
  if (!found.exists) return found;
  State state(folder / state_file);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> names = {{{"route53/zones", "hosted zones"},
                                                                                   {"route53/records", "records"},
                                                                                   {"atlas/projects", "projects"},
                                                                                   {"atlas/clusters", "clusters"},
                                                                                   {"atlas/users", "database users"}}};
  for (const auto& [collection, name] : names) found.counts[std::string(name)] = state.count(collection, std::nullopt);
  // "kubernetes/deployments.apps" counts as "deployments".
  for (const auto& collection : state.collections(kubernetes_prefix)) {
    const auto resource = collection.substr(kubernetes_prefix.size());
    found.counts[resource.substr(0, resource.find('.'))] += state.count(collection, std::nullopt);
  }
  return found;
}

}  // namespace litedesk::sandbox
