// kubectl's JSONPath templates, the part that scripts use (kubernetes.io/docs/reference/kubectl/jsonpath):
//   text outside braces · {.a.b[0]} · {['k.with.dots']} · {[*]} {.*} · {[-1]} {[1:3]} · {"\n"} · {@} {$}
//   {range .items[*]}...{end}
// Filters ?( ), recursive descent .. and unions are refused, not guessed. What is absent prints nothing.
#pragma once

#include <string>
#include <string_view>

#include "providers/json.hpp"

namespace litedesk::cli {

// Several values are joined by a space; strings are printed as they are, everything else as JSON. A template without
// braces (".a.b") is taken as one expression. Throws UsageError that says what is wrong and where.
[[nodiscard]] std::string evaluate_jsonpath(std::string_view text, const Json& value);

}  // namespace litedesk::cli
