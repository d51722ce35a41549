#include "cli/signals.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <future>
#include <optional>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/system/limits.hpp"

namespace litedesk::cli {
namespace {

constexpr int exit_interrupted = 130;

// Calls it in a thread of its own, for as long as it may take.
void call_within(std::chrono::milliseconds longest, std::function<void()> call) {
  std::packaged_task<void()> task(std::move(call));
  const auto done = task.get_future();
  std::thread(std::move(task)).detach();
  (void)done.wait_for(longest);
}

// Reads signals until the end. `on_first` is called once, and must not keep it from reading on.
void watch(int signals, int end, const std::function<void()>& on_first, const std::function<void()>& on_second) {
  constexpr std::chrono::milliseconds longest{500};
  std::optional<std::chrono::steady_clock::time_point> first;
  std::array<pollfd, 2> files{{{signals, POLLIN, 0}, {end, POLLIN, 0}}};
  while (true) {
    if (::poll(files.data(), files.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    if (files[1].revents != 0) return;
    signalfd_siginfo signal{};
    if (::read(signals, &signal, sizeof signal) != static_cast<ssize_t>(sizeof signal)) continue;
    const auto now = std::chrono::steady_clock::now();
    if (!first) {
      first = now;
      on_first();
      continue;
    }
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now - *first);
    if (!asks_again(static_cast<int>(signal.ssi_signo), signal.ssi_code, since)) continue;
    call_within(longest, on_second);
    // _exit: whatever still runs must not be waited for, nor see destroyed objects.
    ::_exit(exit_interrupted);
  }
}

[[noreturn]] void fail(const char* what) {
  const int error = errno;
  throw Failed(system::explained({.message = std::string("cannot watch for signals: ") + what,
                                  .hint = {},
                                  .resource = {},
                                  .cause = std::strerror(error)},
                                 error));
}

}  // namespace

bool asks_again(int signal, int code, std::chrono::milliseconds since_first) {
  constexpr std::chrono::milliseconds same{1'000};
  const bool by_program = code <= 0;  // SI_USER, SI_QUEUE, SI_TKILL; the kernel's are above
  return signal != SIGHUP && !(by_program && since_first < same);
}

SignalWatcher::SignalWatcher(std::stop_source stop, std::function<void()> on_first, std::function<void()> on_second) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    // Linux queues a blocked signal even if it is ignored, so one that is to stay ignored must not be blocked.
    struct sigaction as_inherited {};
    if (::sigaction(signal, nullptr, &as_inherited) == 0 && as_inherited.sa_handler == SIG_IGN) continue;
    sigaddset(&set, signal);
  }
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, &previous_); error != 0) {
    errno = error;
    fail("pthread_sigmask");
  }
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  end_ = ::eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || end_ < 0) fail("signalfd");
  const auto begin = [this, stop = std::move(stop), on_first = std::move(on_first)] {
    first_ = std::thread([stop, on_first]() mutable {
      on_first();
      stop.request_stop();
    });
  };
  thread_ = std::thread(watch, signals_, end_, begin, std::move(on_second));
}

SignalWatcher::~SignalWatcher() {
  const std::uint64_t one = 1;
  // An eventfd with room takes eight bytes at once; the thread then ends by itself.
  if (::write(end_, &one, sizeof one) == static_cast<ssize_t>(sizeof one))
    thread_.join();
  else
    thread_.detach();
  if (first_.joinable()) first_.join();
  ::close(signals_);
  ::close(end_);
  ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

}  // namespace litedesk::cli
