#include "commands/app_profile.hpp"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "commands/nearest.hpp"
#include "commands/quantity.hpp"
#include "commands/schema_check.hpp"
#include "providers/error.hpp"
#include "providers/read_json.hpp"

namespace litedesk {
namespace {

using templates::Node;

constexpr std::string_view folder = "app/", extension = ".yaml";

bool is_word(std::string_view text, bool dashes) {
  const auto fits = [dashes](char c) {
    const bool digit = c >= '0' && c <= '9';
    return dashes ? digit || (c >= 'a' && c <= 'z') || c == '-'
                  : digit || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits) && text.front() != '-' && text.back() != '-' &&
         (dashes || text.front() < '0' || text.front() > '9');
}

// Reads a tree that the schema has found sound, and checks what no schema can say.
class Reader {
 public:
  Reader(const Node& tree, AppProfile& profile) : tree_(tree), profile_(profile) {}

  void read() {
    profile_.title = text(tree_, "title");
    read_database();
    read_body_size();
    for (const auto& node : list(tree_, "secrets")) read_secret(node);
    for (const auto& node : list(tree_, "components")) read_component(node);
    for (const auto& node : list(tree_, "routes")) read_route(node);
    for (const auto& node : list(tree_, "blocked")) profile_.blocked.push_back(path(node));
    words("tiers", profile_.tiers);
    words("modules", profile_.modules);
    profile_.other_tiers = text(tree_, "otherTiers");
    if (const auto* check = tree_.find("check")) read_check(*check);
    check_references();
  }

 private:
  [[noreturn]] void fail(const Node& at, const std::string& what) const {
    templates::fail_at(profile_.origin, at.at, what);
  }
  static std::string text(const Node& map, std::string_view key) {
    const auto* node = map.find(key);
    return node == nullptr ? std::string() : node->text;
  }
  static std::int64_t number(const Node& map, std::string_view key, std::int64_t otherwise = 0) {
    const auto* node = map.find(key);
    return node == nullptr ? otherwise : whole_number(templates::to_json(*node)).value_or(otherwise);
  }
  static bool flag(const Node& map, std::string_view key) {
    const auto* node = map.find(key);
    return node != nullptr && node->text == "true";
  }
  static const std::vector<Node>& list(const Node& map, std::string_view key) {
    static const std::vector<Node> none;
    const auto* node = map.find(key);
    return node == nullptr ? none : node->items;
  }
  static std::vector<std::string> texts(const Node& map, std::string_view key) {
    std::vector<std::string> found;
    for (const auto& item : list(map, key)) found.push_back(item.text);
    return found;
  }

  [[nodiscard]] std::string name(const Node& map, std::string_view key) const {
    const auto& node = *map.find(key);
    if (!is_word(node.text, true))
      fail(node, "\"" + node.text + "\" is not a name: a to z, 0 to 9 and '-' between them");
    return node.text;
  }
  [[nodiscard]] std::string variable(const Node& map) const {
    const auto& node = *map.find("name");
    if (!is_word(node.text, false))
      fail(node, "\"" + node.text + "\" is not a variable's name: letters, digits and _, and no digit first");
    return node.text;
  }
  // What nginx, Kubernetes and a regular expression all read in the same way.
  [[nodiscard]] std::string path(const Node& node) const {
    const bool plain = std::all_of(node.text.begin(), node.text.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '-' ||
             c == '_' || c == '.';
    });
    if (!node.text.starts_with('/') || !plain || node.text.find("..") != std::string::npos ||
        node.text.find("//") != std::string::npos)
      fail(node, "\"" + node.text + "\" is not a path: it begins with / and has letters, digits, '-', '_' and '.'");
    return node.text;
  }
  [[nodiscard]] std::string quantity(const Node& map, std::string_view key) const {
    const auto& node = *map.find(key);
    const auto parsed = parse_quantity(node.text);
    if (!parsed || parsed->thousandths == 0) fail(node, "the " + std::string(key) + " " + node.text + " is not a size");
    return to_string(*parsed);
  }

