#include "providers/yaml/tree.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "providers/error.hpp"
#include "providers/read_json.hpp"
#include "providers/utf8.hpp"

namespace litedesk::yaml {
namespace {

// What copies of anchors and aliases may add to a text: more than any file needs, and far less than a "billion laughs".
constexpr std::size_t most_copied_nodes = 200'000;
constexpr std::size_t most_copied_bytes = 16 * 1024 * 1024;

// How large a node is, with all that is in it.
struct Size {
  std::size_t nodes = 0, bytes = 0, depth = 0;

  void contain(const Size& inner) {
    nodes += inner.nodes;
    bytes += inner.bytes;
    depth = std::max(depth, inner.depth + 1);
  }
};

// The text without the anchor and the tag that stand before a value.
std::string_view without_properties(std::string_view text) {
  while (text.starts_with('&') || text.starts_with('!')) {
    text.remove_prefix(std::min(text.find_first_of(" \n"), text.size()));
    text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
  }
  return text;
}

// yaml-cpp up to 0.8 writes "\N" and "\_" as single bytes, where it writes every other character as UTF-8. The text
// that it read is UTF-8, so a byte that begins no character can be nothing else.
std::string with_whole_characters(const std::string& value) {
  if (is_utf8(value)) return value;
  std::string whole;
  for (std::size_t i = 0; i < value.size();) {
    const auto size = decode_utf8(std::string_view(value).substr(i)).size;
    if (size == 0) whole += '\xC2';
    whole.append(value, i, std::max<std::size_t>(size, 1));
    i += std::max<std::size_t>(size, 1);
  }
  return whole;
}

// Builds the trees from the parser's events. yaml-cpp's own tree is not used: it lets a key stand twice, follows
// aliases without end, and forgets what was quoted.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, std::string_view origin) : text_(text), origin_(origin) {}

  std::vector<Node> take() { return std::move(documents_); }

  // yaml-cpp takes a quote that is never closed for one that is closed at the end: the last scalar of half a file.
  void check_last_quote() const {
    const auto rest = without_properties(text_.substr(std::min(last_quoted_, text_.size())));
    if (!rest.starts_with('"') && !rest.starts_with('\'')) return;
    const char quote = rest.front();
    for (std::size_t i = 1; i < rest.size(); ++i) {
      if (quote == '"' && rest[i] == '\\') {
        ++i;
      } else if (rest[i] == quote) {
        if (quote == '"' || i + 1 >= rest.size() || rest[i + 1] != quote) return;
        ++i;
      }
    }
    fail_at(origin_, last_quoted_at_, "the quote that begins here is never closed");
  }

  // What does not belong to the document before it begins another one to yaml-cpp, again and again where nothing of it
  // is taken: "," alone.
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (begun_ && (mark.pos == *begun_ || !begins_document(static_cast<std::size_t>(mark.pos)))) fail_stray(mark);
    begun_ = mark.pos;
    anchors_.clear();
  }
  void OnDocumentEnd() override {}

  [[noreturn]] void fail_stray(const YAML::Mark& mark) const {
    fail_at(origin_, position(mark), "this text does not belong to what comes before it");
  }

  Position position(const YAML::Mark& mark) const {
    if (mark.is_null()) return {};
    // yaml-cpp counts a column in bytes; people count characters.
    const auto end = std::min(static_cast<std::size_t>(mark.pos), text_.size());
    const auto bytes = std::min(static_cast<std::size_t>(mark.column), end);
    return {mark.line + 1, static_cast<int>(count_characters(text_.substr(end - bytes, bytes))) + 1};
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.at = position(mark);
    node.plain = is_written_null(mark);
    const bool in_brackets = !open_.empty() && open_.back().node.kind == Node::Kind::list && open_.back().node.flow;
    if (in_brackets && !node.plain && anchor == 0)
      fail_at(origin_, node.at, "a value is missing here: quote text that has a comma in it, or write null");
    add(std::move(node), anchor, {1, 0, 0});
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node;
    node.kind = Node::Kind::scalar;
    node.at = position(mark);
    node.plain = tag == "?";
    node.tag = own_tag(tag);
    node.text = node.plain ? value : with_whole_characters(value);
    if (!node.plain) {
      last_quoted_ = static_cast<std::size_t>(mark.pos);
      last_quoted_at_ = node.at;
    }
    const Size size{1, node.text.size(), 0};
    add(std::move(node), anchor, size, mark.pos);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail_at(origin_, position(mark), "this alias is inside the value that it names");
    const auto& [node, size] = found->second;
    copied(size, position(mark));
    if (open_.size() + size.depth > max_depth) fail_deep(position(mark));
    add(Node(node), 0, size);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(Node::Kind::list, mark, tag, anchor, style == YAML::EmitterStyle::Flow);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(Node::Kind::map, mark, tag, anchor, style == YAML::EmitterStyle::Flow);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    Size size;
    YAML::anchor_t anchor = 0;
    int key_pos = -1;          // a key without ": value" gets a null that stands where the key does
    std::optional<Entry> key;  // waits for its value
  };

  // "---" of its own, or what comes after "...", comments and blank lines aside.
  bool begins_document(std::size_t at) const {
    const auto rest = text_.substr(at);
    if (rest.starts_with("---") && (rest.size() == 3 || rest.find_first_of(" \t\n") == 3)) return true;
    auto before = text_.substr(0, at);
    while (!before.empty()) {
      const auto line_end = before.find_last_not_of(" \t\n");
      if (line_end == std::string_view::npos) return false;
      before = before.substr(0, line_end + 1);
      const auto line = before.substr(before.rfind('\n') + 1);
      if (line.starts_with("...") && (line.size() == 3 || line.find_first_of(" \t#") == 3)) return true;
      const auto first = line.find_first_not_of(" \t");
      if (line[first] != '#' && line[0] != '%') return false;
      before.remove_suffix(line.size());
    }
    return false;
  }

