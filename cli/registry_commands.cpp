// litedesk registry: where tenants are kept.
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "commands/host_claims.hpp"
#include "commands/registry.hpp"
#include "providers/error.hpp"

namespace litedesk::cli {
namespace {

constexpr std::chrono::milliseconds usual_timeout{60'000};

void bind_install(Flags&, InstallRegistry&) {}

// What was registered before there were claims, or by other means than litedesk.
void claim_old_hosts(Session& session) {
  World& world = session.world();
  std::vector<Tenant> tenants;
  for (const store::Document& document : world.registry.list("")) tenants.push_back(to_tenant(document));
  HostClaims claims(world);
  for (const std::string& contested : claim_all_hosts(claims, tenants, world.settings.dns.domain))
    session.printer().warn(contested);
}

int install(const InstallRegistry&, Session& session) {
  session.stop_requests_when_interrupted();
  World& world = session.world();
  if (!world.registry_in_cluster) {
    throw UsageError({.message = fmt::format("the registry of context {} is {}: nothing to install in a cluster",
                                             session.settings().context, session.settings().registry),
                      .hint = fmt::format("litedesk context set {} registry=cluster", session.settings().context),
                      .resource = "context " + session.settings().context,
                      .cause = {}});
  }
  const RegistryTarget target{world.objects, world.applier, world.watcher, world.templates, world.clock};
  const RegistryInstall result = install_registry(target, session.timeout(usual_timeout), session.interrupted());
  if (result.outcome != "installed") claim_old_hosts(session);
  Answer answer{.json = to_json(result), .names = {}, .table = {}, .text = {}};
  for (const InstalledKind& kind : result.kinds) {
    answer.names.push_back("customresourcedefinition/" + kind.resource);
    answer.text += fmt::format("{} {} {}\n", kind.resource, kind.version, kind.outcome);
  }
  session.printer().answer(answer);
  session.printer().next("litedesk tenant create NAME --email ADDRESS");
  return 0;
}

void bind_status(Flags&, ShowRegistry&) {}

int status(const ShowRegistry&, Session& session) {
  session.stop_requests_when_interrupted();
  World& world = session.world();
  const RegistryStatus result = registry_status(world.registry, world.registry_in_cluster ? &world.objects : nullptr);
  const std::vector<Detail> lines{{"Registry", result.where},
                                  {"Version", result.version},
                                  {"Installed", result.installed ? "yes" : "no"},
                                  {"Served", result.served ? "yes" : "no"},
                                  {"Problem", result.problem},
                                  {"Tenants", result.served ? std::to_string(result.tenants) : ""},
                                  {"Id", result.id}};
  session.printer().answer(
      {.json = to_json(result), .names = {"registry/" + result.id}, .table = {}, .text = render(lines)});
  if (!result.served && world.registry_in_cluster) session.printer().next("litedesk registry install");
  return result.served ? 0 : 1;
}

constexpr std::array commands{
    Command{"registry", "install", "install or upgrade the kinds Tenant and HostClaim in the cluster",
            "Safe to repeat. Registered tenants get the host claims that they lack.",
            "litedesk registry install --context production", binder<InstallRegistry, bind_install>,
            runner<InstallRegistry, install>},
    Command{"registry", "status", "show the registry", "Exits 1 if it cannot be used.", "litedesk registry status",
            binder<ShowRegistry, bind_status>, runner<ShowRegistry, status>},
};

}  // namespace

std::span<const Command> registry_commands() {
  return commands;
}

}  // namespace litedesk::cli
