#include "providers/sandbox/kubernetes_mutate.hpp"

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_patch.hpp"
#include "providers/sandbox/kubernetes_protobuf.hpp"
#include "providers/sandbox/kubernetes_read.hpp"
#include "providers/sandbox/kubernetes_selectors.hpp"
#include "providers/sandbox/kubernetes_status.hpp"

namespace litedesk::sandbox::kube {

namespace {

// Thrown to roll a dry run back.
struct DryRun {};

struct Outcome {
  Json body;
  int status = 200;
};

std::string quoted_warning(const std::string& text) {
  std::string quoted = "299 - \"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c == '\n' ? ' ' : c;
  }
  return quoted + "\"";
}

void add_warnings(Reply& reply, const std::vector<std::string>& warnings) {
  for (const auto& warning : warnings) reply.headers.emplace_back("Warning", quoted_warning(warning));
}

// Runs `work` in a transaction, which a dry run takes back, and shows what came of it.
template <class Work>
Reply mutate(Cluster& cluster, const Request& request, bool dry_run, Work work) {
  Outcome outcome;
  std::vector<std::string> warnings;
  try {
    cluster.write([&](World& world) {
      warnings.clear();
      outcome = work(world, warnings);
      if (dry_run) throw DryRun{};
    });
  } catch (const DryRun&) {
    // The outcome is told, and nothing was stored.
  } catch (const StatusError& error) {
    auto reply = to_reply(error.body(), error.code());
    add_warnings(reply, warnings);
    return reply;
  }
  const bool is_object = text(outcome.body, "kind") == request.kind->kind && outcome.body.contains("metadata");
  auto reply = to_reply(is_object ? show_object(request.form, *request.kind, outcome.body, cluster.now(),
                                                request.call->parameter("includeObject"))
                                  : outcome.body,
                        outcome.status);
  add_warnings(reply, warnings);
  return reply;
}

WriteOptions options_of(const Request& request, std::vector<std::string>& warnings) {
  WriteOptions options;
  options.manager = field_manager(*request.call);
  options.subresource = request.subresource;
  options.validation = field_validation(*request.call);
  options.warnings = &warnings;
  return options;
}

// The version of what was there before; a dry run shows no other.
void hide_version(Json& object, const std::optional<Record>& before) {
  if (before)
    object["metadata"]["resourceVersion"] = std::to_string(before->revision);
  else
    object["metadata"].erase("resourceVersion");
}

void require_json(const Request& request) {
  const auto type = request.call->header("content-type");
  if (type.starts_with("application/json") || type.starts_with("application/yaml")) return;
  if (is_protobuf(type) && decode_protobuf(request.call->body)) return;
  throw StatusError(
      415, "UnsupportedMediaType",
      "the body of the request was in an unknown format - accepted media types include: application/json, "
      "application/yaml, application/vnd.kubernetes.protobuf");
}

void require_subresource(const Request& request) {
  if (request.subresource.empty()) return;
  if (request.subresource == "status" && request.kind->status) return;
  if (request.subresource == "scale" && request.kind->scale) return;
  if (request.kind->custom) throw not_found(*request.kind, request.name);
  throw page_not_found();
}

void require_same_name(const Request& request, const Json& object) {
  if (const auto given = name_of(object); given != request.name)
    throw bad_request(
        fmt::format("the name of the object ({}) does not match the name on the URL ({})", given, request.name));
  if (const auto given = namespace_of(object); !given.empty() && given != request.name_space)
    throw bad_request("the namespace of the provided object does not match the namespace sent on the request");
}

Record required(World& world, const Request& request) {
  auto record = world.get(*request.kind, request.name_space, request.name);
  if (!record) throw not_found(*request.kind, request.name);
  return std::move(*record);
}

// POST pods/NAME/eviction: a deletion that disruption budgets may refuse for now.
Outcome evict(World& world, const Request& request) {
  auto pod = required(world, request);
  for (const auto& budget : world.list("poddisruptionbudgets.policy", request.name_space)) {
    const auto selector = LabelSelector::of_object(at(budget.object, "spec.selector"));
    if (!selector.matches(at(pod.object, "metadata.labels")) || integer(budget.object, "status.disruptionsAllowed") > 0)
      continue;
    throw StatusError(
        429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.",
        {{"causes",
          Json::array({{{"reason", "DisruptionBudget"},
                        {"message", fmt::format("The disruption budget {} needs {} healthy pods and has {} currently",
                                                name_of(budget.object), integer(budget.object, "status.desiredHealthy"),
                                                integer(budget.object, "status.currentHealthy"))}}})}});
  }
  remove_object(world, *request.kind, std::move(pod), {});
  return {
      {{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", Json::object()}, {"status", "Success"}, {"code", 201}},
      201};
}

Kind scale_kind() {
  Kind kind;
  kind.group = "autoscaling";
  kind.kind = "Scale";
  kind.plural = "scales";
  return kind;
}

// A Scale that was sent (or patched) becomes the replicas of its object.
Outcome store_scale(World& world, const Request& request, const Record& before, const Json& scale,
                    const WriteOptions& options) {
  const auto& replicas = at(scale, "spec.replicas");
  if (!replicas.is_null() && (!replicas.is_number_integer() || replicas.get<std::int64_t>() < 0))
    throw invalid(scale_kind(), request.name,
                  {value_invalid("spec.replicas", replicas, "must be greater than or equal to 0")});
  auto object = before.object;
  set_scale(*request.kind, object, replicas.is_null() ? 0 : replicas.get<std::int64_t>());
  if (const auto version = text(scale, "metadata.resourceVersion"); !version.empty())
    object["metadata"]["resourceVersion"] = version;
  const auto after = update_object(world, *request.kind, before, std::move(object), options);
  return {scale_of(*request.kind, after.object), 200};
}

Outcome store_update(World& world, const Request& request, const Record& before, Json object,
                     const WriteOptions& options, bool dry_run) {
  auto after = update_object(world, *request.kind, before, std::move(object), options);
  if (dry_run) hide_version(after.object, before);
  return {std::move(after.object), 200};
}

// "v1" is "/v1" where the group is named too.
std::string group_and_version(const std::string& api_version) {
  return api_version.find('/') == std::string::npos ? "/" + api_version : api_version;
}

Outcome store_applied(World& world, const Request& request, Json config, WriteOptions options, bool force,
                      bool dry_run) {
  const auto& kind = *request.kind;
  if (!config.is_object()) throw bad_request("the object provided is not an object");
  if (text(config, "kind") != kind.kind || text(config, "apiVersion") != kind.api_version())
    throw bad_request(kind.custom && text(config, "kind") == kind.kind
                          ? fmt::format("the API version in the data ({}) does not match the expected API version ({})",
                                        text(config, "apiVersion"), kind.api_version())
                          : fmt::format("invalid object type: {}, Kind={}",
                                        group_and_version(text(config, "apiVersion")), text(config, "kind")));
  if (const auto& owners = at(config, "metadata.managedFields");
      !owners.is_null() && !(owners.is_array() && owners.empty()))
    throw bad_request("metadata.managedFields must be nil");
  drop(config, "metadata.managedFields");
  if (name_of(config).empty()) config["metadata"]["name"] = request.name;
  require_same_name(request, config);
  options.owned = true;
  const Writer writer{options.manager, request.subresource, world.stamp()};
  const auto before = world.get(kind, request.name_space, request.name);
  if (before) {
    auto object = apply(kind, before->object, config, writer, force);
    return store_update(world, request, *before, std::move(object), options, dry_run);
  }
  if (!request.subresource.empty()) throw not_found(kind, request.name);
  require_namespace(world, kind, request.name_space, request.name);
  if (const auto uid = uid_of(config); !uid.empty())
    throw conflict(
        kind, request.name,
        fmt::format("uid mismatch: the provided object specified uid {}, and no existing object was found", uid));
  auto made = create_object(world, kind, request.name_space, apply(kind, nullptr, config, writer, force), options);
  if (dry_run) hide_version(made.object, std::nullopt);
  return {std::move(made.object), 201};
}

enum class PatchType { json, merge, strategic, apply };

PatchType patch_type(const Request& request) {
  const auto type = request.call->header("content-type");
  const auto is = [&](const char* wanted) { return type.starts_with(wanted); };
  if (is("application/json-patch+json")) return PatchType::json;
  if (is("application/merge-patch+json")) return PatchType::merge;
  if (is("application/apply-patch+yaml")) return PatchType::apply;
  if (is("application/strategic-merge-patch+json") && !request.kind->custom) return PatchType::strategic;
  if (!request.kind->custom || !is("application/strategic-merge-patch+json"))
    throw StatusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", Json::object());
  throw StatusError(
      415, "UnsupportedMediaType",
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, "
      "application/merge-patch+json, application/apply-patch+yaml");
}

Json patched(const Request& request, PatchType type, Json object, const Json& patch) {
  if (type == PatchType::json) return json_patch(object, patch);
  if (!patch.is_object())
    throw bad_request(fmt::format("{}json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                                  type == PatchType::merge ? "error decoding patch: " : "",
                                  patch.is_boolean() ? "bool" : patch.type_name()));
  if (type == PatchType::strategic)
    strategic_merge(request.subresource == "scale" ? builtin_schema("Scale") : *request.kind->schema, object, patch);
  else
    merge_patch(object, patch);
  return object;
}

}  // namespace

Reply answer_post(Cluster& cluster, const Request& request) {
  require_json(request);
  if (request.subresource == "eviction" && request.kind->resource() == "pods")
    return mutate(cluster, request, is_dry_run(*request.call),
                  [&](World& world, auto&) { return evict(world, request); });
  if (!request.name.empty() || (request.kind->namespaced && request.name_space.empty())) throw method_not_allowed();
  const auto object = parse_body(request.call->body, request.kind->kind);
  const bool dry_run = is_dry_run(*request.call);
  return mutate(cluster, request, dry_run, [&](World& world, std::vector<std::string>& warnings) {
    auto made = create_object(world, *request.kind, request.name_space, object, options_of(request, warnings));
    if (dry_run) hide_version(made.object, std::nullopt);
    return Outcome{std::move(made.object), 201};
  });
}

Reply answer_put(Cluster& cluster, const Request& request) {
  if (request.name.empty()) throw method_not_allowed();
  require_json(request);
  require_subresource(request);
  const auto object = parse_body(request.call->body, request.kind->kind);
  const bool dry_run = is_dry_run(*request.call);
  require_same_name(request, object);
  return mutate(cluster, request, dry_run, [&](World& world, std::vector<std::string>& warnings) {
    const auto before = required(world, request);
    const auto options = options_of(request, warnings);
    if (request.subresource == "scale") return store_scale(world, request, before, object, options);
    return store_update(world, request, before, object, options, dry_run);
  });
}

Reply answer_patch(Cluster& cluster, const Request& request) {
  if (request.name.empty()) throw method_not_allowed();
  require_subresource(request);
  const auto& call = *request.call;
  const auto type = patch_type(request);
  const bool dry_run = is_dry_run(call);
  const bool force = call.parameter("force") == "true";
  if (type != PatchType::apply && force)
    throw invalid_options("PatchOptions", value_forbidden("force", "may not be specified for non-apply patch"));
  if (type == PatchType::apply && call.parameter("fieldManager").empty())
    throw invalid_options("PatchOptions", value_required("fieldManager", "is required for apply patch"));
  const auto patch = parse_patch(call.body, request.kind->kind);
  return mutate(cluster, request, dry_run, [&](World& world, std::vector<std::string>& warnings) {
    auto options = options_of(request, warnings);
    if (type == PatchType::apply && request.subresource == "scale") {
      const auto before = required(world, request);
      return store_scale(world, request, before, patch, options);
    }
    if (type == PatchType::apply) return store_applied(world, request, patch, options, force, dry_run);
    options.patch = true;
    const auto before = required(world, request);
    if (request.subresource == "scale")
      return store_scale(world, request, before, patched(request, type, scale_of(*request.kind, before.object), patch),
                         options);
    auto object = patched(request, type, before.object, patch);
    require_same_name(request, object);
    return store_update(world, request, before, std::move(object), options, dry_run);
  });
}

namespace {

struct DeleteRequest {
  RemoveOptions options;
  bool dry_run = false;
};

// When a body is sent, the query is not read.
DeleteRequest delete_request(const Call& call) {
  DeleteRequest wanted;
  if (call.body.empty()) {
    wanted.options.propagation = call.parameter("propagationPolicy");
    if (const auto grace = call.parameter("gracePeriodSeconds"); !grace.empty())
      wanted.options.grace_seconds = std::strtoll(grace.c_str(), nullptr, 10);
    wanted.dry_run = is_dry_run(call);
  } else {
    const auto body = parse_body(call.body, "DeleteOptions");
    wanted.options.uid = text(body, "preconditions.uid");
    wanted.options.resource_version = text(body, "preconditions.resourceVersion");
    wanted.options.propagation = text(body, "propagationPolicy");
    if (const auto& grace = at(body, "gracePeriodSeconds"); grace.is_number_integer())
      wanted.options.grace_seconds = grace.get<std::int64_t>();
    if (flag(body, "orphanDependents")) wanted.options.propagation = "Orphan";
    if (const auto& dry = at(body, "dryRun"); dry.is_array() && !dry.empty()) {
      if (dry[0] != "All") throw invalid_options("DeleteOptions", value_not_supported("dryRun", dry, {"All"}));
      wanted.dry_run = true;
    }
  }
  const auto& policy = wanted.options.propagation;
  if (!policy.empty() && policy != "Background" && policy != "Foreground" && policy != "Orphan")
    throw invalid_options("DeleteOptions", value_not_supported("propagationPolicy", policy,
                                                               {"Foreground", "Background", "Orphan", "nil"}));
  return wanted;
}

Json success(const Kind& kind, const Json& object) {
  Json details = {{"name", name_of(object)}, {"kind", kind.plural}, {"uid", uid_of(object)}};
  if (!kind.group.empty()) details["group"] = kind.group;
  return {{"kind", "Status"},
          {"apiVersion", "v1"},
          {"metadata", Json::object()},
          {"status", "Success"},
          {"details", details}};
}

Reply delete_collection(Cluster& cluster, const Request& request, const DeleteRequest& wanted) {
  const auto& kind = *request.kind;
  if (!kind.collection_delete || (kind.namespaced && request.name_space.empty())) throw method_not_allowed();
  const auto labels = LabelSelector::parse(request.call->parameter("labelSelector"));
  const auto fields = FieldSelector::parse(kind, request.call->parameter("fieldSelector"));
  return mutate(cluster, request, wanted.dry_run, [&](World& world, auto&) {
    std::vector<Record> gone;
    for (auto& record : world.list(kind, request.name_space)) {
      if (!labels.matches(at(record.object, "metadata.labels")) || !fields.matches(record.object)) continue;
      remove_object(world, kind, record, wanted.options);
      gone.push_back(std::move(record));
    }
    ListMetadata metadata;
    metadata.revision = world.state().revision();
    return Outcome{show_list(Form::object, kind, gone, metadata, world.now(), ""), 200};
  });
}

}  // namespace

Reply answer_delete(Cluster& cluster, const Request& request) {
  if (!request.subresource.empty()) throw method_not_allowed();
  const auto wanted = delete_request(*request.call);
  if (request.name.empty()) return delete_collection(cluster, request, wanted);
  return mutate(cluster, request, wanted.dry_run, [&](World& world, auto&) {
    auto record = required(world, request);
    const auto object = record.object;
    auto rest = remove_object(world, *request.kind, std::move(record), wanted.options);
    return Outcome{rest ? std::move(rest->object) : success(*request.kind, object), 200};
  });
}

}  // namespace litedesk::sandbox::kube
