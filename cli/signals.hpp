// Ctrl-C and SIGTERM: the first asks for a stop, the second ends the process at once.
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <stop_token>
#include <thread>

namespace litedesk::cli {

// Whether a signal that comes so long after the first one asks for the end at once: its number and its si_code, see
// sigaction(2). A key of the terminal does; what a program sends only when it comes later than within a second, for
// timeout(1) and others signal a process and then its group; and a hang-up, which a shell and the kernel tell both,
// not.
[[nodiscard]] bool asks_again(int signal, int code, std::chrono::milliseconds since_first);

// SIGINT, SIGTERM and SIGHUP are blocked in every thread and read from a signalfd(2) by one of their own, which
// calls `on_first` and requests `stop` on the first signal, and calls `on_second` and leaves with 130 on one that asks
// again: soon, whatever a thread or a terminal that is stopped (Ctrl-S) holds up. To be made before any other thread
// starts, for those inherit the mask. A signal that was ignored when the process began (nohup) stays ignored.
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
