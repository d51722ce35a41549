// What a person is told on Ctrl-C, SIGTERM or SIGHUP. The command that runs keeps it up to date; the thread that
// watches for signals reads it (cli/signals.hpp).
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "providers/error.hpp"

namespace litedesk::cli {

class Interruption {
 public:
  struct Words {
    std::string first;   // what is being finished or undone, and what a second Ctrl-C does
    std::string second;  // what the second leaves
    std::string hint;    // how to go on after the second
  };
  // Thread-safe, as all of it. Without words: what is waited for is told, if there is anything.
  void say(Words words);

  // How lines are told while the command runs, and which requests that change something are under way; empty when that
  // ends.
  void set_teller(std::function<void(std::string_view)> teller);
  void set_in_flight(std::function<std::vector<std::string>()> in_flight);

  // The first signal: tells at once.
  void tell_first() const;
  // The second: what is to be printed before the process ends.
  [[nodiscard]] Cancelled second() const;

 private:
  mutable std::mutex mutex_;    // of the words and of in_flight_
  mutable std::mutex telling_;  // of teller_, which does not end while it tells
  Words words_;
  std::function<std::vector<std::string>()> in_flight_;
  std::function<void(std::string_view)> teller_;
};

}  // namespace litedesk::cli
