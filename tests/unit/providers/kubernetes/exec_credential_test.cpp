#include "providers/kubernetes/exec_credential.hpp"

#include <filesystem>
#include <stop_token>
#include <thread>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "tests/unit/providers/kubernetes/support.hpp"

using namespace litedesk;
using namespace litedesk::kubernetes;
using kubernetes::test::contains;
using kubernetes::test::error_of;
using kubernetes::test::Folder;

namespace {

const auto start = *system::from_rfc3339("2026-01-02T03:00:00Z");

class FixedClock : public system::SkippingClock {
 public:
  system::TimePoint time = start;
  [[nodiscard]] system::TimePoint now() const override { return time; }
};

ClusterConfig with_plugin() {
  ClusterConfig config;
  config.server = "https://api.example";
  config.context = "production";
  config.exec = ExecPlugin{};
  config.exec->api_version = "client.authentication.k8s.io/v1";
  config.exec->command = "get-token";
  config.exec->arguments = {"--cluster", "x"};
  config.exec->environment = {{"AWS_PROFILE", "prod"}};
  config.exec->interactive_mode = "IfAvailable";
  config.exec->install_hint = "get it from example.com";
  return config;
}

std::string credential(const std::string& status) {
  return R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{)" + status + "}}";
}

std::string yaml_credential(const std::string& status) {
  return "kind: ExecCredential\napiVersion: client.authentication.k8s.io/v1\nstatus: {" + status + "}\n";
}

// A plugin that counts its runs, and says which one it was.
struct Plugin {
  int runs = 0;
  system::Command last;
  std::string expires = "2026-01-02T03:14:00Z";
  int exit_code = 0;

  ExecOptions options(const system::Clock& clock, const std::string& folder = {}) {
    ExecOptions result;
    result.clock = &clock;
    result.cache_folder = folder;
    result.run = [this](const system::Command& command) {
      last = command;
      ++runs;
      auto status = "\"token\":\"token-" + std::to_string(runs) + "\"";
      if (!expires.empty()) status += ",\"expirationTimestamp\":\"" + expires + "\"";
      return system::CommandResult{exit_code, credential(status)};
    };
    return result;
  }
};

}  // namespace

