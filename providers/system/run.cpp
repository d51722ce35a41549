// Running a child, and ending a process: declared in process.hpp.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/system/limits.hpp"
#include "providers/system/process.hpp"

namespace litedesk::system {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long a child that was asked to end may take before it is killed.
constexpr milliseconds grace{2000};
constexpr std::size_t output_limit = 64u << 20;

[[noreturn]] void fail(const Command& command, int error) {
  ErrorDetails details{
      .message = fmt::format("cannot run {}", command.program), .hint = {}, .resource = {}, .cause = strerror(error)};
  if (error == ENOENT) {
    details.hint = fmt::format("install {} or put its folder into PATH", command.program);
    throw NotFound(std::move(details));
  }
  if (error == EACCES) {
    details.hint = "check that the file is executable";
    throw PermissionDenied(std::move(details));
  }
  throw Failed(explained(std::move(details), error));
}

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

// posix_spawn's two parameter objects.
struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (std::any_of(command.withheld.begin(), command.withheld.end(),
                    [&](const std::string& begin) { return text.starts_with(begin); }))
      continue;
    if (!command.environment.contains(std::string(text.substr(0, text.find('='))))) entries.emplace_back(text);
  }
  for (const auto& [name, value] : command.environment) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Where a child's outputs go; `errors` below 0: to our own.
struct Outputs {
  int output = -1;
  int errors = -1;
  bool own_session = false;
};

pid_t spawn(const Command& command, const Outputs& outputs) {
  SpawnSettings settings;
  if (!command.inherit_stdin)
    posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&settings.actions, outputs.output, STDOUT_FILENO);
  if (outputs.errors >= 0) posix_spawn_file_actions_adddup2(&settings.actions, outputs.errors, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&settings.actions, STDERR_FILENO + 1);

  // Our threads block the signals that end a program, and we ignore what would end us in the middle of a write; a child
  // must not inherit that. A child that does not talk to the
  // terminal gets a process group, so that what it has started can be ended with it.
  sigset_t none, ours;
  sigemptyset(&none);
  sigemptyset(&ours);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ}) sigaddset(&ours, number);
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  posix_spawnattr_setsigdefault(&settings.attributes, &ours);
  posix_spawnattr_setpgroup(&settings.attributes, 0);
  posix_spawnattr_setflags(&settings.attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                                    (outputs.own_session     ? POSIX_SPAWN_SETSID
                                                                     : command.inherit_stdin ? 0
                                                                                             : POSIX_SPAWN_SETPGROUP)));

  std::vector<std::string> words{command.program};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  auto environment = environment_of(command);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, command.program.c_str(), &settings.actions, &settings.attributes,
                                 pointers_to(words).data(), pointers_to(environment).data());
  if (error != 0) fail(command, error);
  return pid;
}

// A started child, which is ended and waited for at the latest here.
class Child {
 public:
  Child(const Command& command, const Outputs& outputs)
      : pid_(spawn(command, outputs)), own_group_(outputs.own_session || !command.inherit_stdin) {
    // As a system call, since glibc has a wrapper only from 2.36 on.
    watch_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (watch_.get() >= 0) return;
    const int error = errno;
    end(milliseconds::zero());
    fail(command, error);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(grace); }

  [[nodiscard]] int watch() const { return watch_.get(); }

  int exit_code() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  // It is nobody's from now on.
  void release() { pid_ = 0; }

 private:
  void signal(int number) const { ::kill(own_group_ ? -pid_ : pid_, number); }
  void end(milliseconds patience) {
    if (pid_ == 0) return;
    if (patience > milliseconds::zero()) {
      signal(SIGTERM);
      pollfd ended{watch_.get(), POLLIN, 0};
      while (::poll(&ended, 1, static_cast<int>(patience.count())) < 0 && errno == EINTR) {
      }
    }
    signal(SIGKILL);
    exit_code();
  }
  pid_t pid_;
  bool own_group_;
  Descriptor watch_;
};

Timeout too_late(const std::string& what, milliseconds timeout) {
  return Timeout(
      {.message = fmt::format("{} within {} s", what, std::chrono::ceil<std::chrono::seconds>(timeout).count()),
       .hint = "run it by hand to see what it waits for",
       .resource = {},
       .cause = {}});
}

// Takes what is there. Returns false at the end.
bool drain(int fd, std::string& text) {
  std::array<char, 65536> buffer;
  while (true) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
      if (text.size() > output_limit) return true;
    } else if (got == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN;
    }
  }
}

// A pipe: what is written into one end comes out of the other.
struct Pipe {
  Descriptor out, in;

  explicit Pipe(const Command& command) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(command, errno);
    out = Descriptor(ends[0]);
    in = Descriptor(ends[1]);
    if (::fcntl(out.get(), F_SETFL, O_NONBLOCK) != 0) fail(command, errno);
  }
};

}  // namespace

