#include "providers/error.hpp"

namespace litedesk {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::failed:
      return "failed";
    case ErrorCode::usage:
      return "usage";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::locked:
      return "locked";
    case ErrorCode::authentication:
      return "authentication";
    case ErrorCode::permission_denied:
      return "permission_denied";
    case ErrorCode::disabled:
      return "disabled";
    case ErrorCode::rate_limited:
      return "rate_limited";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::validation:
      return "validation";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::rolled_back:
      return "rolled_back";
  }
  return "failed";
}

Error::Error(ErrorCode code, ErrorDetails details)
    : code_(code),
      details_(std::move(details)),
      what_(details_.cause.empty() ? details_.message : details_.message + ": " + details_.cause) {}

}  // namespace litedesk
