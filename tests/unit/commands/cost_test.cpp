#include "commands/cost.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "commands/advice.hpp"
#include "providers/error.hpp"
#include "tests/unit/commands/json_schema.hpp"
#include "tests/unit/commands/template_folder.hpp"

using namespace litedesk;

namespace {

const Prices& built_in() {
  static const Prices prices{templates::Files()};
  return prices;
}

std::string error_of(const testing::TemplateFolder& folder) {
  try {
    const Prices prices(folder.files());
    return "no error";
  } catch (const ValidationError& error) {
    return error.message().substr(folder.path().string().size() + 1);
  }
}

}  // namespace

TEST_CASE("the totals are the plan's, to the dollar") {
  struct Case {
    const char* model;
    std::int64_t instances;
    const char* total;
  };
  const std::vector<Case> cases{
      {"base", 0, "$209"},
      {"base", 1, "$214 to $224"},
      {"base", 10, "$259 to $359"},
      {"base", 50, "$459 to $959"},
      {"dedicated", 0, "$220"},
      {"dedicated", 10, "$1,110"},
      {"dedicated", 50, "$4,670"},
      {"dedicated", 100, "$9,120"},
      {"optimized", 10, "$250 to $350"},
      {"optimized", 100, "$2,500 to $3,500"},
      {"single", 0, "$0"},
      {"single", 20, "$0"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.model);
    CAPTURE(each.instances);
    const auto estimate = built_in().estimate(each.model, each.instances);
    CHECK(to_text(estimate.total) == each.total);
    Money sum;
    for (const auto& line : estimate.lines) {
      sum = sum + line.total;
      CHECK_FALSE(line.source.empty());
      CHECK(line.total == line.quantity * line.unit);
    }
    CHECK(sum == estimate.total);
    CHECK(testing::schema_faults("cost-estimate", to_json(estimate)) == std::vector<std::string>{});
  }
}

TEST_CASE("the base model's lines are the plan's") {
  const auto estimate = built_in().estimate("base", 10);
  std::vector<std::string> lines;
  for (const auto& line : estimate.lines)
    lines.push_back(line.scope + ": " + std::to_string(line.quantity) + " " + line.item + " " + to_text(line.total));
  CHECK(lines == std::vector<std::string>{"base: 1 EKS control plane $73", "base: 2 worker node t3.medium $60",
                                          "base: 1 Atlas M10 $57", "base: 1 load balancer $18", "base: 1 Route 53 $1",
                                          "base: 1 certificates $0",
                                          "instance: 10 an instance's share of nodes and database $50 to $150"});
  CHECK(to_text(built_in().instance_adds()) == "$5 to $15");
  CHECK(to_text(built_in().estimate("dedicated", 1).per_instance) == "$89");
  CHECK(built_in().estimate("optimized", 1).notes.front().starts_with("Assumption:"));
}

TEST_CASE("money is written with thousands, cents only where there are some, and ranges stay ranges") {
  CHECK(to_text({0, 0}) == "$0");
  CHECK(to_text({111000, 111000}) == "$1,110");
  CHECK(to_text({25900, 35900}) == "$259 to $359");
  CHECK(to_text({1250, 1250}) == "$12.50");
  CHECK(to_text({5, 5}) == "$0.05");
  CHECK(to_text({-200, -200}) == "-$2");
  CHECK(to_text({123456789000, 123456789000}) == "$1,234,567,890");
}

TEST_CASE("a model that is not there, and a count that makes no sense, are usage errors") {
  CHECK_THROWS_WITH_AS(static_cast<void>(built_in().estimate("dedicatd", 1)),
                       doctest::Contains("unknown cost model dedicatd"), UsageError);
  CHECK_THROWS_AS(static_cast<void>(built_in().estimate("base", -1)), UsageError);
  CHECK_THROWS_AS(static_cast<void>(built_in().estimate("base", 10'000'001)), UsageError);
  CHECK(built_in().models() == std::vector<std::string>{"single", "base", "dedicated", "optimized"});
}

TEST_CASE("all models side by side") {
  const auto estimates = compare(built_in(), 10);
  CHECK(estimates.size() == 4);
  const auto json = to_json(estimates);
  CHECK(testing::schema_faults("cost-comparison", json) == std::vector<std::string>{});
  CHECK(json["models"][1]["total"] == Json{{"lowCents", 25900}, {"highCents", 35900}, {"currency", "USD"}});
}

