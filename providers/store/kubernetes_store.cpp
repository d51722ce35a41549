#include "providers/store/kubernetes_store.hpp"

#include <algorithm>
#include <exception>
#include <mutex>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "providers/error.hpp"
#include "providers/store/merge_difference.hpp"

namespace litedesk::store {
namespace {

Json section(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_object() ? *found : Json::object();
}

Json labels_of(const Json& json) {
  return section(section(json, "metadata"), "labels");
}

// What a merge patch is made against: the parts of an object that a document holds, and their version.
std::shared_ptr<const Json> base_of(const kubernetes::Object& object) {
  Json base = {{"version", object.resource_version()},
               {"spec", section(object.json(), "spec")},
               {"status", section(object.json(), "status")},
               {"labels", labels_of(object.json())}};
  return std::make_shared<const Json>(std::move(base));
}

bool holds(const Document& stored, const Document& wanted) {
  return stored.desired == without_nulls(wanted.desired) && stored.observed == without_nulls(wanted.observed) &&
         stored.labels == wanted.labels;
}

class KubernetesStore : public Store {
 public:
  KubernetesStore(kubernetes::ObjectReader& reader, kubernetes::ObjectApplier& applier, kubernetes::ResourceType type)
      : reader_(reader), applier_(applier), type_(std::move(type)) {}

  Document create(const Document& document) override {
    Json json = {{"apiVersion", type_.api_version()},
                 {"kind", type_.kind},
                 {"metadata", {{"name", document.name}, {"labels", document.labels}}},
                 {"spec", without_nulls(document.desired)}};
    Json observed = without_nulls(document.observed);
    if (!observed.empty()) json["status"] = std::move(observed);
    try {
      return to_document(applier_.create(kubernetes::Object(std::move(json))));
    } catch (const NotFound&) {
      check_served();
      throw;
    } catch (const ValidationError& error) {
      refuse_unknown_field(document.name, error);
      throw;
    } catch (const Conflict& error) {
      throw Conflict({.message = fmt::format("{} {} already exists", type_.kind, document.name),
                      .hint = "choose another name, or change the existing one",
                      .resource = resource(document.name),
                      .cause = error.cause()});
    } catch (const Unavailable&) {
      return as_written_or_rethrow(document);
    } catch (const Timeout&) {
      return as_written_or_rethrow(document);
    } catch (const Failed& error) {
      // A server that stumbles after it has written answers 500.
      const auto* info = kubernetes::api_error_info(error);
      if (info == nullptr || info->http_status < 500) throw;
      return as_written_or_rethrow(document);
    }
  }

  std::optional<Document> get(std::string_view name) override {
    const auto object = reader_.get(ref(name));
    if (object) return to_document(*object);
    check_served();
    return std::nullopt;
  }

  std::vector<Document> list(std::string_view selector) override {
    std::vector<Document> found;
    try {
      kubernetes::ListOptions options;
      options.label_selector = std::string(selector);
      for (const auto& object : reader_.list(type_, "", options).items) found.push_back(to_document(object));
    } catch (const NotFound&) {
      check_served();
      throw;
    }
    std::sort(found.begin(), found.end(), [](const Document& a, const Document& b) { return a.name < b.name; });
    return found;
  }

  Document update(const Document& document) override {
    Document stored;
    const bool has_base =
        document.base && !document.version.empty() && document.base->at("version") == document.version;
    if (!has_base) {
      // Whoever kept no base pays one more request: a patch needs to know what there is to take away.
      auto read = get(document.name);
      if (!read) refuse_gone(document.name);
      if (holds(*read, document)) return *read;
      if (read->version != document.version) refuse_stale(document.name, {});
      stored = std::move(*read);
    }
    const Json& base = has_base ? *document.base : *stored.base;
    Json patch = difference(base, document);
    patch["metadata"]["resourceVersion"] = document.version;
    try {
      return to_document(applier_.merge_patch(ref(document.name), patch));
    } catch (const NotFound&) {
      check_served();
      refuse_gone(document.name);
    } catch (const ValidationError& error) {
      refuse_unknown_field(document.name, error);
      throw;
    } catch (const Conflict& error) {
      // Either somebody else was first, or this is the second answer to a write of ours whose first one got lost.
      if (auto written = written_already(document)) return std::move(*written);
      refuse_stale(document.name, error.cause());
    } catch (const Unavailable&) {
      return as_written_or_rethrow(document);
    } catch (const Timeout&) {
      return as_written_or_rethrow(document);
    } catch (const Failed& error) {
      // A server that stumbles after it has written answers 500.
      const auto* info = kubernetes::api_error_info(error);
      if (info == nullptr || info->http_status < 500) throw;
      return as_written_or_rethrow(document);
    }
  }

  bool remove(std::string_view name, std::string_view version) override {
    kubernetes::DeleteOptions options;
    options.resource_version = std::string(version);
    try {
      if (applier_.remove(ref(name), options)) return true;
    } catch (const NotFound&) {
      check_served();
      throw;
    } catch (const Conflict& error) {
      refuse_stale(name, error.cause());
    }
    check_served();
    return false;
  }

