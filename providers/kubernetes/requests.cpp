#include "providers/kubernetes/requests.hpp"

#include "providers/error.hpp"
#include "providers/system/hash.hpp"
#include "providers/system/sealed.hpp"

namespace litedesk::kubernetes {

namespace {

constexpr std::string_view field_manager = "litedesk";

// A query in the order given; values are encoded, empty ones left out.
class Query {
 public:
  Query& add(std::string_view key, std::string_view value) {
    if (value.empty()) return *this;
    text_ += (text_.empty() ? '?' : '&');
    text_ += key;
    text_ += '=';
    text_ += http::percent_encode(value);
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

http::Request request(http::Method method, std::string url, std::string summary) {
  http::Request request;
  request.method = method;
  request.url = std::move(url);
  request.headers.push_back({"Accept", "application/json"});
  request.api = http::Api::kubernetes;
  request.summary = std::move(summary);
  return request;
}

void set_body(http::Request& request, const Json& body, std::string content_type) {
  request.headers.push_back({"Content-Type", std::move(content_type)});
  try {
    request.body = body.dump();
    // What is sent is wiped by the transport.
    if (system::is_sealed(request.body)) request.body = std::string(system::unseal_json(request.body).reveal());
  } catch (const Json::exception&) {
    throw ValidationError({.message = request.summary + ": the object holds text that is not UTF-8"});
  }
}

}  // namespace

std::string describe(const ResourceType& type, std::string_view name_space) {
  if (!type.namespaced) return type.plural;
  return type.plural + (name_space.empty() ? " everywhere" : " in " + std::string(name_space));
}

http::Request get_request(const std::string& server, const std::string& path, std::string summary) {
  return request(http::Method::get, server + path, std::move(summary));
}

http::Request list_request(const std::string& server, const ResourceType& type, std::string_view name_space,
                           const ListOptions& options, const std::string& continue_token) {
  Query query;
  if (options.page_size > 0) query.add("limit", std::to_string(options.page_size));
  query.add("continue", continue_token);
  query.add("labelSelector", options.label_selector).add("fieldSelector", options.field_selector);
  return request(http::Method::get, server + type.path(name_space) + query.text(),
                 "list " + describe(type, name_space));
}

http::Request watch_request(const std::string& server, const ResourceType& type, std::string_view name_space,
                            const ListOptions& options, const std::string& resource_version,
                            std::chrono::seconds length) {
  Query query;
  query.add("watch", "1").add("resourceVersion", resource_version).add("allowWatchBookmarks", "true");
  query.add("timeoutSeconds", std::to_string(length.count()));
  query.add("labelSelector", options.label_selector).add("fieldSelector", options.field_selector);
  return request(http::Method::get, server + type.path(name_space) + query.text(),
                 "watch " + describe(type, name_space));
}

http::Request apply_request(const std::string& server, const Object& object, const ApplyOptions& options) {
  const auto ref = object.ref();
  Query query;
  query.add("fieldManager", options.field_manager).add("fieldValidation", "Strict");
  if (options.force) query.add("force", "true");
  if (options.dry_run) query.add("dryRun", "All");
  auto result = request(http::Method::patch, server + ref.path() + query.text(),
                        (options.dry_run ? "dry-run " : "apply ") + ref.to_string());
  // The server refuses an apply that brings its own managedFields.
  Json body = object.json();
  if (const auto metadata = body.find("metadata"); metadata != body.end()) metadata->erase("managedFields");
  set_body(result, body, "application/apply-patch+yaml");  // JSON is YAML
  result.repeat = http::Repeat::safe;
  if (options.dry_run) result.mutates = false;
  return result;
}

http::Request create_request(const std::string& server, const Object& object) {
  const auto ref = object.ref();
  if (ref.type.namespaced && ref.name_space.empty())
    throw ValidationError({.message = ref.to_string() + " has no namespace"});
  Query query;
  query.add("fieldManager", field_manager).add("fieldValidation", "Strict");
  auto result = request(http::Method::post, server + ref.type.path(ref.name_space) + query.text(),
                        "create " + (ref.name.empty() ? ref.type.kind : ref.to_string()));
  set_body(result, object.json(), "application/json");
  // A review asks a question: nothing is stored, and to ask twice does no harm.
  if (ref.type.group == "authorization.k8s.io" || ref.type.group == "authentication.k8s.io") {
    result.mutates = false;
    result.repeat = http::Repeat::safe;
  }
  return result;
}

http::Request merge_patch_request(const std::string& server, const ObjectRef& ref, const Json& patch) {
  Query query;
  query.add("fieldManager", field_manager).add("fieldValidation", "Strict");
  auto result = request(http::Method::patch, server + ref.path() + query.text(), "patch " + ref.to_string());
  set_body(result, patch, "application/merge-patch+json");
  // A merge patch sets values: twice is as good as once. With a precondition the second answers 409, which the client
  // settles by a read.
  result.repeat = http::Repeat::safe;
  const auto metadata = patch.find("metadata");
  result.conditional = metadata != patch.end() && metadata->contains("resourceVersion");
  return result;
}

http::Request delete_request(const std::string& server, const ObjectRef& ref, const DeleteOptions& options) {
  // All in the body: once there is one, the server does not look at the query.
  Json body = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
  if (!options.propagation.empty()) body["propagationPolicy"] = options.propagation;
  if (!options.uid.empty()) body["preconditions"]["uid"] = options.uid;
  if (!options.resource_version.empty()) body["preconditions"]["resourceVersion"] = options.resource_version;
  if (options.dry_run) body["dryRun"] = Json::array({"All"});
  auto result = request(http::Method::del, server + ref.path(),
                        (options.dry_run ? "dry-run delete " : "delete ") + ref.to_string());
  set_body(result, body, "application/json");
  if (options.dry_run) result.mutates = false;
  return result;
}

http::Request logs_request(const std::string& server, std::string_view name_space, std::string_view pod,
                           const LogOptions& options) {
  using http::percent_encode;
  if (name_space.empty() || pod.empty()) throw ValidationError({.message = "logs: no pod and namespace are named"});
  Query query;
  query.add("container", options.container);
  if (options.previous) query.add("previous", "true");
  query.add("tailLines", std::to_string(options.tail_lines));
  query.add("limitBytes", "1048576");  // a line may be any length
  auto result = request(http::Method::get,
                        server + "/api/v1/namespaces/" + percent_encode(name_space) + "/pods/" + percent_encode(pod) +
                            "/log" + query.text(),
                        "read the log of Pod " + std::string(name_space) + "/" + std::string(pod));
  // The log itself is text; only an error is JSON.
  result.headers.front().value = "text/plain, application/json, */*";
  return result;
}

void seal_secret(Json& object) {
  const auto kind = object.find("kind");
  if (kind == object.end() || *kind != "Secret") return;
  for (const auto* key : {"data", "stringData"}) {
    const auto map = object.find(key);
    if (map == object.end() || !map->is_object()) continue;
    for (auto& value : *map) {
      if (!value.is_string()) continue;
      const Secret secret(std::move(value.get_ref<std::string&>()));
      value = system::seal(secret);
    }
  }
}

std::vector<std::string> secret_values(const Json& object) {
  std::vector<std::string> values;
  if (!object.is_object()) return values;
  for (const auto* key : {"data", "stringData"}) {
    const auto map = object.find(key);
    if (map == object.end() || !map->is_object()) continue;
    for (const auto& entry : map->items()) {
      if (!entry.value().is_string()) continue;
      auto text = std::string(system::unseal(entry.value().get_ref<const std::string&>()).reveal());
      if (text.size() < 4) continue;  // would blot out half the message
      if (std::string_view(key) == "data")
        if (auto decoded = system::base64_decode(text); decoded && decoded->size() >= 4)
          values.push_back(std::move(*decoded));
      values.push_back(std::move(text));
    }
  }
  return values;
}

}  // namespace litedesk::kubernetes
