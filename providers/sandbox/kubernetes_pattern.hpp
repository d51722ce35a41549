// Regular expressions as the API server takes them: RE2's syntax, matched in a time that is linear in the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace litedesk::sandbox::kube {

// Whether `pattern` matches some part of `text`. Absent: it is no regular expression.
[[nodiscard]] std::optional<bool> contains_match(std::string_view text, std::string_view pattern);
// What is wrong with it; empty when nothing is.
[[nodiscard]] std::string pattern_error(std::string_view pattern);

}  // namespace litedesk::sandbox::kube
