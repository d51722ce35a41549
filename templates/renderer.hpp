// YAML-first templates: a document is parsed first, then ${...} is replaced inside its scalars, so that a value can
// never change the document's shape. See docs/templates.md for the language.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"
#include "templates/files.hpp"

namespace litedesk::templates {

// A YAML document as JSON. Types follow YAML 1.2's core schema (true, 12, 1.5, null); a quoted scalar is a string; an
// unquoted word that YAML 1.1 would read as something else (yes, no, on, off, 0777, 1:30) is an error that says to
// quote it. Duplicate keys are errors. Throws ValidationError with "file:line:column: what".
[[nodiscard]] Json parse_yaml(std::string_view text, std::string_view origin);
[[nodiscard]] std::vector<Json> parse_yaml_documents(std::string_view text, std::string_view origin);

// JSON as YAML text that every YAML 1.1 and 1.2 reader takes for the same values: strings that would read as something
// else are quoted. Ends with a newline.
[[nodiscard]] std::string to_yaml(const Json& value);

// Renders every document of the file with the variables of `context` (an object; ${tenant.slug} is
// context["tenant"]["slug"]).
//   ${path}        alone in an unquoted scalar: the value with its type; in quotes or within text: its text (scalars
//   only)
//   ${path|json}   the value as JSON text; |base64, |url (percent-encoded), |env (for a container's env: $ doubled)
//   $${            a literal ${
//   $if: path      (or "not path", "a == 'b'", "a != 'b'") in a map with $then / $else, or beside other keys: they are
//   kept or dropped $for: name in path   with $yield: one element each, spliced where it stands in a list; of a map:
//   name.key, name.value $merge: [a, b]       maps merged left to right, deeply; lists are replaced
//   $$key          the key $key
// A document that renders to nothing ($if) is left out. Throws ValidationError with file, line and column: unknown
// variable or $key (also in parts that are left out), a map, list or null where text is wanted.
[[nodiscard]] std::vector<Json> render(const File& file, const Json& context);

struct Rendered {
  Json value;
  int line = 1;  // of the document in the file
};
[[nodiscard]] std::vector<Rendered> render_documents(const ParsedFile& file, const Json& context);

}  // namespace litedesk::templates
