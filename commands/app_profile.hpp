// Application profiles as data: what the images of one generation of LiteDesk need. templates/app/NAME.yaml, or a
// replacement of it; docs/application.md says what each key means.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/tiers.hpp"
#include "providers/json.hpp"
#include "templates/files.hpp"
#include "templates/yaml_tree.hpp"

namespace litedesk {

// Which database the server opens, and so what its connection string and environment must say.
struct DatabaseRule {
  enum class Kind {
    uri,       // the one that the connection string names
    fragment,  // its own, unless the connection string ends in a fragment and has no query
    variable,  // the one that a variable names
    fixed,     // always the same
  };
  Kind kind = Kind::uri;
  std::string name;  // of the variable, or of the fixed database
};
// "uri", "fragment", "variable MASTER_DB_NAME", "fixed litedesk_master". Throws UsageError.
[[nodiscard]] DatabaseRule parse_database_rule(std::string_view text);
[[nodiscard]] std::string to_string(const DatabaseRule& rule);

struct ProfileVariable {  // exactly one of the three
  std::string name;
  std::optional<templates::Node> value;  // text with the variables of templates
  std::string secret;                    // a key of the Secret `app`
  bool connection_string = false;
};
struct OptionalVariable {
  std::string name;
  bool secret = false;
};
struct Singleton {  // a variable that is on in one pod only
  std::string name, on, off;
};
struct ProfileEgress {
  int port = 0, end_port = 0;  // end_port 0: one port
  std::string when;            // an optional variable; empty: always
};
struct WritableFolder {
  std::string path, size;
};
struct ProfileVolume {
  std::string name, path, size;
  std::string access_mode;  // empty: ReadWriteOnce for one replica, ReadWriteMany for several
  std::string storage_class;
};
struct Sysctl {
  std::string name, value;
};

struct ProfileComponent {
  std::string name, image;
  int port = 0;  // 0: it listens nowhere
  std::int64_t user = 0, group = 0;
  bool read_only_root = false;
  std::string runtime_class;
  std::vector<std::string> command, args;
  std::vector<Sysctl> sysctls;
  std::vector<WritableFolder> writable;
  std::vector<ProfileVolume> volumes;
  int startup_seconds = 0;     // 0: no probe
  std::string readiness_path;  // empty: a TCP probe
  std::vector<std::string> reaches;
  std::vector<ProfileEgress> egress;
  std::vector<ProfileVariable> environment;
  std::vector<OptionalVariable> optional;
  std::optional<Singleton> singleton;
  ContainerResources resources;  // where the tier has none for it
  int replicas = 1;
};

struct ProfileSecret {
  std::string key;
  int bytes = 0;
  std::string takes_over;  // the key whose value an instance used before it had this one; may be empty
};
struct ProfileRoute {
  std::string path, component;
};
struct CheckFault {
  int status = 0;
  std::string content_type;  // empty: any
  std::string look;          // origins | database
};
// How to see from outside that the application serves: POST of a JSON body.
struct ApplicationCheck {
  std::string path;
  std::optional<templates::Node> body;
  std::vector<int> serves;
  std::vector<CheckFault> faults;
};

struct AppProfile {
  std::string name, title;
  std::string origin;  // of the file, for messages
  DatabaseRule database;
  std::string body_size;  // as nginx writes it: "12m"; empty: the ingress's own
  std::vector<ProfileRoute> routes;
  std::vector<std::string> blocked;
  std::map<std::string, std::string, std::less<>> tiers, modules;  // the application's words
  std::string other_tiers;
  std::vector<ProfileSecret> secrets;
  std::optional<ApplicationCheck> check;
  std::vector<ProfileComponent> components;

  [[nodiscard]] const ProfileComponent* find(std::string_view component) const;
  // Every variable that some component takes from the context, by name; nullptr when there is none.
  [[nodiscard]] const OptionalVariable* find_optional(std::string_view variable) const;
  // The application's word for one of our tiers; ours where it has none.
  [[nodiscard]] std::string tier_word(const std::string& tier) const;
};

// Throws NotFound (with the names that there are, and the nearest) and ValidationError with file, line and column.
[[nodiscard]] AppProfile load_profile(const templates::Files& files, std::string_view name);
// The names of all profiles, sorted.
[[nodiscard]] std::vector<std::string> profile_names(const templates::Files& files);

}  // namespace litedesk
