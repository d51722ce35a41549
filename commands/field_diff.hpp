// Differences between two JSON values, field by field, as people read them.
#pragma once

#include <string>
#include <vector>

#include "commands/plan.hpp"

namespace litedesk {

// Sorted by path. Elements of lists of objects are matched by their "name" where every element has one, else by index.
[[nodiscard]] std::vector<FieldChange> diff_fields(const Json& before, const Json& after);

// A Kubernetes object without what the server alone writes: status, managedFields, resourceVersion, generation, uid,
// creationTimestamp. What remains is comparable.
[[nodiscard]] Json comparable(const Json& object);

// The differences of two Kubernetes objects; the values under a Secret's data and stringData read "(masked)".
[[nodiscard]] std::vector<FieldChange> diff_objects(const Json& live, const Json& wanted);

// Whether `live` holds everything that `wanted` says: maps by key, lists of named objects by name, other values equal.
// For callers that may not send a dry run. Differences only; what `wanted` does not mention is ignored.
[[nodiscard]] std::vector<FieldChange> diff_managed_fields(const Json& live, const Json& wanted);

// What `manager` last applied to the object by server-side apply, cut out of the live object along its
// metadata.managedFields (FieldsV1: "f:name", "k:{...}", "v:...", "."): applying it again restores those fields. Null
// when the manager applied nothing.
[[nodiscard]] Json extract_applied(const Json& object, std::string_view manager);

}  // namespace litedesk
