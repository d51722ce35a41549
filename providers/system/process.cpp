#include "providers/system/process.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/system/files.hpp"

namespace litedesk::system {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0)
    throw Failed({.message = "cannot find this machine's name", .hint = {}, .resource = {}, .cause = strerror(errno)});
  return name.data();
}

std::string boot_id() {
  std::string id = read_file("/proc/sys/kernel/random/boot_id", "boot id").value_or("");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  std::array<char, 64> link{};  // "pid:[4026531836]"
  if (::readlink("/proc/self/ns/pid", link.data(), link.size() - 1) > 0) {
    const std::string_view text = link.data();
    const auto begin = text.find('['), end = text.find(']');
    if (begin != std::string_view::npos && end != std::string_view::npos)
      id += ":" + std::string(text.substr(begin + 1, end - begin - 1));
  }
  return id;
}

struct ProcessStat {
  char state = '?';
  std::string start_time;
};

std::optional<ProcessStat> stat_of(long pid) {
  const auto text = read_file(fmt::format("/proc/{}/stat", pid), "process status");
  if (!text) return std::nullopt;
  // proc(5): the second field is the program's name in parentheses and may hold anything, so what follows the last one
  // begins with field 3, the state; field 22 is the start time.
  const auto end = text->rfind(')');
  if (end == std::string::npos) return std::nullopt;
  std::istringstream fields(text->substr(end + 1));
  ProcessStat found;
  fields >> found.state;
  for (int field = 4; field <= 22; ++field) fields >> found.start_time;
  return found;
}

}  // namespace

ProcessIdentity this_process() {
  const long pid = ::getpid();
  const auto found = stat_of(pid);
  return {host_name(), boot_id(), pid, found ? found->start_time : std::string()};
}

bool is_local(const ProcessIdentity& process) {
  return process.host == host_name() && !process.boot_id.empty() && process.boot_id == boot_id();
}

bool may_be_alive(const ProcessIdentity& process) {
  if (!is_local(process) || process.pid <= 0) return true;
  if (::kill(static_cast<pid_t>(process.pid), 0) != 0 && errno == ESRCH) return false;
  const auto found = stat_of(process.pid);
  // It runs, but a /proc mounted with hidepid does not show it: then one cannot know whether it is the same.
  if (!found) return true;
  if (found->state == 'Z' || found->state == 'X') return false;
  return process.start_time.empty() || found->start_time == process.start_time;
}

void open_closed_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is the one that is missing. Of output only the reading end: then each write says EBADF.
    const int mode = descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", mode) < 0) (void)!::open("/", O_RDONLY | O_DIRECTORY);  // a root without devices
  }
}

void forbid_core_dumps() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    throw Failed({.message = "cannot switch core dumps off", .hint = {}, .resource = {}, .cause = strerror(errno)});
}

}  // namespace litedesk::system
