#include "providers/sandbox/kubernetes_quantity.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "providers/sandbox/kubernetes_json.hpp"

namespace litedesk::sandbox::kube {

namespace {

using Wide = Quantity::Wide;

constexpr std::array<std::pair<std::string_view, int>, 6> binary{
    {{"Ki", 1}, {"Mi", 2}, {"Gi", 3}, {"Ti", 4}, {"Pi", 5}, {"Ei", 6}}};
constexpr std::array<std::pair<std::string_view, int>, 8> decimal{
    {{"m", -1}, {"", 0}, {"k", 1}, {"M", 2}, {"G", 3}, {"T", 4}, {"P", 5}, {"E", 6}}};
constexpr Wide limit = Wide{1} << 120;

Wide power(Wide base, int exponent) {
  Wide result = 1;
  for (int i = 0; i < exponent; ++i) result *= base;
  return result;
}

std::string digits(Wide value) {
  if (value == 0) return "0";
  std::string text;
  const bool negative = value < 0;
  for (Wide rest = negative ? -value : value; rest > 0; rest /= 10)
    text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  return negative ? "-" + text : text;
}

}  // namespace

std::optional<Quantity> parse_quantity(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  Wide number = 0;
  int fraction = -1;  // digits after the point
  std::size_t used = 0;
  bool any = false;
  for (; used < text.size(); ++used) {
    const char c = text[used];
    if (c == '.' && fraction < 0) {
      fraction = 0;
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      any = true;
      if (number > limit / 100) return std::nullopt;
      number = number * 10 + (c - '0');
      if (fraction >= 0) ++fraction;
    } else {
      break;
    }
  }
  if (!any) return std::nullopt;
  const auto suffix = text.substr(used);
  Quantity quantity;
  Wide thousandths = number * 1000;
  const auto scale = [&](Wide factor) {
    if (thousandths != 0 && factor > limit / thousandths) return false;
    thousandths *= factor;
    return true;
  };
  bool known = false;
  for (const auto& [unit, exponent] : decimal) {
    if (suffix != unit) continue;
    known = true;
    if (exponent < 0) thousandths = number;
    if (exponent > 0 && !scale(power(1000, exponent))) return std::nullopt;
  }
  for (const auto& [unit, exponent] : binary) {
    if (suffix != unit) continue;
    known = true;
    quantity.format = Quantity::Format::binary;
    if (!scale(power(1024, exponent))) return std::nullopt;
  }
  if (!known && suffix.size() > 1 && (suffix.front() == 'e' || suffix.front() == 'E')) {
    int exponent = 0;
    auto rest = suffix.substr(1);
    if (rest.front() == '+') rest.remove_prefix(1);
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
    if (error != std::errc{} || end != rest.data() + rest.size() || exponent > 18 || exponent < -18)
      return std::nullopt;
    known = true;
    quantity.format = Quantity::Format::exponent;
    if (exponent >= 0 && !scale(power(10, exponent))) return std::nullopt;
    if (exponent < 0) thousandths /= power(10, -exponent);
  }
  if (!known) return std::nullopt;
  // What is finer than a thousandth is rounded up, as the API server does.
  if (fraction > 0) {
    const Wide divisor = power(10, fraction);
    thousandths = (thousandths + divisor - 1) / divisor;
  }
  quantity.thousandths = negative ? -thousandths : thousandths;
  return quantity;
}

Quantity to_quantity(const Json& value) {
  if (!value.is_string() && !value.is_number()) return {};
  return parse_quantity(plain(value)).value_or(Quantity{});
}

std::string Quantity::canonical() const {
  if (thousandths == 0) return "0";
  if (format == Format::binary && thousandths % 1000 == 0) {
    Wide value = thousandths / 1000;
    if (value >= 1024 || value <= -1024) {
      std::string_view unit;
      for (const auto& [name, exponent] : binary) {
        if (value % 1024 != 0) break;
        value /= 1024;
        unit = name;
      }
      return digits(value) + std::string(unit);
    }
    return digits(value);
  }
  if (thousandths % 1000 != 0) return digits(thousandths) + "m";
  Wide value = thousandths / 1000;
  int exponent = 0;
  while (value % 1000 == 0 && exponent < 6) {
    value /= 1000;
    ++exponent;
  }
  if (format == Format::exponent && exponent > 0) return digits(value) + "e" + std::to_string(3 * exponent);
  return digits(value) + std::string(decimal[static_cast<std::size_t>(exponent) + 1].first);
}

}  // namespace litedesk::sandbox::kube
