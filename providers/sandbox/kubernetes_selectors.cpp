#include "providers/sandbox/kubernetes_selectors.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_status.hpp"

namespace litedesk::sandbox::kube {

namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Splits at commas that are in no parentheses.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '(') ++depth;
    if (i < text.size() && text[i] == ')') --depth;
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      if (const auto part = trim(text.substr(start, i - start)); !part.empty()) parts.push_back(part);
      start = i + 1;
    }
  }
  return parts;
}

bool legal(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '/';
  });
}

std::string_view identifier(std::string_view word, bool key = true) {
  word = trim(word);
  if (word.empty() && key) throw bad_request("found '=', expected: !, identifier, or 'end of string'");
  if (legal(word)) return word;
  const auto bad = std::find_if(word.begin(), word.end(), [](char c) { return !legal({&c, 1}); });
  throw bad_request(fmt::format("unable to parse requirement: found '{}', expected: identifier", *bad));
}

}  // namespace

LabelSelector LabelSelector::parse(std::string_view text) {
  LabelSelector selector;
  for (auto part : split(text)) {
    Requirement requirement;
    if (part.front() == '!' && part.find('=') == std::string_view::npos) {
      requirement.op = Operator::absent;
      requirement.key = identifier(part.substr(1));
    } else if (const auto open = part.find('('); open != std::string_view::npos && part.back() == ')') {
      const auto words = trim(part.substr(0, open));
      const auto space = words.find(' ');
      const auto op = space == std::string_view::npos ? std::string_view{} : trim(words.substr(space));
      if (op != "in" && op != "notin")
        throw bad_request(
            fmt::format("unable to parse requirement: found '{}', expected: in, notin, =, ==, !=, gt, lt", op));
      requirement.op = op == "in" ? Operator::in : Operator::not_in;
      requirement.key = identifier(words.substr(0, space));
      for (const auto value : split(part.substr(open + 1, part.size() - open - 2)))
        requirement.values.emplace_back(identifier(value, false));
    } else if (const auto equals = part.find('='); equals != std::string_view::npos) {
      const bool negative = equals > 0 && part[equals - 1] == '!';
      requirement.op = negative ? Operator::not_in : Operator::in;
      requirement.key = identifier(part.substr(0, negative ? equals - 1 : equals));
      auto value = part.substr(equals + 1);
      if (!negative && value.starts_with('=')) value.remove_prefix(1);
      requirement.values.emplace_back(identifier(value, false));
    } else {
      requirement.key = identifier(part);
    }
    selector.requirements_.push_back(std::move(requirement));
  }
  return selector;
}

LabelSelector LabelSelector::of_object(const Json& object) {
  LabelSelector selector;
  if (const auto& labels = at(object, "matchLabels"); labels.is_object())
    for (const auto& [key, value] : labels.items())
      selector.requirements_.push_back({key, Operator::in, {plain(value)}});
  if (const auto& expressions = at(object, "matchExpressions"); expressions.is_array())
    for (const auto& expression : expressions) {
      const auto op = text(expression, "operator");
      Requirement requirement{text(expression, "key"),
                              op == "In"       ? Operator::in
                              : op == "NotIn"  ? Operator::not_in
                              : op == "Exists" ? Operator::exists
                                               : Operator::absent,
                              {}};
      if (const auto& values = at(expression, "values"); values.is_array())
        for (const auto& value : values) requirement.values.push_back(plain(value));
      selector.requirements_.push_back(std::move(requirement));
    }
  return selector;
}

bool LabelSelector::matches(const Json& labels) const {
  return std::all_of(requirements_.begin(), requirements_.end(), [&](const Requirement& wanted) {
    const bool present = labels.is_object() && labels.contains(wanted.key);
    const bool among = present && std::find(wanted.values.begin(), wanted.values.end(), plain(labels[wanted.key])) !=
                                      wanted.values.end();
    switch (wanted.op) {
      case Operator::in:
        return among;
      case Operator::not_in:
        return !among;
      case Operator::exists:
        return present;
      case Operator::absent:
        return !present;
    }
    return false;
  });
}

