#include "providers/sandbox/kubernetes_schema.hpp"

#include <cctype>
#include <stdexcept>

#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_schema_data.hpp"

namespace litedesk::sandbox::kube {

const Schema* Schema::field(std::string_view name_of_field) const {
  const auto found = fields.find(name_of_field);
  return found == fields.end() ? nullptr : found->second.schema;
}

namespace {

// Reads the table of kubernetes_schema_data.cpp.
class Builtins {
 public:
  Builtins() {
    // A line may name a type that comes later: all names first.
    std::vector<std::pair<Schema*, std::vector<std::string_view>>> lines;
    for (auto text : schema_lines) {
      while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.empty()) continue;
        if (line.front() != ' ') lines.emplace_back(declare(words(line).front()), std::vector<std::string_view>{});
        for (const auto word : words(line))
          if (word.find(':') != std::string_view::npos) lines.back().second.push_back(word);
      }
    }
    for (auto& [schema, fields] : lines)
      for (const auto field : fields) add_field(*schema, field);
  }

  [[nodiscard]] const Schema& get(std::string_view name) const {
    const auto found = named_.find(name);
    if (found == named_.end()) throw std::logic_error("no built-in type " + std::string(name));
    return *found->second;
  }

 private:
  static std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> result;
    while (!line.empty()) {
      const auto word = line.substr(0, line.find(' '));
      line.remove_prefix(std::min(line.size(), word.size() + 1));
      if (!word.empty()) result.push_back(word);
    }
    return result;
  }

  Schema* make(Schema::Type type) {
    auto& schema = types_.emplace_back();
    schema.type = type;
    return &schema;
  }

  Schema* declare(std::string_view name) {
    auto* schema = make(Schema::Type::object);
    schema->atomic = name.front() == '=';
    if (schema->atomic) name.remove_prefix(1);
    schema->name = name;
    named_[std::string(name)] = schema;
    return schema;
  }

  void add_field(Schema& owner, std::string_view word) {
    auto name = word.substr(0, word.find(':'));
    auto type = word.substr(name.size() + 1);
    const bool required = name.back() == '!';
    if (required) name.remove_suffix(1);
    owner.fields[std::string(name)] = {parse(type), required};
  }

  // Takes one type off the front of `text`.
  const Schema* parse(std::string_view& text) {
    const bool atomic = text.front() == '=';
    if (atomic) text.remove_prefix(1);
    if (text.front() == '{' || text.front() == '[') return parse_container(text, atomic);
    std::size_t size = 0;
    while (size < text.size() && std::isalnum(static_cast<unsigned char>(text[size])) != 0) ++size;
    const auto name = text.substr(0, size);
    text.remove_prefix(size);
    if (name.size() > 1) {
      const auto& type = get(name);
      if (!atomic || type.atomic) return &type;
      auto& copy = types_.emplace_back(type);
      copy.atomic = true;
      return &copy;
    }
    return parse_scalar(name.front(), text);
  }

  const Schema* parse_container(std::string_view& text, bool atomic) {
    const bool map = text.front() == '{';
    text.remove_prefix(1);
    const auto* element = parse(text);
    auto* schema = make(map ? Schema::Type::map : Schema::Type::list);
    schema->element = element;
    schema->atomic = atomic;
    if (text.front() == '|') {
      schema->list = text[1] == ']' ? Schema::List::set : Schema::List::keyed;
      text.remove_prefix(1);
      while (text.front() != ']') {
        const auto key = text.substr(0, text.find_first_of(",]"));
        schema->keys.emplace_back(key);
        text.remove_prefix(key.size());
        if (text.front() == ',') text.remove_prefix(1);
      }
    }
    text.remove_prefix(1);
    return schema;
  }

  const Schema* parse_scalar(char letter, std::string_view& text) {
    if (text.empty() || text.front() != '(') {
      auto& shared = scalars_[letter];
      if (shared == nullptr) shared = make(scalar(letter));
      return shared;
    }
    auto* schema = make(scalar(letter));
    text.remove_prefix(1);
    while (true) {
      const auto value = text.substr(0, text.find_first_of(",)"));
      schema->values.emplace_back(value);
      const bool last = text[value.size()] == ')';
      text.remove_prefix(value.size() + 1);
      if (last) return schema;
    }
  }

  static Schema::Type scalar(char letter) {
    switch (letter) {
      case 's':
        return Schema::Type::text;
      case 'i':
        return Schema::Type::integer;
      case 'n':
        return Schema::Type::number;
      case 'b':
        return Schema::Type::boolean;
      case 'q':
        return Schema::Type::quantity;
      case 'x':
        return Schema::Type::int_or_text;
      case 't':
        return Schema::Type::time;
      default:
        return Schema::Type::any;
    }
  }

  std::deque<Schema> types_;
  std::map<std::string, Schema*, std::less<>> named_;
  std::map<char, Schema*> scalars_;
};

}  // namespace

