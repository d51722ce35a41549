#include "providers/system/file_lock.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/system/files.hpp"

using namespace litedesk;
using namespace litedesk::system;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "litedesk-lock-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

// A process that holds the lock until it is killed.
class Holder {
 public:
  explicit Holder(const fs::path& file) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    pid = ::fork();
    if (pid == 0) {
      const auto lock = FileLock::try_take(file);
      (void)!::write(ends[1], lock ? "y" : "n", 1);
      while (true) ::pause();
    }
    char has = 0;
    REQUIRE(::read(ends[0], &has, 1) == 1);
    CHECK(has == 'y');
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~Holder() { end(); }
  void stop() const {
    ::kill(pid, SIGSTOP);
    int status = 0;
    REQUIRE(::waitpid(pid, &status, WUNTRACED) == pid);
  }
  void end() {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    pid = 0;
  }
  pid_t pid = 0;
};

}  // namespace

TEST_CASE("a lock is one process's until it ends, however it ends, and its holder can be named") {
  const Folder folder;
  const auto file = folder.path / "config";
  write_file_atomically(file, "text", "config");
  Holder holder(file);
  CHECK_FALSE(FileLock::try_take(file).has_value());
  if (fs::exists("/proc/locks") && lock_holder(file) != "another process") {
    const std::string name = "process " + std::to_string(holder.pid) + " (unit_system";
    CHECK(lock_holder(file) == name + ")");
    holder.stop();
    CHECK(lock_holder(file) == name + ", stopped)");
  }
  holder.end();
  CHECK(FileLock::try_take(file).has_value());
  CHECK(FileLock::try_take(file).has_value());  // it was let go of
  CHECK(lock_holder(file) == "another process");
}

TEST_CASE("a file that is replaced under the lock stays locked for whoever opened the old one") {
  const Folder folder;
  const auto file = folder.path / "config";
  write_file_atomically(file, "old", "config");
  {
    const auto lock = FileLock::try_take(file);
    write_file_atomically(file, "new", "config");
    // The new file is another one: it is had at once, by somebody who comes after the change.
    CHECK(FileLock::try_take(file).has_value());
  }
  const auto lock = FileLock::try_take(file);
  REQUIRE(lock);
  CHECK_FALSE(FileLock::try_take(file).has_value());
}

TEST_CASE("a file that was made for the lock goes with it, unless it was written") {
  const Folder folder;
  const auto file = folder.path / "config";
  {
    const auto lock = FileLock::try_take(file);
    CHECK(fs::exists(file));
  }
  CHECK_FALSE(fs::exists(file));
  {
    const auto lock = FileLock::try_take(file);
    write_file_atomically(file, "", "config");  // another file, if an empty one
  }
  CHECK(fs::exists(file));
  { const auto lock = FileLock::try_take(file); }
  CHECK(fs::exists(file));
}

TEST_CASE("what is no regular file is not locked, and a folder that is not there is an error") {
  const Folder folder;
  REQUIRE(::mkfifo((folder.path / "fifo").c_str(), 0600) == 0);
  const auto one = FileLock::try_take(folder.path / "fifo");
  CHECK(one.has_value());
  CHECK(FileLock::try_take(folder.path / "fifo").has_value());
  CHECK_THROWS_AS((void)FileLock::try_take(folder.path / "none" / "file"), Failed);
}
