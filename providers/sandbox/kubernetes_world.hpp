// One transaction on the cluster: its objects, its time, and what controllers have to do.
//
// Nothing runs in the background. Whoever reads or writes first brings the cluster up to now: what was due since (a pod
// that becomes ready, a back-off that ends) is done in order, each at its own time, and stored with a revision of its
// own, so that watches, also of other processes, see every step.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/sandbox/api.hpp"
#include "providers/sandbox/kubernetes_kinds.hpp"

namespace litedesk::sandbox::kube {

using Millis = std::int64_t;  // since the epoch

[[nodiscard]] Millis to_millis(system::TimePoint time);
[[nodiscard]] std::string to_stamp(Millis time);            // "2026-01-02T03:04:05Z"
[[nodiscard]] Millis from_stamp(const std::string& stamp);  // 0 when it is none

struct Record {
  Json object;  // with its resourceVersion
  Json note;    // what a controller remembers about it; clients never see it
  std::int64_t revision = 0;
  // Of a log entry: whether the object was new, and its labels and phase before, where they changed.
  bool created = false;
  Json before;
};
[[nodiscard]] Record to_record(Row row);
[[nodiscard]] Record to_record(LogEntry entry);

// The row that holds what is due in each namespace, and when.
inline constexpr std::string_view agenda_collection = "kubernetes-agenda";
// When the next thing is due; nothing when nothing is.
[[nodiscard]] std::optional<Millis> next_due(State& state);

class World {
 public:
  World(State& state, const Kinds& kinds, double time_scale, Millis now);

  // Objects. A resource is "deployments.apps".
  [[nodiscard]] const Kinds& kinds() const { return kinds_; }
  [[nodiscard]] std::optional<Record> get(const Kind& kind, std::string_view name_space, std::string_view name);
  [[nodiscard]] std::optional<Record> get(std::string_view resource, std::string_view name_space,
                                          std::string_view name);
  [[nodiscard]] std::vector<Record> list(const Kind& kind, std::optional<std::string_view> name_space);
  [[nodiscard]] std::vector<Record> list(std::string_view resource, std::optional<std::string_view> name_space);
  // Stores the object (and note) of the record, and tells the controllers. Sets its revision.
  void put(const Kind& kind, Record& record);
  void put(std::string_view resource, Record& record);
  void erase(const Kind& kind, const Record& record);
  // Stores `status` if it differs from what is there.
  void put_status(std::string_view resource, Record& record, Json status);
  [[nodiscard]] State& state() { return state_; }

  // Time.
  [[nodiscard]] Millis now() const { return now_; }
  [[nodiscard]] std::string stamp() const { return to_stamp(now_); }
  [[nodiscard]] double time_scale() const { return time_scale_; }
  // Up to when the current advance() goes: who is far behind it may leap over steps that nobody saw.
  [[nodiscard]] Millis horizon() const { return horizon_; }
  // What now is plus so many seconds of the cluster's own pace.
  [[nodiscard]] Millis in(double seconds) const;

  // Runs `controller` for that object as soon as the current step is done.
  void wake(std::string_view controller, std::string_view name_space, std::string_view name);
  // Runs it at that time; replaces an earlier wish.
  void wake_at(Millis time, std::string_view controller, std::string_view name_space, std::string_view name);
  void forget(std::string_view controller, std::string_view name_space, std::string_view name);

  // Does all that is due up to that time, and stores what remains to be done.
  void advance(Millis until);

 private:
  struct Task {
    std::string controller, name_space, name;
    friend auto operator<=>(const Task&, const Task&) = default;
  };
  using Rows = std::map<std::string, Record, std::less<>>;  // by name, of one collection and namespace
  const Rows& rows(const std::string& collection, const std::string& name_space);
  Rows* cached(const std::string& collection, const std::string& name_space);
  void load();
  void save();
  void run(const Task& task);

  State& state_;
  const Kinds& kinds_;
  double time_scale_;
  Millis now_;
  Millis horizon_;
  // What this transaction has read: nobody else writes while it lasts.
  std::map<std::pair<std::string, std::string>, Rows> read_;
  std::deque<Task> awake_;
  std::deque<Task> summaries_;  // tasks that sum a namespace up: once, when the others are done
  std::set<Task> awake_set_;
  std::map<Task, Millis> due_;
  std::set<std::pair<Millis, Task>> order_;
  std::set<std::string> changed_;  // namespaces whose agenda differs from the stored one
};

}  // namespace litedesk::sandbox::kube
