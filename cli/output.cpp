#include "cli/output.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/jsonpath.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"
#include "providers/error.hpp"
#include "templates/renderer.hpp"

namespace litedesk::cli {
namespace {

std::string variable(const Runtime& runtime, const std::string& name) {
  const auto found = runtime.environment.find(name);
  return found == runtime.environment.end() ? std::string{} : found->second;
}

// TERM=dumb and CI are people's and runners' way to say that nothing may be drawn.
bool can_draw(const Runtime& runtime) {
  const std::string term = variable(runtime, "TERM");
  return !term.empty() && term != "dumb" && variable(runtime, "CI").empty();
}

// no-color.org: NO_COLOR takes colours, and nothing else.
bool colours(const Runtime& runtime, const std::string& when, bool terminal) {
  if (when == "always") return true;
  return when != "never" && terminal && can_draw(runtime) && variable(runtime, "NO_COLOR").empty();
}

std::string painted(bool on, Colour colour, std::string_view text) {
  if (!on || text.empty()) return std::string(text);
  switch (colour) {
    case Colour::none:
      break;
    case Colour::red:
      return fmt::format("\x1b[31m{}\x1b[0m", text);
    case Colour::green:
      return fmt::format("\x1b[32m{}\x1b[0m", text);
    case Colour::yellow:
      return fmt::format("\x1b[33m{}\x1b[0m", text);
    case Colour::dim:
      return fmt::format("\x1b[2m{}\x1b[0m", text);
    case Colour::bold:
      return fmt::format("\x1b[1m{}\x1b[0m", text);
  }
  return std::string(text);
}

// A value from elsewhere may hold bytes that are no UTF-8; JSON cannot, so they become U+FFFD instead of an exception.
std::string dumped(const Json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string indented(std::string_view text, std::string_view by) {
  std::string result;
  for (const char c : text) {
    result += c;
    if (c == '\n') result += by;
  }
  return result;
}

}  // namespace

OutputChoice parse_output(std::string_view text) {
  if (text.starts_with("=")) text.remove_prefix(1);  // -o=json
  const std::string_view word = text.substr(0, text.find('='));
  if (word == "table" && word == text) return {Format::table, {}};
  if (word == "wide" && word == text) return {Format::wide, {}};
  if (word == "json" && word == text) return {Format::json, {}};
  if (word == "yaml" && word == text) return {Format::yaml, {}};
  if (word == "name" && word == text) return {Format::name, {}};
  if (word == "jsonpath" && word != text) return {Format::jsonpath, std::string(text.substr(word.size() + 1))};
  const std::vector<std::string> known{"table", "wide", "json", "yaml", "name", "jsonpath"};
  throw UsageError({.message = fmt::format("--output: \"{}\" is not a format", printable(text)),
                    .hint = word == "jsonpath" ? "write jsonpath=TEMPLATE" : suggestion(word, known),
                    .resource = {},
                    .cause = {}});
}

Printer::Printer(Runtime& runtime, const GlobalOptions& global)
    : runtime_(runtime),
      choice_(parse_output(global.output)),
      quiet_(global.quiet),
      no_headers_(global.no_headers),
      colour_out_(colours(runtime, global.color, runtime.terminal.out)),
      colour_err_(colours(runtime, global.color, runtime.terminal.err)),
      live_(runtime.terminal.err && can_draw(runtime)),
      verbose_(global.verbose) {}

std::string Printer::shown(const std::string& text) const {
  return runtime_.terminal.out ? printable(text) : text;
}

void Printer::answer(const Answer& answer) {
  switch (choice_.format) {
    case Format::json:
      return runtime_.streams.out(shown(dumped(answer.json, 2) + "\n"));
    case Format::yaml:
      return runtime_.streams.out(shown(templates::to_yaml(answer.json)));
    case Format::name: {
      std::string text;
      for (const std::string& name : answer.names) text += name + "\n";
      return runtime_.streams.out(shown(text));
    }
    case Format::jsonpath: {
      std::string text = evaluate_jsonpath(choice_.jsonpath, answer.json);
      if (!text.ends_with('\n')) text += '\n';
      return runtime_.streams.out(shown(text));
    }
    case Format::table:
    case Format::wide:
      break;
  }
  if (!answer.text.empty() || answer.table.columns.empty()) return runtime_.streams.out(answer.text);
  runtime_.streams.out(render(
      answer.table, {.width = width(), .wide = wide(), .headers = !no_headers_, .utf8 = runtime_.terminal.utf8}));
}

void Printer::say(std::string_view text) {
  if (for_people()) runtime_.streams.out(std::string(text) + "\n");
}

void Printer::note(std::string_view text) {
  if (for_people() && !quiet_) error_line(text);
}

void Printer::interrupted(std::string_view text) {
  std::string lines(is_terminal(Stream::err) ? "\r" : "");
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    lines += wrapped(rest.substr(0, end), width(Stream::err), "", "  ");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (lines.ends_with('\n')) lines.pop_back();
  note(lines);
}

void Printer::warn(std::string_view text) {
  {
    const std::lock_guard guard(mutex_);
    if (std::find(warned_.begin(), warned_.end(), text) != warned_.end()) return;
    warned_.emplace_back(text);
  }
  // For scripts one JSON document a line, so that a stream of them can be read.
  if (choice_.format == Format::json)
    error_line(Json{{"warning", {{"message", text}}}}.dump(-1, ' ', false, Json::error_handler_t::replace));
  else
    error_line(fmt::format("{} {}", on_err(Colour::yellow, "warning:"), printable(text)));
}

void Printer::next(std::string_view command) {
  if (!runtime_.terminal.out || !runtime_.terminal.err) return;
  note(fmt::format("next: {}", command));
}

void Printer::detail(int level, std::string_view text) {
  if (verbose_ >= level) error_line(printable(text));
}

void Printer::set_live_lines(LiveLines* lines) {
  const std::lock_guard guard(mutex_);
  live_lines_ = lines;
}

void Printer::error_line(std::string_view text) {
  const std::lock_guard guard(mutex_);
  const std::string line = std::string(text) + "\n";
  if (live_lines_ != nullptr)
    live_lines_->above(line);
  else
    runtime_.streams.err(line);
}

bool Printer::is_terminal(Stream stream) const {
  return stream == Stream::out ? runtime_.terminal.out : runtime_.terminal.err;
}

std::size_t Printer::width(Stream stream) const {
  return is_terminal(stream) ? static_cast<std::size_t>(std::max(20, size().columns)) : 80;
}

TerminalSize Printer::size() const {
  return runtime_.terminal.size ? runtime_.terminal.size() : TerminalSize{};
}

std::string Printer::painted(Stream stream, Colour colour, std::string_view text) const {
  return cli::painted(stream == Stream::out ? colour_out_ : colour_err_, colour, text);
}
std::string Printer::on_out(Colour colour, std::string_view text) const {
  return painted(Stream::out, colour, text);
}
std::string Printer::on_err(Colour colour, std::string_view text) const {
  return painted(Stream::err, colour, text);
}

void print_error(Runtime& runtime, std::string_view output, std::string_view color, const std::exception& error) {
  const auto* known = dynamic_cast<const Error*>(&error);
  const std::string message = known ? known->message() : error.what();
  if (output == "json" || output == "=json") {
    const Json json{{"error",
                     {{"code", known ? to_string(known->code()) : "failed"},
                      {"message", message},
                      {"hint", known ? known->hint() : ""},
                      {"resource", known ? known->resource() : ""},
                      {"cause", known ? known->cause() : ""}}}};
    runtime.streams.err(dumped(json, -1) + "\n");
    return;
  }
  const bool colour = colours(runtime, std::string(color), runtime.terminal.err);
  // Over the "^C" that a terminal shows.
  const bool over = runtime.terminal.err && known && known->code() == ErrorCode::cancelled;
  std::string text(over ? "\r" : "");
  text += fmt::format("{} {}\n", painted(colour, Colour::red, "error:"), indented(printable(message), "  "));
  const auto add = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += fmt::format("  {}: {}\n", label, indented(printable(value), "    "));
  };
  if (known) {
    if (message.find(known->resource()) == std::string::npos) add("resource", known->resource());
    add("cause", known->cause());
    add("hint", known->hint());
  }
  runtime.streams.err(text);
}

int exit_code_of(const std::exception& error) {
  const auto* known = dynamic_cast<const Error*>(&error);
  if (!known) return 1;
  switch (known->code()) {
    case ErrorCode::failed:
    case ErrorCode::rate_limited:
    case ErrorCode::unavailable:
      return 1;
    case ErrorCode::usage:
    case ErrorCode::validation:
      return 2;
    case ErrorCode::not_found:
      return 3;
    case ErrorCode::conflict:
    case ErrorCode::locked:
      return 4;
    case ErrorCode::authentication:
    case ErrorCode::permission_denied:
    case ErrorCode::disabled:
      return 5;
    case ErrorCode::timeout:
      return 6;
    case ErrorCode::rolled_back:
      return 7;
    case ErrorCode::cancelled:
      return 130;
  }
  return 1;
}

Json items(Json list) {
  return {{"items", std::move(list)}};
}

}  // namespace litedesk::cli
