#include "cli/completion.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/command_line.hpp"
#include "cli/config_file.hpp"
#include "cli/settings.hpp"
#include "cli/text.hpp"
#include "commands/cost.hpp"
#include "commands/tiers.hpp"
#include "providers/error.hpp"
#include "providers/sandbox/sandbox.hpp"
#include "providers/system/files.hpp"
#include "templates/files.hpp"

namespace litedesk::cli {
namespace {

// Somebody waits for an answer: a FIFO in the place of a file has none.
const system::Patience at_once{{}, std::chrono::milliseconds(0)};

// Reads what a source has to offer; one that cannot be read offers nothing, for there is nobody to tell.
template <class Read>
void offer(const Read& read) {
  try {
    read();
  } catch (const Error&) {
  }
}

// A name may be anybody's: a record in the zone, a tenant's tag. What a shell could take for more than a word is not
// offered, beside the quoting of the shells' scripts.
bool is_plain(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._*@:/=+-").find(c) != std::string_view::npos;
  });
}

class Completer {
 public:
  Completer(const std::vector<std::string>& words, const Environment& environment, const std::filesystem::path& folder)
      : before_(words.begin(), words.empty() ? words.end() : words.end() - 1),
        current_(words.empty() ? "" : words.back()),
        environment_(environment),
        folder_(folder) {}

  Completions complete() {
    const CommandWords found = find_command_words(before_);
    if (!found.unknown.empty()) return {};
    bind_global(flags_, global_);
    if (found.command) found.command->bind(flags_, slot_);
    // Behind "--" everything is an argument.
    const bool only_arguments = std::find(found.rest.begin(), found.rest.end(), "--") != found.rest.end();
    if (!only_arguments) {
      if (const Flag* flag = waiting_flag(found.rest)) {
        values(flag->values, flag->choices, flag->long_name());
        return finish("");
      }
      const auto equals = current_.find('=');
      if (current_.starts_with("--") && equals != std::string::npos) {
        const Flag* flag = flags_.find(current_.substr(0, equals));
        if (!flag || flag->is_switch()) return {};
        const std::string prefix = current_.substr(0, equals + 1);
        current_ = current_.substr(equals + 1);
        values(flag->values, flag->choices, flag->long_name());
        return finish(prefix);
      }
      if (current_.starts_with("-")) {
        flag_names(found.rest);
        return finish("");
      }
    }
    if (found.command)
      argument(found.rest);
    else if (found.group)
      command_names(found.group->name);
    else
      first_words();
    return finish("");
  }

 private:
  void add(std::string_view text, std::string_view about = {}) {
    result_.words.push_back({std::string(text), std::string(about)});
  }

  // The flag whose value is being typed: the word before wants one and is not its own value.
  const Flag* waiting_flag(const std::vector<std::string>& rest) const {
    const Flag* waiting = nullptr;
    for (const std::string& word : rest) {
      if (waiting) {
        waiting = nullptr;
      } else if (flags_.takes_next(word)) {
        waiting = flags_.find(word.starts_with("--") ? word : std::string{'-', word.back()});
      }
    }
    return waiting;
  }

  // How many arguments stand there already.
  std::size_t arguments_before(const std::vector<std::string>& rest) const {
    std::size_t count = 0;
    bool value = false, only_arguments = false;
    for (const std::string& word : rest) {
      if (only_arguments) {
        ++count;
      } else if (value) {
        value = false;
      } else if (word == "--") {
        only_arguments = true;
      } else if (word.size() > 1 && word[0] == '-') {
        value = flags_.takes_next(word);
      } else {
        ++count;
      }
    }
    return count;
  }

  void flag_names(const std::vector<std::string>& rest) {
    for (const Flag& flag : flags_.flags()) {
      const bool given = std::any_of(rest.begin(), rest.end(), [&](const std::string& word) {
        return word == flag.long_name() || word == flag.short_name() ||
               word.starts_with(std::string(flag.long_name()) + "=");
      });
      if (!flag.hidden && (!given || flag.repeats())) add(flag.long_name(), flag.help);
    }
  }

  void first_words() {
    for (const Group& group : groups()) add(group.name, group.summary);
    command_names("");
  }
  void command_names(std::string_view group) {
    for (const Command* command : commands_of(group)) add(command->name, command->summary);
  }

  void argument(const std::vector<std::string>& rest) {
    const std::size_t before = arguments_before(rest);
    const auto& arguments = flags_.arguments();
    if (std::holds_alternative<Help>(slot_)) return help_topics(rest);
    if (arguments.empty()) return;
    if (before < arguments.size())
      values(arguments[before].values, arguments[before].choices, arguments[before].name);
    else if (arguments.back().repeats())
      values(arguments.back().values, arguments.back().choices, arguments.back().name);
  }

  void help_topics(const std::vector<std::string>& rest) {
    if (rest.empty()) {
      first_words();
      add("flags", "flags that all commands share");
      add("environment", "variables");
      add("exit-codes", "what exit codes mean");
    } else if (rest.size() == 1 && find_group(rest[0])) {
      command_names(rest[0]);
    }
  }

  Paths paths() const { return find_paths(environment_, requested_value(before_, "--config", ""), folder_); }

