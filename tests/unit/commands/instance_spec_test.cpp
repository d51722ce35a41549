#include "commands/instance_spec.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include <doctest/doctest.h>

#include "providers/error.hpp"
#include "providers/system/hash.hpp"
#include "providers/system/sealed.hpp"
#include "tests/unit/commands/template_folder.hpp"

using namespace litedesk;

namespace {

SpecInputs inputs_for(const std::string& tier) {
  static const Tiers tiers{templates::Files()};
  SpecInputs inputs;
  inputs.tenant.slug = "acme-co";
  inputs.tenant.company = "Acme: \"Rockets\" & Co\n- x";
  inputs.tenant.owner = {"Jane O'Neil", "owner@acme.example", "+49 1"};
  inputs.tenant.tier = tier;
  inputs.tier = tiers.get(tier);
  inputs.load_balancer = "a1b2.elb.amazonaws.com";
  inputs.database_host = "crm.ab12c.mongodb.net";
  inputs.registry_id = "0f3c";
  inputs.database_password = Secret("p@ss/w:rd%");
  inputs.jwt_secret = Secret("0123456789abcdef");
  return inputs;
}

std::vector<Json> objects_of(const SpecInputs& inputs, const Settings& settings = {}) {
  return render_instance(templates::Files(), inputs, settings);
}

std::vector<std::string> names_in(const std::vector<Json>& objects) {
  std::vector<std::string> names;
  for (const auto& object : objects)
    names.push_back(object["kind"].get<std::string>() + "/" + object["metadata"]["name"].get<std::string>());
  return names;
}

Json find(const std::vector<Json>& objects, const std::string& kind, const std::string& name) {
  for (const auto& object : objects)
    if (object["kind"] == kind && object["metadata"]["name"] == name) return object;
  FAIL("there is no " << kind << " " << name);
  return nullptr;
}

Json container(const Json& deployment) {
  return deployment["spec"]["template"]["spec"]["containers"][0];
}

Json variable(const Json& deployment, const std::string& name) {
  const auto environment = container(deployment)["env"];
  for (const auto& entry : environment)
    if (entry["name"] == name) return entry.contains("value") ? entry["value"] : entry["valueFrom"]["secretKeyRef"];
  return nullptr;
}

std::string decoded(const Json& secret, const char* key) {
  const auto data = system::unseal(secret["data"][key].get<std::string>());
  return system::base64_decode(data.reveal()).value_or("no base64");
}

std::string error_of(const testing::TemplateFolder& folder) {
  try {
    return "no error: " + std::to_string(render_instance(folder.files(), inputs_for("trial"), {}).size());
  } catch (const ValidationError& error) {
    const auto& message = error.message();
    const auto prefix = folder.path().string() + "/";
    return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
  }
}

}  // namespace

TEST_CASE("an instance is these objects, in this order") {
  CHECK(names_in(objects_of(inputs_for("trial"))) ==
        std::vector<std::string>{
            "Namespace/instance-acme-co", "ServiceAccount/litedesk", "Secret/app", "Secret/database",
            "ResourceQuota/instance", "LimitRange/instance", "NetworkPolicy/deny-all", "NetworkPolicy/allow-dns",
            "NetworkPolicy/allow-ingress", "NetworkPolicy/backend", "NetworkPolicy/frontend", "Deployment/backend",
            "Service/backend", "PodDisruptionBudget/backend", "Deployment/frontend", "Service/frontend",
            "PodDisruptionBudget/frontend", "Certificate/tls", "Ingress/litedesk"});
  const auto enterprise = names_in(objects_of(inputs_for("enterprise")));
  CHECK(enterprise.size() == 20);
  CHECK(std::count(enterprise.begin(), enterprise.end(), "HorizontalPodAutoscaler/backend") == 1);
}

