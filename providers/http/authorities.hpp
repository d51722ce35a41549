// The authorities that a server is trusted by where no CA is given for it.
#pragma once

#include <map>
#include <string>

namespace litedesk::http {

// This machine's, or what SSL_CERT_FILE and SSL_CERT_DIR (folders with colons between) put in their place: the one for
// the file of authorities, the other for the folder (OpenSSL's SSL_CTX_set_default_verify_paths(3), Go's crypto/x509).
// As in Go, every file of such a folder counts, whatever its name; OpenSSL itself takes those only that c_rehash named.
class Authorities {
 public:
  Authorities() = default;
  explicit Authorities(const std::map<std::string, std::string>& environment);

  // PEM text that stands for libcurl's own file; empty: that file itself. Read on the first call, which throws
  // UsageError when a variable names what holds no certificate.
  [[nodiscard]] const std::string& pem();
  // Whether libcurl's own folder counts no more.
  [[nodiscard]] bool without_usual_folder() const { return !folders_.empty(); }
  // "SSL_CERT_FILE (/etc/ca.pem)"; empty when neither is set.
  [[nodiscard]] std::string setting() const;

 private:
  std::string file_, folders_;
  std::string pem_;
};

}  // namespace litedesk::http
