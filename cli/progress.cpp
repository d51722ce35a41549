#include "cli/progress.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/text.hpp"

namespace litedesk::cli {
namespace {

constexpr std::size_t part_width = 12;
constexpr std::size_t message_width = 34;
constexpr std::size_t time_width = 6;

// In ASCII words: "+", "-" and "~" are what a plan has for create, delete and update.
std::string_view sign(StepState state, bool utf8) {
  switch (state) {
    case StepState::running:
      return utf8 ? "…" : "... ";
    case StepState::done:
      return utf8 ? "✓" : "ok  ";
    case StepState::failed:
      return utf8 ? "✗" : "fail";
    case StepState::undone:
      return utf8 ? "↶" : "undo";
    case StepState::skipped:
      return utf8 ? "·" : "skip";
  }
  return " ";
}

Colour colour(StepState state) {
  switch (state) {
    case StepState::done:
      return Colour::green;
    case StepState::failed:
      return Colour::red;
    case StepState::undone:
      return Colour::yellow;
    case StepState::running:
    case StepState::skipped:
      return Colour::dim;
  }
  return Colour::none;
}

}  // namespace

std::string progress_line(const Step& step, std::size_t width, bool utf8) {
  const std::string front =
      fmt::format("{} {} ", sign(step.state, utf8), pad_to_width(one_line(step.part), part_width));
  const std::string time = elapsed(step.elapsed);
  std::string message = one_line(step.message);
  if (width > 0) {
    const std::size_t taken = display_width(front) + 1 + std::max(time_width, time.size());
    message = cut_to_width(message, width > taken ? width - taken : 0, utf8);
  }
  std::string line = front + pad_to_width(message, message_width);
  // A narrow terminal has no room to line the times up.
  if (width > 0 && display_width(line) + 1 + time_width > width) line = front + message;
  const std::string whole = fmt::format("{} {:>{}}", line, time, time_width);
  return width > 0 && display_width(whole) > width ? cut_to_width(line, width, utf8) : whole;
}

Progress::Progress(Runtime& runtime, Printer& printer)
    : runtime_(runtime),
      printer_(printer),
      shown_(printer.for_people() && !printer.quiet()),
      live_(shown_ && printer.live()) {
  if (!live_) return;
  printer_.set_live_lines(this);
  ticker_ = std::jthread([this](const std::stop_token& stop) { tick(stop); });
}

Progress::~Progress() {
  if (!live_) return;
  ticker_.request_stop();
  ticker_.join();
  printer_.set_live_lines(nullptr);
}

void Progress::step(const Step& step) {
  if (!shown_) return;
  const std::lock_guard guard(mutex_);
  auto line = std::find_if(lines_.begin(), lines_.end(), [&](const Line& each) { return each.step.part == step.part; });
  const bool same = line != lines_.end() && line->step.state == step.state && line->step.message == step.message;
  const bool begins = line == lines_.end() || line->step.state != StepState::running;
  if (line == lines_.end())
    line = lines_.insert(line, Line{step, {}});
  else
    line->step = step;
  if (begins || step.elapsed.count() > 0) line->begun = runtime_.clock.steady() - step.elapsed;
  if (live_) {
    draw();
    changed_.notify_all();
  } else if (!same) {
    runtime_.streams.err(progress_line(step, 0, printer_.utf8()) + "\n");
  }
}

void Progress::above(std::string_view text) {
  const std::lock_guard guard(mutex_);
  erase();
  runtime_.streams.err(text);
  draw();
}

std::string Progress::painted(const Step& step, std::string line) const {
  const std::string_view front = sign(step.state, printer_.utf8());
  if (step.state == StepState::running) return printer_.on_err(Colour::dim, line);
  return printer_.on_err(colour(step.state), front) + line.substr(front.size());
}

// To the first live line, from wherever a "^C" that the terminal echoed has left the cursor. A terminal that became
// narrower has wrapped what was drawn for its old width.
std::string Progress::to_first_line(std::size_t columns) const {
  if (drawn_.empty()) return {};
  std::size_t rows = 0;
  for (const std::size_t width : drawn_) rows += std::max<std::size_t>(1, (width + columns - 1) / columns);
  return fmt::format("\r\x1b[{}A", rows);
}

std::size_t Progress::columns() const {
  return static_cast<std::size_t>(std::max(printer_.size().columns, 20));
}

// Clears the live lines: what is drawn next takes their place.
void Progress::erase() {
  if (!drawn_.empty()) runtime_.streams.err(to_first_line(columns()) + "\x1b[J");
  drawn_.clear();
}

void Progress::draw() {
  const std::size_t width = columns();
  // More lines than the screen has could not be reached again: the last ones are kept.
  const auto rows = static_cast<std::size_t>(std::max(printer_.size().rows - 1, 1));
  const std::size_t first = lines_.size() > rows ? lines_.size() - rows : 0;
  std::string text = to_first_line(width);
  // Rows that a terminal has wrapped stay marked as such, and are joined again, until they are cleared.
  if (width != drawn_for_) text += "\x1b[J";
  drawn_for_ = width;
  drawn_.clear();
  for (std::size_t i = first; i < lines_.size(); ++i) {
    Step step = lines_[i].step;
    if (step.state == StepState::running) {
      step.elapsed = std::chrono::duration_cast<system::milliseconds>(runtime_.clock.steady() - lines_[i].begun);
    }
    const std::string line = progress_line(step, width - 1, printer_.utf8());
    drawn_.push_back(display_width(line));
    text += painted(step, line) + "\x1b[K\n";
  }
  text += "\x1b[J";
  runtime_.streams.err(text);
}

void Progress::tick(const std::stop_token& stop) {
  constexpr std::chrono::milliseconds interval{200};
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const bool running = std::any_of(lines_.begin(), lines_.end(),
                                     [](const Line& line) { return line.step.state == StepState::running; });
    if (running) {
      changed_.wait_for(lock, stop, interval, [] { return false; });
      if (!stop.stop_requested()) draw();
    } else {
      changed_.wait(lock, stop, [&] {
        return std::any_of(lines_.begin(), lines_.end(),
                           [](const Line& line) { return line.step.state == StepState::running; });
      });
    }
  }
}

}  // namespace litedesk::cli
