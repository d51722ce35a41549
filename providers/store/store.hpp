// Where records are kept: documents with optimistic concurrency. One interface, the same promises on SQLite and on a
// custom resource; the kind and the schema come in as arguments.
#pragma once

#include <map>
#include <memory>
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
  std::string version;                        // opaque; changes with every change; compare for equality only
  std::string id;                             // unique for ever: another id under the same name is another thing
  std::string created;                        // RFC 3339
  // As a store read it, for stores that send differences. Theirs: leave it, and take it along in copies. May be empty.
  std::shared_ptr<const Json> base;

  friend bool operator==(const Document& a, const Document& b) {
    return a.name == b.name && a.desired == b.desired && a.observed == b.observed && a.labels == b.labels &&
           a.version == b.version && a.id == b.id && a.created == b.created;
  }
};

// A member whose value is null is as good as absent: stores leave it out (a merge patch, RFC 7386, cannot carry it).
[[nodiscard]] Json without_nulls(const Json& value);

class Store {
 public:
  virtual ~Store() = default;
  // Fills version, id and created. Throws Conflict when the name is taken, ValidationError when a schema refuses it.
  virtual Document create(const Document& document) = 0;
  [[nodiscard]] virtual std::optional<Document> get(std::string_view name) = 0;
  // Sorted by name. `selector` as Kubernetes' label selectors: "k=v,k2!=v2,k3,!k4,k5 in (a,b),k6 notin (c)".
  // ValidationError when it is none.
  [[nodiscard]] virtual std::vector<Document> list(std::string_view selector) = 0;
  // Replaces desired, observed and labels in one write, if the version is still document.version: Conflict when not,
  // NotFound when it is gone. Returns it as stored. What is stored just so already is no conflict, whoever wrote it: an
  // answer that got lost can be asked for again. A change of nothing may keep the version.
  virtual Document update(const Document& document) = 0;
  // Conflict when the version differs; false when it was not there. An empty version removes whatever is there.
  virtual bool remove(std::string_view name, std::string_view version) = 0;
  // Who this registry is, for marking what it owns: stable for its whole life.
  [[nodiscard]] virtual std::string registry_id() = 0;
  // For messages: "sqlite:/home/.../registry.db", "cluster (tenants.litedesk.io)".
  [[nodiscard]] virtual std::string describe() const = 0;
};

}  // namespace litedesk::store
