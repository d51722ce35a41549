// YAML-first templates: a document is parsed first, then ${...} is replaced inside its scalars, so that a value can never
// change the document's shape. See docs/templates.md for the language.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"
#include "templates/files.hpp"

namespace litedesk::templates {

// A YAML document as JSON. Types follow YAML 1.2's core schema (true, 12, 1.5, null); a quoted scalar is a string; an
// unquoted word that YAML 1.1 would read as something else (yes, no, on, off, 0777, 1:30) is an error that says to quote it.
// Duplicate keys are errors. Throws ValidationError with "file:line:column: what".
[[nodiscard]] Json parse_yaml(std::string_view text, std::string_view origin);
[[nodiscard]] std::vector<Json> parse_yaml_documents(std::string_view text, std::string_view origin);

// JSON as YAML text that every YAML 1.1 and 1.2 reader takes for the same values: strings that would read as something
// else are quoted. Ends with a newline.
[[nodiscard]] std::string to_yaml(const Json& value);

// Renders every document of the file with the variables of `context` (an object; ${tenant.slug} is context["tenant"]["slug"]).
//   ${path}        alone in a scalar: the value with its type; within text: its text (scalars only)
//   ${path|json}   the value as JSON text;   $${ is a literal ${
//   $if: path      (or "not path", "a == 'b'", "a != 'b'") in a map with $then / $else, or beside other keys: they are kept or dropped
//   $for: name in path   with $yield: one element (or, in a list, spliced elements) each
//   $merge: [a, b]       maps merged left to right, deeply
// A document that renders to nothing ($if) is left out. Throws ValidationError with file and line: unknown variable,
// unknown $key, a map or list inside text, a null where text is wanted.
[[nodiscard]] std::vector<Json> render(const File& file, const Json& context);

}  // namespace litedesk::templates
