// Who owns which field: metadata.managedFields, and server-side apply's conflicts.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"
#include "providers/sandbox/kubernetes_kinds.hpp"

namespace litedesk::sandbox::kube {

struct Writer {
  std::string manager;
  std::string subresource;  // "status", "scale", ""
  std::string time;         // RFC 3339
};

// The object after applying `config` to `live` (null: not there yet), with its managedFields. Throws StatusError: 409
// with a cause for each field that another manager owns, unless `force`; 500 for a field that the schema does not know.
[[nodiscard]] Json apply(const Kind& kind, const Json& live, const Json& config, const Writer& writer, bool force);

// Sets managedFields of `after` as a write by other means than apply leaves them.
void own_changes(const Kind& kind, const Json& before, Json& after, const Writer& writer);

}  // namespace litedesk::sandbox::kube
