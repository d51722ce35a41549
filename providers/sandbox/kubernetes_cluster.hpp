// The cluster on its State: brought up to now whenever somebody looks, and written in one transaction a request.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "providers/sandbox/api.hpp"
#include "providers/sandbox/kubernetes_kinds.hpp"
#include "providers/sandbox/kubernetes_world.hpp"

namespace litedesk::sandbox::kube {

class Cluster {
 public:
  explicit Cluster(Context context);

  [[nodiscard]] State& state() { return context_.state; }
  [[nodiscard]] const system::Clock& clock() const { return context_.clock; }
  [[nodiscard]] Millis now() const { return to_millis(context_.clock.now()); }

  // The kinds that are served now. The pointers in it live as long as it does.
  [[nodiscard]] std::shared_ptr<const Kinds> kinds();
  // Does what is due. Cheap when nothing is.
  void settle();
  // When the next thing is due, as of the last settle().
  [[nodiscard]] std::optional<Millis> next_due();

  // Runs `work` on the cluster of now, and what follows from it, in one transaction.
  void write(const std::function<void(World&)>& work);

 private:
  Context context_;
  std::mutex mutex_;
  std::shared_ptr<const Kinds> kinds_;
  std::int64_t kinds_revision_ = -1;
  std::int64_t due_revision_ = -1;
  std::optional<Millis> due_;
};

// What a new sandbox's cluster holds. Does nothing when it is there.
void seed_cluster(Cluster& cluster);

}  // namespace litedesk::sandbox::kube
