#include "commands/registry.hpp"

#include <optional>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "providers/error.hpp"
#include "templates/renderer.hpp"

namespace litedesk {
namespace {

using kubernetes::Object;

constexpr std::string_view template_name = "tenant-crd.yaml";
// Counts the schema's editions within one API version; a newer one may hold fields that an older one would drop.
constexpr std::string_view schema_annotation = "litedesk.io/schema";

const kubernetes::ResourceType& definition_type() {
  return kubernetes::type_of("apiextensions.k8s.io/v1", "CustomResourceDefinition");
}

std::string definition_name() {
  return fmt::format("{}.{}", tenant_type().plural, tenant_type().group);
}

kubernetes::ObjectRef definition_ref() {
  return {definition_type(), "", definition_name()};
}

std::string resource() {
  return fmt::format("CustomResourceDefinition {}", definition_name());
}

Object load_definition(const templates::Files& files) {
  const templates::File file = files.get(template_name);
  Object definition(templates::parse_yaml(file.text, file.origin));
  if (definition.kind() == "CustomResourceDefinition" && definition.name() == definition_name()) return definition;
  throw ValidationError({.message = fmt::format("{} does not describe {}", file.origin, definition_name()),
                         .hint = "eject the built-in one and change that: litedesk template eject DIR",
                         .resource = file.origin,
                         .cause = {}});
}

long schema_of(const Object& definition) {
  const std::string text = definition.annotation(schema_annotation);
  long edition = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || edition > 1'000'000) return 0;
    edition = edition * 10 + (c - '0');
  }
  return edition;
}

std::string version_of(const Object& definition) {
  const Json& versions = definition.at("spec.versions");
  if (!versions.is_array()) return {};
  for (const Json& version : versions) {
    if (version.value("storage", false)) return version.value("name", std::string());
  }
  return {};
}

void refuse_downgrade(const Object& installed, const Object& wanted) {
  if (schema_of(installed) <= schema_of(wanted)) return;
  throw Conflict({.message = fmt::format("the registry in the cluster has schema {}, newer than this litedesk's {}",
                                         schema_of(installed), schema_of(wanted)),
                  .hint = "upgrade litedesk; an older schema would drop fields of the tenants that are stored",
                  .resource = resource(),
                  .cause = {}});
}

