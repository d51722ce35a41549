// Amazon Route 53, API version 2013-04-01 (docs.aws.amazon.com/Route53/latest/APIReference).
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "providers/aws/credentials.hpp"
#include "providers/http/transport.hpp"
#include "providers/system/clock.hpp"

namespace litedesk::route53 {

// "Z0123", never with the "/hostedzone/" prefix.
struct HostedZoneId {
  std::string value;
  friend auto operator<=>(const HostedZoneId&, const HostedZoneId&) = default;
};

struct HostedZone {
  HostedZoneId id;
  std::string name;  // lower case, no trailing dot
  bool is_private = false;
  std::int64_t record_count = 0;
};

struct AliasTarget {
  HostedZoneId zone;
  std::string name;  // no trailing dot; a leading "dualstack." is kept as stored
  bool evaluate_health = false;
  friend bool operator==(const AliasTarget&, const AliasTarget&) = default;
};

struct RecordSet {
  std::string name;                 // lower case, no trailing dot, "*" not escaped
  std::string type;                 // "CNAME"
  std::int64_t ttl = 300;           // seconds; 0 with an alias
  std::vector<std::string> values;  // as stored: TXT values with their quotes
  std::optional<AliasTarget> alias;
  std::string set_identifier;  // weighted, latency... records; empty for a simple one
  std::string routing_xml;     // what a routing policy adds (Weight, Region...), kept verbatim for a DELETE
  friend bool operator==(const RecordSet&, const RecordSet&) = default;
};
// The same data whatever the order of values, the case and escapes of names, the trailing dots, a "dualstack." prefix.
[[nodiscard]] bool equivalent(const RecordSet& a, const RecordSet& b);

enum class Action { create, remove, upsert };
struct RecordChange {
  Action action = Action::upsert;
  RecordSet record;
};

enum class ChangeStatus { pending, insync };
struct ChangeInfo {
  std::string id;  // without "/change/"
  ChangeStatus status = ChangeStatus::pending;
};

// Names as Route 53 writes them: characters other than a-z 0-9 - _ . as \ooo octal. to_wire adds the trailing dot.
[[nodiscard]] std::string to_wire_name(std::string_view name);
[[nodiscard]] std::string from_wire_name(std::string_view name);
// A TXT value as stored: quoted, `"` and `\` escaped, strings of at most 255 bytes separated by a space (RFC
// 1035, 3.3.14).
[[nodiscard]] std::string quote_txt(std::string_view text);
[[nodiscard]] std::string unquote_txt(std::string_view value);
// The hosted zone of an AWS load balancer by its DNS name, as Elastic Load Balancing publishes them; nothing when the
// name is no load balancer's.
[[nodiscard]] std::optional<HostedZoneId> load_balancer_zone(std::string_view dns_name);

class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // Nothing when the zone has none of that name and type.
  [[nodiscard]] virtual std::optional<RecordSet> get(const HostedZoneId& zone, std::string_view name,
                                                     std::string_view type) = 0;
  // Every record whose name is exactly `name`, of any type.
  [[nodiscard]] virtual std::vector<RecordSet> get_name(const HostedZoneId& zone, std::string_view name) = 0;
  // The whole zone, following NextRecordName, NextRecordType and NextRecordIdentifier.
  [[nodiscard]] virtual std::vector<RecordSet> list(const HostedZoneId& zone) = 0;
};

class RecordWriter {
 public:
  virtual ~RecordWriter() = default;
  // One atomic batch. Throws Conflict when the zone does not hold what the batch supposes (already exists, not found,
  // values differ), ValidationError when a record is refused, NotFound for the zone. After a lost answer the records
  // are read again, and a state equal to the wanted one is success (with an empty change id and status insync).
  virtual ChangeInfo change(const HostedZoneId& zone, std::span<const RecordChange> changes,
                            std::string_view comment) = 0;
  // Throws Cancelled as soon as `stop` is requested, retries included.
  [[nodiscard]] virtual ChangeInfo get_change(std::string_view id, std::stop_token stop) = 0;
};

// The poll interval while a change is PENDING.
inline constexpr std::chrono::milliseconds insync_poll{5'000};
// Polls until INSYNC. Returns false when `timeout` passed or `stop` was requested first. An answer that did not come
// (Unavailable, Timeout, RateLimited) does not end the wait: the change itself goes on.
[[nodiscard]] bool wait_insync(RecordWriter& writer, std::string_view change_id, std::chrono::milliseconds timeout,
                               const system::Clock& clock, std::stop_token stop);

struct ClientOptions {
  std::string endpoint = "https://route53.amazonaws.com";
  std::string region = "us-east-1";  // of the signature
  std::shared_ptr<const http::Tls> tls;
  const system::Clock* clock = &system::real_clock();
  std::chrono::milliseconds request_timeout{30'000};
};

// Errors: AccessDenied PermissionDenied · InvalidClientTokenId, SignatureDoesNotMatch, ExpiredToken AuthError (a clock
// that is off is said so) · NoSuchHostedZone, NoSuchChange NotFound · InvalidChangeBatch Conflict or ValidationError ·
// InvalidInput ValidationError · Throttling, PriorRequestNotComplete RateLimited · 5xx and what is no Route 53 document
// Unavailable · the rest Failed; the cause is "Code: Message". Thread-safe.
class Client : public RecordReader, public RecordWriter {
 public:
  // `credentials` is asked before each attempt.
  Client(http::Transport& transport, std::function<aws::Credentials()> credentials, ClientOptions options);

  // Public zones whose name is exactly `name`; several can exist.
  [[nodiscard]] std::vector<HostedZone> zones_named(std::string_view name);
  // Throws NotFound.
  [[nodiscard]] HostedZone zone(const HostedZoneId& id);

  std::optional<RecordSet> get(const HostedZoneId& zone, std::string_view name, std::string_view type) override;
  std::vector<RecordSet> get_name(const HostedZoneId& zone, std::string_view name) override;
  std::vector<RecordSet> list(const HostedZoneId& zone) override;
  ChangeInfo change(const HostedZoneId& zone, std::span<const RecordChange> changes, std::string_view comment) override;
  ChangeInfo get_change(std::string_view id, std::stop_token stop) override;

 private:
  struct Read {  // one look: what for, at what, and how long it may take
    std::string summary, resource;
    std::chrono::milliseconds timeout{std::chrono::milliseconds::max()};  // never longer than the options allow
    std::stop_token stop{};
  };
  struct Start {
    std::string name, type, page_size;
  };
  http::Response send(http::Request request, std::string_view summary, std::stop_token stop = {});
  [[noreturn]] void refuse(const http::Response& response, std::string_view summary, std::string_view resource) const;
  std::string get_document(std::string path, const Read& read);
  void walk(const HostedZoneId& zone, const Start& start, const Read& read,
            const std::function<bool(RecordSet&)>& take);
  std::vector<RecordSet> records_of(const HostedZoneId& zone, std::string_view name, std::chrono::milliseconds timeout);
  bool holds(const HostedZoneId& zone, std::span<const RecordChange> changes);

  http::Transport& transport_;
  std::function<aws::Credentials()> credentials_;
  ClientOptions options_;
};

}  // namespace litedesk::route53
