#include "cli/settings.hpp"

#include <doctest/doctest.h>

#include "memory_runtime.hpp"
#include "providers/error.hpp"

using namespace litedesk;
using namespace litedesk::cli;
using testing::TemporaryFolder;

namespace {

constexpr const char* config = R"(currentContext: production
contexts:
  production:
    provisioning: enabled
    kubernetes: {kubeconfig: kube/production, context: prod, clusterId: 6f0e, loadBalancer: prod.elb.amazonaws.com}
    database: {projects: [5f0000000000000000000001, 5f0000000000000000000002], cluster: crm}
    dns: {zone: Z0PRODUCTION, domain: litedesk.com}
    images: {backend: "registry.example:5000/crm-backend:1.4.2"}
  staging:
    kubernetes: {context: staging}
    dns: {domain: staging.example.com}
  bare: {}
)";

struct Place {
  TemporaryFolder folder;
  Environment environment{{"HOME", folder.path().string()}, {"LITEDESK_HOME", (folder.path() / "home").string()}};
  GlobalOptions global;
  bool terminal = false;

  Resolved resolve() const { return resolve_settings(global, environment, folder.path(), terminal); }
  void configure() const { folder.write("home/config.yaml", config); }
};

std::string from(const Resolved& resolved, std::string_view key) {
  for (const Origin& origin : resolved.origins) {
    if (origin.key == key) return origin.from;
  }
  return "nowhere";
}

}  // namespace

TEST_CASE("A flag beats LITEDESK_*, which beats inherited variables, which beat the file, which beats .env") {
  Place place;
  place.configure();
  CHECK(place.resolve().settings.dns.zone == "Z0PRODUCTION");
  place.folder.write(".env", "AWS_ROUTE53_HOSTED_ZONE_ID=Z0DOTENV\n");
  CHECK(place.resolve().settings.dns.zone == "Z0PRODUCTION");
  place.folder.write("home/config.yaml", "currentContext: bare\ncontexts: {bare: {}}\n");
  CHECK(place.resolve().settings.dns.zone == "Z0DOTENV");
  CHECK(from(place.resolve(), "dns.zone") == ".env: AWS_ROUTE53_HOSTED_ZONE_ID");
  place.configure();
  place.environment["ROUTE53_HOSTED_ZONE_ID"] = "Z0OLDNAME";
  CHECK(place.resolve().settings.dns.zone == "Z0OLDNAME");
  place.environment["AWS_ROUTE53_HOSTED_ZONE_ID"] = "/hostedzone/Z0INHERITED";
  CHECK(place.resolve().settings.dns.zone == "Z0INHERITED");
  place.environment["LITEDESK_DNS_ZONE"] = "Z0OWN";
  CHECK(place.resolve().settings.dns.zone == "Z0OWN");
  CHECK(from(place.resolve(), "dns.zone") == "LITEDESK_DNS_ZONE");
  place.global.kube_context = "other";
  CHECK(place.resolve().settings.kubernetes.context == "other");
  CHECK(from(place.resolve(), "kubernetes.context") == "flag --kube-context");
}

