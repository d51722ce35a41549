#include "commands/operation.hpp"

#include "providers/error.hpp"
#include "providers/system/process.hpp"

namespace litedesk {

namespace {

system::ProcessIdentity identity_of(const OperationRecord& operation) {
  return {operation.host, operation.boot_id, operation.pid, operation.start_time};
}

std::string renewal_of(const OperationRecord& operation) {
  return operation.id + " " + operation.renewed;
}

bool renewed_lately(const World& world, const OperationRecord& operation) {
  const auto renewed = system::from_rfc3339(operation.renewed);
  if (!renewed) return false;
  // What lies ahead was written before the clock was set back, or by somebody's hand: only watching tells.
  const auto since = world.clock.now() - *renewed;
  return since < lock_duration && since > -lock_duration;
}

[[noreturn]] void refuse(std::string_view slug, const OperationRecord& operation) {
  throw Locked({.message = "tenant " + std::string(slug) + " is locked by " + describe(operation),
                .hint = "wait for that run to finish; its lock expires " +
                        std::to_string(lock_duration.count() / 1000) + " s after that run stops",
                .resource = "tenant " + std::string(slug),
                .cause = {}});
}

}  // namespace

OperationRecord operation_of_this_process(std::string verb, std::string_view holder, const system::Clock& clock,
                                          system::Random& random) {
  const auto process = system::this_process();
  OperationRecord record;
  record.id = random.uuid();
  record.verb = std::move(verb);
  record.holder = std::string(holder) + " (pid " + std::to_string(process.pid) + ")";
  record.host = process.host;
  record.boot_id = process.boot_id;
  record.start_time = process.start_time;
  record.pid = process.pid;
  record.since = record.renewed = system::to_rfc3339_micro(clock.now());
  return record;
}

bool surely_gone(const OperationRecord& operation) {
  const auto process = identity_of(operation);
  return system::is_local(process) && !system::may_be_alive(process);
}

std::string describe(const OperationRecord& operation) {
  return operation.holder + ", " + operation.verb + " since " + operation.since.substr(0, 19) + "Z";
}

bool wait_for_lock(const World& world, const store::Document& document, SilentHolders& silent,
                   const Observer& observer) {
  const auto seen = to_tenant(document).status.operation;
  if (!seen || surely_gone(*seen) || silent.contains(renewal_of(*seen))) return false;
  const auto slug = document.name;
  // One on this host writes its renewals by this very clock. Otherwise only watching tells: a renewal shows that the
  // holder lives; nothing for the whole duration, that it does not (client-go's leader election decides in the same
  // way).
  if (system::is_local(identity_of(*seen)) && renewed_lately(world, *seen)) refuse(slug, *seen);

  const auto begin = world.clock.steady();
  if (observer)
    observer(
        {"lock", StepState::running, "held by " + describe(*seen) + ": waiting to see whether it is still alive", {}});
  while (world.clock.steady() - begin < lock_duration) {
    if (!world.clock.wait(std::chrono::milliseconds(500), world.interrupted))
      throw Cancelled("interrupted while waiting for the lock of " + slug);
    const auto latest = world.registry.get(slug);
    if (!latest) throw NotFound("tenant " + slug + " was deleted in the meantime");
    const auto now = to_tenant(*latest).status.operation;
    if (!now || surely_gone(*now)) break;
    if (renewal_of(*now) != renewal_of(*seen)) refuse(slug, *now);
  }
  silent.insert(renewal_of(*seen));
  if (observer)
    observer({"lock", StepState::done, "free",
              std::chrono::duration_cast<std::chrono::milliseconds>(world.clock.steady() - begin)});
  return true;
}

Operation::Operation(World& world, const store::Document& read, std::string verb, std::vector<std::string> intent,
                     const std::function<void(Tenant&)>& change)
    : world_(world) {
  auto record = operation_of_this_process(std::move(verb), world.holder, world.clock, world.random);
  record.intent = std::move(intent);
  id_ = record.id;
  auto tenant = to_tenant(read);
  change(tenant);
  tenant.status.operation = std::move(record);
  const auto sent = world.clock.steady();
  document_ = world.registry.update(to_document(tenant, &read));
  set_fence(sent);
  renewal_ = std::jthread([this](const std::stop_token& stop) { renew(stop); });
}

Operation::~Operation() {
  renewal_.request_stop();
  if (renewal_.joinable()) renewal_.join();
  if (!released_ && !lost_) {
    try {
      world_.gate.reopen();
      write([](Tenant& tenant) { tenant.status.operation.reset(); });
    } catch (const std::exception& error) {
      // Nobody is left to tell but the person: the lock ends by itself.
      if (world_.warn) world_.warn(std::string("the lock could not be released, and expires in 13 s: ") + error.what());
    }
  }
  world_.gate.set_fence(std::nullopt);
}

void Operation::set_fence(system::SteadyPoint sent) {
  if (end_ != system::SteadyPoint{} && world_.clock.steady() >= end_) ++lapses_;
  end_ = sent + lock_duration;
  world_.gate.set_fence(end_);
}

void Operation::refuse_lost(const std::optional<OperationRecord>& holder) const {
  throw Locked({.message = "the lock of tenant " + document_.name + " was lost" +
                           (holder ? " to " + describe(*holder) : std::string()),
                .hint = "check with: litedesk status " + document_.name,
                .resource = "tenant " + document_.name,
                .cause = {}});
}

store::Document Operation::write(const std::function<void(Tenant&)>& change) {
  const std::lock_guard guard(mutex_);
  // The renewal has found it out and stopped the gate: asking again would be cancelled and tell nothing.
  if (lost_) refuse_lost({});
  for (int attempt = 0;; ++attempt) {
    auto tenant = to_tenant(document_);
    change(tenant);
    const auto sent = world_.clock.steady();
    try {
      document_ = world_.registry.update(to_document(tenant, &document_));
      if (tenant.status.operation) set_fence(sent);
      return document_;
    } catch (const Conflict&) {
      if (attempt == 5) throw;
    }
    // Somebody else wrote to the record (an import, a person with kubectl): it is still ours if the lock is.
    auto latest = world_.registry.get(document_.name);
    const auto operation = latest ? to_tenant(*latest).status.operation : std::nullopt;
    if (!operation || operation->id != id_) {
      lost_ = true;
      refuse_lost(operation);
    }
    document_ = std::move(*latest);
  }
}

void Operation::renew(const std::stop_token& stop) {
  auto pause = lock_renewal;
  while (world_.clock.wait(pause, stop)) {
    try {
      renew_now();
      pause = lock_renewal;
    } catch (const Locked& error) {
      if (world_.warn) world_.warn(error.what());
      world_.gate.stop();
      return;
    } catch (const std::exception&) {
      // A passing failure: the fence holds back every change once the lock has lapsed, so trying again soon is safe.
      pause = std::chrono::milliseconds(1000);
    }
  }
}

void Operation::update(const std::function<void(Tenant&)>& change) {
  write(change);
}

void Operation::renew_now() {
  write([this](Tenant& tenant) {
    if (tenant.status.operation) tenant.status.operation->renewed = system::to_rfc3339_micro(world_.clock.now());
  });
}

bool Operation::take_back(system::milliseconds patience) {
  constexpr std::chrono::milliseconds between{1'000};
  const auto end = world_.clock.steady() + patience;
  for (;;) {
    try {
      renew_now();
      return true;
    } catch (const Unavailable&) {
    } catch (const Timeout&) {
    } catch (const RateLimited&) {
    } catch (const Error&) {
      return false;
    }
    if (world_.clock.steady() >= end || !world_.clock.wait(between, world_.interrupted)) return false;
  }
}

Tenant Operation::release(const std::function<void(Tenant&)>& change) {
  renewal_.request_stop();
  if (renewal_.joinable()) renewal_.join();
  const auto document = write([&](Tenant& tenant) {
    change(tenant);
    tenant.status.operation.reset();
  });
  released_ = true;
  world_.gate.set_fence(std::nullopt);
  return to_tenant(document);
}

Tenant Operation::tenant() const {
  const std::lock_guard guard(mutex_);
  return to_tenant(document_);
}

int Operation::lapses() const {
  const std::lock_guard guard(mutex_);
  return lapses_;
}

bool Operation::lost() const {
  const std::lock_guard guard(mutex_);
  return lost_;
}

}  // namespace litedesk
