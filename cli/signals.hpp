// Ctrl-C and SIGTERM: the first asks for a stop, the second ends the process at once.
#pragma once

#include <csignal>
#include <functional>
#include <stop_token>
#include <thread>

namespace litedesk::cli {

// SIGINT, SIGTERM and SIGHUP are blocked in every thread and read from a signalfd(2) by one of their own, which
// calls `on_first` and requests `stop` on the first signal, and calls `on_second` and leaves with 130 on the second:
// soon, whatever a thread or a terminal that is stopped (Ctrl-S) holds up. To be made before any other thread starts,
// for those inherit the mask. A signal that was ignored when the process began (nohup) stays ignored.
class SignalWatcher {
 public:
  explicit SignalWatcher(
      std::stop_source stop, std::function<void()> on_first = [] {}, std::function<void()> on_second = [] {});
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  sigset_t previous_{};
  int signals_ = -1, end_ = -1;
  std::thread thread_, first_;
};

}  // namespace litedesk::cli
