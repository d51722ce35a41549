// Who serves a sandbox's folder for other programs: one process at a time. Commands that only work on the sandbox
// themselves open it beside that one and are no part of this.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "providers/sandbox/sandbox.hpp"
#include "providers/system/clock.hpp"
#include "providers/system/process.hpp"

namespace litedesk::sandbox {

struct Service {
  system::ProcessIdentity process;
  std::string since;  // RFC 3339
  std::string kubernetes_url, route53_url, atlas_url;
  std::string log;  // where it writes what it has to say; empty: to its terminal
};

// The one that serves the folder at this moment. Its fields are empty while it is starting.
[[nodiscard]] std::optional<Service> service_of(const std::filesystem::path& folder);

// Asks it to end and waits until it has. Absent: nobody served the folder. Throws as system::end_process does.
std::optional<Service> end_service(const std::filesystem::path& folder, std::chrono::milliseconds timeout,
                                   std::stop_token stop);

// The right to serve a folder, until it is destroyed or the process ends, however it does.
class ServiceClaim {
 public:
  // Throws Conflict that says who has it, PermissionDenied or Failed for a folder that cannot be used.
  explicit ServiceClaim(const std::filesystem::path& folder);
  ~ServiceClaim();
  ServiceClaim(const ServiceClaim&) = delete;
  ServiceClaim& operator=(const ServiceClaim&) = delete;

  // Says what service_of() tells others.
  void announce(const Endpoints& endpoints, const std::string& log, system::TimePoint now) const;

 private:
  std::filesystem::path folder_;
  int lock_;
};

}  // namespace litedesk::sandbox
