// As much of JSON Schema (draft 2020-12) as the files of docs/json use: type, enum, properties, required,
// additionalProperties, items, format date-time.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"
#include "providers/system/clock.hpp"

namespace litedesk::testing {

[[nodiscard]] inline Json load_schema(const std::string& name) {
  std::ifstream file(std::string(LITEDESK_SOURCE_DIR) + "/docs/json/" + name + ".schema.json");
  return Json::parse(file);
}

inline bool is_of_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  return type == "null" && value.is_null();
}

// Each fault with its place; empty when the value fits.
inline void find_schema_faults(const Json& schema, const Json& value, const std::string& place,
                               std::vector<std::string>& faults) {
  if (const auto type = schema.find("type"); type != schema.end()) {
    bool fits = type->is_string() && is_of_type(value, type->get<std::string>());
    if (type->is_array()) {
      for (const Json& one : *type) fits = fits || is_of_type(value, one.get<std::string>());
    }
    if (!fits) return faults.push_back(place + " is " + value.dump() + ", not " + type->dump());
  }
  if (const auto choices = schema.find("enum"); choices != schema.end()) {
    bool fits = false;
    for (const Json& choice : *choices) fits = fits || choice == value;
    if (!fits) faults.push_back(place + " is " + value.dump() + ", none of " + choices->dump());
  }
  if (schema.value("format", "") == "date-time" && value.is_string() &&
      !system::from_rfc3339(value.get<std::string>())) {
    faults.push_back(place + " is " + value.dump() + ", no time");
  }
  if (value.is_object()) {
    for (const Json& key : schema.value("required", Json::array())) {
      if (!value.contains(key.get<std::string>())) faults.push_back(place + " lacks " + key.dump());
    }
    const Json properties = schema.value("properties", Json::object());
    for (const auto& member : value.items()) {
      if (properties.contains(member.key())) {
        find_schema_faults(properties.at(member.key()), member.value(), place + "." + member.key(), faults);
      } else if (schema.contains("additionalProperties") && schema.at("additionalProperties") == false) {
        faults.push_back(place + " has " + member.key() + ", which the schema does not name");
      }
    }
  }
  if (value.is_array() && schema.contains("items")) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      find_schema_faults(schema.at("items"), value[i], place + "[" + std::to_string(i) + "]", faults);
    }
  }
}

[[nodiscard]] inline std::vector<std::string> schema_faults(const std::string& name, const Json& value) {
  std::vector<std::string> faults;
  find_schema_faults(load_schema(name), value, name, faults);
  return faults;
}

}  // namespace litedesk::testing