  // Which context's names are wanted, without reading the whole configuration.
  std::string context_name() const {
    if (std::find(before_.begin(), before_.end(), "--sandbox") != before_.end()) return "sandbox";
    std::string name = requested_value(before_, "--context", "");
    if (name.empty()) name = variable(environment_, "LITEDESK_CONTEXT");
    if (name.empty()) name = peek_current_context(paths().config);
    if (!name.empty()) return name;
    // Neither named nor in a file: variables make the one called "default", nothing at all makes the sandbox.
    return has_settings(environment_) ? "default" : "sandbox";
  }

  // As the settings have it: the variable, else the context's folder, which is relative to the file.
  std::filesystem::path templates_folder() const {
    const Paths found = paths();
    const std::string named = variable(environment_, "LITEDESK_TEMPLATES");
    if (!named.empty()) return folder_ / system::expand_home(named, found.home);
    const std::string name = context_name();
    if (name == "sandbox" || name == "default") return {};
    const ConfigFile config = read_config(found.config, false, at_once);
    const auto context = config.contexts.find(name);
    if (context == config.contexts.end()) return {};
    const auto folder = context->second.find("templates");
    if (folder == context->second.end() || folder->second.text.empty()) return {};
    return found.config.parent_path() / system::expand_home(folder->second.text, found.home);
  }

  void take(const std::vector<Word>& words) { result_.words.insert(result_.words.end(), words.begin(), words.end()); }

  void contexts() {
    add("sandbox", "the embedded sandbox");
    for (const auto& [name, context] : read_config(paths().config, false, at_once).contexts) {
      const auto domain = context.find("dns.domain");
      add(name, domain == context.end() ? "" : domain->second.text);
    }
  }

  void settings_keys() {
    if (const auto equals = current_.find('='); equals != std::string::npos) {
      const SettingKey* key = find_setting(current_.substr(0, equals));
      if (key) {
        for (const std::string& choice : key->choices) add(fmt::format("{}={}", key->key, choice));
      }
      return;
    }
    for (const SettingKey& key : setting_keys()) add(fmt::format("{}=", key.key), key.help);
    result_.no_space = true;
  }

  void output_formats() {
    for (const char* format : {"table", "wide", "json", "yaml", "name"}) add(format);
    add("jsonpath=", "a template, as in kubectl");
  }

  void faults() {
    for (const std::string& form : sandbox::fault_forms()) add(form);
    result_.no_space = true;
  }

  void values(Values kind, const std::vector<std::string>& choices, std::string_view name) {
    switch (kind) {
      case Values::text:
        break;
      case Values::file:
        result_.files = Completions::Files::any;
        break;
      case Values::folder:
        result_.files = Completions::Files::folders;
        break;
      case Values::slug:
        offer([&] { take(read_snapshot(paths().state, context_name()).tenants); });
        break;
      case Values::record:
        offer([&] { take(read_snapshot(paths().state, context_name()).records); });
        break;
      case Values::context:
        offer([&] { contexts(); });
        break;
      case Values::setting:
        settings_keys();
        break;
      case Values::fault:
        faults();
        break;
      case Values::tier:
        offer([&] {
          const templates::Files files(templates_folder());
          const Tiers tiers(files);
          for (const Tier& tier : tiers.all()) {
            const Money price{tier.price_cents, tier.price_cents};
            add(tier.name, tier.price_cents == 0 ? "free" : to_text(price) + " a month");
          }
        });
        break;
      case Values::model:
        offer([&] {
          const templates::Files files(templates_folder());
          const Prices prices(files);
          for (const std::string& model : prices.models()) add(model, prices.title(model));
        });
        break;
      case Values::template_file:
        offer([&] {
          const templates::Files files(templates_folder());
          for (const std::string& file : files.list(name == "--part" ? "instance/" : "")) add(file);
        });
        break;
      case Values::choice:
        if (name == "--output") output_formats();
        for (const std::string& choice : choices) add(choice);
        break;
    }
  }

  Completions finish(const std::string& prefix) {
    std::erase_if(result_.words,
                  [&](const Word& word) { return !word.text.starts_with(current_) || !is_plain(word.text); });
    for (Word& word : result_.words) word.text = prefix + word.text;
    // A word that ends so is only begun.
    if (result_.words.size() == 1 && result_.words[0].text.ends_with('=')) result_.no_space = true;
    return std::move(result_);
  }

  std::vector<std::string> before_;
  std::string current_;
  const Environment& environment_;
  const std::filesystem::path& folder_;
  GlobalOptions global_;
  Options slot_;
  Flags flags_;
  Completions result_;
};

}  // namespace

Completions complete(const std::vector<std::string>& words, const Environment& environment,
                     const std::filesystem::path& folder) {
  return Completer(words, environment, folder).complete();
}

std::string to_text(const Completions& completions) {
  std::string text;
  for (const Word& word : completions.words) {
    text += one_line(word.text);
    if (!word.about.empty()) text += "\t" + one_line(word.about);
    text += "\n";
  }
  switch (completions.files) {
    case Completions::Files::none:
      text += ":none";
      break;
    case Completions::Files::any:
      text += ":files";
      break;
    case Completions::Files::folders:
      text += ":folders";
      break;
  }
  return text + (completions.no_space ? ",nospace\n" : "\n");
}

}  // namespace litedesk::cli
