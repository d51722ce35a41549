// What to say to a mistyped word.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "commands/nearest.hpp"

namespace litedesk::cli {

// `did you mean "trial"?`, or "one of: a, b, c" when nothing is near; empty without candidates.
[[nodiscard]] std::string suggestion(std::string_view word, std::span<const std::string> candidates);

}  // namespace litedesk::cli
