#include "cli/config_file.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/settings.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"
#include "providers/error.hpp"
#include "providers/system/file_lock.hpp"
#include "templates/renderer.hpp"
#include "templates/yaml_tree.hpp"

namespace litedesk::cli {
namespace {

// The lines of keys: looked up by path. 0 when there is none.
class Lines {
 public:
  explicit Lines(const templates::Node& root) : root_(root) {}
  int of(const std::vector<std::string>& path) const {
    const templates::Node* node = &root_;
    int line = path.empty() ? root_.at.line : 0;
    for (const std::string& key : path) {
      const auto found = std::find_if(node->entries.begin(), node->entries.end(),
                                      [&key](const templates::Entry& entry) { return entry.key == key; });
      if (found == node->entries.end()) break;
      line = found->at.line;
      node = &found->value;
    }
    return line;
  }

 private:
  const templates::Node& root_;
};

struct Reader {
  const std::filesystem::path& path;
  const Lines& lines;

  [[noreturn]] void refuse(const std::vector<std::string>& at, const std::string& what, std::string hint) const {
    throw ValidationError({.message = fmt::format("{}:{}: {}", path.string(), lines.of(at), what),
                           .hint = std::move(hint),
                           .resource = {},
                           .cause = {}});
  }

  std::string scalar(const Json& value, const std::vector<std::string>& at) const {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number() || value.is_boolean()) return value.dump();
    if (value.is_null()) return {};
    refuse(at, fmt::format("{} must be a single value", at.back()), "");
  }

  // A leaf as text: lists and maps of scalars are joined by commas.
  std::string leaf(const Json& value, const std::vector<std::string>& at) const {
    if (!value.is_structured()) return scalar(value, at);
    std::vector<std::string> parts;
    for (const auto& [key, item] : value.items()) {
      const std::string text = scalar(item, at);
      parts.push_back(value.is_object() ? escape_comma(key + "=" + text) : text);
    }
    return fmt::format("{}", fmt::join(parts, ","));
  }

  static bool is_section(const std::string& key) {
    return std::any_of(setting_keys().begin(), setting_keys().end(),
                       [&](const SettingKey& each) { return each.key.starts_with(key + "."); });
  }

