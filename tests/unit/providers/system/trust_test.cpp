#include "providers/system/trust.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/system/files.hpp"

using namespace litedesk;
using namespace litedesk::system;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "litedesk-trust.XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

// "message | hint"
std::string refusal(const fs::path& path) {
  try {
    (void)read_trusted_file(path, "plan");
  } catch (const PermissionDenied& error) {
    return error.message() + " | " + error.hint();
  }
  return "trusted";
}

}  // namespace

TEST_CASE("a file is trusted when nobody but its owner may write it") {
  const Folder folder;
  const auto file = folder.path / "file";
  CHECK(refusal(file) == "trusted");  // there is none
  std::ofstream(file) << "text";
  const std::string why =
      "the plan " + file.string() + " is not trusted: others may write it | chmod go-w " + file.string();
  struct Row {
    mode_t mode;
    bool trusted;
  };
  for (const Row& row : {Row{0600, true}, {0644, true}, {0444, true}, {0606, false}, {0602, false}}) {
    CAPTURE(row.mode);
    REQUIRE(::chmod(file.c_str(), row.mode) == 0);
    CHECK(refusal(file) == (row.trusted ? "trusted" : why));
  }
  fs::create_symlink(file, folder.path / "link");
  CHECK(refusal(folder.path / "link") != "trusted");
  CHECK_THROWS_AS(require_trusted(folder.path / "link", "plan"), PermissionDenied);
}

TEST_CASE("what belongs to another user is not trusted, and what is root's is") {
  if (::geteuid() != 0) {
    CHECK_NOTHROW(require_trusted(fs::path("/etc/passwd"), "plan"));
    MESSAGE("skipped: only root can give a file away");
    return;
  }
  const Folder folder;
  const auto file = folder.path / "file";
  std::ofstream(file) << "text";
  CHECK(refusal(file) == "trusted");
  REQUIRE(::chown(file.c_str(), 65534, 65534) == 0);
  CHECK(refusal(file) ==
        "the plan " + file.string() +
            " is not trusted: it belongs to another user (uid 65534) | use a copy of your own, or take it "
            "over with chown");
}

TEST_CASE("a folder is trusted with all that is in it, and a sticky one as it is") {
  const Folder folder;
  fs::create_directories(folder.path / "a" / "b");
  std::ofstream(folder.path / "a" / "b" / "file") << "text";
  CHECK_NOTHROW(require_trusted_tree(folder.path, "template"));
  REQUIRE(::chmod((folder.path / "a").c_str(), 01777) == 0);
  CHECK_NOTHROW(require_trusted_tree(folder.path, "template"));
  REQUIRE(::chmod((folder.path / "a").c_str(), 0777) == 0);
  CHECK_THROWS_AS(require_trusted_tree(folder.path, "template"), PermissionDenied);
  REQUIRE(::chmod((folder.path / "a").c_str(), 0755) == 0);
  REQUIRE(::chmod((folder.path / "a" / "b" / "file").c_str(), 0666) == 0);
  CHECK_THROWS_AS(require_trusted_tree(folder.path, "template"), PermissionDenied);
}
