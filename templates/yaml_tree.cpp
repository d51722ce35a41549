#include "templates/yaml_tree.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "templates/yaml_scalar.hpp"

namespace litedesk::templates {
namespace {

// YAML takes it for the end of a line, and editors show none.
void check_line_ends(std::string_view text, std::string_view origin) {
  Position at;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) {
      at.column = static_cast<int>(i - line_start) + 1;
      fail_at(origin, at, "there is a carriage return here without a line feed: end lines with LF or CR LF");
    }
    if (text[i] != '\n') continue;
    ++at.line;
    line_start = i + 1;
  }
}

// Whether what is written can be read in one way only. Stops at the first part, in the order of the text, that cannot.
class Check {
 public:
  explicit Check(std::string_view origin) : origin_(origin) {}

  void node(const Node& node) const {
    if (node.kind == Node::Kind::scalar) {
      if (!node.tag.empty())
        fail_at(origin_, node.at,
                "the tag " + node.tag + " is not supported here: leave it out, or quote the value for a string");
      if (node.plain && !resolve_plain(node.text)) fail_at(origin_, node.at, why_ambiguous(node.text));
      return;
    }
    if (!node.tag.empty()) fail_at(origin_, node.at, "the tag " + node.tag + " is not supported here: leave it out");
    for (const auto& item : node.items) this->node(item);
    const auto* repeated = node.repeated();
    for (const auto& entry : node.entries) {
      if (entry.plain) plain_key(entry);
      if (&entry == repeated) fail_at(origin_, entry.at, "the key " + entry.key + " is defined twice");
      if (node.flow && entry.value.kind == Node::Kind::null && !entry.value.plain)
        fail_at(origin_, entry.at,
                "the key " + entry.key + " has no value: quote text that has a comma in it, or write null");
      this->node(entry.value);
    }
  }

 private:
  void plain_key(const Entry& entry) const {
    const auto value = resolve_plain(entry.key);
    if (!value) fail_at(origin_, entry.at, why_ambiguous(entry.key));
    if (!value->is_string()) fail_at(origin_, entry.at, "the key " + entry.key + " is not text: quote it");
  }

  std::string_view origin_;
};

}  // namespace

std::vector<Node> parse_tree(std::string_view text, std::string_view origin) {
  check_line_ends(text, origin);
  auto documents = yaml::parse(text, origin);
  documents.erase(std::remove_if(documents.begin(), documents.end(),
                                 [](const Node& document) { return document.kind == Node::Kind::null; }),
                  documents.end());
  for (const auto& document : documents) Check(origin).node(document);
  return documents;
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
