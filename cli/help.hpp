// Help, made from the same data as parsing and completion.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace litedesk::cli {

// For no words the whole; for a group's or a command's words that; for "flags", "environment" and "exit-codes" a topic.
// Throws UsageError with the nearest one when there is no such thing.
[[nodiscard]] std::string help_text(const std::vector<std::string>& topic);

}  // namespace litedesk::cli
