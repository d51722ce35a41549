#include "cli/command.hpp"

#include <array>

namespace litedesk::cli {

std::string Command::words() const {
  return group.empty() ? std::string(name) : std::string(group) + " " + std::string(name);
}

std::vector<const Command*> all_commands() {
  std::vector<const Command*> all;
  for (const auto& list :
       {tenant_commands(), instance_commands(), status_commands(), dns_commands(), cost_commands(), registry_commands(),
        context_commands(), template_commands(), sandbox_commands(), general_commands()}) {
    for (const Command& command : list) all.push_back(&command);
  }
  return all;
}

std::span<const Group> groups() {
  static constexpr std::array list{
      Group{"tenant", "customers in the registry"},
      Group{"instance", "a tenant's own instance: plan it, provision it, wait for it"},
      Group{"dns", "records in the Route 53 zone"},
      Group{"registry", "where tenants are kept"},
      Group{"context", "named targets: cluster, registry, Atlas project, zone, domain"},
      Group{"template", "the manifests that an instance is made of"},
      Group{"sandbox", "embedded stand-ins for Kubernetes, Atlas and Route 53"},
  };
  return list;
}

const Group* find_group(std::string_view name) {
  for (const Group& group : groups()) {
    if (group.name == name) return &group;
  }
  return nullptr;
}

const Command* find_command(std::string_view group, std::string_view name) {
  for (const Command* command : all_commands()) {
    if (command->group == group && command->name == name) return command;
  }
  return nullptr;
}

std::vector<const Command*> commands_of(std::string_view group) {
  std::vector<const Command*> found;
  for (const Command* command : all_commands()) {
    if (command->group == group) found.push_back(command);
  }
  return found;
}

void bind_global(Flags& flags, GlobalOptions& global) {
  flags.flag({.names = "--context", .value = "NAME", .help = "the context to work in", .values = Values::context},
             global.context);
  flags.flag({.names = "--sandbox", .value = "", .help = "work in the embedded sandbox"}, global.sandbox);
  flags.flag({.names = "--kubeconfig", .value = "FILE", .help = "kubeconfig file", .values = Values::file},
             global.kubeconfig);
  flags.flag({.names = "--kube-context", .value = "NAME", .help = "context within the kubeconfig"},
             global.kube_context);
  flags.flag({.names = "-o,--output",
              .value = "FORMAT",
              .help = "table, wide, json, yaml, name or jsonpath=TEMPLATE",
              .values = Values::choice},
             global.output);
  flags.flag({.names = "--no-headers", .value = "", .help = "leave out the header row of tables"}, global.no_headers);
  flags.flag({.names = "-q,--quiet", .value = "", .help = "no progress, no hints"}, global.quiet);
  flags.flag({.names = "-v,--verbose",
              .value = "",
              .help = "be verbose; -vv prints a line per request, -vvv the requests themselves, masked"},
             global.verbose);
  flags.flag(
      {.names = "--trace", .value = "FILE", .help = "write every request to FILE, masked", .values = Values::file},
      global.trace);
  flags.flag({.names = "--color",
              .value = "WHEN",
              .help = "auto, always or never",
              .values = Values::choice,
              .choices = {"auto", "always", "never"}},
             global.color);
  flags.flag({.names = "--yes", .value = "", .help = "do not ask for confirmation"}, global.yes);
  flags.flag({.names = "--timeout", .value = "TIME", .help = "give up after TIME (90s, 10m)"}, global.timeout);
  flags.flag({.names = "--config", .value = "FILE", .help = "the configuration file", .values = Values::file},
             global.config);
  flags.flag({.names = "-h,--help", .value = "", .help = "help for a command"}, global.help);
}

}  // namespace litedesk::cli
