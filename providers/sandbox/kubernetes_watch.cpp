// Watches: the log of the State, from the version that was asked for on, as a stream of events.
// Rules: kubernetes.io/docs/reference/using-api/api-concepts (efficient detection of changes).
#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_read.hpp"
#include "providers/sandbox/kubernetes_selectors.hpp"
#include "providers/sandbox/kubernetes_status.hpp"

namespace litedesk::sandbox::kube {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds longest_wait{100};
constexpr seconds bookmark_every{60};
constexpr seconds default_length{1800};

class Watch {
 public:
  Watch(Cluster& cluster, const Request& request)
      : cluster_(cluster),
        kinds_(request.kinds),
        kind_(*request.kind),
        name_space_(request.name_space),
        form_(request.form),
        include_(request.call->parameter("includeObject")),
        labels_(LabelSelector::parse(request.call->parameter("labelSelector"))),
        fields_(FieldSelector::parse(kind_, request.call->parameter("fieldSelector"))) {
    const auto& call = *request.call;
    bookmarks_ = call.parameter("allowWatchBookmarks") == "true" || call.parameter("allowWatchBookmarks") == "1";
    const auto length = std::strtoll(call.parameter("timeoutSeconds", "0").c_str(), nullptr, 10);
    end_ = cluster.clock().steady() + (length > 0 ? seconds(length) : default_length);
    next_bookmark_ = cluster.clock().steady() + bookmark_every;
    const auto given = call.parameter("resourceVersion");
    const bool from_now = given.empty() || given == "0";
    const auto wanted = call.parameter("sendInitialEvents");
    if (!wanted.empty() && call.parameter("resourceVersionMatch") != "NotOlderThan")
      throw invalid_options("ListOptions", value_forbidden("resourceVersionMatch",
                                                           "sendInitialEvents requires setting resourceVersionMatch "
                                                           "to NotOlderThan"));
    initial_ = from_now || wanted == "true";
    initial_end_ = initial_ && bookmarks_ && wanted != "false";
    if (!initial_) last_ = parse_version(given);
  }

  bool step(const Sink& sink) {
    cluster_.settle();
    if (initial_) return send_initial(sink);
    if (expired_from() > 0) {
      const auto words = fmt::format("too old resource version: {} ({})", last_, expired_from());
      send(sink, "ERROR", StatusError(410, "Expired", words).body());
      return false;
    }
    std::vector<LogEntry> entries;
    std::int64_t now = 0;
    cluster_.state().read([&] {
      now = cluster_.state().revision();
      if (now > last_) entries = cluster_.state().log(kind_.collection(), scope(), last_);
    });
    for (auto& entry : entries)
      if (!send_entry(sink, std::move(entry))) return false;
    // A version from the future stays what it is: nothing before it is of interest.
    last_ = std::max(last_, now);
    const auto steady = cluster_.clock().steady();
    if (steady >= end_) {
      if (bookmarks_) send_bookmark(sink, false);
      return false;
    }
    if (bookmarks_ && steady >= next_bookmark_) {
      next_bookmark_ = steady + bookmark_every;
      if (!send_bookmark(sink, false)) return false;
    }
    if (entries.empty()) wait(now);
    return sink("");
  }

 private:
  [[nodiscard]] std::optional<std::string_view> scope() const {
    return name_space_.empty() ? std::nullopt : std::optional<std::string_view>(name_space_);
  }

  static std::int64_t parse_version(const std::string& given) {
    if (std::all_of(given.begin(), given.end(), [](char c) { return c >= '0' && c <= '9'; }) && given.size() <= 18)
      return std::stoll(given);
    throw StatusError(
        500, "",
        fmt::format("resourceVersion: Invalid value: \"{0}\": strconv.ParseUint: parsing \"{0}\": invalid syntax",
                    given));
  }

  // The oldest version that can be watched from, if the one wanted is older; else 0.
  [[nodiscard]] std::int64_t expired_from() {
    if (last_ == checked_) return 0;
    checked_ = last_;
    const auto oldest = cluster_.state().oldest_logged_revision();
    return last_ + 1 < oldest ? oldest : 0;
  }

  void wait(std::int64_t now) {
    auto time = longest_wait;
    if (const auto due = cluster_.next_due())
      time = std::clamp(milliseconds(*due - cluster_.now()), milliseconds(1), longest_wait);
    // What matters is that something was written; what it was, the next step reads.
    [[maybe_unused]] const bool written = cluster_.state().wait(now, time);
  }

