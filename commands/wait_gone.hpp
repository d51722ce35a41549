// Waiting until a Kubernetes object is really gone.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "commands/world.hpp"

namespace litedesk {

// What keeps an object that is being deleted: a namespace's conditions that are True, in the API server's words
// (kubernetes.io/docs, "Namespace termination"), and the finalizers of the object itself. Empty when nothing does.
[[nodiscard]] std::string deletion_holders(const kubernetes::Object& object);
// The same as a sentence of the object: "instance-acme is being deleted: Some content in the namespace has finalizers
// remaining: ...".
[[nodiscard]] std::string deletion_sentence(const kubernetes::Object& object);

// Watches until the object is gone, or another one (another UID) stands under its name. Returns nothing then;
// otherwise, when `budget` is used up or `stop` is requested, its deletion_sentence.
[[nodiscard]] std::optional<std::string> wait_until_gone(const World& world, const kubernetes::ObjectRef& ref,
                                                         std::string_view uid, std::chrono::milliseconds budget,
                                                         std::stop_token stop);

}  // namespace litedesk
