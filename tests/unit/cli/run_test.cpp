// Whole command lines against an in-memory Runtime: exit code and streams.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/help.hpp"
#include "memory_runtime.hpp"
#include "providers/json.hpp"
#include "providers/system/file_lock.hpp"

using namespace litedesk;
using namespace litedesk::cli;
using testing::Machine;
using testing::Outcome;

namespace {

// A registry in a file: everything that needs no cluster.
struct Registered : Machine {
  Registered() {
    folder.write("litedesk/config.yaml",
                 "currentContext: local\ncontexts:\n  local: {registry: sqlite, dns: {domain: litedesk.com}}\n");
  }
  Outcome create(const std::string& name, const std::string& email = "owner@acme.example") {
    return run({"tenant", "create", name, "--email", email});
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("Help is as people see it") {
  std::string all;
  std::vector<std::vector<std::string>> topics{{}, {"flags"}, {"exit-codes"}, {"environment"}};
  for (const Group& group : groups()) topics.push_back({std::string(group.name)});
  for (const Command* command : all_commands()) {
    topics.push_back({});
    if (!command->group.empty()) topics.back().emplace_back(command->group);
    topics.back().emplace_back(command->name);
  }
  for (const auto& topic : topics) {
    std::string title = "$ litedesk help";
    for (const std::string& word : topic) title += " " + word;
    all += title + "\n" + help_text(topic) + "\n";
  }
  CHECK(testing::matches_golden("help.txt", all));
}

TEST_CASE("Exit codes and streams follow the contract") {
  struct Case {
    std::vector<std::string> words;
    int code;
    const char* out;
    const char* err;
  };
  const std::vector<Case> cases{
      {{}, 0, "Usage:", ""},
      {{"--version"}, 0, "litedesk ", ""},
      {{"version", "-o", "json"}, 0, "\"version\"", ""},
      {{"version", "-o", "jsonpath={.version}"}, 0, "0.", ""},
      {{"help", "tenant", "create"}, 0, "Examples:", ""},
      {{"help", "tennant"}, 2, "", "did you mean \"tenant\"?"},
      {{"tenant", "lst"}, 2, "", "did you mean \"list\"?"},
      {{"tenant", "list", "-o", "jsn"}, 2, "", "did you mean \"json\"?"},
      {{"tenant", "list", "-o", "jsonpath"}, 2, "", "jsonpath=TEMPLATE"},
      {{"tenant", "get", "nobody"}, 3, "", "nobody"},
      {{"tenant", "create", "Acme", "--email", "no address"}, 2, "", "email"},
      {{"tenant", "create", "HP", "--email", "a@b.example"}, 2, "", "--slug"},
      {{"tenant", "create", "Acme", "--email", "a@b.example", "--tier", "triall"}, 2, "", "trial"},
      {{"tenant", "update", "acme"}, 2, "", "nothing to change was given"},
      {{"--context", "nowhere", "tenant", "list"}, 3, "", "context \"nowhere\" not found"},
      {{"--sandbox", "--context", "local", "tenant", "list"}, 2, "", "mutually exclusive"},
      {{"--config", "none.yaml", "tenant", "list"}, 2, "", "not found"},
      {{"registry", "install"}, 2, "", "nothing to install"},
      {{"cost-estimate", "--model", "bse"}, 2, "", "base"},
      {{"cost-estimate", "--instances", "1", "--from-registry"}, 2, "", "mutually exclusive"},
      {{"context", "use", "nowhere"}, 3, "", "nowhere"},
      {{"context", "set", "sandbox", "dns.zone=Z1"}, 2, "", "built in"},
      {{"context", "set", "a", "dns.zon=Z1"}, 2, "", "dns.zone"},
      {{"context", "set", "a", "dns.domain=caf\xE9.example"}, 2, "", "dns.domain: \"caf\\xe9.example\" is not UTF-8"},
      {{"context", "set", "a", "images.backend=\xFF"}, 2, "", "is not UTF-8"},
      {{"template", "show", "instance/80-ingres.yaml"}, 3, "", "instance/80-ingress.yaml"},
      {{"instance", "provision", "acme", "--plan", "none.plan"}, 3, "", "none.plan not found"},
      {{"sandbox", "serve", "--fault", "route53:nonsense:1"}, 2, "", "throttle"},
      {{"sandbox", "serve", "--time-scale", "nan"}, 2, "", "--time-scale"},
      {{"completion", "bash"}, 0, "complete -F", ""},
      {{"__complete", "--", "tena"}, 0, "tenant\t", ""},
      {{"__complete"}, 0, "tenant\t", ""},
  };
  for (const Case& each : cases) {
    Registered machine;
    const Outcome outcome = machine.run(each.words);
    std::string shown;
    for (const std::string& word : each.words) shown += word + " ";
    CAPTURE(shown);
    CAPTURE(outcome.out);
    CAPTURE(outcome.err);
    CHECK(outcome.code == each.code);
    CHECK(has(outcome.out, each.out));
    CHECK(has(outcome.err, each.err));
    if (outcome.code != 0) CHECK(outcome.out.empty());
  }
}

TEST_CASE("Under -o json an error is one object on standard error, even where the line cannot be parsed") {
  Registered machine;
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"tenant", "get", "nobody", "-o", "json"},
                                             {"tenant", "lst", "-ojson"},
                                             {"--output=json", "tenant", "list", "--context", "nowhere"}}) {
    const Outcome outcome = machine.run(words);
    const Json json = Json::parse(outcome.err);
    CHECK(json.size() == 1);
    for (const char* key : {"code", "message", "hint", "resource", "cause"}) CHECK(json["error"][key].is_string());
    CHECK(outcome.out.empty());
  }
}

