#include "providers/system/files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/system/limits.hpp"
#include "providers/system/trust.hpp"

namespace litedesk::system {

namespace fs = std::filesystem;

namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
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
    case EFBIG:
      details.hint = "files may not grow that large here: raise the limit (ulimit -f) and try again";
      break;
    case EROFS:
      details.hint = "the file system is read-only: name a path elsewhere";
      break;
    case EBUSY:
      details.hint = "it is a mount point and cannot be replaced: mount its folder instead, or name a path elsewhere";
      break;
    case EPIPE:
      details.hint = "its reader has closed it";
      break;
    case ELOOP:
      details.hint = "its symbolic links lead in a circle: name the file itself";
      break;
    default:
      break;
  }
  throw Failed(explained(std::move(details), error));
}

[[noreturn]] void fail_alone(std::string_view verb, std::string_view what, const fs::path& path) {
  const bool writes = verb == "write";
  throw Timeout({.message = fmt::format("cannot {} the {} {}: it is a FIFO, and nobody opened it to {} in time", verb,
                                        what, path.string(), writes ? "read" : "write"),
                 .hint = writes ? "start its reader first, or name a regular file"
                                : "start its writer first, or name a regular file",
                 .resource = fmt::format("file {}", path.string()),
                 .cause = {}});
}

[[noreturn]] void fail_stopped(std::string_view verb, std::string_view what, const fs::path& path) {
  throw Cancelled(fmt::format("interrupted while waiting to {} the {} {}", verb, what, path.string()));
}

// Waiting for a descriptor that a stop ends.
class Waiter {
 public:
  explicit Waiter(const Patience& patience)
      : end_(std::chrono::steady_clock::now() + patience.longest),
        stop_(patience.stop),
        stopped_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        on_stop_(patience.stop, [this] { eventfd_write(stopped_.get(), 1); }) {}

  enum class Result { ready, late, stopped };
  // Until the descriptor (none: -1) is ready for `events`, `longest` at most; without one, as long as it takes.
  Result wait(int descriptor, short events, std::optional<std::chrono::milliseconds> longest) {
    std::array<pollfd, 2> watched{{{descriptor, events, 0}, {stopped_.get(), POLLIN, 0}}};
    const int milliseconds =
        longest ? static_cast<int>(std::clamp<std::int64_t>(longest->count(), 0, std::int64_t{1} << 30)) : -1;
    while (::poll(watched.data(), watched.size(), milliseconds) < 0 && errno == EINTR) {
    }
    if (watched[0].revents != 0) return Result::ready;
    return stop_.stop_requested() ? Result::stopped : Result::late;
  }
  // What is left of the patience.
  [[nodiscard]] std::chrono::milliseconds left() const {
    const auto now = std::chrono::steady_clock::now();
    return now >= end_ ? std::chrono::milliseconds(0) : std::chrono::ceil<std::chrono::milliseconds>(end_ - now);
  }

 private:
  std::chrono::steady_clock::time_point end_;
  std::stop_token stop_;
  Descriptor stopped_;
  std::stop_callback<std::function<void()>> on_stop_;
};

// --- where a path leads to

