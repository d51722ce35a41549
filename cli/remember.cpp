#include "cli/remember.hpp"

#include <fmt/format.h>

#include "cli/config_file.hpp"

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

void forget_missing(Session& session, const NotFound& error) {
  constexpr std::string_view kind = "tenant ";
  const std::string& resource = error.resource();
  if (!resource.starts_with(kind)) return;
  remember(session, [&](Snapshot& snapshot) { drop(snapshot.tenants, resource.substr(kind.size())); });
}

void forget_context(Session& session, std::string_view context) {
  try {
    write_snapshot(session.paths().state, context, {});
  } catch (const Error& error) {
    session.printer().detail(1, fmt::format("completion cannot forget names: {}", error.what()));
  }
}

void forget_sandbox(Session& session) {
  std::vector<std::string> names{"sandbox", "default"};
  try {
    for (const auto& [name, context] : read_config(session.paths().config, false).contexts)
      for (const auto& [key, value] : context)
        if (key.ends_with(".provider") && value.text == "sandbox") names.push_back(name);
  } catch (const Error&) {
    // A file that cannot be read backs no context either.
  }
  for (const std::string& name : names) forget_context(session, name);
}

}  // namespace litedesk::cli
