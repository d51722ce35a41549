// The only source that knows CLI11: a command's flags become one CLI::App, whose callbacks only assign.
#include <algorithm>
#include <charconv>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/flags.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"
#include "providers/error.hpp"

namespace litedesk::cli {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

[[noreturn]] void refuse(std::string message, std::string hint) {
  throw UsageError({.message = std::move(message), .hint = std::move(hint), .resource = {}, .cause = {}});
}

std::string help_hint(std::string_view command) {
  return fmt::format("see {} --help", command);
}

void check_choice(std::string_view what, const std::string& value, const std::vector<std::string>& choices) {
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  refuse(fmt::format("{}: \"{}\" must be one of {}", what, printable(value), fmt::join(choices, ", ")),
         did_you_mean(nearest(value, choices)));
}

template <class Number>
Number to_number(std::string_view what, const std::string& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
    refuse(fmt::format("{}: \"{}\" is not a number", what, printable(text)), "");
  }
  return number;
}

// A value on its way into its target. The values of a list come one by one.
void assign(std::string_view what, const Target& target, const std::vector<std::string>& choices,
            const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    check_choice(what, value, choices);
    std::visit(Overloaded{[](std::monostate) {}, [](bool* to) { *to = true; }, [](int* to) { ++*to; },
                          [&](double* to) { *to = to_number<double>(what, value); },
                          [&](std::int64_t* to) { *to = to_number<std::int64_t>(what, value); },
                          [&](std::optional<std::int64_t>* to) { *to = to_number<std::int64_t>(what, value); },
                          [&](std::string* to) { *to = value; }, [&](std::optional<std::string>* to) { *to = value; },
                          [&](std::vector<std::string>* to) { to->push_back(value); },
                          [&](std::chrono::milliseconds* to) { *to = parse_duration(value, what); },
                          [&](std::optional<std::chrono::milliseconds>* to) { *to = parse_duration(value, what); }},
               target);
  }
}

void add_flag(CLI::App& app, const Flag& flag) {
  const std::string names(flag.names);
  if (flag.is_switch()) {
    app.add_flag_function(names, [&flag](std::int64_t count) {
      const auto times = static_cast<std::size_t>(std::max<std::int64_t>(count, 0));
      assign(flag.long_name(), flag.target, {}, std::vector<std::string>(times));
    });
    return;
  }
  CLI::Option* option = app.add_option(names, [&flag](const CLI::results_t& values) {
    assign(flag.long_name(), flag.target, flag.choices, values);
    return true;
  });
  option->type_size(1);
  option->required(flag.required);
  if (flag.repeats()) {
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    option->allow_extra_args(false);
  }
}

// For CLI11 alone, which from 2.4 on takes no "KEY=VALUE" as a name: what people read is made of `argument`.
std::string name_of(const Argument& argument) {
  std::string name(argument.name);
  std::erase_if(name, [](char c) { return c < 'A' || c > 'Z'; });
  return name;
}

void add_argument(CLI::App& app, const Argument& argument) {
  CLI::Option* option = app.add_option(name_of(argument), [&argument](const CLI::results_t& values) {
    assign(argument.name, argument.target, argument.choices, values);
    return true;
  });
  option->type_size(1);
  option->required(argument.required);
  if (!argument.repeats()) return;
  option->expected(argument.required ? 1 : 0, CLI::detail::expected_max_vector_size);
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  option->allow_extra_args();
}

std::vector<std::string> long_names(const Flags& flags) {
  std::vector<std::string> names;
  for (const Flag& flag : flags.flags()) {
    if (!flag.hidden) names.emplace_back(flag.long_name());
  }
  return names;
}

// What was left over: a mistyped flag comes first, for it explains the rest.
void refuse_leftovers(std::string_view command, const Flags& flags, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word.size() < 2 || word[0] != '-' || word == "--") continue;
    const std::string name = word.substr(0, word.find('='));
    const std::vector<std::string> names = long_names(flags);
    const auto found = name.starts_with("--") ? nearest(name, names) : std::nullopt;
    refuse(fmt::format("{} has no flag {}", command, printable(name)),
           found ? did_you_mean(found) : help_hint(command));
  }
  for (const std::string& word : words) {
    if (word == "--") continue;
    refuse(fmt::format("{}: unexpected argument \"{}\"", command, printable(word)), help_hint(command));
  }
}