  std::string registry_id() override {
    const std::lock_guard guard(mutex_);
    if (registry_id_.empty()) {
      const auto object = reader_.get({kubernetes::type_of("v1", "Namespace"), "", "kube-system"});
      if (!object || object->uid().empty()) {
        throw Failed({.message = "the cluster's identity cannot be read: it has no namespace kube-system",
                      .hint = "check that the kubeconfig's context names a whole cluster",
                      .resource = "Namespace kube-system",
                      .cause = {}});
      }
      registry_id_ = "cluster-" + object->uid();
    }
    return registry_id_;
  }

  [[nodiscard]] std::string describe() const override {
    return fmt::format("cluster ({}.{})", type_.plural, type_.group);
  }

 private:
  // One merge patch that turns the stored spec, status and labels into the wanted ones, and touches nothing beside
  // them.
  static Json difference(const Json& base, const Document& document) {
    Json patch = Json::object();
    const auto add = [&base](Json& into, const char* part, const Json& wanted) {
      Json changes = merge_difference(base.at(part), wanted);
      if (!changes.empty()) into[part] = std::move(changes);
    };
    add(patch, "spec", without_nulls(document.desired));
    add(patch, "status", without_nulls(document.observed));
    add(patch["metadata"], "labels", Json(document.labels));
    return patch;
  }

  std::optional<Document> written_already(const Document& document) {
    auto stored = get(document.name);
    if (stored && holds(*stored, document)) return stored;
    return std::nullopt;
  }

  // In a handler only: no answer came, and the write may have taken effect all the same.
  Document as_written_or_rethrow(const Document& document) {
    const auto lost = std::current_exception();
    std::optional<Document> written;
    try {
      written = written_already(document);
    } catch (const Error&) {
      std::rethrow_exception(lost);  // the first failure tells more than the one of asking about it
    }
    if (!written) std::rethrow_exception(lost);
    return std::move(*written);
  }

  // A 404 says the same for a missing object and for a kind that nobody serves.
  void check_served() {
    {
      const std::lock_guard guard(mutex_);
      if (served_) return;
    }
    if (!reader_.serves(type_)) refuse_not_served();
    const std::lock_guard guard(mutex_);
    served_ = true;
  }

  // Writes are strict: a definition from before a field was added answers so to the first record that has it.
  void refuse_unknown_field(std::string_view name, const ValidationError& error) const {
    constexpr std::string_view words = "strict decoding error: ";
    const auto at = error.cause().find(words);
    if (at == std::string::npos || error.cause().find("unknown field", at) == std::string::npos) return;
    throw Conflict(
        {.message = fmt::format("the registry in the cluster is older than this litedesk: its kind {} lacks a field "
                                "that {} {} has",
                                type_.kind, type_.kind, name),
         .hint = "run `litedesk registry install`, which keeps every record",
         .resource = fmt::format("CustomResourceDefinition {}.{}", type_.plural, type_.group),
         .cause = error.cause().substr(at + words.size())});
  }

  [[noreturn]] void refuse_not_served() const {
    throw NotFound({.message = fmt::format("the cluster has no registry: the kind {} ({}) is not installed", type_.kind,
                                           type_.api_version()),
                    .hint = "run `litedesk registry install`",
                    .resource = fmt::format("CustomResourceDefinition {}.{}", type_.plural, type_.group),
                    .cause = {}});
  }

  [[noreturn]] void refuse_gone(std::string_view name) const {
    throw NotFound({.message = fmt::format("{} {} no longer exists", type_.kind, name),
                    .hint = "someone deleted it in the meantime",
                    .resource = resource(name),
                    .cause = {}});
  }

  [[noreturn]] void refuse_stale(std::string_view name, const std::string& cause) const {
    throw Conflict({.message = fmt::format("{} {} was changed by someone else since it was read", type_.kind, name),
                    .hint = "repeat the command: it reads the record again",
                    .resource = resource(name),
                    .cause = cause});
  }

  [[nodiscard]] kubernetes::ObjectRef ref(std::string_view name) const { return {type_, "", std::string(name)}; }
  [[nodiscard]] std::string resource(std::string_view name) const { return fmt::format("{} {}", type_.kind, name); }

  kubernetes::ObjectReader& reader_;
  kubernetes::ObjectApplier& applier_;
  const kubernetes::ResourceType type_;
  std::mutex mutex_;  // of the two below: the lock's renewal writes from a thread of its own
  std::string registry_id_;
  bool served_ = false;
};

}  // namespace

std::unique_ptr<Store> make_kubernetes_store(kubernetes::ObjectReader& reader, kubernetes::ObjectApplier& applier,
                                             kubernetes::ResourceType type) {
  return std::make_unique<KubernetesStore>(reader, applier, std::move(type));
}

Document to_document(const kubernetes::Object& object) {
  Document document;
  document.name = object.name();
  document.desired = section(object.json(), "spec");
  document.observed = section(object.json(), "status");
  const Json labels = labels_of(object.json());
  for (const auto& label : labels.items()) {
    if (label.value().is_string()) document.labels[label.key()] = label.value().get<std::string>();
  }
  document.version = object.resource_version();
  document.id = object.uid();
  document.created = object.text("metadata.creationTimestamp");
  document.base = base_of(object);
  return document;
}

}  // namespace litedesk::store
