#include "providers/kubernetes/certificate.hpp"

#include <ctime>
#include <memory>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "providers/error.hpp"

namespace litedesk::kubernetes {

namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Handle = std::unique_ptr<T, Free>;

Handle<BIO> reader(std::string_view text) {
  return Handle<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Handle<X509> read_certificate(std::string_view pem) {
  const auto bio = reader(pem);
  Handle<X509> certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  return certificate;
}

std::optional<system::TimePoint> to_time(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return std::nullopt;
  return system::TimePoint(std::chrono::seconds(timegm(&fields)));
}

}  // namespace

std::optional<CertificateDates> certificate_dates(std::string_view pem) {
  const auto certificate = read_certificate(pem);
  if (!certificate) return std::nullopt;
  const auto not_before = to_time(X509_get0_notBefore(certificate.get()));
  const auto not_after = to_time(X509_get0_notAfter(certificate.get()));
  if (!not_before || !not_after) return std::nullopt;
  return CertificateDates{*not_before, *not_after};
}

std::optional<bool> key_matches(std::string_view certificate_pem, const Secret& key_pem) {
  if (key_pem.reveal().find("ENCRYPTED") != std::string_view::npos) return std::nullopt;
  const auto certificate = read_certificate(certificate_pem);
  const auto bio = reader(key_pem.reveal());
  if (!certificate || !bio) return false;
  // Without this OpenSSL would ask for a passphrase on the terminal.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  const Handle<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  const bool matches = key && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return matches;
}

void check_client_certificate(std::string_view certificate_pem, const Secret& key_pem, const std::string& what,
                              const std::string& hint, system::TimePoint now) {
  const auto dates = certificate_dates(certificate_pem);
  if (!dates) throw ValidationError({.message = what + " is not a PEM certificate, or is truncated", .hint = hint});
  if (dates->not_after <= now)
    throw AuthError({.message = what + " expired at " + system::to_rfc3339(dates->not_after), .hint = hint});
  if (dates->not_before > now)
    throw AuthError({.message = what + " is valid only from " + system::to_rfc3339(dates->not_before),
                     .hint = "is this machine's clock right? It says " + system::to_rfc3339(now)});
  if (key_matches(certificate_pem, key_pem) == std::optional(false))
    throw ValidationError(
        {.message = "the private key beside " + what + " belongs to another certificate, or is not a PEM key",
         .hint = hint});
}

}  // namespace litedesk::kubernetes
