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

}  // namespace

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
