// OpenSSL's objects, as the TLS servers of these tests own them.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

namespace litedesk::test {

struct Certificates;

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* connection) const { SSL_free(connection); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTls>;
using TlsConnection = std::unique_ptr<SSL, FreeTls>;

// Of a server with that certificate. With `client_ca_pem` a client has to show one of that authority.
[[nodiscard]] TlsContext make_tls_context(const Certificates& tls, const std::string& client_ca_pem = "");

}  // namespace litedesk::test