TEST_CASE("A tenant is registered, listed, changed and deleted") {
  Registered machine;
  const Outcome created = machine.create("Acme Inc");
  CHECK(created.out == "tenant acme-inc registered  (trial until 2026-12-08, acme-inc.litedesk.com)\n");
  CHECK(created.err.empty());
  // A script is told, a person is asked.
  const Outcome again = machine.create("Acme Inc");
  CHECK(again.code == 4);
  CHECK(has(again.err, "the slug acme-inc is taken by tenant acme-inc (Acme Inc)"));
  CHECK(has(again.err, "--slug acme-inc-2"));
  machine.terminal.in = machine.terminal.err = true;
  machine.input = {"no"};
  CHECK(machine.create("Acme Inc").code == 4);
  machine.input = {"y"};
  const Outcome asked = machine.create("Acme Inc");
  CHECK(has(asked.err, "is taken by tenant acme-inc (Acme Inc). Register another tenant as acme-inc-2? [y/N] "));
  CHECK(asked.out.starts_with("tenant acme-inc-2 registered"));
  machine.terminal.in = machine.terminal.err = false;
  CHECK(machine.run({"tenant", "list", "-o", "name"}).out == "tenant/acme-inc\ntenant/acme-inc-2\n");
  CHECK(machine.run({"tenant", "list", "-o", "jsonpath={.items[*].slug}"}).out == "acme-inc acme-inc-2\n");
  CHECK(machine.run({"tenant", "update", "acme-inc", "--tier", "paid", "--tag", "a,b"}).code == 0);
  const Json tenant = Json::parse(machine.run({"tenant", "get", "acme-inc", "-o", "json"}).out);
  CHECK(tenant["tier"] == "professional");
  CHECK(machine.run({"tenant", "list", "--tier", "professional", "--no-headers"}).out.starts_with("acme-inc "));
  CHECK(machine.run({"__complete", "tenant", "get", "acme"}).out ==
        "acme-inc\tAcme Inc (professional)\nacme-inc-2\tAcme Inc (trial)\n:none\n");
  CHECK(machine.run({"tenant", "delete", "acme-inc", "--confirm", "acme-inc"}).out == "tenant acme-inc deleted\n");
  CHECK(machine.run({"tenant", "get", "acme-inc"}).code == 3);
}

