// Where requests are told of: --trace FILE (0600), and standard error with -vv and -vvv. What is secret is masked
// before.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "cli/output.hpp"
#include "providers/http/client.hpp"

namespace litedesk::cli {

// Empty when nobody wants to know. Throws Failed when the file cannot be made, Cancelled when it is a FIFO and `stop`
// comes before its reader. A file that cannot be written any more (a full disk) ends the trace with a warning and
// nothing else.
[[nodiscard]] std::function<void(const http::TraceEvent&)> make_trace(const std::string& file, int verbose,
                                                                      Printer& printer, std::stop_token stop = {});

}  // namespace litedesk::cli
