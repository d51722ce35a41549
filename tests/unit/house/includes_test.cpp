#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <re2/re2.h>

namespace fs = std::filesystem;

namespace {

// What each folder may include of the house, besides itself. Dependencies only ever point down.
const std::map<std::string, std::set<std::string>> allowed = {
    {"cli", {"commands", "providers", "templates"}},
    {"commands", {"providers", "templates"}},
    {"templates",
     {"providers/json.hpp", "providers/error.hpp", "providers/read_json.hpp", "providers/utf8.hpp", "providers/yaml",
      "providers/system/sealed.hpp"}},
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
  static const re2::RE2 line_form(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    const auto extension = entry.path().extension();
    if (extension != ".cpp" && extension != ".hpp") continue;
    std::ifstream in(entry.path());
    std::string line, quote, target;
    while (std::getline(in, line))
      if (re2::RE2::PartialMatch(line, line_form, &quote, &target))
        found.push_back({fs::relative(entry.path(), root).string(), target, quote == "\""});
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

// What is read from outside is bounded and checked where it is read; a second reader would not be.
TEST_CASE("JSON, YAML and patterns are read in one place each") {
  struct Rule {
    const char *pattern, *home, *instead;
  };
  const fs::path root = LITEDESK_SOURCE_DIR;
  for (const Rule& rule : {Rule{R"re([Jj]son::(parse|accept|sax_parse|from_[a-z]+)\()re", "providers/read_json.cpp",
                                "parse_json of providers/read_json.hpp"},
                           Rule{R"re(\bget(_to)?<(int|short|unsigned|unsigned int|float|std::u?int(8|16|32)_t)>\(\))re",
                                "", "whole_number of providers/read_json.hpp, which never gives another number"},
                           Rule{R"re(<yaml-cpp/|YAML::)re", "providers/yaml/tree.cpp", "providers/yaml/tree.hpp"},
                           Rule{R"re(<regex>|std::s?regex)re", "", "RE2, which needs no stack"}}) {
    const re2::RE2 pattern(rule.pattern);
    REQUIRE(pattern.ok());
    bool at_home = false;
    for (const auto& [folder, targets] : allowed)
      for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
        const auto file = fs::relative(entry.path(), root).string();
        if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
        std::ifstream in(entry.path());
        std::stringstream text;
        text << in.rdbuf();
        const bool found = re2::RE2::PartialMatch(text.str(), pattern);
        at_home = at_home || (found && file == rule.home);
        INFO(file << ": use " << rule.instead);
        CHECK((!found || file == rule.home));
      }
    CHECK((at_home || *rule.home == '\0'));
  }
}
