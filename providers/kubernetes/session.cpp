#include "providers/kubernetes/session.hpp"

#include <unistd.h>

#include "providers/error.hpp"
#include "providers/kubernetes/requests.hpp"
#include "providers/read_json.hpp"

namespace litedesk::kubernetes {

namespace {

// How often a list starts again because its snapshot was compacted away; each start reads the newest state.
constexpr int list_attempts = 5;
constexpr int most_pages = 100'000;

// A credential plugin inherits our environment, so that is what its cached credential belongs to.
std::map<std::string, std::string> inherited_environment() {
  std::map<std::string, std::string> variables;
  for (char** each = ::environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view entry = *each;
    const auto equals = entry.find('=');
    if (equals != std::string_view::npos) variables.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return variables;
}

ExecOptions exec_options(const ClusterConfig& config, const ClientOptions& options) {
  ExecOptions result;
  if (!config.exec) return result;
  result.cache_folder = options.exec_cache_folder;
  result.interactive = options.interactive;
  result.clock = options.clock;
  result.environment = inherited_environment();
  result.withheld = options.exec_withheld;
  result.interrupted = options.interrupted;
  return result;
}

}  // namespace

Session::Session(http::Transport& transport, ClusterConfig config, ClientOptions options)
    : transport_(transport),
      config_(std::move(config)),
      options_(std::move(options)),
      credentials_(config_, exec_options(config_, options_)) {
  if (config_.tls.insecure_skip_verify && options_.on_warning)
    options_.on_warning("whether " + config_.server + " is the right server is not verified: context \"" +
                        config_.context + "\" has insecure-skip-tls-verify");
}

Attempted Session::attempted(const std::string& summary, const std::string& resource, const std::string& group) const {
  Attempted result;
  result.what = summary;
  result.group = group;
  if (!resource.empty()) result.resource = "kubernetes " + resource;
  result.server = config_.server;
  result.origin = "context \"" + config_.context + "\"" + (config_.origin.empty() ? "" : " of " + config_.origin);
  result.credentials_withheld = credentials_.withheld();
  return result;
}

void Session::prepare(http::Request& request, const Identity& identity) const {
  request.headers.insert(request.headers.end(), identity.headers.begin(), identity.headers.end());
  if (config_.disable_compression) request.headers.push_back({"Accept-Encoding", "identity"});
  request.tls = identity.tls;
  request.timeout = options_.request_timeout;
}

template <class Once>
http::Response Session::with_identity(http::Request request, const Once& once) {
  const auto identity = credentials_.current();
  const auto tried = attempted(request.summary);
  try {
    auto first = request;
    prepare(first, identity);
    auto response = once(std::move(first));
    if (response.status == 401) {
      // Refused before anything was done: to send it again is safe whatever it does.
      if (const auto renewed = credentials_.renewed(identity)) {
        const bool lost = response.repeated_after_loss;
        prepare(request, *renewed);
        response = once(std::move(request));
        response.repeated_after_loss = response.repeated_after_loss || lost;
      }
    }
    warn(response);
    return response;
  } catch (const Error&) {
    std::rethrow_exception(with_origin(std::current_exception(), tried));
  }
}

http::Response Session::send(http::Request request, std::stop_token stop) {
  return with_identity(std::move(request), [&](http::Request each) { return transport_.send(std::move(each), stop); });
}

http::Response Session::stream(http::Request request, const http::ChunkHandler& on_chunk,
                               std::chrono::milliseconds idle, std::stop_token stop) {
  return with_identity(std::move(request),
                       [&](http::Request each) { return transport_.stream(std::move(each), on_chunk, idle, stop); });
}

std::vector<http::Result> Session::send_all(std::vector<http::Request> requests) {
  if (requests.empty()) return {};
  Identity identity;
  try {
    identity = credentials_.current();
  } catch (const Error&) {
    return std::vector<http::Result>(requests.size(), std::current_exception());
  }
  auto prepared = requests;
  for (auto& request : prepared) prepare(request, identity);
  auto results = transport_.send_all(std::move(prepared), {});

  std::vector<std::size_t> refused;
  for (std::size_t i = 0; i < results.size(); ++i)
    if (const auto* response = std::get_if<http::Response>(&results[i]); response != nullptr && response->status == 401)
      refused.push_back(i);
  if (!refused.empty()) {
    std::optional<Identity> renewed;
    try {
      renewed = credentials_.renewed(identity);
    } catch (const Error&) {
      for (const auto i : refused) results[i] = std::current_exception();
    }
    if (renewed) {
      std::vector<http::Request> again;
      for (const auto i : refused) prepare(again.emplace_back(requests[i]), *renewed);
      auto second = transport_.send_all(std::move(again), {});
      for (std::size_t i = 0; i < refused.size(); ++i) {
        auto& result = results[refused[i]];
        const bool lost = std::get<http::Response>(result).repeated_after_loss;
        result = std::move(second[i]);
        if (auto* response = std::get_if<http::Response>(&result))
          response->repeated_after_loss = response->repeated_after_loss || lost;
      }
    }
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (const auto* response = std::get_if<http::Response>(&results[i])) {
      warn(*response);
    } else {
      results[i] = with_origin(std::get<std::exception_ptr>(results[i]), attempted(requests[i].summary));
    }
  }
  return results;
}

void Session::warn(const http::Response& response) {
  if (!options_.on_warning) return;
  for (const auto& text : parse_warnings(response.headers)) {
    const std::lock_guard lock(warned_mutex_);
    if (warned_.insert(text).second) options_.on_warning(text);
  }
}

ObjectList Session::list(const ResourceType& type, std::string_view name_space, const ListOptions& options,
                         std::stop_token stop) {
  const auto tried = attempted("list " + describe(type, name_space), describe(type, name_space), type.group);
  for (int attempt = 1;; ++attempt) {
    ObjectList result;
    std::string continue_token;
    bool expired = false;
    for (int page = 0; page < most_pages; ++page) {
      const auto response = send(list_request(server(), type, name_space, options, continue_token), stop);
      if (response.status == 410 && !continue_token.empty() && attempt < list_attempts) {
        expired = true;
        break;
      }
      auto json = parse_answer(response, tried);
      const auto items = json.find("items");
      const Object list(Json{{"metadata", json.value("metadata", Json::object())}});
      if (items == json.end() || !(items->is_array() || items->is_null()))
        std::rethrow_exception(unusable_answer(response, tried));
      if (items->is_array())
        for (auto& item : *items) {
          if (!item.is_object()) std::rethrow_exception(unusable_answer(response, tried));
          // In a list of a built-in kind only the list says what its items are.
          item["apiVersion"] = type.api_version();
          item["kind"] = type.kind;
          seal_secret(item);
          result.items.emplace_back(std::move(item));
        }
      result.resource_version = list.resource_version();
      // Pages may be short or even empty: only the token says whether there are more.
      continue_token = list.text("metadata.continue");
      if (continue_token.empty()) return result;
    }
    if (!expired)
      throw Unavailable({.message = tried.what + ": the list does not end",
                         .hint = "is " + tried.server + " a Kubernetes API server?"});
  }
}

Json parse_answer(const http::Response& response, const Attempted& attempted) {
  if (!is_success(response)) std::rethrow_exception(api_error(response, attempted));
  auto json = parse_json(response.body);
  if (!json.is_object()) std::rethrow_exception(unusable_answer(response, attempted));
  seal_secret(json);
  return json;
}

}  // namespace litedesk::kubernetes
