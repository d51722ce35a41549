#include <mutex>
#include <set>
#include <string>

#include <doctest/doctest.h>

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

namespace {

const system::SkippingClock skipping;

ClientOptions quick() {
  ClientOptions options;
  options.clock = &skipping;
  return options;
}

Request request_to(const Server& server, Tls tls) {
  Request request;
  request.url = server.url("/x");
  request.summary = "read the test thing";
  request.timeout = 20s;
  request.tls = std::make_shared<const Tls>(std::move(tls));
  return request;
}

Tls trusting(const std::string& ca_pem) {
  Tls tls;
  tls.ca_pem = ca_pem;
  return tls;
}

std::string error_text(Client& client, Request request) {
  try {
    (void)client.send(std::move(request), {});
  } catch (const Unavailable& error) {
    CHECK_FALSE(error.hint().empty());
    CHECK(error.message().find("attempts") == std::string::npos);  // no use in trying again
    return error.what();
  }
  return "no error";
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Answered welcome(const Asked&) {
  return {200, "welcome", {}, "text/plain", {}};
}

}  // namespace

TEST_CASE("a server is trusted by the authority that was given, and by no other") {
  const auto certificates = make_certificates();
  const Server server(welcome, certificates);
  Client client(quick());
  CHECK(client.send(request_to(server, trusting(certificates.ca_pem)), {}).body == "welcome");

  const auto wrong = error_text(client, request_to(server, trusting(make_certificates().ca_pem)));
  CHECK(holds(wrong, "is signed by an authority that the configured CA does not trust"));
  CHECK(holds(wrong, server.url().substr(0, server.url().size() - 1)));
  CHECK(
      holds(error_text(client, request_to(server, {})), "is signed by an authority that this machine does not trust"));
  CHECK(server.requests() == 1);

  Tls insecure;
  insecure.insecure_skip_verify = true;
  CHECK(client.send(request_to(server, insecure), {}).body == "welcome");
}

TEST_CASE("a certificate that has expired, is not valid yet, or is another's is refused, each in its own words") {
  Client client(quick());
  struct Row {
    test::CertificateWish wish;
    const char* words;
  };
  for (const Row& row :
       {Row{{"127.0.0.1", -7200, -3600}, "has expired"}, Row{{"127.0.0.1", 3600, 7200}, "is not valid yet"},
        Row{{"127.0.0.2", -3600, 3600}, "is for another name"},
        Row{{"other.example.com", -3600, 3600}, "is for another name"}}) {
    CAPTURE(row.words);
    const auto certificates = make_certificates(row.wish);
    const Server server(welcome, certificates);
    CHECK(holds(error_text(client, request_to(server, trusting(certificates.ca_pem))), row.words));
    CHECK(server.requests() == 0);
  }
}

TEST_CASE("a server name is what is checked, while the connection and the Host stay the URL's") {
  const auto certificates = make_certificates({"kubernetes.default.svc", -3600, 3600});
  std::string host;
  const Server server(
      [&](const Asked& asked) {
        host = asked.header("Host");
        return Answered{};
      },
      certificates);
  Client client(quick());
  auto tls = trusting(certificates.ca_pem);
  tls.server_name = "kubernetes.default.svc";
  CHECK(client.send(request_to(server, tls), {}).status == 200);
  CHECK(host == "127.0.0.1:" + std::to_string(server.port()));
  tls.server_name = "kubernetes.other.svc";
  CHECK(holds(error_text(client, request_to(server, tls)), "is for another name"));
}

TEST_CASE("a client certificate is shown from memory, and one that cannot be used is refused with a sentence") {
  const auto server_side = make_certificates(), client_side = make_certificates({"client", -3600, 3600});
  const Server server(welcome, server_side, client_side.ca_pem);
  Client client(quick());
  auto tls = trusting(server_side.ca_pem);
  tls.client_certificate_pem = client_side.certificate_pem;
  tls.client_key_pem = Secret(client_side.key_pem);
  CHECK(client.send(request_to(server, tls), {}).body == "welcome");

  // TLS 1.3: the refusal comes after the handshake, and the closed connection may overtake it.
  try {
    (void)Client(quick()).send(request_to(server, trusting(server_side.ca_pem)), {});
    FAIL("a request without a certificate was answered");
  } catch (const Unavailable& error) {
    CAPTURE(error.message());
    CHECK((holds(error.message(), "refused the TLS handshake") || holds(error.message(), "the connection broke")));
    CHECK(holds(error.hint(), "client certificate"));
  }

  // A client of its own: the other one would use its open connection again.
  Client other(quick());
  tls.client_key_pem = Secret(make_certificates().key_pem);
  CHECK(holds(error_text(other, request_to(server, tls)), "the client certificate or its key"));
  tls.client_certificate_pem = "no certificate";
  CHECK(holds(error_text(client, request_to(server, tls)), "the client certificate or its key"));
  CHECK(holds(error_text(client, request_to(server, trusting("no certificate"))), "the CA certificate"));
}

TEST_CASE("what speaks no TLS is said to speak none") {
  // It answers as web servers do, whatever it was sent.
  test::ScriptedServer plain({{test::ScriptedServer::Step::hang, "HTTP/1.1 400 Bad Request\r\n\r\n", false}});
  Client client(quick());
  Request request;
  request.url = "https" + plain.url("/x").substr(4);
  request.summary = "read the test thing";
  request.timeout = 20s;
  request.tls = std::make_shared<const Tls>();
  CHECK(holds(error_text(client, request), "does not speak TLS"));
}

TEST_CASE("requests to a TLS server that does not multiplex share a few connections") {
  const auto certificates = make_certificates();
  std::mutex mutex;
  std::set<int> ports;
  const Server server(
      [&](const Asked& asked) {
        const std::lock_guard lock(mutex);
        ports.insert(asked.client_port);
        return welcome(asked);
      },
      certificates);
  Client client(quick());
  CHECK(client.send(request_to(server, trusting(certificates.ca_pem)), {}).body == "welcome");
  const std::vector<Request> requests(60, request_to(server, trusting(certificates.ca_pem)));
  for (const auto& result : client.send_all(requests, {})) CHECK(std::get<Response>(result).body == "welcome");
  CHECK(ports.size() <= 16);
}

TEST_CASE("a burst to a TLS server that was never asked before is answered whole") {
  const auto certificates = make_certificates();
  const Server server(welcome, certificates);
  Client client(quick());
  const std::vector<Request> requests(60, request_to(server, trusting(certificates.ca_pem)));
  for (const auto& result : client.send_all(requests, {})) CHECK(std::get<Response>(result).body == "welcome");
}