// Requests a stop when the time is over or when another stop is requested.
class Deadline {
 public:
  Deadline(const system::Clock& clock, std::chrono::milliseconds timeout, std::stop_token outer)
      : forward_(std::move(outer), Forward{&source_}),
        timer_([this, &clock, timeout](const std::stop_token& cancelled) {
          if (clock.wait(timeout, cancelled)) source_.request_stop();
        }) {}
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  struct Forward {
    std::stop_source* source;
    void operator()() const { source->request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Forward> forward_;
  std::jthread timer_;
};

// What the last conditions say, for the message of a time-out.
std::string describe_conditions(const Object& definition) {
  std::string text;
  for (const char* type : {"NamesAccepted", "Established", "NonStructuralSchema"}) {
    const auto condition = kubernetes::find_condition(definition, type);
    if (!condition) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("{}={}", condition->type, condition->status);
    if (!condition->message.empty()) text += fmt::format(" ({})", condition->message);
  }
  return text.empty() ? "the API server has not reported on it yet" : text;
}

bool is_established(const Object& definition) {
  const auto names = kubernetes::find_condition(definition, "NamesAccepted");
  if (names && names->status == "False") {
    throw Conflict({.message = fmt::format("the cluster rejects the names of {}", definition_name()),
                    .hint = "another CustomResourceDefinition has them: kubectl get crd",
                    .resource = resource(),
                    .cause = names->message});
  }
  const auto established = kubernetes::find_condition(definition, "Established");
  return established && established->status == "True";
}

void wait_until_usable(const RegistryTarget& target, Object definition, std::chrono::milliseconds timeout,
                       const std::stop_token& stop) {
  bool established = is_established(definition);
  if (established && target.reader.serves(tenant_type())) return;
  const Deadline deadline(target.clock, timeout, stop);
  const auto give_up = [&] {
    if (stop.stop_requested())
      throw Cancelled("interrupted while the cluster was installing the registry: repeat the command");
    throw Timeout(
        {.message = fmt::format("{} was applied, and the API server does not serve it after {} s", definition_name(),
                                std::chrono::duration_cast<std::chrono::seconds>(timeout).count()),
         .hint = fmt::format("kubectl describe crd {}; then repeat the command", definition_name()),
         .resource = resource(),
         .cause = describe_conditions(definition)});
  };
  if (!established) {
    kubernetes::ListOptions only;
    only.field_selector = fmt::format("metadata.name={}", definition_name());
    target.watcher.watch(
        definition_type(), "", only,
        [&](const kubernetes::WatchEvent& event) {
          if (event.object.name() != definition_name()) return true;
          definition = event.object;
          established = event.type != kubernetes::EventType::deleted && is_established(definition);
          return !established;
        },
        deadline.token());
  }
  if (!established) give_up();
  // Established comes a moment before the kind's paths are there, and nothing announces them.
  while (!target.reader.serves(tenant_type())) {
    if (!target.clock.wait(std::chrono::milliseconds(50), deadline.token())) give_up();
  }
}

}  // namespace

const kubernetes::ResourceType& tenant_type() {
  return kubernetes::type_of("litedesk.io/v1alpha1", "Tenant");
}

void check_cluster(const Settings& settings, std::string_view cluster_id) {
  const std::string& pinned = settings.kubernetes.cluster_id;
  if (pinned.empty() || pinned == cluster_id) return;
  throw Conflict({.message = fmt::format("context {} is pinned to cluster {}, and this is cluster {}", settings.context,
                                         pinned, cluster_id),
                  .hint = "choose the right kubeconfig context with --kube-context, or change clusterId in the context",
                  .resource = "kubernetes Namespace kube-system",
                  .cause = {}});
}

RegistryInstall install_registry(const RegistryTarget& target, std::chrono::milliseconds timeout,
                                 std::stop_token stop) {
  const Object wanted = load_definition(target.files);
  const auto before = target.reader.get(definition_ref());
  if (before) refuse_downgrade(*before, wanted);
  kubernetes::ApplyOptions options;
  options.force = true;  // the schema is litedesk's own: what others set in it goes
  const Object applied = target.applier.apply(wanted, options);
  wait_until_usable(target, applied, timeout, stop);
  const bool unchanged = before && before->resource_version() == applied.resource_version();
  return {.outcome = !before     ? "installed"
                     : unchanged ? "unchanged"
                                 : "upgraded",
          .resource = definition_name(),
          .version = version_of(applied)};
}

RegistryStatus registry_status(store::Store& registry, kubernetes::ObjectReader* reader) {
  RegistryStatus status;
  status.where = registry.describe();
  if (reader != nullptr) {
    const auto definition = reader->get(definition_ref());
    status.installed = definition.has_value();
    status.served = reader->serves(tenant_type());
    if (definition) status.version = version_of(*definition);
    if (!status.installed) {
      status.problem = "not installed: run `litedesk registry install`";
    } else if (!status.served) {
      status.problem = describe_conditions(*definition);
    }
    if (!status.served) return status;
  } else {
    status.installed = status.served = true;
  }
  status.tenants = registry.list("").size();
  status.id = registry.registry_id();
  return status;
}

Json to_json(const RegistryInstall& install) {
  return {{"outcome", install.outcome}, {"resource", install.resource}, {"version", install.version}};
}

Json to_json(const RegistryStatus& status) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"where", status.where},   {"version", or_null(status.version)}, {"installed", status.installed},
          {"served", status.served}, {"problem", or_null(status.problem)}, {"tenants", status.tenants},
          {"id", or_null(status.id)}};
}

}  // namespace litedesk