CommandResult run(const Command& command, milliseconds timeout, std::stop_token stop) {
  const auto deadline = steady_clock::now() + timeout;
  const auto throw_cancelled = [&] { throw Cancelled(fmt::format("{} was cancelled", command.program)); };
  if (stop.stop_requested()) throw_cancelled();

  Pipe output(command);
  const Descriptor stopped(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (stopped.get() < 0) fail(command, errno);
  const std::stop_callback on_stop(stop, [&] { eventfd_write(stopped.get(), 1); });

  Child child(command, {.output = output.in.get()});
  output.in.close();

  CommandResult result;
  std::array<pollfd, 3> watched{
      {{output.out.get(), POLLIN, 0}, {child.watch(), POLLIN, 0}, {stopped.get(), POLLIN, 0}}};
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds::zero()) throw too_late(command.program + " did not end", timeout);
    const int wait = static_cast<int>(std::min<milliseconds::rep>(left.count(), 1 << 30));
    if (::poll(watched.data(), watched.size(), wait) < 0 && errno != EINTR) fail(command, errno);
    if (stop.stop_requested()) throw_cancelled();
    const bool ended = watched[1].revents != 0;
    // What it started may keep the pipe open, so its own end counts and not the pipe's.
    if (!drain(output.out.get(), result.output)) watched[0].fd = -1;
    if (result.output.size() > output_limit)
      throw Failed(fmt::format("{} printed more than {} MiB", command.program, output_limit >> 20));
    if (ended) break;
  }
  result.exit_code = child.exit_code();
  return result;
}

Detached start_detached(const Command& command, milliseconds timeout, std::stop_token stop) {
  const auto deadline = steady_clock::now() + timeout;
  Pipe output(command), errors(command);
  const Descriptor stopped(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (stopped.get() < 0) fail(command, errno);
  const std::stop_callback on_stop(stop, [&] { eventfd_write(stopped.get(), 1); });

  Child child(command, {.output = output.in.get(), .errors = errors.in.get(), .own_session = true});
  output.in.close();
  errors.in.close();

  Detached result;
  std::array<pollfd, 4> watched{{{output.out.get(), POLLIN, 0},
                                 {errors.out.get(), POLLIN, 0},
                                 {child.watch(), POLLIN, 0},
                                 {stopped.get(), POLLIN, 0}}};
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds::zero()) throw too_late(command.program + " was not ready", timeout);
    const int wait = static_cast<int>(std::min<milliseconds::rep>(left.count(), 1 << 30));
    if (::poll(watched.data(), watched.size(), wait) < 0 && errno != EINTR) fail(command, errno);
    if (stop.stop_requested()) throw Cancelled(fmt::format("{} was cancelled", command.program));
    const bool ended = watched[2].revents != 0;
    const bool more = drain(output.out.get(), result.output);
    if (!drain(errors.out.get(), result.errors)) watched[1].fd = -1;
    if (ended) break;
    if (!more && !result.output.empty()) {
      result.ready = true;
      child.release();
      return result;
    }
    if (!more) watched[0].fd = -1;
  }
  result.exit_code = child.exit_code();
  return result;
}

void redirect_output(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  const Descriptor opened(fd);
  for (const int output : {STDOUT_FILENO, STDERR_FILENO})
    if (fd < 0 || ::dup2(fd, output) < 0)
      throw Failed({.message = fmt::format("cannot write the log {}", file.string()),
                    .hint = "check who owns it and its folder",
                    .resource = {},
                    .cause = strerror(errno)});
}

bool end_process(const ProcessIdentity& process, milliseconds timeout, std::stop_token stop) {
  const auto name = fmt::format("process {}", process.pid);
  if (!is_local(process))
    throw Failed({.message = fmt::format("{} runs on {}, or in another container of it", name, process.host),
                  .hint = "end it there",
                  .resource = {},
                  .cause = {}});
  const auto deadline = steady_clock::now() + timeout;
  const Descriptor watch(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(process.pid), 0)));
  // What the descriptor stands for keeps its number from here on, so that what is asked and signalled is one process.
  if (watch.get() < 0 || !may_be_alive(process)) return false;
  if (::syscall(SYS_pidfd_send_signal, watch.get(), SIGTERM, nullptr, 0) != 0) {
    if (errno == ESRCH) return false;
    throw PermissionDenied({.message = fmt::format("may not end {}", name),
                            .hint = "it is another user's",
                            .resource = {},
                            .cause = strerror(errno)});
  }
  const Descriptor stopped(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback on_stop(stop, [&] { eventfd_write(stopped.get(), 1); });
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds::zero())
      throw Timeout({.message = fmt::format("{} did not end within {} s", name,
                                            std::chrono::ceil<std::chrono::seconds>(timeout).count()),
                     .hint = fmt::format("stop it with: kill -9 {}", process.pid),
                     .resource = {},
                     .cause = {}});
    std::array<pollfd, 2> watched{{{watch.get(), POLLIN, 0}, {stopped.get(), POLLIN, 0}}};
    ::poll(watched.data(), watched.size(), static_cast<int>(std::min<milliseconds::rep>(left.count(), 1 << 30)));
    if (stop.stop_requested()) throw Cancelled(fmt::format("interrupted while waiting for {} to stop", name));
    if (watched[0].revents != 0) return true;
  }
}

}  // namespace litedesk::system
