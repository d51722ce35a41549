#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <doctest/doctest.h>
#include <stdlib.h>

#include "providers/error.hpp"
#include "providers/http/client.hpp"
#include "tests/unit/providers/http/servers.hpp"

using namespace litedesk;
using namespace litedesk::http;
using namespace std::chrono_literals;
using test::Answered;
using test::Asked;
using test::make_certificates;
using test::Server;
using Environment = std::map<std::string, std::string>;
namespace fs = std::filesystem;

namespace {

const system::SkippingClock skipping;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "litedesk-authorities.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder");
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }
  [[nodiscard]] std::string path(const std::string& name = "") const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

// The answer's body, or "message | hint".
std::string ask(const Environment& environment, const Server& server, Api api = Api::other, const Tls& tls = {}) {
  ClientOptions options;
  options.clock = &skipping;
  options.authorities = Authorities(environment);
  Client client(std::move(options));
  Request request;
  request.url = server.url("/x");
  request.timeout = 20s;
  request.api = api;
  request.tls = std::make_shared<const Tls>(tls);
  try {
    return client.send(std::move(request), {}).body;
  } catch (const Error& error) {
    return error.message() + " | " + error.hint();
  }
}

Answered welcome(const Asked&) {
  return {200, "welcome", {}, "text/plain", {}};
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("SSL_CERT_FILE and SSL_CERT_DIR name whom to trust") {
  const auto ours = make_certificates(), others = make_certificates();
  const Server server(welcome, ours);
  const Folder folder;
  const auto file = folder.write("file/ca.pem", "a comment\n" + others.ca_pem + ours.key_pem + ours.ca_pem);
  folder.write("folder/any-name.crt", ours.ca_pem);
  folder.write("folder/README", "no certificate");
  folder.write("other/ca.pem", others.ca_pem);
  fs::create_symlink("ca.pem", folder.path("other/0123abcd.0"));
  fs::create_symlink(folder.path("folder/any-name.crt"), folder.path("linked.pem"));
  fs::create_directory(folder.path("with-link"));
  fs::create_symlink(file, folder.path("with-link/ca.pem"));
  struct Row {
    Environment environment;
    bool trusted;
  };
  const Row rows[] = {
      {{}, false},
      {{{"SSL_CERT_FILE", file}}, true},
      {{{"SSL_CERT_FILE", folder.path("linked.pem")}}, true},
      {{{"SSL_CERT_FILE", folder.path("other/ca.pem")}}, false},
      {{{"SSL_CERT_DIR", folder.path("folder")}}, true},
      {{{"SSL_CERT_DIR", folder.path("with-link")}}, true},
      {{{"SSL_CERT_DIR", folder.path("other")}}, false},
      {{{"SSL_CERT_DIR", folder.path("other") + ":" + folder.path("folder")}}, true},
      {{{"SSL_CERT_DIR", ":" + folder.path("nowhere") + ":" + folder.path("folder") + ":"}}, true},
      {{{"SSL_CERT_FILE", folder.path("other/ca.pem")}, {"SSL_CERT_DIR", folder.path("folder")}}, true},
      {{{"SSL_CERT_FILE", file}, {"SSL_CERT_DIR", folder.path("other")}}, true},
      {{{"SSL_CERT_FILE", ""}, {"SSL_CERT_DIR", ""}}, false},
  };
  for (const auto& row : rows) {
    const auto said = ask(row.environment, server);
    CAPTURE(said);
    CHECK((said == "welcome") == row.trusted);
    if (!row.trusted) CHECK(holds(said, "is signed by an authority that "));
  }
}

TEST_CASE("a CA that was given for a server is the only one that counts for it") {
  const auto ours = make_certificates(), others = make_certificates();
  const Server server(welcome, ours);
  const Folder folder;
  const auto file = folder.write("ca.pem", ours.ca_pem);
  Tls tls;
  tls.ca_pem = others.ca_pem;
  CHECK(holds(ask({{"SSL_CERT_FILE", file}, {"SSL_CERT_DIR", folder.path()}}, server, Api::kubernetes, tls),
              "an authority that the configured CA does not trust"));
  // Nor is what is not used a reason to fail.
  tls.ca_pem = ours.ca_pem;
  CHECK(ask({{"SSL_CERT_FILE", "/nowhere"}}, server, Api::kubernetes, tls) == "welcome");
  tls = {};
  tls.insecure_skip_verify = true;
  CHECK(ask({{"SSL_CERT_FILE", "/nowhere"}}, server, Api::kubernetes, tls) == "welcome");
}

TEST_CASE("an SSL_CERT_FILE or SSL_CERT_DIR that holds no certificate is said to hold none") {
  const Server server(welcome, make_certificates());
  const Folder folder;
  const auto empty = folder.write("empty/ca.pem", "-----BEGIN CERTIFICATE-----\n");
  CHECK(
      ask({{"SSL_CERT_FILE", "/nowhere/ca.pem"}}, server) ==
      "SSL_CERT_FILE names /nowhere/ca.pem, which is not there | correct it, or unset SSL_CERT_FILE for this machine's "
      "own authorities");
  CHECK(holds(ask({{"SSL_CERT_FILE", empty}}, server), empty + ", which holds no certificate in PEM form"));
  CHECK(holds(ask({{"SSL_CERT_DIR", folder.path("empty")}}, server), "which holds no PEM certificate"));
  CHECK(holds(ask({{"SSL_CERT_DIR", "/nowhere"}}, server), "SSL_CERT_DIR names /nowhere, which holds no"));
  // What looks like one and is none.
  const auto broken = folder.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  CHECK(holds(ask({{"SSL_CERT_FILE", broken}}, server),
              "the certificates of SSL_CERT_FILE (" + broken + ") cannot be used"));
}

TEST_CASE("the hint of a certificate that is not trusted names the settings that the API has") {
  const Server server(welcome, make_certificates());
  const auto other = make_certificates();
  const Folder folder;
  const auto file = folder.write("ca.pem", other.ca_pem);
  struct Row {
    Api api;
    const char *without_ca, *with_ca;
  };
  const Row rows[] = {
      {Api::kubernetes, "give the server's CA certificate: certificate-authority in the kubeconfig, or SSL_CERT_FILE",
       "check that certificate-authority in the kubeconfig is this server's"},
      {Api::route53, "give the server's CA certificate: AWS_CA_BUNDLE (or ca_bundle of the profile), or SSL_CERT_FILE",
       "check that AWS_CA_BUNDLE (or ca_bundle of the profile) is this server's"},
      {Api::atlas, "name a PEM file with the server's CA certificate in SSL_CERT_FILE", nullptr},
      {Api::oauth, "name a PEM file with the server's CA certificate in SSL_CERT_FILE", nullptr},
  };
  for (const auto& row : rows) {
    const auto said = ask({}, server, row.api);
    CAPTURE(said);
    CHECK(holds(said, " is signed by an authority that this machine does not trust"));
    CHECK(said.ends_with(" | " + std::string(row.without_ca)));
    CHECK(holds(ask({{"SSL_CERT_FILE", file}}, server, row.api),
                " is signed by an authority that SSL_CERT_FILE (" + file + ") does not trust"));
    if (row.with_ca == nullptr) continue;
    Tls tls;
    tls.ca_pem = other.ca_pem;
    CHECK(ask({}, server, row.api, tls).ends_with(" | " + std::string(row.with_ca)));
  }
  const auto named = make_certificates({"other.example.com", -3600, 3600});
  const Server elsewhere(welcome, named);
  const Environment trusting{{"SSL_CERT_FILE", folder.write("named.pem", named.ca_pem)}};
  CHECK(ask(trusting, elsewhere, Api::atlas).ends_with("is for another name | check the host in the URL"));
  CHECK(ask(trusting, elsewhere, Api::kubernetes)
            .ends_with("; `tls-server-name` in the kubeconfig can name the right one"));
}