TEST_CASE("break-even is the first number of instances that brings more than it costs") {
  const Tiers tiers{templates::Files()};
  for (const auto& model : built_in().models()) {
    for (const auto& line : break_even(built_in(), model, tiers.all())) {
      CAPTURE(model);
      CAPTURE(line.tier);
      REQUIRE(line.low.has_value());
      REQUIRE(line.high.has_value());
      CHECK(*line.low * line.price_cents > built_in().estimate(model, *line.low).total.low);
      CHECK(*line.high * line.price_cents > built_in().estimate(model, *line.high).total.high);
      if (*line.low > 1)
        CHECK((*line.low - 1) * line.price_cents <= built_in().estimate(model, *line.low - 1).total.low);
      if (*line.high > 1)
        CHECK((*line.high - 1) * line.price_cents <= built_in().estimate(model, *line.high - 1).total.high);
    }
  }
  const auto dedicated = break_even(built_in(), "dedicated", tiers.all());
  REQUIRE(dedicated.size() == 3);  // a trial brings nothing
  CHECK(dedicated[0].tier == "starter");
  CHECK(dedicated[0].low == 23);  // 220 + 89 n < 99 n
  CHECK(break_even(built_in(), "base", tiers.all())[0].high == 3);
  CHECK(testing::schema_faults("break-even", to_json(dedicated)) == std::vector<std::string>{});

  Tier cheap;
  cheap.name = "cheap";
  cheap.price_cents = 8900;
  const auto never = break_even(built_in(), "dedicated", {cheap});
  CHECK_FALSE(never[0].low.has_value());
  CHECK(to_json(never)["breakEven"][0]["instancesAtLowCost"].is_null());
  CHECK(testing::schema_faults("break-even", to_json(never)) == std::vector<std::string>{});
}

TEST_CASE("the chart fits its width, with one line a model") {
  const auto estimates = compare(built_in(), 10);
  CHECK(chart(estimates, {.width = 60, .utf8 = false}) ==
        "single     $0\n"
        "base       ########---  $259 to $359\n"
        "dedicated  ###################################  $1,110\n"
        "optimized  ########---  $250 to $350\n");
  for (const std::size_t width : {0U, 20U, 40U, 80U, 200U}) {
    const auto text = chart(estimates, {.width = width, .utf8 = false});
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = text.find('\n', begin);
      CHECK(end - begin <= std::max<std::size_t>(width, 37));  // names, ten cells and figures are never cut
      begin = end + 1;
    }
  }
  CHECK(chart(estimates, {}).find("█") != std::string::npos);
  CHECK(
      chart(estimates, {.width = 80, .utf8 = false}).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789 #-$,\n") ==
      std::string::npos);
  CHECK(chart({}, {}).empty());
}

TEST_CASE("advice follows the plan's rules, and gives the reasons") {
  struct Case {
    const char* what;
    AdviceInput input;
    const char* answer;
    const char* reason;
  };
  const std::vector<Case> cases{
      {"nothing known", {}, "single", "the number of paying customers is not known, and nothing else asks for more"},
      {"nobody yet", {.paying_customers = 0}, "single", "0 paying customers are fewer than 10"},
      {"one customer", {.paying_customers = 1}, "single", "1 paying customer is fewer than 10"},
      {"nine customers",
       {.paying_customers = 9, .monthly_revenue_cents = 200000},
       "single",
       "9 paying customers are fewer than 10"},
      {"ten customers", {.paying_customers = 10}, "multi", "10 paying customers are 10 or more"},
      {"revenue",
       {.paying_customers = 3, .monthly_revenue_cents = 200001},
       "multi",
       "monthly revenue of $2,000.01 is above $2,000"},
      {"isolation alone", {.paying_customers = 3, .isolation = true}, "hybrid", "customers need their data isolated"},
      {"isolation and customers",
       {.paying_customers = 12, .isolation = true, .monthly_budget_cents = 40000},
       "multi",
       "12 paying customers are 10 or more"},
      {"enterprise", {.enterprise = true}, "multi", "enterprise deals ask for dedicated instances"},
      {"compliance",
       {.compliance = true, .monthly_budget_cents = 30000},
       "multi",
       "compliance (HIPAA, SOC 2) asks for isolated data"},
      {"a small budget",
       {.compliance = true, .monthly_budget_cents = 29999},
       "hybrid",
       "compliance (HIPAA, SOC 2) asks for isolated data"},
      {"no budget",
       {.paying_customers = 50, .monthly_budget_cents = 0},
       "single",
       "a budget of $0 a month does not pay for a cluster with one instance ($214 to $224)"},
      {"subdomains", {.subdomains = 10}, "multi", "10 enterprise customers want subdomains of their own"},
      {"isolation, no budget",
       {.isolation = true, .monthly_budget_cents = 20000},
       "single",
       "a budget of $200 a month does not pay"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.what);
    const auto advice = advise(each.input, built_in());
    CHECK(to_string(advice.recommendation) == each.answer);
    REQUIRE_FALSE(advice.reasons.empty());
    CHECK(advice.reasons.front().starts_with(each.reason));
    CHECK(testing::schema_faults("advice", to_json(advice)) == std::vector<std::string>{});
  }
  CHECK_THROWS_AS(static_cast<void>(advise({.paying_customers = -1}, built_in())), UsageError);
}

