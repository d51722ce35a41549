#include "cli/trace.hpp"

#include <array>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

#include "memory_runtime.hpp"
#include "providers/error.hpp"

using namespace litedesk;
using namespace litedesk::cli;
namespace fs = std::filesystem;

namespace {

struct Traced {
  testing::Machine machine;
  testing::MemoryStreams streams;
  Runtime runtime{.streams = streams,
                  .terminal = machine.terminal,
                  .environment = machine.environment,
                  .folder = machine.folder.path(),
                  .clock = machine.clock,
                  .random = system::os_random(),
                  .make_transport = {},
                  .interrupt = std::stop_source()};
  Printer printer{runtime, GlobalOptions{}};
};

}  // namespace

TEST_CASE("a trace goes through a link to the file or the pipe that it names, as /dev/stderr is one") {
  Traced traced;
  const auto folder = traced.machine.folder.path();
  traced.machine.folder.write("file", "old");
  fs::create_symlink("file", folder / "to-file");
  make_trace((folder / "to-file").string(), 0, traced.printer)({{}, http::Api::other, "> #1 GET x"});
  CHECK(traced.machine.folder.read("file").find("Z other > #1 GET x\n") != std::string::npos);
  CHECK(fs::status(folder / "file").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(fs::is_symlink(folder / "to-file"));

  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  fs::create_symlink("/proc/self/fd/" + std::to_string(ends[1]), folder / "to-pipe");
  make_trace((folder / "to-pipe").string(), 0, traced.printer)({{}, http::Api::other, "> #1 GET x"});
  std::array<char, 200> buffer{};
  const auto got = ::read(ends[0], buffer.data(), buffer.size());
  REQUIRE(got > 0);
  CHECK(std::string(buffer.data(), static_cast<std::size_t>(got)).find("> #1 GET x\n") != std::string::npos);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a warning is said in every format, once; for scripts as a JSON document of its own") {
  for (const std::string format : {"table", "json", "yaml", "name", "jsonpath={.a}"}) {
    CAPTURE(format);
    Traced traced;
    GlobalOptions options;
    options.output = format;
    Printer printer(traced.runtime, options);
    printer.warn("the lock was lost");
    printer.warn("the lock was lost");
    printer.note("a hint");
    const std::string warning =
        format == "json" ? R"({"warning":{"message":"the lock was lost"}})" : "warning: the lock was lost";
    CHECK(traced.streams.errors == warning + "\n" + (format == "table" ? "a hint\n" : ""));
    CHECK(traced.streams.output.empty());
  }
}
