// What an operation on an instance works with: the providers behind their narrow interfaces, and the surroundings.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "commands/app_profile.hpp"
#include "commands/cost.hpp"
#include "commands/settings.hpp"
#include "commands/tiers.hpp"
#include "providers/atlas/client.hpp"
#include "providers/aws/route53.hpp"
#include "providers/http/gate.hpp"
#include "providers/kubernetes/client.hpp"
#include "providers/store/store.hpp"
#include "providers/system/clock.hpp"
#include "providers/system/random.hpp"
#include "templates/files.hpp"

namespace litedesk {

// Everything outlives the call. `cli` fills it; tests fill it with clients of the sandbox or with stand-ins.
struct World {
  const Settings& settings;
  store::Store& registry;
  store::Store& claims;             // of hosts: commands/host_claims.hpp
  bool registry_in_cluster = true;  // the record can be read along with the objects, in one round
  kubernetes::ObjectReader& objects;
  kubernetes::ObjectApplier& applier;
  kubernetes::Watcher& watcher;
  kubernetes::LogReader& logs;
  atlas::DatabaseUserStore& users;
  atlas::ClusterReader& clusters;
  route53::RecordReader& records;
  route53::RecordWriter& record_writer;
  std::function<route53::HostedZoneId()> zone;  // the configured zone, or the one found by the domain's name
  http::Gate& gate;                             // every provider above sends through it
  const templates::Files& templates;
  const Tiers& tiers;
  std::function<const AppProfile&()> profile;  // the context's; read by the first who asks
  const Prices& prices;
  const system::Clock& clock;
  system::Random& random;
  std::stop_token interrupted;                   // Ctrl-C or SIGTERM
  std::string holder;                            // "user@host": who we are, for the lock
  std::function<void(const std::string&)> warn;  // one line for a person
  std::function<std::string()> cluster_name{};   // what people call the cluster: the kubeconfig's context
};

// How long work goes: one event a change of state of one part.
enum class StepState { running, done, failed, undone, skipped };
struct Step {
  std::string part;  // "database" "namespace" "backend" "frontend" "dns" "certificate" "first data" "lock" ...
  StepState state = StepState::running;
  std::string message;              // "user user_acme", "1/2 ready", "ImagePullBackOff: ..."
  system::milliseconds elapsed{0};  // since the part began
};
using Observer = std::function<void(const Step&)>;  // called from any thread, one at a time

}  // namespace litedesk
