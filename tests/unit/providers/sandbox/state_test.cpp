#include <array>
#include <csignal>
#include <thread>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/system/files.hpp"
#include "sandbox_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using tests::TemporaryFolder;

namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777;
}

}  // namespace

TEST_CASE("what is put is read back, by name and in a sorted list") {
  const TemporaryFolder folder;
  State state(folder / "state.db");
  state.write([&] {
    state.put("pods", "b", "x", {{"n", 1}});
    state.put("pods", "a", "z", {{"n", 2}});
    state.put("pods", "a", "y", {{"n", 3}});
    state.put("nodes", "", "one", {{"n", 4}});
  });
  CHECK(state.get("pods", "a", "z")->body.at("n") == 2);
  CHECK_FALSE(state.get("pods", "a", "x"));
  std::string order;
  for (const auto& row : state.list("pods", std::nullopt)) order += row.scope + "/" + row.name + " ";
  CHECK(order == "a/y a/z b/x ");
  CHECK(state.list("pods", "a").size() == 2);
  CHECK(state.count("pods", std::nullopt) == 3);
  CHECK(state.count("pods", "b") == 1);
  CHECK(state.collections("po") == std::vector<std::string>{"pods"});
  CHECK(state.collections("") == std::vector<std::string>{"nodes", "pods"});
}

TEST_CASE("a list may begin at a name and end after a number") {
  const TemporaryFolder folder;
  State state(folder / "state.db");
  state.write([&] {
    for (const auto* name : {"a", "b", "c", "d"}) state.put("records", "zone", name, {});
  });
  const auto rows = state.list_from("records", "zone", "b", 2);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].name == "b");
  CHECK(rows[1].name == "c");
}

TEST_CASE("every write takes the next revision, and the log tells them in order") {
  const TemporaryFolder folder;
  State state(folder / "state.db");
  CHECK(state.revision() == 0);
  CHECK(state.oldest_logged_revision() == 1);
  state.write([&] {
    CHECK(state.next_revision() == 1);
    CHECK(state.next_revision() == 1);
    CHECK(state.put("pods", "a", "x", {{"n", 1}}) == 1);
    CHECK(state.put("nodes", "", "x", {}) == 2);
    CHECK(state.revision() == 2);
  });
  state.write([&] { state.put("pods", "a", "x", {{"n", 2}}); });
  state.write([&] {
    CHECK(state.erase("pods", "a", "x"));
    CHECK_FALSE(state.erase("pods", "a", "x"));
  });
  const auto log = state.log("pods", "a", 1);
  REQUIRE(log.size() == 2);
  CHECK(log[0].revision == 3);
  CHECK_FALSE(log[0].deleted);
  CHECK(log[1].revision == 4);
  CHECK(log[1].deleted);
  CHECK(log[1].body.at("n") == 2);
  CHECK(state.log("pods", "b", 0).empty());
  CHECK(state.log("pods", std::nullopt, 0).size() == 3);
}

TEST_CASE("an exception undoes the whole write") {
  const TemporaryFolder folder;
  State state(folder / "state.db");
  CHECK_THROWS_AS(state.write([&] {
    state.put("pods", "a", "x", {});
    throw std::runtime_error("no");
  }),
                  std::runtime_error);
  CHECK_FALSE(state.get("pods", "a", "x"));
  CHECK(state.revision() == 0);
  state.write([&] { state.put("pods", "a", "y", {}); });
  CHECK(state.revision() == 1);
}

TEST_CASE("writing outside of a write is a mistake that shows") {
  const TemporaryFolder folder;
  State state(folder / "state.db");
  CHECK_THROWS_AS(state.put("pods", "a", "x", {}), std::logic_error);
  state.read([&] { CHECK_THROWS_AS(state.put("pods", "a", "x", {}), std::logic_error); });
}

TEST_CASE("another process that comes and goes leaves the write-ahead log to those who still use it") {
  const TemporaryFolder folder;
  const auto file = folder / "state.db";
  std::array<int, 2> ready{};
  REQUIRE(::pipe(ready.data()) == 0);
  // Before this process opens the file: what SQLite knows of its locks must not be inherited.
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    char byte = 0;
    if (::read(ready[0], &byte, 1) != 1) ::_exit(2);
    try {
      State state(file);
      state.write([&] { state.put("pods", "a", "theirs", {}); });
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  State state(file);
  state.write([&] { state.put("pods", "a", "ours", {}); });
  CHECK(state.get("pods", "a", "ours"));  // over a second connection
  struct stat before {};
  struct stat after {};
  REQUIRE(::stat((folder / "state.db-wal").c_str(), &before) == 0);
  REQUIRE(::write(ready[1], "x", 1) == 1);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  ::close(ready[0]);
  ::close(ready[1]);
  REQUIRE(::stat((folder / "state.db-wal").c_str(), &after) == 0);
  CHECK(before.st_ino == after.st_ino);
  CHECK(state.get("pods", "a", "theirs"));
  state.write([&] { state.put("pods", "a", "last", {}); });
  CHECK(State(file).count("pods", std::nullopt) == 3);
}

TEST_CASE("a read sees one moment, whatever is written meanwhile") {
  const TemporaryFolder folder;
  State state(folder / "state.db");
  state.write([&] { state.put("pods", "a", "x", {}); });
  state.read([&] {
    CHECK(state.revision() == 1);
    std::thread([&] { state.write([&] { state.put("pods", "a", "y", {}); }); }).join();
    CHECK(state.revision() == 1);
    CHECK(state.list("pods", "a").size() == 1);
  });
  CHECK(state.list("pods", "a").size() == 2);
}

TEST_CASE("writers of many threads and two openings of one file never lose a write") {
  const TemporaryFolder folder;
  State one(folder / "state.db");
  State two(folder / "state.db");
  one.write([&] { one.put("counter", "", "n", 0); });
  constexpr int threads = 6;
  constexpr int turns = 40;
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t)
    workers.emplace_back([&, t] {
      State& state = t % 2 == 0 ? one : two;
      for (int i = 0; i < turns; ++i)
        state.write([&] { state.put("counter", "", "n", state.get("counter", "", "n")->body.get<int>() + 1); });
    });
  for (auto& worker : workers) worker.join();
  CHECK(two.get("counter", "", "n")->body == threads * turns);
  CHECK(one.revision() == threads * turns + 1);
}

