// A data file against a JSON Schema (draft 7), with the place of a mistake in the file.
#pragma once

#include <string_view>

#include "providers/json.hpp"
#include "templates/yaml_tree.hpp"

namespace litedesk {

// Throws ValidationError "origin:line:column: what" for the first mistake: an unknown key with the nearest known one, a
// key that is missing, or a value that is not what the schema's `description` says.
void check_schema(const templates::Node& tree, std::string_view origin, const Json& schema);

}  // namespace litedesk
