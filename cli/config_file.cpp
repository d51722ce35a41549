#include "cli/config_file.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "cli/settings.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"
#include "providers/error.hpp"
#include "providers/system/files.hpp"
#include "templates/renderer.hpp"

namespace litedesk::cli {
namespace {

// Lines of a text that has been parsed already: looked up by path. 0 when there is none.
class Lines {
 public:
  explicit Lines(const std::string& text) : root_(YAML::Load(text)) {}
  int of(const std::vector<std::string>& path) const {
    YAML::Node node(root_);
    int line = 0;
    for (const std::string& key : path) {
      if (!node.IsMap()) break;
      bool found = false;
      for (const auto& entry : node) {
        if (entry.first.as<std::string>("") != key) continue;
        line = entry.first.Mark().line + 1;
        node.reset(entry.second);
        found = true;
        break;
      }
      if (!found) break;
    }
    return line;
  }

 private:
  YAML::Node root_;
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
      parts.push_back(value.is_object() ? key + "=" + text : text);
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
  if (key == "database.projects" || key == "kubernetes.imagePullSecrets") return split(text, ',');
  if (key == "kubernetes.ingressPodLabels") {
    Json labels = Json::object();
    for (const std::string& pair : split(text, ',')) {
      const auto equals = std::min(pair.find('='), pair.size());
      labels[pair.substr(0, equals)] = equals < pair.size() ? pair.substr(equals + 1) : "";
    }
    return labels;
  }
  if (text == "true" || text == "false") return text == "true";
  return text;
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

ConfigFile read_config(const std::filesystem::path& path, bool must_exist) {
  ConfigFile config;
  config.path = path;
  const auto text = system::read_file(path, "configuration");
  if (!text && must_exist) {
    throw UsageError(
        {.message = fmt::format("configuration file {} not found", path.string()),
         .hint = "check --config and LITEDESK_CONFIG, or create one with: litedesk context set NAME KEY=VALUE",
         .resource = {},
         .cause = {}});
  }
  if (!text) return config;
  config.exists = true;
  const Json root = templates::parse_yaml(*text, path.string());
  if (root.is_null()) return config;
  const Lines lines(*text);
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
  if (const auto old = system::read_file(config.path, "configuration"); old && has_comments(*old)) {
    system::write_file_atomically(config.path.string() + ".bak", *old, "configuration's copy");
    kept = true;
  }
  system::write_file_atomically(config.path, templates::to_yaml(root), "configuration");
  return kept;
}

std::string peek_current_context(const std::filesystem::path& path) {
  constexpr std::string_view key = "currentContext:";
  std::optional<std::string> text;
  try {
    text = system::read_file(path, "configuration");
  } catch (const Error&) {
    return {};  // completion has nobody to tell
  }
  for (const std::string& line : split(text.value_or(""), '\n')) {
    if (!line.starts_with(key)) continue;
    std::string name = line.substr(key.size());
    name = name.substr(0, name.find(" #"));
    name.erase(std::remove_if(name.begin(), name.end(), [](char c) { return c == ' ' || c == '"' || c == '\''; }),
               name.end());
    return name;
  }
  return {};
}

void check_context_name(std::string_view name) {
  const auto refuse = [](std::string message, std::string hint) {
    throw UsageError({.message = std::move(message), .hint = std::move(hint), .resource = {}, .cause = {}});
  };
  if (name == "sandbox") refuse("the context sandbox is built in and cannot be changed", "choose another name");
  const bool plain =
      !name.empty() && name.size() <= 63 && name[0] != '-' && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
      });
  if (!plain) {
    refuse(fmt::format("\"{}\" is not a valid context name", printable(name)),
           "use up to 63 letters, digits, dots, dashes and underscores");
  }
}

}  // namespace litedesk::cli
