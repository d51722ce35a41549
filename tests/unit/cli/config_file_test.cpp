#include "cli/config_file.hpp"

#include <algorithm>
#include <filesystem>
#include <future>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "memory_runtime.hpp"
#include "providers/error.hpp"

using namespace litedesk;
using namespace litedesk::cli;
using testing::TemporaryFolder;

TEST_CASE("What is wrong in a configuration is told with file and line") {
  struct Case {
    const char* text;
    const char* told;
    const char* hint;
  };
  for (const auto& [text, told, hint] : {
           Case{"curentContext: a\n", ":1: unknown key \"curentContext\"", "currentContext"},
           Case{"contexts:\n  a:\n    dns:\n      zon: Z1\n", ":4: unknown setting \"dns.zon\"", "zone"},
           Case{"contexts:\n  a:\n    kubernets: {}\n", ":3: unknown setting \"kubernets\"", "kubernetes"},
           Case{"contexts:\n  a: text\n", ":2: a must be a map", ""},
           Case{"contexts:\n  a:\n    dns: {zone: {b: {c: d}}}\n", ":3: zone must be a single value", ""},
           Case{"# list\n- a\n", ":2: the configuration must be a map", ""},
           Case{"currentContext: a\r", "config.yaml:1:18: there is a carriage return here", ""},
           Case{"contexts: {}\ncurrentContext: a\rcontexts: {}\r", "config.yaml:2:18: there is a carriage return", ""},
           Case{"currentContext: a\ncurrentContext: b\n", "config.yaml:2:1: the key currentContext is defined twice",
                ""},
           Case{"currentContext: caf\xE9\n", "config.yaml:1:20: this is not YAML text", ""},
           Case{"--- ,", "config.yaml:1:5: ", ""},
           Case{",", "config.yaml:1:1: ", ""},
           Case{"a0: &a [x, x, x, x, x, x, x, x, x]\na1: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\na2: &c [*b, *b, *b, "
                "*b, "
                "*b, *b, *b, *b, *b]\na3: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\na4: &e [*d, *d, *d, *d, *d, *d, *d, "
                "*d, "
                "*d]\na5: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]\n",
                "config.yaml:6:", ""},
       }) {
    const TemporaryFolder folder;
    folder.write("config.yaml", text);
    const auto shown = text;  // Clang 14 captures no structured binding
    CAPTURE(shown);
    try {
      (void)read_config(folder.path() / "config.yaml", true);
      FAIL("it was taken");
    } catch (const ValidationError& error) {
      CAPTURE(error.message());
      CHECK(error.message().find(told) != std::string::npos);
      CHECK(error.hint().find(hint) != std::string::npos);
    }
  }
}

TEST_CASE("A configuration that is no YAML is refused, and one that is not there is empty unless it was named") {
  const TemporaryFolder folder;
  folder.write("config.yaml", "contexts: {a: [");
  CHECK_THROWS_AS((void)read_config(folder.path() / "config.yaml", false), ValidationError);
  CHECK_FALSE(read_config(folder.path() / "none.yaml", false).exists);
  CHECK_THROWS_AS((void)read_config(folder.path() / "none.yaml", true), UsageError);
  folder.write("empty.yaml", "");
  CHECK(read_config(folder.path() / "empty.yaml", true).contexts.empty());
}

TEST_CASE("What is written is read again as it was, and comments are kept beside it") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "config.yaml";
  folder.write("config.yaml", "# mine\ncurrentContext: a\ncontexts:\n  a: {provisioning: enabled}\n");
  ConfigFile config = read_config(path, true);
  config.contexts["b"]["dns.zone"] = {"Z1", 0};
  config.contexts["b"]["database.projects"] = {"5f0000000000000000000001,5f0000000000000000000002", 0};
  config.contexts["b"]["kubernetes.ingressPodLabels"] = {"app=ingress,x=y", 0};
  config.contexts["b"]["autoRollback"] = {"false", 0};
  CHECK(write_config(config));
  CHECK(folder.read("config.yaml.bak").starts_with("# mine"));
  const ConfigFile again = read_config(path, true);
  CHECK(again.current == "a");
  CHECK(again.contexts.at("a").at("provisioning").text == "enabled");
  for (const auto& [key, value] : config.contexts["b"]) CHECK(again.contexts.at("b").at(key).text == value.text);
  CHECK_FALSE(write_config(again));
  CHECK(peek_current_context(path) == "a");
}

TEST_CASE("Flow style, a byte order mark, CR LF and escapes are read, and written as characters") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "config.yaml";
  folder.write("config.yaml",
               "\xEF\xBB\xBF{currentContext: a,\r\n contexts: {a: {images: {backend: \"x\\_\\N\\L\"}}}}\r\n");
  const ConfigFile config = read_config(path, true);
  CHECK(config.current == "a");
  CHECK(config.contexts.at("a").at("images.backend").text == "x\xC2\xA0\xC2\x85\xE2\x80\xA8");
  CHECK(config.contexts.at("a").at("images.backend").line == 2);
  write_config(config);
  CHECK(read_config(path, true).contexts.at("a").at("images.backend").text == "x\xC2\xA0\xC2\x85\xE2\x80\xA8");
}

