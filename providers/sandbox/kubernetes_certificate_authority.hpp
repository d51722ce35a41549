// The sandbox's certificate authority: real certificates that nobody trusts.
#pragma once

#include <string>
#include <vector>

#include "providers/sandbox/kubernetes_world.hpp"

namespace litedesk::sandbox::kube {

struct CertificatePair {
  std::string certificate;  // PEM
  std::string key;          // PEM, PKCS 8
};

// A self-signed certificate (ECDSA P-256) for those DNS names, valid from `now` for so many days.
[[nodiscard]] CertificatePair make_certificate(const std::vector<std::string>& names, Millis now, int days);

}  // namespace litedesk::sandbox::kube
