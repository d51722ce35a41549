#include "commands/tiers.hpp"

#include <limits>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "commands/quantity.hpp"
#include "providers/error.hpp"
#include "tests/unit/commands/json_schema.hpp"
#include "tests/unit/commands/template_folder.hpp"

using namespace litedesk;

namespace {

std::string error_of(const testing::TemplateFolder& folder) {
  try {
    const Tiers tiers(folder.files());
    return "no error";
  } catch (const ValidationError& error) {
    return error.message().substr(folder.path().string().size() + 1);
  }
}

}  // namespace

TEST_CASE("the four tiers have the plan's figures") {
  const Tiers tiers{templates::Files()};
  struct Expected {
    const char* name;
    std::int64_t price_cents;
    std::size_t modules;
    ContainerResources backend;
    int backend_replicas, frontend_replicas;
    const char* database;
  };
  const std::vector<Expected> expected{
      {"trial", 0, 4, {"250m", "512Mi", "500m", "1Gi"}, 1, 1, "shared"},
      {"starter", 9900, 6, {"250m", "512Mi", "1", "1Gi"}, 2, 2, "shared"},
      {"professional", 29900, 12, {"1", "2Gi", "2", "4Gi"}, 2, 2, "shared"},
      {"enterprise", 99900, 12, {"1", "2Gi", "2", "4Gi"}, 3, 2, "dedicated"},
  };
  REQUIRE(tiers.all().size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& tier = tiers.all()[i];
    CAPTURE(tier.name);
    CHECK(tier.name == expected[i].name);
    CHECK(tier.price_cents == expected[i].price_cents);
    CHECK(tier.modules.size() == expected[i].modules);
    REQUIRE(tier.components.contains("backend"));
    REQUIRE(tier.components.contains("frontend"));
    const auto& back = tier.components.at("backend");
    const auto& front = tier.components.at("frontend");
    CHECK(back.resources.cpu_request == expected[i].backend.cpu_request);
    CHECK(back.resources.memory_request == expected[i].backend.memory_request);
    CHECK(back.resources.cpu_limit == expected[i].backend.cpu_limit);
    CHECK(back.resources.memory_limit == expected[i].backend.memory_limit);
    CHECK(front.resources.cpu_request == "100m");
    CHECK(front.resources.memory_request == "128Mi");
    CHECK(front.resources.cpu_limit == "500m");
    CHECK(front.resources.memory_limit == "512Mi");
    CHECK(back.replicas == expected[i].backend_replicas);
    CHECK(front.replicas == expected[i].frontend_replicas);
    CHECK(tier.database == expected[i].database);
    CHECK(back.autoscale.has_value() == (tier.name == "enterprise"));
    CHECK(testing::schema_faults("tier", to_json(tier)) == std::vector<std::string>{});
  }
  const auto& enterprise = tiers.get("enterprise");
  CHECK(enterprise.components.at("backend").autoscale->min_replicas == 2);
  CHECK(enterprise.components.at("backend").autoscale->max_replicas == 10);
  CHECK(enterprise.components.at("backend").autoscale->cpu_percent == 80);
  CHECK(enterprise.instance_size == "M10");
  CHECK(enterprise.backup_days == 30);
  CHECK(tiers.get("starter").modules ==
        std::vector<std::string>{"contacts", "deals", "tasks", "events", "organizations", "documents"});
}

TEST_CASE("paid is professional, and a mistyped tier gets the nearest") {
  const Tiers tiers{templates::Files()};
  CHECK(tiers.get("paid").name == "professional");
  const auto hint_of = [&tiers](const char* name) {
    try {
      return "found " + tiers.get(name).name;
    } catch (const UsageError& error) {
      return error.hint();
    }
  };
  CHECK(hint_of("profesional") == "did you mean \"professional\"?");
  CHECK(hint_of("gold") == "the tiers are trial, starter, professional, enterprise");
}

TEST_CASE("paid is itself where the file has it") {
  testing::TemplateFolder folder;
  folder.change("tiers.yaml", "- name: starter", "- name: paid");
  const Tiers tiers(folder.files());
  CHECK(tiers.get("paid").name == "paid");
  CHECK(tiers.rank("paid") == 1);
  CHECK(tiers.rank("starter") == 4);
}

TEST_CASE("a tier's name can be a label's value") {
  for (const char* name : {"trial", "a", "x-1", "2026"}) CHECK(is_tier_name(name));
  for (const std::string& name : {std::string(), std::string("-a"), std::string("a-"), std::string("A"),
                                  std::string("a_b"), std::string("ä"), std::string(64, 'a')})
    CHECK_FALSE(is_tier_name(name));
}

