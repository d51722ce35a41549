#include "templates/renderer.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "templates/expression.hpp"
#include "templates/yaml_tree.hpp"

namespace litedesk::templates {
namespace {

class Renderer {
 public:
  Renderer(const Json& context, std::string_view origin) : scope_(context, origin), origin_(origin) {}

  // Before anything is rendered, so that a mistake in a part that today's values do not reach is found today.
  void check(const Node& node) {
    switch (node.kind) {
      case Node::Kind::null:
        return;
      case Node::Kind::scalar:
        return check_text(node.text, node.at, scope_);
      case Node::Kind::list:
        for (const auto& item : node.items) check(item);
        return;
      case Node::Kind::map:
        check_map(node);
    }
  }

  // What the node gives, or nothing.
  std::optional<Json> render(const Node& node) {
    switch (node.kind) {
      case Node::Kind::null:
        return Json(nullptr);
      case Node::Kind::scalar:
        return fill(node, scope_);
      case Node::Kind::list: {
        Json list = Json::array();
        for (const auto& item : node.items) render_into(item, list);
        return list;
      }
      case Node::Kind::map:
        break;
    }
    const auto* chosen = choose(node);
    if (chosen == nullptr) return std::nullopt;
    if (chosen != &node) return render(*chosen);
    if (node.find("$for") != nullptr) {
      Json list = Json::array();
      render_loop(node, list);
      return list;
    }
    if (node.find("$merge") != nullptr) return render_merge(node);
    return render_map(node);
  }

  // As an element of a list: a loop's elements take its place.
  void render_into(const Node& node, Json& list) {
    const auto* chosen = choose(node);
    if (chosen == nullptr) return;
    if (chosen != &node) return render_into(*chosen, list);
    if (node.kind == Node::Kind::map && node.find("$for") != nullptr) return render_loop(node, list);
    if (auto value = render(node)) list.push_back(std::move(*value));
  }

 private:
  static bool is_branch(const Node& node) { return node.find("$then") != nullptr || node.find("$else") != nullptr; }

  void check_map(const Node& node) {
    const bool branch = is_branch(node);
    const bool loop = node.find("$for") != nullptr, merge = node.find("$merge") != nullptr;
    for (const auto& entry : node.entries) {
      if (!entry.key.starts_with('$') || entry.key.starts_with("$$") || entry.key.starts_with("${")) {
        if (branch || loop || merge)
          fail_at(origin_, entry.at,
                  entry.key + " stands beside " +
                      (branch ? "$then or $else"
                       : loop ? "$for"
                              : "$merge") +
                      ", which takes the place of the whole map");
        check_text(key_text(entry.key), entry.at, scope_);
        check(entry.value);
        continue;
      }
      const bool known = entry.key == "$if" || entry.key == "$then" || entry.key == "$else" || entry.key == "$for" ||
                         entry.key == "$yield" || entry.key == "$merge";
      if (!known)
        fail_at(origin_, entry.at,
                "unknown key " + entry.key +
                    ": the known keys are $if, $then, $else, $for, $yield and $merge; write $" + entry.key +
                    " for a key that begins with a dollar");
    }
    check_directives(node, branch, loop, merge);
  }

  void check_directives(const Node& node, bool branch, bool loop, bool merge) {
    const auto* condition = node.find("$if");
    if (branch + loop + merge > 1) fail_at(origin_, node.at, "$then or $else, $for and $merge do not stand in one map");
    if (condition != nullptr) check_condition(*condition, scope_);
    if (branch) {
      if (condition == nullptr) fail_at(origin_, node.at, "$then and $else need an $if beside them");
      if (const auto* then = node.find("$then")) check(*then);
      if (const auto* otherwise = node.find("$else")) check(*otherwise);
    }
    const auto* yield = node.find("$yield");
    if (loop != (yield != nullptr)) fail_at(origin_, node.at, "$for and $yield need each other");
    if (loop) {
      const auto& at = *node.find("$for");
      const auto parsed = parse_loop(at, origin_);
      scope_.check_path(parsed.path, at.at);
      scope_.push_unknown(parsed.name, at.at);
      check(*yield);
      scope_.pop();
    }
    if (merge) {
      const auto& parts = *node.find("$merge");
      if (parts.kind != Node::Kind::list) fail_at(origin_, parts.at, "$merge needs a list of maps");
      check(parts);
    }
  }

