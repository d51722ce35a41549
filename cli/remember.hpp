// Keeps completion's snapshot of the context up with what a command has just seen.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "cli/session.hpp"
#include "cli/snapshot.hpp"
#include "commands/tenant.hpp"
#include "providers/error.hpp"

namespace litedesk::cli {

// Changes the snapshot of the session's context. A folder that cannot be written costs a line under -v, not the
// command.
void remember(Session& session, const std::function<void(Snapshot&)>& change);
[[nodiscard]] Word word_of(const Tenant& tenant);
void remember_tenant(Session& session, const Tenant& tenant);
void remember_tenants(Session& session, const std::vector<Tenant>& all);
// After a command that met NotFound: a tenant that is gone is offered no more.
void forget_missing(Session& session, const NotFound& error);
// What is known of a context that points elsewhere from now on, or is gone.
void forget_context(Session& session, std::string_view context);
// What is known of every context that the sandbox of the state folder backs.
void forget_sandbox(Session& session);

}  // namespace litedesk::cli
