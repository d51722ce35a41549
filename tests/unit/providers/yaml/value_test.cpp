#include "providers/yaml/value.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace litedesk;

namespace {

Json value_of(const std::string& text) {
  return yaml::to_json(yaml::parse(text, "f.yaml").at(0));
}

}  // namespace

TEST_CASE("unquoted words are what Kubernetes' readers take them for") {
  const std::vector<std::pair<std::string, Json>> cases = {
      {"yes", true},
      {"Off", false},
      {"n", false},
      {"~", nullptr},
      {"Null", nullptr},
      {"'yes'", "yes"},
      {"yess", "yess"},
      {"12", 12},
      {"-12", -12},
      {"+12", 12},
      {"0777", 511},
      {"0o17", 15},
      {"0x1F", 31},
      {"0b101", 5},
      {"1_000", 1000},
      {"18446744073709551615", 18446744073709551615U},
      {"-9223372036854775808", INT64_MIN},
      {"99999999999999999999", 1e20},
      {"1.5", 1.5},
      {".5", 0.5},
      {"1e3", 1000.0},
      {"-1.5e-3", -0.0015},
      {"1.2.3", "1.2.3"},
      {"-", Json::array({nullptr})},
      {"1e999", "1e999"},
      {".inf", ".inf"},
      {"10.0.0.1", "10.0.0.1"},
      {"2026-12-08T10:00:00Z", "2026-12-08T10:00:00Z"},
      {"2026-12-08", "2026-12-08"},
      {"250m", "250m"},
      {"0x", "0x"},
      {"a_b", "a_b"},
      {"[1, a, {b: no}]", Json::array({1, "a", Json{{"b", false}}})},
      {"on: 1", Json{{"on", 1}}},
  };
  for (const auto& each : cases) {
    const auto& text = each.first;
    const auto& value = each.second;
    CAPTURE(text);
    CHECK(value_of(text) == value);
  }
}

TEST_CASE("<< takes over what a map does not say itself") {
  CHECK(value_of("base: &b {x: 1, y: 2}\nmine: {<<: *b, y: 3}\n")["mine"] == Json{{"x", 1}, {"y", 3}});
  CHECK(value_of("a: &a {x: 1}\nb: &b {x: 2, z: 4}\nmine: {y: 3, <<: [*a, *b]}\n")["mine"] ==
        Json{{"x", 1}, {"y", 3}, {"z", 4}});
  CHECK(value_of("{'<<': 1}") == Json{{"<<", 1}});
}

TEST_CASE("the last of a key that is there twice counts") {
  CHECK(value_of("{a: 1, a: 2}") == Json{{"a", 2}});
}
