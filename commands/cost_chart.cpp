#include <algorithm>

#include "commands/cost.hpp"

namespace litedesk {
namespace {

constexpr std::size_t shortest_bar = 10;

std::string repeated(std::string_view piece, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += piece;
  return out;
}

}  // namespace

std::string chart(const std::vector<CostEstimate>& estimates, ChartOptions options) {
  std::size_t name_width = 0, text_width = 0;
  std::int64_t most = 0;
  for (const auto& estimate : estimates) {
    name_width = std::max(name_width, estimate.model.size());
    text_width = std::max(text_width, to_text(estimate.total).size());
    most = std::max(most, estimate.total.high);
  }
  const auto taken = name_width + text_width + 4;  // two gaps of two blanks
  const auto room = options.width > taken + shortest_bar ? options.width - taken : shortest_bar;
  const auto length = [&](std::int64_t cents) {
    if (most <= 0 || cents <= 0) return std::size_t{0};
    const auto cells = static_cast<double>(cents) / static_cast<double>(most) * static_cast<double>(room);
    return std::clamp<std::size_t>(static_cast<std::size_t>(cells + 0.5), 1, room);
  };
  std::string out;
  for (const auto& estimate : estimates) {
    const auto low = length(estimate.total.low), high = length(estimate.total.high);
    out += estimate.model + std::string(name_width - estimate.model.size() + 2, ' ');
    out += repeated(options.utf8 ? "█" : "#", low) + repeated(options.utf8 ? "░" : "-", high - low);
    out += std::string(high > 0 ? 2 : 0, ' ') + to_text(estimate.total) + '\n';
  }
  return out;
}

}  // namespace litedesk