TEST_CASE("the plugin is told who asks, and of the cluster only when it wants to know") {
  auto config = with_plugin();
  CHECK(exec_info(config, false) ==
        R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}})");
  config.exec->provide_cluster_info = true;
  config.exec->cluster_config = R"({"audience":"x"})";
  config.tls.ca_pem = "PEM";
  config.tls.server_name = "kube";
  const auto cluster = Json::parse(exec_info(config, true)).at("spec").at("cluster");
  CHECK(
      cluster ==
      Json::parse(
          R"({"server":"https://api.example","certificate-authority-data":"UEVN","tls-server-name":"kube","config":{"audience":"x"}})"));
}

TEST_CASE("what a plugin prints must be a credential of the version asked for") {
  const auto plugin = *with_plugin().exec;
  CHECK(parse_exec_credential(credential(R"("token":"t")"), plugin).token.reveal() == "t");
  CHECK_FALSE(parse_exec_credential(credential(R"("token":"t")"), plugin).expires);
  CHECK(parse_exec_credential(credential(R"("token":"t","expirationTimestamp":"2026-01-02T03:00:00Z")"), plugin)
            .expires == start);
  struct Row {
    std::string output;
    const char* says;
  };
  for (
      const auto& row :
      {Row{"", "printed nothing"},
       Row{" \n", "printed nothing"},
       Row{"s3cret", "neither JSON nor YAML"},
       Row{"[]", "neither JSON nor YAML"},
       Row{"kind: ExecCredential\nstatus: {token: *s3cret}", "neither JSON nor YAML"},
       Row{"s3cret: [", "neither JSON nor YAML"},
       Row{"--- ,", "neither JSON nor YAML"},
       Row{"\xFF", "neither JSON nor YAML"},
       Row{std::string(100'000, '['), "neither JSON nor YAML"},
       Row{"kind: Pod", "kind is not"},
       Row{yaml_credential("token: yes"), "neither a token"},
       Row{yaml_credential("token: 12345"), "neither a token"},
       Row{yaml_credential("token: s3cret, clientKeyData: x"), "must come together"},
       Row{yaml_credential("token: s3cret, expirationTimestamp: 12"), "expirationTimestamp"},
       Row{R"({"kind":"Pod"})", "kind is not"},
       Row{R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"s3cret"}})",
           "another version"},
       Row{R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"})", "no status"},
       Row{credential(""), "neither a token"},
       Row{credential(R"("clientCertificateData":"s3cret")"), "must come together"},
       Row{credential(R"("token":"s3cret","expirationTimestamp":"tomorrow")"), "expirationTimestamp"},
       Row{credential(R"("token":"s3cret\nX-Evil: 1")"), "line breaks"}}) {
    CAPTURE(row.output);
    const auto error = error_of<AuthError>([&] { (void)parse_exec_credential(row.output, plugin); });
    CHECK(contains(error.message(), row.says));
    CHECK_FALSE(contains(error.message() + error.cause() + error.hint(), "s3cret"));
  }
}

TEST_CASE("a plugin may print YAML, which is taken as kubectl takes it") {
  const auto plugin = *with_plugin().exec;
  const auto read = [&](const std::string& output) { return parse_exec_credential(output, plugin); };
  CHECK(read(yaml_credential("token: t")).token.reveal() == "t");
  const auto whole = read(R"(# made by a plugin
---
apiVersion: client.authentication.k8s.io/v1
kind: ExecCredential
spec: {interactive: no}
status:
  expirationTimestamp: 2026-01-02T03:00:00Z
  token: |-
    t
...
)");
  CHECK(whole.token.reveal() == "t");
  CHECK(whole.expires == start);
  CHECK(read("{kind: ExecCredential, apiVersion: client.authentication.k8s.io/v1, status: {token: 't', token: 'u'}}")
            .token.reveal() == "u");
  CHECK(read(yaml_credential("token: t") + "---\nkind: Pod\n").token.reveal() == "t");
  CHECK(read(yaml_credential("token: \"t\\_\"")).token.reveal() == "t\xC2\xA0");
  const auto pair = test::make_certificate(-60, 3600);
  const auto certificate = yaml_credential("clientCertificateData: " + Json(pair.certificate).dump() +
                                           ", clientKeyData: " + Json(pair.key).dump());
  CHECK(read(certificate).client_key_pem.reveal() == pair.key);
}

TEST_CASE("a credential that ends in the year 9999 lives, and is kept as it was read") {
  const Folder folder;
  FixedClock clock;
  Plugin plugin;
  plugin.expires = "9999-12-31T23:59:59Z";
  {
    ExecCredentials credentials(with_plugin(), plugin.options(clock, folder / "cache"));
    CHECK(system::to_rfc3339(*credentials.get().expires) == plugin.expires);
  }
  ExecCredentials again(with_plugin(), plugin.options(clock, folder / "cache"));
  CHECK(system::to_rfc3339(*again.get().expires) == plugin.expires);
  CHECK(plugin.runs == 1);
}

TEST_CASE("the end of a client certificate is the end of the credential that says none") {
  const auto pair = test::make_certificate(-60, 3600);
  const auto output = credential("\"clientCertificateData\":" + Json(pair.certificate).dump() +
                                 ",\"clientKeyData\":" + Json(pair.key).dump());
  const auto parsed = parse_exec_credential(output, *with_plugin().exec);
  CHECK(parsed.client_certificate_pem == pair.certificate);
  REQUIRE(parsed.expires);
  CHECK(*parsed.expires > std::chrono::system_clock::now());
}

TEST_CASE("a plugin runs once while its credential lives") {
  FixedClock clock;
  Plugin plugin;
  auto options = plugin.options(clock);
  options.withheld = {"MONGODB_"};
  ExecCredentials credentials(with_plugin(), options);
  CHECK(credentials.get().token.reveal() == "token-1");
  CHECK(credentials.get().token.reveal() == "token-1");
  CHECK(plugin.last.program == "get-token");
  CHECK(plugin.last.withheld == options.withheld);
  CHECK(plugin.last.arguments == std::vector<std::string>{"--cluster", "x"});
  CHECK(plugin.last.environment.at("AWS_PROFILE") == "prod");
  CHECK(contains(plugin.last.environment.at("KUBERNETES_EXEC_INFO"), "\"interactive\":false"));
  CHECK_FALSE(plugin.last.inherit_stdin);
  clock.time = start + std::chrono::minutes(13) + std::chrono::seconds(45);  // within the last half minute
  CHECK(credentials.get().token.reveal() == "token-2");
}

TEST_CASE("a credential that ends soon is replaced early, and nobody else waits for that") {
  FixedClock clock;
  Plugin plugin;
  auto options = plugin.options(clock);
  ExecCredentials* others = nullptr;
  std::string meanwhile;
  options.run = [&, run = options.run](const system::Command& command) {
    if (others != nullptr && plugin.runs == 1) std::thread([&] { meanwhile = others->get().token.reveal(); }).join();
    return run(command);
  };
  ExecCredentials credentials(with_plugin(), options);
  (void)credentials.get();
  others = &credentials;
  clock.time = start + std::chrono::minutes(8);
  CHECK(credentials.get().token.reveal() == "token-1");
  clock.time = start + std::chrono::minutes(10);
  CHECK(credentials.get().token.reveal() == "token-2");
  CHECK(meanwhile == "token-1");
  // The plugin has none that lasts longer: it is not run for each request.
  CHECK(credentials.get().token.reveal() == "token-2");
  CHECK(plugin.runs == 2);
  // Nor does its failure matter while the old one lives.
  plugin.exit_code = 1;
  clock.time = start + std::chrono::minutes(12);
  CHECK(credentials.get().token.reveal() == "token-2");
  CHECK(plugin.runs == 3);
  clock.time = start + std::chrono::minutes(15);
  CHECK_THROWS_AS((void)credentials.get(), AuthError);
}

TEST_CASE("what has expired in the cache is taken away when something new is kept") {
  const Folder folder;
  FixedClock clock;
  Plugin plugin;
  const std::string old = folder.write("cache/" + std::string(64, 'a') + ".json",
                                       R"({"token":"t","expirationTimestamp":"2026-01-02T02:00:00Z"})");
  const std::string damaged = folder.write("cache/" + std::string(64, 'b') + ".json", "{\"tok");
  const std::string living = folder.write("cache/" + std::string(64, 'c') + ".json",
                                          R"({"token":"t","expirationTimestamp":"2026-01-02T04:00:00Z"})");
  const std::string foreign = folder.write("cache/notes.json", "{}");
  ExecCredentials credentials(with_plugin(), plugin.options(clock, folder / "cache"));
  (void)credentials.get();
  CHECK_FALSE(std::filesystem::exists(old));
  CHECK_FALSE(std::filesystem::exists(damaged));
  CHECK(std::filesystem::exists(living));
  CHECK(std::filesystem::exists(foreign));
}

TEST_CASE("a refused credential is renewed once, however many were refused with it") {
  FixedClock clock;
  Plugin plugin;
  plugin.expires.clear();
  ExecCredentials credentials(with_plugin(), plugin.options(clock));
  const auto first = credentials.get();
  CHECK(credentials.renew(first).token.reveal() == "token-2");
  CHECK(credentials.renew(first).token.reveal() == "token-2");
  CHECK(plugin.runs == 2);
}

TEST_CASE("another process finds the credential in the cache, which only its owner can read") {
  const Folder folder;
  FixedClock clock;
  Plugin plugin;
  {
    ExecCredentials credentials(with_plugin(), plugin.options(clock, folder / "cache"));
    (void)credentials.get();
  }
  ExecCredentials again(with_plugin(), plugin.options(clock, folder / "cache"));
  const auto cached = again.get();
  CHECK(cached.token.reveal() == "token-1");
  CHECK(plugin.runs == 1);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "cache")) {
    ++files;
    struct stat info {};
    REQUIRE(stat(entry.path().c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    // A damaged file is replaced.
    std::ofstream(entry.path()) << "{\"token\":";
  }
  CHECK(files == 1);
  ExecCredentials third(with_plugin(), plugin.options(clock, folder / "cache"));
  CHECK(third.get().token.reveal() == "token-2");
  // Refused: the cached one is not asked again.
  CHECK(third.renew(third.get()).token.reveal() == "token-3");
  clock.time += std::chrono::hours(1);
  plugin.expires = "2026-01-02T05:00:00Z";
  ExecCredentials later(with_plugin(), plugin.options(clock, folder / "cache"));
  CHECK(later.get().token.reveal() == "token-4");
}

TEST_CASE("a credential that says no end is not kept for another process") {
  const Folder folder;
  FixedClock clock;
  Plugin plugin;
  plugin.expires.clear();
  for (int i = 0; i < 2; ++i) {
    ExecCredentials credentials(with_plugin(), plugin.options(clock, folder / "cache"));
    (void)credentials.get();
  }
  CHECK(plugin.runs == 2);
  CHECK_FALSE(std::filesystem::exists(folder / "cache"));
}

TEST_CASE("a cache folder that cannot be written costs nothing but time") {
  const Folder folder;
  FixedClock clock;
  Plugin plugin;
  ExecCredentials credentials(with_plugin(), plugin.options(clock, folder.write("file", "") + "/below"));
  CHECK(credentials.get().token.reveal() == "token-1");
}

TEST_CASE("the cache tells apart whatever may be another identity") {
  const std::map<std::string, std::string> environment = {{"HOME", "/home/me"}, {"PWD", "/a"}, {"SHLVL", "1"}};
  const auto key = exec_cache_key(with_plugin(), environment);
  CHECK(exec_cache_key(with_plugin(), {{"HOME", "/home/me"},
                                       {"PWD", "/b"},
                                       {"SHLVL", "3"},
                                       {"SSH_TTY", "x"},
                                       {"LITEDESK_TIMEOUT", "1m"},
                                       {"GITHUB_RUN_ID", "7"},
                                       {"DBUS_SESSION_BUS_ADDRESS", "x"}}) == key);
  for (const char* name : {"AWS_REGION", "KUBELOGIN_CACHE", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG",
                           "AZURE_TENANT_ID", "AAD_LOGIN_METHOD", "USER", "PATH"}) {
    CAPTURE(name);
    auto other = environment;
    other[name] = "x";
    CHECK(exec_cache_key(with_plugin(), other) != key);
  }
  CHECK(exec_cache_key(with_plugin(), {{"HOME", "/home/me"}, {"AWS_PROFILE", "other"}}) != key);
  CHECK(exec_cache_key(with_plugin(), {{"HOME", "/root"}}) != key);
  CHECK_NOTHROW((void)exec_cache_key(with_plugin(), {{"X", "\xff\xfe"}}));
  for (const auto& change : std::vector<std::function<void(ClusterConfig&)>>{
           [](ClusterConfig& config) { config.server += "2"; },
           [](ClusterConfig& config) { config.exec->command = "/bin/other"; },
           [](ClusterConfig& config) { config.exec->arguments = {"--cluster x"}; },
           [](ClusterConfig& config) { config.exec->environment["AWS_PROFILE"] = "dev"; },
           [](ClusterConfig& config) { config.exec->api_version = "client.authentication.k8s.io/v1beta1"; },
           [](ClusterConfig& config) { config.exec->provide_cluster_info = true; }}) {
    auto config = with_plugin();
    change(config);
    CHECK(exec_cache_key(config, environment) != key);
  }
}

TEST_CASE("the terminal is the plugin's only when both sides agree") {
  FixedClock clock;
  for (const auto* mode : {"Never", "IfAvailable", "Always"})
    for (const bool interactive : {false, true}) {
      CAPTURE(mode);
      CAPTURE(interactive);
      Plugin plugin;
      auto config = with_plugin();
      config.exec->interactive_mode = mode;
      auto options = plugin.options(clock);
      options.interactive = interactive;
      ExecCredentials credentials(config, options);
      if (std::string(mode) == "Always" && !interactive) {
        CHECK(contains(error_of<AuthError>([&] { (void)credentials.get(); }).message(), "needs a terminal"));
        CHECK(plugin.runs == 0);
        continue;
      }
      (void)credentials.get();
      CHECK(plugin.last.inherit_stdin == (interactive && std::string(mode) != "Never"));
    }
}

TEST_CASE("a plugin that fails, is missing or gives what is past says so with its hint") {
  FixedClock clock;
  Plugin plugin;
  plugin.exit_code = 3;
  ExecCredentials failing(with_plugin(), plugin.options(clock));
  auto error = error_of<AuthError>([&] { (void)failing.get(); });
  CHECK(contains(error.message(), "exit code 3"));
  CHECK(error.hint() == "get it from example.com");
  CHECK_FALSE(contains(error.what(), "token-1"));
  plugin.exit_code = 0;
  plugin.expires = "2026-01-02T02:59:00Z";
  CHECK(contains(error_of<AuthError>([&] { (void)failing.get(); }).message(), "expired at 2026-01-02T02:59:00Z"));
  auto absent = with_plugin();
  absent.exec->command = "/nonexistent/plugin";
  ExecOptions real;
  ExecCredentials missing(absent, real);
  error = error_of<AuthError>([&] { (void)missing.get(); });
  CHECK(contains(error.message(), "is not installed"));
  CHECK(error.hint() == "get it from example.com");
}

TEST_CASE("a real plugin is run without a shell, with its variables") {
  const Folder folder;
  const auto script = folder.write("plugin",
                                   "#!/bin/sh\nprintf "
                                   "'{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
                                   "v1\",\"status\":{\"token\":\"%s|%s|%s\"}}' "
                                   "\"$AWS_PROFILE\" \"$2\" \"${KUBERNETES_EXEC_INFO:+told}\"\n");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  auto config = with_plugin();
  config.exec->command = script;
  config.exec->arguments = {"a", "$(id); b"};
  ExecCredentials credentials(config, {});
  CHECK(credentials.get().token.reveal() == "prod|$(id); b|told");
}

TEST_CASE("Ctrl-C ends a plugin that runs; one that starts afterwards, to undo something, runs to its end") {
  const Folder folder;
  const auto started = folder / "started";
  auto config = with_plugin();
  config.exec->command = folder.write("plugin", "#!/bin/sh\n: > '" + started + "'\nexec sleep 60\n");
  std::filesystem::permissions(config.exec->command, std::filesystem::perms::owner_all);
  std::stop_source interrupt;
  ExecOptions options;
  options.interrupted = interrupt.get_token();
  ExecCredentials waiting(config, options);
  const std::jthread person([&] {
    while (!std::filesystem::exists(started)) std::this_thread::yield();
    interrupt.request_stop();
  });
  CHECK_THROWS_AS((void)waiting.get(), Cancelled);

  config.exec->command =
      folder.write("other",
                   "#!/bin/sh\nprintf '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
                   "v1\",\"status\":{\"token\":\"t\"}}'\n");
  std::filesystem::permissions(config.exec->command, std::filesystem::perms::owner_all);
  ExecCredentials undoing(config, options);
  CHECK(undoing.get().token.reveal() == "t");
}
