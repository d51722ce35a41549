#include "templates/yaml_tree.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "providers/error.hpp"
#include "templates/utf8.hpp"
#include "templates/yaml_scalar.hpp"

namespace litedesk::templates {
namespace {

// Aliases are copied; this many nodes are more than any file of ours, and far fewer than a "billion laughs".
constexpr std::size_t max_nodes = 200'000;

// Builds the tree from the parser's events. yaml-cpp's own tree is not used: it resolves types by YAML 1.1, and lets a
// key stand twice.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, std::string_view origin) : text_(text), origin_(origin) {}

  std::vector<Node> take() { return std::move(documents_); }

  // yaml-cpp takes a quote that is never closed for one that is closed at the end: the last scalar of half a file.
  void check_last_quote() const {
    auto rest = text_.substr(std::min(last_quoted_, text_.size()));
    while (rest.starts_with('&') || rest.starts_with('!')) {  // an anchor or a tag before it
      rest.remove_prefix(std::min(rest.find_first_of(" \n"), rest.size()));
      rest.remove_prefix(std::min(rest.find_first_not_of(" \n"), rest.size()));
    }
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

  void OnDocumentStart(const YAML::Mark& /*mark*/) override { anchors_.clear(); }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (!open_.empty() && open_.back().key && open_.back().flow_map && !null_is_written(mark)) {
      fail_at(origin_, open_.back().key->at,
              "the key " + open_.back().key->key + " has no value: quote text that has a comma in it, or write null");
    }
    Node node;
    node.at = position(mark);
    add(std::move(node), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node;
    node.kind = Node::Kind::scalar;
    node.at = position(mark);
    node.plain = tag == "?";
    node.text = value;
    if (!node.plain) {
      last_quoted_ = static_cast<std::size_t>(mark.pos);
      last_quoted_at_ = node.at;
    }
    if (tag != "?" && tag != "!" && tag != "tag:yaml.org,2002:str")
      fail_at(origin_, node.at, "the tag " + tag + " is not known here: leave it out, or quote the value for a string");
    if (node.plain && !resolve_plain(value)) fail_at(origin_, node.at, why_ambiguous(value));
    add(std::move(node), anchor, mark.pos);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail_at(origin_, position(mark), "this alias stands inside the part that it names");
    Node copy = found->second;
    count(copy);
    add(std::move(copy), 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(Node::Kind::list, mark, tag, anchor, false);
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
    YAML::anchor_t anchor = 0;
    bool flow_map = false;
    int key_pos = -1;          // a key without ": value" gets a null that stands where the key does
    std::optional<Entry> key;  // waits for its value
    std::set<std::string> keys;
  };

  Position position(const YAML::Mark& mark) const {
    if (mark.is_null()) return {};
    // yaml-cpp counts a column in bytes; people count characters.
    const auto end = std::min(static_cast<std::size_t>(mark.pos), text_.size());
    const auto bytes = std::min(static_cast<std::size_t>(mark.column), end);
    return {mark.line + 1, static_cast<int>(count_characters(text_.substr(end - bytes, bytes))) + 1};
  }

  bool null_is_written(const YAML::Mark& mark) const {
    const auto at = static_cast<std::size_t>(mark.pos);
    const auto rest = at < text_.size() ? text_.substr(at) : std::string_view();
    const bool is_key = open_.back().key_pos == mark.pos;
    return !is_key &&
           (rest.starts_with('~') || rest.starts_with("null") || rest.starts_with("Null") || rest.starts_with("NULL"));
  }

  void count(const Node& node) {
    if (++nodes_ > max_nodes) fail_at(origin_, node.at, "the file has too many parts once its aliases are copied");
    for (const auto& item : node.items) count(item);
    for (const auto& entry : node.entries) count(entry.value);
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, bool flow_map) {
    Open opened;
    opened.node.kind = kind;
    opened.node.at = position(mark);
    opened.anchor = anchor;
    opened.flow_map = flow_map;
    if (tag != "?" && tag != "!")
      fail_at(origin_, opened.node.at, "the tag " + tag + " is not known here: leave it out");
    if (++nodes_ > max_nodes) fail_at(origin_, opened.node.at, "the file has too many parts");
    open_.push_back(std::move(opened));
  }

  void close() {
    Node node = std::move(open_.back().node);
    const auto anchor = open_.back().anchor;
    open_.pop_back();
    add(std::move(node), anchor);
  }

  void add(Node node, YAML::anchor_t anchor, int pos = -1) {
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      if (node.kind != Node::Kind::null) documents_.push_back(std::move(node));
      return;
    }
    auto& parent = open_.back();
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.key) {
      parent.key->value = std::move(node);
      parent.node.entries.push_back(std::move(*parent.key));
      parent.key.reset();
    } else {
      add_key(parent, node);
      parent.key_pos = pos;
    }
  }

  void add_key(Open& parent, const Node& node) {
    if (node.kind != Node::Kind::scalar) fail_at(origin_, node.at, "a key must be text: quote it");
    if (node.plain && !resolve_plain(node.text)->is_string())
      fail_at(origin_, node.at, "the key " + node.text + " is not text: quote it");
    if (!parent.keys.insert(node.text).second) fail_at(origin_, node.at, "the key " + node.text + " is defined twice");
    parent.key = Entry{node.text, node.at, {}};
  }

  std::string_view text_, origin_;
  std::vector<Node> documents_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t nodes_ = 0;
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

void check_characters(std::string_view text, std::string_view origin) {
  const auto bad = find_unprintable(text);
  if (bad == std::string_view::npos) return;
  Position at;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < bad; ++i) {
    if (text[i] != '\n') continue;
    ++at.line;
    line_start = i + 1;
  }
  at.column = static_cast<int>(count_characters(text.substr(line_start, bad - line_start))) + 1;
  fail_at(origin, at, "not valid YAML: it has a byte that is not UTF-8, or a control character");
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const auto& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

void fail_at(std::string_view origin, Position at, std::string_view what) {
  throw ValidationError(std::string(origin) + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " +
                        std::string(what));
}

std::vector<Node> parse_tree(std::string_view text, std::string_view origin) {
  const auto source = normalise(text);
  check_characters(source, origin);
  TreeBuilder builder(source, origin);
  std::istringstream stream(source);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    fail_at(origin, {error.mark.line + 1, error.mark.column + 1}, error.msg);
  }
  builder.check_last_quote();
  return builder.take();
}

Node parse_single_tree(std::string_view text, std::string_view origin) {
  auto documents = parse_tree(text, origin);
  if (documents.size() > 1) fail_at(origin, documents[1].at, "one document is expected, and here a second one begins");
  return documents.empty() ? Node{} : std::move(documents.front());
}

Json to_json(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return nullptr;
    case Node::Kind::scalar:
      return node.plain ? *resolve_plain(node.text) : Json(node.text);
    case Node::Kind::list: {
      Json list = Json::array();
      for (const auto& item : node.items) list.push_back(to_json(item));
      return list;
    }
    case Node::Kind::map:
      break;
  }
  Json map = Json::object();
  for (const auto& entry : node.entries) map[entry.key] = to_json(entry.value);
  return map;
}

}  // namespace litedesk::templates