TEST_CASE("A .env that somebody left in a folder redirects no context, and what it tried is said") {
  Place place;
  place.configure();
  place.folder.write(
      ".env",
      "BACKEND_IMAGE_REPO=evil.example/backend\nBACKEND_IMAGE_TAG=1\nFRONTEND_IMAGE_REPO=evil.example/f\n"
      "INGRESS_LOADBALANCER_DNS=evil.example.com\nBASE_DOMAIN=evil.example\n"
      "AWS_ROUTE53_HOSTED_ZONE_ID=Z0EVIL\nMONGODB_ATLAS_PROJECT_ID=5f0000000000000000000009\n"
      "ENABLE_INSTANCE_PROVISIONING=false\n");
  const Resolved resolved = place.resolve();
  CHECK(resolved.settings.images.at("backend") == "registry.example:5000/crm-backend:1.4.2");
  CHECK(resolved.settings.kubernetes.load_balancer == "prod.elb.amazonaws.com");
  CHECK(resolved.settings.dns.domain == "litedesk.com");
  CHECK(resolved.settings.dns.zone == "Z0PRODUCTION");
  CHECK(resolved.settings.database.projects.size() == 2);
  CHECK(resolved.settings.provisioning_enabled);
  // What the context does not name it may have from there.
  CHECK(resolved.settings.images.at("frontend") == "evil.example/f:latest");
  REQUIRE(resolved.warnings.size() == 1);
  CHECK(resolved.warnings[0] ==
        "context production overrides what " + (place.folder.path() / ".env").string() +
            " sets: ENABLE_INSTANCE_PROVISIONING, INGRESS_LOADBALANCER_DNS, MONGODB_ATLAS_PROJECT_ID, "
            "AWS_ROUTE53_HOSTED_ZONE_ID, BASE_DOMAIN, BACKEND_IMAGE_REPO, BACKEND_IMAGE_TAG");
  // The same in another form is nothing to speak of.
  place.folder.write(".env", "BASE_DOMAIN=LiteDesk.com.\nBACKEND_IMAGE_TAG=1.4.2\n");
  CHECK(place.resolve().warnings.empty());
}

TEST_CASE("A context that is named explicitly never meets inherited targets") {
  for (const bool by_flag : {true, false}) {
    Place place;
    place.configure();
    place.environment["AWS_ROUTE53_HOSTED_ZONE_ID"] = "Z0PRODUCTION";
    place.environment["BASE_DOMAIN"] = "litedesk.com";
    place.environment["INGRESS_LOADBALANCER_DNS"] = "prod.elb.amazonaws.com";
    place.environment["MONGODB_ATLAS_PROJECT_ID"] = "5f0000000000000000000009";
    place.environment["BACKEND_IMAGE_TAG"] = "9.9.9";
    place.environment["MONGODB_ATLAS_API_KEY"] = "key";
    place.environment["MONGODB_ATLAS_API_SECRET"] = "secret";
    place.folder.write(".env", "ROUTE53_HOSTED_ZONE_ID=Z0DOTENV\nFRONTEND_IMAGE_REPO=elsewhere/frontend\n");
    if (by_flag)
      place.global.context = "staging";
    else
      place.environment["LITEDESK_CONTEXT"] = "staging";
    CAPTURE(by_flag);
    const Resolved resolved = place.resolve();
    CHECK(resolved.settings.dns.zone.empty());
    CHECK(resolved.settings.dns.domain == "staging.example.com");
    CHECK(resolved.settings.kubernetes.load_balancer.empty());
    CHECK(resolved.settings.database.projects.empty());
    CHECK(resolved.settings.images.empty());
    // A key says who we are, not where things are made.
    CHECK(resolved.settings.database.key_id == "key");
  }
}

TEST_CASE("Switches are taken from the environment where an explicit context says nothing, and from it where it does") {
  Place place;
  place.configure();
  place.global.context = "staging";
  CHECK_FALSE(place.resolve().settings.provisioning_enabled);
  place.environment["ENABLE_INSTANCE_PROVISIONING"] = "true";
  place.environment["AUTO_ROLLBACK"] = "false";
  CHECK(place.resolve().settings.provisioning_enabled);
  CHECK_FALSE(place.resolve().settings.auto_rollback);
  place.global.context = "production";
  place.environment["ENABLE_INSTANCE_PROVISIONING"] = "false";
  CHECK(place.resolve().settings.provisioning_enabled);
}

