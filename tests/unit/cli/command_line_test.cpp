#include "cli/command_line.hpp"

#include <doctest/doctest.h>

#include "providers/error.hpp"

using namespace litedesk;
using namespace litedesk::cli;

namespace {

using Words = std::vector<std::string>;

Invocation parsed(const Words& words) {
  return parse_command_line(words).invocation;
}

GlobalOptions with(void (*change)(GlobalOptions&)) {
  GlobalOptions global;
  change(global);
  return global;
}

TenantCreate acme() {
  TenantCreate options;
  options.company = "Acme Inc";
  options.email = "owner@acme.example";
  return options;
}

}  // namespace

TEST_CASE("A command line becomes the value that it says") {
  TenantCreate full = acme();
  full.slug = "acme";
  full.tier = "starter";
  full.tags = {"eu,b2b", "new"};
  full.trial_days = 30;
  InstanceProvision provision;
  provision.slug = "acme";
  provision.no_wait = true;
  TenantUpdate update;
  update.slug = "acme";
  update.phone = "";
  update.tags = {"a"};
  ContextSet set;
  set.name = "staging";
  set.settings = {"dns.zone=Z1", "dns.domain=a.example"};
  DnsSet dns;
  dns.name = "shop";
  dns.ttl = 60;
  dns.wait = true;
  SandboxServe serve;
  serve.faults = {"route53:throttle:0.3", "all:lost:2"};
  serve.time_scale = 0.5;
  serve.port = 4000;
  CostEstimateOf cost;
  cost.instances = 50;
  cost.compare = true;
  StatusShow status;
  status.watch = true;

  struct Case {
    Words words;
    Invocation wanted;
  };
  const std::vector<Case> cases{
      {{"tenant", "create", "Acme Inc", "--email", "owner@acme.example"}, {{}, acme()}},
      {{"tenant", "create", "--email=owner@acme.example", "Acme Inc"}, {{}, acme()}},
      {{"tenant", "create", "--email", "owner@acme.example", "--", "Acme Inc"}, {{}, acme()}},
      {{"tenant", "create", "Acme Inc", "--email", "owner@acme.example", "--slug", "acme", "--tier", "starter", "--tag",
        "eu,b2b", "--tag", "new", "--trial-days", "30"},
       {{}, full}},
      {{"instance", "provision", "acme", "--no-wait", "--timeout", "90s", "--yes"},
       {with([](GlobalOptions& g) {
          g.timeout = std::chrono::milliseconds(90'000);
          g.yes = true;
        }),
        provision}},
      {{"--context", "staging", "tenant", "-o", "json", "list"},
       {with([](GlobalOptions& g) {
          g.context = "staging";
          g.output = "json";
        }),
        TenantList{}}},
      {{"-ojson", "-vv", "tenant", "list", "-v", "-q"},
       {with([](GlobalOptions& g) {
          g.output = "json";
          g.verbose = 3;
          g.quiet = true;
        }),
        TenantList{}}},
      {{"tenant", "update", "acme", "--phone", "", "--tag", "a"}, {{}, update}},
      {{"context", "set", "staging", "dns.zone=Z1", "dns.domain=a.example"}, {{}, set}},
      {{"dns", "set", "shop", "--ttl", "60", "--wait"}, {{}, dns}},
      {{"sandbox", "serve", "--fault", "route53:throttle:0.3", "--fault", "all:lost:2", "--time-scale", "0.5", "--port",
        "4000"},
       {{}, serve}},
      {{"cost-estimate", "--instances", "50", "--compare"}, {{}, cost}},
      {{"status", "-w"}, {{}, status}},
      {{"--version"}, {{}, Version{}}},
      {{"version"}, {{}, Version{}}},
      {{}, {{}, Help{}}},
      {{"--help"}, {{}, Help{}}},
      {{"tenant", "--help"}, {{}, Help{{"tenant"}}}},
      {{"tenant", "create", "-h"}, {{}, Help{{"tenant", "create"}}}},
      {{"status", "--sandbox", "--help"}, {{}, Help{{"status"}}}},
      {{"help", "instance", "plan"}, {{}, Help{{"instance", "plan"}}}},
      {{"completion", "fish"}, {{}, CompletionScript{"fish"}}},
      {{"template", "render", "acme", "--part", "ingress"}, {{}, TemplateRender{"acme", "ingress"}}},
  };
  for (const Case& each : cases) {
    std::string shown;
    for (const std::string& word : each.words) shown += word + " ";
    CAPTURE(shown);
    CHECK(parsed(each.words) == each.wanted);
  }
}

TEST_CASE("A mistake gets the nearest right word, or what is missing") {
  struct Case {
    Words words;
    const char* message;
    const char* hint;
  };
  const std::vector<Case> cases{
      {{"tenent", "list"}, "litedesk has no command \"tenent\"", "tenant"},
      {{"tenant", "lst"}, "litedesk tenant has no command \"lst\"", "list"},
      {{"stauts"}, "no command \"stauts\"", "status"},
      {{"tenant", "xyzzy"}, "no command \"xyzzy\"", "create, list, get"},
      {{"tenant"}, "litedesk tenant needs a command", "create, list"},
      {{"-o", "json"}, "litedesk needs a command", "tenant"},
      {{"tenant", "create", "Acme", "--emial", "a@b.c"}, "no flag --emial", "--email"},
      {{"tenant", "create", "Acme"}, "needs --email ADDRESS", "--help"},
      {{"tenant", "create", "--email", "a@b.c"}, "needs NAME", "--help"},
      {{"tenant", "create", "--teir", "trial"}, "no flag --teir", "--tier"},
      {{"tenant", "get", "acme", "more"}, "unexpected argument \"more\"", "--help"},
      {{"tenant", "get"}, "needs SLUG", "--help"},
      {{"tenant", "get", "acme", "--context"}, "--context needs a value", ""},
      {{"tenant", "get", "acme", "--context", "a", "--context", "b"}, "--context is given more than once", ""},
      {{"tenant", "list", "--placement", "shard"}, "--placement: \"shard\" must be one of shared, dedicated", "shared"},
      {{"tenant", "list", "--color", "allways"}, "\"allways\" must be one of", "always"},
      {{"dns", "set", "x", "--ttl", "soon"}, "--ttl: \"soon\" is not a number", ""},
      {{"status", "--timeout", "soon"}, "--timeout: \"soon\" is not a duration", "10m"},
      {{"--tier", "trial", "tenant", "list"}, "no flag --tier before a command", "come after"},
      {{"--contxt", "a", "tenant", "list"}, "no flag --contxt before a command", "--context"},
      {{"-x", "status"}, "-x", ""},
      {{"instance", "provision", "acme", "--dry-run=client"}, "--dry-run takes no value", "write --dry-run, or leave"},
      {{"--quiet=3000000000", "status"}, "--quiet takes no value", "--quiet"},
      {{"status", "-v=3"}, "-v takes no value", "-vv"},
      {{"status", "--watch=false"}, "--watch takes no value", "leave it out"},
      {{"--quiet=1"}, "--quiet takes no value", ""},
      {{"status", "--help=x"}, "--help takes no value", ""},
      {{"completion", "tcsh"}, "\"tcsh\" must be one of bash, zsh, fish", ""},
      {{"status", "a", "\x1b[2J"}, "\\x1b", ""},
  };
  for (const Case& each : cases) {
    std::string shown;
    for (const std::string& word : each.words) shown += word + " ";
    CAPTURE(shown);
    try {
      (void)parse_command_line(each.words);
      FAIL("it was taken");
    } catch (const UsageError& error) {
      CAPTURE(error.message());
      CAPTURE(error.hint());
      CHECK(error.message().find(each.message) != std::string::npos);
      CHECK(error.hint().find(each.hint) != std::string::npos);
    }
  }
}

TEST_CASE("A switch takes no value, and no flag of any command breaks on one that cannot be") {
  const Words odd{"",      "client", "true", "false", "0",   "1", "-1", "3000000000", "99999999999999999999",
                  "1e999", "nan",    "{}",   "=",     "\xFF"};
  const auto message_of = [](const Flags& flags, const Words& words) -> std::string {
    try {
      parse_words("litedesk", flags, words);
    } catch (const UsageError& error) {  // anything else ends the test
      return error.message();
    }
    return "taken";
  };
  for (const Command* command : all_commands()) {
    GlobalOptions global;
    Options slot;
    Flags flags;
    bind_global(flags, global);
    command->bind(flags, slot);
    for (const Flag& flag : flags.flags()) {
      const std::string name(flag.long_name()), brief(flag.short_name());
      for (const std::string& value : odd) {
        CAPTURE(command->words() + " " + name + "=" + value);
        const std::string message = message_of(flags, {name + "=" + value});
        if (flag.is_switch()) CHECK(message == name + " takes no value");
        if (!flag.is_switch() || brief.empty()) continue;
        CHECK(message_of(flags, {brief + "=" + value}) == brief + " takes no value");
        CHECK(message_of(flags, {brief + brief.substr(1) + "3"}) == brief + " takes no value");
      }
    }
  }
}

TEST_CASE("What only looks like a switch's value is taken") {
  CHECK(parsed({"tenant", "update", "acme", "--notes", "--clear-tags=x"}).options == [] {
    TenantUpdate update;
    update.slug = "acme";
    update.notes = "--clear-tags=x";
    return Options(update);
  }());
  CHECK(parsed({"-qo", "json", "tenant", "list"}).global.output == "json");
  CHECK(parsed({"-qojson", "tenant", "list"}).global.output == "json");
  CHECK(parsed({"-o", "-q=x", "tenant", "list"}).global.output == "-q=x");
  CHECK(parsed({"tenant", "get", "--", "--quiet=1"}).options == Options(TenantGet{"--quiet=1"}));
}

TEST_CASE("The format of an error is found even where the rest cannot be parsed") {
  CHECK(requested_value({"tenant", "lst", "-o", "json"}, "--output", "-o") == "json");
  CHECK(requested_value({"-ojson", "x"}, "--output", "-o") == "json");
  CHECK(requested_value({"--output=json", "--", "--output=yaml"}, "--output", "-o") == "json");
  CHECK(requested_value({"tenant", "--output"}, "--output", "-o").empty());
}

TEST_CASE("Every command has a summary, an example that begins with it, and can be listed") {
  for (const Command* command : all_commands()) {
    CAPTURE(command->words());
    CHECK_FALSE(command->summary.empty());
    CHECK(command->examples.find(command->name) != std::string_view::npos);
    Flags flags;
    Options slot;
    command->bind(flags, slot);
    CHECK(command->asks == (flags.find("--confirm") != nullptr));
    for (const Flag& flag : flags.flags()) {
      CAPTURE(flag.names);
      CHECK(flag.long_name().starts_with("--"));
      CHECK_FALSE(flag.help.empty());
      CHECK(flag.is_switch() == flag.value.empty());
      GlobalOptions unused;
      Flags global;
      bind_global(global, unused);
      CHECK_FALSE(global.find(flag.long_name()));
      CHECK_FALSE(global.find(flag.short_name()));
    }
  }
}
