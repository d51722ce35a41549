// What a command is, and the list of them all. A new one is a row in its group's file: see docs/adding-a-command.md.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/flags.hpp"
#include "cli/invocation.hpp"

namespace litedesk::cli {

class Session;

// What a command must know of its surroundings.
enum class Needs {
  nothing,    // its words and local files: it never asks for a context
  templates,  // templates, tiers or prices: those of the context where there is one, the built-in ones where not
  context,
};

struct Command {
  std::string_view group;     // "tenant"; empty for a command that stands alone
  std::string_view name;      // "create"
  std::string_view summary;   // one line, for lists
  std::string_view about;     // what its help says beyond the summary; may be empty
  std::string_view examples;  // one a line
  // Makes the command's option struct in the slot and lists its flags with the struct's members as targets.
  void (*bind)(Flags& flags, Options& slot);
  // Does it and prints the result; returns the exit code. Null for what `run` answers before there is a session.
  int (*run)(const Options& options, Session& session);
  Needs needs = Needs::context;
  // Asks before it goes on where something is lost for good (cli/prompt.hpp), and so has --confirm. Without a terminal,
  // --yes and --confirm it is refused with exit code 2, and nothing is done.
  bool asks = false;

  [[nodiscard]] std::string words() const;  // "tenant create"
};

// bind and run of a command whose options are of type T: `binder<TenantCreate, bind>` with `void bind(Flags&,
// TenantCreate&)`.
template <class T, void (*Bind)(Flags&, T&)>
void binder(Flags& flags, Options& slot) {
  Bind(flags, slot.emplace<T>());
}
template <class T, int (*Run)(const T&, Session&)>
int runner(const Options& options, Session& session) {
  return Run(std::get<T>(options), session);
}

struct Group {
  std::string_view name;
  std::string_view summary;
};

// One function a group, in the file of its name.
[[nodiscard]] std::span<const Command> tenant_commands();
[[nodiscard]] std::span<const Command> instance_commands();
[[nodiscard]] std::span<const Command> registry_commands();
[[nodiscard]] std::span<const Command> dns_commands();
[[nodiscard]] std::span<const Command> status_commands();
[[nodiscard]] std::span<const Command> cost_commands();
[[nodiscard]] std::span<const Command> context_commands();
[[nodiscard]] std::span<const Command> template_commands();
[[nodiscard]] std::span<const Command> sandbox_commands();
[[nodiscard]] std::span<const Command> general_commands();  // completion, version, help

[[nodiscard]] std::vector<const Command*> all_commands();
[[nodiscard]] std::span<const Group> groups();
[[nodiscard]] const Group* find_group(std::string_view name);
[[nodiscard]] const Command* find_command(std::string_view group, std::string_view name);
[[nodiscard]] std::vector<const Command*> commands_of(std::string_view group);

void bind_global(Flags& flags, GlobalOptions& global);

}  // namespace litedesk::cli
