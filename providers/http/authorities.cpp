#include "providers/http/authorities.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>

#include "providers/error.hpp"
#include "providers/system/files.hpp"

namespace litedesk::http {

namespace {

namespace fs = std::filesystem;

std::string value_of(const std::map<std::string, std::string>& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

// What else stands in such a file (comments, a key, another kind of certificate) is left out.
std::string certificates_in(std::string_view text) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----", end = "-----END CERTIFICATE-----";
  std::string found;
  while (true) {
    text.remove_prefix(std::min(text.find(begin), text.size()));
    const auto length = text.find(end);
    if (length == std::string_view::npos) return found;
    found.append(text.substr(0, length + end.size())).append("\n");
    text.remove_prefix(length + end.size());
  }
}

[[noreturn]] void refuse(std::string_view variable, const std::string& value, std::string_view why) {
  throw UsageError({.message = fmt::format("{} names {}, {}", variable, value, why),
                    .hint = fmt::format("correct it, or unset {} for this machine's own authorities", variable),
                    .resource = {},
                    .cause = {}});
}

// c_rehash and update-ca-certificates make links beside the certificates: those would only be read twice.
bool is_link_beside(const fs::directory_entry& entry) {
  std::error_code error;
  if (!entry.is_symlink(error)) return false;
  return !fs::read_symlink(entry.path(), error).has_parent_path();
}

std::string certificates_of_folder(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code unknown;
    if (at->is_regular_file(unknown) && !is_link_beside(*at)) files.push_back(at->path());
  }
  std::sort(files.begin(), files.end());
  std::string found;
  for (const auto& file : files) {
    try {
      found += certificates_in(system::read_file(file, "SSL_CERT_DIR").value_or(""));
    } catch (const PermissionDenied&) {
      // A private key may lie there, too; OpenSSL and Go pass over what they cannot read.
    }
  }
  return found;
}

}  // namespace

Authorities::Authorities(const std::map<std::string, std::string>& environment)
    : file_(value_of(environment, "SSL_CERT_FILE")), folders_(value_of(environment, "SSL_CERT_DIR")) {}

const std::string& Authorities::pem() {
  if (!pem_.empty() || (file_.empty() && folders_.empty())) return pem_;
  std::string found;
  if (!file_.empty()) {
    const auto text = system::read_file(file_, "SSL_CERT_FILE");
    if (!text) refuse("SSL_CERT_FILE", file_, "which is not there");
    found = certificates_in(*text);
    if (found.empty()) refuse("SSL_CERT_FILE", file_, "which holds no certificate in PEM form");
  } else if (const auto* usual = curl_version_info(CURLVERSION_NOW)->cainfo) {
    found = certificates_in(system::read_file(usual, "file of trusted authorities").value_or(""));
  }
  if (!folders_.empty()) {
    std::string of_folders;
    for (std::string_view rest = folders_; !rest.empty();) {
      const auto end = std::min(rest.find(':'), rest.size());
      if (end > 0) of_folders += certificates_of_folder(std::string(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (of_folders.empty()) refuse("SSL_CERT_DIR", folders_, "which holds no PEM certificate");
    found += of_folders;
  }
  pem_ = std::move(found);
  return pem_;
}

std::string Authorities::setting() const {
  std::string text;
  if (!file_.empty()) text = fmt::format("SSL_CERT_FILE ({})", file_);
  if (!folders_.empty()) text += fmt::format("{}SSL_CERT_DIR ({})", text.empty() ? "" : " and ", folders_);
  return text;
}

}  // namespace litedesk::http
