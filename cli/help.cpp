#include "cli/help.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/settings.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"
#include "providers/error.hpp"

namespace litedesk::cli {
namespace {

constexpr std::size_t help_width = 80;
constexpr std::size_t widest_term = 30;

struct Term {
  std::string term, about;
};

// Terms with what they mean beside them, wrapped at the width of a page.
std::string terms(const std::vector<Term>& list) {
  std::size_t column = 0;
  for (const Term& each : list) column = std::max(column, std::min(widest_term, display_width(each.term)));
  column += 4;
  std::string text;
  for (const Term& each : list) {
    std::string line = "  " + each.term;
    if (display_width(line) + 2 > column) {
      text += line + "\n";
      line.clear();
    }
    line = pad_to_width(line, column);
    std::string_view rest = each.about;
    while (!rest.empty()) {
      const std::size_t space = std::min(rest.find(' '), rest.size());
      const bool begins = display_width(line) <= column;
      if (!begins && display_width(line) + 1 + space > help_width) {
        text += line + "\n";
        line = std::string(column, ' ');
        continue;
      }
      line += (begins ? "" : " ") + std::string(rest.substr(0, space));
      rest.remove_prefix(std::min(space + 1, rest.size()));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::vector<Term> flag_terms(const Flags& flags) {
  std::vector<Term> list;
  for (const Flag& flag : flags.flags()) {
    if (flag.hidden) continue;
    const std::string front = flag.short_name().empty() ? "    " : fmt::format("{}, ", flag.short_name());
    const std::string value = flag.value.empty() ? "" : fmt::format(" {}", flag.value);
    std::string about(flag.help);
    // The values stand in the help already where a sentence names them.
    const bool named = !flag.choices.empty() && about.find(flag.choices.back()) != std::string::npos;
    if (!flag.choices.empty() && !named) about += fmt::format(": {}", fmt::join(flag.choices, ", "));
    if (flag.required) about += " (required)";
    list.push_back({fmt::format("{}{}{}", front, flag.long_name(), value), about});
  }
  return list;
}

std::string indented(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    result += fmt::format("  {}\n", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

// Each line wrapped at the width of a page, but for what is set in columns.
std::string paragraphs(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    result += line.find("  ") == std::string_view::npos ? wrapped(line, help_width, "", "") : std::string(line) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

std::string usage_of(const Command& command, const Flags& flags) {
  std::string usage = "litedesk " + command.words();
  for (const Argument& argument : flags.arguments()) {
    const std::string name = fmt::format("{}{}", argument.name, argument.repeats() ? "..." : "");
    usage += argument.required ? " " + name : fmt::format(" [{}]", name);
  }
  for (const Flag& flag : flags.flags()) {
    if (flag.required) usage += fmt::format(" {} {}", flag.long_name(), flag.value);
  }
  const bool optional =
      std::any_of(flags.flags().begin(), flags.flags().end(), [](const Flag& flag) { return !flag.required; });
  return usage + (optional ? " [flags]" : "");
}

std::string capitalised(std::string_view text) {
  std::string result(text);
  if (!result.empty() && result[0] >= 'a' && result[0] <= 'z') result[0] = static_cast<char>(result[0] - 'a' + 'A');
  return result;
}

std::string command_help(const Command& command) {
  Flags flags;
  Options slot;
  command.bind(flags, slot);
  std::string text = fmt::format("{}.\n", capitalised(command.summary));
  if (!command.about.empty()) text += "\n" + paragraphs(command.about);
  text += fmt::format("\nUsage:\n  {}\n", usage_of(command, flags));
  std::vector<Term> arguments;
  for (const Argument& argument : flags.arguments())
    arguments.push_back({std::string(argument.name), std::string(argument.help)});
  if (!arguments.empty()) text += "\nArguments:\n" + terms(arguments);
  if (!flags.flags().empty()) text += "\nFlags:\n" + terms(flag_terms(flags));
  text += "\nExamples:\n" + indented(command.examples);
  text += "\nFlags that all commands share: litedesk help flags\n";
  return text;
}

std::string group_help(const Group& group) {
  std::string text =
      fmt::format("{}.\n\nUsage:\n  litedesk {} COMMAND\n\nCommands:\n", capitalised(group.summary), group.name);
  std::vector<Term> list;
  for (const Command* command : commands_of(group.name))
    list.push_back({std::string(command->name), std::string(command->summary)});
  text += terms(list);
  text += fmt::format("\nMore: litedesk {} COMMAND --help\n", group.name);
  return text;
}

std::string flags_help() {
  GlobalOptions unused;
  Flags flags;
  bind_global(flags, unused);
  return "Flags that all commands share, before or after the command:\n" + terms(flag_terms(flags));
}

std::string environment_help() {
  std::vector<Term> own{{"LITEDESK_CONTEXT", "the context"},
                        {"LITEDESK_CONFIG", "the configuration file"},
                        {"LITEDESK_HOME", "one folder for configuration and state"}};
  std::vector<Term> inherited{{"KUBECONFIG", "kubeconfig files, as in kubectl"},
                              {"MONGODB_ATLAS_API_KEY", "public key, or client ID of a service account"},
                              {"MONGODB_ATLAS_API_SECRET", "private key, or client secret"},
                              {"BACKEND_IMAGE_REPO, _TAG", "image of the backend"},
                              {"FRONTEND_IMAGE_REPO, _TAG", "image of the frontend"},
                              {"AWS_...", "the AWS SDK's own: keys, profile, region, endpoint"}};
  for (const SettingKey& key : setting_keys()) {
    if (!key.variable.empty()) own.push_back({std::string(key.variable), fmt::format("{} ({})", key.help, key.key)});
    for (const std::string_view name : key.inherited) {
      inherited.push_back({std::string(name), fmt::format("{} ({})", key.help, key.key)});
    }
  }
  const std::vector<Term> network{{"HTTPS_PROXY, HTTP_PROXY", "proxies; ALL_PROXY is used where one is not set"},
                                  {"NO_PROXY", "what is reached directly: names, *.NAME, networks, HOST:PORT, *"},
                                  {"SSL_CERT_FILE", "PEM file of the trusted certificate authorities"},
                                  {"SSL_CERT_DIR", "folders of such files, separated by colons"}};
  return wrapped(
             "Flags take precedence over LITEDESK_*, then come the variables that LiteDesk operators already have, "
             "the configuration file, and .env in the working folder. A context that is named explicitly is not mixed "
             "with "
             "inherited variables. `litedesk context show --origins` shows where each value comes from.",
             help_width, "", "") +
         "\n" +
         wrapped("A switch takes true or false, enabled or disabled, yes or no, on or off, 1 or 0.", help_width, "",
                 "") +
         "\nlitedesk's own:\n" + terms(own) +
         "\nInherited (all but KUBECONFIG and endpoints may also be set in .env):\n" + terms(inherited) +
         "\nThe network, as for kubectl:\n" + terms(network);
}

std::string exit_codes_help() {
  return "Exit codes:\n" + terms({{"0", "done"},
                                  {"1", "failed; `status`: not healthy"},
                                  {"2", "wrong usage, or invalid settings"},
                                  {"3", "not found"},
                                  {"4", "conflict, or locked by someone else"},
                                  {"5", "refused: permission, authentication, or switched off"},
                                  {"6", "timed out; what was created is kept"},
                                  {"7", "rolled back after a failure or a time-out"},
                                  {"10", "`instance plan --exit-code` found changes"},
                                  {"130", "interrupted"}});
}

std::string whole_help() {
  std::vector<Term> list;
  for (const Group& group : groups()) list.push_back({std::string(group.name), std::string(group.summary)});
  for (const Command* command : commands_of(""))
    list.push_back({std::string(command->name), std::string(command->summary)});
  return "litedesk gives each LiteDesk customer an instance of its own: on Kubernetes,\n"
         "with its database and its subdomain.\n\nUsage:\n  litedesk COMMAND [flags]\n\nCommands:\n" +
         terms(list) +
         "\nTo try it, touching nothing outside this machine:\n"
         "  litedesk --sandbox tenant create \"Acme\" --email owner@acme.example\n"
         "  litedesk --sandbox instance provision acme\n"
         "\nMore: litedesk COMMAND --help, litedesk help flags, litedesk help environment,\n"
         "litedesk help exit-codes\n";
}

}  // namespace

std::string help_text(const std::vector<std::string>& topic) {
  if (topic.empty()) return whole_help();
  if (topic.size() == 1) {
    if (topic[0] == "flags") return flags_help();
    if (topic[0] == "environment") return environment_help();
    if (topic[0] == "exit-codes") return exit_codes_help();
    if (const Group* group = find_group(topic[0])) return group_help(*group);
    if (const Command* command = find_command("", topic[0])) return command_help(*command);
  } else if (topic.size() == 2) {
    if (const Command* command = find_command(topic[0], topic[1])) return command_help(*command);
  }
  std::vector<std::string> known{"flags", "environment", "exit-codes"};
  const bool in_group = topic.size() == 2 && find_group(topic[0]);
  if (in_group) known.clear();
  for (const Command* command : all_commands()) {
    if (in_group && command->group == topic[0])
      known.emplace_back(command->name);
    else if (!in_group && command->group.empty())
      known.emplace_back(command->name);
  }
  for (const Group& group : groups()) {
    if (!in_group) known.emplace_back(group.name);
  }
  const auto found = nearest(topic.back(), known);
  throw UsageError({.message = fmt::format("no help for \"{}\"", printable(fmt::format("{}", fmt::join(topic, " ")))),
                    .hint = found ? did_you_mean(found) : "list the commands with: litedesk help",
                    .resource = {},
                    .cause = {}});
}

}  // namespace litedesk::cli