  // The branch that counts, the node itself when there is no condition or it holds, or nothing.
  const Node* choose(const Node& node) const {
    const auto* condition = node.kind == Node::Kind::map ? node.find("$if") : nullptr;
    if (condition == nullptr) return &node;
    const bool holds = is_true(*condition, scope_);
    if (!is_branch(node)) return holds ? &node : nullptr;
    return node.find(holds ? "$then" : "$else");
  }

  void render_loop(const Node& node, Json& list) {
    const auto& at = *node.find("$for");
    const auto& yield = *node.find("$yield");
    const auto loop = parse_loop(at, origin_);
    const Json values = scope_.look_up(loop.path, at.at);
    if (!values.is_array() && !values.is_object())
      fail_at(origin_, at.at, "$for: " + loop.path + " is neither a list nor a map");
    for (const auto& [key, value] : values.items()) {
      scope_.push(loop.name, values.is_array() ? value : Json{{"key", key}, {"value", value}}, at.at);
      // One pass gives one element, or none: a list stays a list.
      if (auto element = render(yield)) list.push_back(std::move(*element));
      scope_.pop();
    }
  }

  static void merge_into(Json& base, const Json& over) {
    for (const auto& [key, value] : over.items()) {
      auto& member = base[key];
      if (member.is_object() && value.is_object()) {
        merge_into(member, value);
      } else {
        member = value;
      }
    }
  }

  Json render_merge(const Node& node) {
    Json merged = Json::object();
    for (const auto& part : node.find("$merge")->items) {
      const auto value = render(part);
      if (!value) continue;
      if (!value->is_object()) fail_at(origin_, part.at, "$merge: this is not a map");
      merge_into(merged, *value);
    }
    return merged;
  }

  static std::string_view key_text(std::string_view key) {
    return key.starts_with("$$") && !key.starts_with("$${") ? key.substr(1) : key;
  }

  Json render_map(const Node& node) {
    Json map = Json::object();
    for (const auto& entry : node.entries) {
      if (entry.key == "$if") continue;
      auto value = render(entry.value);
      if (!value) continue;
      const auto key = fill_text(key_text(entry.key), entry.at, scope_);
      if (map.contains(key))
        fail_at(origin_, entry.at, "the key " + key + " is defined twice once " + entry.key + " is filled in");
      map[key] = std::move(*value);
    }
    return map;
  }

  Scope scope_;
  std::string_view origin_;
};

}  // namespace

Json parse_yaml(std::string_view text, std::string_view origin) {
  return to_json(parse_single_tree(text, origin));
}

std::vector<Json> parse_yaml_documents(std::string_view text, std::string_view origin) {
  std::vector<Json> documents;
  for (const auto& node : parse_tree(text, origin)) documents.push_back(to_json(node));
  return documents;
}

std::vector<Rendered> render_documents(const ParsedFile& file, const Json& context) {
  std::vector<Rendered> rendered;
  Renderer renderer(context, file.origin);
  for (const auto& document : file.documents) {
    renderer.check(document);
    Json values = Json::array();
    renderer.render_into(document, values);
    for (auto& value : values) rendered.push_back({std::move(value), document.at.line});
  }
  return rendered;
}

std::vector<Json> render(const File& file, const Json& context) {
  std::vector<Json> values;
  const ParsedFile parsed{file.origin, parse_tree(file.text, file.origin)};
  for (auto& document : render_documents(parsed, context)) values.push_back(std::move(document.value));
  return values;
}

}  // namespace litedesk::templates
