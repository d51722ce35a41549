#include <algorithm>

#include <nlohmann/json.hpp>

#include "providers/utf8.hpp"
#include "templates/renderer.hpp"
#include "templates/yaml_scalar.hpp"

namespace litedesk::templates {
namespace {

// YAML 1.2, 7.4: a key without the "? " form may be no longer than this.
constexpr std::size_t longest_simple_key = 1000;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all_printable(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto point = decode_utf8(text.substr(i));
    if (point.size == 0 || !is_printable(point.value)) return false;
    i += point.size;
  }
  return true;
}

// "250m", "512Mi": what manifests are full of.
bool is_quantity(std::string_view text) {
  const auto unit = text.find_first_not_of("0123456789");
  if (unit == 0 || unit == std::string_view::npos) return false;
  const auto suffix = text.substr(unit);
  return suffix == "m" || suffix == "k" || suffix == "Ki" || suffix == "Mi" || suffix == "Gi" || suffix == "Ti";
}

// Without quotes only what no reader takes for something else: a letter (or "/" or "_") first, and nothing inside that
// could begin a comment or end a key.
bool may_be_plain(std::string_view text) {
  if (is_quantity(text)) return true;
  if (text.empty() || may_be_no_string(text)) return false;
  const char first = text.front();
  if (!is_letter(first) && first != '/' && first != '_' && static_cast<unsigned char>(first) < 0x80) return false;
  if (text.back() == ' ' || text.back() == ':') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ':' && text[i + 1] == ' ') return false;
    const bool safe = is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80 ||
                      std::string_view(" ._-/:+=@()<>;$~^?!").find(c) != std::string_view::npos;
    if (!safe) return false;
  }
  return all_printable(text);
}

bool may_be_literal(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n') return false;
  if (text.ends_with("\n\n") || text.find('\t') != std::string_view::npos) return false;
  // A line of blanks alone is shown otherwise by different readers.
  if (text.find("\n ") != std::string_view::npos) {
    for (std::size_t at = text.find("\n "); at != std::string_view::npos; at = text.find("\n ", at + 1)) {
      const auto end = text.find_first_not_of(' ', at + 1);
      if (end == std::string_view::npos || text[end] == '\n') return false;
    }
  }
  return all_printable(text);
}

void append_hex(std::string& out, char32_t value, int digits) {
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out += "0123456789ABCDEF"[(value >> shift) & 0xFU];
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const auto point = decode_utf8(text.substr(i));
    if (point.size == 0) {
      out += "\\uFFFD";  // not UTF-8: the replacement character
      ++i;
      continue;
    }
    const auto c = point.value;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_printable(c)) {
      out += text.substr(i, point.size);
    } else if (c < 0x100) {
      out += "\\x";
      append_hex(out, c, 2);
    } else {
      out += "\\u";
      append_hex(out, c, 4);
    }
    i += point.size;
  }
  return out + '"';
}

class Emitter {
 public:
  std::string take() { return std::move(out_); }

  // What follows "key:" or stands alone. `indent` is that of the lines inside.
  void value(const Json& json, std::size_t indent) {
    switch (json.type()) {
      case Json::value_t::object:
        return object(json, indent, false);
      case Json::value_t::array:
        return list(json, indent, false);
      default:
        return scalar(json, indent);
    }
  }

  void after_key(const Json& json, std::size_t indent) {
    if (json.is_object() && !json.empty()) {
      out_ += '\n';
      object(json, indent + 2, false);
    } else if (json.is_array() && !json.empty()) {
      out_ += '\n';
      list(json, indent, false);  // as kubectl prints them: "-" below the key
    } else {
      out_ += ' ';
      value(json, indent + 2);
    }
  }

 private:
  void pad(std::size_t indent) { out_.append(indent, ' '); }

  // `begun`: the first line's indentation is there already, after "- ".
  void object(const Json& json, std::size_t indent, bool begun) {
    if (json.empty()) {
      out_ += "{}\n";
      return;
    }
    for (const auto& [key, member] : json.items()) {
      if (!begun) pad(indent);
      begun = false;
      const auto name = may_be_plain(key) ? key : in_quotes(key);
      if (name.size() > longest_simple_key) {
        out_ += "? " + name + '\n';
        pad(indent);
        out_ += ':';
      } else {
        out_ += name + ':';
      }
      after_key(member, indent);
    }
  }

  void list(const Json& json, std::size_t indent, bool begun) {
    if (json.empty()) {
      out_ += "[]\n";
      return;
    }
    for (const auto& item : json) {
      if (!begun) pad(indent);
      begun = false;
      out_ += "- ";
      if (item.is_object()) {
        object(item, indent + 2, true);
      } else if (item.is_array()) {
        list(item, indent + 2, true);
      } else {
        scalar(item, indent + 2);
      }
    }
  }

  void scalar(const Json& json, std::size_t indent) {
    if (!json.is_string()) {
      out_ += (json.is_number_float() ? number_text(json) : json.dump()) + '\n';
      return;
    }
    const auto& text = json.get_ref<const std::string&>();
    if (may_be_literal(text)) return literal(text, indent);
    out_ += (may_be_plain(text) ? text : in_quotes(text)) + '\n';
  }

  void literal(std::string_view text, std::size_t indent) {
    out_ += text.ends_with('\n') ? "|\n" : "|-\n";
    if (text.ends_with('\n')) text.remove_suffix(1);
    while (true) {
      const auto end = text.find('\n');
      const auto line = text.substr(0, end);
      if (!line.empty()) {
        pad(std::max<std::size_t>(indent, 2));
        out_ += line;
      }
      out_ += '\n';
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
    }
  }

  std::string out_;
};

}  // namespace

std::string to_yaml(const Json& value) {
  Emitter emitter;
  emitter.value(value, 0);
  return emitter.take();
}

}  // namespace litedesk::templates
