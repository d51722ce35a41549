// Watches, rollouts, logs and credentials against a real control plane.
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "providers/error.hpp"
#include "providers/kubernetes/rollout_status.hpp"
#include "providers/system/hash.hpp"
#include "providers/system/sealed.hpp"
#include "tests/contract/kubernetes_support.hpp"

using namespace litedesk;
using namespace litedesk::kubernetes;
using contract::Cluster;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& each : words) text += (text.empty() ? "" : ", ") + each;
  return text;
}

std::string word(const WatchEvent& event) {
  const char* const words[] = {"added ", "modified ", "deleted ", "bookmark"};
  return words[static_cast<int>(event.type)] +
         (event.type == EventType::bookmark ? std::string() : event.object.name());
}

// A kind of this test's own under a name that the client knows, unless the cluster has it.
class CustomKind {
 public:
  const ResourceType type = type_of("acme.cert-manager.io/v1", "Order");

  explicit CustomKind(Cluster& cluster) : cluster_(cluster) {
    if (cluster.client.serves(type)) return;
    const auto name = type.plural + "." + type.group;
    cluster.client.apply(
        Object(Json{{"apiVersion", "apiextensions.k8s.io/v1"},
                    {"kind", "CustomResourceDefinition"},
                    {"metadata", {{"name", name}}},
                    {"spec",
                     {{"group", type.group},
                      {"scope", "Namespaced"},
                      {"names", {{"kind", type.kind}, {"plural", type.plural}}},
                      {"versions",
                       Json::array({{{"name", type.version},
                                     {"served", true},
                                     {"storage", true},
                                     {"schema",
                                      {{"openAPIV3Schema",
                                        {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}}}}})}}}}),
        {});
    definition_ = cluster.ref("crd", name);
    // Served a moment after it is Established; discovery cannot be watched.
    for (int i = 0; i < 200 && !cluster.client.serves(type); ++i)
      (void)system::real_clock().wait(std::chrono::milliseconds(50), {});
    for (int i = 0; i < 200; ++i) try {
        (void)cluster.client.list(type, cluster.name_space, {});
        return;
      } catch (const NotFound&) {
        (void)system::real_clock().wait(std::chrono::milliseconds(50), {});
      }
  }
  ~CustomKind() {
    try {
      if (definition_) cluster_.client.remove(*definition_, {});
    } catch (const Error&) {
      // The cluster is thrown away after the tests.
    }
  }
  CustomKind(const CustomKind&) = delete;
  CustomKind& operator=(const CustomKind&) = delete;

 private:
  Cluster& cluster_;
  std::optional<ObjectRef> definition_;
};

ListOptions labelled(const std::string& selector) {
  ListOptions options;
  options.label_selector = selector;
  return options;
}

Object marked(Object object) {
  object.json()["metadata"]["labels"] = {{"test", "yes"}};
  return object;
}

}  // namespace

TEST_CASE("a watch tells what is there, and then what others do") {
  Cluster cluster;
  cluster.client.apply(marked(cluster.config_map("old")), {});
  std::vector<std::string> seen;
  std::jthread other;
  const bool met = cluster.wait_for(*find_type("cm"), labelled("test"), [&](const WatchEvent& event) {
    seen.push_back(word(event));
    if (event.type == EventType::bookmark && !other.joinable())
      other = std::jthread([&cluster] {
        cluster.client.apply(marked(cluster.config_map("new")), {});
        cluster.client.apply(marked(cluster.config_map("new", "2")), {});
        cluster.client.remove(cluster.ref("cm", "old"), {});
      });
    return seen.back() == "deleted old";
  });
  CHECK(met);
  std::erase(seen, "bookmark");
  CHECK(joined(seen) == "added old, added new, modified new, deleted old");
}

TEST_CASE("a version that the server has forgotten is repaired by a new list") {
  Cluster cluster;
  // The server remembers the changes of a kind from when it began to serve it: for a kind that is new, 1 is long ago.
  const CustomKind kind(cluster);
  const auto object = [&](const std::string& name) {
    return Object(Json{{"apiVersion", kind.type.api_version()},
                       {"kind", kind.type.kind},
                       {"metadata", {{"name", name}, {"namespace", cluster.name_space}}},
                       {"spec", Json::object()}});
  };
  cluster.client.apply(object("gone"), {});
  cluster.client.apply(object("kept"), {});
  contract::Relay relay;
  int watches = 0;
  relay.on_request = [&](http::Request& request) {
    const auto at = request.url.find("resourceVersion=");
    if (!contains(request.url, "watch=1") || at == std::string::npos || ++watches != 1) return;
    // While this watch was away one object went and one came.
    cluster.client.remove(object("gone").ref(), {});
    cluster.client.apply(object("came"), {});
    request.url.replace(at, request.url.find('&', at) - at, "resourceVersion=1");
  };
  Client client(relay, contract::test_cluster(), {});
  std::vector<std::string> seen;
  std::stop_source end;
  const std::jthread timer([&end](const std::stop_token& cancelled) {
    if (system::real_clock().wait(std::chrono::seconds(30), cancelled)) end.request_stop();
  });
  client.watch(
      kind.type, cluster.name_space, {},
      [&](const WatchEvent& event) {
        seen.push_back(word(event));
        return seen.size() < 6;
      },
      end.get_token());
  CHECK(joined(seen) == "added gone, added kept, bookmark, deleted gone, added came, bookmark");
}

