#include "commands/wait_gone.hpp"

#include <thread>

namespace litedesk {

std::string deletion_holders(const kubernetes::Object& object) {
  std::string text;
  const auto add = [&text](const std::string& holder) { text += (text.empty() ? "" : "; ") + holder; };
  const auto& conditions = object.at("status.conditions");
  if (conditions.is_array())
    for (const auto& condition : conditions)
      if (condition.value("status", "") == "True") add(condition.value("message", ""));
  const auto& finalizers = object.at("metadata.finalizers");
  if (finalizers.is_array())
    for (const auto& finalizer : finalizers)
      if (finalizer.is_string()) add("finalizer " + finalizer.get<std::string>());
  return text;
}

std::string deletion_sentence(const kubernetes::Object& object) {
  const auto holders = deletion_holders(object);
  return object.name() + " is being deleted" + (holders.empty() ? "" : ": " + holders);
}

std::optional<std::string> wait_until_gone(const World& world, const kubernetes::ObjectRef& ref, std::string_view uid,
                                           std::chrono::milliseconds budget, std::stop_token stop) {
  // A watch alone does not tell of what went before it began, so each one is short and followed by a read.
  constexpr std::chrono::milliseconds one_watch{3000};
  const auto end = world.clock.steady() + budget;
  for (;;) {
    const auto object = world.objects.get(ref);
    if (!object || object->uid() != uid) return std::nullopt;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - world.clock.steady());
    if (left.count() <= 0 || stop.stop_requested()) return deletion_sentence(*object);

    std::stop_source watch_end;
    const std::stop_callback forward(stop, [&] { watch_end.request_stop(); });
    std::jthread timer([&](const std::stop_token& cancelled) {
      if (world.clock.wait(std::min(left, one_watch), cancelled)) watch_end.request_stop();
    });
    const kubernetes::ListOptions only{.label_selector = {}, .field_selector = "metadata.name=" + ref.name};
    world.watcher.watch(
        ref.type, ref.name_space, only,
        [&](const kubernetes::WatchEvent& event) {
          return event.type != kubernetes::EventType::deleted &&
                 (event.type == kubernetes::EventType::bookmark || event.object.uid() == uid);
        },
        watch_end.get_token());
  }
}

}  // namespace litedesk
