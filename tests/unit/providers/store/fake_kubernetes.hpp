// An API server for one cluster-scoped kind, in memory: what kubernetes_store needs, with faults on order.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "providers/error.hpp"
#include "providers/kubernetes/client.hpp"
#include "providers/kubernetes/status.hpp"
#include "providers/store/label_selector.hpp"

namespace litedesk::store {

class FakeKubernetes : public kubernetes::ObjectReader, public kubernetes::ObjectApplier {
 public:
  // The next write: no answer, or a 500 though it was done.
  enum class Fault { none, before_effect, after_effect, error_after_effect };

  bool kind_is_served = true;
  Fault next_write = Fault::none;
  std::vector<std::string> requests;  // "GET acme", "PATCH acme {...}"

  std::optional<kubernetes::Object> get(const kubernetes::ObjectRef& ref) override {
    const std::lock_guard guard(mutex_);
    requests.push_back("GET " + ref.name);
    if (ref.type.kind == "Namespace") {
      return kubernetes::Object(
          Json{{"metadata", {{"name", ref.name}, {"uid", "11111111-2222-3333-4444-555555555555"}}}});
    }
    const auto found = objects_.find(ref.name);
    if (!kind_is_served || found == objects_.end()) return std::nullopt;
    return kubernetes::Object(found->second);
  }

  kubernetes::Each<std::optional<kubernetes::Object>> get_all(std::span<const kubernetes::ObjectRef> refs) override {
    kubernetes::Each<std::optional<kubernetes::Object>> answers;
    for (const auto& ref : refs) answers.emplace_back(get(ref));
    return answers;
  }

  kubernetes::ObjectList list(const kubernetes::ResourceType&, std::string_view,
                              const kubernetes::ListOptions& options) override {
    const std::lock_guard guard(mutex_);
    requests.push_back("LIST " + options.label_selector);
    if (!kind_is_served) throw NotFound("the server could not find the requested resource");
    const auto requirements = parse_selector(options.label_selector);
    kubernetes::ObjectList list;
    for (auto entry = objects_.rbegin(); entry != objects_.rend(); ++entry) {  // in no helpful order
      const auto labels = entry->second.at("metadata").value("labels", Labels{});
      if (matches(requirements, labels)) list.items.emplace_back(entry->second);
    }
    return list;
  }

  bool serves(const kubernetes::ResourceType&) override {
    const std::lock_guard guard(mutex_);
    requests.emplace_back("DISCOVER");
    return kind_is_served;
  }

  kubernetes::Object create(const kubernetes::Object& object) override {
    const std::lock_guard guard(mutex_);
    requests.push_back("POST " + object.name());
    const Fault fault = begin_write();
    check_name(object.name());
    check_labels(object.json().at("metadata").value("labels", Labels{}));
    if (objects_.count(object.name()) > 0)
      throw Conflict("tenants.litedesk.io \"" + object.name() + "\" already exists");
    Json json = object.json();
    json["metadata"]["uid"] = "uid-" + std::to_string(++count_);
    json["metadata"]["creationTimestamp"] = "2026-01-02T03:04:05Z";
    stored(json);
    return end_write(fault, json);
  }

  kubernetes::Object merge_patch(const kubernetes::ObjectRef& ref, const Json& patch) override {
    const std::lock_guard guard(mutex_);
    requests.push_back("PATCH " + ref.name + " " + patch.dump());
    const Fault fault = begin_write();
    const auto found = objects_.find(ref.name);
    if (found == objects_.end()) throw NotFound("tenants.litedesk.io \"" + ref.name + "\" not found");
    const auto version = patch.at("metadata").find("resourceVersion");
    const std::string& current = found->second.at("metadata").at("resourceVersion").get_ref<const std::string&>();
    if (version != patch.at("metadata").end() && *version != current) {
      throw Conflict("the object has been modified; please apply your changes to the latest version and try again");
    }
    Json json = found->second;
    json.merge_patch(patch);
    check_labels(json.at("metadata").value("labels", Labels{}));
    if (json != found->second) stored(json);
    return end_write(fault, json);
  }

  std::optional<std::string> remove(const kubernetes::ObjectRef& ref,
                                    const kubernetes::DeleteOptions& options) override {
    const std::lock_guard guard(mutex_);
    requests.push_back("DELETE " + ref.name);
    const Fault fault = begin_write();
    const auto found = objects_.find(ref.name);
    if (found == objects_.end()) return std::nullopt;
    const Json& metadata = found->second.at("metadata");
    if (!options.resource_version.empty() && metadata.at("resourceVersion") != options.resource_version) {
      throw Conflict("Precondition failed: ResourceVersion in precondition: " + options.resource_version);
    }
    const std::string uid = metadata.at("uid").get<std::string>();
    objects_.erase(found);
    if (fault == Fault::after_effect) throw Unavailable("connection lost");
    return uid;
  }

  kubernetes::Object apply(const kubernetes::Object& object, const kubernetes::ApplyOptions&) override {
    throw Failed("no store applies " + object.name());
  }
  kubernetes::Each<kubernetes::Object> apply_all(std::span<const kubernetes::Object>,
                                                 const kubernetes::ApplyOptions&) override {
    throw Failed("no store applies");
  }

 private:
  Fault begin_write() {
    const Fault fault = std::exchange(next_write, Fault::none);
    if (fault == Fault::before_effect) throw Unavailable("connection refused");
    if (!kind_is_served) throw NotFound("the server could not find the requested resource");
    return fault;
  }

  static kubernetes::Object end_write(Fault fault, const Json& json) {
    if (fault == Fault::after_effect) throw Unavailable("connection lost");
    if (fault == Fault::error_after_effect) {
      kubernetes::Status status;
      status.code = 500;
      status.message = "etcdserver: request timed out";
      std::rethrow_exception(kubernetes::api_error(status, {}));
    }
    return kubernetes::Object(json);
  }

  void stored(Json& json) {
    json["metadata"]["resourceVersion"] = std::to_string(++count_);
    objects_[json["metadata"]["name"].get<std::string>()] = json;
  }

  std::mutex mutex_;
  std::map<std::string, Json> objects_;
  int count_ = 100;
};

}  // namespace litedesk::store
