#include "commands/schema_check.hpp"

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "commands/nearest.hpp"

namespace litedesk {
namespace {

using templates::Node;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

// The words between the last pair of single quotes: the library names keys so.
std::string quoted(const std::string& description) {
  const auto end = description.rfind('\'');
  const auto begin = end == std::string::npos || end == 0 ? end : description.rfind('\'', end - 1);
  return begin == std::string::npos || begin == end ? "" : description.substr(begin + 1, end - begin - 1);
}

// A place in the file and what the schema says of it, found by the steps that the library reports: "[key]", "[0]".
class Place {
 public:
  Place(const Node& tree, const Json& schema) : root_(schema), node_(&tree), schema_(&schema) {}

  void go(const std::string& step) {
    if (step.size() < 2 || step.front() != '[') return;  // "<root>"
    const auto key = step.substr(1, step.size() - 2);
    if (node_->kind == Node::Kind::list) {
      const auto index = std::stoul(key);
      if (index >= node_->items.size()) return;
      node_ = &node_->items[index];
      schema_ = resolved(schema_->value("items", Json::object()), kept_);
    } else if (const auto* next = node_->find(key)) {
      node_ = next;
      name_ = key;
      const auto properties = schema_->value("properties", Json::object());
      schema_ =
          resolved(properties.contains(key) ? properties[key] : schema_->value("additionalProperties", Json()), kept_);
    }
  }

  [[nodiscard]] const Node& node() const { return *node_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string wanted() const { return schema_->is_object() ? schema_->value("description", "") : ""; }
  [[nodiscard]] std::vector<std::string> keys() const {
    std::vector<std::string> names;
    if (schema_->is_object() && schema_->contains("properties"))
      for (const auto& [key, unused] : (*schema_)["properties"].items()) names.push_back(key);
    return names;
  }

 private:
  const Json* resolved(Json part, Json& kept) const {
    constexpr std::string_view definitions = "#/definitions/";
    if (part.is_object() && part.contains("$ref"))
      part = root_["definitions"][part["$ref"].get<std::string>().substr(definitions.size())];
    kept = std::move(part);
    return &kept;
  }

  const Json& root_;
  const Node* node_;
  const Json* schema_;
  Json kept_;
  std::string name_ = "the file";
};

[[noreturn]] void refuse(const Node& tree, std::string_view origin, const Json& schema,
                         const valijson::ValidationResults::Error& error) {
  Place place(tree, schema);
  for (const auto& step : error.context) place.go(step);
  const auto key = quoted(error.description);
  if (error.description.find("additionalProperties") != std::string::npos) {
    for (const auto& entry : place.node().entries) {
      if (entry.key != key) continue;
      const auto hint = did_you_mean(nearest(key, place.keys()));
      templates::fail_at(origin, entry.at,
                         "unknown key " + key + " in " + place.name() + (hint.empty() ? "" : ": " + hint));
    }
  }
  if (error.description.find("required") != std::string::npos && place.node().find(key) == nullptr)
    templates::fail_at(origin, place.node().at, place.name() + " needs a " + key);
  templates::fail_at(origin, place.node().at, place.name() + " must be " + place.wanted());
}

}  // namespace

void check_schema(const Node& tree, std::string_view origin, const Json& schema) {
  valijson::Schema compiled;
  valijson::SchemaParser().populateSchema(Adapter(schema), compiled);
  const auto value = templates::to_json(tree);
  valijson::Validator validator;
  valijson::ValidationResults results;
  const Adapter target(value);
  if (validator.validate(compiled, target, &results)) return;
  // The deepest one says what is wrong; those above it only that something is.
  std::optional<valijson::ValidationResults::Error> deepest;
  valijson::ValidationResults::Error error;
  while (results.popError(error))
    if (!deepest || error.context.size() > deepest->context.size()) deepest = error;
  refuse(tree, origin, schema, *deepest);
}

}  // namespace litedesk
