// Load balancers, ingress controllers and the addresses behind services.
#include <algorithm>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_controllers.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_names.hpp"
#include "providers/sandbox/kubernetes_selectors.hpp"
#include "providers/sandbox/kubernetes_write.hpp"

namespace litedesk::sandbox::kube {

namespace {

constexpr double publish_seconds = 1;

// True once `seconds` have passed since this was first asked about the object; arranges to be asked again.
bool waited(World& world, std::string_view resource, std::string_view controller, Record& record, double seconds) {
  if (!record.note.is_object() || !record.note.contains("publish")) {
    record.note["publish"] = world.in(seconds);
    world.put(resource, record);
  }
  const auto due = record.note["publish"].get<Millis>();
  if (due <= world.now()) return true;
  world.wake_at(due, controller, namespace_of(record.object), name_of(record.object));
  return false;
}

}  // namespace

void sync_service(World& world, const std::string& name_space, const std::string& name) {
  auto service = world.get("services", name_space, name);
  if (!service || text(service->object, "spec.type") != "LoadBalancer") return;
  if (!at(service->object, "status.loadBalancer.ingress").is_null()) return;
  if (!waited(world, "services", "service", *service, publish_seconds)) return;
  auto status = at(service->object, "status");
  status["loadBalancer"]["ingress"] =
      Json::array({{{"hostname", fmt::format("{:08x}.elb.amazonaws.com", small_hash(uid_of(service->object)))}}});
  record_event(world, service->object, "Normal", "EnsuredLoadBalancer", "Ensured load balancer", "service-controller");
  world.put_status("services", *service, std::move(status));
}

namespace {

// ingress-shim: a Certificate for each TLS entry of an Ingress that names an issuer.
void make_certificates(World& world, const Json& ingress) {
  const auto cluster_issuer = annotation_of(ingress, "cert-manager.io/cluster-issuer");
  const auto issuer = annotation_of(ingress, "cert-manager.io/issuer");
  const auto& entries = at(ingress, "spec.tls");
  if ((cluster_issuer.empty() && issuer.empty()) || !entries.is_array()) return;
  const auto* kind = world.kinds().by_kind("cert-manager.io/v1", "Certificate");
  if (kind == nullptr) return;
  for (const auto& entry : entries) {
    const auto secret = text(entry, "secretName");
    if (secret.empty()) continue;
    const Json spec = {{"secretName", secret},
                       {"dnsNames", at(entry, "hosts")},
                       {"usages", {"digital signature", "key encipherment"}},
                       {"issuerRef",
                        {{"group", "cert-manager.io"},
                         {"kind", cluster_issuer.empty() ? "Issuer" : "ClusterIssuer"},
                         {"name", cluster_issuer.empty() ? issuer : cluster_issuer}}}};
    WriteOptions options;
    options.manager = "cert-manager-certificates-ingress-shim";
    auto known = world.get(*kind, namespace_of(ingress), secret);
    if (!known) {
      Json certificate = {
          {"apiVersion", "cert-manager.io/v1"},
          {"kind", "Certificate"},
          {"metadata", {{"name", secret}, {"ownerReferences", Json::array({owner_reference(ingress)})}}},
          {"spec", spec}};
      create_object(world, *kind, namespace_of(ingress), std::move(certificate), options);
      record_event(world, ingress, "Normal", "CreateCertificate",
                   fmt::format("Successfully created Certificate \"{}\"", secret), "cert-manager-ingress-shim");
    } else if (text(controller_of(known->object), "uid") == uid_of(ingress) && at(known->object, "spec") != spec) {
      auto object = known->object;
      object["spec"] = spec;
      update_object(world, *kind, std::move(*known), std::move(object), options);
    }
  }
}

}  // namespace

void sync_ingress(World& world, const std::string& name_space, const std::string& name) {
  auto ingress = world.get("ingresses.networking.k8s.io", name_space, name);
  if (!ingress || !at(ingress->object, "metadata.deletionTimestamp").is_null()) return;
  make_certificates(world, ingress->object);
  auto wanted = text(ingress->object, "spec.ingressClassName");
  if (wanted.empty()) wanted = annotation_of(ingress->object, "kubernetes.io/ingress.class");
  if (!world.get("ingressclasses.networking.k8s.io", "", wanted)) return;
  const auto controller = world.get("services", "ingress-nginx", "ingress-nginx-controller");
  if (!controller || !at(ingress->object, "status.loadBalancer.ingress").is_null()) return;
  if (!waited(world, "ingresses.networking.k8s.io", "ingress", *ingress, publish_seconds)) return;
  record_event(world, ingress->object, "Normal", "Sync", "Scheduled for sync", "nginx-ingress-controller");
  world.put_status("ingresses.networking.k8s.io", *ingress,
                   {{"loadBalancer", at(controller->object, "status.loadBalancer")}});
}

namespace {

// The port of the pod that a port of the service leads to; 0 when the pod has none of that name.
std::int64_t target_of(const Json& port, const Json& pod) {
  const auto& target = at(port, "targetPort");
  if (target.is_number_integer()) return target.get<std::int64_t>();
  for (const auto& container : at(pod, "spec.containers")) {
    const auto& ports = at(container, "ports");
    if (!ports.is_array()) continue;
    for (const auto& candidate : ports)
      if (text(candidate, "name") == plain(target)) return integer(candidate, "containerPort");
  }
  return 0;
}

Json subsets_of(const Json& service, const std::vector<Record>& pods) {
  const auto& selector = at(service, "spec.selector");
  const auto matching = LabelSelector::of_object({{"matchLabels", selector}});
  Json subset = Json::object();
  for (const auto& pod : pods) {
    const auto ip = text(pod.object, "status.podIP");
    if (ip.empty() || !at(pod.object, "metadata.deletionTimestamp").is_null()) continue;
    if (!matching.matches(at(pod.object, "metadata.labels"))) continue;
    subset[pod_ready(pod.object) ? "addresses" : "notReadyAddresses"].push_back(
        {{"ip", ip},
         {"nodeName", text(pod.object, "spec.nodeName")},
         {"targetRef",
          {{"kind", "Pod"},
           {"namespace", namespace_of(pod.object)},
           {"name", name_of(pod.object)},
           {"uid", uid_of(pod.object)}}}});
    if (subset.contains("ports")) continue;
    for (const auto& port : at(service, "spec.ports")) {
      Json entry = {{"port", target_of(port, pod.object)}, {"protocol", text(port, "protocol")}};
      if (const auto port_name = text(port, "name"); !port_name.empty()) entry["name"] = port_name;
      subset["ports"].push_back(std::move(entry));
    }
  }
  return subset.empty() ? Json(nullptr) : Json::array({subset});
}

}  // namespace

namespace {

constexpr const char* managed_by = "endpoints.kubernetes.io/managed-by";

// Writes an object that follows from a service, if it differs in `field` from what is there.
void store_derived(World& world, const char* resource, Json object, std::initializer_list<const char*> fields) {
  const auto name_space = namespace_of(object);
  auto known = world.get(resource, name_space, name_of(object));
  if (known) {
    bool same = true;
    for (const auto* field : fields) same = same && at(known->object, field) == at(object, field);
    if (same) return;
    for (const auto* field : fields) {
      known->object.erase(field);
      if (object.contains(field)) known->object[field] = object[field];
    }
    return world.put(resource, *known);
  }
  Record made;
  object["metadata"]["uid"] = new_uid();
  object["metadata"]["creationTimestamp"] = world.stamp();
  made.object = std::move(object);
  world.put(resource, made);
}

Json slice_of(const Json& service, const Json& subsets) {
  Json slice = {{"apiVersion", "discovery.k8s.io/v1"},
                {"kind", "EndpointSlice"},
                {"metadata",
                 {{"name", fmt::format("{}-{}", name_of(service), random_suffix(uid_of(service)))},
                  {"namespace", namespace_of(service)},
                  {"generation", 1},
                  {"labels",
                   {{"kubernetes.io/service-name", name_of(service)},
                    {"endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"}}},
                  {"ownerReferences", Json::array({owner_reference(service)})}}},
                {"addressType", "IPv4"},
                {"endpoints", Json::array()},
                {"ports", Json::array()}};
  if (!subsets.is_array()) return slice;
  const auto& subset = subsets.front();
  slice["ports"] = at(subset, "ports");
  for (const auto* list : {"addresses", "notReadyAddresses"}) {
    const auto& addresses = at(subset, list);
    if (!addresses.is_array()) continue;
    const bool ready = std::string_view(list) == "addresses";
    for (const auto& address : addresses)
      slice["endpoints"].push_back({{"addresses", Json::array({text(address, "ip")})},
                                    {"conditions", {{"ready", ready}, {"serving", ready}, {"terminating", false}}},
                                    {"nodeName", text(address, "nodeName")},
                                    {"targetRef", at(address, "targetRef")}});
  }
  return slice;
}

}  // namespace

void sync_endpoints(World& world, const std::string& name_space) {
  const auto services = world.list("services", name_space);
  const auto known = world.list("endpoints", name_space);
  if (services.empty() && known.empty()) return;
  const auto pods = world.list("pods", name_space);
  for (const auto& service : services) {
    if (const auto& selector = at(service.object, "spec.selector"); !selector.is_object() || selector.empty()) continue;
    const auto subsets = subsets_of(service.object, pods);
    Json endpoints = {{"apiVersion", "v1"},
                      {"kind", "Endpoints"},
                      {"metadata",
                       {{"name", name_of(service.object)},
                        {"namespace", name_space},
                        {"labels", {{managed_by, "endpoint-controller"}}}}}};
    if (!subsets.is_null()) endpoints["subsets"] = subsets;
    store_derived(world, "endpoints", std::move(endpoints), {"subsets"});
    store_derived(world, "endpointslices.discovery.k8s.io", slice_of(service.object, subsets), {"endpoints", "ports"});
  }
  for (const auto& endpoints : known) {
    if (label_of(endpoints.object, managed_by).empty()) continue;
    const bool used = std::any_of(services.begin(), services.end(), [&](const Record& service) {
      return name_of(service.object) == name_of(endpoints.object);
    });
    if (!used) world.erase(world.kinds().get("endpoints"), endpoints);
  }
}

}  // namespace litedesk::sandbox::kube
