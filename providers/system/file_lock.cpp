#include "providers/system/file_lock.hpp"

#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/system/files.hpp"

namespace litedesk::system {
namespace {

namespace fs = std::filesystem;

bool same_file(int descriptor, const fs::path& file) {
  struct stat ours {
  }, there{};
  return ::fstat(descriptor, &ours) == 0 && ::lstat(file.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino;
}

struct Opened {
  int descriptor = -1;
  bool made = false;
};

// For writing where that is allowed: NFS wants it for an exclusive lock.
Opened open_file(const fs::path& file) {
  constexpr int flags = O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
  while (true) {
    if (const int made = ::open(file.c_str(), flags | O_RDWR | O_CREAT | O_EXCL, 0600); made >= 0) return {made, true};
    if (errno != EEXIST) break;
    for (const int mode : {O_RDWR, O_RDONLY}) {
      if (const int found = ::open(file.c_str(), flags | mode); found >= 0) return {found, false};
      if (errno == ENOENT) break;  // it went away in between
    }
    if (errno != ENOENT) break;
  }
  const int error = errno;
  ErrorDetails details{.message = fmt::format("cannot lock {}", file.string()),
                       .hint = "check the owner and the mode of the file and of its folder",
                       .resource = fmt::format("file {}", file.string()),
                       .cause = std::strerror(error)};
  if (error == EACCES || error == EPERM) throw PermissionDenied(std::move(details));
  throw Failed(std::move(details));
}

}  // namespace

std::optional<FileLock> FileLock::try_take(const fs::path& file) {
  while (true) {
    struct stat about {};
    if (::lstat(file.c_str(), &about) == 0 && !S_ISREG(about.st_mode)) return FileLock(file, -1, false);
    const Opened opened = open_file(file);
    FileLock lock(file, opened.descriptor, opened.made);
    if (::flock(opened.descriptor, LOCK_EX | LOCK_NB) != 0) {
      lock.made_ = false;  // whoever was quicker than we has a use for it
      if (errno == EWOULDBLOCK) return std::nullopt;
      return lock;
    }
    // While we opened it, another one may have been put in its place.
    if (same_file(opened.descriptor, file)) return lock;
    lock.made_ = false;
  }
}

FileLock::FileLock(fs::path file, int descriptor, bool made)
    : file_(std::move(file)), descriptor_(descriptor), made_(made) {}

FileLock::FileLock(FileLock&& other) noexcept
    : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)), made_(other.made_) {}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  struct stat about {};
  if (made_ && ::fstat(descriptor_, &about) == 0 && about.st_size == 0 && same_file(descriptor_, file_))
    ::unlink(file_.c_str());
  ::close(descriptor_);
}

std::string lock_holder(const fs::path& file) {
  const std::string unknown = "another process";
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0) return unknown;
  // Lines as in proc(5): "1: FLOCK  ADVISORY  WRITE 4711 fd:01:1835017 0 EOF". The device is not compared: on some
  // file systems it is not the one that stat(2) tells.
  std::istringstream lines(read_file("/proc/locks", "locks").value_or(""));
  const std::string inode = ":" + std::to_string(about.st_ino);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, mode, place;
    long pid = 0;
    words >> number >> kind >> advisory >> mode >> pid >> place;
    if (kind != "FLOCK" || mode != "WRITE" || !place.ends_with(inode) || pid <= 0) continue;
    const std::string status = read_file(fmt::format("/proc/{}/status", pid), "process status").value_or("");
    const auto field = [&](std::string_view name) {
      const auto begin = status.find(name);
      if (begin == std::string::npos) return std::string();
      const auto value = begin + name.size();
      return status.substr(value, status.find('\n', value) - value);
    };
    const std::string program = field("Name:\t");
    if (program.empty()) return fmt::format("process {}", pid);
    const bool stopped = field("State:\t").starts_with('T');
    return fmt::format("process {} ({}{})", pid, program, stopped ? ", stopped" : "");
  }
  return unknown;
}

}  // namespace litedesk::system