TEST_CASE("What is lost by it is asked about, and without a terminal it is refused") {
  Registered machine;
  (void)machine.create("Acme");
  CHECK(machine.run({"tenant", "delete", "acme"}).code == 2);
  CHECK(machine.run({"tenant", "delete", "acme", "--confirm", "acne"}).code == 2);
  machine.terminal = {.in = true, .out = true, .err = true, .utf8 = true, .size = {}};
  machine.input = {"yes"};
  CHECK(machine.run({"tenant", "delete", "acme"}).code == 2);
  machine.input = {};
  CHECK(machine.run({"tenant", "delete", "acme"}).code == 2);
  CHECK(machine.run({"tenant", "get", "acme"}).code == 0);
  machine.input = {"acme"};
  const Outcome outcome = machine.run({"tenant", "delete", "acme"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.err, "type "));
  (void)machine.create("Zolw");
  machine.terminal = {};
  CHECK(machine.run({"tenant", "delete", "zolw", "--yes"}).code == 0);
}

TEST_CASE("Forgetting a sandbox is asked about, and without a terminal it is refused") {
  Machine machine;
  CHECK(machine.run({"sandbox", "reset"}).code == 0);  // nothing is there to be lost
  for (const bool at_terminal : {false, true}) {
    CAPTURE(at_terminal);
    machine.folder.write("litedesk/sandbox/state.db", "");
    machine.terminal = {.in = at_terminal, .out = at_terminal, .err = at_terminal, .utf8 = true, .size = {}};
    machine.input = {"no"};
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"sandbox", "reset"}, {"sandbox", "reset", "-q"}, {"sandbox", "reset", "--confirm", "sandbx"}}) {
      const Outcome outcome = machine.run(words);
      CHECK(outcome.code == 2);
      CHECK(outcome.out.empty());
      CHECK(has(outcome.err, "nothing was done"));
    }
    CHECK(std::filesystem::exists(machine.folder.path() / "litedesk/sandbox/state.db"));
    machine.input = {"sandbox"};
    const auto words = at_terminal ? std::vector<std::string>{"sandbox", "reset"}
                                   : std::vector<std::string>{"sandbox", "reset", "--yes"};
    CHECK(machine.run(words).code == 0);
    CHECK_FALSE(std::filesystem::exists(machine.folder.path() / "litedesk/sandbox/state.db"));
  }
}

TEST_CASE("Completion offers no name that is gone") {
  Registered machine;
  const auto offered = [&] { return machine.run({"__complete", "tenant", "get", ""}).out; };
  const auto remember = [&](const char* context) {
    machine.folder.write("litedesk/snapshots/" + std::string(context) + ".txt", "tenant\tgone\tGone Ltd\n");
  };
  (void)machine.create("Acme");

  SUBCASE("every full list is the whole truth, whatever its form and order") {
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"-o", "json"}, {"-o", "name"}, {}, {"--sort-by", "created", "-o", "json"}}) {
      remember("local");
      std::vector<std::string> line{"tenant", "list"};
      line.insert(line.end(), words.begin(), words.end());
      CHECK(machine.run(line).code == 0);
      CHECK(offered() == "acme\tAcme (trial)\n:none\n");
    }
    // A part of it adds what it shows.
    remember("local");
    CHECK(machine.run({"tenant", "list", "--tier", "trial", "-o", "json"}).code == 0);
    CHECK(has(offered(), "acme\t"));
    CHECK(has(offered(), "gone\t"));
  }
  SUBCASE("what is asked for and not found goes") {
    remember("local");
    CHECK(machine.run({"tenant", "get", "gone", "-o", "json"}).code == 3);
    CHECK_FALSE(has(offered(), "gone"));
  }
  SUBCASE("a context that is deleted, or points elsewhere") {
    remember("local");
    CHECK(machine.run({"context", "set", "local", "images.backend=x:1"}).code == 0);
    CHECK(has(offered(), "gone"));
    CHECK(machine.run({"context", "set", "local", "registry=sqlite:other.db"}).code == 0);
    CHECK_FALSE(has(offered(), "gone"));
    remember("local");
    CHECK(machine.run({"context", "delete", "local"}).code == 0);
    CHECK(machine.run({"context", "set", "local", "registry=sqlite"}).code == 0);
    CHECK_FALSE(has(offered(), "gone"));
  }
  SUBCASE("a sandbox that is reset, in every context that it backs, and no other") {
    CHECK(machine.run({"context", "set", "mixed", "kubernetes.provider=sandbox"}).code == 0);
    for (const char* context : {"sandbox", "mixed", "local"}) remember(context);
    CHECK(machine.run({"sandbox", "reset", "--dir", "elsewhere", "--confirm", "sandbox"}).code == 0);
    CHECK(has(machine.run({"__complete", "--sandbox", "tenant", "get", ""}).out, "gone"));
    CHECK(machine.run({"sandbox", "reset", "--confirm", "sandbox"}).code == 0);
    CHECK_FALSE(has(machine.run({"__complete", "--sandbox", "tenant", "get", ""}).out, "gone"));
    CHECK_FALSE(has(machine.run({"__complete", "--context", "mixed", "tenant", "get", ""}).out, "gone"));
    CHECK(has(offered(), "gone"));
  }
}

