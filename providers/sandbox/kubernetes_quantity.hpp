// Kubernetes quantities ("250m", "1Gi"), exact in thousandths.
// Rules: k8s.io/apimachinery/pkg/api/resource.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"

namespace litedesk::sandbox::kube {

struct Quantity {
  enum class Format { decimal, binary, exponent };
  __extension__ using Wide = __int128;
  Wide thousandths = 0;
  Format format = Format::decimal;

  // "1000m" is "1", "1024Mi" is "1Gi", "0.5" is "500m".
  [[nodiscard]] std::string canonical() const;
};

[[nodiscard]] std::optional<Quantity> parse_quantity(std::string_view text);
// Of a JSON string or number; zero when it is none.
[[nodiscard]] Quantity to_quantity(const Json& value);

}  // namespace litedesk::sandbox::kube
