// The Kubernetes API, as much of it as an instance needs. Interfaces are narrow, one a use.
// Rules: the API conventions (github.com/kubernetes/community, contributors/devel/sig-architecture/api-conventions.md).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "providers/http/transport.hpp"
#include "providers/kubernetes/kubeconfig.hpp"
#include "providers/kubernetes/object.hpp"
#include "providers/system/clock.hpp"

namespace litedesk::kubernetes {

// What each of several answered: a value, or the Error that its request alone would have thrown.
template <class T>
using Each = std::vector<std::variant<T, std::exception_ptr>>;

struct ListOptions {
  std::string label_selector;
  std::string field_selector;
  int page_size = 500;
};

struct ObjectList {
  std::vector<Object> items;  // each with its apiVersion and kind
  std::string resource_version;
};

struct ApplyOptions {
  bool dry_run = false;
  bool force = false;  // take over fields that other managers own
  std::string field_manager = "litedesk";
};

struct DeleteOptions {
  std::string uid;                         // precondition; empty: none
  std::string propagation = "Background";  // Background | Foreground | Orphan
  bool dry_run = false;
  std::string resource_version;  // precondition; empty: none
};

struct LogOptions {
  std::string container;
  bool previous = false;
  int tail_lines = 20;
};

enum class EventType { added, modified, deleted, bookmark };
struct WatchEvent {
  EventType type = EventType::added;
  Object object;  // a bookmark has only metadata.resourceVersion
};

// Errors in all of them: what the API's Status says, in its own words as the cause.
//   401 AuthError · 403 PermissionDenied · 404 NotFound · 409, 410 Conflict · 400, 413, 415, 422 ValidationError
//   429 RateLimited · 502, 503 and what no API server sends Unavailable · 504 Timeout · 405, 500 and the rest Failed
// See api_error_info (below) for the Status' reason and causes.

class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  // Nothing when it is not there (404 with reason NotFound; also when the kind itself is not served: see serves()).
  [[nodiscard]] virtual std::optional<Object> get(const ObjectRef& ref) = 0;
  // All at once on one connection.
  [[nodiscard]] virtual Each<std::optional<Object>> get_all(std::span<const ObjectRef> refs) = 0;
  // Follows `continue`; starts again without a token when it has expired (410).
  [[nodiscard]] virtual ObjectList list(const ResourceType& type, std::string_view name_space,
                                        const ListOptions& options) = 0;
  // Whether the API server serves that kind (the group version's discovery document names it).
  [[nodiscard]] virtual bool serves(const ResourceType& type) = 0;
};

class ObjectApplier {
 public:
  virtual ~ObjectApplier() = default;
  // Server-side apply with fieldValidation=Strict. Returns what is stored (or would be, with dry_run).
  virtual Object apply(const Object& object, const ApplyOptions& options) = 0;
  virtual Each<Object> apply_all(std::span<const Object> objects, const ApplyOptions& options) = 0;
  // POST; throws Conflict when the name is taken.
  virtual Object create(const Object& object) = 0;
  // JSON merge patch (RFC 7386) with fieldValidation=Strict. A metadata.resourceVersion in it is a precondition.
  virtual Object merge_patch(const ObjectRef& ref, const Json& patch) = 0;
  // Returns the uid of what is being deleted, nothing when it was not there. Conflict when the uid differs. Empty when
  // it is gone by a sending whose answer was lost, and only its version had been given.
  virtual std::optional<std::string> remove(const ObjectRef& ref, const DeleteOptions& options) = 0;
};

class Watcher {
 public:
  virtual ~Watcher() = default;
  // Lists, then watches from there, for as long as `on_event` returns true and `stop` is not requested. Each object
  // listed comes as `added` first, and then one `bookmark`: now everything that was there has been told. After a
  // re-list (410, Expired) what is gone comes as `deleted` as it was last seen, what differs as `modified`, and a
  // `bookmark` again. Ends of streams and passing errors (429, 500, 503, 504, lost connections) are repaired inside,
  // with back-off, once the first list is there; what the first list throws is thrown, and so are 401 and 403 at any
  // time.
  virtual void watch(const ResourceType& type, std::string_view name_space, const ListOptions& options,
                     const std::function<bool(const WatchEvent&)>& on_event, std::stop_token stop) = 0;
};

class LogReader {
 public:
  virtual ~LogReader() = default;
  // The last lines of a container's log; nothing when it has none (not started, no earlier run).
  [[nodiscard]] virtual std::optional<std::string> logs(std::string_view name_space, std::string_view pod,
                                                        const LogOptions& options) = 0;
};

struct StatusCause {
  std::string reason;
  std::string message;
  std::string field;
};

// The details of a Status, carried by every error that came as one: catch Error, then dynamic_cast to ApiErrorInfo.
class ApiErrorInfo {
 public:
  virtual ~ApiErrorInfo() = default;
  int http_status = 0;
  std::string reason;  // "Forbidden"; may be empty when the answer was no Status
  std::vector<StatusCause> causes;
};
[[nodiscard]] const ApiErrorInfo* api_error_info(const std::exception& error);

struct ClientOptions {
  std::function<void(const std::string&)> on_warning;  // a Warning header's text, each different one once
  std::string exec_cache_folder;                       // credentials of exec plugins, 0600; empty: this process only
  std::vector<std::string> exec_withheld;              // beginnings of variables' names that exec plugins do not get
  bool interactive = false;                            // whether an exec plugin may use the terminal
  const system::Clock* clock = &system::real_clock();
  std::chrono::milliseconds request_timeout{30'000};
  std::stop_token interrupted = {};  // ends an exec plugin that runs
};

class Client : public ObjectReader, public ObjectApplier, public Watcher, public LogReader {
 public:
  Client(http::Transport& transport, ClusterConfig config, ClientOptions options);
  ~Client() override;

  [[nodiscard]] const ClusterConfig& config() const;
  // GET /version: gitVersion.
  [[nodiscard]] std::string server_version();

  std::optional<Object> get(const ObjectRef& ref) override;
  Each<std::optional<Object>> get_all(std::span<const ObjectRef> refs) override;
  ObjectList list(const ResourceType& type, std::string_view name_space, const ListOptions& options) override;
  bool serves(const ResourceType& type) override;
  Object apply(const Object& object, const ApplyOptions& options) override;
  Each<Object> apply_all(std::span<const Object> objects, const ApplyOptions& options) override;
  Object create(const Object& object) override;
  Object merge_patch(const ObjectRef& ref, const Json& patch) override;
  std::optional<std::string> remove(const ObjectRef& ref, const DeleteOptions& options) override;
  void watch(const ResourceType& type, std::string_view name_space, const ListOptions& options,
             const std::function<bool(const WatchEvent&)>& on_event, std::stop_token stop) override;
  std::optional<std::string> logs(std::string_view name_space, std::string_view pod,
                                  const LogOptions& options) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace litedesk::kubernetes
