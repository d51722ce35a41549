// What an unquoted word is. YAML 1.1 (PyYAML, Ruby, older Go) and the core schema of YAML 1.2 disagree about many; the
// ones that they disagree about are neither read nor written here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "providers/json.hpp"

namespace litedesk::templates {

// The value of an unquoted scalar, or nothing when it must be quoted (or written as JSON has it) to be understood by
// everybody: yes, no, on, off, 0777, 1_000, 1:30, 1.10, 1e3, 2026-12-08, .inf, <<.
[[nodiscard]] std::optional<Json> resolve_plain(std::string_view text);
// Why resolve_plain gives nothing: "yes is a boolean in YAML 1.1 and a string in YAML 1.2".
[[nodiscard]] std::string why_ambiguous(std::string_view text);
// Whether any reader may take the unquoted word for something other than a string.
[[nodiscard]] bool may_be_no_string(std::string_view text);
// A number as JSON has it, with a point and a signed exponent where both YAML versions want them.
[[nodiscard]] std::string number_text(const Json& number);

}  // namespace litedesk::templates
