#include "providers/sandbox/kubernetes_protobuf.hpp"

#include <cstdint>
#include <map>

#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_names.hpp"

namespace litedesk::sandbox::kube {

namespace {

constexpr std::string_view magic{"k8s\0", 4};

enum class Form { text, boolean, integer, texts, text_map, bytes_map, message, messages, skipped };

struct Field {
  const char* name;
  Form form;
  const char* type = "";  // of a message
};
using Message = std::map<std::uint64_t, Field>;

const std::map<std::string_view, Message>& messages() {
  static const std::map<std::string_view, Message> table{
      {"ObjectMeta",
       {{1, {"name", Form::text}},
        {2, {"generateName", Form::text}},
        {3, {"namespace", Form::text}},
        {4, {"selfLink", Form::skipped}},
        {5, {"uid", Form::text}},
        {6, {"resourceVersion", Form::text}},
        {7, {"generation", Form::skipped}},
        {8, {"creationTimestamp", Form::skipped}},
        {11, {"labels", Form::text_map}},
        {12, {"annotations", Form::text_map}}}},
      {"Namespace",
       {{1, {"metadata", Form::message, "ObjectMeta"}}, {2, {"spec", Form::skipped}}, {3, {"status", Form::skipped}}}},
      {"Secret",
       {{1, {"metadata", Form::message, "ObjectMeta"}},
        {2, {"data", Form::bytes_map}},
        {3, {"type", Form::text}},
        {4, {"stringData", Form::text_map}},
        {5, {"immutable", Form::boolean}}}},
      {"ConfigMap",
       {{1, {"metadata", Form::message, "ObjectMeta"}},
        {2, {"data", Form::text_map}},
        {3, {"binaryData", Form::bytes_map}},
        {4, {"immutable", Form::boolean}}}},
      {"ServiceAccount", {{1, {"metadata", Form::message, "ObjectMeta"}}}},
      {"SelfSubjectAccessReview",
       {{1, {"metadata", Form::message, "ObjectMeta"}},
        {2, {"spec", Form::message, "SelfSubjectAccessReviewSpec"}},
        {3, {"status", Form::skipped}}}},
      {"SelfSubjectAccessReviewSpec",
       {{1, {"resourceAttributes", Form::message, "ResourceAttributes"}},
        {2, {"nonResourceAttributes", Form::message, "NonResourceAttributes"}}}},
      {"ResourceAttributes",
       {{1, {"namespace", Form::text}},
        {2, {"verb", Form::text}},
        {3, {"group", Form::text}},
        {4, {"version", Form::text}},
        {5, {"resource", Form::text}},
        {6, {"subresource", Form::text}},
        {7, {"name", Form::text}}}},
      {"NonResourceAttributes", {{1, {"path", Form::text}}, {2, {"verb", Form::text}}}},
      {"SelfSubjectRulesReview",
       {{1, {"metadata", Form::message, "ObjectMeta"}},
        {2, {"spec", Form::message, "SelfSubjectRulesReviewSpec"}},
        {3, {"status", Form::skipped}}}},
      {"SelfSubjectRulesReviewSpec", {{1, {"namespace", Form::text}}}},
      {"SelfSubjectReview", {{1, {"metadata", Form::message, "ObjectMeta"}}, {2, {"status", Form::skipped}}}},
      {"Role", {{1, {"metadata", Form::message, "ObjectMeta"}}, {2, {"rules", Form::messages, "PolicyRule"}}}},
      {"ClusterRole", {{1, {"metadata", Form::message, "ObjectMeta"}}, {2, {"rules", Form::messages, "PolicyRule"}}}},
      {"PolicyRule",
       {{1, {"verbs", Form::texts}},
        {2, {"apiGroups", Form::texts}},
        {3, {"resources", Form::texts}},
        {4, {"resourceNames", Form::texts}},
        {5, {"nonResourceURLs", Form::texts}}}},
      {"DeleteOptions",
       {{1, {"gracePeriodSeconds", Form::integer}},
        {2, {"preconditions", Form::message, "Preconditions"}},
        {3, {"orphanDependents", Form::boolean}},
        {4, {"propagationPolicy", Form::text}},
        {5, {"dryRun", Form::texts}}}},
      {"Preconditions", {{1, {"uid", Form::text}}, {2, {"resourceVersion", Form::text}}}},
      {"Unknown",
       {{1, {"typeMeta", Form::message, "TypeMeta"}},
        {2, {"raw", Form::text}},
        {3, {"contentEncoding", Form::skipped}},
        {4, {"contentType", Form::skipped}}}},
      {"TypeMeta", {{1, {"apiVersion", Form::text}}, {2, {"kind", Form::text}}}},
      {"Entry", {{1, {"key", Form::text}}, {2, {"value", Form::text}}}},
  };
  return table;
}

struct Broken {};  // what is being read is not what was expected

std::uint64_t take_number(std::string_view& data) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (data.empty()) throw Broken{};
    const auto byte = static_cast<unsigned char>(data.front());
    data.remove_prefix(1);
    number |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) return number;
  }
  throw Broken{};
}