  void words(std::string_view key, std::map<std::string, std::string, std::less<>>& into) const {
    if (const auto* node = tree_.find(key))
      for (const auto& entry : node->entries) into[entry.key] = entry.value.text;
  }

  void read_database() {
    const auto& node = *tree_.find("database");
    try {
      profile_.database = parse_database_rule(node.text);
    } catch (const UsageError& error) {
      fail(node, error.message());
    }
  }

  // As nginx writes it, within what an ingress can be asked to take into memory and onto its disk.
  void read_body_size() {
    const auto* node = tree_.find("bodySize");
    if (node == nullptr) return;
    const auto& size = node->text;
    constexpr long most_mega = 1024;
    const auto digits = size.find_first_not_of("0123456789");
    const bool formed = digits == size.size() - 1 && digits > 0 && digits <= 7 &&
                        (size.back() == 'k' || size.back() == 'm' || size.back() == 'g');
    if (!formed) fail(*node, "bodySize " + size + " is not a size: write 512k, 12m or 1g");
    const long count = std::stol(size.substr(0, digits));
    const long mega = size.back() == 'g' ? count * 1024 : size.back() == 'm' ? count : count / 1024;
    // In nginx 0 means that there is no limit.
    if (count == 0 || mega > most_mega) fail(*node, "bodySize " + size + " is not from 1k to 1g");
    profile_.body_size = size;
  }

  void read_secret(const Node& node) {
    ProfileSecret secret{name(node, "key"), static_cast<int>(number(node, "bytes")), text(node, "takesOver")};
    if (find_secret(secret.key) != nullptr) fail(node, "the secret " + secret.key + " is defined twice");
    if (!secret.takes_over.empty() && find_secret(secret.takes_over) == nullptr)
      fail(*node.find("takesOver"), "no secret " + secret.takes_over + " is defined before it");
    profile_.secrets.push_back(std::move(secret));
  }
  [[nodiscard]] const ProfileSecret* find_secret(std::string_view key) const {
    const auto found = std::find_if(profile_.secrets.begin(), profile_.secrets.end(),
                                    [key](const ProfileSecret& each) { return each.key == key; });
    return found == profile_.secrets.end() ? nullptr : &*found;
  }

  void read_component(const Node& node) {
    ProfileComponent component;
    component.name = name(node, "name");
    if (profile_.find(component.name) != nullptr)
      fail(*node.find("name"), "the component " + component.name + " is defined twice");
    component.image = text(node, "image");
    component.port = static_cast<int>(number(node, "port"));
    component.user = number(node, "user");
    component.group = number(node, "group", component.user);
    component.read_only_root = flag(node, "readOnlyRoot");
    component.runtime_class = text(node, "runtimeClass");
    component.command = texts(node, "command");
    component.args = texts(node, "args");
    for (const auto& each : list(node, "sysctls"))
      component.sysctls.push_back({text(each, "name"), text(each, "value")});
    read_folders(node, component);
    if (const auto* startup = node.find("startup"))
      component.startup_seconds = static_cast<int>(number(*startup, "seconds"));
    if (const auto* readiness = node.find("readiness")) component.readiness_path = path(*readiness->find("path"));
    if (component.port == 0 && (node.find("startup") != nullptr || node.find("readiness") != nullptr))
      fail(node, "the component " + component.name + " has probes and no port");
    component.reaches = texts(node, "reaches");
    read_environment(node, component);
    for (const auto& each : list(node, "egress")) read_egress(each, component);
    read_resources(node, component);
    profile_.components.push_back(std::move(component));
  }

