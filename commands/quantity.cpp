#include "commands/quantity.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace litedesk {
namespace {

__extension__ using Wide = __int128;

struct Unit {
  std::string_view suffix;
  Wide thousandths;
  bool binary;
};
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t thousand = 1000;
constexpr Wide decimal(int power) {
  return power == 0 ? thousand : thousand * decimal(power - 1);
}
constexpr Wide binary(int power) {
  return power == 0 ? thousand : 1024 * binary(power - 1);
}
// The largest first.
constexpr std::array<Unit, 14> units{{{"Ei", binary(6), true},
                                      {"Pi", binary(5), true},
                                      {"Ti", binary(4), true},
                                      {"Gi", binary(3), true},
                                      {"Mi", binary(2), true},
                                      {"Ki", binary(1), true},
                                      {"E", decimal(6), false},
                                      {"P", decimal(5), false},
                                      {"T", decimal(4), false},
                                      {"G", decimal(3), false},
                                      {"M", decimal(2), false},
                                      {"k", decimal(1), false},
                                      {"m", 1, false},
                                      {"", thousand, false}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::int64_t at_most_largest(Wide number) {
  return number > largest ? largest : static_cast<std::int64_t>(number);
}

// Digits as a number; what is past 10^19, which is more than the largest, is that.
Wide digits_of(std::string_view digits) {
  constexpr Wide most = Wide{10'000'000'000} * 1'000'000'000;
  Wide number = 0;
  for (const char c : digits) number = number >= most ? most : number * 10 + (c - '0');
  return number > most ? most : number;
}

}  // namespace

std::optional<Quantity> parse_quantity(std::string_view text) {
  const auto& unit = *std::find_if(units.begin(), units.end(),
                                   [text](const Unit& candidate) { return text.ends_with(candidate.suffix); });
  text.remove_suffix(unit.suffix.size());
  const auto point = std::min(text.find('.'), text.size());
  const auto whole = text.substr(0, point);
  const auto part = text.substr(std::min(point + 1, text.size()));
  if (whole.empty() && part.empty()) return std::nullopt;
  if (!std::all_of(whole.begin(), whole.end(), is_digit) || !std::all_of(part.begin(), part.end(), is_digit))
    return std::nullopt;

  // A thousandth of the largest unit is in the 18th digit; what is behind it only rounds up.
  constexpr std::size_t kept = 15;
  Wide scale = 1;
  for (std::size_t i = 0; i < std::min(part.size(), kept); ++i) scale *= 10;
  auto fraction = digits_of(part.substr(0, kept)) * unit.thousandths;
  if (part.size() > kept && part.find_first_not_of('0', kept) != std::string_view::npos) ++fraction;
  const auto count = digits_of(whole);
  if (count > largest / unit.thousandths) return Quantity{largest, unit.binary};
  return Quantity{at_most_largest(count * unit.thousandths + (fraction + scale - 1) / scale), unit.binary};
}

std::string to_string(Quantity quantity) {
  if (quantity.thousandths == 0) return "0";
  for (const auto& unit : units) {
    if (unit.binary != quantity.binary || unit.suffix == "m" || unit.suffix.empty()) continue;
    if (quantity.thousandths % unit.thousandths == 0)
      return std::to_string(static_cast<std::int64_t>(quantity.thousandths / unit.thousandths)) +
             std::string(unit.suffix);
  }
  if (quantity.thousandths % thousand == 0) return std::to_string(quantity.thousandths / thousand);
  return std::to_string(quantity.thousandths) + "m";
}

Quantity operator+(Quantity a, Quantity b) {
  return {at_most_largest(Wide{a.thousandths} + b.thousandths), a.binary || b.binary};
}

Quantity operator*(std::int64_t count, Quantity quantity) {
  return {at_most_largest(Wide{count} * quantity.thousandths), quantity.binary};
}

}  // namespace litedesk
