#include "cli/command_line.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/suggest.hpp"
#include "cli/text.hpp"
#include "providers/error.hpp"

namespace litedesk::cli {
namespace {

bool is_flag(std::string_view word) {
  return word.size() > 1 && word[0] == '-';
}

std::vector<std::string> command_names(const Group* group) {
  std::vector<std::string> names;
  if (group) {
    for (const Command* command : commands_of(group->name)) names.emplace_back(command->name);
    return names;
  }
  for (const Group& each : groups()) names.emplace_back(each.name);
  for (const Command* command : commands_of("")) names.emplace_back(command->name);
  return names;
}

[[noreturn]] void refuse_unknown_word(const CommandWords& words) {
  const std::vector<std::string> names = command_names(words.group);
  const std::string where = words.group ? fmt::format("litedesk {}", words.group->name) : "litedesk";
  const auto found = nearest(words.unknown, names);
  throw UsageError({.message = fmt::format("{} has no command \"{}\"", where, printable(words.unknown)),
                    .hint = found ? did_you_mean(found) : fmt::format("the commands are {}", fmt::join(names, ", ")),
                    .resource = {},
                    .cause = {}});
}

bool asks_for_help(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return false;
    if (word == "-h" || word == "--help") return true;
  }
  return false;
}

CommandLine help_line(std::vector<std::string> topic) {
  return {{GlobalOptions{}, Help{std::move(topic)}}, find_command("", "help")};
}

// Flags that were meant for a command but stand before it.
void check_before_command(const Flags& global, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (!is_flag(word) || word == "--" || word == "--version") continue;
    const std::string name = word.substr(0, word.find('='));
    const bool known = global.find(name) || (word[1] != '-' && global.find(word.substr(0, 2)));
    if (known) continue;
    std::vector<std::string> names;
    for (const Flag& flag : global.flags()) names.emplace_back(flag.long_name());
    const auto found = nearest(name, names);
    throw UsageError({.message = fmt::format("litedesk has no flag {} before a command", printable(name)),
                      .hint = found ? did_you_mean(found) : "a command's own flags come after the command",
                      .resource = {},
                      .cause = {}});
  }
}

}  // namespace

CommandWords find_command_words(const std::vector<std::string>& arguments) {
  GlobalOptions unused;
  Flags global;
  bind_global(global, unused);
  CommandWords words;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (words.command || !words.unknown.empty() || is_flag(word) || word.empty()) {
      words.rest.push_back(word);
      if (!words.command && global.takes_next(word) && i + 1 < arguments.size()) words.rest.push_back(arguments[++i]);
    } else if (words.group) {
      words.command = find_command(words.group->name, word);
      if (!words.command) words.unknown = word;
    } else if (const Group* group = find_group(word)) {
      words.group = group;
    } else {
      words.command = find_command("", word);
      if (!words.command) words.unknown = word;
    }
  }
  return words;
}

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  const CommandWords words = find_command_words(arguments);
  GlobalOptions global;
  Flags flags;
  bind_global(flags, global);
  if (!words.command) {
    check_before_command(flags, words.rest);
    if (!words.unknown.empty()) refuse_unknown_word(words);
    if (std::find(words.rest.begin(), words.rest.end(), "--version") != words.rest.end()) {
      return {{global, Version{}}, find_command("", "version")};
    }
    if (asks_for_help(words.rest) || (!words.group && words.rest.empty())) {
      return help_line(words.group ? std::vector<std::string>{std::string(words.group->name)}
                                   : std::vector<std::string>{});
    }
    parse_words("litedesk", flags, words.rest);  // complains about bad values before it asks for a command
    throw UsageError({.message = words.group ? fmt::format("litedesk {} needs a command", words.group->name)
                                             : "litedesk needs a command",
                      .hint = fmt::format("the commands are {}", fmt::join(command_names(words.group), ", ")),
                      .resource = {},
                      .cause = {}});
  }
  if (asks_for_help(words.rest)) {
    std::vector<std::string> topic;
    if (words.group) topic.emplace_back(words.group->name);
    topic.emplace_back(words.command->name);
    return help_line(std::move(topic));
  }
  CommandLine line;
  line.command = words.command;
  Flags own;
  bind_global(own, line.invocation.global);
  words.command->bind(own, line.invocation.options);
  parse_words("litedesk " + words.command->words(), own, words.rest);
  return line;
}

std::string requested_value(const std::vector<std::string>& arguments, std::string_view long_name,
                            std::string_view short_name) {
  std::string value;
  const std::string with_equals = std::string(long_name) + "=";
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string& word = arguments[i];
    if (word == long_name || (!short_name.empty() && word == short_name)) {
      if (i + 1 < arguments.size()) value = arguments[i + 1];
    } else if (word.starts_with(with_equals)) {
      value = word.substr(with_equals.size());
    } else if (!short_name.empty() && word.starts_with(short_name)) {
      value = word.substr(short_name.size());
    }
  }
  return value;
}

}  // namespace litedesk::cli