bool is_in_proc(const fs::path& folder) {
  struct statfs about {};
  return ::statfs(folder.c_str(), &about) == 0 && about.f_type == PROC_SUPER_MAGIC;
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// A link that somebody else has put there would lead to what they choose; what they have put there they may read.
// fs.protected_symlinks guards only sticky folders, and reading a link passes by it.
void refuse_foreign(const struct stat& about, std::string_view what, const fs::path& path, std::string_view kind) {
  if (!is_foreign(about)) return;
  throw PermissionDenied(
      {.message = fmt::format("cannot write the {} {}: the {} belongs to another user", what, path.string(), kind),
       .hint = "name a file in a folder of your own",
       .resource = fmt::format("file {}", path.string()),
       .cause = fmt::format("its owner has uid {}", about.st_uid)});
}

std::string read_link(const fs::path& path, std::string_view what) {
  std::array<char, PATH_MAX> buffer;
  const ssize_t length = ::readlink(path.c_str(), buffer.data(), buffer.size());
  if (length < 0) fail("follow the link of", what, path, errno);
  return {buffer.data(), static_cast<std::size_t>(length)};
}

// A descriptor of our own that a link in /proc stands for: then its offset is shared with whoever writes there too.
// Nothing for what is no such link.
std::optional<int> own_descriptor(const fs::path& link) {
  const std::string name = link.filename().string();
  int number = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  struct stat there {
  }, ours{};
  if (error != std::errc{} || end != name.data() + name.size() || number < 0) return std::nullopt;
  if (::stat(link.c_str(), &there) != 0 || ::fstat(number, &ours) != 0) return std::nullopt;
  return there.st_dev == ours.st_dev && there.st_ino == ours.st_ino ? std::optional(number) : std::nullopt;
}

// --- what is written into as it is

// A FIFO needs a reader to be opened. There is no event to wait for: the kernel tells nobody that one has come.
Descriptor open_fifo(const fs::path& path, std::string_view what, const Patience& patience) {
  constexpr std::chrono::milliseconds pause{20};
  Waiter waiter(patience);
  while (true) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (file.get() >= 0) return file;
    if (errno != ENXIO) fail("write", what, path, errno);
    if (waiter.left() <= std::chrono::milliseconds(0)) fail_alone("write", what, path);
    if (waiter.wait(-1, 0, std::min(pause, waiter.left())) == Waiter::Result::stopped)
      fail_stopped("write", what, path);
  }
}

