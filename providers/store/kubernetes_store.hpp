// Documents as cluster-scoped custom resources: desired is `spec`, observed is `status` (no status subresource), and
// one merge patch with metadata.resourceVersion and fieldValidation=Strict is one conditional write of both.
#pragma once

#include <memory>

#include "providers/kubernetes/client.hpp"
#include "providers/store/store.hpp"

namespace litedesk::store {

// Throws NotFound with a hint ("litedesk registry install") from any call when the kind is not served.
[[nodiscard]] std::unique_ptr<Store> make_kubernetes_store(kubernetes::ObjectReader& reader,
                                                           kubernetes::ObjectApplier& applier,
                                                           kubernetes::ResourceType type);

// The document that an object of the type holds. litedesk reads the record along with other objects in one round.
[[nodiscard]] Document to_document(const kubernetes::Object& object);

}  // namespace litedesk::store
