#include "providers/sandbox/kubernetes_status.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/sandbox/kubernetes_kinds.hpp"

namespace litedesk::sandbox::kube {

namespace {

Json details_of(const Kind& kind, const std::string& name, bool as_kind) {
  Json details = {{"kind", as_kind ? kind.kind : kind.plural}};
  if (!name.empty()) details["name"] = name;
  if (!kind.group.empty()) details["group"] = kind.group;
  return details;
}

Json causes_json(const std::vector<Cause>& causes) {
  Json list = Json::array();
  for (const auto& cause : causes)
    list.push_back({{"reason", cause.reason}, {"message", cause.message}, {"field", cause.field}});
  return list;
}

std::string qualified_kind(const Kind& kind) {
  return kind.group.empty() ? kind.kind : fmt::format("{}.{}", kind.kind, kind.group);
}

std::string joined(const std::vector<Cause>& causes) {
  std::vector<std::string> parts;
  for (const auto& cause : causes) parts.push_back(fmt::format("{}: {}", cause.field, cause.message));
  return parts.size() == 1 ? parts.front() : fmt::format("[{}]", fmt::join(parts, ", "));
}

}  // namespace

StatusError::StatusError(int code, std::string_view reason, std::string message, Json details)
    : code_(code), message_(std::move(message)) {
  body_ = {{"kind", "Status"},    {"apiVersion", "v1"},  {"metadata", Json::object()},
           {"status", "Failure"}, {"message", message_}, {"code", code}};
  if (!reason.empty()) body_["reason"] = reason;
  if (!details.is_null()) body_["details"] = std::move(details);
}

StatusError bad_request(std::string message) {
  return {400, "BadRequest", std::move(message)};
}

StatusError page_not_found() {
  return {404, "NotFound", "the server could not find the requested resource", Json::object()};
}

StatusError method_not_allowed() {
  return {405, "MethodNotAllowed", "the server does not allow this method on the requested resource", Json::object()};
}

StatusError not_found(const Kind& kind, const std::string& name) {
  return {404, "NotFound", fmt::format("{} \"{}\" not found", kind.resource(), name), details_of(kind, name, false)};
}

StatusError already_exists(const Kind& kind, const std::string& name) {
  return {409, "AlreadyExists", fmt::format("{} \"{}\" already exists", kind.resource(), name),
          details_of(kind, name, false)};
}

StatusError forbidden(const Kind& kind, const std::string& name, const std::string& why,
                      const std::vector<Cause>& causes) {
  auto details = details_of(kind, name, false);
  if (!causes.empty()) details["causes"] = causes_json(causes);
  return {403, "Forbidden", fmt::format("{} \"{}\" is forbidden: {}", kind.resource(), name, why), std::move(details)};
}

StatusError conflict(const Kind& kind, const std::string& name, const std::string& why, bool as_kind) {
  return {409, "Conflict",
          fmt::format("Operation cannot be fulfilled on {} \"{}\": {}",
                      as_kind ? qualified_kind(kind) : kind.resource(), name, why),
          details_of(kind, name, as_kind)};
}

StatusError invalid(const Kind& kind, const std::string& name, const std::vector<Cause>& causes) {
  auto details = details_of(kind, name, true);
  details["causes"] = causes_json(causes);
  return {422, "Invalid", fmt::format("{} \"{}\" is invalid: {}", qualified_kind(kind), name, joined(causes)),
          std::move(details)};
}

StatusError invalid_options(std::string_view options, const Cause& cause) {
  return {422,
          "Invalid",
          fmt::format("{}.meta.k8s.io \"\" is invalid: {}", options, joined({cause})),
          {{"group", "meta.k8s.io"}, {"kind", options}, {"causes", causes_json({cause})}}};
}

Cause value_required(std::string field, std::string_view detail) {
  return {"FieldValueRequired", detail.empty() ? "Required value" : fmt::format("Required value: {}", detail),
          std::move(field)};
}

Cause value_invalid(std::string field, const Json& value, std::string_view detail) {
  return {"FieldValueInvalid", fmt::format("Invalid value: {}: {}", value.dump(), detail), std::move(field)};
}

Cause value_forbidden(std::string field, std::string_view detail) {
  return {"FieldValueForbidden", fmt::format("Forbidden: {}", detail), std::move(field)};
}

Cause value_not_supported(std::string field, const Json& value, const std::vector<std::string>& supported) {
  return {"FieldValueNotSupported",
          fmt::format("Unsupported value: {}: supported values: \"{}\"", value.dump(), fmt::join(supported, "\", \"")),
          std::move(field)};
}

}  // namespace litedesk::sandbox::kube
