#include "cli/settings.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/dotenv.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"
#include "providers/error.hpp"
#include "providers/system/files.hpp"

namespace litedesk::cli {
namespace {

[[noreturn]] void refuse(std::string message, std::string hint) {
  throw UsageError({.message = std::move(message), .hint = std::move(hint), .resource = {}, .cause = {}});
}

Environment without_empty(const Environment& environment) {
  Environment kept;
  for (const auto& [name, value] : environment) {
    if (!value.empty()) kept[name] = value;
  }
  return kept;
}

bool has_any(const Environment& environment, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* name) { return environment.contains(name); });
}

struct Image {
  std::string repository, tag;
};

// "registry:5000/name:tag": the last colon behind the last slash parts them. A digest stays with the repository.
Image split_image(const std::string& image) {
  const auto slash = image.rfind('/');
  const auto colon = image.rfind(':');
  const bool has_tag = colon != std::string::npos && (slash == std::string::npos || colon > slash) &&
                       image.find('@') == std::string::npos;
  return has_tag ? Image{image.substr(0, colon), image.substr(colon + 1)} : Image{image, ""};
}

class Resolver {
 public:
  Resolver(const GlobalOptions& global, const Environment& environment, const std::filesystem::path& folder,
           bool terminal, system::Patience patience, SettingsAre settings)
      : global_(global),
        environment_(without_empty(environment)),
        folder_(folder),
        terminal_(terminal),
        optional_(settings == SettingsAre::optional),
        patience_(std::move(patience)) {}

  Resolved resolve() {
    result_.paths = find_paths(environment_, global_.config, folder_);
    take_dotenv();
    choose_context();
    settings().state_folder = result_.paths.state;
    if (built_in_) set_sandbox_defaults();
    for (const SettingKey& key : setting_keys()) resolve_key(key);
    resolve_image("images.backend", "BACKEND_IMAGE_REPO", "BACKEND_IMAGE_TAG");
    resolve_image("images.frontend", "FRONTEND_IMAGE_REPO", "FRONTEND_IMAGE_TAG");
    resolve_endpoints();
    resolve_atlas_keys();
    resolve_registry_path();
    settings().environment = environment_for_providers();
    // The sandbox does not ask whether instances may be made; a context with one real provider does.
    const bool all_sandbox = settings().kubernetes.provider == Backing::sandbox &&
                             settings().database.provider == Backing::sandbox &&
                             settings().dns.provider == Backing::sandbox;
    if (all_sandbox && !settings().provisioning_enabled) {
      settings().provisioning_enabled = true;
      note("provisioning", "enabled", "sandbox");
    }
    check_kubeconfig();
    check_dotenv();
    tell_beaten();
    return std::move(result_);
  }

 private:
  Settings& settings() { return result_.settings; }

  void note(std::string_view key, std::string value, std::string from) {
    for (Origin& origin : result_.origins) {
      if (origin.key != key) continue;
      origin.value = std::move(value);
      origin.from = std::move(from);
      return;
    }
    result_.origins.push_back({std::string(key), std::move(value), std::move(from)});
  }
  std::string origin_of(std::string_view key) const {
    for (const Origin& origin : result_.origins) {
      if (origin.key == key) return origin.from;
    }
    return {};
  }

  std::string dotenv_file() const { return (folder_ / ".env").string(); }

  void take_dotenv() {
    Dotenv found;
    try {
      found = read_dotenv(dotenv_file());
    } catch (const UsageError& error) {
      if (!asks_for_sandbox()) throw;  // which takes nothing of weight from it
      result_.warnings.push_back(fmt::format("{}: nothing is taken from the file", error.message()));
    }
    if (!found.unread.empty()) {
      result_.dotenv_unread = fmt::format("{} was not read: {}", dotenv_file(), found.unread);
      result_.warnings.push_back(result_.dotenv_unread);
    }
    for (const auto& [name, value] : without_empty(found.values)) {
      if (dotenv_may_set(name)) {
        dotenv_[name] = value;
      } else if (name == "KUBECONFIG" || name.starts_with("LITEDESK_") || name.starts_with("AWS_ENDPOINT_URL")) {
        result_.warnings.push_back(
            fmt::format("{} is ignored in {}: set it in the environment or in a context", name, dotenv_file()));
      }
    }
  }