TEST_CASE("Hints and colours are for a person at a terminal only") {
  Registered machine;
  CHECK(machine.create("Acme").err.empty());
  machine.terminal = {.in = true, .out = true, .err = true, .utf8 = true, .size = {}};
  CHECK(has(machine.create("Zolw").err, "next: litedesk instance provision zolw"));
  CHECK(machine.run({"tenant", "create", "Quiet", "--email", "a@b.example", "-q"}).err.empty());
  CHECK(has(machine.run({"tenant", "get", "nobody"}).err, "\x1b[31m"));
  CHECK_FALSE(has(machine.run({"tenant", "get", "nobody", "--color", "never"}).err, "\x1b"));
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"NO_COLOR", "1"}, {"TERM", "dumb"}, {"CI", "true"}}) {
    const std::string before = machine.environment[name];
    machine.environment[name] = value;
    const auto shown = name;  // Clang 14 captures no structured binding
    CAPTURE(shown);
    CHECK_FALSE(has(machine.run({"tenant", "get", "nobody"}).err, "\x1b"));
    CHECK(has(machine.run({"tenant", "get", "nobody", "--color", "always"}).err, "\x1b"));
    machine.environment[name] = before;
  }
}

TEST_CASE("No settings at all: a script is refused, and a person is told of the sandbox first") {
  Machine machine;
  const Outcome script = machine.run({"tenant", "list"});
  CHECK(script.code == 2);
  CHECK(has(script.err, "no settings found"));
  machine.terminal.err = true;
  const Outcome person = machine.run({"template", "render", "acme"});
  CHECK(person.code == 0);
  CHECK(person.err.starts_with("no settings found: working in the embedded sandbox"));
}

TEST_CASE("A command that needs no settings asks for none") {
  const std::vector<std::vector<std::string>> cases{
      {"cost-estimate", "--instances", "10"},
      {"cost-estimate", "--advice", "--customers", "12"},
      {"cost-estimate", "--compare", "--chart", "--break-even"},
      {"template", "list"},
      {"template", "show", "tiers.yaml"},
      {"template", "lint"},
      {"template", "eject", "mine"},
      {"context", "list"},
      {"context", "set", "staging", "dns.domain=staging.example.com"},
      {"sandbox", "status"},
      {"sandbox", "reset", "--confirm", "sandbox"},
      {"version"},
      {"completion", "bash"},
      {"help", "environment"},
  };
  for (const bool terminal : {false, true}) {
    for (const auto& words : cases) {
      Machine machine;
      machine.terminal.err = terminal;
      const Outcome outcome = machine.run(words);
      CAPTURE(words.front());
      CAPTURE(outcome.err);
      CHECK(outcome.code == 0);
      CHECK_FALSE(outcome.out.empty());
      CHECK_FALSE(has(outcome.err, "sandbox, on this machine only"));
    }
  }
  Machine machine;
  CHECK(Json::parse(machine.run({"cost-estimate", "--instances", "10", "-o", "json"}).out)["total"]["lowCents"] ==
        25'900);
  // What is asked of the registry needs one.
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"cost-estimate", "--from-registry"}, {"cost-estimate", "--tenant", "acme"}, {"template", "render", "acme"}})
    CHECK(machine.run(words).code == 2);
  // Where there are settings, they count: prices are the templates', and a context that is named must be there.
  CHECK(machine.run({"template", "eject", "mine"}).code == 0);
  machine.folder.write("mine/prices.yaml", "models: 1\n");
  machine.environment["LITEDESK_TEMPLATES"] = "mine";
  CHECK(has(machine.run({"cost-estimate"}).err, "prices.yaml"));
  CHECK(machine.run({"cost-estimate", "--context", "nowhere"}).code == 3);
}

