#include "cli/dotenv.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/system/files.hpp"
#include "providers/system/trust.hpp"

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

// --- whether it is read

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "it is a folder";
  if (S_ISFIFO(mode)) return "it is a FIFO";
  if (S_ISSOCK(mode)) return "it is a socket";
  return "it is a device";
}

// Why somebody else may have a say in it, and what mends that; empty when nobody has.
std::string others_in(const struct stat& about, std::string_view what) {
  std::string reason = system::distrust(about, what);
  if (!reason.empty() && !system::is_foreign(about)) reason += " (chmod go-w)";
  return reason;
}

// Why it is not to be read; empty when it is. Nothing when there is nothing.
std::optional<std::string> refusal_of(const std::filesystem::path& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0) {
    const int reason = errno;
    if (reason == ENOTDIR) return std::nullopt;
    if (reason != ENOENT) return std::strerror(reason);
    if (::lstat(file.c_str(), &about) != 0) return std::nullopt;
    return "it is a link to something that is not there";
  }
  if (!S_ISREG(about.st_mode)) return std::string(kind_of(about.st_mode));
  if (std::string others = others_in(about, "it"); !others.empty()) return others;
  struct stat folder {};
  if (::stat(file.parent_path().c_str(), &folder) != 0) return std::strerror(errno);
  return others_in(folder, "its folder");
}

// --- what it says

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

std::string_view without_leading_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

std::string_view without_trailing_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_capital(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// What Compose takes: other programs' variables may have dots, dashes and brackets.
std::string_view name_at_begin(std::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), [](char c) {
    return is_capital(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '[' || c == ']';
  });
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

std::string_view without_export(std::string_view line) {
  constexpr std::string_view word = "export";
  if (!line.starts_with(word) || line.size() == word.size() || !is_blank(line[word.size()])) return line;
  return without_leading_blanks(line.substr(word.size()));
}

// The line's name, where it sets one.
std::string_view name_set_by(std::string_view line) {
  line = without_export(without_leading_blanks(line));
  const std::string_view name = name_at_begin(line);
  const std::string_view behind = without_leading_blanks(line.substr(name.size()));
  return behind.starts_with('=') ? name : std::string_view();
}

// With one kind of line end, and no byte order mark.
std::string plain_text(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r')
      plain += text[i];
    else if (i + 1 == text.size() || text[i + 1] != '\n')
      plain += '\n';
  }
  return plain;
}

class Parser {
 public:
  Parser(std::string_view text, const std::filesystem::path& file) : rest_(text), file_(file) {}

  Environment parse() {
    while (!rest_.empty()) statement();
    return std::move(values_);
  }

 private:
  static constexpr const char* close_it = "close the quote at the end of its value";
  static constexpr const char* form = "a line is NAME=value, a comment that begins with #, or empty";

  [[noreturn]] void refuse(int line, const std::string& why, const char* hint = form) const {
    throw UsageError({.message = fmt::format("{}:{}: {}", file_.string(), line, why),
                      .hint = hint,
                      .resource = fmt::format("file {}", file_.string()),
                      .cause = {}});
  }

