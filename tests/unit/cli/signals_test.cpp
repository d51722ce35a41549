#include "cli/signals.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <doctest/doctest.h>
#include <unistd.h>

using namespace litedesk::cli;
using namespace std::chrono_literals;

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