  static std::vector<std::string> keys_below(const std::string& prefix) {
    std::vector<std::string> names;
    for (const SettingKey& each : setting_keys()) {
      if (!each.key.starts_with(prefix)) continue;
      const std::string_view rest = each.key.substr(prefix.size());
      const std::string name(rest.substr(0, rest.find('.')));
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
  }

  void section(const Json& values, const std::string& prefix, std::vector<std::string> at, ConfigContext& into) const {
    if (values.is_null()) return;
    if (!values.is_object()) refuse(at, fmt::format("{} must be a map of settings", at.back()), "");
    for (const auto& [name, value] : values.items()) {
      const std::string key = prefix + name;
      at.push_back(name);
      if (find_setting(key)) {
        into[key] = {leaf(value, at), lines.of(at)};
      } else if (is_section(key)) {
        section(value, key + ".", at, into);
      } else {
        refuse(at, fmt::format("unknown setting \"{}\"", printable(key)), suggestion(name, keys_below(prefix)));
      }
      at.pop_back();
    }
  }
};

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Json to_value(const std::string& key, const std::string& text) {
  if (key == "database.projects" || key == "kubernetes.imagePullSecrets" || key == "kubernetes.egressDenied" ||
      key == "kubernetes.egressAllowed")
    return split(text, ',');
  if (key == "kubernetes.ingressPodLabels" || key == "app.environment" || key == "images.components") {
    Json labels = Json::object();
    for (const std::string& pair : split_pairs(text)) {
      const auto equals = std::min(pair.find('='), pair.size());
      labels[pair.substr(0, equals)] = equals < pair.size() ? pair.substr(equals + 1) : "";
    }
    return labels;
  }
  if (text == "true" || text == "false") return text == "true";
  return text;
}

// The value as litedesk itself writes it, in a line of its own, without the time that a parser takes. Nothing for any
// other way to write it.
std::optional<std::string> plain_current_context(std::string_view text) {
  constexpr std::string_view key = "currentContext: ";
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
    if (line.starts_with(key)) {
      const std::string_view value = line.substr(key.size());
      const auto end = std::find_if_not(value.begin(), value.end(), is_name_character);
      const std::string_view name = value.substr(0, static_cast<std::size_t>(end - value.begin()));
      const std::string_view rest = value.substr(name.size());
      const bool comment = rest.find_first_not_of(' ') == std::string_view::npos || rest.starts_with(" #");
      return !name.empty() && comment ? std::optional(std::string(name)) : std::nullopt;
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return std::nullopt;
}

// Until the lock is had.
system::FileLock take_lock(const std::filesystem::path& file, const ConfigWait& wait) {
  constexpr std::chrono::milliseconds pause{20}, worth_telling{1'000};
  const auto begin = wait.clock.steady();
  bool told = false;
  while (true) {
    if (auto lock = system::FileLock::try_take(file)) return std::move(*lock);
    const auto waited = wait.clock.steady() - begin;
    if (waited >= wait.longest) {
      throw Locked({.message = fmt::format("{} is still locked by {}", file.string(), system::lock_holder(file)),
                    .hint = "wait for it to finish, or stop it; kill -CONT resumes a suspended process",
                    .resource = fmt::format("file {}", file.string()),
                    .cause = {}});
    }
    if (!told && waited >= worth_telling && wait.tell) {
      wait.tell(fmt::format("waiting for {}, which is changing {}", system::lock_holder(file), file.string()));
      told = true;
    }
    if (!wait.clock.wait(std::min(pause, wait.longest), wait.stop))
      throw Cancelled(fmt::format("interrupted while waiting for {}: nothing was changed", system::lock_holder(file)));
  }
}

// Whether there is anything to be kept: a FIFO or a device has nothing.
bool has_text(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::path file = system::final_target(path, "configuration");
  return std::filesystem::is_regular_file(std::filesystem::symlink_status(file, ignored));
}

bool has_comments(const std::string& text) {
  for (const std::string& line : split(text, '\n')) {
    const auto hash = line.find('#');
    if (hash == 0 || (hash != std::string::npos && line[hash - 1] == ' ')) return true;
  }
  return false;
}

}  // namespace

std::string ConfigFile::where(const ConfigValue& value) const {
  return fmt::format("{}:{}", path.string(), value.line);
}

ConfigFile read_config(const std::filesystem::path& path, bool must_exist, const system::Patience& patience) {
  ConfigFile config;
  config.path = path;
  const auto text = system::read_trusted_file(path, "configuration", patience);
  if (!text && must_exist) {
    throw UsageError(
        {.message = fmt::format("configuration file {} not found", path.string()),
         .hint = "check --config and LITEDESK_CONFIG, or create one with: litedesk context set NAME KEY=VALUE",
         .resource = {},
         .cause = {}});
  }
  if (!text) return config;
  config.exists = true;
  const auto tree = templates::parse_single_tree(*text, path.string());
  const Json root = templates::to_json(tree);
  if (root.is_null()) return config;
  const Lines lines(tree);
  const Reader reader{path, lines};
  if (!root.is_object()) reader.refuse({}, "the configuration must be a map with contexts", "");
  for (const auto& [key, value] : root.items()) {
    if (key == "currentContext") {
      config.current = reader.scalar(value, {key});
    } else if (key == "contexts") {
      if (!value.is_object() && !value.is_null()) reader.refuse({key}, "contexts must be a map of contexts", "");
      for (const auto& [name, context] : value.items()) reader.section(context, "", {key, name}, config.contexts[name]);
    } else {
      reader.refuse({key}, fmt::format("unknown key \"{}\"", printable(key)),
                    suggestion(key, std::vector<std::string>{"contexts", "currentContext"}));
    }
  }
  return config;
}

bool write_config(const ConfigFile& config) {
  Json root = Json::object();
  if (!config.current.empty()) root["currentContext"] = config.current;
  root["contexts"] = Json::object();
  for (const auto& [name, context] : config.contexts) {
    Json& target = root["contexts"][name] = Json::object();
    for (const auto& [key, value] : context) {
      Json* at = &target;
      for (const std::string& part : split(key, '.')) at = &(*at)[part];
      *at = to_value(key, value.text);
    }
  }
  bool kept = false;
  const auto old = has_text(config.path) ? system::read_file(config.path, "configuration") : std::nullopt;
  if (old && has_comments(*old)) {
    system::write_file_atomically(config.path.string() + ".bak", *old, "configuration's copy");
    kept = true;
  }
  system::write_file_atomically(config.path, templates::to_yaml(root), "configuration");
  return kept;
}

bool change_config(const std::filesystem::path& path, const ConfigWait& wait,
                   const std::function<void(ConfigFile&)>& change) {
  const std::filesystem::path file = system::final_target(path, "configuration");
  if (file.has_parent_path()) system::make_private_folder(file.parent_path());
  const system::FileLock lock = take_lock(file, wait);
  ConfigFile config;
  config.path = path;
  if (has_text(file)) config = read_config(path, false);
  change(config);
  return write_config(config);
}

std::string peek_current_context(const std::filesystem::path& path) {
  constexpr std::string_view key = "currentContext";
  std::string text;
  try {
    text = system::read_trusted_file(path, "configuration", {{}, std::chrono::milliseconds(0)}).value_or("");
  } catch (const Error&) {
    return {};  // completion has nobody to tell
  }
  if (text.find(key) == std::string::npos) return {};
  if (const auto plain = plain_current_context(text)) return *plain;
  try {
    return read_config(path, false, {{}, std::chrono::milliseconds(0)}).current;
  } catch (const Error&) {
    return {};
  }
}

void check_context_name(std::string_view name) {
  const auto refuse = [](std::string message, std::string hint) {
    throw UsageError({.message = std::move(message), .hint = std::move(hint), .resource = {}, .cause = {}});
  };
  if (name == "sandbox") refuse("the context sandbox is built in and cannot be changed", "choose another name");
  const bool plain =
      !name.empty() && name.size() <= 63 && name[0] != '-' && std::all_of(name.begin(), name.end(), is_name_character);
  if (!plain) {
    refuse(fmt::format("\"{}\" is not a valid context name", printable(name)),
           "use up to 63 letters, digits, dots, dashes and underscores");
  }
}

}  // namespace litedesk::cli
