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
           Case{"curentContext: a\n", ":1: unknown key \"curentContext\"", "currentContext"},
           Case{"contexts:\n  a:\n    dns:\n      zon: Z1\n", ":4: unknown setting \"dns.zon\"", "zone"},
           Case{"contexts:\n  a:\n    kubernets: {}\n", ":3: unknown setting \"kubernets\"", "kubernetes"},
           Case{"contexts:\n  a: text\n", ":2: a must be a map", ""},
           Case{"contexts:\n  a:\n    dns: {zone: {b: {c: d}}}\n", ":3: zone must be a single value", ""},
           Case{"- a\n", ": the configuration must be a map", ""},
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

TEST_CASE("The built-in name and names that no shell likes are refused") {
  CHECK_NOTHROW(check_context_name("eu-west_1.prod"));
  for (const char* name : {"sandbox", "", "a b", "-x", "a/b", "\x1b"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(check_context_name(name), UsageError);
  }
}
