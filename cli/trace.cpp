#include "cli/trace.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "providers/error.hpp"

namespace litedesk::cli {
namespace {

class TraceFile {
 public:
  explicit TraceFile(const std::string& path)
      : path_(path), descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    const bool is_link = descriptor_ < 0 && errno == ELOOP;
    if (is_link) {
      open_linked_device();
      if (descriptor_ >= 0) return;
    }
    // A file that was there keeps its mode: narrow it before anything is in it.
    if (descriptor_ >= 0 && (!is_regular() || ::fchmod(descriptor_, 0600) == 0)) return;
    const std::string reason = std::strerror(errno);
    if (descriptor_ >= 0) ::close(descriptor_);
    throw Failed(
        {.message = fmt::format("cannot write the trace to {}", path),
         .hint = is_link ? "name the file itself, not a link to it" : "name a file in a folder that you can write to",
         .resource = {},
         .cause = reason});
  }
  ~TraceFile() { ::close(descriptor_); }
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  // False when it could not be written.
  bool write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  // /dev/stderr is a link, to a terminal or a pipe. A link to a file might be somebody else's trap, and is not
  // followed.
  void open_linked_device() {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor_ < 0 || !is_regular()) return;
    ::close(std::exchange(descriptor_, -1));
    errno = ELOOP;
  }
  [[nodiscard]] bool is_regular() const {
    struct stat about {};
    return ::fstat(descriptor_, &about) == 0 && S_ISREG(about.st_mode);
  }

  std::string path_;
  int descriptor_;
};

}  // namespace

std::function<void(const http::TraceEvent&)> make_trace(const std::string& file, int verbose, Printer& printer) {
  constexpr int lines = 2, bodies = 3;
  std::shared_ptr<TraceFile> out;
  if (!file.empty()) out = std::make_shared<TraceFile>(file);
  if (!out && verbose < lines) return {};
  return [out, verbose, &printer](const http::TraceEvent& event) mutable {
    const std::string_view text = event.text;
    if (out) {
      const std::string line =
          fmt::format("{} {} {}\n", system::to_rfc3339_micro(event.time), to_string(event.api), text);
      if (!out->write(line)) {
        printer.warn(fmt::format("the trace in {} ends here: {}", out->path(), std::strerror(errno)));
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
