#include "commands/registry.hpp"

#include <array>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands/host_claims.hpp"
#include "providers/error.hpp"
#include "templates/renderer.hpp"

namespace litedesk {
namespace {

using kubernetes::Object;

// Counts the schema's editions within one API version; a newer one may hold fields that an older one would drop.
constexpr std::string_view schema_annotation = "litedesk.io/schema";

const kubernetes::ResourceType& definition_type() {
  return kubernetes::type_of("apiextensions.k8s.io/v1", "CustomResourceDefinition");
}

// The kinds that a registry in a cluster is made of; the tenants' comes first.
struct Kind {
  const kubernetes::ResourceType& type;
  std::string_view template_name;

  [[nodiscard]] std::string definition() const { return fmt::format("{}.{}", type.plural, type.group); }
  [[nodiscard]] kubernetes::ObjectRef ref() const { return {definition_type(), "", definition()}; }
  [[nodiscard]] std::string resource() const { return fmt::format("CustomResourceDefinition {}", definition()); }
};

const std::array<Kind, 2>& kinds() {
  static const std::array<Kind, 2> all{
      {{tenant_type(), "tenant-crd.yaml"}, {host_claim_type(), "host-claim-crd.yaml"}}};
  return all;
}

Object load_definition(const templates::Files& files, const Kind& kind) {
  const templates::File file = files.get(kind.template_name);
  Object definition(templates::parse_yaml(file.text, file.origin));
  if (definition.kind() == "CustomResourceDefinition" && definition.name() == kind.definition()) return definition;
  throw ValidationError({.message = fmt::format("{} does not describe {}", file.origin, kind.definition()),
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

void refuse_downgrade(const Object& installed, const Object& wanted, const Kind& kind) {
  if (schema_of(installed) <= schema_of(wanted)) return;
  throw Conflict(
      {.message = fmt::format("the registry in the cluster has schema {} of {}, newer than this litedesk's {}",
                              schema_of(installed), kind.definition(), schema_of(wanted)),
       .hint = "upgrade litedesk; an older schema would drop fields that are stored",
       .resource = kind.resource(),
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

bool is_established(const Object& definition, const Kind& kind) {
  const auto names = kubernetes::find_condition(definition, "NamesAccepted");
  if (names && names->status == "False") {
    throw Conflict({.message = fmt::format("the cluster rejects the names of {}", kind.definition()),
                    .hint = "another CustomResourceDefinition has them: kubectl get crd",
                    .resource = kind.resource(),
                    .cause = names->message});
  }
  const auto established = kubernetes::find_condition(definition, "Established");
  return established && established->status == "True";
}

void wait_until_usable(const RegistryTarget& target, const Kind& kind, Object definition,
                       std::chrono::milliseconds timeout, const std::stop_token& stop) {
  bool established = is_established(definition, kind);
  if (established && target.reader.serves(kind.type)) return;
  const Deadline deadline(target.clock, timeout, stop);
  const auto give_up = [&] {
    if (stop.stop_requested())
      throw Cancelled("interrupted while the cluster was installing the registry: repeat the command");
    throw Timeout(
        {.message = fmt::format("{} was applied, and the API server does not serve it after {} s", kind.definition(),
                                std::chrono::duration_cast<std::chrono::seconds>(timeout).count()),
         .hint = fmt::format("kubectl describe crd {}; then repeat the command", kind.definition()),
         .resource = kind.resource(),
         .cause = describe_conditions(definition)});
  };
  if (!established) {
    kubernetes::ListOptions only;
    only.field_selector = fmt::format("metadata.name={}", kind.definition());
    target.watcher.watch(
        definition_type(), "", only,
        [&](const kubernetes::WatchEvent& event) {
          if (event.object.name() != kind.definition()) return true;
          definition = event.object;
          established = event.type != kubernetes::EventType::deleted && is_established(definition, kind);
          return !established;
        },
        deadline.token());
  }
  if (!established) give_up();
  // Established comes a moment before the kind's paths are there, and nothing announces them.
  while (!target.reader.serves(kind.type)) {
    if (!target.clock.wait(std::chrono::milliseconds(50), deadline.token())) give_up();
  }
}

// The API server counts the generations of what people wrote; its own notes on the object move the version alone. Our
// edition stands in an annotation, which is no generation.
bool is_unchanged(const Object& before, const Object& after) {
  return before.at("metadata.generation") == after.at("metadata.generation") && schema_of(before) == schema_of(after);
}

InstalledKind install(const RegistryTarget& target, const Kind& kind, std::chrono::milliseconds timeout,
                      const std::stop_token& stop) {
  const Object wanted = load_definition(target.files, kind);
  const auto before = target.reader.get(kind.ref());
  if (before) refuse_downgrade(*before, wanted, kind);
  kubernetes::ApplyOptions options;
  options.force = true;  // the schema is litedesk's own: what others set in it goes
  const Object applied = target.applier.apply(wanted, options);
  wait_until_usable(target, kind, applied, timeout, stop);
  return {.resource = kind.definition(),
          .version = version_of(applied),
          .outcome = !before                          ? "installed"
                     : is_unchanged(*before, applied) ? "unchanged"
                                                      : "upgraded"};
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

bool is_current(kubernetes::ObjectReader& reader, const templates::Files& files) {
  std::vector<kubernetes::ObjectRef> refs;
  for (const Kind& kind : kinds()) refs.push_back(kind.ref());
  const auto found = reader.get_all(refs);
  for (std::size_t index = 0; index < refs.size(); ++index) {
    if (const auto* error = std::get_if<std::exception_ptr>(&found[index])) std::rethrow_exception(*error);
    const auto& definition = std::get<std::optional<Object>>(found[index]);
    if (!definition || schema_of(*definition) < schema_of(load_definition(files, kinds()[index]))) return false;
  }
  return true;
}

RegistryInstall install_registry(const RegistryTarget& target, std::chrono::milliseconds timeout,
                                 std::stop_token stop) {
  RegistryInstall result;
  for (const Kind& kind : kinds()) {
    InstalledKind installed = install(target, kind, timeout, stop);
    if (&kind == &kinds().front()) {
      result.outcome = installed.outcome;
      result.version = installed.version;
    } else if (result.outcome == "unchanged" && installed.outcome != "unchanged") {
      result.outcome = "upgraded";
    }
    result.kinds.push_back(std::move(installed));
  }
  result.resource = kinds().front().definition();
  return result;
}

namespace {

// Of several problems the first kind's is told.
void read_kinds(kubernetes::ObjectReader& reader, RegistryStatus& status) {
  status.installed = status.served = true;
  for (const Kind& kind : kinds()) {
    const auto definition = reader.get(kind.ref());
    const bool served = reader.serves(kind.type);
    if (&kind == &kinds().front() && definition) status.version = version_of(*definition);
    status.installed = status.installed && definition.has_value();
    status.served = status.served && served;
    if (!status.problem.empty()) continue;
    if (!definition) {
      status.problem = fmt::format("{} is not installed: run `litedesk registry install`", kind.definition());
    } else if (!served) {
      status.problem = describe_conditions(*definition);
    }
  }
}

}  // namespace

RegistryStatus registry_status(store::Store& registry, kubernetes::ObjectReader* reader) {
  RegistryStatus status;
  status.where = registry.describe();
  if (reader != nullptr) {
    read_kinds(*reader, status);
    if (!status.served) return status;
  } else {
    status.installed = status.served = true;
  }
  status.tenants = registry.list("").size();
  status.id = registry.registry_id();
  return status;
}

Json to_json(const RegistryInstall& install) {
  Json kinds = Json::array();
  for (const InstalledKind& kind : install.kinds)
    kinds.push_back({{"resource", kind.resource}, {"version", kind.version}, {"outcome", kind.outcome}});
  return {{"outcome", install.outcome},
          {"resource", install.resource},
          {"version", install.version},
          {"kinds", std::move(kinds)}};
}

Json to_json(const RegistryStatus& status) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"where", status.where},   {"version", or_null(status.version)}, {"installed", status.installed},
          {"served", status.served}, {"problem", or_null(status.problem)}, {"tenants", status.tenants},
          {"id", or_null(status.id)}};
}

}  // namespace litedesk