std::string LabelSelector::to_string() const {
  std::vector<std::string> parts;
  for (const auto& [key, op, values] : requirements_) {
    if (op == Operator::exists) parts.push_back(key);
    if (op == Operator::absent) parts.push_back("!" + key);
    if (op == Operator::in && values.size() == 1) parts.push_back(fmt::format("{}={}", key, values.front()));
    if (op == Operator::in && values.size() != 1)
      parts.push_back(fmt::format("{} in ({})", key, fmt::join(values, ",")));
    if (op == Operator::not_in) parts.push_back(fmt::format("{} notin ({})", key, fmt::join(values, ",")));
  }
  return fmt::format("{}", fmt::join(parts, ","));
}

namespace {

std::vector<std::string> selectable_fields(const Kind& kind) {
  std::vector<std::string> fields{"metadata.name"};
  if (kind.namespaced) fields.emplace_back("metadata.namespace");
  if (kind.custom) return fields;
  if (kind.kind == "Pod")
    for (const auto* field : {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
                              "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName"})
      fields.emplace_back(field);
  if (kind.kind == "Event")
    for (const auto* field : {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
                              "involvedObject.uid", "involvedObject.apiVersion", "involvedObject.resourceVersion",
                              "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type"})
      fields.emplace_back(field);
  if (kind.kind == "Namespace") fields.emplace_back("status.phase");
  if (kind.kind == "Secret") fields.emplace_back("type");
  if (kind.kind == "Node") fields.emplace_back("spec.unschedulable");
  if (kind.kind == "Job") fields.emplace_back("status.successful");
  if (kind.kind == "ReplicaSet") fields.emplace_back("status.replicas");
  if (kind.kind == "Service") fields.insert(fields.end(), {"spec.clusterIP", "spec.type"});
  return fields;
}

std::string field_text(const Json& object, const std::string& path) {
  if (path == "source") {
    const auto component = text(object, "source.component");
    return component.empty() ? text(object, "reportingComponent") : component;
  }
  const auto& value = at(object, path);
  if (value.is_null()) return path == "spec.hostNetwork" || path == "spec.unschedulable" ? "false" : "";
  return plain(value);
}

}  // namespace

FieldSelector FieldSelector::parse(const Kind& kind, std::string_view text) {
  FieldSelector selector;
  const auto known = selectable_fields(kind);
  for (const auto part : split(text)) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos)
      throw bad_request(fmt::format("invalid selector: '{}'; can't understand '{}'", text, part));
    const bool negative = equals > 0 && part[equals - 1] == '!';
    auto value = part.substr(equals + 1);
    if (!negative && value.starts_with('=')) value.remove_prefix(1);
    Requirement requirement{std::string(trim(part.substr(0, negative ? equals - 1 : equals))), std::string(trim(value)),
                            !negative};
    if (std::find(known.begin(), known.end(), requirement.path) == known.end())
      throw known.size() > 2 ? bad_request("field label not supported: " + requirement.path)
                             : bad_request(fmt::format("\"{}\" is not a known field selector: only \"{}\"",
                                                       requirement.path, fmt::join(known, "\", \"")));
    selector.requirements_.push_back(std::move(requirement));
  }
  return selector;
}

bool FieldSelector::matches(const Json& object) const {
  return std::all_of(requirements_.begin(), requirements_.end(), [&](const Requirement& wanted) {
    return (field_text(object, wanted.path) == wanted.value) == wanted.equal;
  });
}

const std::string* FieldSelector::name() const {
  for (const auto& requirement : requirements_)
    if (requirement.path == "metadata.name" && requirement.equal) return &requirement.value;
  return nullptr;
}

}  // namespace litedesk::sandbox::kube
