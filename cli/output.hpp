// What a command says, in the form that was asked for: data on standard output, everything else on standard error.
#pragma once

#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/invocation.hpp"
#include "cli/runtime.hpp"
#include "cli/table.hpp"
#include "providers/json.hpp"

namespace litedesk::cli {

enum class Format { table, wide, json, yaml, name, jsonpath };

struct OutputChoice {
  Format format = Format::table;
  std::string jsonpath;  // the template
};
// Throws UsageError with the nearest format.
[[nodiscard]] OutputChoice parse_output(std::string_view text);

// One answer in all its forms. `text` or `table` is for people, the others for machines.
struct Answer {
  Json json;
  std::vector<std::string> names;  // "tenant/acme"
  Table table;
  std::string text;  // instead of the table, when not empty
};

enum class Stream { out, err };

enum class Colour { none, red, green, yellow, dim, bold };

// Lines that are redrawn in place at the bottom of standard error while it is a terminal: whatever else is said there
// goes above them.
class LiveLines {
 public:
  virtual ~LiveLines() = default;
  virtual void above(std::string_view text) = 0;
};

// Standard error may be written from any thread; standard output only from the command's own.
class Printer {
 public:
  // Throws UsageError for a bad --output or --color.
  Printer(Runtime& runtime, const GlobalOptions& global);

  void answer(const Answer& answer);
  // Text for people on standard output; nothing under -o json and the like.
  void say(std::string_view text);
  // Standard error: what a person may want to know; not with --quiet nor for machines.
  void note(std::string_view text);
  // The same on Ctrl-C: over the "^C" that a terminal shows, each line wrapped.
  void interrupted(std::string_view text);
  // Standard error, "warning: ..."; each different one once, whatever the format: what is wrong must not be missed.
  void warn(std::string_view text);
  // The last line of a success: the natural next command. On a terminal only, not with --quiet.
  void next(std::string_view command);
  // Standard error at verbosity `level` and above (-v, -vv, -vvv).
  void detail(int level, std::string_view text);

  [[nodiscard]] bool for_people() const { return choice_.format == Format::table || choice_.format == Format::wide; }
  [[nodiscard]] bool wide() const { return choice_.format == Format::wide; }
  [[nodiscard]] bool quiet() const { return quiet_; }
  [[nodiscard]] bool utf8() const { return runtime_.terminal.utf8; }
  // Whether standard error can be redrawn in place.
  [[nodiscard]] bool live() const { return live_; }
  [[nodiscard]] TerminalSize size() const;
  [[nodiscard]] bool is_terminal(Stream stream) const;
  // Columns for what people read on that stream: the terminal's, at least 20; 80 where there is none.
  [[nodiscard]] std::size_t width(Stream stream = Stream::out) const;
  // Null when they end. The caller keeps them alive.
  void set_live_lines(LiveLines* lines);
  // The text in that colour, where the stream shows colours.
  [[nodiscard]] std::string painted(Stream stream, Colour colour, std::string_view text) const;
  [[nodiscard]] std::string on_out(Colour colour, std::string_view text) const;
  [[nodiscard]] std::string on_err(Colour colour, std::string_view text) const;

 private:
  void error_line(std::string_view text);
  // Text that was not made for people: on a terminal nothing in it is obeyed.
  [[nodiscard]] std::string shown(const std::string& text) const;

  Runtime& runtime_;
  OutputChoice choice_;
  bool quiet_, no_headers_, colour_out_, colour_err_, live_;
  int verbose_;
  std::mutex mutex_;  // of what follows
  std::vector<std::string> warned_;
  LiveLines* live_lines_ = nullptr;
};

// "error: message" with its resource, cause and hint below; under -o json one {"error": {...}} object.
void print_error(Runtime& runtime, std::string_view output, std::string_view color, const std::exception& error);
// docs/exit-codes.md
[[nodiscard]] int exit_code_of(const std::exception& error);

// {"items": [...]}: lists are objects, so that they can grow fields.
[[nodiscard]] Json items(Json list);

}  // namespace litedesk::cli
