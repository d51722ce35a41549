// A plan as people read it.
#pragma once

#include <string>
#include <string_view>

#include "cli/output.hpp"
#include "commands/plan.hpp"

namespace litedesk::cli {

// "in production (cluster prod)"; what is empty is left out. Names that leave no room are cut in the middle; a width of
// 0 cuts nothing.
[[nodiscard]] std::string place_text(std::string_view context, std::string_view cluster, std::size_t width, bool utf8);

// "Plan for acme in production (cluster prod): 19 to create · +$5 to $15 a month", then by provider everything that is
// made, by name, every update with its fields, every deletion, and the warnings. Lines fit the stream's width. A
// field's values are whole, but on a terminal they are cut to its width, and the last line says so; -o wide cuts
// nothing and names one object a line. Colours where the stream shows them.
[[nodiscard]] std::string plan_text(const Plan& plan, const Printer& printer, Stream to = Stream::out);

}  // namespace litedesk::cli
