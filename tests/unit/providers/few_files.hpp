// A process that may open few more files.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace litedesk::test {

// While it lives the limit is `limit`, of which `room` are free.
class FewFiles {
 public:
  FewFiles(rlim_t limit, std::size_t room) {
    rlimit few{};
    if (::getrlimit(RLIMIT_NOFILE, &before_) != 0) throw std::runtime_error("no limit of files to be read");
    few = before_;
    few.rlim_cur = limit;
    if (::setrlimit(RLIMIT_NOFILE, &few) != 0) throw std::runtime_error("the limit of files cannot be set");
    for (int copy = ::dup(0); copy >= 0; copy = ::dup(0)) taken_.push_back(copy);
    for (; room > 0 && !taken_.empty(); --room) give_one_back();
    if (room > 0) throw std::runtime_error("so many files are not free");
  }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;
  ~FewFiles() {
    while (!taken_.empty()) give_one_back();
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  void give_one_back() {
    ::close(taken_.back());
    taken_.pop_back();
  }

  rlimit before_{};
  std::vector<int> taken_;
};

}  // namespace litedesk::test