  // Else it stands for a value that was left out.
  bool is_written_null(const YAML::Mark& mark) const {
    if (mark.is_null() || (!open_.empty() && open_.back().key && open_.back().key_pos == mark.pos)) return false;
    const auto rest = without_properties(text_.substr(std::min(static_cast<std::size_t>(mark.pos), text_.size())));
    return rest.starts_with('~') || rest.starts_with("null") || rest.starts_with("Null") || rest.starts_with("NULL");
  }

  static std::string own_tag(const std::string& tag) {
    return tag == "?" || tag == "!" || tag == "tag:yaml.org,2002:str" ? std::string() : tag;
  }

  [[noreturn]] void fail_deep(Position at) const {
    fail_at(origin_, at, "lists and maps are nested more than " + std::to_string(max_depth) + " deep in each other");
  }

  void copied(const Size& size, Position at) {
    copied_.nodes += size.nodes;
    copied_.bytes += size.bytes;
    if (copied_.nodes > most_copied_nodes || copied_.bytes > most_copied_bytes)
      fail_at(origin_, at, "the text is too large once its aliases are expanded");
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, bool flow) {
    Open opened;
    opened.node.kind = kind;
    opened.node.at = position(mark);
    opened.node.flow = flow;
    opened.node.tag = own_tag(tag);
    opened.size.nodes = 1;
    opened.anchor = anchor;
    if (open_.size() == max_depth) fail_deep(opened.node.at);
    open_.push_back(std::move(opened));
  }

  void close() {
    auto closed = std::move(open_.back());
    open_.pop_back();
    closed.size.depth = std::max<std::size_t>(closed.size.depth, 1);
    add(std::move(closed.node), closed.anchor, closed.size);
  }

  void add(Node node, YAML::anchor_t anchor, const Size& size, int pos = -1) {
    if (anchor != 0) {
      copied(size, node.at);
      anchors_[anchor] = {node, size};
    }
    if (open_.empty()) {
      documents_.push_back(std::move(node));
      return;
    }
    auto& parent = open_.back();
    parent.size.contain(size);
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.key) {
      parent.key->value = std::move(node);
      parent.node.entries.push_back(std::move(*parent.key));
      parent.key.reset();
    } else {
      if (node.kind != Node::Kind::scalar) fail_at(origin_, node.at, "a key must be text: quote it");
      parent.key = Entry{std::move(node.text), node.at, {}, node.plain};
      parent.key_pos = pos;
    }
  }

  std::string_view text_, origin_;
  std::vector<Node> documents_;
  std::optional<int> begun_;  // where the last document began
  std::vector<Open> open_;
  std::map<YAML::anchor_t, std::pair<Node, Size>> anchors_;
  Size copied_;
  std::size_t last_quoted_ = std::string_view::npos;
  Position last_quoted_at_;
};

// Line ends as YAML's are, without a byte-order mark.
std::string normalise(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    out += text[i] == '\r' ? '\n' : text[i];
  }
  return out;
}

Position position_of(std::string_view text, std::size_t byte) {
  Position at;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < byte; ++i) {
    if (text[i] != '\n') continue;
    ++at.line;
    line_start = i + 1;
  }
  at.column = static_cast<int>(count_characters(text.substr(line_start, byte - line_start))) + 1;
  return at;
}

void check_characters(std::string_view text, std::string_view origin) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    fail_at(origin, {}, "the text is UTF-16: save it as UTF-8");
  const auto bad = find_unprintable(text);
  if (bad == std::string_view::npos) return;
  fail_at(origin, position_of(text, bad),
          decode_utf8(text.substr(bad)).size == 0 ? "this is not YAML text: the byte here is not UTF-8"
                                                  : "this is not YAML text: there is a control character here");
}

// yaml-cpp's own words where they say enough, and repeat nothing of the text: a password that begins with "*" is an
// alias to it.
std::string words_of(const YAML::Exception& error, std::string_view text) {
  if (error.msg.find("anchor") != std::string::npos)
    return "an alias names an unknown anchor; quote text that begins with *";
  if (error.msg.starts_with("invalid unicode")) return "the escape before this names no character";
  const auto at = error.mark.is_null() ? 0 : std::min(static_cast<std::size_t>(error.mark.pos), text.size());
  const auto line = text.substr(text.substr(0, at).rfind('\n') + 1);
  if (line.substr(0, line.find_first_not_of(" \t")).find('\t') != std::string_view::npos)
    return "a tab cannot indent a line: use spaces";
  return error.msg;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const auto& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

const Entry* Node::repeated() const {
  std::set<std::string_view> keys;
  for (const auto& entry : entries)
    if (!keys.insert(entry.key).second) return &entry;
  return nullptr;
}

void fail_at(std::string_view origin, Position at, std::string_view what) {
  throw ValidationError(std::string(origin) + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " +
                        std::string(what));
}

std::vector<Node> parse(std::string_view text, std::string_view origin) {
  const auto source = normalise(text);
  check_characters(source, origin);
  TreeBuilder builder(source, origin);
  std::istringstream stream(source);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    // 0.8 gives up where 0.7 goes round for ever.
    if (parser) fail_at(origin, {}, "this is not valid YAML");
  } catch (const YAML::Exception& error) {
    fail_at(origin, builder.position(error.mark), words_of(error, source));
  }
  builder.check_last_quote();
  return builder.take();
}

}  // namespace litedesk::yaml