TEST_CASE("Contexts are made, shown with their origins, used and deleted") {
  Machine machine;
  const std::string file = (machine.folder.path() / "litedesk/config.yaml").string();
  Outcome made = machine.run({"context", "set", "staging", "dns.domain=staging.example.com", "registry=sqlite:t.db",
                              "database.projects=5f0000000000000000000001"});
  CHECK(made.out == "context staging created in " + file + "\n");
  CHECK(has(made.err, "litedesk context use staging"));
  // Making one is not choosing it, be it the first or not.
  const Outcome unused = machine.run({"tenant", "list"});
  CHECK(unused.code == 2);
  CHECK(has(unused.err, "litedesk context use NAME, or --context NAME: staging"));
  CHECK(Json::parse(machine.run({"context", "set", "staging", "-o", "json"}).out)["current"] == false);
  CHECK(machine.run({"context", "set", "staging", "--use"}).out ==
        "context staging updated and made current in " + file + "\n");
  made = machine.run({"context", "set", "prod", "provisioning=enabled"});
  CHECK(made.out == "context prod created in " + file + "\n");
  CHECK(made.err.empty());
  std::string all = machine.run({"context", "list"}).out;
  machine.environment["LITEDESK_DNS_ZONE"] = "Z0OWN";
  machine.environment["BASE_DOMAIN"] = "litedesk.com";
  all += machine.run({"context", "show", "staging", "--origins", "-o", "wide"}).out;
  all += machine.run({"context", "show", "-o", "json"}).out;
  CHECK(testing::matches_golden("contexts.txt", testing::without_folder(all, machine)));
  CHECK(machine.run({"context", "use", "prod"}).code == 0);
  CHECK(machine.run({"context", "set", "prod", "provisioning="}).code == 0);
  CHECK_FALSE(has(machine.folder.read("litedesk/config.yaml"), "provisioning"));
  CHECK(machine.run({"context", "delete", "prod"}).code == 0);
  CHECK(has(machine.run({"context", "list"}).out, "staging"));
  CHECK_FALSE(has(machine.run({"context", "list"}).out, "prod"));
}

TEST_CASE("A configuration that another process is changing is waited for, and whom one waits for is said") {
  Machine machine;
  machine.folder.write("litedesk/config.yaml", "currentContext: a\ncontexts: {a: {}}\n");
  const auto lock = system::FileLock::try_take(machine.folder.path() / "litedesk/config.yaml");
  REQUIRE(lock);
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"context", "set", "b"}, {"context", "use", "a"}, {"context", "delete", "a"}}) {
    const Outcome outcome = machine.run(words);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 4);
    CHECK(has(outcome.err, "waiting for " + system::lock_holder(machine.folder.path() / "litedesk/config.yaml")));
    CHECK(has(outcome.err, "is still locked by "));
    CHECK_FALSE(has(machine.run({"context", "set", "b", "--timeout", "100ms"}).err, "waiting for"));
  }
  CHECK(machine.run({"context", "list"}).code == 0);
  CHECK(machine.folder.read("litedesk/config.yaml") == "currentContext: a\ncontexts: {a: {}}\n");
}

TEST_CASE("A watch ends with its time-out, and exits as its last look") {
  Registered machine;
  (void)machine.create("Acme");
  struct Case {
    const char* timeout;
    std::size_t looks;
  };
  for (const Case& each : {Case{"1s", 2}, Case{"2s", 2}, Case{"5s", 4}}) {
    const Outcome outcome = machine.run({"status", "acme", "--watch", "--timeout", each.timeout, "-o", "name"});
    CAPTURE(each.timeout);
    CHECK(outcome.code == 0);
    std::string wanted;
    for (std::size_t i = 0; i < each.looks; ++i) wanted += "instance/acme\n";
    CHECK(outcome.out == wanted);
  }
  CHECK(machine.run({"status", "acme", "--timeout", "1s", "-o", "name"}).out == "instance/acme\n");
}

