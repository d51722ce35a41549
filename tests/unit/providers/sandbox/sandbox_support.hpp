// What the sandbox's own tests share: a folder that goes away, a clock that stands still, calls without a network.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "providers/sandbox/api.hpp"

namespace litedesk::sandbox::tests {

inline const Keys keys = {.kubernetes_token = "sandbox-token",
                          .aws_access_key_id = "AKIASANDBOX000000000",
                          .aws_secret_access_key = "sandbox-secret-access-key",
                          .atlas_public_key = "sandboxk",
                          .atlas_private_key = "sandbox-private-key",
                          .atlas_client_id = "mdb_sa_id_sandbox0000000000000000",
                          .atlas_client_secret = "mdb_sa_sk_sandbox"};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string form = (std::filesystem::temp_directory_path() / "litedesk-sandbox-XXXXXX").string();
    if (::mkdtemp(form.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = form;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// Stands still until it is moved; a wait moves it.
class HandClock : public system::Clock {
 public:
  explicit HandClock(std::string_view time = "2026-01-02T03:04:05Z") : time_(*system::from_rfc3339(time)) {}
  [[nodiscard]] system::TimePoint now() const override { return time_.load(); }
  [[nodiscard]] system::SteadyPoint steady() const override {
    return system::SteadyPoint(std::chrono::duration_cast<system::SteadyPoint::duration>(now().time_since_epoch()));
  }
  bool wait(system::milliseconds duration, std::stop_token) const override {
    move(duration);
    return true;
  }
  void move(std::chrono::milliseconds by) const { time_ = time_.load() + by; }

 private:
  mutable std::atomic<system::TimePoint> time_;
};

// A call as the server would hand it over.
inline Call make_call(std::string method, std::string target, std::string body = {},
                      std::multimap<std::string, std::string> headers = {}) {
  Call call;
  call.method = std::move(method);
  call.target = std::move(target);
  const auto mark = std::min(call.target.find('?'), call.target.size());
  call.path = call.target.substr(0, mark);
  if (mark < call.target.size()) call.query = parse_query(std::string_view(call.target).substr(mark + 1));
  call.headers = std::move(headers);
  call.body = std::move(body);
  return call;
}

}  // namespace litedesk::sandbox::tests
