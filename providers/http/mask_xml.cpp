// Secrets in XML and HTML.
#include <algorithm>
#include <array>

#include "providers/http/mask_parts.hpp"

namespace litedesk::http {

namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view blanks = " \t\r\n";

bool is_name_start(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

// <Key>password</Key><Value>...</Value>, and the same as attributes.
bool is_name_word(std::string_view name) {
  const auto word = plain_word(name);
  return word == "key" || word == "name" || word == "field" || word == "header";
}
bool is_value_word(std::string_view name) {
  const auto word = plain_word(name);
  return word == "value" || word == "values" || word == "content";
}

// HTML's elements that have no end.
bool is_void(std::string_view word) {
  constexpr std::array<std::string_view, 13> names = {"area",  "base", "br",   "col",    "embed", "hr", "img",
                                                      "input", "link", "meta", "source", "track", "wbr"};
  return std::find(names.begin(), names.end(), word) != names.end();
}

// One pass over the text that needs no well-formed tree: an answer may be cut, and HTML seldom is one.
class Scanner {
 public:
  // `in_cdata`: what is read stands in a CDATA section, which holds no other.
  Scanner(std::string_view xml, std::size_t offset, bool in_cdata, Spans& spans)
      : xml_(xml), offset_(offset), in_cdata_(in_cdata), spans_(spans) {}

  void scan() {
    while (at_ < xml_.size()) {
      const auto rest = xml_.substr(at_);
      if (rest.starts_with("<!--")) {
        hide(at_ + 4, "-->");
      } else if (!in_cdata_ && rest.starts_with("<![CDATA[")) {
        cdata();
      } else if (rest.starts_with("<?xml ")) {
        at_ = past(">", at_);
      } else if (rest.starts_with("<?")) {
        hide(at_ + 2, "?>");
      } else if (rest.starts_with("<!")) {
        document_type();
      } else if (rest.starts_with("</")) {
        close_tag();
      } else if (rest.size() > 1 && rest[0] == '<' && is_name_start(rest[1])) {
        open_tag();
      } else {
        text();
      }
    }
  }

 private:
  std::size_t past(std::string_view end, std::size_t from) const {
    const auto found = xml_.find(end, from);
    return found == npos ? xml_.size() : found + end.size();
  }
  void mask(std::size_t begin, std::size_t end) { spans_.add(offset_ + begin, offset_ + end); }
  void look_into(std::size_t begin, std::size_t end) {
    find_secrets(xml_.substr(begin, end - begin), offset_ + begin, spans_);
  }

  // All up to `end`, which is gone past.
  void hide(std::size_t begin, std::string_view end) {
    const auto found = std::min(xml_.find(end, begin), xml_.size());
    mask(begin, found);
    at_ = std::min(found + end.size(), xml_.size());
  }

  void document_type() {
    const auto end = past(">", at_);
    // <!DOCTYPE x [<!ENTITY a "...">]>
    if (xml_.substr(at_, end - at_).find('[') == npos) {
      at_ = end;
      return;
    }
    hide(at_ + 2, "]>");
  }

  void cdata() {
    const auto begin = at_ + 9;
    const auto end = std::min(xml_.find("]]>", begin), xml_.size());
    const auto inside = xml_.substr(begin, end - begin);
    if (secret_depth_ > 0 || in_secrets_) {
      mask(begin, end);
    } else if (inside.find('<') != npos) {
      Scanner(inside, offset_ + begin, true, spans_).scan();
    } else {
      take_text(begin, end);
    }
    at_ = std::min(end + 3, xml_.size());
  }

  // Up to the next "<" that begins something.
  void text() {
    const auto begin = at_;
    do {
      at_ = std::min(xml_.find('<', at_ + 1), xml_.size());
    } while (at_ + 1 < xml_.size() && !is_name_start(xml_[at_ + 1]) &&
             std::string_view("/!?").find(xml_[at_ + 1]) == npos);
    take_text(begin, at_);
  }

  void take_text(std::size_t begin, std::size_t end) {
    const auto all = xml_.substr(begin, end - begin);
    const auto first = all.find_first_not_of(blanks);
    if (first == npos) return;
    if (secret_depth_ > 0 || in_secrets_) {
      mask(begin + first, begin + all.find_last_not_of(blanks) + 1);
      return;
    }
    if (in_name_) value_is_secret_ = names_secret(all);
    look_into(begin, end);
    escaped_elements(begin, end);
  }

  // &lt;Password&gt;...&lt;/Password&gt;: a document within a text.
  void escaped_elements(std::size_t begin, std::size_t end) {
    const auto text = xml_.substr(0, end);
    for (auto open = text.find("&lt;", begin); open != npos; open = text.find("&lt;", open)) {
      const auto name = open + 4;
      const auto close = text.find("&gt;", name);
      open = name;
      if (close == npos) return;
      const auto tag = text.substr(name, close - name);
      if (tag.starts_with('/') || !names_secret(tag.substr(0, tag.find_first_of(blanks)))) continue;
      open = std::min(text.find("&lt;", close), end);
      mask(close + 4, open);
    }
  }

  void close_tag() {
    if (secret_depth_ > 0) --secret_depth_;
    in_name_ = in_secrets_ = false;
    at_ = past(">", at_);
  }

  struct Attribute {
    std::string_view name;
    std::size_t begin = 0, end = 0;  // of the value
  };

  void open_tag() {
    const auto name_end = std::min(xml_.find_first_of(" \t\r\n/><", at_ + 1), xml_.size());
    const auto name = xml_.substr(at_ + 1, name_end - at_ - 1);
    at_ = name_end;
    const auto attributes = take_attributes();
    const bool closed = at_ > 0 && xml_[at_ - 1] == '/';
    if (at_ < xml_.size() && xml_[at_] == '>') ++at_;

    const auto word = plain_word(name);
    const bool several = names_secrets(name);
    const bool secret =
        secret_depth_ > 0 || (names_secret(name) && !several) || (value_is_secret_ && is_value_word(name));
    const bool value_beside = std::any_of(attributes.begin(), attributes.end(), [&](const Attribute& each) {
      return is_name_word(each.name) && names_secret(xml_.substr(each.begin, each.end - each.begin));
    });
    for (const auto& each : attributes) {
      const bool harmless = each.name.starts_with("xmlns") || is_name_word(each.name);
      if ((secret && !harmless) || names_secret(each.name) || (value_beside && is_value_word(each.name)))
        mask(each.begin, each.end);
      else
        look_into(each.begin, each.end);
    }
    if (closed || is_void(word)) return;
    in_name_ = is_name_word(name);
    in_secrets_ = several;
    if (secret || value_beside) ++secret_depth_;
    if (word == "script" || word == "style") raw_text("</" + std::string(name));
  }

  // Scripts hold what looks like tags.
  void raw_text(const std::string& end) {
    const auto begin = at_;
    at_ = std::min(xml_.find(end, begin), xml_.size());
    take_text(begin, at_);
  }

  // Up to the tag's ">", or the "<" of another one where it is missing.
  std::vector<Attribute> take_attributes() {
    std::vector<Attribute> found;
    while (at_ < xml_.size()) {
      at_ = std::min(xml_.find_first_not_of(" \t\r\n/", at_), xml_.size());
      if (at_ == xml_.size() || xml_[at_] == '>' || xml_[at_] == '<') break;
      const auto name_end = std::max(at_ + 1, std::min(xml_.find_first_of(" \t\r\n=/><", at_), xml_.size()));
      Attribute attribute{xml_.substr(at_, name_end - at_)};
      at_ = std::min(xml_.find_first_not_of(blanks, name_end), xml_.size());
      if (at_ == xml_.size() || xml_[at_] != '=') continue;
      at_ = std::min(xml_.find_first_not_of(blanks, at_ + 1), xml_.size());
      if (at_ == xml_.size()) break;
      const char quote = xml_[at_];
      const bool quoted = quote == '"' || quote == '\'';
      attribute.begin = at_ + (quoted ? 1 : 0);
      attribute.end = quoted ? std::min(xml_.find(quote, attribute.begin), xml_.size())
                             : std::min(xml_.find_first_of(" \t\r\n>", attribute.begin), xml_.size());
      at_ = std::min(attribute.end + (quoted ? 1 : 0), xml_.size());
      found.push_back(attribute);
    }
    return found;
  }

  std::string_view xml_;
  std::size_t offset_;
  bool in_cdata_;
  Spans& spans_;
  std::size_t at_ = 0;
  // How many elements are open from the outermost secret one on. An element that is never closed (HTML's <br>) keeps it
  // above zero, and what follows is masked.
  int secret_depth_ = 0;
  bool in_name_ = false;          // in <Key> or <Name>
  bool in_secrets_ = false;       // in <Credentials>, whose elements have names of their own
  bool value_is_secret_ = false;  // the last of them named a secret
};

}  // namespace

void find_secrets_in_xml(std::string_view xml, std::size_t offset, Spans& spans) {
  Scanner(xml, offset, false, spans).scan();
}

}  // namespace litedesk::http
