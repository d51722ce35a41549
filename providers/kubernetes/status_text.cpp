// The texts around a Status: bodies of proxies, Warning headers.
#include <algorithm>
#include <array>
#include <cctype>

#include "providers/kubernetes/status.hpp"
#include "providers/utf8.hpp"

namespace litedesk::kubernetes {

namespace {

constexpr std::size_t longest = 160;

bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

// One line of UTF-8: runs of white space and control characters become one space; cut at a character's boundary.
std::string one_line(std::string_view text) {
  std::string line;
  while (!text.empty() && line.size() <= longest + 4) {
    const auto point = decode_utf8(text);
    const auto size = std::max<std::size_t>(point.size, 1);
    const bool blank = point.size == 1 ? is_space(text[0]) || point.value < 0x20 || point.value == 0x7f
                                       : point.size > 1 && (point.value < 0xA1 || !is_printable(point.value));
    if (point.size == 0) {
      line += "\xEF\xBF\xBD";  // a page in another encoding
    } else if (!blank) {
      line += text.substr(0, size);
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
    text.remove_prefix(size);
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

// Where the text goes on after the tag, comment, script or style that begins at `at`: at the end of the page where it
// is never closed. `page` is in lower case.
std::size_t after_markup(std::string_view page, std::size_t at) {
  const auto past = [&](std::string_view end, std::size_t from) {
    const auto found = page.find(end, from);
    return found == std::string_view::npos ? page.size() : found + end.size();
  };
  const auto rest = page.substr(at + 1);
  if (rest.starts_with("!--")) return past("-->", at + 2);
  // What stands in these is no text.
  for (const std::string_view element : {"script", "style"}) {
    const bool named = rest.starts_with(element) &&
                       (rest.size() == element.size() ||
                        std::string_view(" \t\r\n/>").find(rest[element.size()]) != std::string_view::npos);
    if (named) return past(">", past("</" + std::string(element), at));
  }
  return past(">", at);
}

std::string without_tags(std::string_view html, std::string_view lowered) {
  std::string text;
  for (std::size_t at = 0; at < html.size() && text.size() < 4 * longest;) {
    const bool markup = html[at] == '<' && at + 1 < html.size() &&
                        (std::isalpha(static_cast<unsigned char>(html[at + 1])) != 0 ||
                         std::string_view("/!?").find(html[at + 1]) != std::string_view::npos);
    if (!markup) {
      text += html[at++];
      continue;
    }
    at = after_markup(lowered, at);
    text += ' ';
  }
  return text;
}

// The few names that pages of proxies use; others stay as they are.
std::string without_entities(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, char>, 7> entities{{{"&amp;", '&'},
                                                                       {"&lt;", '<'},
                                                                       {"&gt;", '>'},
                                                                       {"&quot;", '"'},
                                                                       {"&apos;", '\''},
                                                                       {"&#39;", '\''},
                                                                       {"&nbsp;", ' '}}};
  std::string plain;
  while (!text.empty()) {
    const auto found = std::find_if(entities.begin(), entities.end(),
                                    [&](const auto& entity) { return text.starts_with(entity.first); });
    plain += found == entities.end() ? text[0] : found->second;
    text.remove_prefix(found == entities.end() ? 1 : found->first.size());
  }
  return plain;
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
      auto title = one_line(without_entities(body.substr(begin + 1, end - begin - 1)));
      if (!title.empty()) return "an HTML page: " + title;
    }
  }
  auto text = one_line(without_entities(without_tags(body, lowered)));
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
