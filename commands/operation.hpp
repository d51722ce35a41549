// The lock on a tenant: status.operation of its record, with the intent beside it. See docs/architecture.md, "The
// lock".
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "commands/tenant.hpp"
#include "commands/world.hpp"

namespace litedesk {

// How long the lock holds without being renewed, and how often it is.
inline constexpr std::chrono::milliseconds lock_duration{13'000}, lock_renewal{4'000};

// A lock's record of this process, as of now and without an intent. `holder` is "user@host".
[[nodiscard]] OperationRecord operation_of_this_process(std::string verb, std::string_view holder,
                                                        const system::Clock& clock, system::Random& random);
// Whether a holder is gone for certain: the same host and boot, and its process has ended.
[[nodiscard]] bool surely_gone(const OperationRecord& operation);

// "maria@build-7 (pid 4711), provision since 12:01:03" for messages.
[[nodiscard]] std::string describe(const OperationRecord& operation);

// The renewals after which a holder was seen to be silent for lock_duration: "ID RENEWED".
using SilentHolders = std::set<std::string>;

// Returns when the tenant's lock is free: at once when it is, when its holder is gone, or when it is one of `silent`;
// after lock_duration without a renewal otherwise, by our own clock. Throws Locked with the holder's name as soon as
// the holder shows that it lives. True when it had to wait: what was read before may have moved since, so read it
// again.
[[nodiscard]] bool wait_for_lock(const World& world, const store::Document& document, SilentHolders& silent,
                                 const Observer& observer);

class Operation {
 public:
  // One conditional write: takes the lock, notes the intent, sets what `change` sets. Throws Conflict when the record
  // has moved since it was read: read and plan again. From here on the world's gate is fenced by the lock's end.
  Operation(World& world, const store::Document& read, std::string verb, std::vector<std::string> intent,
            const std::function<void(Tenant&)>& change);
  // Gives the lock back without a word when release() was not called: only the lock, nothing else of the record.
  ~Operation();
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  // Another conditional write to the record while the lock is held. Throws Locked when the lock was lost.
  void update(const std::function<void(Tenant&)>& change);
  // Renews the lock now, also one that has lapsed and that nobody else took. Throws Locked when it was lost.
  void renew_now();
  // Whether the lock is held now: renewed, also one that has lapsed while the process stood still or the API server was
  // away, and that nobody else took. A server that cannot be reached is asked again until `patience` is over or the run
  // is interrupted. False also when the lock was lost, which lost() tells.
  [[nodiscard]] bool take_back(system::milliseconds patience);
  // The last write: the result, and no lock any more. Returns the tenant as stored.
  Tenant release(const std::function<void(Tenant&)>& change);
  // The tenant as stored last.
  [[nodiscard]] Tenant tenant() const;
  [[nodiscard]] bool lost() const;
  // Its name in the record, drawn for this run.
  [[nodiscard]] const std::string& id() const { return id_; }
  // How often the lock was renewed only after it had lapsed.
  [[nodiscard]] int lapses() const;

 private:
  store::Document write(const std::function<void(Tenant&)>& change);
  [[noreturn]] void refuse_lost(const std::optional<OperationRecord>& holder) const;
  void renew(const std::stop_token& stop);
  void set_fence(system::SteadyPoint sent);

  World& world_;
  std::string id_;
  mutable std::mutex mutex_;
  store::Document document_;
  bool lost_ = false, released_ = false;
  system::SteadyPoint end_;  // of the lock
  int lapses_ = 0;
  std::jthread renewal_;
};

}  // namespace litedesk
