// Loopback servers for these tests: one that answers by a function, one that misbehaves by a script, and certificates.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace litedesk::test {

struct Asked {
  std::string method, target, body;
  std::multimap<std::string, std::string> headers;
  int number = 0;       // 1 for the server's first request
  int client_port = 0;  // one for each connection
  [[nodiscard]] std::string header(const std::string& name) const;
};

struct Answered {
  int status = 200;
  std::string body;
  std::multimap<std::string, std::string> headers;
  std::string type = "application/json";
  // Called for each further piece of the body until it gives none; it may block. The answer is then streamed.
  std::function<std::string(int piece)> pieces;
};

struct Certificates {
  std::string ca_pem, certificate_pem, key_pem;
};
struct CertificateWish {
  std::string name = "127.0.0.1";  // a DNS name, or an address
  long valid_from = -3600;         // seconds from now
  long valid_to = 3600;
};
// An authority of its own, and a certificate that it signed.
[[nodiscard]] Certificates make_certificates(const CertificateWish& wish = {});

// libmicrohttpd on a free port of 127.0.0.1, behind a relay that speaks TLS if it is given certificates.
class Server {
 public:
  using Handler = std::function<Answered(const Asked&)>;
  explicit Server(Handler handler);
  Server(Handler handler, const Certificates& tls, const std::string& client_ca_pem = "");
  ~Server();
  [[nodiscard]] int port() const;
  [[nodiscard]] std::string url(const std::string& target = "/") const;
  [[nodiscard]] int requests() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Takes one request after another and does what the script says next; the last step is repeated.
class ScriptedServer {
 public:
  struct Step {
    enum Kind { answer, close, reset, hang } kind = answer;
    std::string text;          // sent as it is before anything else
    bool read_request = true;  // first read a whole request
  };
  explicit ScriptedServer(std::vector<Step> steps);
  ~ScriptedServer();
  [[nodiscard]] std::string url(const std::string& target = "/") const;
  [[nodiscard]] int requests() const;  // that were read whole
  [[nodiscard]] int connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A port of 127.0.0.1 where nobody listens.
[[nodiscard]] int closed_port();

}  // namespace litedesk::test
