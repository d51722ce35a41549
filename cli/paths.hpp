// Where litedesk keeps its files: the XDG base directories, or one folder for all of it.
// Rules: specifications.freedesktop.org/basedir-spec (a relative path in a variable is ignored).
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace litedesk::cli {

using Environment = std::map<std::string, std::string>;

// The variable's value; empty when it is not set. An empty variable counts as unset.
[[nodiscard]] std::string variable(const Environment& environment, const std::string& name);

struct Paths {
  std::filesystem::path config;  // the file; need not exist
  bool config_named = false;     // by --config or LITEDESK_CONFIG: then it must exist to be read
  std::filesystem::path state;   // the folder: registry.db, sandbox/, snapshots/, ...
  std::string home;
};
// Relative paths are taken from `folder`, where the command was started. Throws UsageError when there is no home
// folder.
[[nodiscard]] Paths find_paths(const Environment& environment, const std::string& config_flag,
                               const std::filesystem::path& folder);

}  // namespace litedesk::cli
