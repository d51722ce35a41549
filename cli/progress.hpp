// How long work goes, on standard error. On a terminal one live line a part, with its state and seconds, redrawn in
// place; elsewhere one plain line a change of state; nothing with --quiet and for machines (-o json).
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/output.hpp"
#include "cli/runtime.hpp"
#include "commands/world.hpp"

namespace litedesk::cli {

// "✓ database     user user_acme                    0.2s"; width 0 cuts nothing.
[[nodiscard]] std::string progress_line(const Step& step, std::size_t width, bool utf8);

class Progress : public LiveLines {
 public:
  Progress(Runtime& runtime, Printer& printer);
  ~Progress() override;  // ends with every line as it was last
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Thread-safe.
  void step(const Step& step);
  [[nodiscard]] Observer observer() {
    return [this](const Step& each) { step(each); };
  }
  void above(std::string_view text) override;

 private:
  struct Line {
    Step step;
    system::SteadyPoint begun;
  };
  void draw();
  void erase();
  void tick(const std::stop_token& stop);
  [[nodiscard]] std::size_t columns() const;
  [[nodiscard]] std::string to_first_line(std::size_t columns) const;
  [[nodiscard]] std::string painted(const Step& step, std::string line) const;

  Runtime& runtime_;
  Printer& printer_;
  const bool shown_, live_;
  std::mutex mutex_;
  std::vector<Line> lines_;
  std::vector<std::size_t> drawn_;  // the widths of the lines on the screen that are redrawn
  std::size_t drawn_for_ = 0;       // the terminal's columns then
  std::condition_variable_any changed_;
  std::jthread ticker_;
};

}  // namespace litedesk::cli
