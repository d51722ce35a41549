#include "providers/kubernetes/credentials.hpp"

#include <filesystem>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "providers/http/url.hpp"
#include "tests/unit/providers/kubernetes/support.hpp"

using namespace litedesk;
using namespace litedesk::kubernetes;
using kubernetes::test::error_of;
using kubernetes::test::Folder;

namespace {

std::string authorization(const Identity& identity) {
  return std::string(http::find(identity.headers, "Authorization"));
}

}  // namespace

TEST_CASE("a token file is read again for each request, and the last token serves while it is away") {
  const Folder folder;
  auto config = test::cluster_with_token();
  config.token_file = folder.write("token", "one\n");
  Credentials credentials(config, {});
  const auto first = credentials.current();
  CHECK(authorization(first) == "Bearer one");
  CHECK_FALSE(credentials.renewed(first));
  folder.write("token", "two");
  const auto renewed = credentials.renewed(first);
  REQUIRE(renewed);
  CHECK(authorization(*renewed) == "Bearer two");
  folder.write("token", "");
  CHECK(authorization(credentials.current()) == "Bearer two");
  std::filesystem::remove(config.token_file);
  CHECK(authorization(credentials.current()) == "Bearer two");
  folder.write("token", "three\nX-Evil: 1");
  CHECK_THROWS_AS((void)credentials.current(), AuthError);
}

TEST_CASE("a token file that was never there leaves the token beside it, or nothing") {
  auto config = test::cluster_with_token();
  config.token_file = "/nonexistent/token";
  CHECK(authorization(Credentials(config, {}).current()) == "Bearer s3cret-token");
  config.token = Secret();
  Credentials credentials(config, {});
  CHECK(test::contains(error_of<AuthError>([&] { (void)credentials.current(); }).message(),
                       "/nonexistent/token does not exist"));
}

TEST_CASE("basic authentication and impersonation are headers") {
  ClusterConfig config;
  config.server = "https://api.example";
  config.username = "aladdin";
  config.password = Secret("opensesame");
  config.impersonation = {{"Impersonate-User", "jane"}};
  const auto identity = Credentials(config, {}).current();
  CHECK(authorization(identity) == "Basic YWxhZGRpbjpvcGVuc2VzYW1l");
  CHECK(http::find(identity.headers, "impersonate-user") == "jane");
}

TEST_CASE("nothing secret is sent over plain http, but to this machine") {
  struct Row {
    const char* url;
    bool refused;
  };
  for (const auto& row :
       {Row{"https://api.example", false}, Row{"http://api.example", true}, Row{"http://127.0.0.1:8080/x", false},
        Row{"http://127.1.2.3", false}, Row{"http://localhost:1", false}, Row{"http://[::1]:8080", false},
        Row{"http://[fd00::1]:8080", true}, Row{"http://127.evil.example", true}, Row{"http://localhost.example", true},
        Row{"http://10.0.0.1", true}}) {
    CAPTURE(row.url);
    CHECK(http::is_plain_http_over_network(row.url) == row.refused);
    auto config = test::cluster_with_token();
    config.server = row.url;
    config.impersonation = {{"Impersonate-User", "jane"}};
    Credentials credentials(config, {});
    CHECK(credentials.withheld() == row.refused);
    CHECK(authorization(credentials.current()).empty() == row.refused);
    CHECK(http::find(credentials.current().headers, "Impersonate-User") == "jane");
  }
}

TEST_CASE("a plugin's certificate keeps its connections while it is the same") {
  auto config = test::cluster_with_token();
  config.token = Secret();
  config.exec = ExecPlugin{};
  config.exec->api_version = "client.authentication.k8s.io/v1";
  config.exec->command = "x";
  config.exec->interactive_mode = "Never";
  auto pair = test::make_certificate(-60, 3600);
  ExecOptions options;
  options.run = [&pair](const system::Command&) {
    return system::CommandResult{
        0, Json{{"kind", "ExecCredential"},
                {"apiVersion", "client.authentication.k8s.io/v1"},
                {"status", {{"clientCertificateData", pair.certificate}, {"clientKeyData", pair.key}}}}
               .dump()};
  };
  Credentials credentials(config, options);
  const auto first = credentials.current();
  CHECK(first.tls->client_certificate_pem == pair.certificate);
  CHECK(first.tls == credentials.current().tls);
  CHECK(authorization(first) == "");
  pair = test::make_certificate(-60, 3600);
  const auto renewed = credentials.renewed(first);
  REQUIRE(renewed);
  CHECK(renewed->tls->client_certificate_pem == pair.certificate);
}

TEST_CASE("a token beside a plugin is used instead of it") {
  auto config = test::cluster_with_token();
  config.exec = ExecPlugin{};
  ExecOptions options;
  options.run = [](const system::Command&) -> system::CommandResult { throw Failed("the plugin was run"); };
  Credentials credentials(config, options);
  CHECK(authorization(credentials.current()) == "Bearer s3cret-token");
}
