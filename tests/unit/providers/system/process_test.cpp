#include "providers/system/process.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <thread>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "providers/error.hpp"

using namespace litedesk;
using namespace litedesk::system;
using namespace std::chrono_literals;

namespace {
Command shell(std::string script) {
  return {"sh", {"-c", std::move(script)}, {}, false};
}
}  // namespace

TEST_CASE("this process is alive, and one with another start time, or whose PID is free, is gone") {
  const auto self = this_process();
  CHECK(self.pid == ::getpid());
  CHECK_FALSE(self.host.empty());
  CHECK(self.boot_id.size() <= 64);
  CHECK(self.start_time.find_first_not_of("0123456789") == std::string::npos);
  CHECK(self == this_process());
  CHECK(is_local(self));
  CHECK(may_be_alive(self));

  auto earlier = self;
  earlier.start_time = "1";
  CHECK_FALSE(may_be_alive(earlier));

  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  auto ended = self;
  ended.pid = child;
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
  ended.start_time.clear();
  CHECK_FALSE(may_be_alive(ended));  // it has ended and nobody has asked how
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK_FALSE(may_be_alive(ended));
}

TEST_CASE("a process of another host, boot or container may always be alive") {
  auto process = this_process();
  process.start_time = "1";
  process.host += "x";
  CHECK_FALSE(is_local(process));
  CHECK(may_be_alive(process));
  process = this_process();
  process.start_time = "1";
  process.boot_id += "1";
  CHECK(may_be_alive(process));
}

TEST_CASE("a child's output and exit code come back, and it gets arguments and environment as they are") {
  auto command = shell("printf '%s|%s' \"$0\" \"$GIVEN\"; exit 3");
  command.arguments.push_back("a b; $(touch x) '\"");
  command.environment["GIVEN"] = "value with = and spaces";
  const auto result = run(command, 10s, {});
  CHECK(result.output == "a b; $(touch x) '\"|value with = and spaces");
  CHECK(result.exit_code == 3);
  CHECK(run(shell("kill -9 $$"), 10s, {}).exit_code == 137);
}

TEST_CASE("a child does not get what is withheld of our environment, unless it is given") {
  const std::map<std::string, std::string> ours{
      {"LITEDESK_TEST_SECRET_A", "a"}, {"LITEDESK_TEST_SECRET_B", "b"}, {"LITEDESK_TEST_OTHER", "c"}};
  for (const auto& [name, value] : ours) ::setenv(name.c_str(), value.c_str(), 1);
  Command command{"sh",
                  {"-c", "echo \"$LITEDESK_TEST_SECRET_A,$LITEDESK_TEST_SECRET_B,$LITEDESK_TEST_OTHER,${PATH:+path}\""},
                  {},
                  false,
                  {}};
  CHECK(run(command, 10s, {}).output == "a,b,c,path\n");
  command.withheld = {"LITEDESK_TEST_SECRET", "NOTHING"};
  command.environment["LITEDESK_TEST_SECRET_B"] = "given";
  CHECK(run(command, 10s, {}).output == ",given,c,path\n");
  for (const auto& [name, value] : ours) ::unsetenv(name.c_str());
}

TEST_CASE("a child reads nothing from our input, and its signals are not blocked") {
  CHECK(run(shell("cat"), 10s, {}).output.empty());
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto result = run(shell("kill -TERM $$; echo still here"), 10s, {});
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(result.exit_code == 128 + SIGTERM);
}

TEST_CASE("an output larger than a pipe is read whole") {
  CHECK(run(shell("head -c 3000000 /dev/zero | tr '\\0' x"), 10s, {}).output.size() == 3'000'000);
}

TEST_CASE("a child that has ended is not waited for because of what it left behind") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK(run(shell("sleep 20 & echo done"), 60s, {}).output == "done\n");
  CHECK(std::chrono::steady_clock::now() - begin < 15s);
}

TEST_CASE("a program that is not there is not found, and one that may not be run is refused") {
  CHECK_THROWS_AS((void)run({"litedesk-no-such-program", {}, {}, false}, 1s, {}), NotFound);
  CHECK_THROWS_AS((void)run({"/etc/passwd", {}, {}, false}, 1s, {}), PermissionDenied);
}

TEST_CASE("a child that takes too long is ended, with what it has started") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THROWS_AS((void)run(shell("trap 'exit 1' TERM; sleep 60 & wait"), 50ms, {}), Timeout);
  CHECK_THROWS_AS((void)run(shell("sleep 60 | cat"), 50ms, {}), Timeout);
  CHECK(std::chrono::steady_clock::now() - begin < 20s);
}