  void read_folders(const Node& node, ProfileComponent& component) const {
    std::set<std::string> paths;
    const auto mounted = [&](const Node& each) {
      const auto& at = *each.find("path");
      if (!paths.insert(path(at)).second) fail(at, "the folder " + at.text + " is mounted twice");
      return at.text;
    };
    for (const auto& each : list(node, "writable"))
      component.writable.push_back({mounted(each), quantity(each, "size")});
    std::set<std::string> names;
    for (const auto& each : list(node, "volumes")) {
      ProfileVolume volume{name(each, "name"), mounted(each), quantity(each, "size"), text(each, "accessMode"),
                           text(each, "storageClass")};
      if (!names.insert(volume.name).second) fail(each, "the volume " + volume.name + " is defined twice");
      component.volumes.push_back(std::move(volume));
    }
  }

  void read_environment(const Node& node, ProfileComponent& component) const {
    std::set<std::string> names;
    const auto once = [&](const Node& each) {
      auto found = variable(each);
      if (!names.insert(found).second) fail(each, "the variable " + found + " is defined twice");
      return found;
    };
    for (const auto& each : list(node, "environment")) {
      ProfileVariable wanted{once(each), std::nullopt, text(each, "secret"), each.find("from") != nullptr};
      if (const auto* value = each.find("value")) wanted.value = *value;
      if (wanted.value.has_value() + !wanted.secret.empty() + wanted.connection_string != 1)
        fail(each, "the variable " + wanted.name + " needs one of value, secret and from");
      if (!wanted.secret.empty() && find_secret(wanted.secret) == nullptr)
        fail(*each.find("secret"), "no secret " + wanted.secret + " is defined");
      component.environment.push_back(std::move(wanted));
    }
    for (const auto& each : list(node, "optional")) component.optional.push_back({once(each), flag(each, "secret")});
    if (const auto* each = node.find("singleton"))
      component.singleton = Singleton{once(*each), text(*each, "on"), text(*each, "off")};
  }

  void read_egress(const Node& node, ProfileComponent& component) const {
    ProfileEgress egress{static_cast<int>(number(node, "port")), static_cast<int>(number(node, "endPort")),
                         text(node, "when")};
    if (egress.end_port != 0 && egress.end_port < egress.port) fail(*node.find("endPort"), "endPort is below port");
    const auto& optional = component.optional;
    if (!egress.when.empty() && std::none_of(optional.begin(), optional.end(), [&egress](const OptionalVariable& each) {
          return each.name == egress.when;
        }))
      fail(*node.find("when"), egress.when + " is not an optional variable of " + component.name);
    component.egress.push_back(std::move(egress));
  }

  void read_resources(const Node& node, ProfileComponent& component) const {
    component.replicas = static_cast<int>(number(node, "replicas", 1));
    component.resources = {"100m", "128Mi", "500m", "512Mi"};
    if (const auto* requests = node.find("requests")) {
      component.resources.cpu_request = quantity(*requests, "cpu");
      component.resources.memory_request = quantity(*requests, "memory");
    }
    if (const auto* limits = node.find("limits")) {
      component.resources.cpu_limit = quantity(*limits, "cpu");
      component.resources.memory_limit = quantity(*limits, "memory");
    }
  }

  void read_route(const Node& node) {
    ProfileRoute route{path(*node.find("path")), text(node, "component")};
    if (std::any_of(profile_.routes.begin(), profile_.routes.end(),
                    [&route](const ProfileRoute& each) { return each.path == route.path; }))
      fail(node, "the path " + route.path + " is routed twice");
    const auto* component = profile_.find(route.component);
    if (component == nullptr) fail(*node.find("component"), "no component " + route.component + " is defined");
    if (component->port == 0) fail(*node.find("component"), "the component " + route.component + " has no port");
    profile_.routes.push_back(std::move(route));
  }

  void read_check(const Node& node) {
    ApplicationCheck check;
    check.path = path(*node.find("path"));
    if (const auto* body = node.find("body")) check.body = *body;
    for (const auto& each : list(node, "serves")) check.serves.push_back(std::stoi(each.text));
    for (const auto& each : list(node, "faults"))
      check.faults.push_back({static_cast<int>(number(each, "status")), text(each, "contentType"), text(each, "look")});
    profile_.check = std::move(check);
  }