TEST_CASE("every trigger of the plan is told of, whether it holds and by what figure") {
  const auto told = [](const AdviceInput& input) {
    std::string text;
    for (const auto& trigger : advise(input, built_in()).triggers)
      text += std::string(!trigger.holds   ? "?"
                          : *trigger.holds ? "yes"
                                           : "no") +
              " " + trigger.name + " " + trigger.figure + "\n";
    return text;
  };
  CHECK(told({}) ==
        "? customers \n? revenue \n? revenueAboveCost $214 to $224\n? isolation \n? enterprise \n? compliance \n"
        "? subdomains \n? staff \n? budget \n");
  CHECK(told({.paying_customers = 12,
              .monthly_revenue_cents = 150000,
              .monthly_budget_cents = 40000,
              .staff = true,
              .instances = 12}) ==
        "yes customers 12\nno revenue $1,500\nyes revenueAboveCost $1,500 against $269 to $389\n? isolation \n"
        "? enterprise \n? compliance \n? subdomains \nyes staff \nyes budget $400\n");
  CHECK(told({.paying_customers = 9,
              .monthly_revenue_cents = 200000,
              .isolation = true,
              .enterprise = true,
              .compliance = true,
              .monthly_budget_cents = 29999,
              .subdomains = 3,
              .instances = 200}) ==
        "no customers 9\nno revenue $2,000\nno revenueAboveCost $2,000 against $1,209 to $3,209\nyes isolation \n"
        "yes enterprise \nyes compliance \nno subdomains 3\n? staff \nno budget $299.99\n");
  for (const auto recommendation : {Recommendation::single, Recommendation::hybrid, Recommendation::multi})
    CHECK(
        title(recommendation).find(to_string(recommendation) == "multi" ? "an instance for each customer" : "server") !=
        std::string_view::npos);
}

TEST_CASE("dollars are read as people write them, and what is ambiguous is not guessed at") {
  struct Case {
    const char* text;
    std::int64_t cents;
  };
  for (const Case& each :
       {Case{"0", 0}, Case{"2400", 240000}, Case{"$2400", 240000}, Case{"2,400", 240000}, Case{"$2,400.50", 240050},
        Case{"12.05", 1205}, Case{"1,234,567", 123456700}, Case{"999", 99900}, Case{"$0.99", 99}, Case{"007", 700},
        Case{"999999999999", 99999999999900}}) {
    CAPTURE(each.text);
    CHECK(parse_dollars(each.text) == each.cents);
  }
  for (const char* text :
       {"",       "$",      "-5",     "2.400",  "2,40",  "2,4000",    "24,00",     ",400",
        "2,,400", "2,400,", "1,2345", "2400.5", "2400.", ".50",       "2 400",     "2'400",
        "2k",     "1e3",    "$$5",    "5$",     "0x10",  "12,34,567", "2,400.505", "1000000000000"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_dollars(text));
  }
}

TEST_CASE("a price file with a mistake is refused with its line") {
  struct Case {
    const char *from, *to, *message;
  };
  const std::vector<Case> cases{
      {"usd: 73,", "usd: 73, eur: 70,", "prices.yaml:17:40: unknown key eur in a line"},
      {"usd: 73,", "usd: free,", "prices.yaml:17:36: a price must be dollars"},
      {"usd: 73,", "usd: 7.125,", "prices.yaml:17:36: a price must be dollars with at most two decimals"},
      {"usd: [5, 15]", "usd: [15, 5]", "prices.yaml:24:62: a range is [low, high]"},
      {"usd: [5, 15]", "usd: [15]", "prices.yaml:24:62: a range is [low, high]"},
      {"- name: optimized", "- name: base", "prices.yaml:"},
      {"- name: base", "- name: basic", "prices.yaml:"},
      {"hours: [4, 8]", "hours: 4", "prices.yaml:"},
      {"hours: [4, 8]", "hours: [4, 4294967304]", "prices.yaml:"},
      {"hours: [4, 8]", "hours: [4, 8.5]", "prices.yaml:"},
      {"hours: [4, 8]", "hours: [-1, 8]", "prices.yaml:"},
      {"setup:", "set-up:", "prices.yaml:"},
      {", source: \"LiteDesk planning, multi-instance base\"}", "}", "prices.yaml:17:5: a line needs a source"},
  };
  for (const auto& each : cases) {
    CAPTURE(std::string(each.to));
    testing::TemplateFolder folder;
    folder.change("prices.yaml", each.from, each.to);
    CHECK(error_of(folder).substr(0, std::string_view(each.message).size()) == std::string(each.message));
  }
  testing::TemplateFolder cents;
  cents.change("prices.yaml", "usd: 73,", "usd: 72.5,");
  CHECK(to_text(Prices(cents.files()).estimate("base", 0).total) == "$208.50");
  CHECK(built_in().setup().size() == 5);
  CHECK(built_in().setup().front().high == 80);
}
