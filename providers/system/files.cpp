#include "providers/system/files.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "providers/error.hpp"

namespace litedesk::system {

namespace fs = std::filesystem;

namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  // A network file system may report a full disk only here.
  [[nodiscard]] bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

// A file that is removed unless it has become the real one.
class Temporary {
 public:
  explicit Temporary(std::string path) : path_(std::move(path)) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  void keep() { path_.clear(); }

 private:
  std::string path_;
};

[[noreturn]] void fail(std::string_view verb, std::string_view what, const fs::path& path, int error) {
  ErrorDetails details{.message = fmt::format("cannot {} the {} {}", verb, what, path.string()),
                       .hint = {},
                       .resource = fmt::format("file {}", path.string()),
                       .cause = strerror(error)};
  switch (error) {
    case EACCES:
    case EPERM:
      details.hint = "check the owner and the mode of the file and of its folders";
      throw PermissionDenied(std::move(details));
    case ENOSPC:
    case EDQUOT:
      details.hint = "free some space on that disk and try again";
      break;
    case EROFS:
      details.hint = "the file system is read-only: name a path elsewhere";
      break;
    default:
      break;
  }
  throw Failed(std::move(details));
}

// The file that a chain of links ends at: a rename must not replace the link.
fs::path resolve_links(const fs::path& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error)) return path;
  auto resolved = fs::weakly_canonical(path, error);
  return error ? path : resolved;
}

}  // namespace

std::optional<std::string> read_file(const fs::path& path, std::string_view what) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    fail("read", what, path, errno);
  }
  std::string text;
  struct stat status {};
  // One byte more than it should have, so that the last read finds the end without growing the text.
  std::size_t room =
      ::fstat(file.get(), &status) == 0 && status.st_size > 0 ? static_cast<std::size_t>(status.st_size) : 0;
  room = std::max<std::size_t>(room + 1, 4096);
  while (true) {
    const std::size_t had = text.size();
    text.resize(had + room);
    ssize_t got = 0;
    do got = ::read(file.get(), text.data() + had, room);
    while (got < 0 && errno == EINTR);
    if (got < 0) fail("read", what, path, errno);
    text.resize(had + static_cast<std::size_t>(got));
    if (got == 0) return text;
  }
}

void write_file_atomically(const fs::path& path, std::string_view text, std::string_view what) {
  const fs::path target = resolve_links(path);
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  make_private_folder(folder);

  std::string name = (folder / ("." + target.filename().string() + ".XXXXXX")).string();
  Descriptor file(::mkostemp(name.data(), O_CLOEXEC));  // mode 0600
  if (file.get() < 0) fail("write", what, path, errno);
  Temporary temporary(name);
  while (!text.empty()) {
    const auto written = ::write(file.get(), text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("write", what, path, errno);
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0) fail("write", what, path, errno);
  if (!file.close()) fail("write", what, path, errno);
  if (::rename(name.c_str(), target.c_str()) != 0) fail("write", what, path, errno);
  temporary.keep();

  // The rename itself is on the disk only once the folder is. Some file systems cannot sync one (EINVAL).
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() >= 0 && ::fsync(opened.get()) != 0 && errno != EINVAL) fail("write", what, path, errno);
}

void make_private_folder(const fs::path& path) {
  fs::path so_far;
  for (const auto& part : path) {
    so_far /= part;
    if (part.empty() || ::mkdir(so_far.c_str(), 0700) == 0) continue;
    const int error = errno;  // a folder that is there may also be reported as read-only or forbidden
    struct stat status {};
    if (::stat(so_far.c_str(), &status) != 0) fail("make", "folder", so_far, error);
    if (!S_ISDIR(status.st_mode)) fail("make", "folder", so_far, ENOTDIR);
  }
}

fs::path expand_home(std::string_view path, std::string_view home) {
  if (path == "~") return home;
  if (path.starts_with("~/")) return fs::path(home) / path.substr(2);
  return path;
}

}  // namespace litedesk::system