  // What names something that may stand further down.
  void check_references() const {
    std::size_t index = 0;
    for (const auto& node : list(tree_, "components")) {
      const auto& component = profile_.components[index++];
      for (const auto& each : list(node, "reaches")) {
        const auto* other = profile_.find(each.text);
        if (other == nullptr) fail(each, "no component " + each.text + " is defined");
        if (other->port == 0) fail(each, "the component " + each.text + " has no port");
        if (other->name == component.name) fail(each, component.name + " reaches itself");
      }
    }
  }

  const Node& tree_;
  AppProfile& profile_;
};

const Json& schema() {
  static const Json parsed = parse_json(templates::Files().get("app/schema.json").text);
  return parsed;
}

}  // namespace

DatabaseRule parse_database_rule(std::string_view text) {
  const auto space = text.find(' ');
  const auto kind = text.substr(0, space);
  const auto name = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
  if (name.empty() && kind == "uri") return {DatabaseRule::Kind::uri, ""};
  if (name.empty() && kind == "fragment") return {DatabaseRule::Kind::fragment, ""};
  if (is_word(name, false)) {
    if (kind == "variable") return {DatabaseRule::Kind::variable, std::string(name)};
    if (kind == "fixed" && name.size() <= 38) return {DatabaseRule::Kind::fixed, std::string(name)};
  }
  throw UsageError({.message = "\"" + std::string(text) + "\" is not a rule for the database's name",
                    .hint = "write uri, fragment, variable NAME or fixed NAME",
                    .resource = {},
                    .cause = {}});
}

std::string to_string(const DatabaseRule& rule) {
  switch (rule.kind) {
    case DatabaseRule::Kind::uri:
      return "uri";
    case DatabaseRule::Kind::fragment:
      return "fragment";
    case DatabaseRule::Kind::variable:
      return "variable " + rule.name;
    case DatabaseRule::Kind::fixed:
      return "fixed " + rule.name;
  }
  return {};
}

const ProfileComponent* AppProfile::find(std::string_view component) const {
  const auto found = std::find_if(components.begin(), components.end(),
                                  [component](const ProfileComponent& each) { return each.name == component; });
  return found == components.end() ? nullptr : &*found;
}

const OptionalVariable* AppProfile::find_optional(std::string_view variable) const {
  for (const auto& component : components)
    for (const auto& each : component.optional)
      if (each.name == variable) return &each;
  return nullptr;
}

std::string AppProfile::tier_word(const std::string& tier) const {
  if (const auto found = tiers.find(tier); found != tiers.end()) return found->second;
  return other_tiers.empty() ? tier : other_tiers;
}

AppProfile load_profile(const templates::Files& files, std::string_view name) {
  const auto names = profile_names(files);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    auto hint = did_you_mean(nearest(name, names));
    if (hint.empty()) {
      hint = "app.profile is one of ";
      for (const auto& each : names) hint += (each == names.front() ? "" : ", ") + each;
    }
    throw NotFound({.message = "application profile " + std::string(name) + " not found",
                    .hint = std::move(hint),
                    .resource = "profile " + std::string(name),
                    .cause = {}});
  }
  const auto file = files.parsed(std::string(folder) + std::string(name) + std::string(extension));
  static const Node nothing;
  const Node& tree = file->documents.empty() ? nothing : file->documents.front();
  if (file->documents.size() > 1) templates::fail_at(file->origin, file->documents[1].at, "a profile is one document");
  check_schema(tree, file->origin, schema());
  AppProfile profile;
  profile.name = name;
  profile.origin = file->origin;
  Reader(tree, profile).read();
  return profile;
}

std::vector<std::string> profile_names(const templates::Files& files) {
  std::vector<std::string> names;
  for (const auto& file : files.list(folder))
    if (file.ends_with(extension))
      names.push_back(file.substr(folder.size(), file.size() - folder.size() - extension.size()));
  return names;
}

}  // namespace litedesk
