// litedesk with a clock on which back-off takes no time and polls a twentieth of theirs: what the kill-point tests run,
// so that a point takes milliseconds.
#include "cli/process.hpp"

namespace {

class FastClock : public litedesk::system::Clock {
 public:
  [[nodiscard]] litedesk::system::TimePoint now() const override { return real_.now(); }
  [[nodiscard]] litedesk::system::SteadyPoint steady() const override { return real_.steady(); }
  bool wait(litedesk::system::milliseconds duration, std::stop_token stop) const override {
    return real_.wait(duration / 20, std::move(stop));
  }
  [[nodiscard]] litedesk::system::milliseconds begin_wait(litedesk::system::milliseconds) const override {
    return litedesk::system::milliseconds(0);
  }

 private:
  const litedesk::system::Clock& real_ = litedesk::system::real_clock();
};

}  // namespace

int main(int argc, char** argv) {
  const FastClock clock;
  return litedesk::cli::run_process(argc, argv, clock);
}
