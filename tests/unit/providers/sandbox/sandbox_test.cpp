#include "providers/sandbox/sandbox.hpp"

#include <fstream>
#include <functional>
#include <mutex>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/system/hash.hpp"
#include "raw_client.hpp"
#include "sandbox_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using tests::ask;

namespace {

int port_of(const std::string& url) {
  return std::stoi(url.substr(url.rfind(':') + 1));
}

int status_at(const std::string& url, const std::string& path, const std::string& headers = "") {
  return ask(port_of(url), "GET", path, headers).status;
}

}  // namespace

TEST_CASE("three servers answer as soon as the sandbox is there") {
  const tests::TemporaryFolder folder;
  const Sandbox sandbox({.folder = folder / "sandbox"});
  const auto& at = sandbox.endpoints();
  CHECK(at.kubernetes_url != at.route53_url);
  CHECK(status_at(at.route53_url, "/2013-04-01/hostedzone") == 403);
  CHECK(status_at(at.atlas_url, "/api/atlas/v2") == 401);
  CHECK(status_at(at.kubernetes_url, "/version", "Authorization: Bearer " + at.kubernetes_token + "\r\n") == 200);
}

TEST_CASE("two sandboxes on one folder share what they hold") {
  const tests::TemporaryFolder folder;
  const Sandbox one({.folder = folder.path()});
  const Sandbox two({.folder = folder.path()});
  const auto& at = one.endpoints();
  const auto token =
      ask(port_of(at.atlas_url), "POST", "/api/oauth/token",
          "Authorization: Basic " + system::base64_encode(at.atlas_client_id + ":" + at.atlas_client_secret) +
              "\r\n"
              "Content-Type: application/x-www-form-urlencoded\r\n",
          "grant_type=client_credentials");
  REQUIRE(token.status == 200);
  CHECK(status_at(two.endpoints().atlas_url, "/api/atlas/v2",
                  "Accept: application/vnd.atlas.2023-01-01+json\r\nAuthorization: Bearer " +
                      Json::parse(token.body).at("access_token").get<std::string>() + "\r\n") == 200);
}

TEST_CASE("faults and request lines reach the server they are meant for") {
  const tests::TemporaryFolder folder;
  std::mutex mutex;
  std::vector<std::string> lines;
  const Sandbox sandbox({.folder = folder.path(),
                         .faults = {parse_fault("route53:unavailable:1")},
                         .on_request = [&](const std::string& line) {
                           const std::lock_guard lock(mutex);
                           lines.push_back(line);
                         }});
  CHECK(status_at(sandbox.endpoints().atlas_url, "/a") == 401);
  CHECK(status_at(sandbox.endpoints().route53_url, "/b") == 503);
  CHECK(status_at(sandbox.endpoints().route53_url, "/c") == 403);
  const std::lock_guard lock(mutex);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].starts_with("atlas GET /a 401 "));
  CHECK(lines[1].starts_with("route53 GET /b 503 "));
  CHECK(lines[1].ends_with("fault unavailable"));
}

TEST_CASE("a sandbox starts and stops within a blink") {
  const tests::TemporaryFolder folder;
  { const Sandbox first({.folder = folder.path()}); }
  const auto begin = std::chrono::steady_clock::now();
  { const Sandbox again({.folder = folder.path()}); }
  // Generous: the machine that runs this may be busy.
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
}

TEST_CASE("the contents count what is kept, and a reset forgets it") {
  const tests::TemporaryFolder folder;
  CHECK_FALSE(contents(folder.path()).exists);
  CHECK_FALSE(reset(folder.path()));
  CHECK_FALSE(reset(folder / "nowhere"));
  { const Sandbox sandbox({.folder = folder.path(), .domain = "example.org"}); }
  const auto found = contents(folder.path());
  CHECK(found.exists);
  CHECK(found.counts.at("records") == 2);
  CHECK(found.counts.at("hosted zones") == 1);
  CHECK(found.counts.at("clusters") == 1);
  CHECK(found.counts.at("database users") == 0);
  CHECK(found.counts.at("namespaces") >= 1);
  CHECK(reset(folder.path()));
  CHECK_FALSE(contents(folder.path()).exists);
}

TEST_CASE("a sandbox that is in use is not reset") {
  const tests::TemporaryFolder folder;
  const Sandbox sandbox({.folder = folder.path()});
  CHECK_THROWS_AS(reset(folder.path()), Conflict);
  CHECK(contents(folder.path()).exists);
}

TEST_CASE("a folder that cannot be made is named") {
  const tests::TemporaryFolder folder;
  { const Sandbox sandbox({.folder = folder.path()}); }
  try {
    const Sandbox sandbox({.folder = folder / "state.db/below"});
    FAIL("served from below a file");
  } catch (const Error& error) {
    CHECK(error.message().find("state.db") != std::string::npos);
  }
}

TEST_CASE("a port that another program has is named") {
  const tests::TemporaryFolder folder;
  const Sandbox sandbox({.folder = folder.path()});
  const int taken = port_of(sandbox.endpoints().route53_url);
  try {
    const Sandbox second({.folder = folder.path(), .port_base = taken});
    FAIL("two on one port");
  } catch (const Failed& error) {
    CHECK(error.message().find(std::to_string(taken)) != std::string::npos);
  }
}

TEST_CASE("the kubeconfig names the server and the token") {
  Endpoints endpoints;
  endpoints.kubernetes_url = "http://127.0.0.1:1234";
  endpoints.kubernetes_token = "token";
  const auto text = kubeconfig(endpoints);
  CHECK(text.find("server: \"http://127.0.0.1:1234/token\"") != std::string::npos);
  CHECK(text.find("token: \"token\"") != std::string::npos);
  CHECK(text.find("current-context: litedesk-sandbox") != std::string::npos);
}

TEST_CASE("a damaged state is said to be there, refuses to be read, and can be forgotten") {
  const tests::TemporaryFolder folder;
  CHECK_FALSE(has_state(folder.path()));
  {
    std::ofstream(folder / "state.db") << "this is no database, and longer than its header of a hundred bytes would be";
  }
  CHECK(has_state(folder.path()));
  for (const auto& use : std::vector<std::function<void()>>{
           [&] { (void)contents(folder.path()); }, [&] { const Sandbox sandbox({.folder = folder.path()}); }}) {
    try {
      use();
      FAIL("it was read");
    } catch (const Failed& error) {
      CHECK(std::string(error.what()).find("state.db") != std::string::npos);
      CHECK(error.hint().find("sandbox reset") != std::string::npos);
    }
  }
  CHECK(reset(folder.path()));
  CHECK_FALSE(has_state(folder.path()));
}
