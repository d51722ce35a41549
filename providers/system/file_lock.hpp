// One process at a time at a file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace litedesk::system {

// Exclusive among the processes that ask for it: flock(2) on the file itself, which is replaced by a rename while the
// lock is held. The kernel lets go of it when its process ends, so nothing that is left behind is ever in the way.
class FileLock {
 public:
  // Nothing while somebody else has it. The file is made where there is none. What is no regular file, and a file
  // system that knows no locks, are not locked: then it is had at once. Throws Failed when the file cannot be opened.
  [[nodiscard]] static std::optional<FileLock> try_take(const std::filesystem::path& file);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  // A file that was made for the lock and is still empty is taken away again.
  ~FileLock();

 private:
  FileLock(std::filesystem::path file, int descriptor, bool made);

  std::filesystem::path file_;
  int descriptor_;
  bool made_;
};

// Who has the lock of the file: "process 4711 (litedesk, stopped)"; "another process" when nobody can tell.
[[nodiscard]] std::string lock_holder(const std::filesystem::path& file);

}  // namespace litedesk::system
