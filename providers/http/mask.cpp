#include "providers/http/mask.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "providers/http/url.hpp"

namespace litedesk::http {

namespace {

using Json = nlohmann::json;

constexpr std::size_t longest_text = 4096;

// Lower case without separators: "client_secret", "clientSecret" and "Client-Secret" are one word.
std::string plain_word(std::string_view name) {
  std::string word;
  for (const char c : name) {
    if (c == '-' || c == '_' || c == '.') continue;
    word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return word;
}

// By its end, so that "password" and "dbPassword" are secret and "secretName" and "passwordKey" are not.
bool names_secret(std::string_view name) {
  constexpr std::array<std::string_view, 15> endings = {"password",  "passwd",           "passphrase",     "secret",
                                                        "token",     "privatekey",       "apikey",         "secretkey",
                                                        "accesskey", "credential",       "xamzcredential", "signature",
                                                        "assertion", "connectionstring", "clientkeydata"};
  const std::string word = plain_word(name);
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) { return word.ends_with(ending); });
}

bool is_token_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

// Masks the run of token characters that begins with `start`.
void mask_runs(std::string& text, std::string_view start, std::size_t shortest) {
  for (std::size_t at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    std::size_t end = at + start.size();
    while (end < text.size() && is_token_char(text[end])) ++end;
    if (end - at >= shortest) text.replace(at + start.size(), end - at - start.size(), mask);
  }
}

// "scheme://user:password@": the password.
void mask_userinfo(std::string& text) {
  for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at + 1)) {
    const std::size_t begin = at + 3;
    const std::size_t end = text.find_first_of("/?# \t\r\n\"'<>", begin);
    const std::string_view authority = std::string_view(text).substr(begin, end - begin);
    const auto host = authority.rfind('@');
    const auto colon = authority.find(':');
    if (host == std::string_view::npos || colon == std::string_view::npos || colon > host) continue;
    text.replace(begin + colon + 1, host - colon - 1, mask);
  }
}

// "x-amz-security-token:..." in a canonical request, which AWS repeats when a signature does not match.
void mask_session_tokens(std::string& text) {
  constexpr std::string_view name = "x-amz-security-token";
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; };
  auto from = text.begin();
  while (true) {
    const auto found = std::search(from, text.end(), name.begin(), name.end(), same);
    if (found == text.end()) return;
    auto at = static_cast<std::size_t>(found - text.begin()) + name.size();
    at = std::min(text.find_first_not_of(' ', at), text.size());
    if (at < text.size() && (text[at] == ':' || text[at] == '=')) {
      const auto begin = std::min(text.find_first_not_of(' ', at + 1), text.size());
      const auto end = std::min(text.find_first_of(" \t\r\n\"'<>&\\;,", begin), text.size());
      if (end > begin) text.replace(begin, end - begin, mask);
      at = begin;
    }
    from = text.begin() + static_cast<std::ptrdiff_t>(at);
  }
}

// "password": "...", in text that only quotes a piece of JSON.
void mask_quoted_fields(std::string& text) {
  for (std::size_t at = text.find('"'); at != std::string::npos; at = text.find('"', at + 1)) {
    std::size_t end = at + 1;
    while (end < text.size() && is_token_char(text[end])) ++end;
    if (end == text.size() || text[end] != '"' || !names_secret(std::string_view(text).substr(at + 1, end - at - 1)))
      continue;
    const auto colon = text.find_first_not_of(' ', end + 1);
    if (colon == std::string::npos || text[colon] != ':') continue;
    const auto open = text.find_first_not_of(' ', colon + 1);
    if (open == std::string::npos || text[open] != '"') continue;
    std::size_t close = open + 1;
    while (close < text.size() && text[close] != '"') close += text[close] == '\\' ? 2 : 1;
    close = std::min(close, text.size());
    text.replace(open + 1, close - open - 1, mask);
    at = open + 1 + mask.size();
    if (at >= text.size()) break;
  }
}

void mask_all_strings(Json& value) {
  if (value.is_structured()) {
    for (auto& item : value) mask_all_strings(item);
  } else if (!value.is_null()) {
    value = mask;
  }
}

bool is_string(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string();
}

void mask_json(Json& value);

void mask_member(Json& object, const char* key) {
  if (const auto found = object.find(key); found != object.end()) mask_all_strings(*found);
}

// Kubernetes: a Secret's data. Its annotations may repeat it (kubectl's last-applied-configuration does).
void mask_secret(Json& object) {
  mask_member(object, "data");
  mask_member(object, "stringData");
  if (const auto metadata = object.find("metadata"); metadata != object.end() && metadata->is_object())
    mask_member(*metadata, "annotations");
}

// What is sent to a Secret's URL, or comes from there, whatever it says of itself: a merge patch, a JSON patch, or a
// Status whose words may quote what was refused.
void mask_at_secret(Json& value) {
  if (value.is_array()) {
    for (auto& step : value)
      if (step.is_object()) mask_member(step, "value");
  } else if (value.is_object() && is_string(value, "kind") && value["kind"] == "Status") {
    mask_member(value, "message");
    const auto details = value.find("details");
    if (details == value.end() || !details->is_object()) return;
    if (const auto causes = details->find("causes"); causes != details->end() && causes->is_array())
      for (auto& cause : *causes)
        if (cause.is_object()) mask_member(cause, "message");
  } else if (value.is_object()) {
    mask_secret(value);
  }
}

