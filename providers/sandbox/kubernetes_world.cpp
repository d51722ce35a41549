#include "providers/sandbox/kubernetes_world.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_controllers.hpp"
#include "providers/sandbox/kubernetes_json.hpp"

namespace litedesk::sandbox::kube {

namespace {

// Keys of a stored body that are not the object's own.
constexpr const char* note_key = "$note";
constexpr const char* created_key = "$created";
constexpr const char* before_key = "$before";

// More steps than this at one moment mean that two controllers undo each other's work.
constexpr int most_steps = 200'000;

Record split(Json body, std::int64_t revision) {
  Record record;
  record.revision = revision;
  if (const auto note = body.find(note_key); note != body.end()) {
    record.note = std::move(*note);
    body.erase(note);
  }
  record.created = body.erase(created_key) > 0;
  if (const auto before = body.find(before_key); before != body.end()) {
    record.before = std::move(*before);
    body.erase(before);
  }
  record.object = std::move(body);
  record.object["metadata"]["resourceVersion"] = std::to_string(revision);
  return record;
}

// What selectors may look at and a write may change.
Json selectable(const Json& object) {
  return {{"labels", at(object, "metadata.labels")},
          {"phase", text(object, "status.phase")},
          {"nodeName", text(object, "spec.nodeName")}};
}

}  // namespace

Millis to_millis(system::TimePoint time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::string to_stamp(Millis time) {
  return system::to_rfc3339(system::TimePoint(std::chrono::milliseconds(time)));
}

Millis from_stamp(const std::string& stamp) {
  const auto time = system::from_rfc3339(stamp);
  return time ? to_millis(*time) : 0;
}

Record to_record(Row row) {
  return split(std::move(row.body), row.revision);
}
Record to_record(LogEntry entry) {
  return split(std::move(entry.body), entry.revision);
}

std::optional<Millis> next_due(State& state) {
  std::optional<Millis> next;
  for (const auto& row : state.list(agenda_collection, std::nullopt))
    for (const auto& item : row.body)
      if (const auto due = item.get<Millis>(); !next || due < *next) next = due;
  return next;
}

World::World(State& state, const Kinds& kinds, double time_scale, Millis now)
    : state_(state), kinds_(kinds), time_scale_(time_scale), now_(now), horizon_(now) {
  load();
}

World::Rows* World::cached(const std::string& collection, const std::string& name_space) {
  const auto found = read_.find({collection, name_space});
  return found == read_.end() ? nullptr : &found->second;
}

const World::Rows& World::rows(const std::string& collection, const std::string& name_space) {
  if (const auto* known = cached(collection, name_space)) return *known;
  auto& made = read_[{collection, name_space}];
  for (auto& row : state_.list(collection, name_space)) {
    auto name = row.name;
    made.emplace(std::move(name), to_record(std::move(row)));
  }
  return made;
}

std::optional<Record> World::get(const Kind& kind, std::string_view name_space, std::string_view name) {
  const auto collection = kind.collection();
  const std::string scope(kind.namespaced ? name_space : "");
  if (const auto* known = cached(collection, scope)) {
    const auto found = known->find(name);
    return found == known->end() ? std::nullopt : std::optional(found->second);
  }
  auto row = state_.get(collection, scope, name);
  if (!row) return std::nullopt;
  return to_record(std::move(*row));
}

std::optional<Record> World::get(std::string_view resource, std::string_view name_space, std::string_view name) {
  return get(kinds_.get(resource), name_space, name);
}

std::vector<Record> World::list(const Kind& kind, std::optional<std::string_view> name_space) {
  std::vector<Record> records;
  if (name_space) {
    for (const auto& [name, record] : rows(kind.collection(), std::string(*name_space))) records.push_back(record);
    return records;
  }
  for (auto& row : state_.list(kind.collection(), std::nullopt)) records.push_back(to_record(std::move(row)));
  return records;
}

std::vector<Record> World::list(std::string_view resource, std::optional<std::string_view> name_space) {
  return list(kinds_.get(resource), name_space);
}

void World::put(const Kind& kind, Record& record) {
  const auto name_space = namespace_of(record.object);
  const auto name = name_of(record.object);
  const auto old = get(kind, name_space, name);
  auto body = record.object;
  body["metadata"].erase("resourceVersion");
  if (!record.note.is_null()) body[note_key] = record.note;
  if (!old) {
    body[created_key] = true;
  } else if (auto before = selectable(old->object); before != selectable(record.object)) {
    body[before_key] = std::move(before);
  }
  record.revision = state_.put(kind.collection(), name_space, name, body);
  record.object["metadata"]["resourceVersion"] = std::to_string(record.revision);
  if (auto* known = cached(kind.collection(), name_space)) (*known)[name] = record;
  on_write(*this, kind, old ? &old->object : nullptr, record.object);
}

void World::put(std::string_view resource, Record& record) {
  put(kinds_.get(resource), record);
}

void World::erase(const Kind& kind, const Record& record) {
  const auto name_space = namespace_of(record.object);
  if (!state_.erase(kind.collection(), name_space, name_of(record.object))) return;
  if (auto* known = cached(kind.collection(), name_space)) known->erase(name_of(record.object));
  on_erase(*this, kind, record.object);
}

void World::put_status(std::string_view resource, Record& record, Json status) {
  drop_nulls(status);
  if (at(record.object, "status") == status) return;
  record.object["status"] = std::move(status);
  put(resource, record);
}

Millis World::in(double seconds) const {
  return now_ + static_cast<Millis>(std::llround(seconds * 1000 * time_scale_));
}

void World::wake(std::string_view controller, std::string_view name_space, std::string_view name) {
  Task task{std::string(controller), std::string(name_space), std::string(name)};
  if (!awake_set_.insert(task).second) return;
  (task.name.empty() ? summaries_ : awake_).push_back(std::move(task));
}

void World::wake_at(Millis time, std::string_view controller, std::string_view name_space, std::string_view name) {
  forget(controller, name_space, name);
  const Task task{std::string(controller), std::string(name_space), std::string(name)};
  due_[task] = time;
  order_.emplace(time, task);
  changed_.insert(task.name_space);
}

void World::forget(std::string_view controller, std::string_view name_space, std::string_view name) {
  const Task task{std::string(controller), std::string(name_space), std::string(name)};
  const auto found = due_.find(task);
  if (found == due_.end()) return;
  order_.erase({found->second, task});
  due_.erase(found);
  changed_.insert(task.name_space);
}

void World::advance(Millis until) {
  horizon_ = std::max(until, now_);
  for (int steps = 0;; ++steps) {
    if (steps > most_steps) throw std::logic_error("the sandbox's cluster does not come to rest");
    if (!awake_.empty() || !summaries_.empty()) {
      auto& queue = awake_.empty() ? summaries_ : awake_;
      const auto task = queue.front();
      queue.pop_front();
      awake_set_.erase(task);
      run(task);
      continue;
    }
    if (order_.empty() || order_.begin()->first > until) break;
    const auto [time, task] = *order_.begin();
    forget(task.controller, task.name_space, task.name);
    now_ = std::max(now_, time);
    run(task);
  }
  now_ = std::max(now_, until);
  save();
}

void World::run(const Task& task) {
  run_controller(*this, task.controller, task.name_space, task.name);
}

void World::load() {
  for (const auto& row : state_.list(agenda_collection, std::nullopt)) {
    for (const auto& [key, due] : row.body.items()) {
      const auto bar = key.find('|');
      const Task task{key.substr(0, bar), row.scope, key.substr(bar + 1)};
      due_[task] = due.get<Millis>();
      order_.emplace(due.get<Millis>(), task);
      // What is due lies in the past of this transaction: it starts at the first of them.
      now_ = std::min(now_, due.get<Millis>());
    }
  }
}

void World::save() {
  for (const auto& name_space : changed_) {
    Json body = Json::object();
    for (auto item = due_.lower_bound(Task{}); item != due_.end(); ++item)
      if (item->first.name_space == name_space)
        body[fmt::format("{}|{}", item->first.controller, item->first.name)] = item->second;
    if (body.empty())
      state_.erase(agenda_collection, name_space, "due");
    else
      state_.put(agenda_collection, name_space, "due", body);
  }
  changed_.clear();
}

}  // namespace litedesk::sandbox::kube
