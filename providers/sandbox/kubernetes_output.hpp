// The forms in which objects go out: whole, as rows of a table for kubectl, or their metadata alone.
// Rules: kubernetes.io/docs/reference/using-api/api-concepts (receiving resources as tables).
#pragma once

#include <string>
#include <vector>

#include "providers/sandbox/kubernetes_world.hpp"

namespace litedesk::sandbox::kube {

enum class Form { object, table, metadata };

// From an Accept header. Throws StatusError (406) when nothing of it can be given.
[[nodiscard]] Form form_of(const std::string& accept);

struct ListMetadata {
  std::int64_t revision = 0;
  std::string next;  // the continue token
  std::int64_t remaining = 0;
};

// `include`: what goes with each row: None, Metadata (also when empty) or Object.
[[nodiscard]] Json show_object(Form form, const Kind& kind, const Json& object, Millis now, const std::string& include,
                               bool with_columns = true);
[[nodiscard]] Json show_list(Form form, const Kind& kind, const std::vector<Record>& records,
                             const ListMetadata& metadata, Millis now, const std::string& include);

// The columns of the kind, and one object's cells under them.
[[nodiscard]] std::vector<Column> columns_of(const Kind& kind);
[[nodiscard]] Json cells_of(const Kind& kind, const Json& object, Millis now);
// "5m50s", "3d", "7h12m": how kubectl writes an age.
[[nodiscard]] std::string human_duration(Millis duration);

}  // namespace litedesk::sandbox::kube
