// List and watch: what is there, and then every change to it, through ends of streams, lost connections and expired
// versions. Rules: kubernetes.io/docs/reference/using-api/api-concepts, "Efficient detection of changes".
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "providers/kubernetes/session.hpp"

namespace litedesk::kubernetes {

// JSON documents separated by newlines, out of chunks that are split anywhere.
class LineDecoder {
 public:
  // Gives each whole line to `on_line` until it returns false; returns whether it never did. A last line without its
  // end is kept for the next chunk, and dropped with the stream.
  bool feed(std::string_view chunk, const std::function<bool(std::string_view line)>& on_line);
  [[nodiscard]] std::size_t pending() const { return rest_.size(); }

 private:
  std::string rest_;
};

// How long to wait before the n-th repetition in a row (1 for the first): 250 ms doubling to 10 s; never less than the
// server asks for.
[[nodiscard]] std::chrono::milliseconds watch_delay(int failures, std::optional<std::chrono::milliseconds> retry_after);

class Watch {
 public:
  Watch(Session& session, ResourceType type, std::string name_space, ListOptions options,
        std::function<bool(const WatchEvent&)> on_event, std::stop_token stop);

  void run();

 private:
  enum class Next { rewatch, relist, back_off, end };

  Next list();
  Next follow();
  // One stream, from what the last event said.
  Next stream_once();
  Next take_line(std::string_view line);
  Next take_error(const Json& object);
  bool report(EventType type, Object object);
  bool notify(const WatchEvent& event);
  bool report_differences(ObjectList list);
  bool wait();
  [[nodiscard]] bool is_passing(const std::exception_ptr& error) const;

  Session& session_;
  ResourceType type_;
  std::string name_space_;
  ListOptions options_;
  std::function<bool(const WatchEvent&)> on_event_;
  std::stop_token stop_;

  std::string resource_version_;         // empty: to be listed (anew)
  std::map<std::string, Object> known_;  // by namespace/name, without managedFields
  bool listed_ = false;                  // at least once
  int failures_ = 0;                     // in a row
  std::optional<std::chrono::milliseconds> retry_after_;
  std::exception_ptr receivers_error_;  // what on_event threw
  bool progress_ = false;               // an event has come on this stream
};

}  // namespace litedesk::kubernetes