TEST_CASE("A LITEDESK_ variable that overrides what --context says is told of") {
  Place place;
  place.configure();
  place.global.context = "production";
  CHECK(place.resolve().warnings.empty());
  place.environment["LITEDESK_DNS_ZONE"] = "Z0OWN";
  REQUIRE(place.resolve().warnings.size() == 1);
  CHECK(place.resolve().warnings[0] == "LITEDESK_DNS_ZONE overrides dns.zone of context production");
  // In another form it is the same value still.
  place.environment["LITEDESK_DNS_ZONE"] = "/hostedzone/Z0PRODUCTION";
  place.environment["LITEDESK_DOMAIN"] = "LiteDesk.com.";
  place.environment["LITEDESK_ATLAS_CLUSTER"] = "crm";
  place.environment["LITEDESK_BACKEND_IMAGE"] = "registry.example:5000/crm-backend:1.4.2";
  CHECK(place.resolve().warnings.empty());
  place.environment["LITEDESK_BACKEND_IMAGE"] = "registry.example:5000/crm-backend:1.4.3";
  CHECK(place.resolve().warnings.size() == 1);
}

TEST_CASE("A context that is named explicitly takes no address of an API from a variable, and one warning says which") {
  for (const bool by_flag : {true, false}) {
    CAPTURE(by_flag);
    Place place;
    place.configure();
    place.environment["LITEDESK_ATLAS_URL"] = "http://127.0.0.1:1/";
    place.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:2";
    place.environment["AWS_ENDPOINT_URL_ROUTE_53"] = "http://127.0.0.1:3";
    place.environment["AWS_ACCESS_KEY_ID"] = "AKIA";
    // Nobody named one: they count.
    Resolved resolved = place.resolve();
    CHECK(resolved.warnings.empty());
    CHECK(resolved.settings.database.url == "http://127.0.0.1:1");
    CHECK(resolved.settings.environment.at("AWS_ENDPOINT_URL_ROUTE_53") == "http://127.0.0.1:3");
    CHECK(from(resolved, "dns.url") == "AWS_ENDPOINT_URL_ROUTE_53");
    if (by_flag)
      place.global.context = "production";
    else
      place.environment["LITEDESK_CONTEXT"] = "production";
    resolved = place.resolve();
    CHECK(resolved.settings.database.url == "https://cloud.mongodb.com");
    CHECK(from(resolved, "database.url") == "default");
    CHECK_FALSE(resolved.settings.environment.contains("AWS_ENDPOINT_URL"));
    CHECK_FALSE(resolved.settings.environment.contains("AWS_ENDPOINT_URL_ROUTE_53"));
    CHECK(resolved.settings.environment.contains("AWS_ACCESS_KEY_ID"));
    REQUIRE(resolved.warnings.size() == 1);
    CHECK(resolved.warnings[0] ==
          "LITEDESK_ATLAS_URL, AWS_ENDPOINT_URL_ROUTE_53, AWS_ENDPOINT_URL are ignored, because context production was "
          "named explicitly: set database.url and dns.url in it");
    // The context's own stay, and what says the same is no difference.
    place.folder.write(
        "home/config.yaml",
        "contexts: {production: {database: {url: \"http://127.0.0.1:1\"}, dns: {url: \"http://127.0.0.1:4/\"}}}");
    place.environment.erase("AWS_ENDPOINT_URL_ROUTE_53");
    resolved = place.resolve();
    CHECK(resolved.settings.database.url == "http://127.0.0.1:1");
    CHECK(resolved.settings.dns.url == "http://127.0.0.1:4");
    REQUIRE(resolved.warnings.size() == 1);
    CHECK(resolved.warnings[0].starts_with("AWS_ENDPOINT_URL is ignored"));
    place.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:4";
    CHECK(place.resolve().warnings.empty());
    // Nor is what the sandbox decides.
    place.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:5";
    place.environment["LITEDESK_DNS"] = "sandbox";
    CHECK(place.resolve().warnings.empty());
  }
}

