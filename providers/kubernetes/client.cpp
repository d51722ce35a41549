#include "providers/kubernetes/client.hpp"

#include <unordered_map>

#include "providers/error.hpp"
#include "providers/kubernetes/requests.hpp"
#include "providers/kubernetes/session.hpp"
#include "providers/kubernetes/watch.hpp"

namespace litedesk::kubernetes {

namespace {

std::optional<Object> found(const http::Response& response, const Attempted& attempted) {
  if (is_not_found(response, attempted.group)) return std::nullopt;
  return Object(parse_answer(response, attempted));
}

// What a patch asks for, without its precondition.
bool has_been_applied(const Json& live, Json patch) {
  if (const auto metadata = patch.find("metadata"); metadata != patch.end() && metadata->is_object())
    metadata->erase("resourceVersion");
  auto patched = live;
  patched.merge_patch(patch);
  return patched == live;
}

}  // namespace

struct Client::Impl {
  Session session;

  Impl(http::Transport& transport, ClusterConfig config, ClientOptions options)
      : session(transport, std::move(config), std::move(options)) {}

  [[nodiscard]] Attempted attempted(const http::Request& request, const ObjectRef& ref) const {
    return session.attempted(request.summary, ref.to_string(), ref.type.group);
  }
  [[nodiscard]] http::Request get_request_of(const ObjectRef& ref) const {
    return get_request(session.server(), ref.path(), "get " + ref.to_string());
  }

  // Sends what `make` makes of each input, all at once, and turns each answer into a T by `read`; what any of it throws
  // is that input's result.
  template <class T, class Input, class Make, class Read>
  Each<T> for_each(std::span<const Input> inputs, const Make& make, const Read& read) {
    Each<T> results(inputs.size());
    std::vector<http::Request> requests;
    std::vector<std::size_t> sent;
    std::vector<std::string> summaries;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      try {
        requests.push_back(make(inputs[i]));
        sent.push_back(i);
        summaries.push_back(requests.back().summary);
      } catch (const Error&) {
        results[i] = std::current_exception();
      }
    }
    const auto answers = session.send_all(std::move(requests));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      auto& result = results[sent[i]];
      if (const auto* error = std::get_if<std::exception_ptr>(&answers[i])) {
        result = *error;
        continue;
      }
      try {
        result = T(read(std::get<http::Response>(answers[i]), inputs[sent[i]], summaries[i]));
      } catch (const Error&) {
        result = std::current_exception();
      }
    }
    return results;
  }

  [[nodiscard]] Object read_applied(const http::Response& response, const Object& object,
                                    const std::string& summary) const {
    const auto ref = object.ref();
    auto tried = session.attempted(summary, ref.to_string(), ref.type.group);
    if (object.kind() == "Secret") tried.masked = secret_values(object.json());
    return Object(parse_answer(response, tried));
  }
};

Client::Client(http::Transport& transport, ClusterConfig config, ClientOptions options)
    : impl_(std::make_unique<Impl>(transport, std::move(config), std::move(options))) {}

Client::~Client() = default;

const ClusterConfig& Client::config() const {
  return impl_->session.config();
}

std::string Client::server_version() {
  const auto tried = impl_->session.attempted("read the API server's version");
  const auto response = impl_->session.send(get_request(impl_->session.server(), "/version", tried.what), {});
  auto version = Object(parse_answer(response, tried)).text("gitVersion");
  if (version.empty()) std::rethrow_exception(unusable_answer(response, tried));
  return version;
}

std::optional<Object> Client::get(const ObjectRef& ref) {
  auto request = impl_->get_request_of(ref);
  const auto tried = impl_->attempted(request, ref);
  return found(impl_->session.send(std::move(request), {}), tried);
}

Each<std::optional<Object>> Client::get_all(std::span<const ObjectRef> refs) {
  return impl_->for_each<std::optional<Object>>(
      refs, [this](const ObjectRef& ref) { return impl_->get_request_of(ref); },
      [this](const http::Response& response, const ObjectRef& ref, const std::string& summary) {
        return found(response, impl_->session.attempted(summary, ref.to_string(), ref.type.group));
      });
}

ObjectList Client::list(const ResourceType& type, std::string_view name_space, const ListOptions& options) {
  return impl_->session.list(type, name_space, options, {});
}

