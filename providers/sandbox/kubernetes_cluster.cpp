#include "providers/sandbox/kubernetes_cluster.hpp"

#include <string>

namespace litedesk::sandbox::kube {

namespace {

constexpr std::string_view definitions = "kubernetes/customresourcedefinitions.apiextensions.k8s.io";

}  // namespace

Cluster::Cluster(Context context) : context_(std::move(context)) {}

std::shared_ptr<const Kinds> Cluster::kinds() {
  const auto revision = context_.state.revision();
  const std::lock_guard lock(mutex_);
  if (kinds_ && kinds_revision_ == revision) return kinds_;
  const bool known = kinds_ && context_.state.oldest_logged_revision() <= kinds_revision_ + 1;
  if (!known || !context_.state.log(definitions, std::nullopt, kinds_revision_).empty()) {
    std::vector<Json> objects;
    for (auto& row : context_.state.list(definitions, std::nullopt)) objects.push_back(std::move(row.body));
    kinds_ = std::make_shared<const Kinds>(objects);
  }
  kinds_revision_ = revision;
  return kinds_;
}

void Cluster::settle() {
  const auto at = now();
  const auto revision = context_.state.revision();
  {
    const std::lock_guard lock(mutex_);
    if (due_revision_ != revision) {
      due_ = kube::next_due(context_.state);
      due_revision_ = revision;
    }
    if (!due_ || *due_ > at) return;
  }
  write([](World&) {});
}

std::optional<Millis> Cluster::next_due() {
  const std::lock_guard lock(mutex_);
  return due_;
}

void Cluster::write(const std::function<void(World&)>& work) {
  const auto known = kinds();
  context_.state.write([&] {
    const auto at = now();
    World world(context_.state, *known, context_.time_scale, at);
    world.advance(at);
    work(world);
    world.advance(at);
  });
}

}  // namespace litedesk::sandbox::kube
