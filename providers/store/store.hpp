// Where records are kept: documents with optimistic concurrency. One interface, the same promises on SQLite and on a
// custom resource; the kind and the schema come in as arguments.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"

namespace litedesk::store {

struct Document {
  std::string name;                           // unique in its kind
  Json desired = Json::object();              // what people want: spec
  Json observed = Json::object();             // what is: status
  std::map<std::string, std::string> labels;  // for selectors: Kubernetes' rules hold for keys and values
  std::string version;                        // opaque; changes with every write; compare for equality only
  std::string id;                             // unique for ever: another id under the same name is another thing
  std::string created;                        // RFC 3339
  friend bool operator==(const Document&, const Document&) = default;
};

class Store {
 public:
  virtual ~Store() = default;
  // Fills version, id and created. Throws Conflict when the name is taken, ValidationError when a schema refuses it.
  virtual Document create(const Document& document) = 0;
  [[nodiscard]] virtual std::optional<Document> get(std::string_view name) = 0;
  // Sorted by name. `selector`: "k=v,k2!=v2,k3" as Kubernetes' label selectors (equality and existence).
  [[nodiscard]] virtual std::vector<Document> list(std::string_view selector) = 0;
  // Replaces desired, observed and labels in one write, if the version is still document.version: Conflict when not,
  // NotFound when it is gone. Returns the new version.
  virtual Document update(const Document& document) = 0;
  // Conflict when the version differs; false when it was not there. An empty version removes whatever is there.
  virtual bool remove(std::string_view name, std::string_view version) = 0;
  // Who this registry is, for marking what it owns: stable for its whole life.
  [[nodiscard]] virtual std::string registry_id() = 0;
  // For messages: "sqlite:/home/.../registry.db", "cluster (tenants.litedesk.io)".
  [[nodiscard]] virtual std::string describe() const = 0;
};

}  // namespace litedesk::store
