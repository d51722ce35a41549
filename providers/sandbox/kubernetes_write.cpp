#include "providers/sandbox/kubernetes_write.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/sandbox/kubernetes_admission.hpp"
#include "providers/sandbox/kubernetes_cel.hpp"
#include "providers/sandbox/kubernetes_controllers.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_names.hpp"

namespace litedesk::sandbox::kube {

namespace {

void refuse_invalid(const Kind& kind, const Json& object, const std::vector<Cause>& causes) {
  if (!causes.empty()) throw invalid(kind, name_of(object), causes);
}

// What is wrong with the outcome of a patch is told of the patch.
StatusError invalid_patch(const Json& sent, const std::string& why) {
  const auto message = fmt::format("Invalid value: {}: {}", Json(sent.dump()).dump(), why);
  return {422,
          "Invalid",
          fmt::format(" \"\" is invalid: patch: {}", message),
          {{"causes", Json::array({{{"reason", "FieldValueInvalid"}, {"message", message}, {"field", "patch"}}})}}};
}

// Decodes as the kind, and says or refuses what it has too much of.
void decode_object(const Kind& kind, Json& object, const WriteOptions& options) {
  const auto sent = options.patch ? object : Json();
  auto decoded = decode(*kind.schema, object);
  const auto cannot = fmt::format("{0} in version \"{1}\" cannot be handled as a {0}: ", kind.kind, kind.version);
  // A CRD's schema has its own words for wrong types, in validation.
  for (const auto& mismatch : decoded.mismatched) {
    if (kind.custom_schema && mismatch.find(" ObjectMeta.") == std::string::npos) continue;
    throw options.patch ? invalid_patch(sent, mismatch) : bad_request(cannot + mismatch);
  }
  if (decoded.unknown.empty() || options.validation == FieldValidation::ignore) return;
  std::vector<std::string> words;
  for (const auto& field : decoded.unknown) words.push_back(fmt::format("unknown field \"{}\"", field));
  if (options.validation == FieldValidation::strict) {
    const auto why = fmt::format("strict decoding error: {}", fmt::join(words, ", "));
    throw options.patch ? invalid_patch(sent, why) : bad_request(cannot + why);
  }
  if (options.warnings != nullptr) options.warnings->insert(options.warnings->end(), words.begin(), words.end());
}

// What every path below relies on: an object with metadata.
void require_object(Json& object) {
  if (!object.is_object()) throw bad_request("the object provided is unrecognized: it is not an object");
  auto& metadata = object["metadata"];
  if (metadata.is_null()) metadata = Json::object();
  if (!metadata.is_object())
    throw bad_request("json: cannot unmarshal metadata into Go struct field .metadata of type v1.ObjectMeta");
  if (const auto name = metadata.find("name"); name != metadata.end() && !name->is_string() && !name->is_null())
    throw bad_request(
        "json: cannot unmarshal metadata.name into Go struct field ObjectMeta.metadata.name of type string");
}

void require_kind(const Kind& kind, const Json& object) {
  const auto given_kind = text(object, "kind");
  const auto given_version = text(object, "apiVersion");
  if (given_kind == kind.kind && given_version == kind.api_version()) return;
  if (given_kind.empty() && given_version.empty() && !kind.custom) return;  // the path says it
  if (kind.custom)
    throw bad_request(fmt::format("the API version in the data ({}) does not match the expected API version ({})",
                                  given_version, kind.api_version()));
  throw bad_request(
      fmt::format("{} in version \"{}\" cannot be handled as a {}: no kind \"{}\" is registered for version \"{}\"",
                  given_kind, given_version, kind.kind, given_kind, given_version));
}

// A CRD's CEL rules are only asked about an object whose shape and size are right.
void add_broken_rules(const Kind& kind, const Json& old, const Json& object, std::vector<Cause>& causes) {
  if (!kind.custom_schema) return;
  const bool misshapen = std::any_of(causes.begin(), causes.end(), [](const Cause& cause) {
    return cause.reason == "FieldValueRequired" || cause.reason == "FieldValueTypeInvalid" ||
           cause.reason == "FieldValueTooLong" || cause.reason == "FieldValueTooMany";
  });
  if (!misshapen) {
    const auto broken = check_rules(*kind.schema, old, object);
    causes.insert(causes.end(), broken.begin(), broken.end());
  } else if (kind.schema->rules.contains("x-kubernetes-validations")) {
    causes.push_back(
        {"FieldValueInvalid",
         "Invalid value: null: some validation rules were not checked because the object was invalid; correct the "
         "existing errors to complete validation",
         "<nil>"});
  }
}

bool counts_as_spec(const Kind& kind, const std::string& key) {
  if (key == "metadata" || key == "apiVersion" || key == "kind") return false;
  return key != "status" || (kind.custom && !kind.status);
}

bool spec_changed(const Kind& kind, const Json& before, const Json& after) {
  for (const auto& [key, value] : after.items())
    if (counts_as_spec(kind, key) && (!before.contains(key) || before[key] != value)) return true;
  for (const auto& [key, value] : before.items())
    if (counts_as_spec(kind, key) && !after.contains(key)) return true;
  return false;
}

void set_initial_metadata(World& world, const Kind& kind, const std::string& name_space, Json& object) {
  auto& metadata = object["metadata"];
  if (kind.namespaced)
    metadata["namespace"] = name_space;
  else
    metadata.erase("namespace");
  for (const auto* field : {"resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"})
    metadata.erase(field);
  metadata["uid"] = new_uid();
  metadata["creationTimestamp"] = world.stamp();
  if (text(object, "metadata.name").empty())
    if (const auto prefix = text(object, "metadata.generateName"); !prefix.empty())
      metadata["name"] = prefix.substr(0, 58) + random_suffix(metadata["uid"].get<std::string>());
  if (kind.generation)
    metadata["generation"] = 1;
  else
    metadata.erase("generation");
}

Json without_noise(Json object) {
  object["metadata"].erase("resourceVersion");
  if (const auto owners = object["metadata"].find("managedFields"); owners != object["metadata"].end())
    for (auto& owner : *owners) owner.erase("time");
  return object;
}

}  // namespace

void require_namespace(World& world, const Kind& kind, const std::string& name_space, const std::string& name) {
  if (!kind.namespaced) return;
  const auto& namespaces = world.kinds().get("namespaces");
  const auto found = world.get(namespaces, "", name_space);
  if (!found) throw not_found(namespaces, name_space);
  if (at(found->object, "metadata.deletionTimestamp").is_null()) return;
  throw forbidden(
      kind, name,
      fmt::format("unable to create new content in namespace {} because it is being terminated", name_space),
      {{"NamespaceTerminating", fmt::format("namespace {} is being terminated", name_space), "metadata.namespace"}});
}

Record create_object(World& world, const Kind& kind, const std::string& name_space, Json object,
                     const WriteOptions& options) {
  require_object(object);
  if (!options.owned) drop(object, "metadata.managedFields");
  require_kind(kind, object);
  object["apiVersion"] = kind.api_version();
  object["kind"] = kind.kind;
  decode_object(kind, object, options);
  if (const auto given = namespace_of(object); kind.namespaced && !given.empty() && given != name_space)
    throw bad_request("the namespace of the provided object does not match the namespace sent on the request");
  if (!options.owned && !text(object, "metadata.resourceVersion").empty())
    throw StatusError(500, "", "resourceVersion should not be set on objects to be created");
  require_namespace(world, kind, name_space, name_of(object));

  set_initial_metadata(world, kind, name_space, object);
  if (kind.status) object.erase("status");
  fill_defaults(kind, object);
  prepare(world, kind, nullptr, object);
  if (kind.kind == "Pod" && !kind.custom) admit_pod(world, kind, name_space, object);
  auto causes = validate_metadata(kind, object);
  if (causes.empty() || name_of(object).empty() || !kind.custom) {
    const auto more = validate(kind, object);
    causes.insert(causes.end(), more.begin(), more.end());
  }
  add_broken_rules(kind, nullptr, object, causes);
  refuse_invalid(kind, object, causes);
  if (kind.kind == "Pod" && !kind.custom) enforce_limit_ranges(world, kind, name_space, object);
  enforce_pod_security(world, kind, name_space, object, options.warnings);
  if (world.get(kind, name_space, name_of(object))) throw already_exists(kind, name_of(object));
  enforce_quota(world, kind, name_space, object);
  drop_nulls(object);
  if (!options.owned) own_changes(kind, nullptr, object, {options.manager, options.subresource, world.stamp()});

  Record record;
  record.object = std::move(object);
  world.put(kind, record);
  return record;
}

namespace {

// What no update changes, and what only its own subresource does.
void keep_what_is_kept(const Kind& kind, const Json& old, Json& object, const WriteOptions& options) {
  auto& metadata = object["metadata"];
  for (const auto* field : {"name", "namespace", "uid", "creationTimestamp", "generation", "deletionTimestamp",
                            "deletionGracePeriodSeconds", "selfLink", "generateName"}) {
    if (const auto& had = at(old, std::string("metadata.") + field); !had.is_null())
      metadata[field] = had;
    else
      metadata.erase(field);
  }
  if (!kind.status) return;
  if (options.subresource == "status") {
    const auto status = at(object, "status");
    const auto owners = at(object, "metadata.managedFields");
    const auto sent = text(object, "metadata.resourceVersion");
    object = old;
    if (status.is_null())
      object.erase("status");
    else
      object["status"] = status;
    if (!owners.is_null()) object["metadata"]["managedFields"] = owners;
    object["metadata"]["resourceVersion"] = sent;
  } else if (const auto& status = at(old, "status"); !status.is_null()) {
    object["status"] = status;
  } else {
    object.erase("status");
  }
}

void check_preconditions(const Kind& kind, const Json& old, const Json& object) {
  const auto name = name_of(old);
  if (const auto given = uid_of(object); !given.empty() && given != uid_of(old))
    throw conflict(
        kind, name,
        fmt::format("StorageError: invalid object, Code: 4, Key: /registry/{}/{}/{}, ResourceVersion: 0, "
                    "AdditionalErrorMsg: Precondition failed: UID in precondition: {}, UID in object meta: {}",
                    kind.plural, namespace_of(old), name, given, uid_of(old)));
  if (const auto given = text(object, "metadata.resourceVersion");
      !given.empty() && given != text(old, "metadata.resourceVersion"))
    throw conflict(kind, name,
                   "the object has been modified; please apply your changes to the latest version and try again");
}

}  // namespace

Record update_object(World& world, const Kind& kind, Record old, Json object, const WriteOptions& options) {
  require_object(object);
  require_kind(kind, object);
  object["apiVersion"] = kind.api_version();
  object["kind"] = kind.kind;
  decode_object(kind, object, options);
  check_preconditions(kind, old.object, object);
  keep_what_is_kept(kind, old.object, object, options);
  if (options.subresource != "status") {
    fill_defaults(kind, object);
    prepare(world, kind, old.object, object);
  }
  drop_nulls(object);
  auto causes = validate_metadata(kind, object);
  // What an older version of this program stored is compared as this one would have stored it.
  auto before = old.object;
  if (!kind.custom) (void)decode(*kind.schema, before);
  for (const auto& more : {validate(kind, object), validate_change(kind, before, object)})
    causes.insert(causes.end(), more.begin(), more.end());
  add_broken_rules(kind, old.object, object, causes);
  if (options.subresource != "status") refuse_invalid(kind, object, causes);
  enforce_pod_security(world, kind, namespace_of(object), object, options.warnings);

  if (!options.owned) own_changes(kind, old.object, object, {options.manager, options.subresource, world.stamp()});
  if (kind.generation && options.subresource != "status" && spec_changed(kind, old.object, object))
    object["metadata"]["generation"] = integer(old.object, "metadata.generation") + 1;
  if (without_noise(old.object) == without_noise(object)) return old;
  old.object = std::move(object);
  world.put(kind, old);
  if (finish_removal(world, kind, old)) return old;
  return old;
}

namespace {

bool has_finalizers(const Json& object) {
  const auto& finalizers = at(object, "metadata.finalizers");
  return finalizers.is_array() && !finalizers.empty();
}

void check_remove(const Kind& kind, const Record& record, const RemoveOptions& options) {
  const auto name = name_of(record.object);
  if (!options.uid.empty() && options.uid != uid_of(record.object))
    throw conflict(
        kind, name,
        fmt::format("the UID in the precondition ({}) does not match the UID in record ({}). The object might "
                    "have been deleted and then recreated",
                    options.uid, uid_of(record.object)),
        true);
  if (const auto stored = std::to_string(record.revision);
      !options.resource_version.empty() && options.resource_version != stored)
    throw conflict(
        kind, name,
        fmt::format("the ResourceVersion in the precondition ({}) does not match the ResourceVersion in record "
                    "({}). The object might have been modified",
                    options.resource_version, stored),
        true);
}

// How long it may take to end: pods that run on a node are stopped first.
std::int64_t grace_of(const Kind& kind, const Json& object, const RemoveOptions& options) {
  if (kind.custom || kind.kind != "Pod") return 0;
  const auto phase = text(object, "status.phase");
  if (text(object, "spec.nodeName").empty() || phase == "Succeeded" || phase == "Failed") return 0;
  return options.grace_seconds.value_or(integer(object, "spec.terminationGracePeriodSeconds", 30));
}

}  // namespace

std::optional<Record> remove_object(World& world, const Kind& kind, Record record, const RemoveOptions& options) {
  check_remove(kind, record, options);
  auto& metadata = record.object["metadata"];
  if (options.propagation == "Foreground" || options.propagation == "Orphan") {
    const std::string finalizer = options.propagation == "Foreground" ? "foregroundDeletion" : "orphan";
    auto& finalizers = metadata["finalizers"];
    if (finalizers.is_null()) finalizers = Json::array();
    if (std::find(finalizers.begin(), finalizers.end(), finalizer) == finalizers.end()) finalizers.push_back(finalizer);
  }
  const bool is_namespace = kind.kind == "Namespace" && !kind.custom;
  const auto grace = grace_of(kind, record.object, options);
  if (!is_namespace && grace == 0 && !has_finalizers(record.object)) {
    world.erase(kind, record);
    return std::nullopt;
  }
  const bool first = !metadata.contains("deletionTimestamp");
  if (first) {
    metadata["deletionTimestamp"] = to_stamp(world.now() + grace * 1000);
    metadata["deletionGracePeriodSeconds"] = grace;
    if (is_namespace) {
      record.object["status"]["phase"] = "Terminating";
      metadata.erase("deletionGracePeriodSeconds");
    }
    if (kind.generation) metadata["generation"] = integer(record.object, "metadata.generation") + 1;
  } else if (grace < integer(record.object, "metadata.deletionGracePeriodSeconds")) {
    metadata["deletionGracePeriodSeconds"] = grace;
  }
  world.put(kind, record);
  on_removal(world, kind, record.object);
  return record;
}

bool finish_removal(World& world, const Kind& kind, const Record& record) {
  if (at(record.object, "metadata.deletionTimestamp").is_null() || has_finalizers(record.object)) return false;
  if (kind.kind == "Namespace" && !kind.custom && !at(record.object, "spec.finalizers").empty()) return false;
  if (integer(record.object, "metadata.deletionGracePeriodSeconds") > 0) return false;
  world.erase(kind, record);
  return true;
}

}  // namespace litedesk::sandbox::kube