TEST_CASE("Variables with addresses beat a current context, and are the only ones that the built-in context has") {
  Place place;
  place.folder.write("home/config.yaml", "currentContext: a\ncontexts: {a: {dns: {url: \"http://127.0.0.1:4\"}}}");
  CHECK(place.resolve().settings.dns.url == "http://127.0.0.1:4");
  place.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:5";
  CHECK(place.resolve().settings.dns.url.empty());  // the AWS chain has it
  CHECK(from(place.resolve(), "dns.url") == "AWS_ENDPOINT_URL");
  place.environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  CHECK(place.resolve().settings.dns.url == "http://127.0.0.1:4");
  place.environment["LITEDESK_CONTEXT"] = "sandbox";
  place.environment["LITEDESK_DATABASE"] = "real";
  place.environment["LITEDESK_ATLAS_URL"] = "http://127.0.0.1:6";
  CHECK(place.resolve().settings.database.url == "http://127.0.0.1:6");
  CHECK(place.resolve().warnings.empty());
}

TEST_CASE("An inherited KUBECONFIG is taken for an explicit context only when that says which cluster it means") {
  Place place;
  place.configure();
  place.environment["KUBECONFIG"] = "/somewhere";
  CHECK(place.resolve().kubeconfig_refusal.empty());
  place.global.context = "staging";
  CHECK(place.resolve().kubeconfig_refusal.empty());
  place.global.context = "bare";
  CHECK_FALSE(place.resolve().kubeconfig_refusal.empty());
  place.global.kubeconfig = "my.kubeconfig";
  CHECK(place.resolve().kubeconfig_refusal.empty());
  CHECK(place.resolve().settings.kubernetes.kubeconfig == (place.folder.path() / "my.kubeconfig").string());
}

TEST_CASE("Paths in the file are relative to the file") {
  Place place;
  place.configure();
  CHECK(place.resolve().settings.kubernetes.kubeconfig == (place.folder.path() / "home/kube/production").string());
  place.environment["LITEDESK_REGISTRY"] = "sqlite:here.db";
  CHECK(place.resolve().settings.registry == "sqlite:" + (place.folder.path() / "here.db").string());
  place.environment["LITEDESK_REGISTRY"] = "sqlite";
  CHECK(place.resolve().settings.registry == "sqlite:" + (place.folder.path() / "home/registry.db").string());
}

TEST_CASE("An image's repository and tag come each from its own variable") {
  Place place;
  place.configure();
  place.environment["BACKEND_IMAGE_TAG"] = "2.0.0";
  CHECK(place.resolve().settings.images.at("backend") == "registry.example:5000/crm-backend:2.0.0");
  place.environment["BACKEND_IMAGE_REPO"] = "other/backend";
  CHECK(place.resolve().settings.images.at("backend") == "other/backend:2.0.0");
  CHECK(from(place.resolve(), "images.backend") == "BACKEND_IMAGE_REPO, BACKEND_IMAGE_TAG");
  place.environment["LITEDESK_BACKEND_IMAGE"] = "own/backend:1";
  CHECK(place.resolve().settings.images.at("backend") == "own/backend:1");
}

TEST_CASE("An empty variable counts as unset") {
  Place place;
  place.configure();
  place.environment["LITEDESK_DNS_ZONE"] = "";
  place.environment["AWS_ROUTE53_HOSTED_ZONE_ID"] = "";
  place.environment["LITEDESK_CONTEXT"] = "";
  place.environment["AWS_PROFILE"] = "";
  CHECK(place.resolve().settings.dns.zone == "Z0PRODUCTION");
  CHECK_FALSE(place.resolve().settings.environment.contains("AWS_PROFILE"));
}

TEST_CASE("Without any settings a person gets the sandbox, and a script is refused") {
  Place place;
  CHECK_THROWS_AS((void)place.resolve(), UsageError);
  place.terminal = true;
  const Resolved resolved = place.resolve();
  CHECK(resolved.sandbox_by_default);
  CHECK(resolved.settings.context == "sandbox");
  CHECK(resolved.settings.provisioning_enabled);
  CHECK(resolved.settings.kubernetes.provider == Backing::sandbox);
  place.terminal = false;
  place.environment["LITEDESK_CONTEXT"] = "sandbox";
  CHECK_FALSE(place.resolve().sandbox_by_default);
  CHECK(place.resolve().settings.context == "sandbox");
}

