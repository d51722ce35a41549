#include "cli/paths.hpp"

#include <pwd.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/system/files.hpp"

namespace litedesk::cli {
namespace {

std::string home_folder(const Environment& environment) {
  if (const std::string home = variable(environment, "HOME"); !home.empty()) return home;
  const passwd* entry = ::getpwuid(::geteuid());
  return entry && entry->pw_dir ? entry->pw_dir : "";
}

std::filesystem::path xdg(const Environment& environment, const std::string& name, const std::string& home,
                          const char* below_home) {
  const std::filesystem::path folder = variable(environment, name);
  if (folder.is_absolute()) return folder / "litedesk";
  if (home.empty()) {
    throw UsageError({.message = "no home folder found to keep settings in",
                      .hint = "set HOME, or LITEDESK_HOME to a folder for all of litedesk's files",
                      .resource = {},
                      .cause = {}});
  }
  return std::filesystem::path(home) / below_home / "litedesk";
}

}  // namespace

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string{} : found->second;
}

Paths find_paths(const Environment& environment, const std::string& config_flag, const std::filesystem::path& folder) {
  Paths paths;
  paths.home = home_folder(environment);
  const std::string own = variable(environment, "LITEDESK_HOME");
  const std::filesystem::path own_folder = folder / system::expand_home(own, paths.home);
  paths.state = own.empty() ? xdg(environment, "XDG_STATE_HOME", paths.home, ".local/state") : own_folder;
  const std::string named = config_flag.empty() ? variable(environment, "LITEDESK_CONFIG") : config_flag;
  paths.config_named = !named.empty();
  if (paths.config_named) {
    paths.config = folder / system::expand_home(named, paths.home);
  } else {
    paths.config =
        (own.empty() ? xdg(environment, "XDG_CONFIG_HOME", paths.home, ".config") : own_folder) / "config.yaml";
  }
  return paths;
}

}  // namespace litedesk::cli