TEST_CASE("a stop ends a quiet watch at once") {
  Cluster cluster;
  std::stop_source end;
  std::jthread stopper;
  std::chrono::steady_clock::time_point asked;
  cluster.client.watch(
      *find_type("cm"), cluster.name_space, labelled("nobody-has-this"),
      [&](const WatchEvent&) {
        if (!stopper.joinable())
          stopper = std::jthread([&](const std::stop_token& cancelled) {
            (void)system::real_clock().wait(std::chrono::milliseconds(300), cancelled);
            asked = std::chrono::steady_clock::now();
            end.request_stop();
          });
        return true;
      },
      end.get_token());
  const auto ended = std::chrono::steady_clock::now();
  stopper = {};
  CHECK(ended - asked < std::chrono::seconds(1));
}

TEST_CASE("a rollout is seen to its end, and its log is read") {
  Cluster cluster;
  cluster.client.apply(cluster.deployment("web", "app:1", 2), {});
  std::set<std::string> messages;
  CHECK(cluster.wait_for_named(cluster.ref("deploy", "web"), [&](const Object& deployment) {
    const auto status = deployment_status(deployment);
    messages.insert(status.message);
    return status.progress == Progress::done;
  }));
  CHECK(messages.contains("2/2 ready"));
  const auto pods = cluster.client.list(*find_type("po"), cluster.name_space, labelled("app=web"));
  REQUIRE(pods.items.size() == 2);
  CHECK(pod_troubles(pods.items[0]).empty());
  LogOptions options;
  options.tail_lines = 1;
  const auto log = cluster.client.logs(cluster.name_space, pods.items[0].name(), options);
  REQUIRE(log);
  CHECK_FALSE(log->empty());
  CHECK_FALSE(cluster.client.logs(cluster.name_space, "absent", {}));
}

TEST_CASE("a Job is seen to its success and to its failure") {
  Cluster cluster;
  const auto job = [&](const std::string& name, const std::string& image) {
    return Object(Json{
        {"apiVersion", "batch/v1"},
        {"kind", "Job"},
        {"metadata", {{"name", name}, {"namespace", cluster.name_space}}},
        {"spec",
         {{"backoffLimit", 0},
          {"template",
           {{"spec",
             {{"restartPolicy", "Never"}, {"containers", Json::array({{{"name", "main"}, {"image", image}}})}}}}}}}});
  };
  cluster.client.apply(job("good", "app:1"), {});
  cluster.client.apply(job("bad", "app:fail"), {});
  CHECK(cluster.wait_for_named(cluster.ref("job", "good"),
                               [](const Object& object) { return job_status(object).progress == Progress::done; }));
  std::string message;
  CHECK(cluster.wait_for_named(cluster.ref("job", "bad"), [&](const Object& object) {
    message = job_status(object).message;
    return job_status(object).progress == Progress::failed;
  }));
  CHECK(contains(message, "BackoffLimitExceeded"));
}

TEST_CASE("pods that do not come up say why") {
  Cluster cluster;
  cluster.client.apply(cluster.deployment("missing", "app:missing"), {});
  cluster.client.apply(cluster.deployment("crash", "app:crash"), {});
  auto unschedulable = cluster.deployment("nowhere", "app:1");
  unschedulable.json()["spec"]["template"]["spec"]["nodeSelector"] = {{"no", "such-node"}};
  cluster.client.apply(unschedulable, {});
  std::set<std::string> reasons;
  std::string missing_pod;
  CHECK(cluster.wait_for(*find_type("po"), {}, [&](const WatchEvent& event) {
    if (event.type == EventType::bookmark || event.type == EventType::deleted) return false;
    for (const auto& trouble : pod_troubles(event.object)) {
      if (trouble.image) reasons.insert("image"), missing_pod = event.object.name();
      if (trouble.crash && trouble.restarts > 0 && trouble.exit_code == 1) reasons.insert("crash");
      if (trouble.unschedulable && contains(trouble.message, "nodes are available")) reasons.insert("unschedulable");
    }
    return reasons.size() == 3;
  }));
  CHECK(reasons == std::set<std::string>{"crash", "image", "unschedulable"});
}

