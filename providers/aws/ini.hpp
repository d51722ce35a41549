// The shared AWS config and credentials files: sections of "key = value" lines with one level of nesting.
// Rules: AWS SDKs and Tools Reference Guide, "Format of the shared config and credentials files"; and what the AWS CLI
// takes beyond them, which is what Python's configparser does: "key: value", text behind a [section].
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace litedesk::aws {

// Values are wiped when the section goes: some of them are keys.
struct IniSection {
  std::map<std::string, std::string> values;                         // keys in lower case
  std::map<std::string, std::map<std::string, std::string>> nested;  // "route_53" -> "endpoint_url" -> ...

  IniSection() = default;
  IniSection(const IniSection&) = default;
  IniSection(IniSection&&) = default;
  IniSection& operator=(const IniSection&) = default;
  IniSection& operator=(IniSection&&) = default;
  ~IniSection();

  // Nothing when it is absent or empty.
  [[nodiscard]] std::optional<std::string> get(std::string_view key) const;
};

// By section header with its quotes taken off and blanks joined: "default", "profile dev", "services local".
using Ini = std::map<std::string, IniSection>;

// Throws AuthError with file and line for what is neither comment, section, key nor continuation.
[[nodiscard]] Ini parse_ini(std::string_view text, const std::filesystem::path& file);
// An empty Ini when there is no such file.
[[nodiscard]] Ini read_ini(const std::filesystem::path& file);

}  // namespace litedesk::aws
