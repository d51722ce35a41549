// Everything that a command takes from its surroundings, as one argument: the real process fills it in main.cpp, tests
// fill it with memory.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "cli/interruption.hpp"
#include "providers/http/client.hpp"
#include "providers/system/clock.hpp"
#include "providers/system/random.hpp"

namespace litedesk::cli {

class Streams {
 public:
  virtual ~Streams() = default;
  // Standard output. Throws Failed when it cannot be written (a full disk); a reader that has gone (`| head`) is no
  // error, and what follows is dropped.
  virtual void out(std::string_view text) = 0;
  // Standard error. Never throws: what is told there must not change what is done.
  virtual void err(std::string_view text) = 0;
  // A line of standard input without its end; nothing at the end of input. Throws Cancelled when stopped.
  virtual std::optional<std::string> read_line(std::stop_token stop) = 0;
};

struct TerminalSize {
  int columns = 80, rows = 24;
};

struct Terminal {
  bool in = false, out = false, err = false;  // which streams are a person's terminal
  bool utf8 = true;                           // whether the locale can show more than ASCII
  std::function<TerminalSize()> size;         // asked anew each time, for it may change; empty: 80 x 24
};

struct Runtime {
  Streams& streams;
  Terminal terminal;
  std::map<std::string, std::string> environment;
  std::filesystem::path folder;  // where the command was started
  const system::Clock& clock;
  system::Random& random;
  std::function<std::unique_ptr<http::Transport>(http::ClientOptions)> make_transport;
  std::stop_source interrupt;  // requested by the first SIGINT, SIGTERM or SIGHUP
  std::shared_ptr<Interruption> interruption = std::make_shared<Interruption>();
};

// Runs one command line (without the program's name) to its exit code. Never throws.
[[nodiscard]] int run(const std::vector<std::string>& arguments, Runtime& runtime);
// Whether they need nothing but the binary itself and local files: no signals to watch, no providers.
[[nodiscard]] bool answers_at_once(const std::vector<std::string>& arguments);

}  // namespace litedesk::cli