TEST_CASE("every object has the labels, and all but the namespace are in it") {
  for (const auto& object : objects_of(inputs_for("enterprise"))) {
    CAPTURE(object["kind"]);
    const auto& metadata = object["metadata"];
    CHECK(metadata.value("namespace", "") == (object["kind"] == "Namespace" ? "" : "instance-acme-co"));
    const auto& labels = metadata["labels"];
    CHECK(labels["app.kubernetes.io/name"] == "litedesk");
    CHECK(labels["app.kubernetes.io/instance"] == "acme-co");
    CHECK(labels["app.kubernetes.io/part-of"] == "litedesk");
    CHECK(labels["app.kubernetes.io/managed-by"] == "litedesk");
    CHECK(labels["litedesk.io/tenant"] == "acme-co");
    for (const auto& [key, value] : labels.items())
      CHECK(value.get<std::string>().find_first_not_of(
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == std::string::npos);
  }
}

TEST_CASE("the namespace says whose it is, and what a label cannot hold is an annotation") {
  const auto metadata = find(objects_of(inputs_for("trial")), "Namespace", "instance-acme-co")["metadata"];
  CHECK(metadata["annotations"] == Json{{"litedesk.io/registry", "0f3c"},
                                        {"litedesk.io/company", "Acme: \"Rockets\" & Co\n- x"},
                                        {"litedesk.io/owner-name", "Jane O'Neil"},
                                        {"litedesk.io/owner-email", "owner@acme.example"}});
  CHECK(metadata["labels"]["pod-security.kubernetes.io/enforce"] == "restricted");
  CHECK(metadata["labels"]["litedesk.io/tier"] == "trial");
  auto nameless = inputs_for("trial");
  nameless.tenant.owner = {};
  CHECK_FALSE(find(objects_of(nameless), "Namespace", "instance-acme-co")["metadata"]["annotations"].contains(
      "litedesk.io/owner-email"));
}

TEST_CASE("the pods read the secrets that are made, and a changed secret changes the pod") {
  const auto objects = objects_of(inputs_for("trial"));
  const auto database = find(objects, "Secret", "database");
  CHECK(decoded(database, "connection-string") ==
        "mongodb+srv://user_acme_co:p%40ss%2Fw%3Ard%25@crm.ab12c.mongodb.net/"
        "litedesk_acme_co?authSource=admin&retryWrites=true&w=majority&maxPoolSize=10");
  CHECK(decoded(database, "password") == "p@ss/w:rd%");
  CHECK(decoded(find(objects, "Secret", "app"), "jwt-secret") == "0123456789abcdef");
  const auto backend = find(objects, "Deployment", "backend");
  for (const auto* name : {"MONGO_URI", "JWT_SECRET"}) {
    const auto reference = variable(backend, name);
    CHECK(find(objects, "Secret", reference["name"])["data"].contains(reference["key"].get<std::string>()));
  }
  const auto checksum = [](const SpecInputs& inputs) {
    return find(objects_of(inputs), "Deployment",
                "backend")["spec"]["template"]["metadata"]["annotations"]["litedesk.io/secrets-checksum"];
  };
  auto other = inputs_for("trial");
  CHECK(checksum(other) == checksum(inputs_for("trial")));
  other.jwt_secret = Secret("another");
  CHECK(checksum(other) != checksum(inputs_for("trial")));
  other = inputs_for("trial");
  other.database_password = Secret("another");
  CHECK(checksum(other) != checksum(inputs_for("trial")));
}

TEST_CASE("nothing that is rendered holds a secret: it is put in where a request's body is written") {
  const auto inputs = inputs_for("enterprise");
  const auto context = template_context(inputs, {}).dump();
  std::string objects;
  for (const auto& object : objects_of(inputs)) objects += object.dump();
  for (const auto& text : {context, objects})
    for (const std::string secret : {"p@ss/w:rd%", "p%40ss", "0123456789abcdef"}) {
      CHECK(text.find(secret) == std::string::npos);
      CHECK(text.find(system::base64_encode(secret).substr(0, 8)) == std::string::npos);
    }
}

TEST_CASE("the backend's environment") {
  auto inputs = inputs_for("starter");
  inputs.tenant.company = "$(JWT_SECRET) & Co";
  const auto backend = find(objects_of(inputs), "Deployment", "backend");
  CHECK(variable(backend, "NODE_ENV") == "production");
  CHECK(variable(backend, "PORT") == "3000");
  CHECK(variable(backend, "JWT_EXPIRES_IN") == "1d");
  CHECK(variable(backend, "BASE_URL") == "https://acme-co.litedesk.com");
  CHECK(variable(backend, "TENANT_SLUG") == "acme-co");
  CHECK(variable(backend, "ENABLED_MODULES") == "contacts,deals,tasks,events,organizations,documents");
  CHECK(variable(backend, "BRAND_COMPANY_NAME") == "$$(JWT_SECRET) & Co");
  CHECK(variable(backend, "BRAND_LOGO_URL").is_null());
  inputs.tenant.config.logo_url = "https://acme.example/logo.png";
  inputs.tenant.config.company_name = "Acme";
  inputs.tenant.config.modules = {"deals"};
  const auto branded = find(objects_of(inputs), "Deployment", "backend");
  CHECK(variable(branded, "BRAND_LOGO_URL") == "https://acme.example/logo.png");
  CHECK(variable(branded, "BRAND_COMPANY_NAME") == "Acme");
  CHECK(variable(branded, "ENABLED_MODULES") == "deals");
}

TEST_CASE("containers fit Pod Security restricted, are probed at /health and have the tier's resources") {
  const auto objects = objects_of(inputs_for("starter"));
  for (const auto* name : {"backend", "frontend"}) {
    CAPTURE(name);
    const auto deployment = find(objects, "Deployment", name);
    const auto pod = deployment["spec"]["template"]["spec"];
    CHECK(pod["securityContext"]["runAsNonRoot"] == true);
    CHECK(pod["securityContext"]["runAsUser"] == 1001);
    CHECK(pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault");
    CHECK(pod["automountServiceAccountToken"] == false);
    CHECK(pod["serviceAccountName"] == "litedesk");
    CHECK_FALSE(pod.contains("imagePullSecrets"));
    CHECK(container(deployment)["securityContext"] ==
          Json{{"allowPrivilegeEscalation", false}, {"capabilities", {{"drop", {"ALL"}}}}});
    CHECK(container(deployment)["readinessProbe"]["httpGet"]["path"] == "/health");
    CHECK(container(deployment)["livenessProbe"]["httpGet"]["path"] == "/health");
    // A selector that matches the pods, a Service that reaches them.
    const auto labels = deployment["spec"]["template"]["metadata"]["labels"];
    for (const auto& [key, value] : deployment["spec"]["selector"]["matchLabels"].items()) CHECK(labels[key] == value);
    CHECK(find(objects, "Service", name)["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]);
    CHECK(find(objects, "PodDisruptionBudget", name)["spec"] ==
          Json{{"maxUnavailable", 1}, {"selector", deployment["spec"]["selector"]}});
    CHECK(labels["litedesk.io/tenant"] == "acme-co");
    CHECK(labels["app.kubernetes.io/managed-by"] == "litedesk");
  }
  const auto backend = container(find(objects, "Deployment", "backend"));
  CHECK(backend["resources"] ==
        Json{{"requests", {{"cpu", "250m"}, {"memory", "512Mi"}, {"ephemeral-storage", "256Mi"}}},
             {"limits", {{"cpu", "1"}, {"memory", "1Gi"}, {"ephemeral-storage", "1Gi"}}}});
  CHECK(backend["readinessProbe"]["initialDelaySeconds"] == 15);
  CHECK(backend["readinessProbe"]["periodSeconds"] == 5);
  CHECK(backend["livenessProbe"]["initialDelaySeconds"] == 30);
  CHECK(backend["livenessProbe"]["periodSeconds"] == 10);
  CHECK(find(objects, "Service", "frontend")["spec"]["ports"][0]["port"] == 80);
  CHECK(container(find(objects, "Deployment", "frontend"))["ports"][0]["containerPort"] == 8080);
}

TEST_CASE("replicas are the tier's or the tenant's, to begin with also where an autoscaler will set them") {
  auto inputs = inputs_for("enterprise");
  CHECK(find(objects_of(inputs), "Deployment", "backend")["spec"]["replicas"] == 3);
  const auto autoscaler = find(objects_of(inputs), "HorizontalPodAutoscaler", "backend")["spec"];
  CHECK(autoscaler["minReplicas"] == 2);
  CHECK(autoscaler["maxReplicas"] == 10);
  CHECK(autoscaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 80);
  inputs.tenant.instance.backend_replicas = 5;
  inputs.tenant.instance.frontend_replicas = 0;
  CHECK(find(objects_of(inputs), "Deployment", "backend")["spec"]["replicas"] == 5);
  CHECK(find(objects_of(inputs), "Deployment", "frontend")["spec"]["replicas"] == 0);
  CHECK(objects_of(inputs).size() == 19);
  CHECK(find(objects_of(inputs_for("starter")), "Deployment", "frontend")["spec"]["replicas"] == 2);
}

TEST_CASE("the quota has room for a rolling update, Jobs and challenges") {
  const auto trial = find(objects_of(inputs_for("trial")), "ResourceQuota", "instance")["spec"]["hard"];
  CHECK(trial == Json{{"pods", "7"},
                      {"requests.cpu", "1"},
                      {"requests.memory", "1664Mi"},
                      {"limits.cpu", "3500m"},
                      {"limits.memory", "4608Mi"},
                      {"requests.ephemeral-storage", "1792Mi"},
                      {"limits.ephemeral-storage", "7Gi"},
                      {"services.loadbalancers", "0"},
                      {"services.nodeports", "1"},
                      {"persistentvolumeclaims", "0"},
                      {"requests.storage", "0"}});
  const auto enterprise = find(objects_of(inputs_for("enterprise")), "ResourceQuota", "instance")["spec"]["hard"];
  CHECK(enterprise["pods"] == "27");  // 2 x (10 + 2) + 3
  CHECK(enterprise["limits.memory"] == "85504Mi");
}

TEST_CASE("no container asks for more than the tier's largest") {
  const auto max_of = [](const std::string& tier) {
    return find(objects_of(inputs_for(tier)), "LimitRange", "instance")["spec"]["limits"][0]["max"];
  };
  CHECK(max_of("trial") == Json{{"cpu", "500m"}, {"memory", "1Gi"}, {"ephemeral-storage", "1Gi"}});
  CHECK(max_of("professional") == Json{{"cpu", "2"}, {"memory", "4Gi"}, {"ephemeral-storage", "1Gi"}});
  // What a container gets that says nothing must be allowed, too.
  auto small = inputs_for("trial");
  small.tier.backend.cpu_limit = small.tier.frontend.cpu_limit = "100m";
  small.tier.backend.memory_limit = small.tier.frontend.memory_limit = "64Mi";
  const auto limits = find(objects_of(small), "LimitRange", "instance")["spec"]["limits"][0];
  CHECK(limits["max"] == limits["default"]);
}

TEST_CASE("the backend reaches the Internet and nothing inside, but for what the context says") {
  const auto ranges = [](const Settings& settings) {
    return find(objects_of(inputs_for("trial"), settings), "NetworkPolicy", "backend")["spec"]["egress"][0]["to"];
  };
  const auto has = [](const Json& block, const char* range) {
    const auto& except = block["ipBlock"]["except"];
    return std::find(except.begin(), except.end(), range) != except.end();
  };
  Settings settings;
  auto to = ranges(settings);
  REQUIRE(to.size() == 2);
  CHECK(to[0]["ipBlock"]["cidr"] == "0.0.0.0/0");
  CHECK(to[1]["ipBlock"]["cidr"] == "::/0");
  for (const auto* range : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"})
    CHECK_MESSAGE(has(to[0], range), range);
  for (const auto* range : {"fc00::/7", "fe80::/10", "64:ff9b::a00:0/104"}) CHECK_MESSAGE(has(to[1], range), range);
  settings.kubernetes.egress_denied = {"203.0.113.7/32", "2001:db8::/32"};
  settings.kubernetes.egress_allowed = {"10.8.0.0/21"};
  to = ranges(settings);
  REQUIRE(to.size() == 3);
  CHECK(has(to[0], "203.0.113.7/32"));
  CHECK(has(to[1], "2001:db8::/32"));
  CHECK_FALSE(has(to[0], "2001:db8::/32"));
  CHECK(to[2] == Json{{"ipBlock", {{"cidr", "10.8.0.0/21"}}}});
}

TEST_CASE("a RuntimeClass and a read-only root are the context's to choose") {
  const auto pod_of = [](const Settings& settings, const char* name) {
    return find(objects_of(inputs_for("trial"), settings), "Deployment", name)["spec"]["template"]["spec"];
  };
  Settings settings;
  for (const auto* name : {"backend", "frontend"})
    for (const auto* key : {"runtimeClassName", "volumes"}) CHECK_FALSE(pod_of(settings, name).contains(key));
  settings.kubernetes.runtime_class = "gvisor";
  settings.kubernetes.read_only_root = true;
  for (const auto* name : {"backend", "frontend"}) {
    const auto pod = pod_of(settings, name);
    CHECK(pod["runtimeClassName"] == "gvisor");
    CHECK(pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] == true);
    CHECK(pod["containers"][0]["volumeMounts"] == Json::array({{{"name", "tmp"}, {"mountPath", "/tmp"}}}));
    CHECK(pod["volumes"] == Json::array({{{"name", "tmp"}, {"emptyDir", {{"sizeLimit", "256Mi"}}}}}));
  }
}

TEST_CASE("certificates: for each host, the controller's own, or none without cert-manager") {
  auto inputs = inputs_for("trial");
  inputs.tenant.custom_domain = "crm.acme.example";
  Settings settings;
  settings.kubernetes.issuer = "staging";
  const Json hosts{"acme-co.litedesk.com", "crm.acme.example"};
  auto objects = objects_of(inputs, settings);
  const auto certificate = find(objects, "Certificate", "tls")["spec"];
  CHECK(certificate["dnsNames"] == hosts);
  CHECK(certificate["secretName"] == "tls");
  CHECK(certificate["issuerRef"] == Json{{"group", "cert-manager.io"}, {"kind", "ClusterIssuer"}, {"name", "staging"}});
  auto ingress = find(objects, "Ingress", "litedesk");
  CHECK(ingress["spec"]["tls"] == Json::array({{{"hosts", hosts}, {"secretName", "tls"}}}));
  CHECK(ingress["spec"]["rules"].size() == 2);
  CHECK(ingress["spec"]["rules"][1]["http"]["paths"][0]["path"] == "/api");
  CHECK(ingress["metadata"]["annotations"] == Json{{"nginx.ingress.kubernetes.io/ssl-redirect", "true"}});

  inputs.cert_manager = false;
  CHECK(objects_of(inputs).size() == 18);
  CHECK(find(objects_of(inputs), "Ingress", "litedesk")["spec"]["tls"][0]["secretName"] == "tls");
  inputs.cert_manager = true;
  settings.kubernetes.certificates = "ingress-default";
  objects = objects_of(inputs, settings);
  CHECK(objects.size() == 18);
  ingress = find(objects, "Ingress", "litedesk");
  CHECK(ingress["spec"]["tls"] == Json::array({{{"hosts", hosts}}}));
  CHECK(find(objects, "NetworkPolicy", "allow-ingress")["spec"]["ingress"][0]["ports"].size() == 2);
}

TEST_CASE("the network is closed but for DNS, the ingress controller, the database and HTTPS") {
  Settings settings;
  settings.kubernetes.ingress_namespace = "edge";
  settings.kubernetes.ingress_pod_labels = {{"app", "traefik"}};
  settings.kubernetes.ingress_class = "traefik";
  settings.kubernetes.image_pull_secrets = {"registry", "mirror"};
  const auto objects = objects_of(inputs_for("trial"), settings);
  CHECK(find(objects, "NetworkPolicy", "deny-all")["spec"] ==
        Json{{"podSelector", Json::object()}, {"policyTypes", {"Ingress", "Egress"}}});
  const auto dns = find(objects, "NetworkPolicy", "allow-dns")["spec"]["egress"][0];
  CHECK(dns["to"][0]["podSelector"]["matchLabels"] == Json{{"k8s-app", "kube-dns"}});
  CHECK(dns["to"][1] == Json{{"ipBlock", {{"cidr", "169.254.20.10/32"}}}});
  CHECK(dns["ports"].size() == 2);
  const auto ingress = find(objects, "NetworkPolicy", "allow-ingress")["spec"]["ingress"][0];
  CHECK(ingress["from"] ==
        Json::array({{{"namespaceSelector", {{"matchLabels", {{"kubernetes.io/metadata.name", "edge"}}}}},
                      {"podSelector", {{"matchLabels", {{"app", "traefik"}}}}}}}));
  CHECK(ingress["ports"][2]["port"] == 8089);
  const auto backend = find(objects, "NetworkPolicy", "backend")["spec"];
  CHECK(backend["egress"][0]["ports"] == Json::array({{{"protocol", "TCP"}, {"port", 27015}, {"endPort", 27017}},
                                                      {{"protocol", "TCP"}, {"port", 443}}}));
  CHECK(find(objects, "Ingress", "litedesk")["spec"]["ingressClassName"] == "traefik");
  for (const auto* name : {"backend", "frontend"})
    CHECK(find(objects, "Deployment", name)["spec"]["template"]["spec"]["imagePullSecrets"] ==
          Json::array({{{"name", "registry"}}, {{"name", "mirror"}}}));
}

TEST_CASE("the version label is the image's tag, whatever the reference looks like") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"litedesk/crm-backend:1.4.2", "1.4.2"},
      {"localhost:5000/crm", "latest"},
      {"localhost:5000/crm:v1", "v1"},
      {"crm", "latest"},
      {"crm@sha256:0123456789abcdef0123", "0123456789ab"},
      {"crm:2.0@sha256:0123456789abcdef", "2.0"},
      {"crm:" + std::string(62, 'a') + "-b", std::string(62, 'a')},
      {"crm:_x_", "x"}};
  for (const auto& each : cases) {
    const auto& image = each.first;
    const auto& version = each.second;
    CAPTURE(image);
    auto inputs = inputs_for("trial");
    inputs.tenant.instance.backend_image = image;
    const auto backend = find(objects_of(inputs), "Deployment", "backend");
    CHECK(container(backend)["image"] == image);
    CHECK(backend["metadata"]["labels"]["app.kubernetes.io/version"] == version);
  }
  Settings settings;
  settings.frontend_image = "mine/frontend:7";
  CHECK(container(find(objects_of(inputs_for("trial"), settings), "Deployment", "frontend"))["image"] ==
        "mine/frontend:7");
}

TEST_CASE("templates of one's own add objects, and cannot reach out of the namespace") {
  testing::TemplateFolder good;
  good.write("instance/90-config.yaml",
             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {slug: \"${tenant.slug}\"}\n");
  const auto objects = render_instance(good.files(), inputs_for("trial"), {});
  CHECK(objects.back()["metadata"]["namespace"] == "instance-acme-co");
  CHECK(objects.back()["metadata"]["labels"]["litedesk.io/tenant"] == "acme-co");

  const std::vector<std::pair<std::string, std::string>> cases{
      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra, namespace: kube-system}\n",
       "instance/90.yaml:1: it names another namespace"},
      {"# why not\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: extra}\n",
       "instance/90.yaml:2: ClusterRole extra is outside of the instance's namespace"},
      {"apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n", "instance/90.yaml:1: Namespace other is outside"},
      {"apiVersion: v1\nkind: Secret\nmetadata: {name: app}\n", "instance/90.yaml:1: Secret app is defined twice"},
      {"apiVersion: v1\nkind: ConfigMap\n", "instance/90.yaml:1: not a Kubernetes object: it has no metadata"},
      {"apiVersion: v1\nmetadata: {name: x}\n", "instance/90.yaml:1: not a Kubernetes object: it has no kind"},
      {"- a\n", "instance/90.yaml:1: not a Kubernetes object: it has no apiVersion"},
      {"apiVersion: v1\nkind: Thing\nmetadata: {name: x}\n", "instance/90.yaml:1: "},
      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"${tenant.slugg}\"}\n",
       "instance/90.yaml:3:18: unknown variable tenant.slugg"},
      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, labels: [a]}\n",
       "instance/90.yaml:1: metadata.labels is not a map"},
  };
  for (const auto& each : cases) {
    const auto& text = each.first;
    const auto& message = each.second;
    CAPTURE(text);
    testing::TemplateFolder folder;
    folder.write("instance/90.yaml", text);
    CHECK(error_of(folder).substr(0, message.size()) == message);
  }
  testing::TemplateFolder bare;
  bare.write("instance/10-namespace.yaml", "# left out\n");
  CHECK(error_of(bare) == "the templates in instance/ produce no Namespace");
}