  bool asks_for_sandbox() const {
    if (global_.sandbox || !global_.context.empty()) return global_.sandbox || global_.context == "sandbox";
    return variable(environment_, "LITEDESK_CONTEXT") == "sandbox";
  }

  // Which context, and whether somebody named it.
  void choose_context() {
    std::string name = global_.context;
    named_by_flag_ = global_.sandbox || !name.empty();
    if (global_.sandbox) {
      if (!name.empty() && name != "sandbox")
        refuse(fmt::format("--sandbox and --context {} are mutually exclusive", name), "");
      name = "sandbox";
    }
    std::string from = global_.sandbox ? "flag --sandbox" : "flag --context";
    if (name.empty()) {
      name = variable(environment_, "LITEDESK_CONTEXT");
      from = "LITEDESK_CONTEXT";
    }
    explicit_ = !name.empty();
    // The built-in one needs no file, not even a whole one.
    if (name != "sandbox") config_ = read_config(result_.paths.config, result_.paths.config_named, patience_);
    if (name.empty() && !config_.current.empty()) {
      name = config_.current;
      from = config_.path.string();
    }
    const bool implied = name.empty();
    if (implied) {
      name = implied_context();
      from = name == "sandbox" ? "no settings found" : "the environment";
    }
    built_in_ = name == "sandbox";
    if (built_in_ && (!global_.kubeconfig.empty() || !global_.kube_context.empty())) {
      refuse("--kubeconfig and --kube-context have no meaning in the sandbox", "choose another context with --context");
    }
    if (!built_in_ && !implied) {
      const auto found = config_.contexts.find(name);
      if (found == config_.contexts.end()) refuse_context(name, from);
      context_ = &found->second;
    }
    settings().context = name;
    note("context", name, from);
  }

  std::string implied_context() {
    const bool flags = !global_.kubeconfig.empty() || !global_.kube_context.empty();
    if (flags || optional_ || has_settings(environment_) || has_settings(dotenv_)) return std::string(implied_name);
    if (!config_.contexts.empty()) {
      std::vector<std::string> names;
      for (const auto& [name, unused] : config_.contexts) names.push_back(name);
      refuse(fmt::format("{} has no current context", config_.path.string()),
             fmt::format("litedesk context use NAME, or --context NAME: {}", fmt::join(names, ", ")));
    }
    if (!result_.dotenv_unread.empty()) {
      refuse(fmt::format("{}, and there are no other settings", result_.dotenv_unread),
             "make it a regular file that you may read, or use --sandbox to try things out");
    }
    if (!terminal_) {
      refuse("no settings found: no context, no configuration file, no variables",
             fmt::format("use --sandbox to try things out; settings are read from {} and the environment "
                         "(litedesk help environment)",
                         result_.paths.config.string()));
    }
    result_.sandbox_by_default = true;
    return "sandbox";
  }

  [[noreturn]] void refuse_context(const std::string& name, const std::string& from) {
    std::vector<std::string> names{"sandbox"};
    for (const auto& [each, unused] : config_.contexts) names.push_back(each);
    throw NotFound({.message = fmt::format("context \"{}\" not found ({})", printable(name), from),
                    .hint = suggestion(name, names),
                    .resource = "context " + name,
                    .cause = config_.exists ? "" : fmt::format("{} does not exist", config_.path.string())});
  }

  void set_sandbox_defaults() {
    settings().kubernetes.provider = settings().database.provider = settings().dns.provider = Backing::sandbox;
    settings().provisioning_enabled = true;
  }

