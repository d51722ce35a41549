// A request about a resource: what its path and query name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "providers/sandbox/api.hpp"
#include "providers/sandbox/kubernetes_kinds.hpp"
#include "providers/sandbox/kubernetes_output.hpp"
#include "providers/sandbox/kubernetes_write.hpp"

namespace litedesk::sandbox::kube {

struct Request {
  const Call* call = nullptr;
  std::shared_ptr<const Kinds> kinds;  // keeps `kind`
  const Kind* kind = nullptr;
  std::string name_space;  // empty: all of them, or a cluster-wide kind
  std::string name;        // empty: the collection
  std::string subresource;
  Form form = Form::object;
};

// Throws StatusError: 404 for a resource that is not served, 406.
[[nodiscard]] Request parse_request(const Call& call, std::shared_ptr<const Kinds> kinds);

// ?dryRun=All. Throws StatusError (422) for any other value.
[[nodiscard]] bool is_dry_run(const Call& call);
[[nodiscard]] FieldValidation field_validation(const Call& call);
// ?fieldManager= or what the User-Agent begins with. Throws StatusError (422) for one that is too long.
[[nodiscard]] std::string field_manager(const Call& call);

[[nodiscard]] Reply to_reply(const Json& body, int status = 200);

}  // namespace litedesk::sandbox::kube