TEST_CASE("what is printed holds no secret") {
  const auto inputs = inputs_for("trial");
  std::string printed;
  for (const auto& object : objects_of(inputs)) printed += mask_secrets(object).dump();
  for (const auto* secret :
       {"p@ss/w:rd%", "p%40ss%2Fw%3Ard%25", "0123456789abcdef\"", "cEBzcy93OnJkJQ==", "MDEyMzQ1Njc4OWFiY2RlZg=="})
    CHECK(printed.find(secret) == std::string::npos);
  const auto masked = mask_secrets(find(objects_of(inputs), "Secret", "database"));
  CHECK(masked["data"]["password"] == "(masked, 10 bytes)");
  CHECK(masked["metadata"]["name"] == "database");
  const auto live = mask_secrets(
      {{"kind", "Secret"},
       {"stringData", {{"a", "xyz"}, {"b", "x"}}},
       {"metadata", {{"annotations", {{"kubectl.kubernetes.io/last-applied-configuration", "{\"data\":\"xyz\"}"}}}}}});
  CHECK(live.dump().find("xyz") == std::string::npos);
  CHECK(live["stringData"]["b"] == "(masked, 1 byte)");
  CHECK(mask_secrets(Json{{"kind", "ConfigMap"}, {"data", {{"a", "xyz"}}}})["data"]["a"] == "xyz");
}

TEST_CASE("the page on templates names every variable") {
  std::ifstream in(std::string(LITEDESK_SOURCE_DIR) + "/docs/templates.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  const auto context = template_context(inputs_for("enterprise"), {});
  for (const auto& entry : context.items()) {
    const std::string group = entry.key();
    const auto& members = entry.value();
    if (group == "labels" || !members.is_object()) {
      CAPTURE(group);
      CHECK(page.find("`" + group + "`") != std::string::npos);
      continue;
    }
    for (const auto& member : members.items()) {
      const auto name = group + "." + member.key();
      CAPTURE(name);
      CHECK(page.find("`" + name + "`") != std::string::npos);
    }
  }
}
