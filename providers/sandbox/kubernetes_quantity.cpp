#include "providers/sandbox/kubernetes_quantity.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <new>
#include <utility>

#include <openssl/bn.h>
#include <openssl/crypto.h>

#include "providers/sandbox/kubernetes_json.hpp"

namespace litedesk::sandbox::kube {

namespace {

constexpr std::array<std::pair<std::string_view, int>, 6> binary{
    {{"Ki", 10}, {"Mi", 20}, {"Gi", 30}, {"Ti", 40}, {"Pi", 50}, {"Ei", 60}}};
constexpr std::array<std::pair<std::string_view, int>, 10> decimal{
    {{"n", -9}, {"u", -6}, {"m", -3}, {"", 0}, {"k", 3}, {"M", 6}, {"G", 9}, {"T", 12}, {"P", 15}, {"E", 18}}};
constexpr int billionth = 9;  // digits
// The API server takes more, and can be kept busy for minutes with it.
constexpr int most_digits = 10'000;

constexpr std::string_view wrong_format =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
constexpr std::string_view wrong_number = "unable to parse numeric part of quantity";
constexpr std::string_view wrong_suffix = "unable to parse quantity's suffix";

using Integer = std::shared_ptr<const BIGNUM>;
using Context = std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)>;

// OpenSSL's arithmetic fails only for want of memory.
void done(int result) {
  if (result != 1) throw std::bad_alloc();
}

std::unique_ptr<BIGNUM, decltype(&BN_free)> fresh() {
  std::unique_ptr<BIGNUM, decltype(&BN_free)> number(BN_new(), &BN_free);
  if (!number) throw std::bad_alloc();
  return number;
}

Context context() {
  Context made(BN_CTX_new(), &BN_CTX_free);
  if (!made) throw std::bad_alloc();
  return made;
}

Integer from_digits(const std::string& digits) {
  auto number = fresh();
  BIGNUM* into = number.get();
  if (BN_dec2bn(&into, digits.c_str()) == 0) throw std::bad_alloc();
  return number;
}

std::string to_digits(const BIGNUM* number) {
  const std::unique_ptr<char, void (*)(char*)> text(BN_bn2dec(number), [](char* held) { OPENSSL_free(held); });
  if (!text) throw std::bad_alloc();
  return text.get();
}

Integer ten_to(int power) {
  return from_digits("1" + std::string(static_cast<std::size_t>(power), '0'));
}

Integer times(const BIGNUM* left, const BIGNUM* right) {
  auto product = fresh();
  done(BN_mul(product.get(), left, right, context().get()));
  return product;
}

struct Divided {
  Integer quotient;  // towards zero
  bool exact;
};
Divided divided(const BIGNUM* number, const BIGNUM* by) {
  auto quotient = fresh();
  auto rest = fresh();
  done(BN_div(quotient.get(), rest.get(), number, by, context().get()));
  return {std::move(quotient), BN_is_zero(rest.get()) == 1};
}

Integer divided_away_from_zero(const BIGNUM* number, const BIGNUM* by) {
  auto [quotient, exact] = divided(number, by);
  if (exact) return quotient;
  auto next = fresh();
  const auto one = from_digits(BN_is_negative(number) != 0 ? "-1" : "1");
  done(BN_add(next.get(), quotient.get(), one.get()));
  return next;
}

const BIGNUM* value_of(const Integer& number) {
  static const Integer zero = from_digits("0");
  return number ? number.get() : zero.get();
}

std::string_view take_digits(std::string_view& text) {
  const auto digits = text.substr(0, std::min(text.size(), text.find_first_not_of("0123456789")));
  text.remove_prefix(digits.size());
  return digits;
}

// "e3", "E-3", and "e+3", which from_chars does not take.
std::optional<int> exponent_of(std::string_view suffix) {
  if (suffix.size() < 2 || (suffix.front() != 'e' && suffix.front() != 'E')) return std::nullopt;
  suffix.remove_prefix(suffix[1] == '+' ? 2 : 1);
  int exponent = 0;
  const auto [end, error] = std::from_chars(suffix.data(), suffix.data() + suffix.size(), exponent);
  if (error == std::errc::result_out_of_range) return most_digits + 1;
  if (error != std::errc{} || end != suffix.data() + suffix.size()) return std::nullopt;
  return exponent;
}

}  // namespace

