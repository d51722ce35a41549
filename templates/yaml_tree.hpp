// A YAML document as a tree that remembers where each part stands, so that whoever reads it can say so.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "providers/json.hpp"

namespace litedesk::templates {

struct Position {
  int line = 1, column = 1;
};

struct Entry;

struct Node {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  Position at;
  bool plain = false;          // a scalar without quotes: its text decides its type
  std::string text;            // of a scalar
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a map, as written

  // The value of a key of a map; nullptr when there is none.
  [[nodiscard]] const Node* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Position at;
  Node value;
};

// Throws ValidationError "origin:line:column: what".
[[noreturn]] void fail_at(std::string_view origin, Position at, std::string_view what);

// The documents of a text; empty ones are left out. Throws ValidationError: malformed YAML, text that is not UTF-8, a
// key twice in a map, a key that is no string, an unquoted word that YAML versions read differently, a tag other than
// !!str.
[[nodiscard]] std::vector<Node> parse_tree(std::string_view text, std::string_view origin);
// The one document; a null node when the text is empty. Throws when there are several.
[[nodiscard]] Node parse_single_tree(std::string_view text, std::string_view origin);

[[nodiscard]] Json to_json(const Node& node);

// A file of Files, once parsed.
struct ParsedFile {
  std::string origin;
  std::vector<Node> documents;
};

}  // namespace litedesk::templates
