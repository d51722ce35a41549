#include "providers/sandbox/service.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/json.hpp"
#include "providers/read_json.hpp"
#include "providers/system/files.hpp"
#include "providers/system/trust.hpp"

namespace litedesk::sandbox {

namespace {

// Whoever holds a lock on the first one serves, and says in the second one who that is. The kernel lets go of the lock
// when the process ends; what the second one says is worth nothing without it.
constexpr const char* lock_file = "serve.lock";
constexpr const char* service_file = "serve.json";

// Of the whole file, and of the descriptor's opening, which one can ask about without taking it.
bool lock_by(int descriptor, int command, struct flock& lock) {
  lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return ::fcntl(descriptor, command, &lock) == 0;
}

Service to_service(const Json& json) {
  Service service;
  service.process = {json.value("host", ""), json.value("bootId", ""), json.value("pid", 0L),
                     json.value("startTime", "")};
  service.since = json.value("since", "");
  service.kubernetes_url = json.value("kubernetes", "");
  service.route53_url = json.value("route53", "");
  service.atlas_url = json.value("atlas", "");
  service.log = json.value("log", "");
  return service;
}

Service announced(const std::filesystem::path& folder) {
  const auto text = system::read_file(folder / service_file, "what serves the sandbox");
  const auto json = text ? parse_json(*text) : Json();
  return json.is_object() ? to_service(json) : Service{};
}

[[noreturn]] void refuse(const std::filesystem::path& folder, const Service& service) {
  if (service.process.pid == 0)
    throw Conflict({.message = fmt::format("the sandbox in {} is being started by another process", folder.string()),
                    .hint = "see `litedesk sandbox status`"});
  throw Conflict(
      {.message = fmt::format("the sandbox in {} is already being served by process {}, since {}", folder.string(),
                              service.process.pid, service.since),
       .hint = fmt::format("use it with `source {0}/exports`, or end it with `litedesk sandbox stop --dir {0}`",
                           folder.string()),
       .cause = fmt::format("Kubernetes at {}, Route 53 at {}, Atlas at {}", service.kubernetes_url,
                            service.route53_url, service.atlas_url)});
}

}  // namespace

std::optional<Service> service_of(const std::filesystem::path& folder) {
  const int lock = ::open((folder / lock_file).c_str(), O_RDONLY | O_CLOEXEC);
  if (lock < 0) return std::nullopt;
  struct flock held {};
  const bool known = lock_by(lock, F_OFD_GETLK, held);
  ::close(lock);
  if (!known || held.l_type == F_UNLCK) return std::nullopt;
  return announced(folder);
}

std::optional<Service> end_service(const std::filesystem::path& folder, std::chrono::milliseconds timeout,
                                   std::stop_token stop) {
  auto service = service_of(folder);
  if (!service) return std::nullopt;
  if (service->process.pid == 0) refuse(folder, *service);
  if (!system::end_process(service->process, timeout, std::move(stop))) return std::nullopt;
  return service;
}

ServiceClaim::ServiceClaim(const std::filesystem::path& folder) : folder_(folder), lock_(-1) {
  system::make_private_folder(folder);
  system::require_trusted(folder, "sandbox folder");
  const auto file = folder / lock_file;
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0)
    throw Failed({.message = fmt::format("cannot write {}", file.string()),
                  .hint = "choose a folder that you may read and write",
                  .cause = std::strerror(errno)});
  struct flock lock {};
  if (!lock_by(lock_, F_OFD_SETLK, lock)) {
    ::close(lock_);
    refuse(folder, announced(folder));
  }
  // What one that was killed left behind.
  std::error_code ignored;
  std::filesystem::remove(folder / service_file, ignored);
}

ServiceClaim::~ServiceClaim() {
  std::error_code ignored;
  std::filesystem::remove(folder_ / service_file, ignored);
  ::close(lock_);
}

void ServiceClaim::announce(const Endpoints& endpoints, const std::string& log, system::TimePoint now) const {
  const auto process = system::this_process();
  const Json json = {{"host", process.host},
                     {"bootId", process.boot_id},
                     {"pid", process.pid},
                     {"startTime", process.start_time},
                     {"since", system::to_rfc3339(now)},
                     {"kubernetes", endpoints.kubernetes_url},
                     {"route53", endpoints.route53_url},
                     {"atlas", endpoints.atlas_url},
                     {"log", log}};
  system::write_file_atomically(folder_ / service_file, json.dump(2) + "\n", "what serves the sandbox");
}

}  // namespace litedesk::sandbox