TEST_CASE("Variables alone make a context of their own, and provisioning must be allowed in it") {
  Place place;
  place.environment["AWS_ROUTE53_HOSTED_ZONE_ID"] = "Z0INHERITED";
  const Resolved resolved = place.resolve();
  CHECK(resolved.settings.context == "default");
  CHECK(resolved.settings.dns.provider == Backing::real);
  CHECK_FALSE(resolved.settings.provisioning_enabled);
}

TEST_CASE("--sandbox needs no file, heeds no target, and beats variables that say real") {
  Place place;
  place.folder.write("home/config.yaml", "contexts: [broken");
  place.environment["AWS_ROUTE53_HOSTED_ZONE_ID"] = "Z0INHERITED";
  place.environment["LITEDESK_KUBERNETES"] = "real";
  place.environment["LITEDESK_REGISTRY"] = "sqlite:/somewhere/production.db";
  place.global.sandbox = true;
  const Resolved resolved = place.resolve();
  CHECK(resolved.settings.kubernetes.provider == Backing::sandbox);
  CHECK(resolved.settings.registry == "cluster");
  CHECK(resolved.settings.dns.zone.empty());
  place.global.context = "production";
  CHECK_THROWS_AS((void)place.resolve(), UsageError);
  place.global.context.clear();
  place.global.kubeconfig = "x";
  CHECK_THROWS_AS((void)place.resolve(), UsageError);
}

TEST_CASE("Each provider is real or sandbox on its own, and one real one makes it ask for provisioning") {
  Place place;
  place.environment["LITEDESK_CONTEXT"] = "sandbox";
  CHECK(place.resolve().settings.provisioning_enabled);
  place.configure();
  place.environment["LITEDESK_CONTEXT"] = "staging";
  place.environment["LITEDESK_DATABASE"] = "sandbox";
  CHECK(place.resolve().settings.database.provider == Backing::sandbox);
  CHECK_FALSE(place.resolve().settings.provisioning_enabled);
  place.environment["LITEDESK_KUBERNETES"] = place.environment["LITEDESK_DNS"] = "sandbox";
  CHECK(place.resolve().settings.provisioning_enabled);
}

TEST_CASE("A .env file may set what to make and who we are, and nothing that redirects") {
  Place place;
  place.configure();
  place.folder.write(
      ".env",
      "KUBECONFIG=/evil\nAWS_ENDPOINT_URL=http://evil\nLITEDESK_ATLAS_URL=https://evil\nAWS_CONFIG_FILE=/evil\n"
      "PORT=3000\nFRONTEND_IMAGE_REPO=from-env/f\nAWS_ACCESS_KEY_ID=AKIA\nAWS_SECRET_ACCESS_KEY=s3cret\n");
  Resolved resolved = place.resolve();
  CHECK(resolved.settings.images.at("frontend") == "from-env/f:latest");
  CHECK(resolved.settings.environment.at("AWS_ACCESS_KEY_ID") == "AKIA");
  CHECK_FALSE(resolved.settings.environment.contains("KUBECONFIG"));
  CHECK_FALSE(resolved.settings.environment.contains("AWS_ENDPOINT_URL"));
  CHECK_FALSE(resolved.settings.environment.contains("AWS_CONFIG_FILE"));
  CHECK(resolved.settings.database.url == "https://cloud.mongodb.com");
  CHECK(resolved.warnings.size() == 3);
  // Keys come as a whole from one place.
  place.environment["AWS_ACCESS_KEY_ID"] = "AKIAOWN";
  CHECK_FALSE(place.resolve().settings.environment.contains("AWS_SECRET_ACCESS_KEY"));
}

