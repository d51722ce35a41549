// YAML files of ours: trees in which nothing can be read in two ways.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "providers/json.hpp"
#include "providers/yaml/tree.hpp"

namespace litedesk::templates {

using yaml::Entry;
using yaml::fail_at;
using yaml::Node;
using yaml::Position;

// The documents of a text; empty ones are left out. Throws ValidationError: what yaml::parse refuses, a key twice in a
// map, a key that is no string, an unquoted word that YAML versions read differently, a tag other than !!str, a key in
// braces without a value, a carriage return that ends no line.
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
