// A command's flags and arguments as data: parsing (CLI11), help and completion read the same list.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace litedesk::cli {

// What a value is, for completion.
enum class Values { text, file, folder, slug, tier, context, setting, record, model, template_file, fault, choice };

// Where a parsed value goes: it must outlive the parse.
using Target = std::variant<std::monostate, bool*, int*, double*, std::int64_t*, std::optional<std::int64_t>*,
                            std::string*, std::optional<std::string>*, std::vector<std::string>*,
                            std::chrono::milliseconds*, std::optional<std::chrono::milliseconds>*>;

struct Flag {
  std::string_view names;  // "-o,--output"
  std::string_view value;  // what help calls its value: "FORMAT"; empty for a switch
  std::string_view help;
  Values values = Values::text;
  std::vector<std::string> choices = {};  // with Values::choice: nothing else is taken
  bool required = false;
  bool hidden = false;
  Target target = {};

  [[nodiscard]] std::string_view long_name() const;   // "--output"
  [[nodiscard]] std::string_view short_name() const;  // "-o"; may be empty
  // A bool or a counted int: takes no value.
  [[nodiscard]] bool is_switch() const;
  // May be given more than once.
  [[nodiscard]] bool repeats() const;
};

struct Argument {
  std::string_view name;  // "SLUG"
  std::string_view help;
  Values values = Values::text;
  std::vector<std::string> choices = {};
  bool required = true;
  Target target = {};  // std::string* or std::vector<std::string>* (any number)

  [[nodiscard]] bool repeats() const { return std::holds_alternative<std::vector<std::string>*>(target); }
};

class Flags {
 public:
  template <class T>
  void flag(Flag flag, T& target) {
    flag.target = &target;
    flags_.push_back(std::move(flag));
  }
  template <class T>
  void argument(Argument argument, T& target) {
    argument.target = &target;
    arguments_.push_back(std::move(argument));
  }

  [[nodiscard]] const std::vector<Flag>& flags() const { return flags_; }
  [[nodiscard]] const std::vector<Argument>& arguments() const { return arguments_; }
  // By "--output" or "-o"; null when there is none.
  [[nodiscard]] const Flag* find(std::string_view name) const;
  // Whether the word behind this one is its value: "--output" and "-qo" yes, "--output=json", "-ojson" and switches no.
  [[nodiscard]] bool takes_next(std::string_view word) const;

 private:
  std::vector<Flag> flags_;
  std::vector<Argument> arguments_;
};

// Parses words into the targets. `command` is for messages ("litedesk tenant create"). Throws UsageError with the
// nearest flag or choice as the hint.
void parse_words(std::string_view command, const Flags& flags, const std::vector<std::string>& words);

}  // namespace litedesk::cli
