// Which names stand for secrets.
#include <algorithm>
#include <array>

#include "providers/http/mask_parts.hpp"

namespace litedesk::http {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::array<std::string_view, 26> endings = {
    "password",        "passwd",     "pwd",           "passphrase",       "passwordhash",
    "secret",          "token",      "jwt",           "privatekey",       "apikey",
    "secretkey",       "accesskey",  "accountkey",    "sharedkey",        "masterkey",
    "encryptionkey",   "signingkey", "credential",    "xamzcredential",   "signature",
    "assertion",       "cookie",     "authorization", "connectionstring", "clientkeydata",
    "dockerconfigjson"};
constexpr std::array<std::string_view, 3> words = {"pass", "sig", "auth"};

bool is_secret(std::string_view word) {
  return std::any_of(endings.begin(), endings.end(), [word](auto ending) { return word.ends_with(ending); }) ||
         std::find(words.begin(), words.end(), word) != words.end();
}

// "password2" is another password.
std::string without_number(std::string word) {
  while (!word.empty() && word.back() >= '0' && word.back() <= '9') word.pop_back();
  return word;
}

}  // namespace

std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      c = static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    }
    decoded += c;
  }
  return decoded;
}

std::string plain_word(std::string_view name) {
  std::string word;
  for (char c : percent_decode(name)) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) word += c;
  }
  return word;
}

bool names_secret(std::string_view name) {
  return is_secret(without_number(plain_word(name))) || names_secrets(name);
}

bool names_secrets(std::string_view name) {
  auto word = without_number(plain_word(name));
  // Atlas tells where a cluster is by connection strings without a password.
  if (!word.ends_with('s') || is_secret(word) || word.ends_with("connectionstrings")) return false;
  word.pop_back();
  return is_secret(word);
}

}  // namespace litedesk::http
