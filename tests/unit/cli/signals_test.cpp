#include "cli/signals.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <doctest/doctest.h>
#include <unistd.h>

using namespace litedesk::cli;
using namespace std::chrono_literals;

TEST_CASE("a second signal ends at once when it asks for that, and not when it is the first one told twice") {
  CHECK(asks_again(SIGINT, SI_KERNEL, 0ms));  // Ctrl-C, however quick the fingers are
  CHECK(asks_again(SIGINT, SI_KERNEL, 5s));
  for (const int code : {SI_USER, SI_QUEUE, SI_TKILL}) {
    CAPTURE(code);
    CHECK_FALSE(asks_again(SIGTERM, code, 0ms));  // timeout(1): to the process, then to its group
    CHECK_FALSE(asks_again(SIGINT, code, 999ms));
    CHECK(asks_again(SIGTERM, code, 1s));
  }
  // A terminal that is closed: from the kernel, and from the shell before it ends.
  CHECK_FALSE(asks_again(SIGHUP, SI_KERNEL, 2s));
  CHECK_FALSE(asks_again(SIGHUP, SI_USER, 10s));
}

TEST_CASE("a signal that was ignored when the process began stays ignored, and another asks for a stop") {
  const auto before = std::signal(SIGHUP, SIG_IGN);
  {
    std::stop_source stop;
    std::atomic<int> told = 0;
    std::atomic<bool> stopped_before = false;
    const SignalWatcher watcher(stop, [&] {
      stopped_before = stop.stop_requested();
      ++told;
    });
    ::kill(::getpid(), SIGHUP);
    std::this_thread::sleep_for(50ms);
    CHECK_FALSE(stop.stop_requested());
    ::kill(::getpid(), SIGTERM);
    for (int i = 0; i < 200 && !stop.stop_requested(); ++i) std::this_thread::sleep_for(10ms);
    CHECK(stop.stop_requested());
    CHECK(told == 1);
    CHECK_FALSE(stopped_before);  // what is told first is not overtaken by what the stop ends
  }
  std::signal(SIGHUP, before);
}