bool Client::serves(const ResourceType& type) {
  const auto tried = impl_->session.attempted(
      "ask whether the cluster has " + type.plural + " of " + type.api_version(), {}, type.group);
  const auto path = (type.group.empty() ? "/api/" : "/apis/") + type.api_version();
  const auto response = impl_->session.send(get_request(impl_->session.server(), path, tried.what), {});
  if (is_not_found(response, type.group)) return false;
  const Object resources(parse_answer(response, tried));
  if (!resources.at("resources").is_array()) std::rethrow_exception(unusable_answer(response, tried));
  for (const auto& each : resources.at("resources")) {
    const Object resource(each);
    if (resource.text("name") == type.plural && resource.text("kind") == type.kind) return true;
  }
  return false;
}

Object Client::apply(const Object& object, const ApplyOptions& options) {
  auto request = apply_request(impl_->session.server(), object, options);
  const auto summary = request.summary;
  return impl_->read_applied(impl_->session.send(std::move(request), {}), object, summary);
}

Each<Object> Client::apply_all(std::span<const Object> objects, const ApplyOptions& options) {
  return impl_->for_each<Object>(
      objects, [&](const Object& object) { return apply_request(impl_->session.server(), object, options); },
      [this](const http::Response& response, const Object& object, const std::string& summary) {
        return impl_->read_applied(response, object, summary);
      });
}

Object Client::create(const Object& object) {
  auto request = create_request(impl_->session.server(), object);
  const auto summary = request.summary;
  return impl_->read_applied(impl_->session.send(std::move(request), {}), object, summary);
}

Object Client::merge_patch(const ObjectRef& ref, const Json& patch) {
  auto request = merge_patch_request(impl_->session.server(), ref, patch);
  auto tried = impl_->attempted(request, ref);
  if (ref.type.kind == "Secret") tried.masked = secret_values(patch);
  const auto response = impl_->session.send(std::move(request), {});
  // The answer to the first sending was lost and the second meets a newer version: perhaps it is our own.
  if (response.status == 409 && response.repeated_after_loss) {
    auto live = get(ref);
    if (live && has_been_applied(live->json(), patch)) return std::move(*live);
  }
  return Object(parse_answer(response, tried));
}

std::optional<std::string> Client::remove(const ObjectRef& ref, const DeleteOptions& options) {
  auto request = delete_request(impl_->session.server(), ref, options);
  const auto tried = impl_->attempted(request, ref);
  const auto response = impl_->session.send(std::move(request), {});
  if (is_not_found(response, ref.type.group)) {
    // Gone by the first sending, whose answer was lost: it met the very object that was meant.
    if (response.repeated_after_loss && (!options.uid.empty() || !options.resource_version.empty())) return options.uid;
    return std::nullopt;
  }
  if (response.status == 409) {
    // A namespace that is being deleted answers a second delete so, too.
    const auto live = get(ref);
    if (live && live->deleting() && (options.uid.empty() || options.uid == live->uid())) return live->uid();
  }
  const auto json = parse_answer(response, tried);
  if (const auto status = parse_status(json)) return status->uid;
  return Object(json).uid();
}

void Client::watch(const ResourceType& type, std::string_view name_space, const ListOptions& options,
                   const std::function<bool(const WatchEvent&)>& on_event, std::stop_token stop) {
  Watch(impl_->session, type, std::string(name_space), options, on_event, std::move(stop)).run();
}

std::optional<std::string> Client::logs(std::string_view name_space, std::string_view pod, const LogOptions& options) {
  auto request = logs_request(impl_->session.server(), name_space, pod, options);
  const auto tried =
      impl_->session.attempted(request.summary, "Pod " + std::string(name_space) + "/" + std::string(pod));
  const auto response = impl_->session.send(std::move(request), {});
  if (is_success(response)) return response.body;
  if (is_not_found(response)) return std::nullopt;
  // Not started yet, no earlier run. To name no container where there are several is the caller's mistake.
  if (response.status == 400 && response.body.find("a container name must be specified") == std::string::npos)
    return std::nullopt;
  std::rethrow_exception(api_error(response, tried));
}

}  // namespace litedesk::kubernetes
