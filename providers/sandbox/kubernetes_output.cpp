#include "providers/sandbox/kubernetes_output.hpp"

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_status.hpp"

namespace litedesk::sandbox::kube {

namespace {

Json metadata_only(const Json& object) {
  return {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", at(object, "metadata")}};
}

Json column_definitions(const Kind& kind) {
  Json definitions = Json::array();
  for (const auto& column : columns_of(kind))
    definitions.push_back({{"name", column.name},
                           {"type", column.type},
                           {"format", column.format},
                           {"description", ""},
                           {"priority", column.priority}});
  return definitions;
}

Json row_of(const Kind& kind, const Json& object, Millis now, const std::string& include) {
  Json row = {{"cells", cells_of(kind, object, now)}};
  if (include == "Object")
    row["object"] = object;
  else
    row["object"] = include == "None" ? Json(nullptr) : metadata_only(object);
  return row;
}

}  // namespace

Form form_of(const std::string& accept) {
  if (accept.empty()) return Form::object;
  std::string_view rest = accept;
  while (!rest.empty()) {
    const auto item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const bool json = item.find("application/json") != std::string_view::npos ||
                      item.find("*/*") != std::string_view::npos ||
                      item.find("application/*") != std::string_view::npos;
    if (!json) continue;
    if (item.find("as=Table") != std::string_view::npos) return Form::table;
    if (item.find("as=PartialObjectMetadata") != std::string_view::npos) return Form::metadata;
    if (item.find("as=") != std::string_view::npos) continue;
    return Form::object;
  }
  throw StatusError(406, "NotAcceptable", "only the following media types are accepted: application/json");
}

Json show_object(Form form, const Kind& kind, const Json& object, Millis now, const std::string& include,
                 bool with_columns) {
  if (form == Form::metadata) return metadata_only(object);
  if (form == Form::object) return object;
  return {{"kind", "Table"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", {{"resourceVersion", text(object, "metadata.resourceVersion")}}},
          {"columnDefinitions", with_columns ? column_definitions(kind) : Json::array()},
          {"rows", Json::array({row_of(kind, object, now, include)})}};
}

Json show_list(Form form, const Kind& kind, const std::vector<Record>& records, const ListMetadata& metadata,
               Millis now, const std::string& include) {
  Json head = {{"resourceVersion", std::to_string(metadata.revision)}};
  if (!metadata.next.empty()) head["continue"] = metadata.next;
  if (!metadata.next.empty() && metadata.remaining > 0) head["remainingItemCount"] = metadata.remaining;
  if (form == Form::table) {
    Json rows = Json::array();
    for (const auto& record : records) rows.push_back(row_of(kind, record.object, now, include));
    return {{"kind", "Table"},
            {"apiVersion", "meta.k8s.io/v1"},
            {"metadata", head},
            {"columnDefinitions", column_definitions(kind)},
            {"rows", rows}};
  }
  Json items = Json::array();
  for (const auto& record : records) {
    if (form == Form::metadata) {
      items.push_back(metadata_only(record.object));
      continue;
    }
    items.push_back(record.object);
    // The items of built-in kinds are typed by the list alone.
    if (!kind.custom) {
      items.back().erase("apiVersion");
      items.back().erase("kind");
    }
  }
  if (form == Form::metadata)
    return {
        {"kind", "PartialObjectMetadataList"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", head}, {"items", items}};
  return {{"kind", kind.list_kind()}, {"apiVersion", kind.api_version()}, {"metadata", head}, {"items", items}};
}

}  // namespace litedesk::sandbox::kube
