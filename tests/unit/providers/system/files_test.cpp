#include "providers/system/files.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "providers/error.hpp"

using namespace litedesk;
using namespace litedesk::system;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "litedesk-files-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    fs::permissions(path, fs::perms::owner_all);
    fs::remove_all(path);
  }
  fs::path path;
};

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("a file that is not there is nothing, also when its folder is a file") {
  const Folder folder;
  CHECK_FALSE(read_file(folder.path / "none", "config").has_value());
  write_file_atomically(folder.path / "file", "x", "config");
  CHECK_FALSE(read_file(folder.path / "file" / "below", "config").has_value());
}

TEST_CASE("a written file is read back whole, is its owner's only, and leaves nothing beside it") {
  const Folder folder;
  const auto path = folder.path / "a" / "b" / "file";
  for (const std::string& text :
       {std::string("short"), std::string(300'000, 'x'), std::string("a\0b", 3), std::string()}) {
    write_file_atomically(path, text, "config");
    CHECK(read_file(path, "config") == text);
  }
  CHECK(mode_of(path) == 0600);
  CHECK(mode_of(folder.path / "a") == 0700);
  CHECK(mode_of(folder.path / "a" / "b") == 0700);
  CHECK(std::distance(fs::directory_iterator(path.parent_path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a file that /proc makes up, with no size, is read whole") {
  const auto text = read_file("/proc/self/status", "status");
  REQUIRE(text.has_value());
  CHECK(text->find("PPid:") != std::string::npos);
}

TEST_CASE("writing to a link changes the file that it names and keeps the link") {
  const Folder folder;
  write_file_atomically(folder.path / "real", "old", "config");
  fs::create_symlink("real", folder.path / "link");
  write_file_atomically(folder.path / "link", "new", "config");
  CHECK(fs::is_symlink(folder.path / "link"));
  CHECK(read_file(folder.path / "real", "config") == "new");
}

TEST_CASE("what cannot be read or written is an error that names the file and the reason") {
  const Folder folder;
  CHECK_THROWS_WITH_AS((void)read_file(folder.path, "kubeconfig"),
                       ("cannot read the kubeconfig " + folder.path.string() + ": Is a directory").c_str(), Failed);
  write_file_atomically(folder.path / "file", "x", "config");
  CHECK_THROWS_AS(make_private_folder(folder.path / "file" / "below"), Failed);
  // /dev/full refuses every byte as a full disk does; its folder is no place for our file, so only the reason is
  // compared.
  CHECK_THROWS_AS(write_file_atomically("/proc/litedesk", "x", "state"), Error);
}

TEST_CASE("a write that fails half-way leaves the old file and nothing beside it") {
  const Folder folder;
  const auto path = folder.path / "file";
  write_file_atomically(path, "old", "state");
  // A limit on the size of files stands for the full disk.
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 8192;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK_THROWS_AS(write_file_atomically(path, std::string(100'000, 'x'), "state"), Failed);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, handler);
  CHECK(read_file(path, "state") == "old");
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 1);
}

TEST_CASE("a file that may not be read or a folder that may not be written is a refused permission") {
  if (::geteuid() == 0) {
    MESSAGE("skipped: root may read and write everything");
    return;
  }
  const Folder folder;
  write_file_atomically(folder.path / "file", "x", "config");
  fs::permissions(folder.path / "file", fs::perms::none);
  CHECK_THROWS_AS((void)read_file(folder.path / "file", "config"), PermissionDenied);
  fs::permissions(folder.path, fs::perms::owner_read | fs::perms::owner_exec);
  CHECK_THROWS_AS(write_file_atomically(folder.path / "other", "x", "config"), PermissionDenied);
}

TEST_CASE("only a leading ~ stands for the home folder") {
  CHECK(expand_home("~", "/home/a") == "/home/a");
  CHECK(expand_home("~/x/y", "/home/a") == "/home/a/x/y");
  CHECK(expand_home("~b/x", "/home/a") == "~b/x");
  CHECK(expand_home("/x/~", "/home/a") == "/x/~");
  CHECK(expand_home("", "/home/a").empty());
}