  // What the sandbox decides itself, whatever is set elsewhere.
  bool decided_by_sandbox(std::string_view key) {
    const auto sandbox = [](Backing backing) { return backing == Backing::sandbox; };
    if (built_in_ && named_by_flag_ && (key.ends_with(".provider") || key == "registry" || key == "provisioning"))
      return true;
    if (sandbox(settings().kubernetes.provider) &&
        (key == "kubernetes.kubeconfig" || key == "kubernetes.context" || key == "kubernetes.clusterId")) {
      return true;
    }
    if (sandbox(settings().database.provider) &&
        (key == "database.url" || key == "database.projects" || key == "database.cluster")) {
      return true;
    }
    return sandbox(settings().dns.provider) && (key == "dns.zone" || key == "dns.url");
  }

  bool take(const SettingKey& key, const std::string& text, const std::string& from) {
    if (text.empty()) return false;
    apply_setting(settings(), key, text, from);
    note(key.key, key.get(settings()), from);
    return true;
  }

  bool take_flag(const SettingKey& key) {
    if (key.key == "kubernetes.kubeconfig")
      return take(key, absolute(global_.kubeconfig, folder_), "flag --kubeconfig");
    if (key.key == "kubernetes.context") return take(key, global_.kube_context, "flag --kube-context");
    return false;
  }
  bool take_own_variable(const SettingKey& key) {
    const std::string name(key.variable);
    if (name.empty() || (key.is_endpoint && !takes_endpoints())) return false;
    if (!take(key, path_value(key, variable(environment_, name), folder_), name)) return false;
    if (named_by_flag_ && context_ && context_->contains(std::string(key.key)) && !context_agrees(key)) {
      result_.warnings.push_back(fmt::format("{} overrides {} of context {}", name, key.key, settings().context));
    }
    return true;
  }
  // Whether the context has the value that was taken from elsewhere, in whatever form.
  bool context_agrees(const SettingKey& key) const {
    const ConfigValue& value = context_->at(std::string(key.key));
    Settings theirs;
    try {
      apply_setting(theirs, key, path_value(key, value.text, config_.path.parent_path()), config_.where(value));
    } catch (const UsageError&) {
      return false;
    }
    return key.get(theirs) == key.get(result_.settings);
  }
  bool take_inherited(const SettingKey& key, const Environment& source) {
    const std::string prefix = &source == &dotenv_ ? ".env: " : "";
    return std::any_of(key.inherited.begin(), key.inherited.end(), [&](std::string_view name) {
      return take(key, variable(source, std::string(name)), prefix + std::string(name));
    });
  }
  bool take_context(const SettingKey& key) {
    if (!context_) return false;
    const auto found = context_->find(std::string(key.key));
    if (found == context_->end()) return false;
    return take(key, path_value(key, found->second.text, config_.path.parent_path()), config_.where(found->second));
  }

  void resolve_key(const SettingKey& key) {
    if (decided_by_sandbox(key.key)) return note(key.key, key.get(settings()), "sandbox");
    if (take_flag(key) || take_own_variable(key)) return;
    // A folder that one happens to stand in does not redirect a context: .env comes last.
    const bool inherits = !explicit_ || !key.is_target;
    if (!explicit_ && take_inherited(key, environment_)) return;
    if (take_context(key)) {
      if (inherits) note_beaten(key);
      return;
    }
    if (inherits && ((explicit_ && take_inherited(key, environment_)) || take_inherited(key, dotenv_))) return;
    note(key.key, key.get(settings()), built_in_ && key.key.ends_with(".provider") ? "sandbox" : "default");
  }

  // Whoever has written a .env may expect it to count where the context says otherwise.
  void note_beaten(const SettingKey& key) {
    for (const std::string_view name : key.inherited) {
      const std::string value = variable(dotenv_, std::string(name));
      if (value.empty()) continue;
      Settings theirs;
      try {
        apply_setting(theirs, key, value, std::string(name));
        if (key.get(theirs) != key.get(settings())) beaten_.emplace_back(name);
      } catch (const UsageError&) {
        beaten_.emplace_back(name);
      }
    }
  }
  void tell_beaten() {
    if (beaten_.empty()) return;
    result_.warnings.push_back(fmt::format("context {} overrides what {} sets: {}", settings().context, dotenv_file(),
                                           fmt::join(beaten_, ", ")));
  }

