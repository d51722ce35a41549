#include "providers/aws/ini.hpp"

#include <algorithm>
#include <vector>

#include "providers/error.hpp"
#include "providers/system/files.hpp"
#include "providers/system/secret.hpp"

namespace litedesk::aws {

namespace {

constexpr std::string_view blanks = " \t\r\f\v";

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

// A comment at the end of a line begins with a blank and then "#" or ";": a value itself may hold either.
std::string_view without_comment(std::string_view value) {
  for (std::size_t i = 1; i < value.size(); ++i)
    if ((value[i] == '#' || value[i] == ';') && blanks.find(value[i - 1]) != std::string_view::npos)
      return trim(value.substr(0, i));
  return value;
}

// `profile "my team"` -> `profile my team`.
std::string section_name(std::string_view header) {
  std::string name;
  char quote = 0;
  bool blank = false;
  for (const char c : trim(header)) {
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        name += c;
    } else if (c == '"' || c == '\'') {
      if (blank && !name.empty()) name += ' ';
      blank = false;
      quote = c;
    } else if (blanks.find(c) != std::string_view::npos) {
      blank = true;
    } else {
      if (blank && !name.empty()) name += ' ';
      blank = false;
      name += c;
    }
  }
  return name;
}

struct Parser {
  Ini ini;
  const std::filesystem::path& file;
  IniSection* section = nullptr;
  std::string key;             // the last key of the section
  std::size_t key_indent = 0;  // what is further in continues that key
  int number = 0;

  [[noreturn]] void refuse(std::string_view why) const {
    throw AuthError(
        {.message = "cannot read " + file.string() + ", line " + std::to_string(number) + ": " + std::string(why),
         .hint = "a line is a [section], a comment, key = value or key: value",
         .resource = file.string(),
         .cause = ""});
  }

  void line(std::string_view raw) {
    ++number;
    const auto text = trim(raw);
    if (text.empty() || text.front() == '#' || text.front() == ';') return;
    const std::size_t indent = raw.find_first_not_of(blanks);
    if (section != nullptr && !key.empty() && indent > key_indent) return continuation(text);
    if (text.front() == '[') return header(text);
    // The first of the two parts them: a value may hold either.
    const auto end = text.find_first_of("=:");
    if (end == std::string_view::npos || trim(text.substr(0, end)).empty()) refuse("neither a section nor key = value");
    if (section == nullptr) refuse("a key before the first [section]");
    key = lower(trim(text.substr(0, end)));
    key_indent = indent;
    section->values[key] = std::string(without_comment(trim(text.substr(end + 1))));
  }

  void header(std::string_view text) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) refuse("an unclosed [section]");
    section = &ini[section_name(text.substr(1, end - 1))];
    key.clear();
  }

  // Below an empty value the lines are keys of their own, with "=" alone (botocore's _parse_nested); otherwise they go
  // on with the value.
  void continuation(std::string_view text) {
    auto& value = section->values[key];
    if (!value.empty()) {
      value += '\n';
      value += text;
      return;
    }
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) refuse("an indented line that is not key = value");
    section->nested[key][lower(trim(text.substr(0, equals)))] =
        std::string(without_comment(trim(text.substr(equals + 1))));
  }
};

}  // namespace

IniSection::~IniSection() {
  for (auto& [key, value] : values) wipe(value);
}

std::optional<std::string> IniSection::get(std::string_view key) const {
  const auto found = values.find(std::string(key));
  if (found == values.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

Ini parse_ini(std::string_view text, const std::filesystem::path& file) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Parser parser{.ini = {}, .file = file, .section = nullptr, .key = {}, .key_indent = 0, .number = 0};
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    parser.line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::move(parser.ini);
}

Ini read_ini(const std::filesystem::path& file) {
  auto text = system::read_file(file, "AWS profile file");
  if (!text) return {};
  struct Wipe {
    std::string& text;
    ~Wipe() { wipe(text); }
  } wiped{*text};
  return parse_ini(*text, file);
}

}  // namespace litedesk::aws
