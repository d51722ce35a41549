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
  static const AppProfile litedesk = load_profile(templates::Files(), "litedesk");
  inputs.profile = &litedesk;
  inputs.app_secrets = {{"jwt-secret", Secret("0123456789abcdef")}};
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
  CHECK(names_in(objects_of(inputs_for("trial"))) == std::vector<std::string>{"Namespace/instance-acme-co",
                                                                              "ServiceAccount/litedesk",
                                                                              "Secret/app",
                                                                              "Secret/database",
                                                                              "PersistentVolumeClaim/uploads",
                                                                              "ResourceQuota/instance",
                                                                              "LimitRange/instance",
                                                                              "NetworkPolicy/deny-all",
                                                                              "NetworkPolicy/allow-dns",
                                                                              "NetworkPolicy/allow-ingress",
                                                                              "NetworkPolicy/backend",
                                                                              "NetworkPolicy/frontend",
                                                                              "Deployment/backend",
                                                                              "Deployment/frontend",
                                                                              "Service/backend",
                                                                              "Service/frontend",
                                                                              "PodDisruptionBudget/backend",
                                                                              "PodDisruptionBudget/frontend",
                                                                              "Certificate/tls",
                                                                              "Ingress/litedesk",
                                                                              "Ingress/blocked"});
  const auto enterprise = names_in(objects_of(inputs_for("enterprise")));
  CHECK(enterprise.size() == 22);
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
        "mongodb+srv://user_acme_co:p%40ss%2Fw%3Ard%25@crm.ab12c.mongodb.net/litedesk_acme_co#/y");
  CHECK(decoded(database, "password") == "p@ss/w:rd%");
  CHECK(decoded(find(objects, "Secret", "app"), "jwt-secret") == "0123456789abcdef");
  const auto backend = find(objects, "Deployment", "backend");
  for (const auto* name : {"MONGODB_URI", "JWT_SECRET"}) {
    const auto reference = variable(backend, name);
    CHECK(find(objects, "Secret", reference["name"])["data"].contains(reference["key"].get<std::string>()));
  }
  const auto checksum = [](const SpecInputs& inputs) {
    return find(objects_of(inputs), "Deployment",
                "backend")["spec"]["template"]["metadata"]["annotations"]["litedesk.io/secrets-checksum"];
  };
  auto other = inputs_for("trial");
  CHECK(checksum(other) == checksum(inputs_for("trial")));
  other.app_secrets["jwt-secret"] = Secret("another");
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

TEST_CASE("the environment is the profile's, filled in") {
  auto inputs = inputs_for("starter");
  inputs.tenant.custom_domain = "crm.acme.example";
  const auto backend = find(objects_of(inputs), "Deployment", "backend");
  CHECK(variable(backend, "NODE_ENV") == "production");
  CHECK(variable(backend, "PORT") == "3000");
  CHECK(variable(backend, "CORS_ORIGINS") == "https://acme-co.litedesk.com,https://crm.acme.example");
  const auto arivu = load_profile(templates::Files(), "arivu");
  inputs.profile = &arivu;
  const auto newer = find(objects_of(inputs), "Deployment", "backend");
  CHECK(variable(newer, "CLIENT_URL") == "https://acme-co.litedesk.com");
  // Every name below this domain is trusted: it must not be the other tenants'.
  CHECK(variable(newer, "TENANT_BASE_DOMAIN") == "acme-co.litedesk.com");
  for (const auto* unread : {"TENANT_SLUG", "BRAND_COMPANY_NAME", "JWT_EXPIRES_IN", "BASE_URL", "MASTER_DB_NAME"})
    CHECK(variable(backend, unread).is_null());
  CHECK_FALSE(container(find(objects_of(inputs), "Deployment", "frontend")).contains("env"));
}

