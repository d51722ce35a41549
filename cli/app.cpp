// One command line from its words to its exit code: the only place that turns an error into a message and a code.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command_line.hpp"
#include "cli/completion.hpp"
#include "cli/help.hpp"
#include "cli/output.hpp"
#include "cli/remember.hpp"
#include "cli/runtime.hpp"
#include "cli/session.hpp"
#include "providers/error.hpp"

namespace litedesk::cli {
namespace {

constexpr const char* complete_word = "__complete";

// `litedesk __complete WORD...`, the last word being typed.
int run_complete(const std::vector<std::string>& arguments, Runtime& runtime) {
  std::vector<std::string> words(arguments.begin() + 1, arguments.end());
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  runtime.streams.out(to_text(complete(words, runtime.environment, runtime.folder)));
  return 0;
}

int print_version(Runtime& runtime, const GlobalOptions& global) {
  Printer(runtime, global)
      .answer({.json = {{"version", LITEDESK_VERSION}},
               .names = {"litedesk/" LITEDESK_VERSION},
               .table = {},
               .text = "litedesk " LITEDESK_VERSION "\n"});
  return 0;
}

int run_command(const std::vector<std::string>& arguments, Runtime& runtime) {
  const CommandLine line = parse_command_line(arguments);
  const Invocation& invocation = line.invocation;
  if (const auto* help = std::get_if<Help>(&invocation.options)) {
    runtime.streams.out(help_text(help->topic));
    return 0;
  }
  if (std::holds_alternative<Version>(invocation.options)) return print_version(runtime, invocation.global);
  if (const auto* script = std::get_if<CompletionScript>(&invocation.options)) {
    runtime.streams.out(completion_script(script->shell));
    return 0;
  }
  Session session(runtime, invocation.global, *line.command);
  try {
    return line.command->run(invocation.options, session);
  } catch (const NotFound& error) {
    forget_missing(session, error);
    throw;
  }
}

}  // namespace

int run(const std::vector<std::string>& arguments, Runtime& runtime) {
  try {
    if (!arguments.empty() && arguments.front() == complete_word) return run_complete(arguments, runtime);
    return run_command(arguments, runtime);
  } catch (const std::exception& error) {
    print_error(runtime, requested_value(arguments, "--output", "-o"), requested_value(arguments, "--color", ""),
                error);
    return exit_code_of(error);
  }
}

bool answers_at_once(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return true;
  const std::string& first = arguments.front();
  return first == complete_word || first == "--version" || first == "version" || first == "help" || first == "--help" ||
         first == "-h" || first == "completion";
}

}  // namespace litedesk::cli
