// The kinds that the API serves: a fixed table, and what CustomResourceDefinitions add.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "providers/json.hpp"
#include "providers/sandbox/kubernetes_schema.hpp"

namespace litedesk::sandbox::kube {

struct Column {
  std::string name;
  std::string type = "string";
  std::string format;
  int priority = 0;
  std::string json_path;  // of a CRD's column
};

struct Kind {
  std::string group;  // "" is the core group
  std::string version;
  std::string kind;
  std::string plural;
  std::string singular;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  bool namespaced = true;
  bool custom = false;
  bool status = false;  // has a status subresource
  bool scale = false;
  bool generation = false;  // metadata.generation counts changes of the spec
  bool collection_delete = true;
  const Schema* schema = nullptr;
  std::shared_ptr<const CustomSchema> custom_schema;  // keeps `schema`, where a CRD brought it
  std::vector<Column> columns;                        // of a CRD
  std::vector<std::string> scale_paths;  // of a CRD: specReplicasPath, statusReplicasPath, labelSelectorPath

  [[nodiscard]] std::string api_version() const;  // "apps/v1"
  [[nodiscard]] std::string resource() const;     // "deployments.apps"
  [[nodiscard]] std::string collection() const;   // in the State
  [[nodiscard]] std::string list_kind() const { return kind + "List"; }
  [[nodiscard]] std::vector<std::string> verbs() const;
};

inline constexpr std::string_view collection_prefix = "kubernetes/";

class Kinds {
 public:
  // With the CustomResourceDefinitions that are there.
  explicit Kinds(const std::vector<Json>& definitions);

  [[nodiscard]] const Kind* find(std::string_view group, std::string_view version, std::string_view plural) const;
  [[nodiscard]] const Kind* by_kind(std::string_view api_version, std::string_view kind) const;
  // "deployments.apps"; only for kinds of the fixed table and those known to be served.
  [[nodiscard]] const Kind& get(std::string_view resource) const;
  [[nodiscard]] const Kind* by_collection(std::string_view collection) const;
  [[nodiscard]] const std::vector<std::unique_ptr<Kind>>& all() const { return kinds_; }
  [[nodiscard]] bool serves_group(std::string_view group) const;

 private:
  void add_builtins();
  void add_definition(const Json& definition);
  std::vector<std::unique_ptr<Kind>> kinds_;
  std::map<std::string, const Kind*, std::less<>> by_path_;      // "apps/v1/deployments"
  std::map<std::string, const Kind*, std::less<>> by_resource_;  // "deployments.apps"
};

}  // namespace litedesk::sandbox::kube