TEST_CASE("what a context sets for the application is in its environment, and opens the way there") {
  const auto arivu = load_profile(templates::Files(), "arivu");
  auto inputs = inputs_for("trial");
  inputs.profile = &arivu;
  Settings settings;
  const auto ports = [&] {
    std::vector<int> found;
    const auto egress = find(objects_of(inputs, settings), "NetworkPolicy", "backend")["spec"]["egress"][0]["ports"];
    for (const auto& port : egress) found.push_back(port["port"].get<int>());
    return found;
  };
  CHECK(ports() == std::vector<int>{27015, 443});
  settings.app.environment = {{"SMTP_HOST", "smtp.example.com"}, {"EMAIL_FROM", "$(JWT_SECRET) <a@b.example>"}};
  inputs.app_secrets["smtp-pass"] = Secret("hunter2");
  CHECK(ports() == std::vector<int>{27015, 443, 587, 465});
  const auto backend = find(objects_of(inputs, settings), "Deployment", "backend");
  CHECK(variable(backend, "SMTP_HOST") == "smtp.example.com");
  CHECK(variable(backend, "EMAIL_FROM") == "$$(JWT_SECRET) <a@b.example>");
  CHECK(variable(backend, "SMTP_PASS") == Json{{"name", "app"}, {"key", "smtp-pass"}});
  CHECK(decoded(find(objects_of(inputs, settings), "Secret", "app"), "smtp-pass") == "hunter2");
}

TEST_CASE("every generation's server opens the tenant's own database, by the means that it knows") {
  const auto seen = [](const char* profile_name, const char* rule) {
    const auto profile = load_profile(templates::Files(), profile_name);
    auto inputs = inputs_for("trial");
    inputs.profile = &profile;
    Settings settings;
    settings.app.database = rule;
    const auto objects = objects_of(inputs, settings);
    const auto uri = decoded(find(objects, "Secret", "database"), "connection-string");
    const auto master = variable(find(objects, "Deployment", "backend"), "MASTER_DB_NAME");
    return uri.substr(uri.find("net/") + 4) + " " + (master.is_null() ? "-" : master.get<std::string>());
  };
  const std::string query = "?authSource=admin&retryWrites=true&w=majority&maxPoolSize=10";
  CHECK(seen("litedesk", "") == "litedesk_acme_co#/y -");
  CHECK(seen("litedesk", "uri") == "litedesk_acme_co" + query + " -");
  CHECK(seen("litedesk", "fixed litedesk_master") == "litedesk_master" + query + " -");
  CHECK(seen("arivu", "") == "litedesk_acme_co" + query + " litedesk_acme_co");
  CHECK(seen("arivu", "uri") == "litedesk_acme_co" + query + " -");
}

TEST_CASE("what must run once runs in one pod, beside the others where there are several") {
  const auto arivu = load_profile(templates::Files(), "arivu");
  const auto objects_for = [&](const char* tier) {
    auto inputs = inputs_for(tier);
    inputs.profile = &arivu;
    return objects_of(inputs);
  };
  const auto trial = objects_for("trial"), starter = objects_for("starter"), enterprise = objects_for("enterprise");
  CHECK(variable(find(trial, "Deployment", "backend"), "ENABLE_SCHEDULED_JOBS") == "true");
  CHECK(names_in(trial).size() == 21);
  for (const auto& objects : {starter, enterprise}) {
    CHECK(variable(find(objects, "Deployment", "backend"), "ENABLE_SCHEDULED_JOBS") == "false");
    const auto cron = find(objects, "Deployment", "backend-cron");
    CHECK(variable(cron, "ENABLE_SCHEDULED_JOBS") == "true");
    CHECK(cron["spec"]["replicas"] == 1);
    CHECK(cron["spec"]["strategy"] == Json{{"type", "Recreate"}});
    const auto names = names_in(objects);
    CHECK(std::count(names.begin(), names.end(), "Service/backend-cron") == 0);
    CHECK(std::count(names.begin(), names.end(), "HorizontalPodAutoscaler/backend-cron") == 0);
    CHECK(std::count(names.begin(), names.end(), "NetworkPolicy/backend-cron") == 1);
  }
}

