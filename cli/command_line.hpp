// argv to an Invocation. Only the chosen command's flags are built: start-up is a feature.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace litedesk::cli {

struct CommandLine {
  Invocation invocation;
  const Command* command = nullptr;  // which one; never null
};

// Throws UsageError: an unknown command or flag (with the nearest one as the hint), what is missing, a bad value.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments);

// Where a command's words are among the arguments: what completion needs too.
struct CommandWords {
  const Group* group = nullptr;
  const Command* command = nullptr;  // null: none yet
  std::vector<std::string> rest;     // everything but the command's own words
  std::string unknown;               // a word that is no command; empty when all is well
};
[[nodiscard]] CommandWords find_command_words(const std::vector<std::string>& arguments);

// A flag's value read without parsing: an error is shown in the format and colour that were asked for, even when the
// rest cannot be parsed. `short_name` may be empty.
[[nodiscard]] std::string requested_value(const std::vector<std::string>& arguments, std::string_view long_name,
                                          std::string_view short_name);

}  // namespace litedesk::cli
