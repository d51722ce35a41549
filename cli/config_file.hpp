// The file with the named contexts: read with every key checked, written whole or not at all.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "providers/system/files.hpp"

namespace litedesk::cli {

// A setting's value in a context's part of the file, as text: lists are joined by commas, maps are k=v joined by
// commas.
struct ConfigValue {
  std::string text;
  int line = 0;
};
using ConfigContext = std::map<std::string, ConfigValue>;  // "dns.zone" -> Z0123

struct ConfigFile {
  std::filesystem::path path;
  bool exists = false;
  std::string current;  // may be empty
  std::map<std::string, ConfigContext> contexts;

  // "/home/.../config.yaml:12"
  [[nodiscard]] std::string where(const ConfigValue& value) const;
};

// A file that is not there is one without contexts, unless `must_exist` (UsageError). Throws ValidationError with file
// and line: a key that is not known (with the nearest one), a value of the wrong shape.
[[nodiscard]] ConfigFile read_config(const std::filesystem::path& path, bool must_exist,
                                     const system::Patience& patience = {});
// 0600. Comments of the old text are lost: it is kept beside it as config.yaml.bak when there were some. Returns
// whether so.
bool write_config(const ConfigFile& config);
// The name alone, without checking the file: completion is quick. Empty when there is none or the file cannot be read.
[[nodiscard]] std::string peek_current_context(const std::filesystem::path& path);

// Letters, digits, '.', '_', '-'; not "sandbox", which is built in. Throws UsageError.
void check_context_name(std::string_view name);

}  // namespace litedesk::cli