bool is_of_secret(Api api, std::string_view url) {
  if (api != Api::kubernetes) return false;
  const auto path = split_url(url).path + "/";
  return path.find("/secrets/") != std::string::npos;
}

void mask_object(Json& object) {
  if (is_string(object, "kind") && object["kind"] == "Secret") mask_secret(object);
  // A list of Secrets leaves the items' own kind out.
  if (is_string(object, "kind") && object["kind"] == "SecretList" && object.contains("items") &&
      object["items"].is_array()) {
    for (auto& item : object["items"])
      if (item.is_object()) item["kind"] = "Secret";
  }
  // An environment variable of a container: {"name": "DB_PASSWORD", "value": ...}.
  if (is_string(object, "name") && is_string(object, "value") &&
      names_secret(object["name"].get_ref<const std::string&>()))
    object["value"] = mask;
  for (auto& [key, item] : object.items()) {
    if (item.is_string() && !item.get_ref<const std::string&>().empty() && names_secret(key))
      item = mask;
    else
      mask_json(item);
  }
}

void mask_json(Json& value) {
  if (value.is_object()) {
    mask_object(value);
  } else if (value.is_array()) {
    for (auto& item : value) mask_json(item);
  } else if (value.is_string()) {
    // A document within a string: a whole manifest in an annotation, an error that repeats what was sent.
    const auto& text = value.get_ref<const std::string&>();
    if (!text.empty() && (text.front() == '{' || text.front() == '[')) {
      if (auto inner = Json::parse(text, nullptr, false); !inner.is_discarded()) {
        mask_json(inner);
        value = inner.dump(-1, ' ', false, Json::error_handler_t::replace);
        return;
      }
    }
    value = masked_text(text);
  }
}

// The text between <Name> and </Name>, wherever the name is a secret's.
std::string masked_xml(std::string_view body) {
  std::string text;
  while (!body.empty()) {
    const auto open = body.find('<');
    const auto end = body.find('>', open == std::string_view::npos ? open : open + 1);
    if (open == std::string_view::npos || end == std::string_view::npos) break;
    text += body.substr(0, end + 1);
    const auto name = body.substr(open + 1, body.find_first_of(" \t\r\n/>", open + 1) - open - 1);
    body.remove_prefix(end + 1);
    if (!names_secret(name)) continue;
    const auto close = body.find('<');
    if (close == std::string_view::npos) continue;
    text += mask;
    body.remove_prefix(close);
  }
  text += body;
  return masked_text(text);
}

std::string masked_lines(std::string_view body) {
  // A watch: one document a line.
  std::string text;
  while (!body.empty()) {
    const auto line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(body.size(), line.size() + 1));
    auto value = Json::parse(line, nullptr, false);
    if (value.is_discarded()) return {};
    mask_json(value);
    text += value.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (!body.empty()) text += '\n';
  }
  return text;
}

}  // namespace

std::string masked_text(std::string_view text) {
  std::string result(text);
  mask_runs(result, "mdb_sa_sk_", 0);
  mask_runs(result, "eyJ", 40);
  mask_userinfo(result);
  mask_session_tokens(result);
  mask_quoted_fields(result);
  return result;
}

std::string masked_url(std::string_view url) {
  const auto mark = url.find('?');
  std::string text(url.substr(0, mark));
  if (mark != std::string_view::npos) {
    url.remove_prefix(mark + 1);
    char separator = '?';
    while (true) {
      const auto parameter = url.substr(0, url.find('&'));
      const auto equals = parameter.find('=');
      text += separator;
      if (equals != std::string_view::npos && names_secret(parameter.substr(0, equals))) {
        text += parameter.substr(0, equals + 1);
        text += mask;
      } else {
        text += parameter;
      }
      if (parameter.size() == url.size()) break;
      url.remove_prefix(parameter.size() + 1);
      separator = '&';
    }
  }
  return masked_text(text);
}

std::string masked_header(const Header& header) {
  const std::string word = plain_word(header.name);
  if (word == "authorization" || word == "proxyauthorization") {
    const auto scheme = header.value.find(' ');
    return scheme == std::string::npos ? std::string(mask) : header.value.substr(0, scheme + 1) + std::string(mask);
  }
  if (word == "cookie" || word == "setcookie" || names_secret(word)) return std::string(mask);
  return masked_text(header.value);
}

std::string masked_body(Api api, std::string_view body, std::string_view url) {
  if (body.empty()) return {};
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (body[first] == '{' || body[first] == '[')) {
    auto value = Json::parse(body, nullptr, false);
    if (!value.is_discarded()) {
      if (is_of_secret(api, url)) mask_at_secret(value);
      mask_json(value);
      return value.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    if (auto lines = masked_lines(body); !lines.empty()) return lines;
    return fmt::format("({} bytes)", body.size());
  }
  if (first != std::string_view::npos && body[first] == '<' && api != Api::oauth) return masked_xml(body);
  // A form with credentials, a token that is the whole body, YAML: no telling what is secret there. The plain sentences
  // that proxies and load balancers answer with are short and come from an API that speaks JSON.
  const bool sentence = !is_of_secret(api, url) &&
                        (api == Api::kubernetes || api == Api::atlas || api == Api::route53) &&
                        body.size() <= longest_text && body.find_first_of("\n:=") == std::string_view::npos;
  return sentence ? masked_text(body) : fmt::format("({} bytes)", body.size());
}

}  // namespace litedesk::http
