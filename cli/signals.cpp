#include "cli/signals.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
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

void watch(int signals, int end, std::stop_source stop) {
  std::array<pollfd, 2> files{{{signals, POLLIN, 0}, {end, POLLIN, 0}}};
  while (true) {
    if (::poll(files.data(), files.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    if (files[1].revents != 0) return;
    signalfd_siginfo signal{};
    if (::read(signals, &signal, sizeof signal) != static_cast<ssize_t>(sizeof signal)) continue;
    // _exit: whatever still runs must not be waited for, nor see destroyed objects.
    if (!stop.request_stop()) ::_exit(exit_interrupted);
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

SignalWatcher::SignalWatcher(std::stop_source stop) {
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
  thread_ = std::thread(watch, signals_, end_, std::move(stop));
}

SignalWatcher::~SignalWatcher() {
  const std::uint64_t one = 1;
  // An eventfd with room takes eight bytes at once; the thread then ends by itself.
  if (::write(end_, &one, sizeof one) == static_cast<ssize_t>(sizeof one))
    thread_.join();
  else
    thread_.detach();
  ::close(signals_);
  ::close(end_);
  ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

}  // namespace litedesk::cli
