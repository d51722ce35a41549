// One command's surroundings: the resolved settings, and the providers of that context, opened when they are needed.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/invocation.hpp"
#include "cli/output.hpp"
#include "cli/runtime.hpp"
#include "cli/settings.hpp"
#include "commands/world.hpp"
#include "providers/system/files.hpp"

namespace litedesk::cli {

// Beginnings of the names of variables that sign in to Atlas, to a customer's data or to e-mail: no child gets them.
[[nodiscard]] std::vector<std::string> credential_variables();

class Session {
 public:
  // Opens nothing. Throws UsageError for a bad --output or --color.
  Session(Runtime& runtime, const GlobalOptions& global, const Command& command);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] Runtime& runtime() { return runtime_; }
  [[nodiscard]] const GlobalOptions& global() const { return global_; }
  [[nodiscard]] Printer& printer() { return printer_; }
  [[nodiscard]] const Command& command() const { return command_; }
  [[nodiscard]] system::TimePoint now() const { return runtime_.clock.now(); }
  [[nodiscard]] std::stop_token interrupted() const { return runtime_.interrupt.get_token(); }
  // --timeout, or what the command takes without it.
  [[nodiscard]] std::chrono::milliseconds timeout(std::chrono::milliseconds otherwise) const;
  // For files that the user names: one may be a FIFO.
  [[nodiscard]] system::Patience patience() const;

  // The context; says on stderr what is worth knowing of how it came about (once).
  [[nodiscard]] const Resolved& resolved();
  [[nodiscard]] const Settings& settings() { return resolved().settings; }
  // Throws UsageError when a setting whose key begins so ("images.") has its default only because a .env could not be
  // read: before something is made or judged by it.
  void check_known(std::string_view prefix);
  // For what can do without a context: where there is none, the defaults, and nobody is told.
  [[nodiscard]] const Settings& settings_or_defaults();
  // Only where files are: needs no context.
  [[nodiscard]] Paths paths() const;

  // Those of the context; for a command that needs no more than these, the built-in ones where there is no context.
  [[nodiscard]] const templates::Files& templates();
  [[nodiscard]] const Tiers& tiers();
  // The application's profile that the context chooses.
  [[nodiscard]] const AppProfile& profile();
  [[nodiscard]] const Prices& prices();
  [[nodiscard]] store::Store& registry();
  [[nodiscard]] World& world();
  // Ctrl-C ends requests at once. For commands that do not see to it themselves, which is all but those that undo.
  void stop_requests_when_interrupted();

 private:
  struct Providers;
  Providers& providers();

  Runtime& runtime_;
  void tell(const Resolved& resolved);

  GlobalOptions global_;
  const Command& command_;
  Printer printer_;
  std::optional<Resolved> resolved_, or_defaults_;
  std::unique_ptr<templates::Files> templates_;
  std::unique_ptr<Tiers> tiers_;
  std::mutex profile_mutex_;
  std::unique_ptr<AppProfile> profile_;
  std::unique_ptr<Prices> prices_;
  std::unique_ptr<Providers> providers_;
};

}  // namespace litedesk::cli
