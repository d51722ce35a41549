// The providers behind their narrow interfaces, opened by the first call: a command that needs no cluster never reads a
// kubeconfig, whatever the World holds.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

#include "providers/atlas/client.hpp"
#include "providers/aws/route53.hpp"
#include "providers/kubernetes/client.hpp"
#include "providers/store/store.hpp"

namespace litedesk::cli {

// Opens once, from whichever thread asks first; after a failure the next call tries again.
template <class T>
class Lazy {
 public:
  explicit Lazy(std::function<std::unique_ptr<T>()> open) : open_(std::move(open)) {}
  T& operator*() {
    const std::lock_guard guard(mutex_);
    if (!value_) value_ = open_();
    return *value_;
  }
  T* operator->() { return &**this; }

 private:
  std::function<std::unique_ptr<T>()> open_;
  std::mutex mutex_;
  std::unique_ptr<T> value_;
};

// Before the first object is read or written, `check` is given the cluster's identity (the UID of the namespace
// kube-system) where one is pinned: it throws when this is another cluster. A read that asks for kube-system itself
// brings the identity with it, so that a plan pays no request for this. Discovery is not guarded: it touches no object.
class LazyCluster : public kubernetes::ObjectReader,
                    public kubernetes::ObjectApplier,
                    public kubernetes::Watcher,
                    public kubernetes::LogReader {
 public:
  using Check = std::function<void(const std::string& cluster_id)>;

  // Without a check no identity is asked for.
  LazyCluster(std::function<std::unique_ptr<kubernetes::Client>()> open, Check check)
      : client_(std::move(open)), check_(std::move(check)), known_(!check_) {}

  std::optional<kubernetes::Object> get(const kubernetes::ObjectRef& ref) override {
    if (!is_identity(ref)) return checked().get(ref);
    auto object = client_->get(ref);
    learn(object);
    return object;
  }
  kubernetes::Each<std::optional<kubernetes::Object>> get_all(std::span<const kubernetes::ObjectRef> refs) override {
    const auto identity = std::find_if(refs.begin(), refs.end(), is_identity);
    if (identity == refs.end()) return checked().get_all(refs);
    auto objects = client_->get_all(refs);
    // An identity that could not be read is the caller's to report, who sees the error in its place.
    const auto& found = objects[static_cast<std::size_t>(identity - refs.begin())];
    if (const auto* object = std::get_if<std::optional<kubernetes::Object>>(&found)) learn(*object);
    return objects;
  }
  kubernetes::ObjectList list(const kubernetes::ResourceType& type, std::string_view name_space,
                              const kubernetes::ListOptions& options) override {
    return checked().list(type, name_space, options);
  }
  bool serves(const kubernetes::ResourceType& type) override { return client_->serves(type); }
  kubernetes::Object apply(const kubernetes::Object& object, const kubernetes::ApplyOptions& options) override {
    return checked().apply(object, options);
  }
  kubernetes::Each<kubernetes::Object> apply_all(std::span<const kubernetes::Object> objects,
                                                 const kubernetes::ApplyOptions& options) override {
    return checked().apply_all(objects, options);
  }
  kubernetes::Object create(const kubernetes::Object& object) override { return checked().create(object); }
  kubernetes::Object merge_patch(const kubernetes::ObjectRef& ref, const Json& patch) override {
    return checked().merge_patch(ref, patch);
  }
  std::optional<std::string> remove(const kubernetes::ObjectRef& ref,
                                    const kubernetes::DeleteOptions& options) override {
    return checked().remove(ref, options);
  }
  void watch(const kubernetes::ResourceType& type, std::string_view name_space, const kubernetes::ListOptions& options,
             const std::function<bool(const kubernetes::WatchEvent&)>& on_event, std::stop_token stop) override {
    checked().watch(type, name_space, options, on_event, stop);
  }
  std::optional<std::string> logs(std::string_view name_space, std::string_view pod,
                                  const kubernetes::LogOptions& options) override {
    return checked().logs(name_space, pod, options);
  }

 private:
  static bool is_identity(const kubernetes::ObjectRef& ref) {
    return ref.name == "kube-system" && ref.type.kind == "Namespace" && ref.type.group.empty();
  }
  void learn(const std::optional<kubernetes::Object>& kube_system) {
    if (known_) return;
    check_(kube_system ? kube_system->uid() : std::string());
    known_ = true;
  }
  kubernetes::Client& checked() {
    if (known_) return *client_;
    const std::lock_guard guard(mutex_);  // of several at once one asks
    if (!known_) learn(client_->get({kubernetes::type_of("v1", "Namespace"), "", "kube-system"}));
    return *client_;
  }

  Lazy<kubernetes::Client> client_;
  Check check_;
  std::mutex mutex_;
  std::atomic<bool> known_;
};

class LazyAtlas : public atlas::DatabaseUserStore, public atlas::ClusterReader {
 public:
  explicit LazyAtlas(std::function<std::unique_ptr<atlas::Client>()> open) : client_(std::move(open)) {}