TEST_CASE("Costs are printed with their sources") {
  Registered machine;
  std::string all;
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"cost-estimate"},
           {"cost-estimate", "--instances", "50", "--model", "dedicated"},
           {"cost-estimate", "--compare", "--break-even"},
           {"cost-estimate", "--advice", "--customers", "12", "--revenue", "$2,400.50", "--budget", "400", "--chart"},
           {"cost-estimate", "--advice"}}) {
    const Outcome outcome = machine.run(words);
    CHECK(outcome.code == 0);
    all += outcome.out + "\n";
  }
  CHECK(testing::matches_golden("costs.txt", all));
  const Json json = Json::parse(machine.run({"cost-estimate", "--instances", "10", "-o", "json"}).out);
  CHECK(json["total"]["lowCents"] == 25'900);
  CHECK(json["total"]["highCents"] == 35'900);
  CHECK_FALSE(json.contains("advice"));
}

TEST_CASE("What is said for the advice counts: it implies it, and the estimate is for as many") {
  struct Case {
    std::vector<std::string> words;
    int instances;
    const char* recommendation;
  };
  for (const Case& each : std::vector<Case>{{{"--customers", "12"}, 12, "multi"},
                                            {{"--customers", "12", "--instances", "5"}, 5, "multi"},
                                            {{"--revenue", "1500"}, 10, "single"},
                                            {{"--revenue", "$2,000.01"}, 10, "multi"},
                                            {{"--budget", "200", "--instances", "40"}, 40, "single"},
                                            {{"--isolation"}, 10, "hybrid"},
                                            {{"--subdomains", "10"}, 10, "multi"},
                                            {{"--staff"}, 10, "single"}}) {
    Registered machine;
    std::vector<std::string> line{"cost-estimate", "-o", "json"};
    line.insert(line.end(), each.words.begin(), each.words.end());
    const Json json = Json::parse(machine.run(line).out);
    CAPTURE(each.words.front());
    CHECK(json["instances"] == each.instances);
    CHECK(json["advice"]["recommendation"] == each.recommendation);
  }
  Registered machine;
  CHECK(machine.run({"cost-estimate", "--tenant", "acme", "--customers", "1"}).code == 2);
  for (const char* money : {"2.400", "2,40", "-5", "much"}) {
    const Outcome outcome = machine.run({"cost-estimate", "--revenue=" + std::string(money)});
    CHECK(outcome.code == 2);
    CHECK(has(outcome.err, money));
  }
}

TEST_CASE("Templates are listed, rendered with masked secrets, checked and written out") {
  Registered machine;
  (void)machine.create("Acme");
  const Outcome rendered = machine.run({"template", "render", "acme"});
  CHECK(rendered.code == 0);
  CHECK(has(rendered.out, "kind: Deployment"));
  CHECK(has(rendered.out, "(masked"));
  CHECK_FALSE(has(rendered.out, "xxxxxxxx"));
  CHECK(has(rendered.err, "assumed: the load balancer"));
  const Outcome part = machine.run({"template", "render", "acme", "--part", "ingress", "-o", "name"});
  CHECK(has(part.out, "Ingress/"));
  CHECK_FALSE(has(part.out, "Deployment/"));
  CHECK(machine.run({"template", "render", "acme", "--part", "ingres"}).code == 3);
  CHECK(machine.run({"template", "lint"}).code == 0);
  CHECK(machine.run({"template", "eject", "mine"}).code == 0);
  CHECK(machine.run({"template", "eject", "mine"}).code == 4);
  machine.folder.write("mine/instance/10-namespace.yaml",
                       "apiVersion: v1\nkind: Namespace\nmetadata: {name: ${nothing.such}}\n");
  const Outcome bad = machine.run({"template", "lint", "mine"});
  CHECK(bad.code == 2);
  CHECK(has(bad.err, "10-namespace.yaml:3"));
}

TEST_CASE("Provisioning that is switched off is refused with how to switch it on") {
  Registered machine;
  (void)machine.create("Acme");
  const Outcome outcome = machine.run({"instance", "provision", "acme"});
  CHECK(outcome.code == 5);
  CHECK(has(outcome.err, "ENABLE_INSTANCE_PROVISIONING=true"));
  CHECK(outcome.out.empty());
}
