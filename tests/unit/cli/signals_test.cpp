#include "cli/signals.hpp"

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
    const SignalWatcher watcher(stop);
    ::kill(::getpid(), SIGHUP);
    std::this_thread::sleep_for(50ms);
    CHECK_FALSE(stop.stop_requested());
    ::kill(::getpid(), SIGTERM);
    for (int i = 0; i < 200 && !stop.stop_requested(); ++i) std::this_thread::sleep_for(10ms);
    CHECK(stop.stop_requested());
  }
  std::signal(SIGHUP, before);
}
