// Which context a command works in: flags, variables, .env and the config file become one Settings, and every value
// remembers where it came from. docs/contexts-and-settings.md tells the rules to people.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/config_file.hpp"
#include "cli/invocation.hpp"
#include "cli/paths.hpp"
#include "commands/settings.hpp"

namespace litedesk::cli {

// One setting, by the key that the config file has for it. Values are text on their way: lists are joined by commas.
struct SettingKey {
  std::string_view key;  // "dns.zone"
  std::string_view help;
  std::string_view variable;                // LITEDESK_DNS_ZONE; may be empty
  std::vector<std::string_view> inherited;  // what LiteDesk operators have already: AWS_ROUTE53_HOSTED_ZONE_ID ...
  // Says where things are made: then a context that is named explicitly does not take it from an inherited variable at
  // all.
  bool is_target = true;
  std::vector<std::string> choices;
  void (*set)(Settings&, const std::string&);
  std::string (*get)(const Settings&);
  // Says where credentials are sent: a context that is named explicitly does not take it from any variable.
  bool is_endpoint = false;
};
[[nodiscard]] std::span<const SettingKey> setting_keys();
[[nodiscard]] const SettingKey* find_setting(std::string_view key);
// Puts the text into the settings. Throws UsageError that begins with `where` when the text cannot be a value of it.
void apply_setting(Settings& settings, const SettingKey& key, const std::string& text, const std::string& where);

struct Origin {
  std::string key, value;  // secrets are masked
  std::string from;        // "flag --kubeconfig", "LITEDESK_DNS_ZONE", ".env: BASE_DOMAIN", "config.yaml:12", "default"
};

struct Resolved {
  Settings settings;
  Paths paths;
  std::vector<Origin> origins;
  std::vector<std::string> warnings;
  bool sandbox_by_default = false;  // nobody asked for it: a first line on stderr says so
  // A .env that could not be read, in words, and the settings that it may have and nothing else sets: what needs one of
  // those must not go by its default.
  std::string dotenv_unread;
  std::vector<std::string> dotenv_may_have;
  // Why a real cluster cannot be opened: KUBECONFIG is there, and the explicit context says nothing about the cluster.
  std::string kubeconfig_refusal;
};

// Whether a command can do without settings: then, where there are none, it gets the defaults.
enum class SettingsAre { needed, optional };
// Throws UsageError: no settings at all and nobody at a terminal, a context that is not there (with the nearest one), a
// bad value; ValidationError for a config file that cannot be read as one.
[[nodiscard]] Resolved resolve_settings(const GlobalOptions& global, const Environment& environment,
                                        const std::filesystem::path& folder, bool terminal,
                                        const system::Patience& patience = {},
                                        SettingsAre settings = SettingsAre::needed);

// Whether a variable is set that is a setting, or part of one: then there is a context even without a file.
[[nodiscard]] bool has_settings(const Environment& environment);

}  // namespace litedesk::cli