  // The built-in context has nowhere else to have one from.
  bool takes_endpoints() const { return !explicit_ || built_in_; }

  // Route 53's addresses in variables are left to the AWS chain, and beat the context like others of their kind; unless
  // it was named: then one warning tells which addresses were left out, where that makes a difference.
  void resolve_endpoints() {
    if (takes_endpoints()) return prefer_aws_endpoint();
    std::vector<std::string_view> ignored, keys;
    const auto compare = [&](std::string_view name, std::string_view key) {
      const SettingKey& setting = *find_setting(key);
      if (decided_by_sandbox(key) || same_address(variable(environment_, std::string(name)), setting.get(settings())))
        return;
      ignored.push_back(name);
      if (keys.empty() || keys.back() != key) keys.push_back(key);
    };
    for (const SettingKey& key : setting_keys())
      if (key.is_endpoint && !key.variable.empty()) compare(key.variable, key.key);
    for (const char* name : aws_endpoints) compare(name, "dns.url");
    std::erase_if(environment_, [](const auto& each) { return each.first.starts_with("AWS_ENDPOINT_URL"); });
    if (ignored.empty()) return;
    result_.warnings.push_back(fmt::format("{} {} ignored, because context {} was named explicitly: set {} in it",
                                           fmt::join(ignored, ", "), ignored.size() == 1 ? "is" : "are",
                                           settings().context, fmt::join(keys, " and ")));
  }
  void prefer_aws_endpoint() {
    if (decided_by_sandbox("dns.url") || environment_.contains("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) return;
    for (const char* name : aws_endpoints) {
      if (!environment_.contains(name)) continue;
      settings().dns.url.clear();
      return note("dns.url", environment_.at(name), name);
    }
  }
  static bool same_address(std::string variable, const std::string& taken) {
    while (variable.ends_with('/')) variable.pop_back();
    return variable.empty() || variable == taken;
  }

  // BACKEND_IMAGE_REPO and BACKEND_IMAGE_TAG, each on its own, where nothing that beats them has set the image.
  void resolve_image(std::string_view key_name, const char* repository_name, const char* tag_name) {
    const SettingKey& key = *find_setting(key_name);
    const std::string from = origin_of(key_name);
    if (explicit_ || (!key.variable.empty() && from == key.variable)) return;
    Image image = split_image(key.get(settings()));
    std::string used;
    const bool in_context = context_ && context_->contains(std::string(key_name));
    const auto replace = [&](std::string& part, const char* name) {
      for (const auto* source : {&environment_, &dotenv_}) {
        const std::string value = variable(*source, name);
        if (value.empty()) continue;
        if (source == &dotenv_ && in_context) {
          if (value != part) beaten_.emplace_back(name);
          return;
        }
        part = value;
        used += fmt::format("{}{}{}", used.empty() ? "" : ", ", source == &dotenv_ ? ".env: " : "", name);
        return;
      }
    };
    replace(image.repository, repository_name);
    replace(image.tag, tag_name);
    if (used.empty()) return;
    take(key, image.tag.empty() ? image.repository : image.repository + ":" + image.tag, used);
  }

  // Both from one place: a key's id must never meet another key's secret.
  void resolve_atlas_keys() {
    if (settings().database.provider == Backing::sandbox) return;
    const char* const id = "MONGODB_ATLAS_API_KEY";
    const char* const secret = "MONGODB_ATLAS_API_SECRET";
    const bool in_environment = has_any(environment_, {id, secret});
    const Environment& source = in_environment ? environment_ : dotenv_;
    settings().database.key_id = variable(source, id);
    settings().database.key_secret = Secret(variable(source, secret));
    const std::string prefix = in_environment ? "" : ".env: ";
    if (source.contains(id)) note("database.key", "(masked)", prefix + id);
    if (source.contains(secret)) note("database.secret", "(masked)", prefix + secret);
  }

  std::string absolute(const std::string& text, const std::filesystem::path& base) const {
    if (text.empty()) return {};
    return (base / system::expand_home(text, result_.paths.home)).lexically_normal().string();
  }
  std::string path_value(const SettingKey& key, const std::string& text, const std::filesystem::path& base) const {
    constexpr std::string_view scheme = "sqlite:";
    if (key.key == "kubernetes.kubeconfig" || key.key == "templates") return absolute(text, base);
    if (key.key == "registry" && text.starts_with(scheme) && text.size() > scheme.size()) {
      return std::string(scheme) + absolute(text.substr(scheme.size()), base);
    }
    return text;
  }
  void resolve_registry_path() {
    if (settings().registry == "sqlite")
      settings().registry = "sqlite:" + (result_.paths.state / "registry.db").string();
  }

  Environment environment_for_providers() const {
    Environment environment = environment_;
    const bool has_keys = has_any(environment_, {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                                                 "AWS_PROFILE", "AWS_DEFAULT_PROFILE"});
    for (const auto& [name, value] : dotenv_) {
      const bool region = name == "AWS_REGION" || name == "AWS_DEFAULT_REGION";
      const bool key = name == "AWS_ACCESS_KEY_ID" || name == "AWS_SECRET_ACCESS_KEY" || name == "AWS_SESSION_TOKEN";
      if (region || (key && !has_keys)) environment.try_emplace(name, value);
    }
    return environment;
  }

  // An inherited KUBECONFIG with an explicit context: taken when the context says which of its clusters is meant.
  void check_kubeconfig() {
    const KubernetesSettings& kubernetes = settings().kubernetes;
    const bool inherited = environment_.contains("KUBECONFIG") && kubernetes.kubeconfig.empty();
    if (kubernetes.provider == Backing::sandbox || !inherited || !explicit_) return;
    if (!kubernetes.context.empty() || !kubernetes.cluster_id.empty()) return;
    result_.kubeconfig_refusal = fmt::format(
        "context {} was named explicitly and does not say which cluster it means: KUBECONFIG is not used for it",
        settings().context);
  }

  // What .env may set, and nothing else does: the default might be somebody else's domain.
  void check_dotenv() {
    const bool real = settings().kubernetes.provider == Backing::real ||
                      settings().database.provider == Backing::real || settings().dns.provider == Backing::real;
    if (result_.dotenv_unread.empty() || explicit_ || !real) return;
    for (const char* key : {"dns.domain", "images.backend", "images.frontend"})
      if (origin_of(key) == "default") result_.dotenv_may_have.emplace_back(key);
  }

  static constexpr std::string_view implied_name = "default";
  static constexpr std::array aws_endpoints{"AWS_ENDPOINT_URL_ROUTE_53", "AWS_ENDPOINT_URL"};  // the first one counts

  const GlobalOptions& global_;
  Environment environment_, dotenv_;
  std::vector<std::string> beaten_;  // variables of .env that the context says otherwise
  std::filesystem::path folder_;
  bool terminal_, optional_;
  system::Patience patience_;
  ConfigFile config_;
  const ConfigContext* context_ = nullptr;
  bool explicit_ = false, named_by_flag_ = false, built_in_ = false;
  Resolved result_;
};

}  // namespace

bool has_settings(const Environment& environment) {
  for (const SettingKey& key : setting_keys()) {
    if (!key.variable.empty() && !variable(environment, std::string(key.variable)).empty()) return true;
    for (const std::string_view name : key.inherited) {
      if (!variable(environment, std::string(name)).empty()) return true;
    }
  }
  return has_any(without_empty(environment),
                 {"KUBECONFIG", "KUBERNETES_SERVICE_HOST", "MONGODB_ATLAS_API_KEY", "BACKEND_IMAGE_REPO",
                  "BACKEND_IMAGE_TAG", "FRONTEND_IMAGE_REPO", "FRONTEND_IMAGE_TAG"});
}

Resolved resolve_settings(const GlobalOptions& global, const Environment& environment,
                          const std::filesystem::path& folder, bool terminal, const system::Patience& patience,
                          SettingsAre settings) {
  return Resolver(global, environment, folder, terminal, patience, settings).resolve();
}

}  // namespace litedesk::cli
