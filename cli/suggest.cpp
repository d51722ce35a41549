#include "cli/suggest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace litedesk::cli {

std::string suggestion(std::string_view word, std::span<const std::string> candidates) {
  if (candidates.empty()) return {};
  if (const auto found = nearest(word, candidates)) return did_you_mean(found);
  return fmt::format("one of: {}", fmt::join(candidates, ", "));
}

}  // namespace litedesk::cli
