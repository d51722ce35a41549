// A Runtime in memory: a temporary home, no terminal unless a test says so, no network.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cli/runtime.hpp"
#include "providers/error.hpp"

namespace litedesk::cli::testing {

class MemoryStreams : public Streams {
 public:
  void out(std::string_view text) override { output += text; }
  void err(std::string_view text) override { errors += text; }
  std::optional<std::string> read_line(std::stop_token) override {
    if (input.empty()) return std::nullopt;
    std::string line = input.front();
    input.erase(input.begin());
    return line;
  }
  std::string output, errors;
  std::vector<std::string> input;
};

// 2026-11-23T12:00:00Z for ever; a wait moves nothing and is over at once.
class FixedClock : public system::Clock {
 public:
  [[nodiscard]] system::TimePoint now() const override { return *system::from_rfc3339("2026-11-23T12:00:00Z"); }
  [[nodiscard]] system::SteadyPoint steady() const override { return steady_; }
  bool wait(system::milliseconds duration, std::stop_token stop) const override {
    steady_ += duration;
    return !stop.stop_requested();
  }

 private:
  mutable system::SteadyPoint steady_{};
};

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, std::string_view text) const;
  [[nodiscard]] std::string read(const std::string& name) const;

 private:
  std::filesystem::path path_;
};

struct Outcome {
  int code = 0;
  std::string out, err;
};

// One litedesk of its own: everything below folder.path().
struct Machine {
  TemporaryFolder folder;
  std::map<std::string, std::string> environment;
  Terminal terminal;
  std::vector<std::string> input;
  FixedClock clock;

  Machine();
  Outcome run(const std::vector<std::string>& arguments);
};

// The text with the machine's folder as HOME.
[[nodiscard]] std::string without_folder(std::string text, const Machine& machine);

// Compares with golden/NAME; with LITEDESK_UPDATE_GOLDEN=1 writes it instead.
[[nodiscard]] bool matches_golden(const std::string& name, const std::string& text);

}  // namespace litedesk::cli::testing
