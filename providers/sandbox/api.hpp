// Inside the sandbox: what a stand-in is given, what it gives back, and the state that all of them share.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"
#include "providers/system/clock.hpp"

namespace litedesk::sandbox {

struct Call {
  std::string method;                                      // "GET"
  std::string target;                                      // as sent, with the query
  std::string path;                                        // as sent, without the query; segments still encoded
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::multimap<std::string, std::string> headers;         // names in lower case
  std::string body;

  // The first value of that name, or `otherwise`.
  [[nodiscard]] std::string parameter(std::string_view name, std::string_view otherwise = "") const;
  [[nodiscard]] bool has_parameter(std::string_view name) const;
  [[nodiscard]] std::string header(std::string_view name) const;
  // The path's segments, each decoded: "/api/v1/namespaces/a%2Fb" is {"api","v1","namespaces","a/b"}.
  [[nodiscard]] std::vector<std::string> segments() const;
};

// Writes a piece of a streamed body; false when the client has gone.
using Sink = std::function<bool(std::string_view)>;

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  // When set, the body is streamed (chunked): called again and again until it returns false. It should return at least
  // every 100 ms, so that the server can stop.
  std::function<bool(const Sink&)> stream;
};

// "a%2Fb+c" is "a/b+c" in a path and "a/b c" in a query or form.
[[nodiscard]] std::string percent_decode(std::string_view text, bool plus_is_space = false);
// "a=1&b" is {{"a","1"},{"b",""}}, decoded, in order.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parse_query(std::string_view text);

// One stand-in. handle() is called from many threads at once.
class Api {
 public:
  virtual ~Api() = default;
  virtual Reply handle(const Call& call) = 0;
  // How the API says "too many requests", 500 and 503: for faults.
  virtual Reply throttled() = 0;
  virtual Reply failed(int status) = 0;
  // Whether this one is asked by browsers, under names of its own: the others take only this machine's, and no Origin.
  [[nodiscard]] virtual bool is_public() const { return false; }
  // 500, because the sandbox itself could not go on (a full disk): `why` is for the person who reads the answer.
  virtual Reply broken([[maybe_unused]] const std::string& why) { return failed(500); }
};

// Stored rows: a collection ("kubernetes/deployments.apps", "route53/records"), a scope (namespace, zone, project), a
// name, and a JSON body. Every write takes the next revision, one counter for all, and is kept in a log that watches
// read, also those of other processes on the same file.
struct Row {
  std::string collection, scope, name;
  Json body;
  std::int64_t revision = 0;
};
struct LogEntry {
  std::int64_t revision = 0;
  std::string collection, scope, name;
  bool deleted = false;
  Json body;  // after the write; of a deletion: the last one before
};

class State {
 public:
  explicit State(const std::filesystem::path& file);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Runs `work` in one immediate (writing) transaction, serialised with every other one, here and in other processes.
  // An exception rolls it back.
  void write(const std::function<void()>& work);
  // Runs `work` on one snapshot: all that it reads (rows and revision()) is of one moment.
  void read(const std::function<void()>& work);
  // Waits until something was written after revision `after` (true), here or by another process, or `timeout` passed.
  [[nodiscard]] bool wait(std::int64_t after, std::chrono::milliseconds timeout);
  // Ends every wait() now and from now on: the sandbox stops.
  void interrupt();

  // Usable inside write() and outside.
  [[nodiscard]] std::optional<Row> get(std::string_view collection, std::string_view scope, std::string_view name);
  // Sorted by scope, then name. An absent scope means all of them.
  [[nodiscard]] std::vector<Row> list(std::string_view collection, std::optional<std::string_view> scope);
  // The first `most` of a scope whose name is not before `from`, by name.
  [[nodiscard]] std::vector<Row> list_from(std::string_view collection, std::string_view scope, std::string_view from,
                                           std::int64_t most);
  [[nodiscard]] std::int64_t count(std::string_view collection, std::optional<std::string_view> scope);
  // Names of collections that begin so.
  [[nodiscard]] std::vector<std::string> collections(std::string_view prefix);
  [[nodiscard]] std::int64_t revision();
  // Writes with revision > `after`, oldest first, of one collection (and scope). Only the last 10,000 are kept.
  [[nodiscard]] std::vector<LogEntry> log(std::string_view collection, std::optional<std::string_view> scope,
                                          std::int64_t after);
  [[nodiscard]] std::int64_t oldest_logged_revision();

  // Only inside write(). next_revision() is the one that the next put() or erase() will take and return: it is taken by
  // that write, not by asking.
  std::int64_t next_revision();
  std::int64_t put(std::string_view collection, std::string_view scope, std::string_view name, const Json& body);
  bool erase(std::string_view collection, std::string_view scope, std::string_view name);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What lets a client in. Whoever can reach the loopback of this machine must not know them: they are drawn at each
// start.
struct Keys {
  std::string kubernetes_token;
  std::string aws_access_key_id, aws_secret_access_key;
  std::string atlas_public_key, atlas_private_key;
  std::string atlas_client_id, atlas_client_secret;
};
// In the forms of the real ones.
[[nodiscard]] Keys draw_keys();

// What each stand-in is built with.
struct Context {
  State& state;
  const system::Clock& clock;
  double time_scale = 1.0;
  std::string domain;
  Keys keys;
};
// Each one also seeds what a new sandbox holds (once, in a write transaction).
[[nodiscard]] std::unique_ptr<Api> make_kubernetes_api(Context context);
[[nodiscard]] std::unique_ptr<Api> make_route53_api(Context context);
[[nodiscard]] std::unique_ptr<Api> make_atlas_api(Context context);
// The ingress controller, and the application behind it as far as a login that nobody has gets: what it answers follows
// from the Ingress, the Service's endpoints, the container's environment and the database user's rights.
[[nodiscard]] std::unique_ptr<Api> make_ingress(Context context);

// The same in every sandbox.
inline constexpr std::string_view zone_id = "Z0SANDBOX0LITEDESK";
inline constexpr std::string_view atlas_project = "5f0000000000000000000001";
inline constexpr std::string_view load_balancer = "a1b2.elb.amazonaws.com";

}  // namespace litedesk::sandbox
