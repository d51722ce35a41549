#include "cli/remember.hpp"

#include <fmt/format.h>

#include "providers/error.hpp"

namespace litedesk::cli {

void remember(Session& session, const std::function<void(Snapshot&)>& change) {
  const Settings& settings = session.settings();
  try {
    Snapshot snapshot = read_snapshot(settings.state_folder, settings.context);
    change(snapshot);
    write_snapshot(settings.state_folder, settings.context, snapshot);
  } catch (const Error& error) {
    session.printer().detail(1, fmt::format("completion cannot remember names: {}", error.what()));
  }
}

Word word_of(const Tenant& tenant) {
  const std::string_view phase = to_string(tenant.status.phase);
  return {tenant.slug, fmt::format("{} ({}{}{})", tenant.company, tenant.tier, phase.empty() ? "" : ", ", phase)};
}

void remember_tenant(Session& session, const Tenant& tenant) {
  remember(session, [&](Snapshot& snapshot) { put(snapshot.tenants, word_of(tenant)); });
}

void remember_tenants(Session& session, const std::vector<Tenant>& all) {
  remember(session, [&](Snapshot& snapshot) {
    snapshot.tenants.clear();
    for (const Tenant& tenant : all) put(snapshot.tenants, word_of(tenant));
  });
}

}  // namespace litedesk::cli