TEST_CASE("a stop ends the child at once") {
  std::stop_source source;
  source.request_stop();
  CHECK_THROWS_AS((void)run(shell("sleep 60"), 60s, source.get_token()), Cancelled);

  std::stop_source later;
  std::jthread stopper([&] { later.request_stop(); });
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THROWS_AS((void)run(shell("sleep 60"), 60s, later.get_token()), Cancelled);
  CHECK(std::chrono::steady_clock::now() - begin < 20s);
}

TEST_CASE("a child is ended by the signals that we ignore") {
  const auto before = ::signal(SIGXFSZ, SIG_IGN);
  CHECK(run(shell("kill -XFSZ $$; echo still here"), 10s, {}).exit_code == 128 + SIGXFSZ);
  ::signal(SIGXFSZ, before);
}

TEST_CASE("a standard descriptor that was closed is opened, and what is printed is lost or refused") {
  // Each set of closed ones in a process of its own; its exit code is the first thing that was wrong.
  for (int closed = 0; closed < 8; ++closed) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int fd = 0; fd < 3; ++fd) {
        const int null = ::open("/dev/null", O_RDWR);
        if (::dup2(null, fd) != fd) ::_exit(1);
        if (null > 2) ::close(null);
      }
      for (int fd = 0; fd < 3; ++fd)
        if ((closed & (1 << fd)) != 0) ::close(fd);
      open_closed_standard_descriptors();
      const int next = ::open("/dev/null", O_RDONLY);
      if (next < 3) ::_exit(2);
      char byte = 0;
      if (::read(0, &byte, 1) != 0) ::_exit(3);
      const bool writes = ::write(1, "x", 1) == 1;
      if (writes != ((closed & 2) == 0) || (!writes && errno != EBADF)) ::_exit(4);
      if (::write(2, "x", 1) != 1) ::_exit(5);
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CAPTURE(closed);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
}

TEST_CASE("core dumps can be forbidden") {
  const pid_t child = ::fork();
  if (child == 0) {
    forbid_core_dumps();
    rlimit limit{};
    ::_exit(::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a program that is started to go on is left alone once it says that it is ready") {
  // What it says: its session, and what there is to read.
  const auto started = start_detached(
      shell("cut -d' ' -f1,6 /proc/$$/stat; echo early >&2; cat; exec >/dev/null 2>&1; exec sleep 60"), 20s, {});
  CHECK(started.ready);
  CHECK(started.errors == "early\n");
  std::istringstream words(started.output);
  auto process = this_process();
  long session = 0;
  words >> process.pid >> session;
  CHECK(session == process.pid);
  process.start_time.clear();
  CHECK(may_be_alive(process));
  CHECK(end_process(process, 20s, {}));
  REQUIRE(::waitpid(static_cast<pid_t>(process.pid), nullptr, 0) == process.pid);
  CHECK_FALSE(end_process(process, 20s, {}));
}

TEST_CASE("one that ends instead, with or without words, is told of; one that is never ready is ended") {
  auto failed = start_detached(shell("echo no room >&2; exit 3"), 20s, {});
  CHECK_FALSE(failed.ready);
  CHECK(failed.exit_code == 3);
  CHECK(failed.errors == "no room\n");
  failed = start_detached(shell("exec >&-; exit 4"), 20s, {});
  CHECK_FALSE(failed.ready);
  CHECK(failed.exit_code == 4);
  CHECK_THROWS_AS((void)start_detached(shell("exec sleep 60"), 50ms, {}), Timeout);
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_AS((void)start_detached(shell("exec sleep 60"), 20s, stop.get_token()), Cancelled);
  CHECK_THROWS_AS((void)start_detached({"/nowhere/program", {}, {}, false}, 20s, {}), NotFound);
}

TEST_CASE("a process is ended only where it surely is the one that was meant") {
  auto process = this_process();
  process.start_time = "1";
  CHECK_FALSE(end_process(process, 20s, {}));  // its number is somebody else's now: ours
  process.host += "x";
  CHECK_THROWS_AS(end_process(process, 20s, {}), Failed);

  // A child inherits what is blocked: this one never hears that it is asked.
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  REQUIRE(::pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  REQUIRE(::pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
  auto deaf = this_process();
  deaf.pid = child;
  deaf.start_time.clear();
  try {
    (void)end_process(deaf, 50ms, {});
    FAIL("it ended");
  } catch (const Timeout& late) {
    CHECK(late.hint() == "stop it with: kill -9 " + std::to_string(child));
  }
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
}