const Schema& builtin_schema(std::string_view name) {
  static const Builtins builtins;  // read on first use, never written again
  return builtins.get(name);
}

CustomSchema::CustomSchema(const Json& open_api_v3_schema) {
  const auto* given = add(open_api_v3_schema);
  auto& root = types_.emplace_back(*given);
  root.type = Schema::Type::object;
  root.fields["metadata"] = {&builtin_schema("ObjectMeta"), false};
  root.fields.erase("apiVersion");
  root.fields.erase("kind");
  root_ = &root;
}

const Schema* CustomSchema::add(const Json& node) {
  Schema schema;
  schema.rules = node;
  schema.open = flag(node, "x-kubernetes-preserve-unknown-fields");
  schema.atomic = text(node, "x-kubernetes-map-type") == "atomic";
  const auto type = text(node, "type");
  if (flag(node, "x-kubernetes-int-or-string")) {
    schema.type = Schema::Type::int_or_text;
  } else if (type == "string") {
    schema.type = Schema::Type::text;
  } else if (type == "integer") {
    schema.type = Schema::Type::integer;
  } else if (type == "number") {
    schema.type = Schema::Type::number;
  } else if (type == "boolean") {
    schema.type = Schema::Type::boolean;
  } else if (type == "array") {
    schema.type = Schema::Type::list;
    schema.element = add(at(node, "items"));
    const auto list_type = text(node, "x-kubernetes-list-type");
    if (list_type == "map") schema.list = Schema::List::keyed;
    if (list_type == "set") schema.list = Schema::List::set;
    if (const auto& keys = at(node, "x-kubernetes-list-map-keys"); keys.is_array())
      for (const auto& key : keys) schema.keys.push_back(plain(key));
  } else if (type == "object" || node.contains("properties")) {
    if (node.contains("additionalProperties") && !node.contains("properties")) {
      schema.type = Schema::Type::map;
      const auto& element = node["additionalProperties"];
      schema.element = add(element.is_object() ? element : Json::object());
    } else {
      schema.type = Schema::Type::object;
      if (const auto& properties = at(node, "properties"); properties.is_object())
        for (const auto& [key, value] : properties.items()) schema.fields[key] = {add(value), false};
      if (const auto& required = at(node, "required"); required.is_array())
        for (const auto& key : required)
          if (const auto found = schema.fields.find(plain(key)); found != schema.fields.end())
            found->second.required = true;
    }
  }
  return &types_.emplace_back(std::move(schema));
}

Json key_of(const Schema& list, const Json& item) {
  Json key = Json::object();
  for (const auto& name : list.keys) {
    if (const auto found = item.find(name); found != item.end() && !found->is_null())
      key[name] = *found;
    else if (name == "protocol")
      key[name] = "TCP";
    else if (const auto* field = list.element->field(name); field != nullptr && field->rules.contains("default"))
      key[name] = field->rules["default"];
    else if (field != nullptr && field->rules.is_null())
      key[name] = field->type == Schema::Type::integer ? Json(0) : Json("");  // built-in types have such defaults
  }
  return key;
}

}  // namespace litedesk::sandbox::kube
