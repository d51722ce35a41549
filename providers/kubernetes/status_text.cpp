// The texts around a Status: bodies of proxies, Warning headers.
#include <algorithm>
#include <cctype>

#include "providers/kubernetes/status.hpp"

namespace litedesk::kubernetes {

namespace {

constexpr std::size_t longest = 160;

bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

// One line: runs of white space and control characters become one space; cut at a character's boundary.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = is_space(c) || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
    if (line.size() > longest + 4) break;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (line.size() > longest) {
    std::size_t end = longest;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
    line = line.substr(0, end) + "...";
  }
  return line;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string without_tags(std::string_view html, const std::string& lowered) {
  std::string text;
  for (std::size_t at = 0; at < html.size() && text.size() < 4 * longest;) {
    if (html[at] != '<') {
      text += html[at++];
      continue;
    }
    // What stands in these is no text.
    for (const auto* element : {"script", "style"})
      if (lowered.compare(at + 1, std::string_view(element).size(), element) == 0) {
        const auto end = lowered.find("</" + std::string(element), at);
        at = end == std::string::npos ? html.size() : end;
      }
    const auto close = html.find('>', at);
    at = close == std::string_view::npos ? html.size() : close + 1;
    text += ' ';
  }
  return text;
}

}  // namespace

std::string short_text(std::string_view body, std::string_view content_type) {
  // No page says anything new after this much.
  body = body.substr(0, 16 * 1024);
  const auto lowered = lower(body);
  const auto first = lowered.find_first_not_of(" \t\r\n");
  const bool html = lower(content_type).find("html") != std::string::npos ||
                    (first != std::string::npos &&
                     (lowered.compare(first, 5, "<html") == 0 || lowered.compare(first, 9, "<!doctype") == 0));
  if (!html) return one_line(body);
  if (const auto open = lowered.find("<title"); open != std::string::npos) {
    const auto begin = lowered.find('>', open);
    const auto end = lowered.find("</title", open);
    if (begin != std::string::npos && end != std::string::npos && begin < end) {
      auto title = one_line(body.substr(begin + 1, end - begin - 1));
      if (!title.empty()) return "an HTML page: " + title;
    }
  }
  auto text = one_line(without_tags(body, lowered));
  return text.empty() ? "an HTML page" : "an HTML page: " + text;
}

std::vector<std::string> parse_warnings(const http::Headers& headers) {
  std::vector<std::string> warnings;
  for (const auto& header : headers) {
    if (lower(header.name) != "warning") continue;
    std::string_view rest = header.value;
    // 299 - "text" ["date"], with \" and \\ inside the quotes. The warn-code and the warn-agent hold no quote.
    bool is_text = true;
    for (auto open = rest.find('"'); open != std::string_view::npos; open = rest.find('"')) {
      // A second quoted string before the next comma is the date.
      if (rest.substr(0, open).find(',') != std::string_view::npos) is_text = true;
      rest.remove_prefix(open + 1);
      std::string text;
      std::size_t at = 0;
      for (; at < rest.size() && rest[at] != '"'; ++at) {
        if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
        text += rest[at];
      }
      rest.remove_prefix(std::min(at + 1, rest.size()));
      if (is_text && !text.empty()) warnings.push_back(std::move(text));
      is_text = false;
    }
  }
  return warnings;
}

}  // namespace litedesk::kubernetes
