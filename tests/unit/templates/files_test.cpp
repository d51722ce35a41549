#include "templates/files.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "providers/error.hpp"
#include "templates/renderer.hpp"
#include "templates/yaml_tree.hpp"

using namespace litedesk;
using namespace litedesk::templates;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "litedesk-files-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }

 private:
  fs::path path_;
};

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

TEST_CASE("the built-in files are the source's, byte for byte, and all of them parse") {
  const Files files;
  const auto names = files.list("");
  CHECK(contains(names, "tiers.yaml"));
  CHECK(contains(names, "prices.yaml"));
  CHECK(contains(names, "tenant-crd.yaml"));
  CHECK(files.list("instance/").size() >= 8);
  CHECK(std::is_sorted(names.begin(), names.end()));
  for (const auto& name : names) {
    CAPTURE(name);
    const auto file = files.get(name);
    CHECK(file.origin == "built-in " + name);
    CHECK(file.text == read(fs::path(LITEDESK_SOURCE_DIR) / "templates" / name));
    CHECK_FALSE(parse_tree(file.text, file.origin).empty());
  }
}

TEST_CASE("a folder replaces files and adds to instance/") {
  const Folder folder;
  folder.write("tiers.yaml", "tiers: []\n");
  folder.write("instance/90-more.yaml", "a: 1\n");
  folder.write("instance/.#90-more.yaml", "left by an editor\n");
  folder.write("instance/notes.txt", "no template\n");
  const Files files(folder.path());
  CHECK(files.get("tiers.yaml").text == "tiers: []\n");
  CHECK(files.get("tiers.yaml").origin == (folder.path() / "tiers.yaml").string());
  CHECK(files.get("prices.yaml").origin == "built-in prices.yaml");
  const auto names = files.list("instance/");
  CHECK(names.size() == Files().list("instance/").size() + 1);
  CHECK(names.back() == "instance/90-more.yaml");
  CHECK(files.parsed("instance/90-more.yaml")->origin == (folder.path() / "instance/90-more.yaml").string());
  CHECK(files.parsed("tiers.yaml") == files.parsed("tiers.yaml"));
}

TEST_CASE("what is no template is not found, and no name leads out of the folder") {
  const Folder folder;
  folder.write("secret", "x");
  folder.write("in/tiers.yaml", "tiers: []\n");
  const Files files(folder.path() / "in");
  for (const auto* name : {"", "nothing.yaml", "../secret", "instance/../../secret", "/etc/hostname", "./tiers.yaml"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(static_cast<void>(files.get(name)), NotFound);
  }
}

TEST_CASE("a file of the folder that cannot be read is an error, and not the built-in one instead") {
  const Folder folder;
  fs::create_directories(folder.path() / "tiers.yaml");
  fs::create_symlink(folder.path() / "gone", folder.path() / "prices.yaml");
  folder.write("tenant-crd.yaml", std::string(1024 * 1024 + 1, '#'));
  const Files files(folder.path());
  CHECK_THROWS_AS(static_cast<void>(files.get("tiers.yaml")), Failed);
  CHECK_THROWS_AS(static_cast<void>(files.get("prices.yaml")), Failed);
  CHECK_THROWS_AS(static_cast<void>(files.get("tenant-crd.yaml")), ValidationError);
  CHECK_THROWS_WITH_AS(Files(folder.path() / "absent"), doctest::Contains("not found"), NotFound);
}

TEST_CASE("eject writes every built-in file once, and overwrites none") {
  const Folder folder;
  const auto into = folder.path() / "new" / "templates";
  const auto names = Files().eject(into);
  CHECK(names == Files().list(""));
  for (const auto& name : names) CHECK(read(into / name) == Files().get(name).text);
  CHECK_THROWS_AS(static_cast<void>(Files().eject(into)), Conflict);
  CHECK(Files(into).list("") == names);

  folder.write("half/prices.yaml", "mine\n");
  CHECK_THROWS_AS(static_cast<void>(Files().eject(folder.path() / "half")), Conflict);
  CHECK(read(folder.path() / "half/prices.yaml") == "mine\n");
  CHECK_FALSE(fs::exists(folder.path() / "half/tiers.yaml"));

  folder.write("file", "x");
  CHECK_THROWS_AS(static_cast<void>(Files().eject(folder.path() / "file" / "x")), Failed);
}