TEST_CASE("a third component is a few lines of a profile") {
  testing::TemplateFolder folder;
  auto text = templates::Files().get("app/litedesk.yaml").text;
  folder.write("app/own.yaml", text +
                                   "\n- name: worker\n  image: litedesk/worker:3\n  user: 1001\n  replicas: 2\n"
                                   "  environment:\n  - {name: MONGODB_URI, from: database}\n"
                                   "  egress:\n  - {port: 27015, endPort: 27017}\n");
  folder.write("tiers.yaml", "");
  const auto profile = load_profile(folder.files(), "own");
  auto inputs = inputs_for("starter");
  inputs.profile = &profile;
  inputs.tenant.instance.components["worker"].image = "mine/worker:4";
  const auto objects = objects_of(inputs);
  const auto worker = find(objects, "Deployment", "worker");
  CHECK(worker["spec"]["replicas"] == 2);
  CHECK(container(worker)["image"] == "mine/worker:4");
  for (const auto* absent : {"ports", "startupProbe", "livenessProbe", "readinessProbe"})
    CHECK_FALSE(container(worker).contains(absent));
  CHECK(find(objects, "NetworkPolicy", "worker")["spec"]["egress"][0]["ports"].size() == 1);
  CHECK_FALSE(find(objects, "NetworkPolicy", "worker")["spec"].contains("ingress"));
  const auto names = names_in(objects);
  CHECK(std::count(names.begin(), names.end(), "Service/worker") == 0);
  Settings settings;
  settings.images["worker"] = "context/worker:5";
  inputs.tenant.instance.components.clear();
  CHECK(container(find(objects_of(inputs, settings), "Deployment", "worker"))["image"] == "context/worker:5");
}

