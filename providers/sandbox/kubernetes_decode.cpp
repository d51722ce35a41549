// Decoding and checking objects against their schema.
#include <cstdint>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_pattern.hpp"
#include "providers/sandbox/kubernetes_quantity.hpp"
#include "providers/sandbox/kubernetes_schema.hpp"

namespace litedesk::sandbox::kube {

namespace {

using Type = Schema::Type;

// A larger number is a floating one to the API server.
bool is_integer(const Json& value) {
  return value.is_number_integer() &&
         (!value.is_number_unsigned() || value.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max());
}

bool fits(const Schema& schema, const Json& value) {
  switch (schema.type) {
    case Type::any:
      return true;
    case Type::text:
    case Type::time:
      return value.is_string();
    case Type::integer:
      return is_integer(value);
    case Type::number:
      return value.is_number();
    case Type::boolean:
      return value.is_boolean();
    case Type::quantity:
      return (value.is_string() || value.is_number()) && parse_quantity(plain(value)).has_value();
    case Type::int_or_text:
      return value.is_string() || is_integer(value);
    case Type::object:
    case Type::map:
      return value.is_object();
    case Type::list:
      return value.is_array();
  }
  return false;
}

std::string json_type(const Json& value) {
  if (value.is_boolean()) return "bool";
  if (value.is_number()) return "number";
  return value.type_name();
}

std::string go_type(const Schema& schema) {
  switch (schema.type) {
    case Type::text:
      return "string";
    case Type::integer:
      return "int32";
    case Type::number:
      return "float64";
    case Type::boolean:
      return "bool";
    case Type::map:
      return fmt::format("map[string]{}", go_type(*schema.element));
    case Type::list:
      return fmt::format("[]{}", go_type(*schema.element));
    default:
      return schema.name.empty() ? "value" : schema.name;
  }
}

class Decoder {
 public:
  Decoded result;

  // `owner`: the struct that has the field, `path` with and `names` without list indices, as Go writes them.
  void visit(const Schema& schema, Json& value, const std::string& owner, const std::string& path,
             const std::string& names) {
    if (!fits(schema, value)) return mismatch(schema, value, owner, names);
    switch (schema.type) {
      case Type::object:
        return visit_object(schema, value, path, names);
      case Type::map:
        for (auto item = value.begin(); item != value.end();) {
          // A null in a map of text is the empty text to Go; elsewhere it is nothing.
          if (item->is_null()) {
            item = value.erase(item);
            continue;
          }
          visit(*schema.element, *item, owner, fmt::format("{}.{}", path, item.key()), names);
          if (schema.element->type == Type::quantity) *item = to_quantity(*item).in_thousandths().canonical();
          ++item;
        }
        return;
      case Type::list: {
        std::size_t index = 0;
        for (auto& item : value) visit(*schema.element, item, owner, fmt::format("{}[{}]", path, index++), names);
        return;
      }
      case Type::quantity:
        value = to_quantity(value).canonical();
        return;
      default:
        return;
    }
  }

 private:
  void visit_object(const Schema& schema, Json& value, const std::string& path, const std::string& names) {
    for (auto item = value.begin(); item != value.end();) {
      const auto* field = schema.field(item.key());
      const auto here = path.empty() ? item.key() : fmt::format("{}.{}", path, item.key());
      if (path.empty() && (item.key() == "apiVersion" || item.key() == "kind")) {
        ++item;
      } else if (field == nullptr && !embedded(schema, item.key())) {
        if (schema.open) {
          ++item;
          continue;
        }
        result.unknown.push_back(here);
        item = value.erase(item);
      } else if (item->is_null()) {
        item = value.erase(item);
      } else {
        if (field != nullptr)
          visit(*field, *item, schema.name, here, names.empty() ? item.key() : fmt::format("{}.{}", names, item.key()));
        if (field != nullptr && said_by_absence(schema, item.key(), *item))
          item = value.erase(item);
        else
          ++item;
      }
    }
  }

  // The built-in kinds are Go structs that leave empty maps and lists out; what a CRD declares is kept as it was sent.
  static bool said_by_absence(const Schema& schema, const std::string& key, const Json& value) {
    if (!value.is_structured() || !value.empty() || schema.name.empty()) return false;
    const auto found = schema.fields.find(key);
    if (found == schema.fields.end() || found->second.required) return false;
    const auto& field = *found->second.schema;
    return field.rules.is_null() && (field.type == Type::map || field.type == Type::list);
  }

  // Objects inside of objects (volumeClaimTemplates) carry their own apiVersion and kind.
  static bool embedded(const Schema& schema, const std::string& key) {
    return (key == "apiVersion" || key == "kind") && schema.fields.contains("metadata");
  }

