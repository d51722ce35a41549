#include "providers/sandbox/kubernetes_certificate_authority.hpp"

#include <ctime>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace litedesk::sandbox::kube {

namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(fmt::format("the sandbox's certificate authority failed: {}", what));
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

CertificatePair make_certificate(const std::vector<std::string>& names, Millis now, int days) {
  const Key key(EVP_EC_gen("P-256"));
  require(key != nullptr, "no key");
  const Certificate certificate(X509_new());
  require(certificate != nullptr, "no certificate");
  X509_set_version(certificate.get(), X509_VERSION_3);
  unsigned char serial[8];
  require(RAND_bytes(serial, sizeof serial) == 1, "no serial number");
  std::uint64_t number = 0;
  for (const auto byte : serial) number = number << 8U | byte;
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), number >> 1U);
  const std::time_t start = now / 1000;
  X509_time_adj_ex(X509_getm_notBefore(certificate.get()), 0, 0, const_cast<std::time_t*>(&start));
  X509_time_adj_ex(X509_getm_notAfter(certificate.get()), days, 0, const_cast<std::time_t*>(&start));
  auto* subject = X509_get_subject_name(certificate.get());
  // A common name has at most 64 characters (RFC 5280, ub-common-name).
  const auto common = names.empty() ? std::string("sandbox") : names.front().substr(0, 64);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common.c_str()), -1,
                             -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  std::vector<std::string> alternatives;
  for (const auto& name : names) alternatives.push_back("DNS:" + name);
  if (!alternatives.empty()) {
    const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                  fmt::format("{}", fmt::join(alternatives, ",")).c_str()));
    require(extension && X509_add_ext(certificate.get(), extension.get(), -1) == 1, "no alternative names");
  }
  X509_set_pubkey(certificate.get(), key.get());
  require(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "no signature");

  const Memory certificate_text(BIO_new(BIO_s_mem()));
  const Memory key_text(BIO_new(BIO_s_mem()));
  require(certificate_text && key_text, "no memory");
  require(PEM_write_bio_X509(certificate_text.get(), certificate.get()) == 1, "no PEM of the certificate");
  require(PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "no PEM of the key");
  return {text_of(certificate_text.get()), text_of(key_text.get())};
}

}  // namespace litedesk::sandbox::kube
