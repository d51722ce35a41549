#include "providers/kubernetes/watch.hpp"

#include <algorithm>
#include <utility>

#include "providers/error.hpp"
#include "providers/http/retry.hpp"
#include "providers/kubernetes/requests.hpp"
#include "providers/read_json.hpp"

namespace litedesk::kubernetes {

namespace {

// The server ends a watch after this; the next goes on where it ended.
constexpr std::chrono::seconds watch_length{300};
// Bookmarks come about once a minute. Silence for longer may be a connection that died unnoticed, and costs one
// request.
constexpr std::chrono::seconds longest_silence{100};
// A server that ends streams at once is not asked again at once.
constexpr std::chrono::seconds shortest_stream{1};
// No object is larger: etcd takes 1.5 MiB by default.
constexpr std::size_t longest_line = 64u << 20;

std::string key_of(const Object& object) {
  return object.name_space() + "/" + object.name();
}

std::optional<EventType> event_type(std::string_view word) {
  if (word == "ADDED") return EventType::added;
  if (word == "MODIFIED") return EventType::modified;
  if (word == "DELETED") return EventType::deleted;
  if (word == "BOOKMARK") return EventType::bookmark;
  return std::nullopt;
}

}  // namespace

bool LineDecoder::feed(std::string_view chunk, const std::function<bool(std::string_view line)>& on_line) {
  while (!chunk.empty()) {
    const auto end = chunk.find('\n');
    if (end == std::string_view::npos) {
      rest_ += chunk;
      return true;
    }
    bool go_on = true;
    if (rest_.empty()) {
      if (end > 0) go_on = on_line(chunk.substr(0, end));
    } else {
      rest_ += chunk.substr(0, end);
      const auto line = std::move(rest_);
      rest_.clear();
      go_on = on_line(line);
    }
    if (!go_on) return false;
    chunk.remove_prefix(end + 1);
  }
  return true;
}

std::chrono::milliseconds watch_delay(int failures, std::optional<std::chrono::milliseconds> retry_after) {
  constexpr std::chrono::milliseconds first{250};
  constexpr std::chrono::milliseconds most{10'000};
  auto delay = first * (1 << std::clamp(failures - 1, 0, 10));
  delay = std::min<std::chrono::milliseconds>(delay, most);
  return retry_after ? std::max(delay, *retry_after) : delay;
}

Watch::Watch(Session& session, ResourceType type, std::string name_space, ListOptions options,
             std::function<bool(const WatchEvent&)> on_event, std::stop_token stop)
    : session_(session),
      type_(std::move(type)),
      name_space_(std::move(name_space)),
      options_(std::move(options)),
      on_event_(std::move(on_event)),
      stop_(std::move(stop)) {}

void Watch::run() {
  auto next = Next::relist;
  while (!stop_.stop_requested()) {
    if (next == Next::back_off && !wait()) return;
    try {
      next = resource_version_.empty() ? list() : follow();
    } catch (const Cancelled&) {
      if (stop_.stop_requested()) return;
      throw;
    } catch (const Error&) {
      const auto error = std::current_exception();
      // Until the first list is there nobody has seen anything: who asked learns why.
      if (!listed_ || !is_passing(error)) throw;
      // What was told before the end counts.
      if (std::exchange(progress_, false)) failures_ = 0;
      ++failures_;
      next = Next::back_off;
    }
    if (receivers_error_) std::rethrow_exception(receivers_error_);
    if (next == Next::end) return;
  }
}

bool Watch::is_passing(const std::exception_ptr& error) const {
  try {
    std::rethrow_exception(error);
  } catch (const Unavailable&) {
    return true;
  } catch (const Timeout&) {
    return true;
  } catch (const RateLimited&) {
    return true;
  } catch (const Failed& failed) {
    const auto* info = api_error_info(failed);
    return info != nullptr && info->http_status >= 500;
  } catch (...) {
    return false;
  }
}

bool Watch::wait() {
  return session_.clock().wait(watch_delay(failures_, std::exchange(retry_after_, std::nullopt)), stop_);
}

Watch::Next Watch::list() {
  auto list = session_.list(type_, name_space_, options_, stop_);
  if (list.resource_version.empty())
    throw Unavailable({.message = "watch " + describe(type_, name_space_) +
                                  ": the list does not say its resourceVersion, so there is nowhere to go on from",
                       .hint = "is " + session_.server() + " a Kubernetes API server?"});
  resource_version_ = list.resource_version;
  const bool go_on = report_differences(std::move(list));
  listed_ = true;
  if (!go_on) return Next::end;
  // Now everything that was there has been told.
  Object bookmark(Json{{"apiVersion", type_.api_version()},
                       {"kind", type_.kind},
                       {"metadata", {{"resourceVersion", resource_version_}}}});
  return notify({EventType::bookmark, std::move(bookmark)}) ? Next::rewatch : Next::end;
}

bool Watch::report_differences(ObjectList list) {
  std::map<std::string, const Object*> listed;
  for (const auto& object : list.items) listed.emplace(key_of(object), &object);
  // First what is gone, or another under the same name.
  for (auto each = known_.begin(); each != known_.end();) {
    const auto now = listed.find(each->first);
    if (now != listed.end() && now->second->uid() == each->second.uid()) {
      ++each;
      continue;
    }
    auto gone = std::move(each->second);
    each = known_.erase(each);
    if (!notify({EventType::deleted, std::move(gone)})) return false;
  }
  for (auto& object : list.items) {
    const auto before = known_.find(key_of(object));
    if (before == known_.end()) {
      if (!report(EventType::added, std::move(object))) return false;
    } else if (before->second.resource_version() != object.resource_version()) {
      if (!report(EventType::modified, std::move(object))) return false;
    }
    if (stop_.stop_requested()) return false;
  }
  return true;
}

bool Watch::report(EventType type, Object object) {
  if (type == EventType::deleted) {
    known_.erase(key_of(object));
  } else if (type != EventType::bookmark) {
    auto& kept = known_[key_of(object)];
    kept = object;
    if (const auto metadata = kept.json().find("metadata"); metadata != kept.json().end() && metadata->is_object())
      metadata->erase("managedFields");
  }
  return notify({type, std::move(object)});
}

bool Watch::notify(const WatchEvent& event) {
  try {
    return on_event_(event);
  } catch (...) {
    // Not ours to repair, and the transport in between need not know of it.
    receivers_error_ = std::current_exception();
    return false;
  }
}

Watch::Next Watch::follow() {
  const auto begin = session_.clock().steady();
  progress_ = false;
  auto next = stream_once();
  const bool lasted = session_.clock().steady() - begin >= shortest_stream;
  if (progress_ || (next == Next::rewatch && lasted)) {
    failures_ = 0;
  } else if (next == Next::rewatch) {
    next = Next::back_off;
  }
  if (next == Next::relist) {
    resource_version_.clear();
    // Once is the way of things; a server whose every new version is too old is not asked without a pause.
    return failures_++ == 0 ? Next::relist : Next::back_off;
  }
  if (next == Next::back_off) ++failures_;
  return next;
}

Watch::Next Watch::stream_once() {
  auto next = Next::rewatch;
  std::exception_ptr thrown;
  LineDecoder decoder;
  const auto on_chunk = [&](std::string_view chunk) {
    if (stop_.stop_requested()) return false;
    try {
      return decoder.feed(chunk, [&](std::string_view line) { return (next = take_line(line)) == Next::rewatch; }) &&
             decoder.pending() <= longest_line;
    } catch (...) {
      thrown = std::current_exception();
      return false;
    }
  };
  const auto response =
      session_.stream(watch_request(session_.server(), type_, name_space_, options_, resource_version_, watch_length),
                      on_chunk, longest_silence, stop_);
  if (thrown) std::rethrow_exception(thrown);
  if (is_success(response)) return next;
  if (response.status == 410) return Next::relist;
  retry_after_ = http::parse_retry_after(http::find(response.headers, "Retry-After"), session_.clock().now());
  std::rethrow_exception(api_error(response, session_.attempted("watch " + describe(type_, name_space_),
                                                                describe(type_, name_space_), type_.group)));
}

Watch::Next Watch::take_line(std::string_view line) {
  auto json = parse_json(line);
  if (!json.is_object() || !json.contains("object") || !json["object"].is_object()) return Next::back_off;
  const auto word = json.value("type", Json());
  if (word == "ERROR") return take_error(json["object"]);
  const auto type = word.is_string() ? event_type(word.get<std::string>()) : std::nullopt;
  if (!type) return Next::rewatch;  // a kind of event that is newer than this tool
  seal_secret(json["object"]);
  Object object(std::move(json["object"]));
  progress_ = true;
  if (auto version = object.resource_version(); !version.empty()) resource_version_ = std::move(version);
  return report(*type, std::move(object)) && !stop_.stop_requested() ? Next::rewatch : Next::end;
}

Watch::Next Watch::take_error(const Json& object) {
  const auto status = parse_status(object);
  if (!status) return Next::back_off;
  if (status->code == 410 || status->reason == "Expired" || status->reason == "Gone") return Next::relist;
  std::rethrow_exception(api_error(
      *status, session_.attempted("watch " + describe(type_, name_space_), describe(type_, name_space_), type_.group)));
}

}  // namespace litedesk::kubernetes