// Opened, when the name at the end of the links is neither free nor a regular file.
std::optional<Descriptor> open_special(const fs::path& target, std::string_view what, const Patience& patience) {
  struct stat about {};
  if (::lstat(target.c_str(), &about) != 0) return std::nullopt;
  if (S_ISDIR(about.st_mode)) fail("write", what, target, EISDIR);
  if (S_ISREG(about.st_mode) || S_ISFIFO(about.st_mode))
    refuse_foreign(about, what, target, S_ISREG(about.st_mode) ? "file" : "FIFO");
  if (S_ISREG(about.st_mode)) return std::nullopt;
  if (S_ISFIFO(about.st_mode)) return open_fifo(target, what, patience);
  const bool is_link = S_ISLNK(about.st_mode);  // in /proc: final_target leaves no others
  if (const auto ours = is_link ? own_descriptor(target) : std::nullopt) {
    Descriptor file(::fcntl(*ours, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (file.get() < 0) fail("write", what, target, errno);
    return file;
  }
  Descriptor file(::open(target.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (file.get() < 0) fail("write", what, target, errno);
  return file;
}

// The whole text. With a waiter, into what may have no room at the moment: a piece that a pipe takes in one go is
// written when there is some, so that the wait can be ended.
void write_all(int descriptor, std::string_view text, std::string_view what, const fs::path& path, Waiter* waiter) {
  while (!text.empty()) {
    if (waiter && waiter->wait(descriptor, POLLOUT, std::nullopt) == Waiter::Result::stopped)
      fail_stopped("write", what, path);
    const auto written =
        ::write(descriptor, text.data(), waiter ? std::min<std::size_t>(text.size(), PIPE_BUF) : text.size());
    if (written < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      fail("write", what, path, errno);
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool is_regular(int descriptor) {
  struct stat about {};
  return ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
}

void write_special(int descriptor, std::string_view text, std::string_view what, const fs::path& path,
                   const Patience& patience) {
  if (is_regular(descriptor)) return write_all(descriptor, text, what, path, nullptr);
  Waiter waiter(patience);
  write_all(descriptor, text, what, path, &waiter);
}

}  // namespace

namespace {

// Nothing when there is no file.
std::optional<Descriptor> open_for_reading(const fs::path& path, std::string_view what) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (file.get() >= 0) return file;
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  fail("read", what, path, errno);
}

std::string read_whole(const Descriptor& file, const fs::path& path, std::string_view what, const Patience& patience) {
  constexpr std::size_t most = std::size_t{64} << 20;
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail("read", what, path, errno);
  std::optional<Waiter> waiter;
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) waiter.emplace(patience);
  std::string text;
  // One byte more than it should have, so that the last read finds the end without growing the text.
  std::size_t room =
      std::clamp<std::size_t>(static_cast<std::size_t>(std::max<off_t>(status.st_size, 0)) + 1, 4096, most + 1);
  bool has_writer = false;
  while (true) {
    bool late = false;
    if (waiter) {
      const auto longest = has_writer ? std::nullopt : std::optional(waiter->left());
      const auto result = waiter->wait(file.get(), POLLIN, longest);
      if (result == Waiter::Result::stopped) fail_stopped("read", what, path);
      late = result == Waiter::Result::late;
    }
    const std::size_t had = text.size();
    text.resize(had + room);
    ssize_t got = 0;
    do got = ::read(file.get(), text.data() + had, room);
    while (got < 0 && errno == EINTR);
    text.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno != EAGAIN) fail("read", what, path, errno);
    // A FIFO that nobody has opened for writing looks like one whose writer is slow, but to a read.
    if (got == 0 && late) fail_alone("read", what, path);
    if (got == 0) return text;
    if (text.size() > most)
      throw Failed({.message = fmt::format("cannot read the {} {}: it holds more than 64 MiB", what, path.string()),
                    .hint = "is it the file that you mean?",
                    .resource = fmt::format("file {}", path.string()),
                    .cause = {}});
    has_writer = true;
  }
}

}  // namespace

std::optional<std::string> read_file(const fs::path& path, std::string_view what, const Patience& patience) {
  const auto file = open_for_reading(path, what);
  if (!file) return std::nullopt;
  return read_whole(*file, path, what, patience);
}

std::optional<std::string> read_trusted_file(const fs::path& path, std::string_view what, const Patience& patience) {
  const auto file = open_for_reading(path, what);
  if (!file) return std::nullopt;
  require_trusted(file->get(), path, what);
  return read_whole(*file, path, what, patience);
}

fs::path final_target(const fs::path& path, std::string_view what) {
  constexpr int longest_chain = 40;  // the kernel's own limit
  fs::path target = path;
  for (int i = 0; i < longest_chain; ++i) {
    struct stat about {};
    if (::lstat(target.c_str(), &about) != 0 || !S_ISLNK(about.st_mode)) return target;
    const fs::path folder = folder_of(target);
    if (is_in_proc(folder)) return target;
    refuse_foreign(about, what, target, "link");
    target = folder / read_link(target, what);  // an absolute one replaces the folder
  }
  fail("write", what, path, ELOOP);
}

void write_file_atomically(const fs::path& path, std::string_view text, std::string_view what,
                           const Patience& patience) {
  const fs::path target = final_target(path, what);
  if (const auto special = open_special(target, what, patience))
    return write_special(special->get(), text, what, path, patience);
  const fs::path folder = folder_of(target);
  make_private_folder(folder);

  std::string name = (folder / ("." + target.filename().string() + ".XXXXXX")).string();
  Descriptor file(::mkostemp(name.data(), O_CLOEXEC));  // mode 0600
  if (file.get() < 0) fail("write", what, path, errno);
  Temporary temporary(name);
  write_all(file.get(), text, what, path, nullptr);
  if (::fsync(file.get()) != 0) fail("write", what, path, errno);
  if (!file.close()) fail("write", what, path, errno);
  if (::rename(name.c_str(), target.c_str()) != 0) fail("write", what, path, errno);
  temporary.keep();

  // The rename itself is on the disk only once the folder is. Some file systems cannot sync one (EINVAL).
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() >= 0 && ::fsync(opened.get()) != 0 && errno != EINVAL) fail("write", what, path, errno);
}

OutputFile::OutputFile(const fs::path& path, std::string_view what, Patience patience)
    : path_(path), what_(what), patience_(std::move(patience)) {
  const fs::path target = final_target(path, what);
  if (auto special = open_special(target, what, patience_)) {
    descriptor_ = special->release();
    return;
  }
  Descriptor file(::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600));
  // A file that was there keeps its mode: narrow it before anything is in it.
  if (file.get() < 0 || ::fchmod(file.get(), 0600) != 0) fail("write", what, path, errno);
  descriptor_ = file.release();
}

OutputFile::~OutputFile() {
  ::close(descriptor_);
}

void OutputFile::write(std::string_view text) {
  write_special(descriptor_, text, what_, path_, patience_);
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
