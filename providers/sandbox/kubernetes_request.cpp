#include "providers/sandbox/kubernetes_request.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_status.hpp"

namespace litedesk::sandbox::kube {

Request parse_request(const Call& call, std::shared_ptr<const Kinds> kinds) {
  auto parts = call.segments();
  Request request;
  request.call = &call;
  request.kinds = std::move(kinds);
  const bool core = parts[0] == "api";
  const auto group = core ? std::string{} : parts[1];
  const auto version = core ? parts[1] : parts[2];
  parts.erase(parts.begin(), parts.begin() + (core ? 2 : 3));
  // namespaces/NAME/status is about the namespace itself; namespaces/NAME/pods is not.
  const bool scoped = parts.size() >= 3 && parts[0] == "namespaces" && parts[2] != "status" && parts[2] != "finalize";
  if (scoped) {
    request.name_space = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  request.kind = parts.empty() ? nullptr : request.kinds->find(group, version, parts[0]);
  if (request.kind == nullptr || parts.size() > 3 || (scoped && !request.kind->namespaced)) throw page_not_found();
  if (parts.size() > 1) request.name = parts[1];
  if (parts.size() > 2) request.subresource = parts[2];
  if (!request.name.empty() && request.kind->namespaced && !scoped) throw page_not_found();
  request.form = form_of(call.header("accept"));
  return request;
}

namespace {

const char* options_name(const Call& call) {
  if (call.method == "POST") return "CreateOptions";
  if (call.method == "PUT") return "UpdateOptions";
  return call.method == "DELETE" ? "DeleteOptions" : "PatchOptions";
}

}  // namespace

bool is_dry_run(const Call& call) {
  if (!call.has_parameter("dryRun")) return false;
  const auto given = call.parameter("dryRun");
  if (given == "All") return true;
  if (given.empty()) return false;
  throw invalid_options(options_name(call), value_not_supported("dryRun", Json::array({given}), {"All"}));
}

FieldValidation field_validation(const Call& call) {
  const auto given = call.parameter("fieldValidation");
  if (given == "Strict") return FieldValidation::strict;
  if (given == "Ignore") return FieldValidation::ignore;
  if (given == "Warn" || given.empty()) return FieldValidation::warn;
  throw invalid_options(options_name(call),
                        value_not_supported("fieldValidation", given, {"", "Ignore", "Strict", "Warn"}));
}

std::string field_manager(const Call& call) {
  const auto given = call.parameter("fieldManager");
  if (given.size() > 128)
    throw invalid_options(options_name(call),
                          {"FieldValueTooLong", "Too long: may not be more than 128 bytes", "fieldManager"});
  const auto printable = [](const std::string& name) {
    return std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
  };
  if (!printable(given))
    throw invalid_options(options_name(call),
                          value_invalid("fieldManager", "", "should only contain printable characters"));
  if (!given.empty()) return given;
  const auto agent = call.header("user-agent");
  const auto name = agent.substr(0, agent.find('/'));
  return name.empty() || !printable(name) ? "unknown" : name.substr(0, 128);
}

Reply to_reply(const Json& body, int status) {
  Reply reply;
  reply.status = status;
  // Refusals quote what was sent, which may be no UTF-8.
  reply.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return reply;
}

}  // namespace litedesk::sandbox::kube