TEST_CASE("only the last ten thousand writes stay in the log") {
  const TemporaryFolder folder;
  State state(folder / "state.db");
  state.write([&] {
    for (int i = 0; i < 10'250; ++i) state.put("pods", "a", "x", i);
  });
  CHECK(state.oldest_logged_revision() > 1);
  CHECK(state.oldest_logged_revision() <= 251);
  CHECK(state.log("pods", "a", 0).size() >= 10'000);
}

TEST_CASE("a waiting watch wakes by a write of this process, of another, and by the end") {
  const TemporaryFolder folder;
  State state(folder / "state.db");
  CHECK_FALSE(state.wait(0, std::chrono::milliseconds(1)));
  SUBCASE("of this process") {
    std::thread writer([&] { state.write([&] { state.put("pods", "a", "x", {}); }); });
    CHECK(state.wait(0, std::chrono::seconds(10)));
    writer.join();
  }
  SUBCASE("of another opening") {
    State other(folder / "state.db");
    std::thread writer([&] { other.write([&] { other.put("pods", "a", "x", {}); }); });
    CHECK(state.wait(0, std::chrono::seconds(10)));
    writer.join();
  }
  SUBCASE("by the end") {
    std::thread ender([&] { state.interrupt(); });
    CHECK_FALSE(state.wait(0, std::chrono::seconds(10)));
    ender.join();
  }
}

TEST_CASE("a process that dies within a write leaves none of it") {
  const TemporaryFolder folder;
  { State state(folder / "state.db"); }
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    State state(folder / "state.db");
    state.write([&] { state.put("pods", "a", "whole", {}); });
    state.write([&] {
      state.put("pods", "a", "half", {});
      ::_exit(7);
    });
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 7);
  State state(folder / "state.db");
  CHECK(state.get("pods", "a", "whole"));
  CHECK_FALSE(state.get("pods", "a", "half"));
  CHECK(state.revision() == 1);
}

TEST_CASE("nobody else may read the state") {
  const TemporaryFolder folder;
  State state(folder / "deep/state.db");
  state.write([&] { state.put("pods", "a", "x", {}); });
  CHECK(mode_of(folder / "deep") == 0700);
  CHECK(mode_of(folder / "deep/state.db") == 0600);
  CHECK(mode_of(folder / "deep/state.db-wal") == 0600);
}

TEST_CASE("a file that is no state is named, with what to do") {
  const TemporaryFolder folder;
  const auto file = folder / "state.db";
  SUBCASE("not a database") {
    system::write_file_atomically(file, std::string(4096, 'x'), "test file");
    try {
      State state(file);
      FAIL("opened");
    } catch (const Failed& error) {
      CHECK(error.message().find(file.string()) != std::string::npos);
      CHECK(error.hint().find("sandbox reset") != std::string::npos);
    }
  }
  SUBCASE("a folder") {
    std::filesystem::create_directory(file);
    CHECK_THROWS_AS(State{file}, Failed);
  }
}

TEST_CASE("a disk that takes no more is told as that, and what was there stays") {
  const TemporaryFolder folder;
  State state(folder / "state.db");
  state.write([&] { state.put("pods", "a", "before", {}); });

  // A limit on the size of files stands for the disk.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 256 * 1024;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string message, hint;
  try {
    state.write([&] { state.put("pods", "a", "large", std::string(1'000'000, 'x')); });
  } catch (const Failed& error) {
    message = error.message();
    hint = error.hint();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);

  CHECK(message.find("state.db") != std::string::npos);
  CHECK(hint.find("disk") != std::string::npos);
  CHECK(state.get("pods", "a", "before"));
  CHECK_FALSE(state.get("pods", "a", "large"));
  state.write([&] { state.put("pods", "a", "after", {}); });
  CHECK(state.get("pods", "a", "after"));
}
