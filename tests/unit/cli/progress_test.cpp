#include "cli/progress.hpp"

#include <doctest/doctest.h>

#include "cli/text.hpp"
#include "memory_runtime.hpp"

using namespace litedesk;
using namespace litedesk::cli;

namespace {

// A terminal that wraps anew what it holds when it becomes narrower or wider, as most do. It knows what Progress sends:
// text, \r, \n, cursor up, clearing to the end of the line and of the screen. A row that was filled stays joined to the
// next one until it is cleared by the latter.
class Screen : public testing::MemoryStreams {
 public:
  void err(std::string_view text) override {
    while (!text.empty()) {
      if (text.starts_with("\x1b[")) {
        const auto end = text.find_first_of("ABCDEFGHJKm", 2);
        control(text[end], text.substr(2, end - 2));
        text.remove_prefix(end + 1);
        continue;
      }
      put(text.front());
      text.remove_prefix(1);
    }
  }
  void resize(std::size_t columns) {
    std::vector<Row> old = std::move(rows_);
    const std::size_t cursor = row_;
    rows_.clear();
    std::string line;
    for (std::size_t i = 0; i < old.size(); ++i) {
      if (i == cursor) row_ = rows_.size();
      line += old[i].text;
      if (old[i].joined) {
        line.resize(line.size() + columns_ - old[i].text.size(), ' ');
        continue;
      }
      do {
        rows_.push_back({line.substr(0, columns), line.size() > columns});
        line.erase(0, columns);
      } while (!line.empty());
    }
    columns_ = columns;
  }
  [[nodiscard]] std::size_t columns() const { return columns_; }
  // What a person sees, row by row.
  [[nodiscard]] std::vector<std::string> rows() const {
    std::vector<std::string> all;
    for (const Row& row : rows_) all.push_back(row.text);
    while (!all.empty() && all.back().empty()) all.pop_back();
    return all;
  }

 private:
  struct Row {
    std::string text;
    bool joined = false;  // to the next one
  };

  void down() {
    if (++row_ == rows_.size()) rows_.push_back({});
  }
  void put(char c) {
    if (c == '\r') {
      column_ = 0;
    } else if (c == '\n') {
      column_ = 0;
      down();
    } else {
      if (column_ == columns_) {
        rows_[row_].joined = true;
        column_ = 0;
        down();
      }
      std::string& text = rows_[row_].text;
      if (text.size() <= column_) text.resize(column_ + 1, ' ');
      text[column_++] = c;
    }
  }
  void control(char what, std::string_view number) {
    if (what == 'A') {
      row_ -= std::min<std::size_t>(row_, std::stoul(std::string(number)));
    } else if (what == 'J' || what == 'K') {
      std::string& text = rows_[row_].text;
      text.resize(std::min(text.size(), column_));
      if (what == 'K') return;
      rows_[row_].joined = false;
      rows_.resize(row_ + 1);
    }
  }

  std::size_t columns_ = 80;
  std::vector<Row> rows_{{}};
  std::size_t row_ = 0, column_ = 0;
};

struct Shown {
  Screen screen;
  testing::FixedClock clock;
  Runtime runtime{.streams = screen,
                  .terminal = {.in = true,
                               .out = true,
                               .err = true,
                               .utf8 = false,  // a column a byte
                               .size =
                                   [this] {
                                     return TerminalSize{static_cast<int>(screen.columns()), 24};
                                   }},
                  .environment = {{"TERM", "xterm"}, {"NO_COLOR", "1"}},
                  .folder = {},
                  .clock = clock,
                  .random = system::os_random(),
                  .make_transport = {},
                  .interrupt = std::stop_source()};
  GlobalOptions global;
  Printer printer{runtime, global};
};

Step done(const char* part, const char* message) {
  return {part, StepState::done, message, std::chrono::milliseconds(100)};
}

}  // namespace

