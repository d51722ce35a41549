// completion, version, help: what is answered before there is a context.
#include <array>

#include "cli/command.hpp"

namespace litedesk::cli {
namespace {

void bind_completion(Flags& flags, CompletionScript& options) {
  flags.argument(
      {.name = "SHELL", .help = "bash, zsh or fish", .values = Values::choice, .choices = {"bash", "zsh", "fish"}},
      options.shell);
}
void bind_version(Flags&, Version&) {}
void bind_help(Flags& flags, Help& options) {
  flags.argument({.name = "COMMAND", .help = "a command, or flags, environment, exit-codes", .required = false},
                 options.topic);
}

constexpr std::array commands{
    Command{"", "completion", "print the completion script of a shell",
            "bash:  source <(litedesk completion bash)          in ~/.bashrc\n"
            "zsh:   litedesk completion zsh > \"${fpath[1]}/_litedesk\"\n"
            "fish:  litedesk completion fish > ~/.config/fish/completions/litedesk.fish",
            "source <(litedesk completion bash)", binder<CompletionScript, bind_completion>, nullptr, Needs::nothing},
    Command{"", "version", "print the version", "", "litedesk version -o json", binder<Version, bind_version>, nullptr,
            Needs::nothing},
    Command{"", "help", "help for a command", "", "litedesk help instance provision\nlitedesk help environment",
            binder<Help, bind_help>, nullptr, Needs::nothing},
};

}  // namespace

std::span<const Command> general_commands() {
  return commands;
}

}  // namespace litedesk::cli
