#include "cli/config_file.hpp"

#include <doctest/doctest.h>

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
           Case{"curentContext: a\n", ":1: there is no key \"curentContext\"", "currentContext"},
           Case{"contexts:\n  a:\n    dns:\n      zon: Z1\n", ":4: there is no setting \"dns.zon\"", "zone"},
           Case{"contexts:\n  a:\n    kubernets: {}\n", ":3: there is no setting \"kubernets\"", "kubernetes"},
           Case{"contexts:\n  a: text\n", ":2: a is to be a map", ""},
           Case{"contexts:\n  a:\n    dns: {zone: {b: {c: d}}}\n", ":3: zone is to be one value", ""},
           Case{"# list\n- a\n", ":2: a configuration is a map", ""},
           Case{"currentContext: a\r", "config.yaml:1:18: there is a carriage return here", ""},
           Case{"contexts: {}\ncurrentContext: a\rcontexts: {}\r", "config.yaml:2:18: there is a carriage return", ""},
           Case{"currentContext: a\ncurrentContext: b\n", "config.yaml:2:1: the key currentContext is here twice", ""},
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

TEST_CASE("The built-in name and names that no shell likes are refused") {
  CHECK_NOTHROW(check_context_name("eu-west_1.prod"));
  for (const char* name : {"sandbox", "", "a b", "-x", "a/b", "\x1b"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(check_context_name(name), UsageError);
  }
}
