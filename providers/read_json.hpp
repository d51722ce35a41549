// JSON from outside: answers of servers, files, what plugins print. Everything that parses JSON does it here (a test
// checks): values are copied, compared, masked and printed by functions that call themselves, and so are bounded first.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "providers/json.hpp"

namespace litedesk {

// How deeply lists and maps may lie in each other, in JSON and in YAML. Kubernetes' own objects reach about 40, the
// schemas of its custom resources about 100. Other readers stop at 100 (protobuf), 128 (serde_json) or 10,000 (Go).
inline constexpr std::size_t max_depth = 200;

// The value; a discarded one (Json::is_discarded) when the text is not JSON, or is nested deeper than max_depth.
[[nodiscard]] Json parse_json(std::string_view text);
// Whether brackets outside of quotes nest deeper than max_depth: to say why parse_json refused.
[[nodiscard]] bool nested_too_deeply(std::string_view text);
// The levels of a value: 0 for a scalar, 1 for a list of scalars. Does not call itself.
[[nodiscard]] std::size_t depth_of(const Json& value);

// A whole number as it is written (no 1.0), or nothing: of another type, or past 64 bits with a sign.
[[nodiscard]] std::optional<std::int64_t> whole_number(const Json& value);
// The same, where it fits into the type: a narrower one never gets another number than the one that was written.
template <std::integral Number>
[[nodiscard]] std::optional<Number> whole_number(const Json& value) {
  const auto number = whole_number(value);
  if (!number || !std::in_range<Number>(*number)) return std::nullopt;
  return static_cast<Number>(*number);
}

}  // namespace litedesk
