#include "commands/app_profile.hpp"

#include <doctest/doctest.h>

#include "providers/error.hpp"
#include "tests/unit/commands/template_folder.hpp"

using namespace litedesk;

namespace {

const std::string head = "title: Own\ndatabase: uri\nroutes:\n- {path: /, component: web}\n";
const std::string web = "components:\n- name: web\n  image: own/web:1\n  port: 8080\n  user: 1000\n";

std::string error_of(const std::string& text) {
  testing::TemplateFolder folder;
  folder.write("app/own.yaml", text);
  try {
    static_cast<void>(load_profile(folder.files(), "own"));
    return "no error";
  } catch (const ValidationError& error) {
    const auto prefix = folder.path().string() + "/app/";
    return error.message().starts_with(prefix) ? error.message().substr(prefix.size()) : error.message();
  }
}

}  // namespace

TEST_CASE("both generations' profiles are sound, and say what their images need") {
  const templates::Files files;
  CHECK(profile_names(files) == std::vector<std::string>{"arivu", "litedesk"});
  for (const auto& name : profile_names(files)) {
    CAPTURE(name);
    const auto profile = load_profile(files, name);
    REQUIRE(profile.find("backend") != nullptr);
    REQUIRE(profile.find("frontend") != nullptr);
    CHECK(profile.find("backend")->user == 1001);
    CHECK(profile.find("frontend")->port == 80);
    CHECK(profile.find("frontend")->user == 101);
    CHECK(profile.blocked == std::vector<std::string>{"/api/auth/register", "/api/admin"});
    REQUIRE(profile.check);
    CHECK(profile.check->path == "/api/auth/login");
    CHECK(profile.check->serves == std::vector<int>{401});
    CHECK(profile.tier_word("trial") == "trial");
    CHECK(profile.tier_word("enterprise") == "paid");
    CHECK(profile.find_optional("NODE_ENV") == nullptr);
  }
  CHECK(load_profile(files, "litedesk").database.kind == DatabaseRule::Kind::fragment);
  const auto arivu = load_profile(files, "arivu");
  CHECK(to_string(arivu.database) == "variable MASTER_DB_NAME");
  CHECK(arivu.secrets[1].takes_over == "jwt-secret");
  CHECK(arivu.find_optional("SMTP_PASS")->secret);
  CHECK_FALSE(arivu.find_optional("SMTP_HOST")->secret);
}

TEST_CASE("a profile that is not there names those that are") {
  const templates::Files files;
  try {
    static_cast<void>(load_profile(files, "arvu"));
    FAIL("no error");
  } catch (const NotFound& error) {
    CHECK(error.message() == "application profile arvu not found");
    CHECK(error.hint() == "did you mean \"arivu\"?");
  }
  CHECK_THROWS_AS(static_cast<void>(load_profile(files, "../tiers")), NotFound);
  CHECK_THROWS_AS(static_cast<void>(load_profile(files, "")), NotFound);
}

TEST_CASE("a mistake in a profile is named with its place") {
  CHECK(error_of(head + web) == "no error");
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "own.yaml:1:1: the file must be a map"},
      {head, "own.yaml:1:1: the file needs a components"},
      {head + web + "  prot: 80\n", "own.yaml:10:3: unknown key prot in components: did you mean \"port\"?"},
      {head + web + "  port: 80\n", "own.yaml:10:3: the key port is defined twice"},
      {head + web + "  readiness: {path: health}\n", "own.yaml:10:21: \"health\" is not a path"},
      {head + web + "  readiness: {pth: /}\n", "own.yaml:10:15: unknown key pth in readiness: did you mean \"path\"?"},
      {head + "components:\n- {name: web, image: x, port: 70000, user: 1}\n",
       "own.yaml:6:31: port must be a TCP port, 1 to 65535"},
      {head + "components:\n- {name: web, image: x, port: 80, user: 0}\n",
       "own.yaml:6:41: user must be a user ID that is not root's"},
      {head + "components:\n- {name: web, image: x, port: eighty, user: 1}\n",
       "own.yaml:6:31: port must be a TCP port, 1 to 65535"},
      {head + "components:\n- {name: Web, image: x, port: 80, user: 1}\n", "own.yaml:6:10: \"Web\" is not a name"},
      {head + "components:\n- {name: other, image: x, port: 80, user: 1}\n",
       "own.yaml:4:24: no component web is defined"},
      {head + "components:\n- {name: web, image: x, user: 1}\n", "own.yaml:4:24: the component web has no port"},
      {head + web + "- {name: web, image: x, user: 1}\n", "own.yaml:10:10: the component web is defined twice"},
      {head + web + "  environment:\n  - {name: A, value: x, secret: key}\n",
       "own.yaml:11:5: the variable A needs one of value, secret and from"},
      {head + web + "  environment:\n  - {name: A, secret: key}\n", "own.yaml:11:23: no secret key is defined"},
      {head + web + "  environment:\n  - {name: A, value: x}\n  - {name: A, value: z}\n",
       "own.yaml:12:5: the variable A is defined twice"},
      {head + web + "  environment:\n  - {name: 1A, value: x}\n", "own.yaml:11:12: \"1A\" is not a variable's name"},
      {head + web + "  sysctls:\n  - {name: kernel.msgmax, value: \"1\"}\n",
       "own.yaml:11:12: name must be a sysctl that Kubernetes calls safe"},
      {head + web + "  volumes:\n  - {name: a, path: /a, size: 1Gi}\n  - {name: b, path: /a, size: 1Gi}\n",
       "own.yaml:12:21: the folder /a is mounted twice"},
      {head + web + "  volumes:\n  - {name: a, path: /a, size: big}\n", "own.yaml:11:31: the size big is not a size"},
      {head + web + "  reaches: [db]\n", "own.yaml:10:13: no component db is defined"},
      {head + web + "  egress:\n  - {port: 25, when: SMTP_HOST}\n",
       "own.yaml:11:22: SMTP_HOST is not an optional variable of web"},
      {head + "bodySize: 0m\n" + web, "own.yaml:5:11: bodySize 0m is not from 1k to 1g"},
      {head + "bodySize: 12mb\n" + web, "own.yaml:5:11: bodySize 12mb is not a size: write 512k, 12m or 1g"},
      {head + "bodySize: 2g\n" + web, "own.yaml:5:11: bodySize 2g is not from 1k to 1g"},
      {head + "blocked: [\"/api$\"]\n" + web, "own.yaml:5:11: \"/api$\" is not a path"},
      {"title: Own\ndatabase: named x\nroutes:\n- {path: /, component: web}\n" + web,
       "own.yaml:2:11: \"named x\" is not a rule for the database's name"},
      {head + web + "---\n" + head + web, "own.yaml:11:1: a profile is one document"},
  };
  for (const auto& each : cases) {
    const auto found = error_of(each.first);
    CHECK_MESSAGE(found.starts_with(each.second), each.first << "\n" << found);
  }
}

TEST_CASE("how a database is named is a rule in words") {
  for (const auto* rule : {"uri", "fragment", "variable MASTER_DB_NAME", "fixed litedesk_master"})
    CHECK(to_string(parse_database_rule(rule)) == rule);
  for (const auto* rule : {"", "URI", "uri x", "variable", "variable a-b", "fixed", "fixed a b", "fixed a/b", "name x"})
    CHECK_THROWS_AS(static_cast<void>(parse_database_rule(rule)), UsageError);
}
