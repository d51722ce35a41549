#include "cli/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/command_line.hpp"
#include "cli/completion.hpp"
#include "cli/output.hpp"
#include "cli/runtime.hpp"
#include "cli/signals.hpp"
#include "providers/error.hpp"
#include "providers/http/client.hpp"
#include "providers/system/process.hpp"

extern char** environ;  // NOLINT: POSIX names it

namespace litedesk::cli {
namespace {

// False with errno set when it could not be written.
bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

class ProcessStreams : public Streams {
 public:
  void out(std::string_view text) override {
    if (reader_gone_ || write_all(STDOUT_FILENO, text)) return;
    reader_gone_ = errno == EPIPE;
    if (reader_gone_) return;
    const bool closed = errno == EBADF;
    throw Failed({.message = "cannot write to standard output",
                  .hint = closed ? "it was closed when litedesk began: redirect it to a file or to /dev/null" : "",
                  .resource = {},
                  .cause = std::strerror(errno)});
  }

  void err(std::string_view text) override { (void)write_all(STDERR_FILENO, text); }

  std::optional<std::string> read_line(std::stop_token stop) override {
    const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const struct Closer {
      int descriptor;
      ~Closer() { ::close(descriptor); }
    } closer{wake};
    const std::stop_callback on_stop(stop, [wake] {
      const std::uint64_t one = 1;
      (void)!::write(wake, &one, sizeof one);
    });
    std::string line;
    while (true) {
      std::array<pollfd, 2> files{{{STDIN_FILENO, POLLIN, 0}, {wake, POLLIN, 0}}};
      if (::poll(files.data(), files.size(), -1) < 0 && errno != EINTR) return std::nullopt;
      if (stop.stop_requested()) {
        err("\n");
        throw Cancelled("interrupted before an answer: nothing was done");
      }
      if (files[0].revents == 0) continue;
      char c = 0;
      const ssize_t got = ::read(STDIN_FILENO, &c, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return line.empty() ? std::nullopt : std::optional(line);
      if (c == '\n') return line;
      line += c;
    }
  }

 private:
  bool reader_gone_ = false;
};

TerminalSize terminal_size() {
  winsize size{};
  for (const int descriptor : {STDERR_FILENO, STDOUT_FILENO}) {
    if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
      return {size.ws_col, size.ws_row > 0 ? size.ws_row : 24};
    }
  }
  return {};
}

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> values;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (const auto equals = text.find('='); equals != std::string_view::npos) {
      values.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return values;
}

// The first of the three that is set decides, as in setlocale(3). None at all: scripts and containers, whose readers
// take UTF-8.
bool shows_utf8(const std::map<std::string, std::string>& variables) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto found = variables.find(name);
    if (found == variables.end() || found->second.empty()) continue;
    std::string value = found->second;
    for (char& c : value) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return true;
}

std::filesystem::path current_folder() {
  std::error_code error;
  auto folder = std::filesystem::current_path(error);
  return error ? std::filesystem::path("/") : folder;
}

}  // namespace

int run_process(int argc, const char* const* argv, const system::Clock& clock) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  ProcessStreams streams;
  try {
    system::open_closed_standard_descriptors();
    system::forbid_core_dumps();
    // A reader that has gone and a file that may not grow further are errors of the write, which can be told of.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    std::stop_source interrupt;
    Runtime runtime{.streams = streams,
                    .terminal = {.in = ::isatty(STDIN_FILENO) == 1,
                                 .out = ::isatty(STDOUT_FILENO) == 1,
                                 .err = ::isatty(STDERR_FILENO) == 1,
                                 .utf8 = true,
                                 .size = terminal_size},
                    .environment = environment(),
                    .folder = current_folder(),
                    .clock = clock,
                    .random = system::os_random(),
                    .make_transport = [](http::ClientOptions options) -> std::unique_ptr<http::Transport> {
                      return std::make_unique<http::Client>(std::move(options));
                    },
                    .interrupt = interrupt};
    runtime.terminal.utf8 = shows_utf8(runtime.environment);
    // A shell waits for these while somebody types: no thread, no signals.
    if (answers_at_once(arguments)) return run(arguments, runtime);
    const auto interruption = runtime.interruption;
    const SignalWatcher watcher(
        interrupt, [interruption] { interruption->tell_first(); },
        [&] {
          print_error(runtime, requested_value(arguments, "--output", "-o"), requested_value(arguments, "--color", ""),
                      interruption->second());
        });
    return run(arguments, runtime);
  } catch (const Error& error) {
    streams.err(fmt::format("error: {}\n", error.what()));
    if (!error.hint().empty()) streams.err(fmt::format("  hint: {}\n", error.hint()));
    return 1;
  } catch (const std::exception& error) {
    streams.err(fmt::format("error: {}\n", error.what()));
    return 1;
  }
}

}  // namespace litedesk::cli
