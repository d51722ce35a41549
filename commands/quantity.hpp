// Kubernetes quantities: "250m", "1Gi". Rules: k8s.io/apimachinery/pkg/api/resource.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace litedesk {

// In thousandths, what is finer rounded up; binary ones (Ki, Mi, Gi...) stay binary. What does not fit, read or
// reckoned, is the largest number, as to Kubernetes: nothing wraps.
struct Quantity {
  std::int64_t thousandths = 0;
  bool binary = false;
  friend bool operator==(const Quantity&, const Quantity&) = default;
};

// Nothing for what is not a quantity, is negative, or has an exponent.
[[nodiscard]] std::optional<Quantity> parse_quantity(std::string_view text);
// As the API server writes it: "1000m" is "1", "1024Mi" is "1Gi", "0.5" is "500m", "2000" is "2k".
[[nodiscard]] std::string to_string(Quantity quantity);
[[nodiscard]] Quantity operator+(Quantity a, Quantity b);
[[nodiscard]] Quantity operator*(std::int64_t count, Quantity quantity);

}  // namespace litedesk
