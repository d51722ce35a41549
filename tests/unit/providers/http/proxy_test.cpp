#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/http/client.hpp"
#include "tests/unit/providers/http/servers.hpp"

using namespace litedesk;
using namespace litedesk::http;
using namespace std::chrono_literals;
using test::Answered;
using test::Asked;
using test::ScriptedServer;
using test::Server;
using Step = test::ScriptedServer::Step;
using Environment = std::map<std::string, std::string>;

namespace {

const system::SkippingClock skipping;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A proxy that leads every CONNECT to one port of this machine, whatever host it names.
class Tunnel {
 public:
  explicit Tunnel(int target) : target_(target) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listening_, plain, size) != 0 || ::listen(listening_, 16) != 0 ||
        ::getsockname(listening_, plain, &size) != 0)
      throw std::runtime_error("cannot listen on loopback");
    port_ = ntohs(address.sin_port);
    stopped_ = ::eventfd(0, EFD_CLOEXEC);
    thread_ = std::thread([this] { run(); });
  }
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  ~Tunnel() {
    eventfd_write(stopped_, 1);
    thread_.join();
    ::close(listening_);
    ::close(stopped_);
  }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // The heads of what it was asked, one behind the other.
  [[nodiscard]] std::string asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  // Which of the two can be read; 0 when it is to stop.
  int readable(int a, int b) const {
    pollfd watched[] = {{stopped_, POLLIN, 0}, {a, POLLIN, 0}, {b, POLLIN, 0}};
    ::poll(watched, b < 0 ? 2 : 3, -1);
    if (watched[0].revents != 0) return 0;
    return watched[1].revents != 0 ? a : b;
  }

  // Each connection has a thread: one that a client keeps must not hold up the next.
  void run() {
    std::vector<std::thread> connections;
    while (readable(listening_, -1) != 0) {
      const int client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
      connections.emplace_back([this, client] { serve(client); });
    }
    for (std::thread& connection : connections) connection.join();
  }

  void serve(int client) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(target_);
    if (read_head(client) && ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        send_all(client, "HTTP/1.1 200 Connection established\r\nX-Of: the-proxy\r\n\r\n"))
      relay(client, server);
    ::close(client);
    ::close(server);
  }

  bool read_head(int client) {
    std::string head;
    for (char c = 0; !head.ends_with("\r\n\r\n"); head += c)
      if (readable(client, -1) == 0 || ::recv(client, &c, 1, 0) != 1) return false;
    const std::lock_guard lock(mutex_);
    asked_ += head;
    return true;
  }

  static bool send_all(int to, std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(to, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void relay(int client, int server) const {
    char buffer[16384];
    while (const int from = readable(client, server)) {
      const auto got = ::recv(from, buffer, sizeof buffer, 0);
      const int to = from == client ? server : client;
      if (got <= 0 || !send_all(to, {buffer, static_cast<std::size_t>(got)})) return;
    }
  }

  int target_, port_ = 0, listening_ = -1, stopped_ = -1;
  mutable std::mutex mutex_;
  std::string asked_;
  std::thread thread_;
};

ClientOptions options_in(const Environment& environment) {
  ClientOptions options;
  options.clock = &skipping;
  options.proxies = ProxySettings(environment);
  return options;
}

Request request_to(std::string url) {
  Request request;
  request.url = std::move(url);
  request.summary = "read the test thing";
  request.timeout = 20s;
  request.api = Api::kubernetes;
  return request;
}

// "message | hint | cause"
std::string failure_of(ClientOptions options, Request request) {
  Client client(std::move(options));
  try {
    (void)client.send(std::move(request), {});
  } catch (const Error& error) {
    return error.message() + " | " + error.hint() + " | " + error.cause();
  }
  return "no error";
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("NO_PROXY excepts what it excepts for kubectl") {
  struct Row {
    const char* no_proxy;
    const char* url;
    bool direct;
  };
  const Row rows[] = {
      {"", "https://api.example.net/", false},
      {"*", "https://api.example.net/", true},
      {"other.org,*", "https://10.0.0.1/", true},
      // A name is itself and what is below it, with a dot or a star before it only the latter.
      {"example.net", "https://example.net/", true},
      {"example.net", "https://api.example.net/", true},
      {"example.net", "https://badexample.net/", false},
      {".example.net", "https://api.example.net/", true},
      {".example.net", "https://example.net/", false},
      {"*.example.net", "https://a.b.example.net/", true},
      {"*.example.net", "https://example.net/", false},
      {"*.example.net", "https://badexample.net/", false},
      {"api.*", "https://api.example.net/", false},
      {"EXAMPLE.net", "https://API.Example.NET/", true},
      {"example.net.", "https://api.example.net/", true},
      {"example.net", "https://api.example.net./", true},
      {"net", "https://api.example.net/", true},
      // With a port, that one only; a scheme's own counts where the URL has none.
      {"api.example.net:6443", "https://api.example.net:6443/", true},
      {"api.example.net:6443", "https://api.example.net/", false},
      {"example.net:443", "https://api.example.net/", true},
      {"example.net:80", "http://api.example.net/", true},
      {".example.net:6443", "https://api.example.net:6443/", true},
      {"*.example.net:6443", "https://api.example.net:8443/", false},
      {"example.net:", "https://api.example.net/", true},
      // Addresses, networks, and either with a port.
      {"192.0.2.7", "https://192.0.2.7/", true},
      {"192.0.2.7", "https://192.0.2.77/", false},
      {"192.0.2.7:6443", "https://192.0.2.7:6443/", true},
      {"192.0.2.7:6443", "https://192.0.2.7/", false},
      {"2.7", "https://192.0.2.7/", false},
      {"10.0.0.0/8", "https://10.200.3.4:6443/", true},
      {"10.0.0.0/8", "https://11.0.0.1/", false},
      {"192.0.2.128/25", "https://192.0.2.127/", false},
      {"192.0.2.128/25", "https://192.0.2.130/", true},
      {"192.0.2.1/25", "https://192.0.2.120/", true},
      {"0.0.0.0/0", "https://192.0.2.7/", true},
      {"0.0.0.0/0", "https://api.example.net/", false},
      {"0.0.0.0/0", "https://[2001:db8::1]/", false},
      {"10.0.0.0/33,10.0.0.0/x,10.0.0/8,/8", "https://10.0.0.1/", false},
      {"2001:db8::1", "https://[2001:db8::1]/", true},
      {"2001:DB8:0::1", "https://[2001:db8::1]:6443/", true},
      {"[2001:db8::1]", "https://[2001:db8::1]/", true},
      {"[2001:db8::1]:6443", "https://[2001:db8::1]:6443/", true},
      {"[2001:db8::1]:6443", "https://[2001:db8::1]/", false},
      {"2001:db8::/32", "https://[2001:db8:7::1]/", true},
      {"2001:db8::/32", "https://[2001:db9::1]/", false},
      {"::ffff:10.0.0.0/104", "https://10.1.2.3/", true},
      {"10.0.0.0/8", "https://[::ffff:10.1.2.3]/", true},
      // Several, with blanks, and with what means nothing.
      {" a.org , example.net ,", "https://api.example.net/", true},
      {"a.org example.net", "https://api.example.net/", true},
      {":1,.,*.,,", "https://api.example.net:1/", false},
      // This machine never goes through a proxy.
      {"", "https://localhost:6443/", true},
      {"", "http://127.0.0.9/", true},
      {"", "https://[::1]:6443/", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.no_proxy);
    CAPTURE(row.url);
    const Environment environment{
        {"HTTPS_PROXY", "proxy:3128"}, {"HTTP_PROXY", "proxy:3128"}, {"NO_PROXY", row.no_proxy}};
    CHECK(ProxySettings(environment).proxy_for(split_url(row.url)).has_value() != row.direct);
  }
}

TEST_CASE("the variable of the URL's scheme names the proxy, in capitals first") {
  struct Row {
    Environment environment;
    const char* url;
    const char* setting;  // empty: none
    const char* proxy;
  };
  const Row rows[] = {
      {{}, "https://a.net", "", ""},
      {{{"HTTPS_PROXY", "p:1"}, {"https_proxy", "q:1"}}, "https://a.net", "HTTPS_PROXY", "http://p:1"},
      {{{"HTTPS_PROXY", ""}, {"https_proxy", "q:1"}}, "https://a.net", "https_proxy", "http://q:1"},
      {{{"HTTPS_PROXY", "p:1"}}, "http://a.net", "", ""},
      {{{"HTTP_PROXY", "p:1"}}, "https://a.net", "", ""},
      {{{"HTTP_PROXY", "p:1"}}, "http://a.net", "HTTP_PROXY", "http://p:1"},
      {{{"http_proxy", "p:1"}}, "http://a.net", "http_proxy", "http://p:1"},
      {{{"HTTP_PROXY", "p:1"}, {"REQUEST_METHOD", "GET"}}, "http://a.net", "", ""},
      {{{"ALL_PROXY", "p:1"}}, "https://a.net", "ALL_PROXY", "http://p:1"},
      {{{"ALL_PROXY", "p:1"}, {"https_proxy", "q:1"}}, "https://a.net", "https_proxy", "http://q:1"},
      {{{"all_proxy", "p:1"}, {"no_proxy", "a.net"}}, "https://a.net", "", ""},
      {{{"HTTPS_PROXY", "p:1"}, {"NO_PROXY", "b.net"}, {"no_proxy", "a.net"}},
       "https://a.net",
       "HTTPS_PROXY",
       "http://p:1"},
      {{{"HTTPS_PROXY", "http://p"}}, "https://a.net", "HTTPS_PROXY", "http://p:80"},
      {{{"HTTPS_PROXY", "HTTPS://p/"}}, "https://a.net", "HTTPS_PROXY", "https://p:443"},
      {{{"HTTPS_PROXY", "socks5://p"}}, "https://a.net", "HTTPS_PROXY", "socks5h://p:1080"},
      {{{"HTTPS_PROXY", "[2001:db8::1]:3128"}}, "https://a.net", "HTTPS_PROXY", "http://[2001:db8::1]:3128"},
      {{{"HTTPS_PROXY", "http://me:p%40ss@p:3128"}}, "https://a.net", "HTTPS_PROXY", "http://me:p%40ss@p:3128"},
      {{{"HTTPS_PROXY", "me:a@b@p:3128"}}, "https://a.net", "HTTPS_PROXY", "http://me:a@b@p:3128"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.url);
    CAPTURE(row.proxy);
    const auto proxy = ProxySettings(row.environment).proxy_for(split_url(row.url));
    CHECK((proxy ? proxy->setting : "") == row.setting);
    CHECK((proxy ? proxy->url : "") == row.proxy);
    if (proxy) CHECK_FALSE(holds(proxy->address, "@"));
  }
}

TEST_CASE("a proxy's URL that is none is refused by the variable's name, and nothing of it is shown") {
  for (const auto* text :
       {"ftp://secret:3128", "http://", "http://secret:x", "http://secret:0", "http://secret:65536", "secret host",
        "http://me:sec/ret@proxy:3128", "http://me:12/secret@proxy", "http://me:12#secret@proxy", "2001:db8::5ec:1"}) {
    CAPTURE(text);
    const auto said = failure_of(options_in({{"HTTPS_PROXY", text}}), request_to("https://api.example.invalid/"));
    CHECK(holds(said, "HTTPS_PROXY is not a valid proxy URL | it has the form"));
    CHECK_FALSE(holds(said, "sec"));
    CHECK_FALSE(holds(said, "12"));
  }
  // Of no concern to who does not need it.
  Server server([](const Asked&) { return Answered{}; });
  CHECK(failure_of(options_in({{"HTTPS_PROXY", "ftp://x"}, {"HTTP_PROXY", "ftp://x"}}), request_to(server.url())) ==
        "no error");
}

TEST_CASE("a request goes through the proxy, and what that says of itself is no answer of the server's") {
  const auto certificates = test::make_certificates({"api.example.invalid", -3600, 3600});
  int status = 200;
  Server server([&](const Asked&) { return Answered{status, "of the server", {}, "text/plain", {}}; }, certificates);
  const Tunnel tunnel(server.port());
  Client client(options_in({{"HTTPS_PROXY", "http://me:secret@" + tunnel.address()}}));
  auto request = request_to("https://api.example.invalid:6443/x");
  Tls tls;
  tls.ca_pem = certificates.ca_pem;
  request.tls = std::make_shared<const Tls>(tls);
  request.headers = {{"Authorization", "Bearer abc"}};
  const auto response = client.send(request, {});
  CHECK(response.body == "of the server");
  CHECK(find(response.headers, "X-Of").empty());
  CHECK(tunnel.asked().starts_with("CONNECT api.example.invalid:6443 HTTP/1.1\r\n"));
  CHECK(holds(tunnel.asked(), "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n"));
  CHECK_FALSE(holds(tunnel.asked(), "Bearer"));

  // A stream's first status is the server's, too.
  status = 403;
  Client other(options_in({{"HTTPS_PROXY", "http://" + tunnel.address()}}));
  client.send(request, {});
  std::string streamed;
  const auto refused = other.stream(request,
                                    [&](std::string_view text) {
                                      streamed += text;
                                      return true;
                                    },
                                    20s, {});
  CHECK(refused.status == 403);
  CHECK(refused.body == "of the server");
  CHECK(streamed.empty());
}

TEST_CASE("a proxy that cannot be reached is named, with what names it and without its password") {
  const auto port = std::to_string(test::closed_port());
  const auto proxy = "http://me:secret@127.0.0.1:" + port;
  for (const auto* name : {"HTTPS_PROXY", "https_proxy", "ALL_PROXY"}) {
    CAPTURE(name);
    const auto said = failure_of(options_in({{name, proxy}}), request_to("https://api.example.invalid:6443/x"));
    CHECK(holds(said, "read the test thing: cannot connect to the proxy 127.0.0.1:" + port + " (" + name +
                          "), through which https://api.example.invalid:6443 is asked"));
    CHECK(holds(said, std::string(" | check ") + name +
                          " and that the proxy runs, or name api.example.invalid in NO_PROXY to do without it | "
                          "Connection refused"));
    CHECK_FALSE(holds(said, "secret"));
  }
  auto request = request_to("https://api.example.invalid:6443/x");
  Tls tls;
  tls.proxy_url = proxy;
  request.tls = std::make_shared<const Tls>(tls);
  auto said = failure_of(options_in({{"NO_PROXY", "*"}}), request);
  CHECK(holds(said, "the proxy 127.0.0.1:" + port + " (proxy-url in the kubeconfig)"));
  CHECK(holds(said, "check proxy-url in the kubeconfig and that the proxy runs | "));
  CHECK_FALSE(holds(said, "secret"));

  said = failure_of(options_in({{"HTTPS_PROXY", "http://me:secret@no-such-host.invalid:3128"}}),
                    request_to("https://api.example.invalid/"));
  CHECK(holds(said, "cannot find the host of the proxy no-such-host.invalid:3128 (HTTPS_PROXY)"));
  CHECK_FALSE(holds(said, "secret"));
}

TEST_CASE("what a proxy answers instead of making the way is told as the proxy's") {
  struct Row {
    const char* scheme;
    Step step;
    const char* expected;
  };
  const Row rows[] = {
      {"http",
       {Step::close, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", true},
       "refused to connect to https://api.example.invalid | check HTTPS_PROXY"},
      {"http",
       {Step::close, "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", true},
       "requires a user name and password | put them into HTTPS_PROXY: http://USER:PASSWORD@127.0.0.1:"},
      {"http",
       {Step::close, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", true},
       "could not reach https://api.example.invalid"},
      {"http", {Step::close, "", true}, "closed the connection before https://api.example.invalid was reached"},
      {"socks5", {Step::close, std::string("\x05\xff", 2), false}, "refused to connect to https://api.example.invalid"},
      {"https",
       {Step::close, "HTTP/1.1 400 Bad Request\r\n\r\n", false},
       "does not speak TLS | write http:// and not https:// in HTTPS_PROXY"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.expected);
    ScriptedServer proxy({row.step});
    const auto address = proxy.url("").substr(7);
    const auto said = failure_of(options_in({{"HTTPS_PROXY", row.scheme + ("://me:secret@" + address)}}),
                                 request_to("https://api.example.invalid/x"));
    CAPTURE(said);
    CHECK(holds(said, "the proxy " + address + " (HTTPS_PROXY)"));
    CHECK(holds(said, row.expected));
    CHECK_FALSE(holds(said, "secret"));
  }
}

TEST_CASE("a proxy whose certificate is not trusted is told from a server whose certificate is not") {
  const auto certificates = test::make_certificates();
  Server proxy([](const Asked&) { return Answered{}; }, certificates);
  const auto address = "127.0.0.1:" + std::to_string(proxy.port());
  auto said =
      failure_of(options_in({{"HTTPS_PROXY", "https://" + address}}), request_to("https://api.example.invalid/x"));
  CHECK(holds(said, "the certificate of the proxy " + address +
                        " (HTTPS_PROXY) is signed by an authority that this "
                        "machine does not trust"));

  const auto others = test::make_certificates({"api.example.invalid", -3600, 3600});
  Server server([](const Asked&) { return Answered{}; }, others);
  const Tunnel tunnel(server.port());
  said = failure_of(options_in({{"HTTPS_PROXY", tunnel.address()}}), request_to("https://api.example.invalid/x"));
  CHECK(holds(said, "the certificate of https://api.example.invalid is signed"));
}
