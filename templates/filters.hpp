// ${path|filter}: what can be done to a value on its way into text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "providers/json.hpp"

namespace litedesk::templates {

// The names, for messages: "base64", "env", "json", "url".
[[nodiscard]] std::vector<std::string_view> filter_names();
[[nodiscard]] bool is_filter(std::string_view name);
// What is made of text with a seal (providers/system/sealed.hpp) in it is sealed as well.
// `json` takes any value, the others take text. Throws std::invalid_argument for a value that the filter cannot take.
[[nodiscard]] std::string apply_filter(std::string_view name, const Json& value);

// A string as it is, a number or a boolean as JSON has it. Throws std::invalid_argument: "a list is no text".
[[nodiscard]] std::string scalar_text(const Json& value);

}  // namespace litedesk::templates