  bool send_initial(const Sink& sink) {
    initial_ = false;
    std::vector<Record> records;
    cluster_.state().read([&] {
      last_ = cluster_.state().revision();
      for (auto& row : cluster_.state().list(kind_.collection(), scope())) records.push_back(to_record(std::move(row)));
    });
    checked_ = last_;
    for (const auto& record : records)
      if (matches(record.object, nullptr) && !send_object(sink, "ADDED", record.object)) return false;
    return !initial_end_ || send_bookmark(sink, true);
  }

  // With `before`: whether it matched with those labels and that phase.
  [[nodiscard]] bool matches(const Json& object, const Json* before) const {
    if (before == nullptr) return labels_.matches(at(object, "metadata.labels")) && fields_.matches(object);
    return matches(as_before(object, *before), nullptr);
  }

  // What selectors look at, as it was: an object that leaves the selection is told of as it was in it.
  [[nodiscard]] Json as_before(const Json& object, const Json& before) const {
    auto old = object;
    if (before.is_null()) return old;
    const auto set = [](Json& where, const char* field, const Json& value) {
      if (value.is_null())
        where.erase(field);
      else
        where[field] = value;
    };
    set(old["metadata"], "labels", at(before, "labels"));
    if (object.contains("status")) set(old["status"], "phase", at(before, "phase"));
    if (kind_.kind == "Pod") set(old["spec"], "nodeName", at(before, "nodeName"));
    return old;
  }

  bool send_entry(const Sink& sink, LogEntry entry) {
    const bool deleted = entry.deleted;
    const auto record = to_record(std::move(entry));
    const bool now = matches(record.object, nullptr);
    if (deleted) return !now || send_object(sink, "DELETED", record.object);
    const bool then = !record.created && (record.before.is_null() ? now : matches(record.object, &record.before));
    if (now) return send_object(sink, then ? "MODIFIED" : "ADDED", record.object);
    return !then || send_object(sink, "DELETED", as_before(record.object, record.before));
  }

  bool send_object(const Sink& sink, const char* type, const Json& object) {
    auto shown = show_object(form_, kind_, object, cluster_.now(), include_, !columns_sent_);
    columns_sent_ = true;
    return send(sink, type, shown);
  }

  bool send_bookmark(const Sink& sink, bool initial_end) {
    Json metadata = {{"resourceVersion", std::to_string(last_)}};
    if (initial_end) metadata["annotations"] = {{"k8s.io/initial-events-end", "true"}};
    if (form_ == Form::table)
      return send(
          sink, "BOOKMARK",
          {{"kind", "Table"},
           {"apiVersion", "meta.k8s.io/v1"},
           {"metadata", {{"resourceVersion", std::to_string(last_)}}},
           {"columnDefinitions", Json::array()},
           {"rows",
            Json::array(
                {{{"cells", Json::array()},
                  {"object",
                   {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", metadata}}}}})}});
    const bool whole = form_ == Form::object;
    return send(sink, "BOOKMARK",
                {{"kind", whole ? kind_.kind : "PartialObjectMetadata"},
                 {"apiVersion", whole ? kind_.api_version() : "meta.k8s.io/v1"},
                 {"metadata", metadata}});
  }

  static bool send(const Sink& sink, const char* type, const Json& object) {
    return sink(Json{{"type", type}, {"object", object}}.dump() + "\n");
  }

  Cluster& cluster_;
  std::shared_ptr<const Kinds> kinds_;
  const Kind& kind_;
  std::string name_space_;
  Form form_;
  std::string include_;
  LabelSelector labels_;
  FieldSelector fields_;
  bool bookmarks_ = false;
  bool initial_ = false;
  bool initial_end_ = false;
  bool columns_sent_ = false;
  std::int64_t last_ = 0;  // events up to here were sent
  std::int64_t checked_ = -1;
  system::SteadyPoint end_;
  system::SteadyPoint next_bookmark_;
};

}  // namespace

Reply answer_watch(Cluster& cluster, const Request& request) {
  Reply reply;
  reply.stream = [watch = std::make_shared<Watch>(cluster, request)](const Sink& sink) { return watch->step(sink); };
  return reply;
}

}  // namespace litedesk::sandbox::kube