  std::optional<atlas::DatabaseUser> get_user(std::string_view username) override {
    return client_->get_user(username);
  }
  atlas::DatabaseUser create_user(const atlas::DatabaseUser& user, const Secret& password) override {
    return client_->create_user(user, password);
  }
  atlas::DatabaseUser update_user(const atlas::DatabaseUser& user, const std::optional<Secret>& password) override {
    return client_->update_user(user, password);
  }
  bool remove_user(std::string_view username) override { return client_->remove_user(username); }
  std::vector<atlas::DatabaseUser> list_users() override { return client_->list_users(); }
  std::optional<atlas::Cluster> get_cluster(std::string_view name) override { return client_->get_cluster(name); }
  std::vector<atlas::Cluster> list_clusters() override { return client_->list_clusters(); }
  bool changes_applied(std::string_view cluster, std::stop_token stop) override {
    return client_->changes_applied(cluster, std::move(stop));
  }
  atlas::Limit limit(std::string_view name) override { return client_->limit(name); }

 private:
  Lazy<atlas::Client> client_;
};

class LazyRoute53 : public route53::RecordReader, public route53::RecordWriter {
 public:
  explicit LazyRoute53(std::function<std::unique_ptr<route53::Client>()> open) : client_(std::move(open)) {}
  route53::Client& client() { return *client_; }

  std::optional<route53::RecordSet> get(const route53::HostedZoneId& zone, std::string_view name,
                                        std::string_view type) override {
    return client_->get(zone, name, type);
  }
  std::vector<route53::RecordSet> get_name(const route53::HostedZoneId& zone, std::string_view name) override {
    return client_->get_name(zone, name);
  }
  std::vector<route53::RecordSet> list(const route53::HostedZoneId& zone) override { return client_->list(zone); }
  route53::ChangeInfo change(const route53::HostedZoneId& zone, std::span<const route53::RecordChange> changes,
                             std::string_view comment) override {
    return client_->change(zone, changes, comment);
  }
  route53::ChangeInfo get_change(std::string_view id, std::stop_token stop) override {
    return client_->get_change(id, std::move(stop));
  }

 private:
  Lazy<route53::Client> client_;
};

class LazyStore : public store::Store {
 public:
  LazyStore(std::function<std::unique_ptr<store::Store>()> open, std::string description)
      : store_(std::move(open)), description_(std::move(description)) {}

  store::Document create(const store::Document& document) override { return store_->create(document); }
  std::optional<store::Document> get(std::string_view name) override { return store_->get(name); }
  std::vector<store::Document> list(std::string_view selector) override { return store_->list(selector); }
  store::Document update(const store::Document& document) override { return store_->update(document); }
  bool remove(std::string_view name, std::string_view version) override { return store_->remove(name, version); }
  std::string registry_id() override { return store_->registry_id(); }
  [[nodiscard]] std::string describe() const override { return description_; }

 private:
  Lazy<store::Store> store_;
  std::string description_;
};

}  // namespace litedesk::cli
