#include "providers/kubernetes/kubeconfig.hpp"

#include <filesystem>

#include <doctest/doctest.h>

#include "tests/unit/providers/kubernetes/support.hpp"

using namespace litedesk;
using namespace litedesk::kubernetes;
using kubernetes::test::contains;
using kubernetes::test::error_of;
using kubernetes::test::Folder;

namespace {

// One cluster, one user and one context of that name.
std::string one(const std::string& name, const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: " + name + "\nclusters:\n- {name: " + name + ", cluster: {" +
         cluster + "}}\nusers:\n- {name: " + name + ", user: {" + user + "}}\ncontexts:\n- {name: " + name +
         ", context: {cluster: " + name + ", user: " + name + "}}\n";
}

ClusterConfig load(const std::string& file, const std::string& context = {}) {
  KubeconfigQuery query;
  query.kubeconfig_flag = file;
  query.context = context;
  return load_cluster_config(query);
}

ClusterConfig load_list(const std::string& list, const std::string& context = {}) {
  KubeconfigQuery query;
  query.environment = {{"KUBECONFIG", list}, {"HOME", "/nonexistent"}};
  query.context = context;
  return load_cluster_config(query);
}

std::string base64(const std::string& text) {
  return system::base64_encode(text);
}

}  // namespace

TEST_CASE("a context gives the server, the namespace and the credentials") {
  const Folder folder;
  const auto file = folder.write("config", R"(
apiVersion: v1
kind: Config
preferences: {}
current-context: prod
clusters:
- name: c1
  cluster: {server: "https://api.example:6443/", tls-server-name: kube, proxy-url: "socks5://127.0.0.1:1080", disable-compression: true}
users:
- name: u1
  user: {token: 12345, as: somebody, as-uid: "7", as-groups: [g1, g2], as-user-extra: {Reason/Why: [a, b]}}
contexts:
- name: prod
  context: {cluster: c1, user: u1, namespace: team}
- name: bare
  context: {cluster: c1}
)");
  const auto config = load(file);
  CHECK(config.server == "https://api.example:6443");
  CHECK(config.name_space == "team");
  CHECK(config.context == "prod");
  CHECK(config.origin == file);
  CHECK(config.token.reveal() == "12345");
  CHECK(config.tls.server_name == "kube");
  CHECK(config.tls.proxy_url == "socks5://127.0.0.1:1080");
  CHECK(config.disable_compression);
  std::string headers;
  for (const auto& header : config.impersonation) headers += header.name + "=" + header.value + ";";
  CHECK(headers ==
        "Impersonate-User=somebody;Impersonate-Uid=7;Impersonate-Group=g1;Impersonate-Group=g2;Impersonate-Extra-"
        "reason%2Fwhy=a;Impersonate-Extra-reason%2Fwhy=b;");
  const auto bare = load(file, "bare");
  CHECK(bare.token.empty());
  CHECK(bare.name_space == "default");
}

TEST_CASE("JSON is a kubeconfig too") {
  const Folder folder;
  const auto file =
      folder.write("config.json", R"({"current-context":"a","clusters":[{"name":"a","cluster":{"server":"https://x"}}],
    "users":[],"contexts":[{"name":"a","context":{"cluster":"a","user":""}}]})");
  CHECK(load(file).server == "https://x");
}

TEST_CASE("the first file to name an entry wins, whole, and missing files are skipped") {
  const Folder folder;
  const auto first = folder.write("first", one("a", "server: https://first", "token: t1"));
  const auto second =
      folder.write("second", "current-context: b\n" +
                                 one("a", "server: https://second, tls-server-name: x", "token: t2").substr(50));
  const auto third = folder.write("third", one("b", "server: https://third", "token: t3"));
  const auto list = ":" + (folder / "absent") + ":" + first + "::" + second + ":" + first + ":" + third + ":";
  const auto config = load_list(list);
  CHECK(config.server == "https://first");
  CHECK(config.tls.server_name == "");
  CHECK(config.origin == first + ", " + second + ", " + third);
  CHECK(load_list(list, "b").server == "https://third");
}

TEST_CASE("the flag beats the setting, which beats KUBECONFIG, which beats the home folder") {
  const Folder folder;
  KubeconfigQuery query;
  folder.write(".kube/config", one("home", "server: https://home", ""));
  query.environment = {{"HOME", folder / ""}};
  CHECK(load_cluster_config(query).context == "home");
  query.environment["KUBECONFIG"] = folder.write("env", one("env", "server: https://env", ""));
  CHECK(load_cluster_config(query).context == "env");
  folder.write("setting", one("setting", "server: https://setting", ""));
  query.kubeconfig_setting = "~/setting";
  CHECK(load_cluster_config(query).context == "setting");
  query.kubeconfig_flag = folder.write("flag", one("flag", "server: https://flag", ""));
  CHECK(load_cluster_config(query).context == "flag");
}

TEST_CASE("a named file must be there, and no kubeconfig at all says where it was looked for") {
  const Folder folder;
  CHECK(contains(error_of<NotFound>([&] { load(folder / "absent"); }).message(), folder / "absent"));
  CHECK(contains(error_of<NotFound>([&] { load_list(folder / "absent"); }).message(), folder / "absent"));
  CHECK(contains(error_of<NotFound>([] { (void)load_cluster_config({}); }).message(), "neither KUBECONFIG nor HOME"));
  CHECK(contains(error_of<ValidationError>([&] { load(folder.write("empty", "")); }).message(), "is empty"));
  CHECK(contains(error_of<NotFound>([&] { load_list(folder.write("empty", "\n")); }).message(),
                 "the kubeconfig is empty"));
}

TEST_CASE("an unreadable file is a refused permission, and a folder is no file") {
  const Folder folder;
  CHECK_THROWS_AS(load(folder / ""), Error);
  const auto file = folder.write("config", one("a", "server: https://x", ""));
  std::filesystem::permissions(file, std::filesystem::perms::none);
  if (geteuid() == 0) return;  // nothing is unreadable to root
  CHECK(error_of<Error>([&] { load(file); }).code() == ErrorCode::permission_denied);
}

TEST_CASE("a context that is not there is answered with those that are, and the nearest") {
  const Folder folder;
  const auto file = folder.write(
      "config", "contexts:\n- {name: production, context: {cluster: c}}\n- {name: staging, context: {cluster: c}}\n");
  auto error = error_of<NotFound>([&] { load(file, "prodcution"); });
  CHECK(contains(error.message(), "context \"prodcution\" not found in " + file + " (there are: production, staging)"));
  CHECK(error.hint() == "did you mean \"production\"?");
  error = error_of<NotFound>([&] { load(file, "xyz"); });
  CHECK(contains(error.hint(), "--kube-context"));
  error = error_of<NotFound>([&] { load(file); });
  CHECK(contains(error.message(), "no current-context (there are: production, staging)"));
  const auto cut = folder.write("cut", "current-context: gone\n");
  CHECK(contains(error_of<NotFound>([&] { load(cut); }).message(), "(there are none)"));
}

TEST_CASE("what contradicts itself or was half written is refused with its file and line") {
  const auto good = test::make_certificate(-60, 3600);
  struct Row {
    const char* name;
    std::string text;
    int line;  // 0: any
    const char* says;
  };
  const auto key = "client-key-data: " + base64(good.key);
  const auto certificate = "client-certificate-data: " + base64(good.certificate);
  const std::vector<Row> rows = {
      {"YAML cut in a flow mapping", "clusters:\n- {name: a, cluster: {server: \"https://x", 2, "EOF"},
      {"tab as indentation", "clusters:\n\t- name: a\n", 2, "a tab cannot indent a line"},
      {"text", "hello", 1, "not a mapping"},
      {"another kind", "kind: Pod\n", 1, "the kind is Pod"},
      {"list of text", "clusters: [a]\n", 1, "must be a mapping"},
      {"no list", "clusters: {a: b}\n", 1, "must be a list"},
      {"another version", "kind: Config\napiVersion: v2\n", 2, "the apiVersion is v2"},
      {"entry without body", one("a", "server: https://x", "") + "users:\n- name: a\n", 10,
       "the key users is defined twice"},
      {"context without body", "current-context: a\ncontexts:\n- name: a\n", 3, "\"a\" of contexts has no context"},
      {"cluster without body",
       "current-context: a\nclusters:\n- name: a\n  cluster:\ncontexts:\n- {name: a, context: {cluster: a}}\n", 3,
       "\"a\" of clusters has no cluster"},
      {"body that is text",
       "current-context: a\nclusters:\n- name: a\n  cluster: x\ncontexts:\n- {name: a, context: {cluster: a}}\n", 4,
       "cluster must be a mapping"},
      {"twice", "clusters:\n- {name: a, cluster: {}}\n- {name: a, cluster: {}}\n", 3, "has \"a\" twice"},
      {"no server", one("a", "", ""), 5, "has no server"},
      {"server of another scheme", one("a", "server: \"ftp://x\"", ""), 5, "is not an http or https URL"},
      {"server without host", one("a", "server: \"https://\"", ""), 5, "is not a URL of a host"},
      {"server with password", one("a", "server: \"https://me:pw@x\"", ""), 5, "credentials in its URL"},
      {"flag that is none", one("a", "server: https://x, insecure-skip-tls-verify: maybe", ""), 5, "true or false"},
      {"CA and no verification",
       one("a",
           "server: https://x, insecure-skip-tls-verify: true, certificate-authority-data: " + base64(good.certificate),
           ""),
       5, "insecure-skip-tls-verify"},
      {"CA no base64", one("a", "server: https://x, certificate-authority-data: \"@@@\"", ""), 5, "not base64"},
      {"CA cut short",
       one("a", "server: https://x, certificate-authority-data: " + base64(good.certificate.substr(0, 200)), ""), 5,
       "is not a PEM certificate"},
      {"proxy", one("a", "server: https://x, proxy-url: \"gopher://y\"", ""), 5, "proxy-url"},
      {"token and password", one("a", "server: https://x", "token: t, username: u, password: p"), 7,
       "a token and a password"},
      {"exec and auth-provider", one("a", "server: https://x", "exec: {}, auth-provider: {name: oidc}"), 7,
       "exec and auth-provider"},
      {"auth-provider", one("a", "server: https://x", "auth-provider: {name: gcp}"), 7, "auth-provider \"gcp\""},
      {"certificate alone", one("a", "server: https://x", certificate), 7, "no client-key"},
      {"key alone", one("a", "server: https://x", key), 7, "no client-certificate"},
      {"key of another",
       one("a", "server: https://x",
           certificate + ", client-key-data: " + base64(test::make_certificate(-60, 3600).key)),
       0, "another certificate"},
      {"groups and nobody", one("a", "server: https://x", "as-groups: [g]"), 7, "no \"as\""},
      {"exec of an old version",
       one("a", "server: https://x", "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: aws}"), 7,
       "1.24 removed"},
      {"exec without version", one("a", "server: https://x", "exec: {command: aws}"), 7, "has no apiVersion"},
      {"exec without command", one("a", "server: https://x", "exec: {apiVersion: client.authentication.k8s.io/v1}"), 7,
       "has no command"},
      {"exec v1 without interactiveMode",
       one("a", "server: https://x", "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws}"), 7,
       "no interactiveMode"},
      {"exec with a mode that is none",
       one("a", "server: https://x",
           "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Maybe}"),
       7, "unknown interactiveMode"},
      {"cluster not there",
       "current-context: a\ncontexts:\n- {name: a, context: {cluster: b}}\nclusters:\n- {name: c, cluster: {}}\n", 3,
       "names the cluster \"b\""},
      {"user not there",
       "current-context: a\ncontexts:\n- {name: a, context: {cluster: c, user: u}}\nclusters:\n- {name: c, cluster: "
       "{server: https://x}}\n",
       3, "names the user \"u\""},
  };
  const Folder folder;
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto file = folder.write("config", row.text);
    const auto error = error_of<ValidationError>([&] { load(file); });
    CAPTURE(error.message());
    CHECK(contains(error.message(), row.line == 0 ? file : file + ":" + std::to_string(row.line)));
    CHECK(contains(error.message(), row.says));
  }
}

