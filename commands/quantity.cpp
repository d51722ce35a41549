#include "commands/quantity.hpp"

#include <array>
#include <limits>

namespace litedesk {
namespace {

struct Unit {
  std::string_view suffix;
  std::int64_t thousandths;
  bool binary;
};
constexpr std::int64_t thousand = 1000;
constexpr std::int64_t kibi = 1024;
// The largest that fit, first; "E" and "Ei" are past what thousandths of 64 bits hold.
constexpr std::array<Unit, 10> units{{
    {"Ti", thousand* kibi* kibi* kibi* kibi, true},
    {"Gi", thousand* kibi* kibi* kibi, true},
    {"Mi", thousand* kibi* kibi, true},
    {"Ki", thousand* kibi, true},
    {"T", thousand* thousand* thousand* thousand* thousand, false},
    {"G", thousand* thousand* thousand* thousand, false},
    {"M", thousand* thousand* thousand, false},
    {"k", thousand* thousand, false},
    {"m", 1, false},
    {"", thousand, false},
}};

}  // namespace

std::optional<Quantity> parse_quantity(std::string_view text) {
  const Unit* unit = nullptr;
  for (const auto& candidate : units) {
    if (!text.ends_with(candidate.suffix)) continue;
    unit = &candidate;
    break;
  }
  text.remove_suffix(unit->suffix.size());
  std::int64_t value = 0, scale = 1;
  bool point = false, digits = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9' || value > std::numeric_limits<std::int64_t>::max() / 10 - 1 || scale > 1'000'000)
      return std::nullopt;
    digits = true;
    value = value * 10 + (c - '0');
    if (point) scale *= 10;
  }
  if (!digits || value > std::numeric_limits<std::int64_t>::max() / unit->thousandths) return std::nullopt;
  const auto scaled = value * unit->thousandths;
  return Quantity{scaled / scale + (scaled % scale != 0 ? 1 : 0), unit->binary};  // rounds up, as the API server does
}

std::string to_string(Quantity quantity) {
  if (quantity.thousandths == 0) return "0";
  for (const auto& unit : units) {
    if (unit.binary != quantity.binary || unit.suffix == "m" || unit.suffix.empty()) continue;
    if (quantity.thousandths % unit.thousandths == 0)
      return std::to_string(quantity.thousandths / unit.thousandths) + std::string(unit.suffix);
  }
  if (quantity.thousandths % thousand == 0) return std::to_string(quantity.thousandths / thousand);
  return std::to_string(quantity.thousandths) + "m";
}

Quantity operator+(Quantity a, Quantity b) {
  return {a.thousandths + b.thousandths, a.binary || b.binary};
}

Quantity operator*(std::int64_t count, Quantity quantity) {
  return {count * quantity.thousandths, quantity.binary};
}

}  // namespace litedesk
