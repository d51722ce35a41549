#include "providers/system/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>

namespace litedesk::system {

namespace {

constexpr rlim_t usual_limit = 1024;  // what Linux gives by itself

rlimit file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
  return limit;
}

FileShortage of_this_process() {
  const auto limit = file_limit();
  FileShortage shortage{fmt::format("this process may have only {} files open", limit.rlim_cur), {}};
  const auto wanted = std::max(usual_limit, 2 * limit.rlim_cur);
  const auto allowed = std::min(wanted, limit.rlim_max);
  if (allowed > limit.rlim_cur)
    shortage.hint = fmt::format("raise the limit with `ulimit -n {}` and run it again", allowed);
  else
    shortage.hint =
        fmt::format("raise the limit: `ulimit -n {0}` as root, or LimitNOFILE={0} where systemd starts it", wanted);
  return shortage;
}

}  // namespace

std::optional<FileShortage> file_shortage(int error) {
  if (error == EMFILE) return of_this_process();
  if (error == ENFILE)
    return FileShortage{"too many files are open on this machine",
                        "close what keeps them open, or raise the limit with `sysctl fs.file-max`"};
  return std::nullopt;
}

std::optional<FileShortage> file_shortage_for(std::size_t more) {
  constexpr rlim_t most_looked_at = 1'000'000;
  const rlim_t limit = std::min(file_limit().rlim_cur, most_looked_at);
  std::size_t room = 0;
  for (rlim_t number = 0; number < limit && room < more; ++number)
    if (::fcntl(static_cast<int>(number), F_GETFD) < 0) ++room;
  if (room >= more) return std::nullopt;
  return of_this_process();
}

ErrorDetails explained(ErrorDetails details, int error) {
  if (auto shortage = file_shortage(error)) {
    details.message += ": " + shortage->message;
    details.hint = std::move(shortage->hint);
  }
  return details;
}

}  // namespace litedesk::system