TEST_CASE("a tier file with a mistake is refused with its line") {
  struct Case {
    const char *from, *to, *message;
  };
  const std::vector<Case> cases{
      {"  price: 99\n", "  price: 99\n  prize: 1\n",
       "tiers.yaml:18:3: unknown key prize in a tier: did you mean \"price\"?"},
      {"memory: 512Mi}", "memory: 512MB}", "tiers.yaml:8:35: the memory 512MB is not a quantity"},
      {"memory: 512Mi}", "memory: 5000T}", "tiers.yaml:8:35: the memory 5000T is too large: at most 16Ti"},
      {"memory: 512Mi}", "memory: 9223372036854775807}",
       "tiers.yaml:8:35: the memory 9223372036854775807 is too large"},
      {"memory: 512Mi}", "memory: 17Ti}", "tiers.yaml:8:35: the memory 17Ti is too large"},
      {"memory: 512Mi}", "memory: 1Ei}", "tiers.yaml:8:35: the memory 1Ei is too large"},
      {"cpu: 250m", "cpu: 10M", "tiers.yaml:8:21: the cpu 10M is too large: at most 1M"},
      {"cpu: 250m", "cpu: 1E", "tiers.yaml:8:21: the cpu 1E is too large: at most 1M"},
      {"{cpu: 250m, memory: 512Mi}", "{cpu: 250m}", "tiers.yaml:8:15: requests needs a memory"},
      {"{cpu: 250m, memory: 512Mi}", "{cpu: 2, memory: 512Mi}",
       "tiers.yaml:8:15: the request 2 is above the limit 500m"},
      {"  price: 0\n", "  price: free\n", "tiers.yaml:4:10: price must be a whole number from 0 to"},
      {"    replicas: 1\n", "    replicas: 0\n", "tiers.yaml:7:15: replicas must be a whole number from 1 to 100"},
      {"- name: starter", "- name: trial", "tiers.yaml:16:3: the tier trial is defined twice"},
      {"- name: starter", "- name: Best Value", "tiers.yaml:16:9: \"Best Value\" is not a tier name"},
      {"{placement: shared}", "{placement: own}", "tiers.yaml:14:25: placement must be shared or dedicated"},
      {"{placement: shared}", "{placement: dedicated}", "tiers.yaml:14:13: a dedicated database needs an instanceSize"},
      {"minReplicas: 2, maxReplicas: 10", "minReplicas: 2, maxReplicas: 1", "tiers.yaml:"},
      {"[contacts, deals, tasks, events]", "[]", "tiers.yaml:3:3: a tier needs modules"},
      {"[contacts, deals, tasks, events]", "[contacts, 1]", "tiers.yaml:5:23: modules must be a list of text"},
      {"tiers:\n", "tiers: []\nothers:\n", "tiers.yaml:2:1: it has no tiers"},
      {"tiers:\n", "tier:\n", "tiers.yaml:2:1: the file needs a tiers"},
  };
  for (const auto& each : cases) {
    CAPTURE(std::string(each.to));
    testing::TemplateFolder folder;
    folder.change("tiers.yaml", each.from, each.to);
    CHECK(error_of(folder).substr(0, std::string_view(each.message).size()) == std::string(each.message));
  }
}

TEST_CASE("quantities are written as the API server writes them") {
  const std::vector<std::pair<std::string, std::string>> cases{{"1000m", "1"},
                                                               {"250m", "250m"},
                                                               {"1500m", "1500m"},
                                                               {"0.5", "500m"},
                                                               {"2", "2"},
                                                               {"2000", "2k"},
                                                               {"2500", "2500"},
                                                               {"1024Mi", "1Gi"},
                                                               {"1536Mi", "1536Mi"},
                                                               {"1Gi", "1Gi"},
                                                               {"0.5Gi", "512Mi"},
                                                               {"1000k", "1M"},
                                                               {"0", "0"},
                                                               {"1024Gi", "1Ti"},
                                                               {"0.0001", "1m"},
                                                               {"5T", "5T"},
                                                               {"5000T", "5P"},
                                                               {"2Pi", "2Pi"},
                                                               {"9.2P", "9200T"},
                                                               {".5", "500m"},
                                                               {"1.", "1"},
                                                               {"0.00000000000000001", "1m"},
                                                               {"1.000000000000000000000000000001", "1001m"},
                                                               {"0." + std::string(127, '0') + "1", "1m"}};
  for (const auto& each : cases) {
    const auto& text = each.first;
    const auto& canonical = each.second;
    CAPTURE(text);
    const auto parsed = parse_quantity(text);
    REQUIRE(parsed.has_value());
    CHECK(to_string(*parsed) == canonical);
  }
  for (const auto* text :
       {"", "m", "-1", "1e3", "1 Gi", "Gi", "1GB", "1.2.3", "1e-3", "+1", "1n", "mi", "1iG", "0x1", "."}) {
    CAPTURE(text);
    CHECK_FALSE(parse_quantity(text).has_value());
  }
  CHECK(to_string(*parse_quantity("512Mi") + *parse_quantity("512Mi")) == "1Gi");
  CHECK(to_string(3 * *parse_quantity("500m")) == "1500m");
}

TEST_CASE("a quantity that does not fit is the largest, and never another one") {
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  for (const std::string& text :
       {std::string("9999999999999T"), std::string("99999999999999999999"), std::string("9224P"), std::string("1E"),
        std::string("10Ei"), std::string(200, '9'), std::string(200, '9') + "Ei",
        std::string(50, '9') + "." + std::string(50, '9') + "Ei", std::string("9223372036854775.808"),
        std::string("9223372036854775808m")}) {
    CAPTURE(text);
    REQUIRE(parse_quantity(text));
    CHECK(parse_quantity(text)->thousandths == largest);
  }
  CHECK(parse_quantity("9223372036854775.807")->thousandths == largest);
  CHECK(parse_quantity("9223372036854775.806")->thousandths == largest - 1);
  const auto half = *parse_quantity("5000P");
  CHECK((half + half).thousandths == largest);
  CHECK((2 * half).thousandths == largest);
  CHECK((largest * Quantity{largest, true}).thousandths == largest);
  CHECK((0 * half).thousandths == 0);
}
