// Secrets in plain text: by their own shape, or by the name before them.
#include <algorithm>

#include "providers/http/mask.hpp"
#include "providers/http/mask_parts.hpp"

namespace litedesk::http {

namespace {

constexpr auto npos = std::string_view::npos;
// No name of a secret is longer.
constexpr std::size_t longest_name = 96;

bool is_alphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_token_char(char c) {
  return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
}
bool is_name_char(char c) {
  return is_token_char(c) || c == '%' || c == '[' || c == ']';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// One text, looked at for one kind of secret after the other.
class Finder {
 public:
  Finder(std::string_view text, std::size_t offset, Spans& spans) : text_(text), offset_(offset), spans_(spans) {}

  void all() {
    runs("mdb_sa_sk_", 0);
    runs("eyJ", 40);  // a JSON web token: base64 of {"
    private_keys();
    if (text_.find("://") != npos) user_infos();
    pairs();
    lines();
    schemes();
    for (const std::string_view quote : {"\"", "'", "&quot;", "&#34;"}) quoted(quote);
  }

 private:
  void mask(std::size_t begin, std::size_t end) { spans_.add(offset_ + begin, offset_ + end); }
  std::size_t first_of(std::string_view characters, std::size_t from) const {
    return std::min(text_.find_first_of(characters, from), text_.size());
  }
  std::size_t past_blanks(std::size_t at) const {
    while (at < text_.size() && is_blank(text_[at])) ++at;
    return at;
  }

  // The run of token characters that begins with `start`.
  void runs(std::string_view start, std::size_t shortest) {
    for (auto at = text_.find(start); at != npos;) {
      auto end = at + start.size();
      while (end < text_.size() && is_token_char(text_[end])) ++end;
      if (end - at >= shortest) mask(at + start.size(), end);
      at = text_.find(start, end);
    }
  }

  void private_keys() {
    for (auto at = text_.find("-----BEGIN "); at != npos; at = text_.find("-----BEGIN ", at + 1)) {
      const auto title = text_.find("-----", at + 11);
      if (title == npos) return;
      if (text_.substr(at, title - at).find("PRIVATE KEY") == npos) continue;
      const auto end = std::min(text_.find("-----END", title + 5), text_.size());
      mask(title + 5, end);
      at = end - 1;
    }
  }

  // "scheme://user:password@": the password, whatever is in it. Each run without blanks and quotes is looked at by
  // itself.
  void user_infos() {
    for (std::size_t begin = 0; begin < text_.size();) {
      const auto end = first_of(" \t\r\n\"'<>`", begin);
      user_infos_of(begin, end);
      begin = end + 1;
    }
  }

  void user_infos_of(std::size_t begin, std::size_t end) {
    const auto run = text_.substr(0, end);
    std::vector<std::size_t> ats;
    for (auto at = run.find('@', begin); at != npos; at = run.find('@', at + 1)) ats.push_back(at);
    if (ats.empty()) return;
    std::size_t question = 0, colon = 0;  // the first ones after what is looked at
    const auto next = [&](char c, std::size_t known, std::size_t from) {
      return known >= from ? known : std::min(run.find(c, from), end);
    };
    for (auto at = run.find("://", begin); at < ats.back(); at = run.find("://", at + 1)) {
      const auto start = at + 3;
      question = next('?', question, start);
      colon = next(':', colon, start);
      // The last @ before a query: what is behind that one is the host. Else a password may hold the question mark.
      auto host = std::lower_bound(ats.begin(), ats.end(), question);
      const bool in_query = host == ats.begin() || *(host - 1) < start;
      const auto last = in_query ? ats.back() : *(host - 1);
      user_info(start, std::min(colon, last), last, in_query);
    }
  }

  void user_info(std::size_t start, std::size_t colon, std::size_t host, bool in_query) {
    const auto user = text_.substr(start, colon - start);
    if (user.find_first_of("/?#") != npos) return;
    if (colon == host) {
      // A token in a name's place.
      if (!in_query && user.size() >= 20) mask(start, host);
      return;
    }
    // A port, and an address in the query.
    const auto digits = std::min(text_.find_first_not_of("0123456789", colon + 1), text_.size());
    if (in_query && digits > colon + 1 && std::string_view("/?#").find(text_[digits]) != npos) return;
    mask(colon + 1, host);
  }

  // What a value ends at that stands in no quotes: "&", a blank, a quote, or a ";" that goes on with another name.
  std::size_t end_of_value(std::size_t at) const {
    for (; at < text_.size(); ++at) {
      const char c = text_[at];
      if (std::string_view("& \t\r\n\"'<>`").find(c) != npos) return at;
      if (c == '%' && text_.substr(at, 3) == "%26") return at;
      if (c != ';') continue;
      auto next = past_blanks(at + 1);
      if (next == text_.size() || next > at + 1) return at;
      const auto limit = std::min(next + longest_name, text_.size());
      while (next < limit && (is_token_char(text_[next]) || is_blank(text_[next]))) ++next;
      if (next < limit && text_[next] == '=') return at;
    }
    return at;
  }

  // The end of what stands in quotes that open at `open` and are written with `escapes` backslashes before them.
  std::size_t end_of_quoted(std::size_t open, std::string_view quote, std::size_t escapes) const {
    for (auto at = text_.find(quote, open); at != npos; at = text_.find(quote, at + quote.size())) {
      const auto before = backslashes_before(at);
      if (before == escapes) return at - before;
    }
    return text_.size();
  }
  std::size_t backslashes_before(std::size_t at) const {
    std::size_t count = 0;
    while (count < at && text_[at - 1 - count] == '\\') ++count;
    return count;
  }

  // The name that ends at `end`, in quotes or not.
  std::string_view name_before(std::size_t end) const {
    while (end > 0 && is_blank(text_[end - 1])) --end;
    if (end > 0 && (text_[end - 1] == '"' || text_[end - 1] == '\'')) --end;
    auto begin = end;
    while (begin > 0 && end - begin < longest_name && is_name_char(text_[begin - 1])) --begin;
    return text_.substr(begin, end - begin);
  }

  std::size_t mask_value(std::size_t begin, std::size_t end_of_plain) {
    if (begin < text_.size() && (text_[begin] == '"' || text_[begin] == '\'')) {
      const auto end = end_of_quoted(begin + 1, text_.substr(begin, 1), 0);
      mask(begin + 1, end);
      return std::max(end, begin + 1);
    }
    mask(begin, end_of_plain);
    return std::max(end_of_plain, begin);
  }

  // "password=...", in queries, fragments, forms, connection strings, variables; "%3D" as well.
  void pairs() {
    for (auto at = text_.find_first_of("=%"); at != npos; at = text_.find_first_of("=%", at)) {
      const bool plain = text_[at] == '=';
      const bool encoded =
          !plain && text_.substr(at, 2) == "%3" && at + 2 < text_.size() && lower(text_[at + 2]) == 'd';
      const auto begin = at + (encoded ? 3 : 1);
      const bool compares = plain && ((begin < text_.size() && text_[begin] == '=') ||
                                      (at > 0 && std::string_view("=!<>").find(text_[at - 1]) != npos));
      if ((plain || encoded) && !compares && names_secret(name_before(at))) {
        const auto value = plain ? past_blanks(begin) : begin;
        at = mask_value(value, end_of_value(value));
      } else {
        at = begin;
      }
    }
  }

  // "password: ..." to the end of the line, "x-amz-security-token:..." to the end of the word. A lone "token:" or
  // "secret:" before a short word is more often the beginning of a sentence.
  void lines() {
    for (auto at = text_.find(':'); at != npos; at = text_.find(':', at)) {
      const auto name = name_before(at);
      ++at;
      if (name.empty() || !names_secret(name) || (at < text_.size() && text_[at] == '/')) continue;
      const auto word = plain_word(name);
      const bool whole_line = word.find("pass") != npos || word.find("pwd") != npos || word.ends_with("key") ||
                              word.ends_with("authorization") || word.ends_with("cookie");
      const auto value = past_blanks(at);
      const auto end = first_of(" \t\r\n\"'<>&\\;,", value);
      const bool compound = name.find_first_of("-_") != npos;
      if (!whole_line && !compound && !looks_drawn(text_.substr(value, end - value))) continue;
      at = mask_value(value, whole_line ? first_of("\r\n\"'<>&", value) : end);
    }
  }
  // Long, with a digit in it: no word of a sentence.
  static bool looks_drawn(std::string_view word) {
    return word.size() >= 16 && word.find_first_of("0123456789") != npos;
  }

  // "Bearer ..." and "Basic ...", where what follows is no word of a sentence.
  void schemes() {
    for (const std::string_view scheme : {"bearer ", "basic "}) {
      const auto same = [](char a, char b) { return lower(a) == b; };
      for (auto from = text_.begin();;) {
        const auto found = std::search(from, text_.end(), scheme.begin(), scheme.end(), same);
        if (found == text_.end()) break;
        const auto begin = static_cast<std::size_t>(found - text_.begin()) + scheme.size();
        auto end = begin;
        bool digit = false;
        while (end < text_.size() && (is_token_char(text_[end]) || std::string_view("~+/=").find(text_[end]) != npos)) {
          digit = digit || (text_[end] >= '0' && text_[end] <= '9');
          ++end;
        }
        if (digit || end - begin >= 16) mask(begin, end);
        from = text_.begin() + static_cast<std::ptrdiff_t>(end);
      }
    }
  }

  // "password": "...", in text that only quotes a piece of JSON, perhaps with backslashes before the quotes.
  void quoted(std::string_view quote) {
    for (auto at = text_.find(quote); at != npos; at = text_.find(quote, at)) {
      const auto escapes = backslashes_before(at);
      const auto name = at + quote.size();
      auto end = name;
      while (end < text_.size() && end - name < longest_name && is_name_char(text_[end])) ++end;
      const auto after = past_quote(end, quote, escapes);
      at = name;
      if (after == npos || !names_secret(text_.substr(name, end - name))) continue;
      const auto colon = past_blanks(after);
      if (colon >= text_.size() || text_[colon] != ':') continue;
      const auto value = past_blanks(colon + 1);
      if (const auto open = past_quote(value, quote, escapes); open != npos) {
        at = end_of_quoted(open, quote, escapes);
        mask(open, at);
      } else if (value < text_.size() && (text_[value] == '[' || text_[value] == '{')) {
        at = end_of_brackets(value, quote);
        mask(value + 1, at);
      }
    }
  }
  // Where the text goes on after a quote at `at`; npos when there is none.
  std::size_t past_quote(std::size_t at, std::string_view quote, std::size_t escapes) const {
    const auto rest = text_.substr(std::min(at, text_.size()));
    if (rest.find_first_not_of('\\') != escapes || !rest.substr(escapes).starts_with(quote)) return npos;
    return at + escapes + quote.size();
  }
  // The bracket that closes the one at `open`, or the end of the text.
  std::size_t end_of_brackets(std::size_t open, std::string_view quote) const {
    int depth = 0;
    bool in_quotes = false;
    for (auto at = open; at < text_.size(); ++at) {
      if (text_.substr(at).starts_with(quote)) in_quotes = !in_quotes;
      if (text_[at] == '\\') ++at;
      if (in_quotes || at >= text_.size()) continue;
      if (text_[at] == '[' || text_[at] == '{') ++depth;
      if ((text_[at] == ']' || text_[at] == '}') && --depth == 0) return at;
    }
    return text_.size();
  }

  std::string_view text_;
  std::size_t offset_;
  Spans& spans_;
};

}  // namespace

std::string Spans::masked(std::string_view text) {
  std::sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  std::string result;
  std::size_t at = 0;
  for (std::size_t i = 0; i < spans_.size();) {
    const auto begin = spans_[i].begin;
    auto end = spans_[i].end;
    for (++i; i < spans_.size() && spans_[i].begin <= end; ++i) end = std::max(end, spans_[i].end);
    result += text.substr(at, begin - at);
    result += mask;
    at = end;
  }
  result += text.substr(at);
  return result;
}

void find_secrets(std::string_view text, std::size_t offset, Spans& spans) {
  Finder(text, offset, spans).all();
}

std::string masked_text(std::string_view text) {
  Spans spans;
  find_secrets(text, 0, spans);
  return spans.masked(text);
}

}  // namespace litedesk::http