TEST_CASE("pods that may not be created are a ReplicaFailure") {
  Cluster cluster(Json{{"pod-security.kubernetes.io/enforce", "restricted"}});
  cluster.client.apply(cluster.deployment("web", "app:1"), {});
  std::string message;
  CHECK(cluster.wait_for_named(cluster.ref("deploy", "web"), [&](const Object& object) {
    if (const auto failure = replica_failure(object)) message = failure->message;
    return !message.empty();
  }));
  CHECK(contains(message, "violates PodSecurity"));
}

TEST_CASE("a service account's token is who it is, and a wrong one is nobody") {
  Cluster cluster;
  cluster.client.apply(Object(Json{{"apiVersion", "v1"},
                                   {"kind", "ServiceAccount"},
                                   {"metadata", {{"name", "robot"}, {"namespace", cluster.name_space}}}}),
                       {});
  cluster.client.apply(Object(Json{{"apiVersion", "v1"},
                                   {"kind", "Secret"},
                                   {"type", "kubernetes.io/service-account-token"},
                                   {"metadata",
                                    {{"name", "robot"},
                                     {"namespace", cluster.name_space},
                                     {"annotations", {{"kubernetes.io/service-account.name", "robot"}}}}}}),
                       {});
  std::string token;
  REQUIRE(cluster.wait_for_named(cluster.ref("Secret", "robot"), [&](const Object& secret) {
    token = system::base64_decode(system::unseal(secret.text("data.token")).reveal()).value_or("");
    return !token.empty();
  }));
  auto config = contract::test_cluster();
  config.tls.client_certificate_pem.clear();
  config.tls.client_key_pem = Secret();
  config.token = Secret(token);
  Client robot(contract::transport(), config, {});
  // The server's authenticator may see the new token a moment after we do.
  std::string refused;
  for (int i = 0; i < 200 && refused.empty(); ++i) {
    try {
      (void)robot.get(cluster.ref("cm", "x"));
      FAIL("the service account has no rights");
    } catch (const PermissionDenied& error) {
      refused = error.cause();
    } catch (const AuthError&) {
      (void)system::real_clock().wait(std::chrono::milliseconds(50), {});
    }
  }
  CHECK(contains(refused, "system:serviceaccount:" + cluster.name_space + ":robot"));
  config.token = Secret("wrong");
  Client wrong(contract::transport(), config, {});
  CHECK_THROWS_AS((void)wrong.get(cluster.ref("cm", "x")), AuthError);
}

TEST_CASE("a credential plugin signs in, and is run again when what it gave is refused") {
  Cluster cluster;
  auto config = contract::test_cluster();
  const Json good = {{"kind", "ExecCredential"},
                     {"apiVersion", "client.authentication.k8s.io/v1"},
                     {"status",
                      {{"clientCertificateData", config.tls.client_certificate_pem},
                       {"clientKeyData", config.tls.client_key_pem.reveal()}}}};
  auto bad = good;
  bad["status"] = {{"token", "stale"}};
  const auto folder = std::filesystem::temp_directory_path() / cluster.name_space;
  std::filesystem::create_directory(folder);
  std::ofstream(folder / "first") << bad.dump();
  std::ofstream(folder / "second") << good.dump();
  config.exec = ExecPlugin{};
  config.exec->api_version = "client.authentication.k8s.io/v1";
  config.exec->interactive_mode = "Never";
  config.exec->command = "/bin/sh";
  config.exec->arguments = {"-c", "cat \"$1/first\"; cp \"$1/second\" \"$1/first\"", "plugin", folder.string()};
  config.tls.client_certificate_pem.clear();
  config.tls.client_key_pem = Secret();
  Client client(contract::transport(), config, {});
  CHECK_FALSE(client.get(cluster.ref("cm", "absent")));
  const std::vector<ObjectRef> refs = {cluster.ref("cm", "a"), {*find_type("ns"), "", cluster.name_space}};
  CHECK(std::get<0>(client.get_all(refs)[1])->name() == cluster.name_space);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a server whose certificate another authority signed is refused") {
  auto config = contract::test_cluster();
  config.tls.ca_pem.clear();  // the system's authorities do not know the test cluster's
  ClientOptions options;
  options.request_timeout = std::chrono::seconds(5);
  Client client(contract::transport(), config, options);
  try {
    (void)client.server_version();
    FAIL("the certificate was accepted");
  } catch (const Unavailable& error) {
    CAPTURE(std::string(error.what()));
    CHECK(contains(error.hint(), "is the server of context"));
  }
}
