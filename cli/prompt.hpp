// Asking before something is lost: the name is typed, or given by --confirm, or --yes says not to ask.
#pragma once

#include <string>
#include <string_view>

#include "cli/session.hpp"

namespace litedesk::cli {

// Returns when it may be done. Throws UsageError when it was not confirmed: another name was typed or given, or nobody
// can be asked (no terminal). `what` completes "to ..." ("delete tenant acme"); `confirm` is the flag's value, empty
// when absent.
void confirm(Session& session, std::string_view what, std::string_view name, std::string_view confirm);
// The same where much is lost: --yes alone does not do, the name must be typed or given.
void confirm_by_name(Session& session, std::string_view what, std::string_view name, std::string_view confirm);

// Whether a person on a terminal answers the question with yes ("y" or "yes"). False, without asking, where nobody can
// be asked.
[[nodiscard]] bool agrees(Session& session, std::string_view question);

}  // namespace litedesk::cli