std::string_view take_bytes(std::string_view& data) {
  const auto size = take_number(data);
  if (size > data.size()) throw Broken{};
  const auto bytes = data.substr(0, size);
  data.remove_prefix(size);
  return bytes;
}

// Raw texts may hold anything; they become JSON only where they are UTF-8, or encoded.
using Raw = std::map<std::string, std::string>;

Json read(std::string_view type, std::string_view data, int depth, Raw* raw = nullptr);

void read_entry(Json& map, std::string_view bytes, bool encoded) {
  Raw raw;
  [[maybe_unused]] const auto unused = read("Entry", bytes, 0, &raw);
  map[raw["key"]] = encoded ? base64(raw["value"]) : raw["value"];
}

void read_field(Json& object, const Field& field, std::string_view bytes, int depth, Raw* raw) {
  switch (field.form) {
    case Form::skipped:
      return;
    case Form::text:
      if (raw != nullptr)
        (*raw)[field.name] = std::string(bytes);
      else if (!bytes.empty())
        object[field.name] = std::string(bytes);
      return;
    case Form::texts:
      object[field.name].push_back(std::string(bytes));
      return;
    case Form::text_map:
      return read_entry(object[field.name], bytes, false);
    case Form::bytes_map:
      return read_entry(object[field.name], bytes, true);
    case Form::message:
      object[field.name] = read(field.type, bytes, depth + 1);
      return;
    case Form::messages:
      object[field.name].push_back(read(field.type, bytes, depth + 1));
      return;
    case Form::boolean:
    case Form::integer:
      throw Broken{};
  }
}

Json read(std::string_view type, std::string_view data, int depth, Raw* raw) {
  constexpr int deepest = 8;
  if (depth > deepest) throw Broken{};
  const auto& fields = messages().at(type);
  Json object = Json::object();
  while (!data.empty()) {
    const auto tag = take_number(data);
    const auto found = fields.find(tag >> 3U);
    if (found == fields.end()) throw Broken{};
    const auto& field = found->second;
    constexpr std::uint64_t number_wire = 0;
    constexpr std::uint64_t bytes_wire = 2;
    if ((tag & 7U) == number_wire) {
      const auto number = take_number(data);
      if (field.form == Form::boolean)
        object[field.name] = number != 0;
      else if (field.form == Form::integer)
        object[field.name] = static_cast<std::int64_t>(number);
      else if (field.form != Form::skipped)
        throw Broken{};
    } else if ((tag & 7U) == bytes_wire) {
      read_field(object, field, take_bytes(data), depth, raw);
    } else {
      throw Broken{};
    }
  }
  return object;
}

}  // namespace

bool is_protobuf(std::string_view content_type) {
  return content_type.find("protobuf") != std::string_view::npos;
}

std::optional<Json> decode_protobuf(std::string_view body) {
  if (!body.starts_with(magic)) return std::nullopt;
  try {
    Raw raw;
    const auto envelope = read("Unknown", body.substr(magic.size()), 0, &raw);
    const auto kind = text(envelope, "typeMeta.kind");
    if (!messages().contains(kind)) return std::nullopt;
    auto object = read(kind, raw["raw"], 0);
    object["apiVersion"] = text(envelope, "typeMeta.apiVersion");
    object["kind"] = kind;
    return object;
  } catch (const Broken&) {
    return std::nullopt;
  }
}

}  // namespace litedesk::sandbox::kube
