// Keeps completion's snapshot of the context up with what a command has just seen.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "cli/session.hpp"
#include "cli/snapshot.hpp"
#include "commands/tenant.hpp"

namespace litedesk::cli {

// Changes the snapshot of the session's context. A folder that cannot be written costs a line under -v, not the
// command.
void remember(Session& session, const std::function<void(Snapshot&)>& change);
[[nodiscard]] Word word_of(const Tenant& tenant);
void remember_tenant(Session& session, const Tenant& tenant);
void remember_tenants(Session& session, const std::vector<Tenant>& all);

}  // namespace litedesk::cli
