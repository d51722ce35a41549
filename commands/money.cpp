#include <fmt/format.h>

#include "commands/cost.hpp"

namespace litedesk {
namespace {

std::string dollars(std::int64_t cents) {
  const auto size = cents < 0 ? -cents : cents;
  auto digits = std::to_string(size / 100);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  if (size % 100 != 0) digits += fmt::format(".{:02}", size % 100);
  return (cents < 0 ? "-$" : "$") + digits;
}

// The digits of a whole number, without the commas that part its thousands; empty when they stand wrong.
std::string whole_digits(std::string_view text) {
  std::string digits;
  const bool parted = text.find(',') != std::string_view::npos;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t left = text.size() - i;  // of "2,400" the comma has four left
    const bool comma = parted && i > 0 && left % 4 == 0;
    if (comma ? text[i] != ',' : text[i] < '0' || text[i] > '9') return {};
    if (!comma) digits += text[i];
  }
  return digits;
}

}  // namespace

std::optional<std::int64_t> parse_dollars(std::string_view text) {
  constexpr std::size_t most_digits = 12;
  if (text.starts_with('$')) text.remove_prefix(1);
  const auto point = text.find('.');
  const std::string_view cents = point == std::string_view::npos ? "00" : text.substr(point + 1);
  const std::string dollars = whole_digits(text.substr(0, point));
  const bool two = cents.size() == 2 && cents.find_first_not_of("0123456789") == std::string_view::npos;
  if (dollars.empty() || dollars.size() > most_digits || !two) return std::nullopt;
  return std::stoll(dollars) * 100 + std::stoll(std::string(cents));
}

Money operator+(Money a, Money b) {
  return {a.low + b.low, a.high + b.high};
}

Money operator*(std::int64_t count, Money a) {
  return {count * a.low, count * a.high};
}

std::string to_text(Money money) {
  if (money.low == money.high) return dollars(money.low);
  return dollars(money.low) + " to " + dollars(money.high);
}

}  // namespace litedesk
