#include <algorithm>
#include <array>

#include "cli/settings.hpp"

namespace litedesk::cli {
namespace {

// DOMAIN's variables that only say what to make, or are credentials themselves. Not here on purpose: KUBECONFIG and
// KUBERNETES_SERVICE_HOST, every URL and endpoint, every file that may name a program (AWS_CONFIG_FILE and its
// credential_process): a folder that one happens to stand in must not redirect credentials.
constexpr std::array allowed{"ENABLE_INSTANCE_PROVISIONING",
                             "ENABLE_DEMO_CONVERSION",
                             "MONGODB_ATLAS_API_KEY",
                             "MONGODB_ATLAS_API_SECRET",
                             "MONGODB_ATLAS_PROJECT_ID",
                             "AWS_ROUTE53_HOSTED_ZONE_ID",
                             "ROUTE53_HOSTED_ZONE_ID",
                             "BASE_DOMAIN",
                             "INGRESS_LOADBALANCER_DNS",
                             "BACKEND_IMAGE_REPO",
                             "BACKEND_IMAGE_TAG",
                             "FRONTEND_IMAGE_REPO",
                             "FRONTEND_IMAGE_TAG",
                             "AUTO_ROLLBACK",
                             "AWS_ACCESS_KEY_ID",
                             "AWS_SECRET_ACCESS_KEY",
                             "AWS_SESSION_TOKEN",
                             "AWS_REGION",
                             "AWS_DEFAULT_REGION"};

bool is_name(std::string_view text) {
  return !text.empty() && (text[0] < '0' || text[0] > '9') && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// A double-quoted value, escapes replaced; `rest` stands behind the opening quote and is moved behind the closing one.
std::string quoted(std::string_view& rest) {
  std::string value;
  std::size_t i = 0;
  for (; i < rest.size() && rest[i] != '"'; ++i) {
    if (rest[i] != '\\' || i + 1 == rest.size()) {
      value += rest[i];
      continue;
    }
    const char next = rest[++i];
    value += next == 'n' ? '\n' : next == 't' ? '\t' : next;
  }
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return value;
}

}  // namespace

bool dotenv_may_set(std::string_view name) {
  return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
}

Environment parse_dotenv(std::string_view text) {
  Environment values;
  while (!text.empty()) {
    const auto line_end = std::min(text.find('\n'), text.size());
    std::string_view line = trim(text.substr(0, line_end));
    if (line.starts_with("export ")) line = trim(line.substr(7));
    const auto equals = line.find('=');
    const std::string name(equals == std::string_view::npos ? "" : trim(line.substr(0, equals)));
    if (!is_name(name)) {  // a comment, an empty line, or something that other programs understand
      text.remove_prefix(std::min(line_end + 1, text.size()));
      continue;
    }
    std::string_view value = trim(line.substr(equals + 1));
    const bool is_quoted = value.starts_with("\"") || value.starts_with("'");
    if (!is_quoted) {
      if (const auto comment = value.find(" #"); comment != std::string_view::npos)
        value = trim(value.substr(0, comment));
      if (value.starts_with("#")) value = {};
      values[name] = std::string(value);
      text.remove_prefix(std::min(line_end + 1, text.size()));
      continue;
    }
    // A quoted value may go over several lines (a key in PEM).
    const char quote = value.front();
    text.remove_prefix(static_cast<std::size_t>(value.data() + 1 - text.data()));
    if (quote == '"') {
      values[name] = quoted(text);
    } else {
      const auto end = std::min(text.find('\''), text.size());
      values[name] = std::string(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
  return values;
}

}  // namespace litedesk::cli