  void mismatch(const Schema& schema, const Json& value, const std::string& owner, const std::string& names) {
    if (schema.type == Type::quantity && (value.is_string() || value.is_number())) {
      std::string_view why;
      if (!parse_quantity(plain(value), &why)) result.mismatched.emplace_back(why);
      return;
    }
    result.mismatched.push_back(fmt::format("json: cannot unmarshal {} into Go struct field {}.{} of type {}",
                                            json_type(value), owner, names, go_type(schema)));
  }
};

void apply_errors_at(const Schema& schema, const Json& value, const std::string& path, std::vector<std::string>& out) {
  if (value.is_null()) return;
  if (!fits(schema, value)) {
    const char* expected = schema.type == Type::list                                 ? "list"
                           : schema.type == Type::object || schema.type == Type::map ? "map"
                           : schema.type == Type::text || schema.type == Type::time  ? "string"
                           : schema.type == Type::boolean                            ? "boolean"
                           : schema.type == Type::integer                            ? "numeric (int or float)"
                                                                                     : "scalar";
    if (value.is_string() && std::string_view(expected).starts_with("numeric"))
      out.push_back(fmt::format("{}: expected {}, got string", path, expected));
    else
      out.push_back(
          fmt::format("{}: expected {}, got &value.valueUnstructured{{Value:{}}}", path, expected, plain(value)));
    return;
  }
  if (schema.type == Type::object) {
    for (const auto& [key, item] : value.items()) {
      if ((key == "apiVersion" || key == "kind") && (path.empty() || schema.fields.contains("metadata"))) continue;
      const auto here = fmt::format("{}.{}", path, key);
      if (const auto* field = schema.field(key))
        apply_errors_at(*field, item, here, out);
      else if (!schema.open)
        out.push_back(here + ": field not declared in schema");
    }
  } else if (schema.type == Type::map) {
    for (const auto& [key, item] : value.items())
      apply_errors_at(*schema.element, item, fmt::format("{}.{}", path, key), out);
  } else if (schema.type == Type::list) {
    std::vector<Json> seen;
    std::size_t index = 0;
    for (const auto& item : value) {
      auto here = fmt::format("{}[{}]", path, index++);
      if (schema.list != Schema::List::atomic) {
        const auto key = schema.list == Schema::List::keyed && item.is_object() ? key_of(schema, item) : item;
        std::string name;
        if (key.is_object())
          for (const auto& [part, part_value] : key.items())
            name += fmt::format("{}{}={}", name.empty() ? "" : ",", part, part_value.dump());
        else
          name = "=" + key.dump();
        if (std::find(seen.begin(), seen.end(), key) != seen.end())
          out.push_back(fmt::format("{}: duplicate entries for key [{}]", path, name));
        if (key.is_object() && key.size() < schema.keys.size()) {
          for (const auto& wanted : schema.keys)
            if (!key.contains(wanted))
              out.push_back(fmt::format(
                  "{}: element {}: associative list with keys has an element that omits key field \"{}\" (and doesn't "
                  "have default value)",
                  path, index - 1, wanted));
        }
        seen.push_back(key);
        here = fmt::format("{}[{}]", path, name);
      }
      apply_errors_at(*schema.element, item, here, out);
    }
  }
}

void check_at(const Schema& schema, const Json& value, const std::string& path, std::vector<Cause>& causes) {
  if (!schema.values.empty() && value.is_string()) {
    const auto given = value.get<std::string>();
    if (std::find(schema.values.begin(), schema.values.end(), given) == schema.values.end())
      causes.push_back(value_not_supported(path, value, schema.values));
  }
  if (schema.type == Type::object && value.is_object()) {
    for (const auto& [name, field] : schema.fields) {
      if (name == "status" || (path.empty() && name == "metadata")) continue;
      const auto here = path.empty() ? name : fmt::format("{}.{}", path, name);
      const auto found = value.find(name);
      if (found != value.end())
        check_at(*field.schema, *found, here, causes);
      else if (field.required)
        causes.push_back(value_required(here));
    }
  } else if (schema.type == Type::map && value.is_object()) {
    for (const auto& [name, item] : value.items())
      check_at(*schema.element, item, fmt::format("{}[{}]", path, name), causes);
  } else if (schema.type == Type::list && value.is_array()) {
    std::size_t index = 0;
    for (const auto& item : value) check_at(*schema.element, item, fmt::format("{}[{}]", path, index++), causes);
  }
}

std::size_t characters(const std::string& utf8) {
  std::size_t count = 0;
  for (const char c : utf8)
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++count;
  return count;
}

void check_text(const Json& rules, const Json& value, const std::string& path, std::vector<Cause>& causes) {
  const auto given = value.get<std::string>();
  if (const auto& most = at(rules, "maxLength");
      most.is_number_integer() && characters(given) > most.get<std::size_t>())
    return causes.push_back(
        {"FieldValueTooLong", fmt::format("Too long: may not be more than {} bytes", most.dump()), path});
  if (const auto& least = at(rules, "minLength");
      least.is_number_integer() && characters(given) < least.get<std::size_t>())
    return causes.push_back(
        value_invalid(path, value, fmt::format("{} in body should be at least {} chars long", path, least.dump())));
  const auto pattern = text(rules, "pattern");
  if (pattern.empty()) return;
  if (!contains_match(given, pattern).value_or(false))
    causes.push_back(value_invalid(path, value, fmt::format("{} in body should match '{}'", path, pattern)));
}

void check_bounds(const Json& rules, const Json& value, const std::string& path, std::vector<Cause>& causes) {
  const auto bound = [&](const char* name, bool upper) {
    const auto& limit = at(rules, name);
    if (!limit.is_number()) return;
    if (upper ? value <= limit : value >= limit) return;
    causes.push_back(value_invalid(
        path, value,
        fmt::format("{} in body should be {} than or equal to {}", path, upper ? "less" : "greater", limit.dump())));
  };
  bound("maximum", true);
  bound("minimum", false);
}

void check_custom_at(const Schema& schema, const Json& value, const std::string& path, std::vector<Cause>& causes) {
  const auto& rules = schema.rules;
  if (!fits(schema, value)) {
    const auto given = is_integer(value) ? "integer" : value.is_array() ? "array" : json_type(value);
    const auto wanted = text(rules, "type");
    causes.push_back(
        {"FieldValueTypeInvalid",
         fmt::format("Invalid value: \"{0}\": {1} in body must be of type {2}: \"{0}\"", given, path, wanted), path});
    return;
  }
  if (const auto& values = at(rules, "enum");
      values.is_array() && std::find(values.begin(), values.end(), value) == values.end()) {
    std::vector<std::string> supported;
    for (const auto& item : values) supported.push_back(plain(item));
    causes.push_back(value_not_supported(path, value, supported));
  }
  if (value.is_string()) check_text(rules, value, path, causes);
  if (value.is_number()) check_bounds(rules, value, path, causes);
  const auto below = [&](const std::string& name) { return path.empty() ? name : fmt::format("{}.{}", path, name); };
  if (schema.type == Type::object) {
    for (const auto& [name, field] : schema.fields) {
      const auto found = value.find(name);
      if (found == value.end()) {
        if (field.required) causes.push_back(value_required(below(name)));
      } else if (!(path.empty() && name == "metadata")) {
        check_custom_at(*field.schema, *found, below(name), causes);
      }
    }
  } else if (schema.type == Type::map) {
    for (const auto& [name, item] : value.items()) check_custom_at(*schema.element, item, below(name), causes);
  } else if (schema.type == Type::list) {
    if (const auto& most = at(rules, "maxItems"); most.is_number_integer() && value.size() > most.get<std::size_t>())
      causes.push_back({"FieldValueTooMany",
                        fmt::format("Too many: {}: must have at most {} items", value.size(), most.dump()), path});
    std::size_t index = 0;
    for (const auto& item : value) check_custom_at(*schema.element, item, fmt::format("{}[{}]", path, index++), causes);
  }
}

}  // namespace

Decoded decode(const Schema& schema, Json& object) {
  Decoder decoder;
  decoder.visit(schema, object, schema.name, "", "");
  return std::move(decoder.result);
}

std::vector<std::string> apply_errors(const Schema& schema, const Json& object) {
  std::vector<std::string> errors;
  apply_errors_at(schema, object, "", errors);
  return errors;
}

std::vector<Cause> check(const Schema& schema, const Json& object) {
  std::vector<Cause> causes;
  check_at(schema, object, "", causes);
  return causes;
}

std::vector<Cause> check_custom(const Schema& schema, const Json& object) {
  std::vector<Cause> causes;
  check_custom_at(schema, object, "", causes);
  return causes;
}

void fill_custom_defaults(const Schema& schema, Json& object) {
  if (schema.type == Type::object && object.is_object()) {
    for (const auto& [name, field] : schema.fields) {
      if (!object.contains(name) && field.schema->rules.contains("default"))
        object[name] = field.schema->rules["default"];
      if (const auto found = object.find(name); found != object.end()) fill_custom_defaults(*field.schema, *found);
    }
  } else if (schema.type == Type::map && object.is_object()) {
    for (auto& item : object) fill_custom_defaults(*schema.element, item);
  } else if (schema.type == Type::list && object.is_array()) {
    for (auto& item : object) fill_custom_defaults(*schema.element, item);
  }
}

}  // namespace litedesk::sandbox::kube
