// The API server's refusals: Status objects, in its own words.
// Rules: k8s.io/apimachinery/pkg/api/errors.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"

namespace litedesk::sandbox::kube {

struct Kind;

struct Cause {
  std::string reason;
  std::string message;
  std::string field;
};

class StatusError : public std::exception {
 public:
  StatusError(int code, std::string_view reason, std::string message, Json details = nullptr);
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }
  [[nodiscard]] int code() const { return code_; }
  [[nodiscard]] const Json& body() const { return body_; }

 private:
  int code_;
  std::string message_;
  Json body_;
};

[[nodiscard]] StatusError bad_request(std::string message);
[[nodiscard]] StatusError page_not_found();  // an unknown resource of a served group
[[nodiscard]] StatusError method_not_allowed();
[[nodiscard]] StatusError not_found(const Kind& kind, const std::string& name);
[[nodiscard]] StatusError already_exists(const Kind& kind, const std::string& name);
[[nodiscard]] StatusError forbidden(const Kind& kind, const std::string& name, const std::string& why,
                                    const std::vector<Cause>& causes = {});
// "Operation cannot be fulfilled on ...: WHY"; `as_kind`: named by its kind, as failed preconditions are.
[[nodiscard]] StatusError conflict(const Kind& kind, const std::string& name, const std::string& why,
                                   bool as_kind = false);
// 422 with a cause for each.
[[nodiscard]] StatusError invalid(const Kind& kind, const std::string& name, const std::vector<Cause>& causes);
[[nodiscard]] StatusError invalid_options(std::string_view options, const Cause& cause);

// One error of a field, as k8s.io/apimachinery/pkg/util/validation/field words it.
[[nodiscard]] Cause value_required(std::string field, std::string_view detail = "");
[[nodiscard]] Cause value_invalid(std::string field, const Json& value, std::string_view detail);
[[nodiscard]] Cause value_forbidden(std::string field, std::string_view detail);
[[nodiscard]] Cause value_not_supported(std::string field, const Json& value,
                                        const std::vector<std::string>& supported);

}  // namespace litedesk::sandbox::kube
