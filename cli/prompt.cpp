#include "cli/prompt.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "cli/text.hpp"
#include "providers/error.hpp"

namespace litedesk::cli {
namespace {

[[noreturn]] void refuse(std::string message, std::string hint) {
  throw UsageError({.message = std::move(message), .hint = std::move(hint), .resource = {}, .cause = {}});
}

// "delete tenant acme" as "deleting tenant acme".
std::string gerund(std::string_view what) {
  const auto space = std::min(what.find(' '), what.size());
  std::string verb(what.substr(0, space));
  if (verb.ends_with('e'))
    verb.pop_back();
  else if (verb.ends_with("et"))
    verb += 't';  // reset, forget
  return verb + "ing" + std::string(what.substr(space));
}

void ask(Session& session, std::string_view what, std::string_view name, std::string_view given, bool yes_does) {
  // Scripts and tests go by the list.
  if (!session.command().asks) throw std::logic_error("a command that asks is not listed as one (Command::asks)");
  const std::string hint = fmt::format("confirm in advance with --confirm {}{}", name, yes_does ? " or --yes" : "");
  if (!given.empty()) {
    if (given == name) return;
    refuse(fmt::format("--confirm {} does not match {}: nothing was done", printable(given), name), hint);
  }
  if (yes_does && session.global().yes) return;
  Runtime& runtime = session.runtime();
  if (!runtime.terminal.in || !runtime.terminal.err) {
    refuse(fmt::format("{} needs confirmation, and there is no terminal to ask on: nothing was done", gerund(what)),
           hint);
  }
  runtime.streams.err(fmt::format("type {} to {}: ", session.printer().on_err(Colour::bold, name), what));
  const auto typed = runtime.streams.read_line(session.interrupted());
  if (!typed) runtime.streams.err("\n");
  if (typed && *typed == name) return;
  refuse(fmt::format("{} was not confirmed: nothing was done", gerund(what)), "");
}

}  // namespace

void confirm(Session& session, std::string_view what, std::string_view name, std::string_view given) {
  ask(session, what, name, given, true);
}

void confirm_by_name(Session& session, std::string_view what, std::string_view name, std::string_view given) {
  ask(session, what, name, given, false);
}

bool agrees(Session& session, std::string_view question) {
  Runtime& runtime = session.runtime();
  if (!runtime.terminal.in || !runtime.terminal.err) return false;
  runtime.streams.err(fmt::format("{} [y/N] ", question));
  const auto typed = runtime.streams.read_line(session.interrupted());
  if (!typed) runtime.streams.err("\n");
  return typed && (*typed == "y" || *typed == "Y" || *typed == "yes" || *typed == "Yes");
}

}  // namespace litedesk::cli