TEST_CASE("Progress lines line up and fit") {
  using std::chrono::milliseconds;
  const Step done{"database", StepState::done, "user user_acme", milliseconds(240)};
  const Step waiting{"backend", StepState::running, "ImagePullBackOff: the image cannot be pulled from anywhere at all",
                     milliseconds(9100)};
  CHECK(progress_line(done, 0, true) == "✓ database     user user_acme                       0.2s");
  CHECK(progress_line(done, 0, false) == "ok   database     user user_acme                       0.2s");
  CHECK(display_width(progress_line(waiting, 60, true)) <= 60);
  for (std::size_t width = 1; width <= 60; ++width) CHECK(display_width(progress_line(waiting, width, true)) <= width);
  // No mark may read like one of a plan's.
  for (const auto state :
       {StepState::running, StepState::done, StepState::failed, StepState::undone, StepState::skipped}) {
    const std::string line = progress_line({"dns", state, "x", milliseconds(0)}, 0, false);
    CAPTURE(line);
    CHECK(std::string("+-~").find(line.front()) == std::string::npos);
    CHECK(line.substr(5, 4) == "dns ");
  }
  CHECK(progress_line({"dns", StepState::failed, "a\nb\x1b[2J", milliseconds(0)}, 0, true).find('\n') ==
        std::string::npos);
}

TEST_CASE("A window that becomes narrower or wider shows every line once") {
  Shown shown;
  Progress progress(shown.runtime, shown.printer);
  shown.screen.err("Plan for acme\n");
  progress.step(done("namespace", "instance-acme, 17 objects"));
  progress.step(done("certificate", "Issuing certificate as Secret does not exist"));
  for (const std::size_t columns : {40U, 25U, 120U, 30U, 20U, 79U}) {
    shown.screen.resize(columns);
    progress.step(done("dns", columns % 2 == 0 ? "INSYNC" : "insync"));
    CAPTURE(columns);
    const auto rows = shown.screen.rows();
    REQUIRE(rows.size() == 4);
    for (const auto& row : rows) CHECK(row.size() < columns);
    CHECK(rows[0] == "Plan for acme");
    CHECK(rows[1].starts_with("ok   namespace"));
    CHECK(rows[2].starts_with("ok   certific"));
    CHECK(rows[3].starts_with("ok   dns"));
  }
  shown.screen.resize(30);
  progress.above("warning: it rains\n");
  CHECK(shown.screen.rows().size() == 5);
  CHECK(shown.screen.rows()[1] == "warning: it rains");
}

TEST_CASE("What the terminal echoes below the lines, a ^C, does not shift them") {
  Shown shown;
  Progress progress(shown.runtime, shown.printer);
  progress.step(done("namespace", "instance-acme"));
  shown.screen.err("^C");
  progress.step(done("dns", "INSYNC"));
  CHECK(shown.screen.rows().size() == 2);
  CHECK(shown.screen.rows().front().starts_with("ok   namespace "));
}

TEST_CASE("NO_COLOR takes colours and leaves the live lines; CI, a dumb terminal and none at all take both") {
  struct Case {
    const char *name, *value;
    bool live, colour;
  };
  const std::vector<Case> cases{{"LANG", "C.UTF-8", true, true}, {"NO_COLOR", "1", true, false},
                                {"NO_COLOR", "", true, true},    {"CI", "true", false, false},
                                {"TERM", "dumb", false, false},  {"TERM", "", false, false}};
  for (const Case& each : cases) {
    CAPTURE(each.name);
    CAPTURE(each.value);
    Shown shown;
    shown.runtime.environment = {{"TERM", "xterm"}};
    shown.runtime.environment[each.name] = each.value;
    const Printer printer(shown.runtime, shown.global);
    CHECK(printer.live() == each.live);
    CHECK((printer.on_err(Colour::red, "x") != "x") == each.colour);
    CHECK((printer.on_out(Colour::red, "x") != "x") == each.colour);
  }
  Shown piped;
  piped.runtime.terminal.err = false;
  CHECK_FALSE(Printer(piped.runtime, piped.global).live());
}
