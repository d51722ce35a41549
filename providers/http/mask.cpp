#include "providers/http/mask.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "providers/http/mask_parts.hpp"
#include "providers/http/url.hpp"
#include "providers/read_json.hpp"

namespace litedesk::http {

namespace {

using Json = nlohmann::json;

constexpr std::size_t longest_text = 4096;

void mask_all_strings(Json& value) {
  if (value.is_structured()) {
    for (auto& item : value) mask_all_strings(item);
  } else if (!value.is_null()) {
    value = mask;
  }
}

// What a field holds whose name is a secret's. Switches say nothing ("automountServiceAccountToken": false), nor do
// the names of the Secrets that an object refers to.
void mask_secret_field(Json& value) {
  constexpr std::array<std::string_view, 6> references = {"name", "namespace",  "kind",
                                                          "type", "apiVersion", "secretName"};
  if (value.is_object()) {
    for (auto& [key, item] : value.items()) {
      const bool reference = std::find(references.begin(), references.end(), key) != references.end();
      if (!reference || !item.is_string()) mask_secret_field(item);
    }
  } else if (value.is_array()) {
    for (auto& item : value) mask_secret_field(item);
  } else if (value.is_number() || (value.is_string() && !value.get_ref<const std::string&>().empty())) {
    value = mask;
  }
}

std::string masked_xml(std::string_view text) {
  Spans spans;
  find_secrets_in_xml(text, 0, spans);
  return spans.masked(text);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

bool is_string(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string();
}

void mask_json(Json& value, int documents = 0);

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

// What is sent to a Secret's URL, or comes from there, whatever it says of itself: a merge patch, a JSON patch, a list
// or a table of them, an event, or a Status whose words may quote what was refused.
void mask_at_secret(Json& value) {
  if (value.is_array()) {
    for (auto& step : value)
      if (step.is_object()) mask_member(step, "value");
    return;
  }
  if (!value.is_object()) return;
  if (is_string(value, "kind") && value["kind"] == "Status") {
    mask_member(value, "message");
    const auto details = value.find("details");
    if (details == value.end() || !details->is_object()) return;
    if (const auto causes = details->find("causes"); causes != details->end() && causes->is_array())
      for (auto& cause : *causes)
        if (cause.is_object()) mask_member(cause, "message");
    return;
  }
  mask_secret(value);
  for (const auto* list : {"items", "rows"})
    if (const auto found = value.find(list); found != value.end() && found->is_array())
      for (auto& item : *found) mask_at_secret(item);
  if (const auto found = value.find("object"); found != value.end()) mask_at_secret(*found);
}

bool is_of_secret(Api api, std::string_view url) {
  if (api != Api::kubernetes) return false;
  return (percent_decode(split_url(url).path) + "/").find("/secrets/") != std::string::npos;
}

// {"name": "DB_PASSWORD", "value": ...}: an environment variable of a container, a header, a label.
void mask_named_value(Json& object) {
  constexpr std::array<const char*, 6> names = {"name", "Name", "key", "Key", "field", "header"};
  const bool secret = std::any_of(names.begin(), names.end(), [&object](const char* name) {
    return is_string(object, name) && names_secret(object[name].get_ref<const std::string&>());
  });
  if (!secret) return;
  for (const auto* value : {"value", "Value", "values", "Values"}) mask_member(object, value);
}

void mask_object(Json& object, int documents) {
  if (is_string(object, "kind") && object["kind"] == "Secret") mask_secret(object);
  // A list of Secrets leaves the items' own kind out.
  if (is_string(object, "kind") && object["kind"] == "SecretList" && object.contains("items") &&
      object["items"].is_array()) {
    for (auto& item : object["items"])
      if (item.is_object()) item["kind"] = "Secret";
  }
  mask_named_value(object);
  for (auto& [key, item] : object.items()) {
    if (names_secret(key))
      mask_secret_field(item);
    else
      mask_json(item, documents);
  }
}

// A document within a string: a whole manifest in an annotation, an error that repeats what was sent; and within that
// one another, but hardly a third.
constexpr int most_documents = 3;

void mask_string(Json& value, int documents) {
  const auto& text = value.get_ref<const std::string&>();
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return;
  if (text[first] == '{' || text[first] == '[') {
    if (documents == most_documents || nested_too_deeply(text)) {
      value = mask;
      return;
    }
    if (auto inner = parse_json(text); !inner.is_discarded()) {
      mask_json(inner, documents + 1);
      value = inner.dump(-1, ' ', false, Json::error_handler_t::replace);
      return;
    }
  }
  value = text[first] == '<' ? masked_xml(text) : masked_text(text);
}

void mask_json(Json& value, int documents) {
  if (value.is_object()) {
    mask_object(value, documents);
  } else if (value.is_array()) {
    for (auto& item : value) mask_json(item, documents);
  } else if (value.is_string()) {
    mask_string(value, documents);
  }
}

std::string masked_document(Json value, bool of_secret) {
  if (of_secret) mask_at_secret(value);
  mask_json(value);
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A watch: one document a line. Empty where a line is none.
std::string masked_lines(std::string_view body, bool of_secret) {
  std::string text;
  while (!body.empty()) {
    const auto line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(body.size(), line.size() + 1));
    auto value = parse_json(line);
    if (value.is_discarded()) return {};
    text += masked_document(std::move(value), of_secret);
    if (!body.empty()) text += '\n';
  }
  return text;
}

// A challenge of HTTP authentication (RFC 9110, 11.3): the scheme and the parameters that are no secrets.
std::string masked_challenge(std::string_view value) {
  constexpr std::array<std::string_view, 13> shown = {
      "realm", "scope",  "error",   "error_description", "error_uri",         "algorithm",        "qop",
      "stale", "domain", "service", "charset",           "resource_metadata", "authorization_uri"};
  std::string text;
  bool scheme = true;  // a word that begins a challenge is one
  while (!value.empty()) {
    if (const auto gap = value.find_first_not_of(" ,\t"); gap != 0) {
      const auto skipped = value.substr(0, gap);
      scheme = scheme || skipped.find(',') != std::string_view::npos;
      text += skipped;
      value.remove_prefix(skipped.size());
      continue;
    }
    const auto name = value.substr(0, std::min(value.find_first_of(" ,\t="), value.size()));
    auto rest = value.substr(name.size());
    // The "=" at the end of base64, not before a value.
    const bool padding = rest.starts_with('=') && (rest.size() == 1 || rest.find_first_of("= ,\t", 1) == 1);
    if (!rest.starts_with('=') || padding) {
      const auto end = std::min(value.find_first_of(" ,\t"), value.size());
      text += scheme ? value.substr(0, end) : mask;
      scheme = false;
      value.remove_prefix(end);
      continue;
    }
    rest.remove_prefix(1);
    const bool quoted = rest.starts_with('"');
    std::size_t end = quoted ? 1 : std::min(rest.find_first_of(" ,\t"), rest.size());
    while (quoted && end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
    end = std::min(quoted ? end + 1 : end, rest.size());
    const bool harmless = std::find(shown.begin(), shown.end(), lower(name)) != shown.end();
    text += std::string(name) + "=" + (harmless ? masked_text(rest.substr(0, end)) : std::string(mask));
    rest.remove_prefix(end);
    value = rest;
    scheme = false;
  }
  return text;
}

}  // namespace

std::string masked_url(std::string_view url) {
  // The values of a query and of a fragment are known to end at "&"; the rest is found as in any text.
  Spans spans;
  find_secrets(url, 0, spans);
  for (auto at = url.find_first_of("?#&"); at != std::string_view::npos;) {
    const auto begin = at + 1;
    auto end = std::min(url.find_first_of("?#&", begin), url.size());
    const auto parameter = url.substr(begin, end - begin);
    if (const auto equals = parameter.find('=');
        equals != std::string_view::npos && names_secret(parameter.substr(0, equals))) {
      end = std::min(url.find('&', begin), url.size());
      spans.add(begin + equals + 1, end);
    }
    at = end < url.size() ? end : std::string_view::npos;
  }
  return spans.masked(url);
}

std::string masked_header(const Header& header) {
  const std::string word = plain_word(header.name);
  if (word.ends_with("authorization")) {
    const auto scheme = header.value.find(' ');
    return scheme == std::string::npos ? std::string(mask) : header.value.substr(0, scheme + 1) + std::string(mask);
  }
  if (word == "wwwauthenticate" || word == "proxyauthenticate" || word == "authenticationinfo")
    return masked_challenge(header.value);
  if (names_secret(word)) return std::string(mask);
  if (word == "location" || word == "contentlocation" || word == "referer" || word == "refresh")
    return masked_url(header.value);
  return masked_text(header.value);
}

std::string masked_body(Api api, std::string_view body, std::string_view url) {
  if (body.empty()) return {};
  const bool of_secret = is_of_secret(api, url);
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (body[first] == '{' || body[first] == '[')) {
    if (auto value = parse_json(body); !value.is_discarded()) return masked_document(std::move(value), of_secret);
    if (auto lines = masked_lines(body, of_secret); !lines.empty()) return lines;
    return fmt::format("({} bytes)", body.size());
  }
  if (first != std::string_view::npos && body[first] == '<' && api != Api::oauth && !of_secret) return masked_xml(body);
  // A form with credentials, a token that is the whole body, YAML: no telling what is secret there. The plain sentences
  // that proxies and load balancers answer with are short and come from an API that speaks JSON.
  const bool sentence = !of_secret && (api == Api::kubernetes || api == Api::atlas || api == Api::route53) &&
                        body.size() <= longest_text && body.find_first_of("\n:=") == std::string_view::npos;
  return sentence ? masked_text(body) : fmt::format("({} bytes)", body.size());
}

}  // namespace litedesk::http
