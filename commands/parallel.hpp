// A few independent tasks at once.
#pragma once

#include <functional>
#include <vector>

namespace litedesk {

// Runs every task on a thread of its own (the first on the caller's) and waits for all of them. Then rethrows the error
// of the first task in the list that failed: which one is reported does not depend on timing.
void run_all(const std::vector<std::function<void()>>& tasks);

}  // namespace litedesk