TEST_CASE("containers fit Pod Security restricted, are probed as the profile says and have the tier's resources") {
  const auto objects = objects_of(inputs_for("starter"));
  for (const auto& each : {std::pair{"backend", 1001}, std::pair{"frontend", 101}}) {
    const auto* const name = each.first;
    const int user = each.second;
    CAPTURE(name);
    const auto deployment = find(objects, "Deployment", name);
    const auto pod = deployment["spec"]["template"]["spec"];
    CHECK(pod["securityContext"]["runAsNonRoot"] == true);
    CHECK(pod["securityContext"]["runAsUser"] == user);
    CHECK(pod["securityContext"]["runAsGroup"] == user);
    CHECK(pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault");
    CHECK(pod["automountServiceAccountToken"] == false);
    CHECK(pod["serviceAccountName"] == "litedesk");
    CHECK_FALSE(pod.contains("imagePullSecrets"));
    CHECK(container(deployment)["securityContext"] == Json{{"allowPrivilegeEscalation", false},
                                                           {"capabilities", {{"drop", {"ALL"}}}},
                                                           {"readOnlyRootFilesystem", true}});
    CHECK(container(deployment)["startupProbe"]["tcpSocket"] == Json{{"port", "http"}});
    CHECK(container(deployment)["livenessProbe"]["tcpSocket"] == Json{{"port", "http"}});
    CHECK(container(deployment)["readinessProbe"] ==
          Json{{"httpGet", {{"path", "/health"}, {"port", "http"}}}, {"periodSeconds", 5}});
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
  CHECK(backend["startupProbe"]["failureThreshold"] == 90);
  CHECK(find(objects, "Service", "frontend")["spec"]["ports"][0]["port"] == 80);
  CHECK(container(find(objects, "Deployment", "frontend"))["ports"][0]["containerPort"] == 80);
  CHECK(find(objects, "Deployment", "frontend")["spec"]["template"]["spec"]["securityContext"]["sysctls"] ==
        Json::array({{{"name", "net.ipv4.ip_unprivileged_port_start"}, {"value", "0"}}}));
}

TEST_CASE("folders end with the pod or outlive it, as the profile says") {
  const auto folders = [](const std::vector<Json>& objects, const char* name) {
    const auto pod = find(objects, "Deployment", name)["spec"]["template"]["spec"];
    std::map<std::string, std::string> found;
    for (const auto& mount : pod["containers"][0]["volumeMounts"])
      for (const auto& volume : pod["volumes"])
        if (volume["name"] == mount["name"])
          found[mount["mountPath"]] = volume.contains("emptyDir")
                                          ? volume["emptyDir"]["sizeLimit"].get<std::string>()
                                          : volume["persistentVolumeClaim"]["claimName"].get<std::string>();
    return found;
  };
  using Folders = std::map<std::string, std::string>;
  auto objects = objects_of(inputs_for("trial"));
  CHECK(folders(objects, "backend") == Folders{{"/tmp", "256Mi"}, {"/app/uploads", "uploads"}});
  CHECK(folders(objects, "frontend") == Folders{{"/tmp", "64Mi"}, {"/run", "16Mi"}, {"/var/cache/nginx", "256Mi"}});
  const auto claim = [](const std::vector<Json>& of) { return find(of, "PersistentVolumeClaim", "uploads")["spec"]; };
  CHECK(claim(objects) ==
        Json{{"accessModes", {"ReadWriteMany"}}, {"resources", {{"requests", {{"storage", "10Gi"}}}}}});
  CHECK(find(objects, "Deployment", "backend")["spec"]["template"]["spec"]["securityContext"]["fsGroup"] == 1001);
  CHECK(find(objects, "Deployment", "backend")["spec"]["strategy"]["type"] == "RollingUpdate");
  // One that only one node can mount: the old pod goes before the new one comes.
  Settings settings;
  settings.app.storage_class = "gp3";
  settings.app.access_mode = "ReadWriteOnce";
  objects = objects_of(inputs_for("trial"), settings);
  CHECK(claim(objects)["storageClassName"] == "gp3");
  CHECK(claim(objects)["accessModes"] == Json{"ReadWriteOnce"});
  CHECK(find(objects, "Deployment", "backend")["spec"]["strategy"] == Json{{"type", "Recreate"}});
  // What is there cannot be changed, and does not shrink.
  auto inputs = inputs_for("trial");
  inputs.claims["uploads"] = {"uploads", "20Gi", "ReadWriteMany", "efs", 1};
  CHECK(claim(objects_of(inputs, settings)) == Json{{"accessModes", {"ReadWriteMany"}},
                                                    {"storageClassName", "efs"},
                                                    {"resources", {{"requests", {{"storage", "20Gi"}}}}}});
}

TEST_CASE("replicas are the tier's or the tenant's, to begin with also where an autoscaler will set them") {
  auto inputs = inputs_for("enterprise");
  CHECK(find(objects_of(inputs), "Deployment", "backend")["spec"]["replicas"] == 3);
  const auto autoscaler = find(objects_of(inputs), "HorizontalPodAutoscaler", "backend")["spec"];
  CHECK(autoscaler["minReplicas"] == 2);
  CHECK(autoscaler["maxReplicas"] == 10);
  CHECK(autoscaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 80);
  inputs.tenant.instance.components["backend"].replicas = 5;
  inputs.tenant.instance.components["frontend"].replicas = 0;
  CHECK(find(objects_of(inputs), "Deployment", "backend")["spec"]["replicas"] == 5);
  CHECK(find(objects_of(inputs), "Deployment", "frontend")["spec"]["replicas"] == 0);
  CHECK(objects_of(inputs).size() == 21);
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
                      {"persistentvolumeclaims", "1"},
                      {"requests.storage", "10Gi"}});
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
  for (auto& [name, component] : small.tier.components) {
    component.resources.cpu_limit = "100m";
    component.resources.memory_limit = "64Mi";
  }
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

TEST_CASE("a RuntimeClass and a read-only root are the profile's to choose, and the context's") {
  testing::TemplateFolder folder;
  folder.write("app/own.yaml",
               "title: Own\ndatabase: uri\nroutes: [{path: /, component: web}]\ncomponents:\n"
               "- {name: web, image: \"own/web:1\", port: 8080, user: 1000}\n"
               "- {name: sealed, image: \"own/sealed:1\", user: 1000, readOnlyRoot: true, runtimeClass: kata}\n");
  const auto profile = load_profile(folder.files(), "own");
  const auto pod_of = [&](const Settings& settings, const char* name) {
    auto inputs = inputs_for("trial");
    inputs.profile = &profile;
    return find(objects_of(inputs, settings), "Deployment", name)["spec"]["template"]["spec"];
  };
  Settings settings;
  for (const auto* key : {"runtimeClassName", "volumes"}) CHECK_FALSE(pod_of(settings, "web").contains(key));
  CHECK_FALSE(pod_of(settings, "web")["containers"][0]["securityContext"].contains("readOnlyRootFilesystem"));
  CHECK(pod_of(settings, "sealed")["runtimeClassName"] == "kata");
  CHECK(pod_of(settings, "sealed")["containers"][0]["securityContext"]["readOnlyRootFilesystem"] == true);
  settings.kubernetes.runtime_class = "gvisor";
  settings.kubernetes.read_only_root = true;
  for (const auto* name : {"web", "sealed"}) {
    const auto pod = pod_of(settings, name);
    CHECK(pod["runtimeClassName"] == "gvisor");
    CHECK(pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] == true);
    CHECK(pod["containers"][0]["volumeMounts"] == Json::array({{{"name", "dir-tmp"}, {"mountPath", "/tmp"}}}));
    CHECK(pod["volumes"] == Json::array({{{"name", "dir-tmp"}, {"emptyDir", {{"sizeLimit", "256Mi"}}}}}));
  }
}

