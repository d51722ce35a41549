// A World whose providers answer nothing: tests replace what they need.
#pragma once

#include <map>
#include <mutex>

#include <nlohmann/json.hpp>

#include "commands/world.hpp"
#include "providers/error.hpp"
#include "providers/store/label_selector.hpp"

namespace litedesk::testing {

// Documents in memory, with the store's promises on versions.
class MemoryStore : public store::Store {
 public:
  store::Document create(const store::Document& document) override {
    const std::lock_guard lock(mutex_);
    if (documents_.contains(document.name)) throw Conflict("taken: " + document.name);
    auto& stored = documents_[document.name] = document;
    stored.version = std::to_string(++version_);
    stored.id = "id-" + stored.version;
    return stored;
  }
  std::optional<store::Document> get(std::string_view name) override {
    const std::lock_guard lock(mutex_);
    ++reads;
    const auto found = documents_.find(std::string(name));
    return found == documents_.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<store::Document> list(std::string_view selector) override {
    const std::lock_guard lock(mutex_);
    ++lists;
    const auto requirements = store::parse_selector(selector);
    std::vector<store::Document> found;
    for (const auto& [name, document] : documents_)
      if (store::matches(requirements, document.labels)) found.push_back(document);
    return found;
  }
  store::Document update(const store::Document& document) override {
    const std::lock_guard lock(mutex_);
    const auto found = documents_.find(document.name);
    if (found == documents_.end()) throw NotFound("gone: " + document.name);
    auto& stored = found->second;
    if (stored.version != document.version) throw Conflict("stale: " + document.name);
    stored = document;
    stored.version = std::to_string(++version_);
    ++writes;
    return stored;
  }
  bool remove(std::string_view name, std::string_view version) override {
    const std::lock_guard lock(mutex_);
    const auto found = documents_.find(std::string(name));
    if (found == documents_.end()) return false;
    if (!version.empty() && found->second.version != version) throw Conflict("stale: " + std::string(name));
    documents_.erase(found);
    return true;
  }
  std::string registry_id() override { return "registry-1"; }
  std::string describe() const override { return "memory"; }

  int reads = 0, writes = 0, lists = 0;

 private:
  std::mutex mutex_;
  std::map<std::string, store::Document> documents_;
  int version_ = 0;
};

// Every provider's interface; each call fails the test that did not expect it.
class NoProviders : public kubernetes::ObjectReader,
                    public kubernetes::ObjectApplier,
                    public kubernetes::Watcher,
                    public kubernetes::LogReader,
                    public atlas::DatabaseUserStore,
                    public atlas::ClusterReader,
                    public route53::RecordReader,
                    public route53::RecordWriter,
                    public http::Transport {
 public:
  [[noreturn]] static void unexpected(const char* what) { throw Failed(std::string("unexpected call: ") + what); }

  std::optional<kubernetes::Object> get(const kubernetes::ObjectRef&) override { unexpected("get"); }
  kubernetes::Each<std::optional<kubernetes::Object>> get_all(std::span<const kubernetes::ObjectRef>) override {
    unexpected("get_all");
  }
  kubernetes::ObjectList list(const kubernetes::ResourceType&, std::string_view,
                              const kubernetes::ListOptions&) override {
    unexpected("list");
  }
  bool serves(const kubernetes::ResourceType&) override { unexpected("serves"); }
  kubernetes::Object apply(const kubernetes::Object&, const kubernetes::ApplyOptions&) override { unexpected("apply"); }
  kubernetes::Each<kubernetes::Object> apply_all(std::span<const kubernetes::Object>,
                                                 const kubernetes::ApplyOptions&) override {
    unexpected("apply_all");
  }
  kubernetes::Object create(const kubernetes::Object&) override { unexpected("create"); }
  kubernetes::Object merge_patch(const kubernetes::ObjectRef&, const Json&) override { unexpected("merge_patch"); }
  std::optional<std::string> remove(const kubernetes::ObjectRef&, const kubernetes::DeleteOptions&) override {
    unexpected("remove");
  }
  void watch(const kubernetes::ResourceType&, std::string_view, const kubernetes::ListOptions&,
             const std::function<bool(const kubernetes::WatchEvent&)>&, std::stop_token) override {
    unexpected("watch");
  }
  std::optional<std::string> logs(std::string_view, std::string_view, const kubernetes::LogOptions&) override {
    unexpected("logs");
  }
  std::optional<atlas::DatabaseUser> get_user(std::string_view) override { unexpected("get_user"); }
  atlas::DatabaseUser create_user(const atlas::DatabaseUser&, const Secret&) override { unexpected("create_user"); }
  atlas::DatabaseUser update_user(const atlas::DatabaseUser&, const std::optional<Secret>&) override {
    unexpected("update_user");
  }
  bool remove_user(std::string_view) override { unexpected("remove_user"); }
  std::vector<atlas::DatabaseUser> list_users() override { unexpected("list_users"); }
  std::optional<atlas::Cluster> get_cluster(std::string_view) override { unexpected("get_cluster"); }
  std::vector<atlas::Cluster> list_clusters() override { unexpected("list_clusters"); }
  bool changes_applied(std::string_view, std::stop_token) override { unexpected("changes_applied"); }
  atlas::Limit limit(std::string_view) override { unexpected("limit"); }
  std::optional<route53::RecordSet> get(const route53::HostedZoneId&, std::string_view, std::string_view) override {
    unexpected("get record");
  }
  std::vector<route53::RecordSet> get_name(const route53::HostedZoneId&, std::string_view) override {
    unexpected("get_name");
  }
  std::vector<route53::RecordSet> list(const route53::HostedZoneId&) override { unexpected("list records"); }
  route53::ChangeInfo change(const route53::HostedZoneId&, std::span<const route53::RecordChange>,
                             std::string_view) override {
    unexpected("change");
  }
  route53::ChangeInfo get_change(std::string_view, std::stop_token) override { unexpected("get_change"); }
  http::Response send(http::Request, std::stop_token) override { unexpected("send"); }
  std::vector<http::Result> send_all(std::vector<http::Request>, std::stop_token) override { unexpected("send_all"); }
  http::Response stream(http::Request, const http::ChunkHandler&, std::chrono::milliseconds, std::stop_token) override {
    unexpected("stream");
  }
};

// Everything that a World refers to, kept together.
template <class Providers = NoProviders>
struct FakeWorld {
  Settings settings;
  MemoryStore store, claims;
  Providers providers;
  system::SkippingClock clock;
  http::Gate gate{providers, clock};
  templates::Files files;
  Tiers tiers{files};
  AppProfile profile = load_profile(files, "litedesk");
  Prices prices{files};
  std::stop_source interruption;
  std::vector<std::string> warnings;
  World world{settings,
              store,
              claims,
              false,
              providers,
              providers,
              providers,
              providers,
              providers,
              providers,
              providers,
              providers,
              [] { return route53::HostedZoneId{"Z1"}; },
              gate,
              files,
              tiers,
              [this]() -> const AppProfile& { return profile; },
              prices,
              clock,
              system::os_random(),
              interruption.get_token(),
              "tester@host",
              [this](const std::string& text) { warnings.push_back(text); }};
};

}  // namespace litedesk::testing
