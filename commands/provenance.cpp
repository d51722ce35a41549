#include "commands/provenance.hpp"

#include "commands/live_state.hpp"
#include "commands/planner.hpp"

namespace litedesk {

Provenance::Provenance(const Tenant& tenant) : namespace_uid_(tenant.status.namespace_uid) {
  const auto& status = tenant.status;
  inventory_.insert(status.inventory.begin(), status.inventory.end());
  hosts_.insert(status.hosts.begin(), status.hosts.end());
  if (!status.operation) return;
  run_ = status.operation->id;
  intent_.insert(status.operation->intent.begin(), status.operation->intent.end());
}

bool Provenance::intends(const char* verb, const ResourceId& id) const {
  return intent_.contains(std::string(verb) + " " + to_string(id));
}

bool Provenance::was_to_be_created(const ResourceId& id) const {
  return intends("create", id);
}

bool Provenance::was_to_be_adopted(const ResourceId& id) const {
  return intends("adopt", id);
}

bool Provenance::owns_namespace(const kubernetes::Object& name_space) const {
  if (!namespace_uid_.empty()) return name_space.uid() == namespace_uid_;
  return was_to_be_created(resource_id(name_space.ref())) && name_space.annotation(run_annotation) == run_;
}

bool Provenance::owns_object(const kubernetes::ObjectRef& ref) const {
  const auto id = resource_id(ref);
  return inventory_.contains(inventory_entry(ref)) || was_to_be_created(id) || was_to_be_adopted(id);
}

bool Provenance::owns_record(const ResourceId& id, const std::string& host) const {
  return hosts_.contains(host) || was_to_be_created(id) || was_to_be_adopted(id);
}

}  // namespace litedesk
