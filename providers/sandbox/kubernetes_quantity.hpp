// Kubernetes quantities ("250m", "1Gi"): exact down to a billionth, and as large as they come.
// Rules: k8s.io/apimachinery/pkg/api/resource.
#pragma once

#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"

struct bignum_st;  // OpenSSL's integer

namespace litedesk::sandbox::kube {

class Quantity {
 public:
  // "1000m" is "1", "1024Mi" is "1Gi", "0.5" is "500m".
  [[nodiscard]] std::string canonical() const;
  // Rounded up to a whole thousandth, as every amount in a list of resources is.
  [[nodiscard]] Quantity in_thousandths() const;

  // A sum keeps the format of what was there, unless that was nothing.
  Quantity& operator+=(const Quantity& other);
  [[nodiscard]] std::strong_ordering operator<=>(const Quantity& other) const;
  [[nodiscard]] bool operator==(const Quantity& other) const { return (*this <=> other) == 0; }

 private:
  friend std::optional<Quantity> parse_quantity(std::string_view text, std::string_view* why);
  enum class Format { decimal, binary, exponent };

  std::shared_ptr<const bignum_st> billionths_;  // null: zero
  Format format_ = Format::decimal;
  std::string as_written_;  // while that is canonical enough for the API server; else empty
};

// What is finer than a billionth is rounded away from zero; with a binary suffix ("Gi") at most 2^63-1 is kept.
// Absent where it is no quantity; `why`, if given, then says so in the API server's words.
[[nodiscard]] std::optional<Quantity> parse_quantity(std::string_view text, std::string_view* why = nullptr);
// Of a JSON string or number; zero when it is none.
[[nodiscard]] Quantity to_quantity(const Json& value);

}  // namespace litedesk::sandbox::kube
