#include "memory_runtime.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>
#include <unistd.h>

namespace litedesk::cli::testing {
namespace {

namespace fs = std::filesystem;

class NoTransport : public http::Transport {
 public:
  http::Response send(http::Request, std::stop_token) override { throw Unavailable("tests have no network"); }
  std::vector<http::Result> send_all(std::vector<http::Request>, std::stop_token) override {
    throw Unavailable("tests have no network");
  }
  http::Response stream(http::Request, const http::ChunkHandler&, std::chrono::milliseconds, std::stop_token) override {
    throw Unavailable("tests have no network");
  }
};

std::string read_all(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "litedesk-cli.XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // a folder left behind is no failed test
  fs::remove_all(path_, ignored);
}

void TemporaryFolder::write(const std::string& name, std::string_view text) const {
  fs::create_directories((path_ / name).parent_path());
  std::ofstream(path_ / name, std::ios::binary) << text;
}

std::string TemporaryFolder::read(const std::string& name) const {
  return read_all(path_ / name);
}

Machine::Machine() {
  environment = {{"HOME", folder.path().string()},
                 {"LITEDESK_HOME", (folder.path() / "litedesk").string()},
                 {"USER", "tester"},
                 {"TERM", "xterm"},
                 {"LANG", "C.UTF-8"}};
}

Outcome Machine::run(const std::vector<std::string>& arguments) {
  MemoryStreams streams;
  streams.input = input;
  Runtime runtime{.streams = streams,
                  .terminal = terminal,
                  .environment = environment,
                  .folder = folder.path(),
                  .clock = clock,
                  .random = system::os_random(),
                  .make_transport = [](http::ClientOptions) { return std::make_unique<NoTransport>(); },
                  .interrupt = std::stop_source()};
  const int code = cli::run(arguments, runtime);
  return {code, streams.output, streams.errors};
}

std::string without_folder(std::string text, const Machine& machine) {
  const std::string folder = machine.folder.path().string();
  for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder, at + 4)) {
    text.replace(at, folder.size(), "HOME");
  }
  return text;
}

bool matches_golden(const std::string& name, const std::string& text) {
  const fs::path path = fs::path(LITEDESK_SOURCE_DIR) / "tests/unit/cli/golden" / name;
  const char* update = std::getenv("LITEDESK_UPDATE_GOLDEN");
  if (update != nullptr && std::string_view(update) == "1") {
    std::ofstream(path, std::ios::binary) << text;
    return true;
  }
  const std::string wanted = read_all(path);
  if (wanted == text) return true;
  MESSAGE("golden/" << name << " (LITEDESK_UPDATE_GOLDEN=1 writes it anew) is\n"
                    << wanted << "and what came is\n"
                    << text);
  return false;
}

}  // namespace litedesk::cli::testing
