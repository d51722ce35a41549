// This process as a Runtime: its streams, terminal, environment and signals.
#pragma once

#include "providers/system/clock.hpp"

namespace litedesk::cli {

// All of main(): runs the command line with that clock (tests bring one on which back-off takes no time) and returns
// the exit code.
[[nodiscard]] int run_process(int argc, const char* const* argv, const system::Clock& clock);

}  // namespace litedesk::cli