[[noreturn]] void refuse_value(const Flag& flag, std::string_view name) {
  const std::string_view brief = flag.short_name();
  refuse(fmt::format("{} takes no value", name),
         flag.repeats() && !brief.empty() ? fmt::format("write {0}, or {0}{1} for more", brief, brief.substr(1))
                                          : fmt::format("write {}, or leave it out", flag.long_name()));
}

// "-q=x", "-v3"
void check_cluster(const Flags& flags, std::string_view word) {
  const Flag* before = nullptr;
  for (std::size_t i = 1; i < word.size(); ++i) {
    const std::string name = {'-', word[i]};
    const Flag* flag = flags.find(name);
    if (!flag && before && (word[i] == '=' || (word[i] >= '0' && word[i] <= '9')))
      refuse_value(*before, before->short_name());
    if (!flag || !flag->is_switch()) return;
    before = flag;
  }
}

// CLI11 reads what is behind a switch as a number of times, or as its opposite.
void refuse_values_of_switches(const Flags& flags, const std::vector<std::string>& words) {
  bool is_value = false;
  for (const std::string& word : words) {
    if (std::exchange(is_value, flags.takes_next(word) && !is_value)) continue;
    if (word == "--") return;
    if (word.size() < 2 || word[0] != '-') continue;
    if (word[1] != '-') {
      check_cluster(flags, word);
      continue;
    }
    const auto equals = word.find('=');
    if (equals == std::string::npos) continue;
    const Flag* flag = flags.find(word.substr(0, equals));
    if (flag && flag->is_switch()) refuse_value(*flag, flag->long_name());
  }
}

const Flag* flag_in_message(const Flags& flags, std::string_view message) {
  const Flag* best = nullptr;
  for (const Flag& flag : flags.flags()) {
    const bool named = message.find(flag.long_name()) != std::string_view::npos ||
                       (!flag.short_name().empty() && message.starts_with(flag.short_name()));
    if (named && (!best || flag.long_name().size() > best->long_name().size())) best = &flag;
  }
  return best;
}

void check_required(std::string_view command, const Flags& flags, const CLI::App& app) {
  for (const Argument& argument : flags.arguments()) {
    const CLI::Option* option = app.get_option_no_throw(name_of(argument));
    if (argument.required && option && option->count() == 0) {
      refuse(fmt::format("{} needs {}: {}", command, argument.name, argument.help), help_hint(command));
    }
  }
  for (const Flag& flag : flags.flags()) {
    const CLI::Option* option = app.get_option_no_throw(std::string(flag.long_name()));
    if (flag.required && option && option->count() == 0) {
      refuse(fmt::format("{} needs {} {}: {}", command, flag.long_name(), flag.value, flag.help), help_hint(command));
    }
  }
}

}  // namespace

void parse_words(std::string_view command, const Flags& flags, const std::vector<std::string>& words) {
  refuse_values_of_switches(flags, words);
  CLI::App app("", std::string(command));
  app.set_help_flag();
  app.allow_extras();
  for (const Flag& flag : flags.flags()) add_flag(app, flag);
  for (const Argument& argument : flags.arguments()) add_argument(app, argument);
  std::vector<std::string> reversed(words.rbegin(), words.rend());  // as CLI::App::parse wants them
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::RequiredError& error) {
    refuse_leftovers(command, flags, app.remaining());
    check_required(command, flags, app);
    refuse(fmt::format("{}: {}", command, error.what()), help_hint(command));
  } catch (const CLI::ArgumentMismatch& error) {
    refuse_leftovers(command, flags, app.remaining());
    const Flag* flag = flag_in_message(flags, error.what());
    if (!flag) refuse(fmt::format("{}: {}", command, error.what()), help_hint(command));
    const CLI::Option* option = app.get_option_no_throw(std::string(flag->long_name()));
    const bool twice = option && option->count() > 1;
    refuse(twice ? fmt::format("{} is given more than once", flag->long_name())
                 : fmt::format("{} needs a value: {} {}", flag->long_name(), flag->long_name(), flag->value),
           help_hint(command));
  } catch (const CLI::ParseError& error) {
    refuse(fmt::format("{}: {}", command, error.what()), help_hint(command));
  }
  refuse_leftovers(command, flags, app.remaining());
}

}  // namespace litedesk::cli
