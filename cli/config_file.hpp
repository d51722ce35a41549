// The file with the named contexts: read with every key checked, written whole or not at all.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "providers/system/clock.hpp"
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

// How long to wait while another process changes the file.
struct ConfigWait {
  const system::Clock& clock;
  std::stop_token stop{};
  std::chrono::milliseconds longest{30'000};
  std::function<void(const std::string&)> tell{};  // whom one waits for, once that is worth telling
};
// Reads the file, changes it and writes it, with no other litedesk between. A link is followed; what is no regular file
// is taken for an empty one. Throws what `change` throws, and leaves the file as it was; Locked with the other
// process's name when it does not end in time; Cancelled when stopped. Returns what write_config does.
bool change_config(const std::filesystem::path& path, const ConfigWait& wait,
                   const std::function<void(ConfigFile&)>& change);

// The name alone, without checking the file: completion is quick. Empty when there is none or the file cannot be read.
[[nodiscard]] std::string peek_current_context(const std::filesystem::path& path);

// Letters, digits, '.', '_', '-'; not "sandbox", which is built in. Throws UsageError.
void check_context_name(std::string_view name);

}  // namespace litedesk::cli
