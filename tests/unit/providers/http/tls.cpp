#include "tests/unit/providers/http/tls.hpp"

#include <stdexcept>

#include <openssl/pem.h>

#include "tests/unit/providers/http/servers.hpp"

namespace litedesk::test {

namespace {

template <class Type, void (*Free)(Type*)>
struct Deleter {
  void operator()(Type* value) const { Free(value); }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO, BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Deleter<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY, EVP_PKEY_free>>;

Bio memory(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Certificate read_certificate(const std::string& pem) {
  return Certificate(PEM_read_bio_X509(memory(pem).get(), nullptr, nullptr, nullptr));
}

}  // namespace

TlsContext make_tls_context(const Certificates& tls, const std::string& client_ca_pem) {
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  const auto certificate = read_certificate(tls.certificate_pem);
  const Key key(PEM_read_bio_PrivateKey(memory(tls.key_pem).get(), nullptr, nullptr, nullptr));
  if (!context || SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1)
    throw std::runtime_error("the test server's certificate cannot be used");
  if (!client_ca_pem.empty()) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), read_certificate(client_ca_pem).get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  }
  return context;
}

}  // namespace litedesk::test
