// X.509 certificates in PEM, looked at before they are used: what OpenSSL would say in the middle of a handshake is
// said here with the file's name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "providers/system/clock.hpp"
#include "providers/system/secret.hpp"

namespace litedesk::kubernetes {

struct CertificateDates {
  system::TimePoint not_before;
  system::TimePoint not_after;
};

// The dates of the first certificate in `pem`; nothing when there is none that can be read.
[[nodiscard]] std::optional<CertificateDates> certificate_dates(std::string_view pem);
// Whether the private key belongs to the certificate. An encrypted key cannot be looked into: nothing.
[[nodiscard]] std::optional<bool> key_matches(std::string_view certificate_pem, const Secret& key_pem);

// Throws ValidationError when `what` is no certificate, AuthError when it is past its end or not yet valid, or when the
// key is another's. `hint` says how to get a new one.
void check_client_certificate(std::string_view certificate_pem, const Secret& key_pem, const std::string& what,
                              const std::string& hint, system::TimePoint now);

}  // namespace litedesk::kubernetes
