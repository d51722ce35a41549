// litedesk context: named targets in the configuration file.
#include <array>
#include <functional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/config_file.hpp"
#include "cli/remember.hpp"
#include "cli/session.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"
#include "providers/error.hpp"

namespace litedesk::cli {
namespace {

constexpr std::string_view built_in = "sandbox";

// One context's settings without the variables of whoever asks: what the file says.
Settings settings_of(const ConfigFile& config, const ConfigContext& context) {
  Settings settings;
  for (const auto& [key, value] : context) {
    if (value.text.empty()) continue;
    apply_setting(settings, *find_setting(key), value.text, config.where(value));
  }
  return settings;
}

std::string backing(Backing value) {
  return value == Backing::sandbox ? "sandbox" : "real";
}

std::vector<std::string> names_in(const ConfigFile& config) {
  std::vector<std::string> names{std::string(built_in)};
  for (const auto& [name, unused] : config.contexts) names.push_back(name);
  return names;
}

[[noreturn]] void refuse_unknown(const ConfigFile& config, const std::string& name) {
  throw NotFound({.message = fmt::format("context \"{}\" not found in {}", printable(name), config.path.string()),
                  .hint = suggestion(name, names_in(config)),
                  .resource = "context " + name,
                  .cause = {}});
}

// The file as it is; one that is not there yet is an empty one.
ConfigFile config_of(Session& session) {
  return read_config(session.paths().config, false, session.patience());
}

// Changes the file while nobody else does.
void change(Session& session, const std::function<void(ConfigFile&)>& how) {
  constexpr std::chrono::milliseconds usual_wait{30'000};
  const std::filesystem::path path = session.paths().config;
  const ConfigWait wait{.clock = session.runtime().clock,
                        .stop = session.interrupted(),
                        .longest = session.timeout(usual_wait),
                        .tell = [&session](const std::string& text) { session.printer().note(text); }};
  if (change_config(path, wait, how))
    session.printer().note(fmt::format("comments are not kept: the old file is in {}.bak", path.string()));
}

void bind_list(Flags&, ContextList&) {}

int list(const ContextList&, Session& session) {
  const ConfigFile config = config_of(session);
  Answer answer;
  answer.json = items(Json::array());
  answer.table.columns = {
      {.header = "CURRENT", .importance = 9},    {.header = "NAME", .importance = 10},
      {.header = "KUBERNETES", .importance = 5}, {.header = "DATABASE", .importance = 4},
      {.header = "DNS", .importance = 4},        {.header = "REGISTRY", .importance = 3, .shrinks = true},
      {.header = "DOMAIN", .importance = 8},     {.header = "PROVISIONING", .importance = 7}};
  const auto add = [&](const std::string& name, const Settings& settings) {
    const bool current = config.current == name;
    answer.names.push_back("context/" + name);
    answer.table.rows.push_back({current ? "*" : " ", name, backing(settings.kubernetes.provider),
                                 backing(settings.database.provider), backing(settings.dns.provider), settings.registry,
                                 settings.dns.domain, settings.provisioning_enabled ? "enabled" : "disabled"});
    answer.json["items"].push_back({{"name", name},
                                    {"current", current},
                                    {"kubernetes", backing(settings.kubernetes.provider)},
                                    {"database", backing(settings.database.provider)},
                                    {"dns", backing(settings.dns.provider)},
                                    {"registry", settings.registry},
                                    {"domain", settings.dns.domain},
                                    {"provisioning", settings.provisioning_enabled}});
  };
  for (const auto& [name, context] : config.contexts) add(name, settings_of(config, context));
  Settings sandbox;
  sandbox.kubernetes.provider = sandbox.database.provider = sandbox.dns.provider = Backing::sandbox;
  sandbox.provisioning_enabled = true;
  add(std::string(built_in), sandbox);
  session.printer().answer(answer);
  return 0;
}

void bind_show(Flags& flags, ContextShow& options) {
  flags.argument(
      {.name = "NAME", .help = "the context (default: the current one)", .values = Values::context, .required = false},
      options.name);
  flags.flag({.names = "--origins", .value = "", .help = "show where each value comes from"}, options.origins);
}

int show(const ContextShow& options, Session& session) {
  GlobalOptions global = session.global();
  if (!options.name.empty()) {
    if (global.sandbox || (!global.context.empty() && global.context != options.name)) {
      throw UsageError(fmt::format("context show {} and the flag of another context are mutually exclusive",
                                   printable(options.name)));
    }
    if (options.name != built_in) {
      const ConfigFile config = config_of(session);
      if (!config.contexts.contains(options.name)) refuse_unknown(config, options.name);
    }
    global.context = options.name;
  }
  const Runtime& runtime = session.runtime();
  const Resolved resolved =
      resolve_settings(global, runtime.environment, runtime.folder, runtime.terminal.err, session.patience());
  for (const std::string& warning : resolved.warnings) session.printer().warn(warning);
  Answer answer;
  answer.names = {"context/" + resolved.settings.context};
  answer.json = {{"name", resolved.settings.context},
                 {"config", resolved.paths.config.string()},
                 {"state", resolved.paths.state.string()},
                 {"settings", Json::object()},
                 {"origins", Json::object()}};
  answer.table.columns = {{.header = "SETTING", .importance = 10},
                          {.header = "VALUE", .importance = 9, .shrinks = true}};
  if (options.origins) answer.table.columns.push_back({.header = "FROM", .importance = 10, .shrinks = true});
  for (const Origin& origin : resolved.origins) {
    answer.json["settings"][origin.key] = origin.value;
    answer.json["origins"][origin.key] = origin.from;
    if (origin.value.empty() && !options.origins) continue;
    std::vector<std::string> row{origin.key, origin.value};
    if (options.origins) row.push_back(origin.from);
    answer.table.rows.push_back(std::move(row));
  }
  session.printer().answer(answer);
  return 0;
}

void bind_use(Flags& flags, ContextUse& options) {
  flags.argument({.name = "NAME", .help = "the context", .values = Values::context}, options.name);
}

int use(const ContextUse& options, Session& session) {
  change(session, [&](ConfigFile& config) {
    if (options.name != built_in && !config.contexts.contains(options.name)) refuse_unknown(config, options.name);
    config.current = options.name;
  });
  session.printer().answer({.json = {{"name", options.name}, {"current", true}},
                            .names = {"context/" + options.name},
                            .table = {},
                            .text = fmt::format("switched to context {}\n", options.name)});
  return 0;
}

void bind_set(Flags& flags, ContextSet& options) {
  flags.argument({.name = "NAME", .help = "the context; created if it does not exist", .values = Values::context},
                 options.name);
  flags.argument({.name = "KEY=VALUE",
                  .help = "settings, by the configuration file's keys; an empty value unsets one",
                  .values = Values::setting,
                  .required = false},
                 options.settings);
  flags.flag({.names = "--use", .value = "", .help = "make it the current context"}, options.use);
}

// Whether tenants or records are others than before.
bool points_elsewhere(const ConfigContext& before, const ConfigContext& after) {
  const auto text = [](const ConfigContext& context, std::string_view key) {
    const auto found = context.find(std::string(key));
    return found == context.end() ? std::string() : found->second.text;
  };
  for (const std::string_view key : {"registry", "kubernetes.provider", "kubernetes.kubeconfig", "kubernetes.context",
                                     "kubernetes.clusterId", "dns.provider", "dns.zone", "dns.domain"})
    if (text(before, key) != text(after, key)) return true;
  return false;
}

void apply(const std::string& pair, ConfigContext& context) {
  const auto equals = pair.find('=');
  const std::string key = pair.substr(0, equals);
  if (equals == std::string::npos) {
    throw UsageError({.message = fmt::format("\"{}\" is not KEY=VALUE", printable(pair)),
                      .hint = "for example dns.domain=staging.example.com",
                      .resource = {},
                      .cause = {}});
  }
  const SettingKey* setting = find_setting(key);
  if (!setting) {
    std::vector<std::string> keys;
    for (const SettingKey& each : setting_keys()) keys.emplace_back(each.key);
    throw UsageError({.message = fmt::format("unknown setting \"{}\"", printable(key)),
                      .hint = suggestion(key, keys),
                      .resource = {},
                      .cause = {}});
  }
  const std::string value = pair.substr(equals + 1);
  if (value.empty()) {
    context.erase(key);
    return;
  }
  Settings checked;
  apply_setting(checked, *setting, value, key);
  context[key] = {value, 0};
}

int set(const ContextSet& options, Session& session) {
  check_context_name(options.name);
  bool is_new = false;
  std::string current;
  ConfigContext before, after;
  change(session, [&](ConfigFile& config) {
    is_new = !config.contexts.contains(options.name);
    ConfigContext& context = config.contexts[options.name];
    before = context;
    for (const std::string& pair : options.settings) apply(pair, context);
    after = context;
    if (options.use) config.current = options.name;
    current = config.current;
  });
  if (points_elsewhere(before, after)) forget_context(session, options.name);
  Printer& printer = session.printer();
  printer.answer({.json = {{"name", options.name}, {"current", current == options.name}},
                  .names = {"context/" + options.name},
                  .table = {},
                  .text = fmt::format("context {} {}{} in {}\n", options.name, is_new ? "created" : "updated",
                                      options.use ? " and made current" : "", session.paths().config.string())});
  if (current.empty())
    printer.note(fmt::format("there is no current context yet: litedesk context use {0}", options.name));
  else
    printer.next("litedesk context show " + options.name);
  return 0;
}

void bind_delete(Flags& flags, ContextDelete& options) {
  flags.argument({.name = "NAME", .help = "the context", .values = Values::context}, options.name);
}

int remove(const ContextDelete& options, Session& session) {
  check_context_name(options.name);
  bool was_current = false;
  change(session, [&](ConfigFile& config) {
    if (config.contexts.erase(options.name) == 0) refuse_unknown(config, options.name);
    was_current = config.current == options.name;
    if (was_current) config.current.clear();
  });
  forget_context(session, options.name);
  if (was_current) session.printer().warn("it was the current context; choose another with: litedesk context use NAME");
  session.printer().answer(
      {.json = {{"name", options.name}, {"deleted", true}},
       .names = {"context/" + options.name},
       .table = {},
       .text = fmt::format("context {} deleted; what it pointed to is untouched\n", options.name)});
  return 0;
}

constexpr std::array commands{
    Command{"context", "list", "list contexts", "", "litedesk context list", binder<ContextList, bind_list>,
            runner<ContextList, list>, Needs::nothing},
    Command{"context", "show", "show the settings of a context",
            "Shows what a command run here would use: flags, variables, .env and the file together.",
            "litedesk context show --origins\nlitedesk context show staging -o yaml", binder<ContextShow, bind_show>,
            runner<ContextShow, show>},
    Command{"context", "use", "choose the current context", "", "litedesk context use staging",
            binder<ContextUse, bind_use>, runner<ContextUse, use>, Needs::nothing},
    Command{"context", "set", "create or change a context", "",
            "litedesk context set staging kubernetes.context=staging --use\n"
            "litedesk context set staging dns.domain=staging.example.com",
            binder<ContextSet, bind_set>, runner<ContextSet, set>, Needs::nothing},
    Command{"context", "delete", "delete a context", "Deletes the settings only: what they point to is untouched.",
            "litedesk context delete staging", binder<ContextDelete, bind_delete>, runner<ContextDelete, remove>,
            Needs::nothing},
};

}  // namespace

std::span<const Command> context_commands() {
  return commands;
}

}  // namespace litedesk::cli