TEST_CASE("every prefix of a kubeconfig is refused or read, and nothing of its secrets is said") {
  const auto pair = test::make_certificate(-60, 3600);
  const auto whole =
      one("a", "server: https://x, certificate-authority-data: " + base64(pair.certificate),
          "client-certificate-data: " + base64(pair.certificate) + ", client-key-data: " + base64(pair.key));
  const Folder folder;
  int refused = 0;
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    const auto file = folder.write("config", whole.substr(0, size));
    try {
      (void)load(file);
    } catch (const Error& error) {
      ++refused;
      CHECK(error.message().size() < 1000);
      CHECK_FALSE(contains(error.message(), base64(pair.key).substr(0, 40)));
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("paths are relative to the file that names them, and data beats files") {
  const Folder folder;
  const auto pair = test::make_certificate(-60, 3600);
  const auto other = test::make_certificate(-60, 3600);
  folder.write("sub/pki/ca.crt", other.certificate);
  folder.write("sub/pki/me.crt", pair.certificate);
  folder.write("sub/pki/me.key", pair.key);
  auto config = load(
      folder.write("sub/config", one("a", "server: https://x, certificate-authority: pki/ca.crt",
                                     "client-certificate: pki/me.crt, client-key: ./pki/me.key, tokenFile: ../token")));
  CHECK(config.tls.ca_pem == other.certificate);
  CHECK(config.tls.client_certificate_pem == pair.certificate);
  CHECK(config.tls.client_key_pem.reveal() == pair.key);
  CHECK(config.token_file == folder / "token");
  config = load(folder.write(
      "sub/config",
      one("a",
          "server: https://x, certificate-authority: absent, certificate-authority-data: " + base64(pair.certificate),
          "")));
  CHECK(config.tls.ca_pem == pair.certificate);
  const auto error = error_of<NotFound>(
      [&] { load(folder.write("sub/config", one("a", "server: https://x, certificate-authority: absent", ""))); });
  CHECK(contains(error.message(), folder / "sub/absent"));
}

TEST_CASE("a client certificate that has expired is found before it is sent") {
  const Folder folder;
  const auto with = [&](const test::KeyPair& pair) {
    return folder.write("config", one("a", "server: https://x",
                                      "client-certificate-data: " + base64(pair.certificate) +
                                          ", client-key-data: " + base64(pair.key)));
  };
  CHECK_NOTHROW(load(with(test::make_certificate(-3600, 60))));
  CHECK(contains(error_of<AuthError>([&] { load(with(test::make_certificate(-3600, -60))); }).message(),
                 "the client certificate of \"a\""));
  CHECK(contains(error_of<AuthError>([&] { load(with(test::make_certificate(3600, 7200))); }).hint(), "clock"));
  // Past what a clock of nanoseconds can count: the year 9948 is far away.
  CHECK_NOTHROW(load(with(test::make_certificate(-3600, 250'000'000'000))));
  CHECK(contains(
      error_of<AuthError>([&] { load(with(test::make_certificate(240'000'000'000, 250'000'000'000))); }).message(),
      "valid only from 96"));
}

TEST_CASE("an exec plugin is taken whole") {
  const Folder folder;
  const auto file = folder.write("config", R"(
current-context: a
clusters:
- name: a
  cluster:
    server: https://x
    extensions:
    - {name: other, extension: 1}
    - {name: client.authentication.k8s.io/exec, extension: {audience: "06e3", n: 7, on: true, list: ["1", 1, null]}}
users:
- name: a
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: bin/token
      args: [--region, eu-west-1, get-token]
      env: [{name: AWS_PROFILE, value: prod}]
      installHint: get it from example.com
      provideClusterInfo: true
contexts: [{name: a, context: {cluster: a, user: a}}]
)");
  const auto config = load(file);
  REQUIRE(config.exec);
  CHECK(config.exec->command == folder / "bin/token");
  CHECK(config.exec->arguments == std::vector<std::string>{"--region", "eu-west-1", "get-token"});
  CHECK(config.exec->environment.at("AWS_PROFILE") == "prod");
  CHECK(config.exec->install_hint == "get it from example.com");
  CHECK(config.exec->interactive_mode == "IfAvailable");
  CHECK(config.exec->provide_cluster_info);
  CHECK(config.exec->cluster_config == R"({"audience":"06e3","list":["1",1,null],"n":7,"on":true})");
  const auto bare = folder.write(
      "bare", one("a", "server: https://x",
                  "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}"));
  CHECK(load(bare).exec->command == "aws");
}

TEST_CASE("in a pod without a kubeconfig the service account serves") {
  const Folder folder;
  KubeconfigQuery query;
  query.environment = {
      {"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}, {"HOME", folder / ""}};
  query.service_account_folder = folder / "sa";
  CHECK(contains(error_of<NotFound>([&] { (void)load_cluster_config(query); }).hint(), "automountServiceAccountToken"));
  folder.write("sa/token", "t\n");
  folder.write("sa/ca.crt", "PEM");
  folder.write("sa/namespace", "ops\n");
  auto config = load_cluster_config(query);
  CHECK(config.server == "https://[fd00::1]:443");
  CHECK(config.context == "in-cluster");
  CHECK(config.name_space == "ops");
  CHECK(config.token_file == folder / "sa/token");
  CHECK(config.tls.ca_pem == "PEM");
  query.environment["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
  CHECK(load_cluster_config(query).server == "https://10.0.0.1:443");
  // A kubeconfig is preferred, and a context by name is never the service account.
  query.context = "production";
  CHECK_THROWS_AS(static_cast<void>(load_cluster_config(query)), NotFound);
  query.context.clear();
  folder.write(".kube/config", one("home", "server: https://home", ""));
  CHECK(load_cluster_config(query).context == "home");
}

TEST_CASE("a server without a scheme is https where TLS is set up") {
  const Folder folder;
  CHECK(load(folder.write("a", one("a", "server: \"x:8080\"", ""))).server == "http://x:8080");
  CHECK(load(folder.write("b", one("a", "server: \"x:8443\", insecure-skip-tls-verify: true", ""))).server ==
        "https://x:8443");
  const auto pair = test::make_certificate(-60, 3600);
  const auto user = "client-certificate-data: " + base64(pair.certificate) + ", client-key-data: " + base64(pair.key);
  CHECK(load(folder.write("d", one("a", "server: \"x:8443\"", user))).server == "https://x:8443");
  CHECK(load(folder.write("c", one("a", "server: \"HTTPS://rancher/k8s/clusters/c-1/\"", ""))).server ==
        "https://rancher/k8s/clusters/c-1");
}

TEST_CASE("a key that is there twice where it is read is refused with its line") {
  const auto whole = one("a", "server: https://x", "token: t");
  const auto with = [](const std::string& cluster, const std::string& user) { return one("a", cluster, user); };
  const std::vector<std::pair<std::string, std::string>> rows = {
      {whole + "current-context: b\n", ":10:"},
      {whole + "clusters: []\n", ":10:"},
      {whole + "kind: Config\n", ":10:"},
      {"{\"current-context\": \"a\",\n\"current-context\": \"b\"}", ":2:"},
      {with("server: https://x, server: https://y", ""), ":5:"},
      {with("server: https://x", "token: t, token: u"), ":7:"},
      {with("server: https://x",
            "exec: {apiVersion: client.authentication.k8s.io/v1, command: a, command: b, interactiveMode: Never}"),
       ":7:"},
      {with("server: https://x", "as: a, as-user-extra: {x: [a], x: [b]}"), ":7:"},
      {"current-context: a\ncontexts:\n- name: a\n  name: b\n  context: {cluster: a}\n", ":4:"},
      {"current-context: a\ncontexts:\n- name: a\n  context:\n    cluster: a\n    cluster: b\n", ":6:"},
  };
  const Folder folder;
  for (const auto& row : rows) {
    CAPTURE(row.first);
    const auto file = folder.write("config", row.first);
    const auto message = error_of<ValidationError>([&] { load(file); }).message();
    CAPTURE(message);
    CHECK(contains(message, "kubeconfig " + file + row.second));
    CHECK(contains(message, "is defined twice"));
  }
}

TEST_CASE("what the chosen context does not use does not matter, as to kubectl") {
  const Folder folder;
  const auto whole = one("a", "server: https://x", "token: t");
  const auto more = [&](const std::string& clusters, const std::string& users, const std::string& contexts) {
    auto text = whole;
    text.replace(text.find("users:\n"), 0, clusters);
    text.replace(text.find("contexts:\n"), 0, users);
    return text + contexts;
  };
  for (const auto& text : std::vector<std::string>{
           more("- null\n-\n", "- ~\n", "- null\n"),
           more("- cluster: {server: y}\n- cluster:\n", "- user: {}\n", "- context: {}\n- name:\n"),
           more("- name: b\n- name: c\n  cluster: null\n", "- name: b\n  user:\n", "- name: b\n"),
           more("- {name: b, cluster: {server: x, server: y}}\n", "- {name: b, user: {token: [1]}}\n",
                "- {name: b, context: {cluster: gone, user: gone}}\n"),
           more("- {name: b, cluster: {insecure-skip-tls-verify: maybe, extensions: 1}}\n",
                "- {name: b, user: {exec: {env: [1]}}}\n", "- {name: b, context: text}\n"),
           whole + "preferences: {}\nextensions: null\nunknown: {a: 1, a: 2}\n",
           whole + "preferences: null\n---\ncurrent-context: b\ncurrent-context: c\n",
           whole + "---\n",
       }) {
    CAPTURE(text);
    CHECK(load(folder.write("config", text)).server == "https://x");
  }
  const auto bare =
      "current-context: a\nusers: null\nclusters:\n- {name: a, cluster: {server: https://x}}\n"
      "contexts:\n- {name: a, context: {cluster: a}}\n";
  CHECK(load(folder.write("config", bare)).server == "https://x");
}

TEST_CASE("anchors, merges and tags are taken as kubectl takes them") {
  const Folder folder;
  const auto text = R"(
defaults: &d {server: "https://x", tls-server-name: kube}
current-context: !!str a
clusters:
- name: &n a
  cluster: {<<: *d, tls-server-name: mine, insecure-skip-tls-verify: yes}
contexts:
- {name: !x a, context: {cluster: *n}}
)";
  const auto config = load(folder.write("config", text));
  CHECK(config.server == "https://x");
  CHECK(config.tls.server_name == "mine");
  CHECK(config.tls.insecure_skip_verify);
}

TEST_CASE("bytes that are not UTF-8 are refused by file and line, wherever they stand") {
  const Folder folder;
  const auto exec =
      "exec: {apiVersion: client.authentication.k8s.io/v1, command: a, interactiveMode: Never, "
      "provideClusterInfo: true}";
  for (const auto& cluster : {"server: https://x\xFF", "server: https://x, tls-server-name: \xE9",
                              "server: https://x, extensions: [{name: client.authentication.k8s.io/exec, "
                              "extension: {a: \"\x80\"}}]"}) {
    const auto file = folder.write("config", one("a", cluster, exec));
    const auto message = error_of<ValidationError>([&] { load(file); }).message();
    CAPTURE(message);
    CHECK(contains(message, "kubeconfig " + file + ":5:"));
    CHECK(contains(message, "not UTF-8"));
  }
  // What an escape names is a character.
  const auto config =
      load(folder.write("config", one("a",
                                      "server: https://x, tls-server-name: \"a\\_\", extensions: [{name: "
                                      "client.authentication.k8s.io/exec, extension: {a: \"\\N\"}}]",
                                      exec)));
  CHECK(config.tls.server_name == "a\xC2\xA0");
  REQUIRE(config.exec);
  CHECK(config.exec->cluster_config == "{\"a\":\"\xC2\x85\"}");
}

TEST_CASE("a kubeconfig that YAML readers loop over or blow up on is refused at once") {
  const Folder folder;
  std::string bomb = "current-context: a\na0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const auto below = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below;
    for (int j = 1; j < 9; ++j) bomb += ", " + below;
    bomb += "]\n";
  }
  for (const auto& text : {std::string(","), std::string("--- ,\n"), bomb, std::string(100'000, '[')})
    CHECK(contains(error_of<ValidationError>([&] { load(folder.write("config", text)); }).message(), "config:"));
}