TEST_CASE("Many that change a configuration at once all have their change in it, also through a link") {
  const TemporaryFolder folder;
  folder.write("config.yaml", "");
  std::filesystem::create_directory(folder.path() / "real");
  std::filesystem::create_symlink("real/new.yaml", folder.path() / "link.yaml");
  for (const char* name : {"config.yaml", "none/yet.yaml", "link.yaml"}) {
    CAPTURE(name);
    const auto path = folder.path() / name;
    std::vector<std::future<bool>> changes;
    for (int i = 0; i < 8; ++i) {
      changes.push_back(std::async(std::launch::async, [&path, i] {
        return change_config(path, {.clock = system::real_clock(), .longest = std::chrono::minutes(5)},
                             [i](ConfigFile& config) {
                               config.contexts["c" + std::to_string(i)]["dns.domain"] = {"a.net", 0};
                             });
      }));
    }
    for (auto& change : changes) CHECK_FALSE(change.get());
    CHECK(read_config(path, true).contexts.size() == 8);
  }
  CHECK(std::filesystem::is_symlink(folder.path() / "link.yaml"));
  // Nothing is left beside them.
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
    left.push_back(entry.path().filename());
  std::sort(left.begin(), left.end());
  CHECK(left == std::vector<std::string>{"config.yaml", "link.yaml", "new.yaml", "none", "real", "yet.yaml"});
}

TEST_CASE("A change that is refused leaves everything as it was, and a FIFO gets what is written") {
  const TemporaryFolder folder;
  const ConfigWait wait{.clock = system::real_clock()};
  const auto refuse = [](ConfigFile&) { throw UsageError("no"); };
  CHECK_THROWS_AS(change_config(folder.path() / "config.yaml", wait, refuse), UsageError);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "config.yaml"));
  folder.write("config.yaml", "");
  CHECK_THROWS_AS(change_config(folder.path() / "config.yaml", wait, refuse), UsageError);
  CHECK(std::filesystem::exists(folder.path() / "config.yaml"));
  const auto fifo = folder.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  auto reader = std::async(std::launch::async, [&] { return system::read_file(fifo, "configuration"); });
  change_config(fifo, wait, [](ConfigFile& config) { config.current = "a"; });
  CHECK(reader.get()->find("currentContext: a") != std::string::npos);
  CHECK(std::filesystem::is_fifo(fifo));
}

TEST_CASE("The current context is found in every form that the file may have") {
  const TemporaryFolder folder;
  struct Case {
    const char* text;
    const char* name;
  };
  for (const auto& [text, name] : {
           Case{"currentContext: a\ncontexts: {a: {}}\n", "a"},
           Case{"contexts: {a-b.c_1: {}}\ncurrentContext: a-b.c_1", "a-b.c_1"},
           Case{"currentContext: a  # mine\r\ncontexts: {}\r\n", "a"},
           Case{"\xEF\xBB\xBF"
                "currentContext: a\n",
                "a"},
           Case{"\xEF\xBB\xBF"
                "{currentContext: a}\n",
                "a"},
           Case{"{currentContext: a, contexts: {a: {dns: {zone: Z1}}}}\n", "a"},
           Case{"# flow\n{\n  contexts: {a: {}},\n  currentContext: a\n}\n", "a"},
           Case{"{\"currentContext\": \"a\", \"contexts\": {\"a\": {}}}", "a"},
           Case{"\"currentContext\": 'a'\n", "a"},
           Case{"currentContext : a\n", "a"},
           Case{"currentContext: \"a\"\n", "a"},
           Case{"currentContext:\n  a\n", "a"},
           Case{"currentContext: &x a\n", "a"},
           Case{"---\ncurrentContext: a\n", "a"},
           Case{"contexts: {a: {images: {backend: currentContext}}}\n", ""},
           Case{"# currentContext: a\ncontexts: {}\n", ""},
           Case{"contexts: {}\n", ""},
           Case{"currentContext:\ncontexts: {}\n", ""},
           Case{"{currentContext: a", ""},
           Case{"", ""},
       }) {
    const std::string shown = text;  // Clang 14 captures no structured binding
    CAPTURE(shown);
    folder.write("config.yaml", text);
    CHECK(peek_current_context(folder.path() / "config.yaml") == name);
  }
  CHECK(peek_current_context(folder.path() / "none.yaml").empty());
  CHECK(peek_current_context(folder.path()).empty());
}

TEST_CASE("The built-in name and names that no shell likes are refused") {
  CHECK_NOTHROW(check_context_name("eu-west_1.prod"));
  for (const char* name : {"sandbox", "", "a b", "-x", "a/b", "\x1b"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(check_context_name(name), UsageError);
  }
}