TEST_CASE("An Atlas key's id never meets another key's secret") {
  Place place;
  place.configure();
  place.folder.write(".env", "MONGODB_ATLAS_API_KEY=one\nMONGODB_ATLAS_API_SECRET=of-one\n");
  CHECK(place.resolve().settings.database.key_secret == Secret("of-one"));
  place.environment["MONGODB_ATLAS_API_KEY"] = "two";
  CHECK(place.resolve().settings.database.key_id == "two");
  CHECK(place.resolve().settings.database.key_secret.empty());
  for (const Origin& origin : place.resolve().origins) CHECK(origin.value.find("of-one") == std::string::npos);
}

TEST_CASE("What cannot be a value is refused, and the message says where it stands") {
  struct Case {
    const char* name;
    const char* value;
  };
  for (const auto& [name, value] :
       {Case{"LITEDESK_DNS", "reel"}, Case{"LITEDESK_DNS_STRATEGY", "wildcards"},
        Case{"LITEDESK_ATLAS_URL", "http://example.com"}, Case{"LITEDESK_ATLAS_URL", "http://localhost.evil.example"},
        Case{"LITEDESK_ATLAS_URL", "http://127.0.0.1.evil.example"},
        Case{"LITEDESK_ATLAS_URL", "http://localhost@evil.example"}, Case{"LITEDESK_DOMAIN", "nodots"},
        Case{"BASE_DOMAIN", "a..net"}, Case{"BASE_DOMAIN", "-a.net"}, Case{"BASE_DOMAIN", "a.net.."},
        Case{"LITEDESK_DOMAIN", "a_b.net"}, Case{"BASE_DOMAIN", "192.0.2.1"},
        Case{"BASE_DOMAIN", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.net"},
        Case{"INGRESS_LOADBALANCER_DNS", "lb..example"}, Case{"LITEDESK_LOAD_BALANCER", "256.1.1.1"},
        Case{"LITEDESK_DNS_ZONE", "lower"}, Case{"LITEDESK_REGISTRY", "mysql"},
        Case{"ENABLE_INSTANCE_PROVISIONING", "maybe"}, Case{"MONGODB_ATLAS_PROJECT_ID", "short"}}) {
    Place place;
    place.configure();
    place.environment[name] = value;
    const auto shown = name;  // Clang 14 captures no structured binding
    CAPTURE(shown);
    try {
      (void)place.resolve();
      FAIL("it was taken");
    } catch (const UsageError& error) {
      CHECK(error.message().find(name) != std::string::npos);
    }
  }
}

TEST_CASE("Ranges are CIDR as the API server takes them, in either family") {
  const SettingKey& key = *find_setting("kubernetes.egressAllowed");
  const auto taken = [&key](const char* text) {
    Settings settings;
    apply_setting(settings, key, text, "kubernetes.egressAllowed");
    return settings.kubernetes.egress_allowed;
  };
  CHECK(taken("10.8.0.0/21,fd00:8::/32,192.0.2.1/32,0.0.0.0/0") ==
        std::vector<std::string>{"10.8.0.0/21", "fd00:8::/32", "192.0.2.1/32", "0.0.0.0/0"});
  CHECK(taken("").empty());
  for (const char* text : {"10.8.0.0", "10.8.0.0/33", "10.8.0.1/21", "10.8.0.0/", "10.8.0.0/-1", "10.8.0.0/21x",
                           "10.8/21", "fd00::/129", "fd00::1/64", "example.com/24", "/8", "10.8.0.0/21 "}) {
    CAPTURE(text);
    CHECK_THROWS_AS((void)taken(text), UsageError);
  }
}

TEST_CASE("A domain's capitals and its dot of the root are taken off, and a load balancer may be an address") {
  Place place;
  place.configure();
  place.environment["BASE_DOMAIN"] = "A.Net.";
  place.environment["INGRESS_LOADBALANCER_DNS"] = "A1B2.elb.amazonaws.com.";
  CHECK(place.resolve().settings.dns.domain == "a.net");
  CHECK(place.resolve().settings.kubernetes.load_balancer == "a1b2.elb.amazonaws.com");
  for (const char* address : {"192.0.2.1", "2001:db8::1"}) {
    place.environment["INGRESS_LOADBALANCER_DNS"] = address;
    CHECK(place.resolve().settings.kubernetes.load_balancer == address);
  }
}

TEST_CASE("A context that is not there is not found, with the nearest one") {
  Place place;
  place.configure();
  place.global.context = "produktion";
  try {
    (void)place.resolve();
    FAIL("it was found");
  } catch (const NotFound& error) {
    CHECK(error.hint().find("production") != std::string::npos);
  }
}

TEST_CASE("A .env file that cannot be read is told of once, and stops only what would go by a default instead") {
  Place place;
  place.configure();
  std::filesystem::create_directory(place.folder.path() / ".env");
  // All is set: it is as if there were none.
  place.environment["FRONTEND_IMAGE_TAG"] = "1";
  Resolved resolved = place.resolve();
  REQUIRE(resolved.warnings.size() == 1);
  CHECK(resolved.warnings[0] == (place.folder.path() / ".env").string() + " was not read: it is a folder");
  CHECK(resolved.dotenv_may_have.empty());
  // A context that takes no targets from .env misses none.
  place.global.context = "bare";
  CHECK(place.resolve().dotenv_may_have.empty());
  place.global.context = "";
  place.folder.write("home/config.yaml", "currentContext: bare\ncontexts: {bare: {}}\n");
  CHECK(place.resolve().dotenv_may_have == std::vector<std::string>{"dns.domain", "images.backend"});
  place.folder.write("home/config.yaml", "currentContext: sandbox\n");
  CHECK(place.resolve().dotenv_may_have.empty());
  // Nothing else at all: neither the sandbox nor a context of defaults.
  place.folder.write("home/config.yaml", "");
  place.environment.erase("FRONTEND_IMAGE_TAG");
  place.terminal = true;
  CHECK_THROWS_AS((void)place.resolve(), UsageError);
  for (const bool by_flag : {true, false}) {
    CAPTURE(by_flag);
    place.global.sandbox = by_flag;
    place.environment["LITEDESK_CONTEXT"] = by_flag ? "" : "sandbox";
    CHECK(place.resolve().warnings.size() == 1);
    CHECK(place.resolve().dotenv_may_have.empty());
  }
}

TEST_CASE("A .env file with a mistake is an error, but not for the sandbox") {
  Place place;
  place.configure();
  place.folder.write(".env", "BASE_DOMAIN=a.example\nrubbish here\n");
  CHECK_THROWS_AS((void)place.resolve(), UsageError);
  place.global.context = "staging";
  CHECK_THROWS_AS((void)place.resolve(), UsageError);
  place.global.context = "";
  place.global.sandbox = true;
  REQUIRE(place.resolve().warnings.size() == 1);
  CHECK(place.resolve().warnings[0].find(".env:2: ") != std::string::npos);
}

TEST_CASE("Files are where the XDG base directories say, or all in LITEDESK_HOME") {
  const std::filesystem::path here = "/work";
  CHECK(find_paths({{"HOME", "/home/a"}}, "", here).config == "/home/a/.config/litedesk/config.yaml");
  CHECK(find_paths({{"HOME", "/home/a"}}, "", here).state == "/home/a/.local/state/litedesk");
  const Environment xdg{{"HOME", "/home/a"}, {"XDG_CONFIG_HOME", "/c"}, {"XDG_STATE_HOME", "relative"}};
  CHECK(find_paths(xdg, "", here).config == "/c/litedesk/config.yaml");
  CHECK(find_paths(xdg, "", here).state == "/home/a/.local/state/litedesk");
  const Environment own{{"HOME", "/home/a"}, {"LITEDESK_HOME", "~/ld"}, {"LITEDESK_CONFIG", "/etc/ld.yaml"}};
  CHECK(find_paths(own, "", here).state == "/home/a/ld");
  CHECK(find_paths(own, "", here).config == "/etc/ld.yaml");
  CHECK(find_paths(own, "mine.yaml", here).config == "/work/mine.yaml");
}
