#include "providers/system/limits.hpp"

#include <cerrno>
#include <vector>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/providers/few_files.hpp"

using namespace litedesk;

TEST_CASE("only EMFILE and ENFILE are a shortage of files") {
  CHECK_FALSE(system::file_shortage(0));
  CHECK_FALSE(system::file_shortage(ENOENT));
  CHECK_FALSE(system::file_shortage(ENOMEM));
  const auto all = system::file_shortage(ENFILE);
  REQUIRE(all);
  CHECK(all->message == "too many files are open on this machine");
}

TEST_CASE("a shortage says how many files there may be, and how to raise that") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const test::FewFiles few(64, 3);
  CHECK_FALSE(system::file_shortage_for(3));
  const auto shortage = system::file_shortage_for(4);
  REQUIRE(shortage);
  CHECK(shortage->message == "this process may have only 64 files open");
  if (before.rlim_max >= 1024) CHECK(shortage->hint == "raise the limit with `ulimit -n 1024` and run it again");
  CHECK(system::file_shortage(EMFILE)->message == shortage->message);
}
