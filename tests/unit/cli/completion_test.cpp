#include "cli/completion.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "memory_runtime.hpp"
#include "templates/files.hpp"

using namespace litedesk::cli;
using testing::TemporaryFolder;

namespace {

struct Place {
  TemporaryFolder folder;
  Environment environment{
      {"HOME", folder.path().string()}, {"LITEDESK_HOME", folder.path().string()}, {"LITEDESK_CONTEXT", "sandbox"}};

  Place() {
    write_snapshot(folder.path(), "sandbox",
                   {{{"acme", "Acme Inc (trial)"}, {"zolw", "Żółw (starter)"}}, {{"acme.litedesk.com", "CNAME a"}}});
    write_snapshot(folder.path(), "staging", {{{"other", ""}}, {}});
    folder.write("config.yaml",
                 "currentContext: staging # comment\ncontexts:\n  staging: {dns: {domain: s.example.com}}\n");
  }
  Completions at(const std::vector<std::string>& words) const { return complete(words, environment, folder.path()); }
  std::vector<std::string> words(const std::vector<std::string>& line) const {
    std::vector<std::string> texts;
    for (const Word& word : at(line).words) texts.push_back(word.text);
    return texts;
  }
  bool offers(const std::vector<std::string>& line, const std::string& word) const {
    const auto all = words(line);
    return std::find(all.begin(), all.end(), word) != all.end();
  }
};

using List = std::vector<std::string>;

}  // namespace

TEST_CASE("Tiers are those of the context's own templates") {
  Place place;
  auto text = litedesk::templates::Files().get("tiers.yaml").text;
  text.replace(text.find("name: starter"), std::string("name: starter").size(), "name: gold");
  place.folder.write("mine/tiers.yaml", text);
  place.folder.write("config.yaml", "contexts:\n  staging: {templates: mine}\n");
  CHECK(place.words({"tenant", "create", "--tier", "g"}).empty());
  CHECK(place.words({"--context", "staging", "tenant", "create", "--tier", "g"}) == List{"gold"});
  place.environment["LITEDESK_TEMPLATES"] = "mine";
  CHECK(place.words({"tenant", "create", "--tier", "g"}) == List{"gold"});
}

TEST_CASE("Commands, flags and values are completed where they may stand") {
  const Place place;
  struct Case {
    List line, offered;
  };
  const std::vector<Case> cases{
      {{"ten"}, {"tenant"}},
      {{"tenant", "c"}, {"create"}},
      {{"--context", "staging", "inst"}, {"instance"}},
      {{"tenant", "create", "--ema"}, {"--email"}},
      {{"tenant", "create", "--tier", "tr"}, {"trial"}},
      {{"tenant", "create", "--tier=tr"}, {"--tier=trial"}},
      {{"tenant", "list", "--placement", ""}, {"shared", "dedicated"}},
      {{"tenant", "get", ""}, {"acme", "zolw"}},
      {{"tenant", "get", "a"}, {"acme"}},
      {{"tenant", "get", "acme", ""}, {}},
      {{"tenant", "get", "--context", "staging", ""}, {"other"}},
      {{"tenant", "get", "--", "z"}, {"zolw"}},
      {{"instance", "provision", "--no-wait", "z"}, {"zolw"}},
      {{"dns", "get", ""}, {"acme.litedesk.com"}},
      {{"--context", ""}, {"sandbox", "staging"}},
      {{"context", "use", "st"}, {"staging"}},
      {{"context", "set", "x", "dns.z"}, {"dns.zone="}},
      {{"context", "set", "x", "dns.strategy="}, {"dns.strategy=record", "dns.strategy=wildcard", "dns.strategy=none"}},
      {{"status", "-o", "js"}, {"json", "jsonpath="}},
      {{"status", "-qo", "js"}, {"json", "jsonpath="}},
      {{"tenant", "get", "-qo", "json", "z"}, {"zolw"}},
      {{"completion", "z"}, {"zsh"}},
      {{"help", "cost"}, {"cost-estimate"}},
      {{"help", "dns", "l"}, {"list"}},
      {{"cost-estimate", "--model", "ded"}, {"dedicated"}},
      {{"sandbox", "serve", "--fault", "kubernetes:c"}, {"kubernetes:conflict:"}},
      {{"sandbox", "serve", "--fault", "atlas:c"}, {}},
      {{"sandbox", "serve", "--fault=all:l"}, {"--fault=all:lost:"}},
      {{"nonsense", ""}, {}},
      {{"tenant", "nonsense", ""}, {}},
  };
  for (const Case& each : cases) {
    std::string shown;
    for (const std::string& word : each.line) shown += "[" + word + "] ";
    CAPTURE(shown);
    CHECK(place.words(each.line) == each.offered);
  }
}

TEST_CASE("A flag that is there is offered again only when it repeats") {
  const Place place;
  CHECK_FALSE(place.offers({"tenant", "create", "--email", "a@b.c", "--"}, "--email"));
  CHECK(place.offers({"tenant", "create", "--tag", "a", "--"}, "--tag"));
  CHECK(place.offers({"tenant", "create", "--"}, "--context"));
}

TEST_CASE("Files are left to the shell") {
  const Place place;
  CHECK(place.at({"instance", "provision", "acme", "--plan", ""}).files == Completions::Files::any);
  CHECK(place.at({"status", "--trace=x"}).files == Completions::Files::any);
  CHECK(place.at({"template", "eject", ""}).files == Completions::Files::folders);
  CHECK(place.at({"tenant", "create", "--email", ""}).files == Completions::Files::none);
}

TEST_CASE("The current context of the file is the one whose names are offered") {
  Place place;
  place.environment.erase("LITEDESK_CONTEXT");
  CHECK(place.words({"tenant", "get", ""}) == List{"other"});
  CHECK(place.words({"--sandbox", "tenant", "get", "z"}) == List{"zolw"});
}

TEST_CASE("A damaged file offers less, and nothing fails") {
  Place place;
  place.folder.write("config.yaml", "contexts: [");
  place.folder.write("snapshots/sandbox.txt", "tenant\tonly-half\nrubbish\n\x01\n");
  CHECK(place.words({"context", "use", ""}) == List{"sandbox"});
  CHECK(place.words({"tenant", "get", ""}).empty());
}

TEST_CASE("Words are printed one a line with a description, and a last line for the shell") {
  CHECK(to_text({{{"acme", "Acme\tInc\n"}, {"zolw", ""}}, Completions::Files::none, false}) ==
        "acme\tAcme Inc \nzolw\n:none\n");
  CHECK(to_text({{}, Completions::Files::folders, true}) == ":folders,nospace\n");
}

TEST_CASE("Snapshots keep what was seen last, sorted") {
  const TemporaryFolder folder;
  Snapshot snapshot;
  put(snapshot.tenants, {"b", "1"});
  put(snapshot.tenants, {"a", "2"});
  put(snapshot.tenants, {"b", "3"});
  drop(snapshot.tenants, "none");
  CHECK(snapshot.tenants == std::vector<Word>{{"a", "2"}, {"b", "3"}});
  write_snapshot(folder.path(), "x", snapshot);
  CHECK(read_snapshot(folder.path(), "x") == snapshot);
  CHECK(read_snapshot(folder.path(), "y") == Snapshot{});
}
