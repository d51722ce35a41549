// Whose that is which stands at an instance's names: what the tenant's record says. An annotation, a label or an owner
// record can be written by whoever may write there, and proves nothing.
#pragma once

#include <set>
#include <string>

#include "commands/resource.hpp"
#include "commands/tenant.hpp"
#include "providers/kubernetes/object.hpp"

namespace litedesk {

// On a namespace that a run creates: the id of its operation, as the record's lock has it.
inline constexpr std::string_view run_annotation = "litedesk.io/created-by";

class Provenance {
 public:
  explicit Provenance(const Tenant& tenant);

  // The namespace whose UID the record has; or, while a run that noted that it would create it has not come to its
  // end, the one that carries the run's id.
  [[nodiscard]] bool owns_namespace(const kubernetes::Object& name_space) const;
  // Of the instance's namespace: what the record's inventory names or a run noted that it would create or take over.
  [[nodiscard]] bool owns_object(const kubernetes::ObjectRef& ref) const;
  // A record set at one of the hosts that the tenant's record names, or that a run noted.
  [[nodiscard]] bool owns_record(const ResourceId& id, const std::string& host) const;
  // A run that has not come to its end noted that it would create it: what is there, that run made.
  [[nodiscard]] bool was_to_be_created(const ResourceId& id) const;
  [[nodiscard]] bool was_to_be_adopted(const ResourceId& id) const;

 private:
  bool intends(const char* verb, const ResourceId& id) const;

  std::string namespace_uid_, run_;
  std::set<std::string> intent_, inventory_, hosts_;
};

}  // namespace litedesk
