#include "providers/sandbox/kubernetes_read.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "providers/read_json.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_names.hpp"
#include "providers/sandbox/kubernetes_selectors.hpp"
#include "providers/sandbox/kubernetes_status.hpp"
#include "providers/system/hash.hpp"

namespace litedesk::sandbox::kube {

namespace {

struct Token {
  std::int64_t revision = 0;
  std::string after;  // "namespace/name" of the last item given
};

std::string to_text(const Token& token) {
  return base64(Json{{"v", "meta.k8s.io/v1"}, {"rv", token.revision}, {"start", token.after}}.dump());
}

Token parse_token(State& state, const std::string& text_of_token) {
  const auto decoded = system::base64_decode(text_of_token);
  const auto json = parse_json(decoded.value_or(""));
  if (!json.is_object() || !at(json, "rv").is_number_integer() || !at(json, "start").is_string())
    throw bad_request("invalid continue token: continue key is not valid");
  Token token{json["rv"].get<std::int64_t>(), json["start"].get<std::string>()};
  if (token.revision < state.oldest_logged_revision() - 1)
    throw StatusError(
        410, "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter.");
  return token;
}

void check_revision(const Call& call, std::int64_t current) {
  const auto given = call.parameter("resourceVersion");
  if (given.empty() || given == "0") return;
  if (!std::all_of(given.begin(), given.end(), [](char c) { return c >= '0' && c <= '9'; }) || given.size() > 18)
    throw bad_request(
        fmt::format("invalid resource version: resourceVersion: Invalid value: \"{}\": strconv.ParseUint: parsing "
                    "\"{}\": invalid syntax",
                    given, given));
  if (const auto wanted = std::stoll(given); wanted > current)
    throw StatusError(
        504, "Timeout", fmt::format("Timeout: Too large resource version: {}, current: {}", wanted, current),
        {{"causes", Json::array({{{"reason", "ResourceVersionTooLarge"}, {"message", "Too large resource version"}}})},
         {"retryAfterSeconds", 1}});
}

void check_match(const Call& call, std::int64_t current) {
  const auto match = call.parameter("resourceVersionMatch");
  if (match.empty()) return;
  const auto given = call.parameter("resourceVersion");
  if (given.empty())
    throw invalid_options("ListOptions",
                          value_forbidden("resourceVersionMatch",
                                          "resourceVersionMatch is forbidden unless resourceVersion is provided"));
  if (match != "Exact" && match != "NotOlderThan")
    throw invalid_options("ListOptions",
                          value_not_supported("resourceVersionMatch", match, {"Exact", "NotOlderThan", ""}));
  // What was there before is not kept, as after a compaction.
  if (match == "Exact" && given != std::to_string(current))
    throw StatusError(410, "Expired", "The resourceVersion for the provided list is too old.");
}

std::size_t limit_of(const Call& call) {
  const auto given = call.parameter("limit", "0");
  long long limit = 0;
  const auto [end, failure] = std::from_chars(given.data(), given.data() + given.size(), limit);
  if (failure != std::errc() || end != given.data() + given.size())
    throw bad_request(fmt::format("strconv.ParseInt: parsing \"{}\": invalid syntax", given));
  return static_cast<std::size_t>(std::max<long long>(0, limit));
}

std::string key_of_record(const Record& record) {
  return fmt::format("{}/{}", namespace_of(record.object), name_of(record.object));
}

Reply answer_list(Cluster& cluster, const Request& request) {
  const auto& call = *request.call;
  const auto& kind = *request.kind;
  const auto labels = LabelSelector::parse(call.parameter("labelSelector"));
  const auto fields = FieldSelector::parse(kind, call.parameter("fieldSelector"));
  const auto limit = limit_of(call);

  std::vector<Record> records;
  ListMetadata metadata;
  cluster.state().read([&] {
    metadata.revision = cluster.state().revision();
    check_revision(call, metadata.revision);
    check_match(call, metadata.revision);
    const auto scope = request.name_space.empty() ? std::nullopt : std::optional<std::string_view>(request.name_space);
    for (auto& row : cluster.state().list(kind.collection(), scope)) records.push_back(to_record(std::move(row)));
  });
  if (const auto given = call.parameter("continue"); !given.empty()) {
    const auto token = parse_token(cluster.state(), given);
    metadata.revision = token.revision;
    records.erase(std::remove_if(records.begin(), records.end(),
                                 [&](const Record& record) { return key_of_record(record) <= token.after; }),
                  records.end());
  }
  records.erase(std::remove_if(records.begin(), records.end(),
                               [&](const Record& record) {
                                 return !labels.matches(at(record.object, "metadata.labels")) ||
                                        !fields.matches(record.object);
                               }),
                records.end());
  if (limit > 0 && records.size() > limit) {
    if (labels.empty() && fields.empty()) metadata.remaining = static_cast<std::int64_t>(records.size() - limit);
    records.resize(limit);
    metadata.next = to_text({metadata.revision, key_of_record(records.back())});
  }
  for (auto& record : records) record.object["apiVersion"] = kind.api_version();
  return to_reply(show_list(request.form, kind, records, metadata, cluster.now(), call.parameter("includeObject")));
}

std::string number_path(const Kind& kind, std::size_t index, const char* otherwise) {
  if (index >= kind.scale_paths.size() || kind.scale_paths[index].empty()) return otherwise;
  return kind.scale_paths[index].substr(1);
}

}  // namespace

Json scale_of(const Kind& kind, const Json& object) {
  Json metadata = Json::object();
  for (const auto* field : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"})
    if (const auto& value = at(object, std::string("metadata.") + field); !value.is_null()) metadata[field] = value;
  Json scale = {{"kind", "Scale"}, {"apiVersion", "autoscaling/v1"}, {"metadata", metadata}, {"spec", Json::object()}};
  if (const auto wanted = integer(object, number_path(kind, 0, "spec.replicas"), kind.custom ? 0 : 1); wanted > 0)
    scale["spec"]["replicas"] = wanted;
  scale["status"]["replicas"] = integer(object, number_path(kind, 1, "status.replicas"));
  if (const auto& selector = at(object, "spec.selector"); selector.is_object())
    scale["status"]["selector"] = LabelSelector::of_object(selector).to_string();
  return scale;
}

void set_scale(const Kind& kind, Json& object, std::int64_t replicas) {
  make(object, number_path(kind, 0, "spec.replicas")) = replicas;
}

Reply answer_get(Cluster& cluster, const Request& request) {
  cluster.settle();
  const auto& call = *request.call;
  const auto watch = call.parameter("watch");
  if (request.name.empty()) {
    if (watch == "1" || watch == "true") return answer_watch(cluster, request);
    return answer_list(cluster, request);
  }
  if (request.subresource == "log" && request.kind->resource() == "pods") return answer_log(cluster, request);
  const bool scale = request.subresource == "scale" && request.kind->scale;
  const bool status = request.subresource == "status" && request.kind->status;
  // A custom resource is looked for before its subresources are.
  if (request.subresource == "status" && request.kind->custom && !status) throw not_found(*request.kind, request.name);
  if (!request.subresource.empty() && !scale && !status) throw page_not_found();
  auto row = cluster.state().get(request.kind->collection(), request.name_space, request.name);
  if (!row) throw not_found(*request.kind, request.name);
  auto record = to_record(std::move(*row));
  if (scale) return to_reply(scale_of(*request.kind, record.object));
  record.object["apiVersion"] = request.kind->api_version();
  return to_reply(
      show_object(request.form, *request.kind, record.object, cluster.now(), call.parameter("includeObject")));
}

}  // namespace litedesk::sandbox::kube
