#include "cli/trace.hpp"

#include <memory>
#include <string_view>

#include <fmt/format.h>

#include "cli/text.hpp"
#include "providers/error.hpp"
#include "providers/system/files.hpp"

namespace litedesk::cli {

std::function<void(const http::TraceEvent&)> make_trace(const std::string& file, int verbose, Printer& printer,
                                                        std::stop_token stop) {
  constexpr int lines = 2, bodies = 3;
  std::shared_ptr<system::OutputFile> out;
  if (!file.empty()) out = std::make_shared<system::OutputFile>(file, "trace", system::Patience{std::move(stop)});
  if (!out && verbose < lines) return {};
  return [out, verbose, &printer](const http::TraceEvent& event) mutable {
    const std::string_view text = event.text;
    if (out) {
      const std::string line =
          fmt::format("{} {} {}\n", system::to_rfc3339_micro(event.time), to_string(event.api), printable(text));
      try {
        out->write(line);
      } catch (const Error& error) {  // what is done matters more than what is told of it
        const std::string& reason = error.cause().empty() ? error.message() : error.cause();
        printer.warn(fmt::format("the trace in {} ends here: {}", out->path().string(), reason));
        out.reset();
      }
    }
    if (verbose >= bodies)
      printer.detail(bodies, text);
    else
      printer.detail(lines, text.substr(0, text.find('\n')));
  };
}

}  // namespace litedesk::cli
