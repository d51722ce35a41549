#include "providers/atlas/client.hpp"

#include <algorithm>
#include <mutex>
#include <set>

#include <nlohmann/json.hpp>

#include "providers/atlas/documents.hpp"
#include "providers/atlas/errors.hpp"
#include "providers/atlas/token.hpp"
#include "providers/error.hpp"
#include "providers/http/url.hpp"
#include "providers/read_json.hpp"
#include "providers/system/hash.hpp"
#include "providers/system/sealed.hpp"

namespace litedesk::atlas {

namespace {

// The version date of each operation (Accept and Content-Type): the API document's newest for it.
constexpr std::string_view users_version = "2023-01-01";
constexpr std::string_view clusters_version = "2024-08-05";
constexpr std::string_view status_version = "2023-01-01";
constexpr std::string_view limits_version = "2023-01-01";

constexpr std::size_t page_size = 500;  // the most that Atlas gives
constexpr int most_pages = 1'000;
// How long to look for the outcome of a request whose answer was lost.
constexpr std::chrono::milliseconds look_again_timeout{10'000};

struct Call {
  http::Method method = http::Method::get;
  std::string path;  // below the project: "/databaseUsers"
  std::string_view version;
  std::string summary, resource;
  std::string body;
  http::Repeat repeat = http::Repeat::by_method;
  std::chrono::milliseconds timeout = std::chrono::milliseconds::max();  // never longer than the options allow
  std::stop_token stop{};
};

bool is_hex24(std::string_view text) {
  return text.size() == 24 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string user_resource(std::string_view username) {
  return "atlas DatabaseUser " + std::string(username);
}
std::string cluster_resource(std::string_view name) {
  return "atlas Cluster " + std::string(name);
}

std::string user_path(std::string_view auth_database, std::string_view username) {
  return "/databaseUsers/" + http::percent_encode(auth_database) + "/" + http::percent_encode(username);
}

bool is_absent(const http::Response& response, std::initializer_list<std::string_view> codes) {
  if (response.status != 404) return false;
  const auto code = parse_error(response).code;
  for (const auto absent : codes)
    if (code == absent) return true;
  return false;
}

bool has_next(const Json& page) {
  const auto links = page.find("links");
  if (links == page.end() || !links->is_array()) return false;
  for (const auto& link : *links)
    if (link.is_object() && link.value("rel", Json()) == "next") return true;
  return false;
}

}  // namespace

struct Client::Impl {
  http::Transport& transport;
  Credentials credentials;
  ClientOptions options;
  std::optional<TokenSource> tokens;
  std::mutex warned_mutex;
  std::set<std::string> warned;

  Impl(http::Transport& through, Credentials who, ClientOptions how)
      : transport(through), credentials(std::move(who)), options(std::move(how)) {
    while (options.url.ends_with('/')) options.url.pop_back();
    if (credentials.is_service_account()) tokens.emplace(transport, credentials, options);
  }

  [[nodiscard]] Refusal refusal(const Call& call, const std::optional<Secret>& also = std::nullopt) const {
    Refusal result{call.summary,   call.resource,      options.project,
                   credentials.id, tokens.has_value(), {credentials.secret.reveal()}};
    if (also) result.secrets.push_back(also->reveal());
    return result;
  }

  void check_settings(const Call& call) const {
    if (!is_hex24(options.project))
      throw UsageError(
          {.message = "cannot " + call.summary + ": " +
                      (options.project.empty() ? "no Atlas project is set"
                                               : options.project + " is not a project ID of 24 hexadecimal digits"),
           .hint = "set MONGODB_ATLAS_PROJECT_ID; `atlas projects list` shows the IDs",
           .resource = call.resource,
           .cause = ""});
    if (http::is_plain_http_over_network(options.url))
      throw UsageError({.message = "cannot " + call.summary + ": " + options.url + " is plain http to another machine",
                        .hint = "use https: credentials are sent there",
                        .resource = call.resource,
                        .cause = ""});
    if (credentials.id.empty() || credentials.secret.empty())
      throw AuthError(
          {.message = "cannot " + call.summary + ": no Atlas key is set",
           .hint =
               "set MONGODB_ATLAS_API_KEY and MONGODB_ATLAS_API_SECRET to a service account's client id and secret, "
               "or to an API key's public and private key",
           .resource = call.resource,
           .cause = ""});
  }

  // Sunset (RFC 8594) announces an operation's end.
  void heed_headers(const http::Response& response, const Call& call) {
    const auto sunset = http::find(response.headers, "sunset");
    if (sunset.empty() || !options.warn) return;
    {
      const std::lock_guard lock(warned_mutex);
      if (!warned.insert(std::string(http::to_string(call.method)) + " " + std::string(call.version)).second) return;
    }
    options.warn("Atlas will end version " + std::string(call.version) + " of an operation on " + std::string(sunset) +
                 " (seen on: " + call.summary + "): a newer litedesk is needed by then");
  }

  http::Response send_once(const Call& call, const Secret& token) {
    http::Request request;
    request.method = call.method;
    request.url = options.url + "/api/atlas/v2/groups/" + http::percent_encode(options.project) + call.path;
    request.api = http::Api::atlas;
    request.timeout = std::min(call.timeout, options.request_timeout);
    request.repeat = call.repeat;
    request.summary = call.summary;
    const auto media = "application/vnd.atlas." + std::string(call.version) + "+json";
    request.headers.push_back({"Accept", media});
    if (!call.body.empty()) {
      request.headers.push_back({"Content-Type", media});
      request.body = std::string(system::unseal_json(call.body).reveal());  // wiped once it is sent
    }
    if (tokens)
      request.headers.push_back({"Authorization", "Bearer " + std::string(token.reveal())});
    else
      request.digest = http::DigestCredentials{credentials.id, credentials.secret};
    return transport.send(std::move(request), call.stop);
  }

  // Atlas knows who asks, and refuses what is asked: another token would be refused like this one.
  static bool refuses_the_token(const http::Response& response) {
    if (response.status != 401) return false;
    const auto code = parse_error(response).code;
    return code != "USER_UNAUTHORIZED" && code != "NOT_IN_GROUP";
  }

  // Whatever status came back. A refused token is fetched anew once: it may have been revoked.
  http::Response send(const Call& call) {
    check_settings(call);
    auto token = tokens ? tokens->get() : Secret();
    auto response = send_once(call, token);
    if (tokens && refuses_the_token(response) && tokens->drop(token)) {
      token = tokens->get();
      const bool lost = response.repeated_after_loss;
      response = send_once(call, token);
      response.repeated_after_loss = response.repeated_after_loss || lost;
    }
    heed_headers(response, call);
    return response;
  }

  [[nodiscard]] static Json parse(const http::Response& response, const Call& call) {
    auto document = parse_json(response.body);
    if (!document.is_discarded()) return document;
    const auto type = http::find(response.headers, "content-type");
    throw Unavailable({.message = "cannot " + call.summary + ": the answer is not JSON",
                       .hint = "check the Atlas URL and any proxy between",
                       .resource = call.resource,
                       .cause = "HTTP " + std::to_string(response.status) + ", " +
                                std::string(type.empty() ? "no content type" : type)});
  }

  Json get_json(const Call& call) {
    const auto response = send(call);
    if (response.status / 100 != 2) throw_refusal(response, refusal(call));
    return parse(response, call);
  }

  // Nothing where Atlas says with one of the codes that it is not there: a bare 404 may be about the project.
  std::optional<Json> find_json(const Call& call, std::initializer_list<std::string_view> absent_codes) {
    const auto response = send(call);
    if (is_absent(response, absent_codes)) return std::nullopt;
    if (response.status / 100 != 2) throw_refusal(response, refusal(call));
    return parse(response, call);
  }

  // Links may name another host, so the addresses are our own.
  std::vector<Json> list_json(const Call& call) {
    std::vector<Json> all;
    for (int page = 1; page <= most_pages; ++page) {
      auto one = call;
      one.path +=
          "?itemsPerPage=" + std::to_string(page_size) + "&pageNum=" + std::to_string(page) + "&includeCount=false";
      const auto document = get_json(one);
      const auto results = document.is_object() ? document.find("results") : document.end();
      if (!document.is_object() || results == document.end() || !results->is_array())
        throw Unavailable({.message = "cannot " + call.summary + ": the answer contains no list",
                           .hint = "check the Atlas URL and any proxy between",
                           .resource = call.resource,
                           .cause = ""});
      for (const auto& result : *results) all.push_back(result);
      if (results->empty() || (results->size() < page_size && !has_next(document))) return all;
    }
    throw Unavailable("cannot " + call.summary + ": Atlas gives page after page");
  }

  Call user_call(http::Method method, const std::string& verb, std::string_view auth_database,
                 std::string_view username) const {
    Call call;
    call.method = method;
    call.path = user_path(auth_database, username);
    call.version = users_version;
    call.summary = verb + " database user " + std::string(username);
    call.resource = user_resource(username);
    return call;
  }

  std::optional<DatabaseUser> find_user(std::string_view auth_database, std::string_view username,
                                        std::chrono::milliseconds timeout) {
    auto call = user_call(http::Method::get, "read", auth_database, username);
    call.timeout = timeout;
    const auto document = find_json(call, {"USERNAME_NOT_FOUND", "USER_NOT_FOUND"});
    if (!document) return std::nullopt;
    return to_user(*document);
  }

  // What became of a request whose answer was lost. When that cannot be told either, the first failure stands.
  std::optional<DatabaseUser> look_again(const DatabaseUser& user, const std::exception_ptr& failure) {
    try {
      return find_user(user.auth_database, user.username, look_again_timeout);
    } catch (const Error&) {
      std::rethrow_exception(failure);
    }
  }

  DatabaseUser patch_user(const DatabaseUser& user, const std::optional<Secret>& password) {
    auto call = user_call(http::Method::patch, "update", user.auth_database, user.username);
    call.repeat = http::Repeat::safe;  // it states what shall be
    call.body = to_document(user, options.project, password).dump();
    const auto response = send(call);
    wipe(call.body);
    if (response.status / 100 != 2) throw_refusal(response, refusal(call, password));
    return to_user(parse(response, call));
  }
};

Client::Client(http::Transport& transport, Credentials credentials, ClientOptions options)
    : impl_(std::make_unique<Impl>(transport, std::move(credentials), std::move(options))) {}

Client::~Client() = default;

std::optional<DatabaseUser> Client::get_user(std::string_view username) {
  return impl_->find_user("admin", username, impl_->options.request_timeout);
}

// A POST is not repeated blindly: when its outcome is unknown, what is there decides.
DatabaseUser Client::create_user(const DatabaseUser& user, const Secret& password) {
  check_user(user, password);
  Call call;
  call.method = http::Method::post;
  call.path = "/databaseUsers";
  call.version = users_version;
  call.summary = "create database user " + user.username;
  call.resource = user_resource(user.username);
  call.repeat = http::Repeat::unsafe;
  call.body = to_document(user, impl_->options.project, password).dump();
  struct Wipe {
    std::string& text;
    ~Wipe() { wipe(text); }
  } wiped{call.body};

  for (bool second = false;; second = true) {
    bool uncertain = second;
    std::exception_ptr failure;  // what to say when looking does not help
    try {
      const auto response = impl_->send(call);
      if (response.status / 100 == 2) return to_user(Impl::parse(response, call));
      uncertain = uncertain || response.repeated_after_loss || response.status >= 500;
      throw_refusal(response, impl_->refusal(call, password));
    } catch (const Error& error) {
      if (!uncertain && error.code() != ErrorCode::unavailable && error.code() != ErrorCode::timeout) throw;
      failure = std::current_exception();
    }
    const auto found = impl_->look_again(user, failure);
    if (found && equivalent(*found, user)) return impl_->patch_user(user, password);
    if (found || second) std::rethrow_exception(failure);
  }
}

DatabaseUser Client::update_user(const DatabaseUser& user, const std::optional<Secret>& password) {
  check_user(user, password);
  return impl_->patch_user(user, password);
}

bool Client::remove_user(std::string_view username) {
  const auto call = impl_->user_call(http::Method::del, "delete", "admin", username);
  const auto response = impl_->send(call);
  // Gone at the second try: it was the first, whose answer was lost.
  if (is_absent(response, {"USERNAME_NOT_FOUND", "USER_NOT_FOUND"})) return response.repeated_after_loss;
  if (response.status / 100 != 2) throw_refusal(response, impl_->refusal(call));
  return true;
}

std::vector<DatabaseUser> Client::list_users() {
  Call call;
  call.path = "/databaseUsers";
  call.version = users_version;
  call.summary = "list the database users of project " + impl_->options.project;
  call.resource = "atlas Project " + impl_->options.project;
  std::vector<DatabaseUser> users;
  for (const auto& document : impl_->list_json(call)) users.push_back(to_user(document));
  return users;
}

std::optional<Cluster> Client::get_cluster(std::string_view name) {
  Call call;
  call.path = "/clusters/" + http::percent_encode(name);
  call.version = clusters_version;
  call.summary = "read cluster " + std::string(name);
  call.resource = cluster_resource(name);
  const auto document = impl_->find_json(call, {"CLUSTER_NOT_FOUND"});
  if (!document) return std::nullopt;
  return to_cluster(*document);
}

std::vector<Cluster> Client::list_clusters() {
  Call call;
  call.path = "/clusters";
  call.version = clusters_version;
  call.summary = "list the clusters of project " + impl_->options.project;
  call.resource = "atlas Project " + impl_->options.project;
  std::vector<Cluster> clusters;
  for (const auto& document : impl_->list_json(call)) clusters.push_back(to_cluster(document));
  return clusters;
}

bool Client::changes_applied(std::string_view cluster, std::stop_token stop) {
  Call call;
  call.path = "/clusters/" + http::percent_encode(cluster) + "/status";
  call.version = status_version;
  call.summary = "read the change status of cluster " + std::string(cluster);
  call.stop = std::move(stop);
  call.resource = cluster_resource(cluster);
  const auto document = impl_->get_json(call);
  return document.is_object() && document.value("changeStatus", Json()) == "APPLIED";
}

Limit Client::limit(std::string_view name) {
  Call call;
  call.path = "/limits/" + http::percent_encode(name);
  call.version = limits_version;
  call.summary = "read limit " + std::string(name) + " of project " + impl_->options.project;
  call.resource = "atlas Project " + impl_->options.project;
  return to_limit(impl_->get_json(call));
}

}  // namespace litedesk::atlas