  void skip(std::size_t count) {
    line_ += static_cast<int>(std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(count), '\n'));
    rest_.remove_prefix(count);
  }
  // Behind the end of this line.
  void skip_line() {
    const auto end = rest_.find('\n');
    skip(end == std::string_view::npos ? rest_.size() : end + 1);
  }

  void statement() {
    const std::string_view line = without_leading_blanks(rest_.substr(0, rest_.find('\n')));
    if (line.empty() || line.front() == '#') return skip_line();
    const std::string_view assignment = without_export(line);
    const std::string_view name = name_at_begin(assignment);
    const std::string_view behind = without_leading_blanks(assignment.substr(name.size()));
    if (name.empty()) refuse(line_, "this is not NAME=value");
    if (behind.empty() || behind.front() == '#') {
      name_alone(name);
      return skip_line();
    }
    const bool colon = behind.front() == ':' && (behind.size() == 1 || is_blank(behind[1]));
    if (behind.front() != '=' && !colon) refuse(line_, "this is not NAME=value");
    rest_.remove_prefix(static_cast<std::size_t>(behind.data() + 1 - rest_.data()));
    values_[std::string(name)] = value();
  }

  // Compose takes the value of the environment then, which beats the file here anyway. One of ours without a value is
  // a mistake that nobody would notice.
  void name_alone(std::string_view name) const {
    if (!std::all_of(name.begin(), name.end(), is_capital)) refuse(line_, "this is not NAME=value");
    if (dotenv_may_set(name))
      refuse(line_, fmt::format("{} has no value", name), "write NAME=value, or take the line out");
  }

  std::string value() {
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    const std::string_view text = without_leading_blanks(line);
    if (!text.empty() && (text.front() == '"' || text.front() == '\'' || text.front() == '`')) {
      skip(line.size() - text.size() + 1);
      return quoted(text.front());
    }
    // A comment begins behind a blank: a value may hold a '#' itself.
    std::size_t end = 0;
    while (end < line.size() && !(line[end] == '#' && end > 0 && is_blank(line[end - 1]))) ++end;
    std::string found(without_trailing_blanks(without_leading_blanks(line.substr(0, end))));
    skip_line();
    return found;
  }

  // Stands behind the opening quote.
  std::string quoted(char quote) {
    const int opened = line_;
    std::string found;
    std::size_t i = 0;
    for (; i < rest_.size() && rest_[i] != quote; ++i) {
      if (rest_[i] == '\\' && i + 1 < rest_.size() && is_escape(quote, i))
        found += unescaped(rest_[++i]);
      else
        found += rest_[i];
    }
    if (i == rest_.size()) refuse(opened, "the quote that opens here is never closed", close_it);
    check_taken_in(rest_.substr(0, i), opened);
    skip(i + 1);
    const std::string_view behind = without_leading_blanks(rest_.substr(0, rest_.find('\n')));
    if (!behind.empty() && behind.front() != '#')
      refuse(line_,
             opened == line_ ? std::string("there is text after the closing quote")
                             : fmt::format("there is text after the quote that was opened in line {}", opened),
             opened == line_ ? "only a comment may follow" : close_it);
    skip_line();
    return found;
  }

  // In double quotes what a shell and Compose know; in single ones only a quote, unless it is the line's last and so
  // closes a value that ends with a backslash.
  [[nodiscard]] bool is_escape(char quote, std::size_t at) const {
    const char next = rest_[at + 1];
    if (quote == '"') return std::string_view("nrt\\\"$`").find(next) != std::string_view::npos;
    if (quote != '\'' || next != '\'') return false;
    const std::string_view line = rest_.substr(at + 2, rest_.find('\n', at + 2) - (at + 2));
    return line.find('\'') != std::string_view::npos;
  }
  static char unescaped(char c) { return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c; }

  // A value over several lines that takes in a setting of ours has lost its closing quote.
  void check_taken_in(std::string_view text, int opened) const {
    for (int line = opened; text.find('\n') != std::string_view::npos;) {
      text.remove_prefix(text.find('\n') + 1);
      ++line;
      const std::string_view name = name_set_by(text.substr(0, text.find('\n')));
      if (dotenv_may_set(name))
        refuse(opened, fmt::format("the quote that opens here swallows {} in line {}: it is not closed", name, line),
               close_it);
    }
  }

  std::string_view rest_;
  const std::filesystem::path& file_;
  int line_ = 1;
  Environment values_;
};

}  // namespace

bool dotenv_may_set(std::string_view name) {
  return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
}

Environment parse_dotenv(std::string_view text, const std::filesystem::path& file) {
  const bool utf16 = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
  if (utf16 || text.find('\0') != std::string_view::npos)
    throw UsageError({.message = fmt::format("{} {}", file.string(), utf16 ? "is in UTF-16" : "has NUL bytes in it"),
                      .hint = "save it as UTF-8",
                      .resource = fmt::format("file {}", file.string()),
                      .cause = {}});
  const std::string plain = plain_text(text);
  return Parser(plain, file).parse();
}

Dotenv read_dotenv(const std::filesystem::path& file) {
  Dotenv found;
  const auto refusal = refusal_of(file);
  if (!refusal) return found;
  found.unread = *refusal;
  if (!found.unread.empty()) return found;
  std::optional<std::string> text;
  try {
    text = system::read_file(file, ".env file", {{}, std::chrono::milliseconds(0)});
  } catch (const Error& error) {  // whether it matters is not known here
    found.unread = error.cause().empty() ? error.message() : error.cause();
    return found;
  }
  if (text) found.values = parse_dotenv(*text, file);
  return found;
}

}  // namespace litedesk::cli
