// A YAML text as trees that remember where each part stands, so that whoever reads them can say so. Everything that
// reads YAML begins here (a test checks): settings, templates, kubeconfigs, what plugins print, bodies of requests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace litedesk::yaml {

struct Position {
  int line = 1, column = 1;  // the column in characters
};

struct Entry;

struct Node {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  Position at;
  bool plain = false;       // of a scalar: without quotes, so that its text decides its type; of a null: it is written
  bool flow = false;        // of a list or a map: in brackets or braces
  std::string tag;          // "!local" or "tag:yaml.org,2002:binary"; empty where there is none, or only !!str
  std::string text;         // of a scalar; UTF-8
  std::vector<Node> items;  // of a list
  std::vector<Entry> entries;  // of a map, as written; a key may be there twice

  // The value of a key of a map, the first where it is there twice; nullptr when there is none.
  [[nodiscard]] const Node* find(std::string_view key) const;
  // The first entry whose key is the key of an earlier one; nullptr when there is none.
  [[nodiscard]] const Entry* repeated() const;
};

struct Entry {
  std::string key;
  Position at;
  Node value;
  bool plain = false;  // the key is without quotes
};

// Throws ValidationError "origin:line:column: what".
[[noreturn]] void fail_at(std::string_view origin, Position at, std::string_view what);

// The documents of a text, empty ones as null nodes; aliases are copied. Throws ValidationError with the place:
// malformed YAML, text that is not UTF-8, a key that is not a scalar, nesting deeper than max_depth, aliases that
// expand to far more than the text. Never repeats a value, which may be a secret.
[[nodiscard]] std::vector<Node> parse(std::string_view text, std::string_view origin);

}  // namespace litedesk::yaml