TEST_CASE("what nobody may reach from outside is refused by the ingress, in any case of letters") {
  auto inputs = inputs_for("trial");
  inputs.tenant.custom_domain = "crm.acme.example";
  const auto blocked = find(objects_of(inputs), "Ingress", "blocked");
  CHECK(blocked["metadata"]["annotations"]["nginx.ingress.kubernetes.io/denylist-source-range"] == "0.0.0.0/0,::/0");
  CHECK(blocked["metadata"]["annotations"]["nginx.ingress.kubernetes.io/use-regex"] == "true");
  REQUIRE(blocked["spec"]["rules"].size() == 2);
  for (const auto& rule : blocked["spec"]["rules"]) {
    CHECK(rule["http"]["paths"][0]["path"] == "/api/auth/register");
    CHECK(rule["http"]["paths"][1]["path"] == "/api/admin");
    CHECK(rule["http"]["paths"][0]["pathType"] == "ImplementationSpecific");
  }
  const auto arivu = load_profile(templates::Files(), "arivu");
  inputs.profile = &arivu;
  std::vector<std::string> paths;
  const auto ingress = find(objects_of(inputs), "Ingress", "litedesk");
  for (const auto& path : ingress["spec"]["rules"][0]["http"]["paths"]) paths.push_back(path["path"]);
  CHECK(paths == std::vector<std::string>{"/api", "/portal", "/"});
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
  CHECK(ingress["metadata"]["annotations"] == Json{{"nginx.ingress.kubernetes.io/ssl-redirect", "true"},
                                                   {"nginx.ingress.kubernetes.io/proxy-body-size", "12m"}});

  inputs.cert_manager = false;
  CHECK(objects_of(inputs).size() == 20);
  CHECK(find(objects_of(inputs), "Ingress", "litedesk")["spec"]["tls"][0]["secretName"] == "tls");
  inputs.cert_manager = true;
  settings.kubernetes.certificates = "ingress-default";
  objects = objects_of(inputs, settings);
  CHECK(objects.size() == 20);
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
    inputs.tenant.instance.components["backend"].image = image;
    const auto backend = find(objects_of(inputs), "Deployment", "backend");
    CHECK(container(backend)["image"] == image);
    CHECK(backend["metadata"]["labels"]["app.kubernetes.io/version"] == version);
  }
  Settings settings;
  settings.images["frontend"] = "mine/frontend:7";
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
  for (const auto& member : context["components"][0].items()) {
    const auto name = "component." + member.key();
    CAPTURE(name);
    CHECK(page.find("`" + name + "`") != std::string::npos);
  }
  for (const auto& entry : context.items()) {
    const std::string group = entry.key();
    if (group == "backend" || group == "frontend") continue;  // each of the components, under its name
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