std::optional<Quantity> parse_quantity(std::string_view text, std::string_view* why) {
  const auto refuse = [why](std::string_view words) {
    if (why != nullptr) *why = words;
    return std::nullopt;
  };
  const auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  if (text.empty()) return refuse(wrong_format);

  auto rest = text;
  const bool negative = rest.front() == '-';
  if (negative || rest.front() == '+') rest.remove_prefix(1);
  rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of('0')));
  std::string digits(take_digits(rest));
  if (digits.empty()) digits = "0";
  std::string_view fraction;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = take_digits(rest);
  }
  const auto suffix = rest;
  rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of("eEinumkKMGTP")));
  if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
  take_digits(rest);
  if (!rest.empty()) return refuse(wrong_format);

  Quantity quantity;
  using Format = Quantity::Format;
  int tens = 0, twos = 0;
  const auto named = [&](const auto& units) {
    return std::find_if(units.begin(), units.end(), [&](const auto& unit) { return unit.first == suffix; });
  };
  if (const auto unit = named(decimal); unit != decimal.end()) {
    tens = unit->second;
  } else if (const auto power = named(binary); power != binary.end()) {
    quantity.format_ = Format::binary;
    twos = power->second;
  } else if (const auto exponent = exponent_of(suffix)) {
    quantity.format_ = Format::exponent;
    tens = *exponent;
  } else {
    return refuse(wrong_suffix);
  }
  digits += fraction;
  if (digits.size() > most_digits || std::abs(tens) > most_digits) return refuse(wrong_number);

  auto number = from_digits(digits);
  if (twos > 0) {
    auto shifted = fresh();
    done(BN_lshift(shifted.get(), number.get(), twos));
    number = std::move(shifted);
  }
  const auto power = tens - static_cast<int>(fraction.size()) + billionth;
  number = power >= 0 ? times(number.get(), ten_to(power).get())
                      : divided_away_from_zero(number.get(), ten_to(-power).get());
  if (quantity.format_ == Format::binary) {
    static const Integer most = from_digits("9223372036854775807000000000");
    static const Integer one = from_digits("1000000000");
    if (BN_cmp(number.get(), most.get()) > 0) number = most;
    if (BN_cmp(number.get(), one.get()) < 0) quantity.format_ = Format::decimal;
  } else if (digits.size() <= 18 && power >= 0 && (power - billionth) % 3 == 0 && !digits.ends_with("000") &&
             digits.front() != '0') {
    quantity.as_written_ = text;
  }
  if (negative && BN_is_zero(number.get()) == 0) {
    std::unique_ptr<BIGNUM, decltype(&BN_free)> below(BN_dup(number.get()), &BN_free);
    if (!below) throw std::bad_alloc();
    BN_set_negative(below.get(), 1);
    number = std::move(below);
  }
  quantity.billionths_ = std::move(number);
  return quantity;
}

Quantity to_quantity(const Json& value) {
  if (!value.is_string() && !value.is_number()) return {};
  return parse_quantity(plain(value)).value_or(Quantity{});
}

Quantity Quantity::in_thousandths() const {
  static const Integer million = from_digits("1000000");
  auto [thousandths, exact] = divided(value_of(billionths_), million.get());
  if (exact) return *this;
  Quantity rounded;
  rounded.format_ = format_;
  rounded.billionths_ = times(divided_away_from_zero(value_of(billionths_), million.get()).get(), million.get());
  return rounded;
}

Quantity& Quantity::operator+=(const Quantity& other) {
  if (BN_is_zero(value_of(billionths_)) == 1) format_ = other.format_;
  auto sum = fresh();
  done(BN_add(sum.get(), value_of(billionths_), value_of(other.billionths_)));
  billionths_ = std::move(sum);
  as_written_.clear();
  return *this;
}

std::strong_ordering Quantity::operator<=>(const Quantity& other) const {
  return BN_cmp(value_of(billionths_), value_of(other.billionths_)) <=> 0;
}

std::string Quantity::canonical() const {
  const auto* value = value_of(billionths_);
  if (BN_is_zero(value) == 1) return "0";
  if (!as_written_.empty()) return as_written_;
  if (format_ == Format::binary) {
    static const Integer smallest = from_digits("1024000000000");
    static const Integer one = from_digits("1000000000");
    static const Integer step = from_digits("1024");
    auto [whole, exact] = divided(value, one.get());
    if (exact && BN_ucmp(value, smallest.get()) >= 0) {
      std::string_view unit;
      for (const auto& [name, power] : binary) {
        auto [quotient, divides] = divided(whole.get(), step.get());
        if (!divides) break;
        whole = std::move(quotient);
        unit = name;
      }
      return to_digits(whole.get()).append(unit);
    }
  }
  auto digits = to_digits(value);
  const auto zeros = digits.size() - 1 - digits.find_last_not_of('0');
  digits.resize(digits.size() - zeros);
  int exponent = static_cast<int>(zeros) - billionth;
  for (; exponent % 3 != 0; --exponent) digits += '0';
  if (exponent == 0) return digits;
  if (format_ == Format::exponent || exponent > decimal.back().second) return digits + "e" + std::to_string(exponent);
  const auto unit =
      std::find_if(decimal.begin(), decimal.end(), [&](const auto& named) { return named.second == exponent; });
  return digits.append(unit->first);
}

}  // namespace litedesk::sandbox::kube
