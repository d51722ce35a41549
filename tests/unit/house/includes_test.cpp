#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace fs = std::filesystem;

namespace {

// What each folder may include of the house, besides itself. Dependencies only ever point down.
const std::map<std::string, std::set<std::string>> allowed = {
    {"cli", {"commands", "providers", "templates"}},
    {"commands", {"providers", "templates"}},
    {"templates", {"providers/json.hpp", "providers/error.hpp", "providers/read_json.hpp", "providers/utf8.hpp", "providers/yaml"}},
    {"providers", {}},
};

// Libraries that stay inside their storey.
const std::vector<std::pair<std::string, std::set<std::string>>> kept_inside = {
    {"CLI/", {"cli"}},          {"curl/", {"providers"}},        {"sqlite3.h", {"providers"}},
    {"pugixml", {"providers"}}, {"microhttpd.h", {"providers"}}, {"openssl/", {"providers"}},
};

struct Include {
  std::string file, target;
  bool quoted = false;
};

std::vector<Include> includes_of(const fs::path& root, const std::string& folder) {
  std::vector<Include> found;
  static const std::regex line_form(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    const auto extension = entry.path().extension();
    if (extension != ".cpp" && extension != ".hpp") continue;
    std::ifstream in(entry.path());
    std::string line;
    while (std::getline(in, line)) {
      std::smatch match;
      if (std::regex_search(line, match, line_form))
        found.push_back({fs::relative(entry.path(), root).string(), match[2].str(), match[1].str() == "\""});
    }
  }
  return found;
}

}  // namespace

TEST_CASE("no include points up the house") {
  const fs::path root = LITEDESK_SOURCE_DIR;
  std::size_t looked_at = 0;
  for (const auto& [folder, targets] : allowed) {
    for (const auto& include : includes_of(root, folder)) {
      ++looked_at;
      INFO(include.file << " includes " << include.target);
      if (include.quoted) {
        const bool own = include.target.starts_with(folder + "/");
        bool down = false;
        for (const auto& target : targets)
          down = down || include.target == target || include.target.starts_with(target + "/");
        CHECK((own || down));
      }
      for (const auto& [library, storeys] : kept_inside)
        if (!include.quoted && include.target.starts_with(library)) CHECK(storeys.contains(folder));
    }
  }
  CHECK(looked_at > 20);
}

TEST_CASE("the sandbox includes none of the clients that it is a stand-in for") {
  for (const auto& include : includes_of(LITEDESK_SOURCE_DIR, "providers/sandbox")) {
    INFO(include.file << " includes " << include.target);
    for (const auto* room :
         {"providers/kubernetes/", "providers/aws/", "providers/atlas/", "providers/http/", "providers/store/"})
      CHECK_FALSE(include.target.starts_with(room));
  }
}

TEST_CASE("commands neither print nor read the terminal") {
  for (const auto& include : includes_of(LITEDESK_SOURCE_DIR, "commands")) {
    INFO(include.file << " includes " << include.target);
    CHECK_FALSE(include.target == "iostream");
    CHECK_FALSE(include.target == "cstdio");
  }
}
