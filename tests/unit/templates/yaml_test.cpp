#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "providers/error.hpp"
#include "templates/renderer.hpp"

using namespace litedesk;
using namespace litedesk::templates;

namespace {

std::string error_of(const std::string& text) {
  try {
    return "no error: " + Json(parse_yaml_documents(text, "f.yaml")).dump();
  } catch (const ValidationError& error) {
    return error.message();
  }
}

}  // namespace

TEST_CASE("an unquoted word has the type that YAML 1.1 and 1.2 agree on") {
  const std::vector<std::pair<std::string, Json>> cases{{"true", true},
                                                        {"False", false},
                                                        {"null", nullptr},
                                                        {"~", nullptr},
                                                        {"12", 12},
                                                        {"-3", -3},
                                                        {"1.5", 1.5},
                                                        {"1.0", 1.0},
                                                        {"250m", "250m"},
                                                        {"1Gi", "1Gi"},
                                                        {"1.4.2", "1.4.2"},
                                                        {"10.0.0.1", "10.0.0.1"},
                                                        {"1-10", "1-10"},
                                                        {"500+", "500+"},
                                                        {"a: b", Json{{"a", "b"}}},
                                                        {"yesterday", "yesterday"},
                                                        {"-", Json::array({nullptr})},
                                                        {"http://x:80/y", "http://x:80/y"},
                                                        {"9223372036854775807", 9223372036854775807},
                                                        {"\"12\"", "12"},
                                                        {"'yes'", "yes"},
                                                        {"!!str 12", "12"},
                                                        {"|\n  12\n", "12\n"},
                                                        {"\"\"", ""},
                                                        {"0", 0},
                                                        {"nullable", "nullable"},
                                                        {"=a", "=a"},
                                                        {"!!str 12  # it's", "12"}};
  for (const auto& each : cases) {
    const auto& text = each.first;
    const auto& value = each.second;
    CAPTURE(text);
    CHECK(parse_yaml(text, "f.yaml") == value);
  }
}

TEST_CASE("an unquoted word that readers differ about is refused, and the message says what to write") {
  for (const auto* word : {"yes",
                           "No",
                           "ON",
                           "off",
                           "y",
                           "N",
                           "0777",
                           "0o17",
                           "0x1F",
                           "0b1",
                           "1_000",
                           "1:30",
                           "190:20:30.5",
                           "+12",
                           "1.10",
                           "1.",
                           ".5",
                           "1e3",
                           "1E5",
                           "-0",
                           ".inf",
                           "-.Inf",
                           ".nan",
                           "2026-12-08",
                           "2026-12-08T10:00:00Z",
                           "2026-12-08 10:00:00",
                           "99999999999999999999",
                           "=",
                           "<<"}) {
    CAPTURE(word);
    const auto message = error_of("key: [" + std::string(word) + "]");
    CHECK(message.starts_with("f.yaml:1:7: "));
    CHECK(message.find("quote it") != std::string::npos);
  }
}

TEST_CASE("malformed YAML is refused with the place") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key a is defined twice"},
      {"x:\n  - {a: 1, \"a\": 2}\n", "f.yaml:2:12: the key a is defined twice"},
      {"a: {b}\n", "f.yaml:1:5: the key b has no value"},
      {"a: {b: one, two}\n", "f.yaml:1:13: the key two has no value"},
      {"a: {b: , c: 1}\n", "f.yaml:1:5: the key b has no value"},
      {"1: a\n", "f.yaml:1:1: the key 1 is not text: quote it"},
      {"true: a\n", "f.yaml:1:1: the key true is not text: quote it"},
      {"? [a]\n: b\n", "f.yaml:1:3: a key must be text"},
      {"a: !!binary aGk=\n", "f.yaml:1:4: the tag tag:yaml.org,2002:binary is not supported here"},
      {"a: !thing {b: 1}\n", "f.yaml:1:4: the tag !thing is not supported here"},
      {"a: \"b\nc: 1\n", "f.yaml:1:4: the quote that begins here is never closed"},
      {"a: 'b''\n", "f.yaml:1:4: the quote"},
      {"a: &x \"b\n", "f.yaml:1:4: the quote"},
      {"a: &x \"b\\\"", "f.yaml:1:"},
      {"a: {b: \"c}\n", "f.yaml:"},
      {"a: [1, 2\n", "f.yaml:2:1: end of sequence flow not found"},
      {"a: b: c\n", "f.yaml:1:5: "},
      {"a: *b\n", "f.yaml:1:"},
      {"\tb: 1\n", "f.yaml:1:"},
      {"é: {ü: yes}\n", "f.yaml:1:8: yes is a boolean"},
      {"a: \xFF\n", "f.yaml:1:4: this is not YAML text"},
      {"a: b\n\x01", "f.yaml:2:1: this is not YAML text"},
      {"--- ,\n", "f.yaml:1:5: this text does not belong"},
      {",", "f.yaml:1:1: this text does not belong"},
      {"[a] b", "f.yaml:1:5: this text does not belong"},
      {"a: [b,, c]\n", "f.yaml:1:7: a value is missing here"},
      {"a: b\r", "f.yaml:1:5: there is a carriage return here without a line feed"},
      {"a: b\r\nc: é\rd", "f.yaml:2:"},
      {"a: \"\\uD800\"\n", "f.yaml:1:"},
      {"<!DOCTYPE html>\n<html>a: b: c</html>\n", "f.yaml:"},
  };
  for (const auto& each : cases) {
    const auto& text = each.first;
    const auto& message = each.second;
    CAPTURE(text);
    CHECK(error_of(text).substr(0, message.size()) == message);
  }
}

TEST_CASE("one document is one value, and more are refused where the second begins") {
  CHECK(parse_yaml("", "f.yaml").is_null());
  CHECK(parse_yaml("# nothing\n", "f.yaml").is_null());
  CHECK(parse_yaml_documents("a: 1\n---\n---\n# empty\n---\nb: 2\n", "f.yaml").size() == 2);
  CHECK_THROWS_WITH_AS(static_cast<void>(parse_yaml("a: 1\n---\nb: 2\n", "f.yaml")), doctest::Contains("f.yaml:3:1"),
                       ValidationError);
  CHECK(parse_yaml("\xEF\xBB\xBF"
                   "a: 1\r\nb: 2\r\n",
                   "f.yaml") == Json{{"a", 1}, {"b", 2}});
}

TEST_CASE("aliases are copied, and a file that explodes is refused") {
  CHECK(parse_yaml("a: &x {b: 1}\nc: *x\n", "f.yaml")["c"] == Json{{"b", 1}});
  CHECK(error_of("a: &x [*x]\n").find("alias is inside") != std::string::npos);
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const auto previous = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j > 0 ? ", " : "") + previous;
    bomb += "]\n";
  }
  CHECK(error_of(bomb).find("too large once its aliases") != std::string::npos);
  CHECK(error_of(std::string(5000, '[')).starts_with("f.yaml:1:"));
  CHECK(error_of(std::string(201, '[') + std::string(201, ']')) ==
        "f.yaml:1:201: lists and maps are nested more than 200 deep in each other");
}

TEST_CASE("what is written reads back as the same value") {
  Json values = Json::array({nullptr,
                             true,
                             12,
                             -3,
                             1.5,
                             1e20,
                             1e-7,
                             100.0,
                             "",
                             " ",
                             "a",
                             "a b",
                             "123",
                             "1.10",
                             "yes",
                             "no",
                             "true",
                             "null",
                             "~",
                             "0777",
                             "1e3",
                             "1:30",
                             "2026-12-08",
                             "- a",
                             "a: b",
                             "a:",
                             ": a",
                             "#a",
                             "a #b",
                             "a#b",
                             "*a",
                             "&a",
                             "!a",
                             "%a",
                             "@a",
                             "`a",
                             "|",
                             ">",
                             "'",
                             "\"",
                             "\\",
                             "a\tb",
                             "a\nb",
                             "a\nb\n",
                             "a\n\n",
                             "\na",
                             " a\nb",
                             "a\n  b\n",
                             "a\n \nb",
                             "a\r\nb",
                             "\x01",
                             "\x7f",
                             "é",
                             "日本",
                             "\xF0\x9F\x9A\x80",
                             "\xC2\x85",
                             "\xE2\x80\xA8",
                             "\xEF\xBB\xBF",
                             "=",
                             "<<",
                             "---",
                             "...",
                             "--- a",
                             "{a}",
                             "[a]",
                             "a, b",
                             "?a",
                             "? a",
                             "$(X)",
                             "${x}",
                             "250m",
                             "1Gi",
                             "12k",
                             ".5",
                             "+1",
                             "0x1F",
                             "1.4.2",
                             "NULL",
                             "Yes",
                             "on",
                             "a ",
                             "https://x.y/z?a=b&c=d",
                             "C:\\x",
                             "key: |\n  text",
                             Json::array(),
                             Json::object(),
                             Json::array({Json::array({1, Json::array()}), Json::object()}),
                             Json{{"", 1},
                                  {"yes", Json::array({Json{{"a", 1}, {"b", Json::array({2})}}})},
                                  {"a: b", Json{{"c", Json::object()}}},
                                  {"12", "x\ny"}},
                             Json{{std::string(2000, 'k'), Json{{"a", 1}}}},
                             Json{{std::string(1500, '"'), "v"}}});
  for (const auto& value : values) {
    const auto text = to_yaml(value);
    CAPTURE(text);
    CHECK(text.back() == '\n');
    CHECK(parse_yaml(text, "written.yaml") == value);
  }
  CHECK(parse_yaml(to_yaml(values), "written.yaml") == values);
}

TEST_CASE("what some reader would take for something else is written in quotes") {
  for (const auto* text : {"123", "1.10", "yes", "NO", "y", "true", "null", "~", "0777", "1e3", "1:30", "2026-12-08",
                           "0x1F", ".inf", "1_000", "=", "<<"}) {
    CAPTURE(text);
    CHECK(to_yaml(Json(text)) == "\"" + std::string(text) + "\"\n");
  }
  for (const auto* text :
       {"acme", "250m", "512Mi", "instance-acme", "https://acme.litedesk.com/api", "a b", "/health"}) {
    CAPTURE(text);
    CHECK(to_yaml(Json(text)) == std::string(text) + "\n");
  }
}

TEST_CASE("YAML is laid out as kubectl does it") {
  const Json value{{"metadata", {{"name", "acme"}, {"labels", Json::object()}}},
                   {"list", {{{"a", 1}, {"b", {1, 2}}}, "x"}},
                   {"script", "one\n  two\n"}};
  CHECK(to_yaml(value) ==
        "list:\n- a: 1\n  b:\n  - 1\n  - 2\n- x\nmetadata:\n  labels: {}\n  name: acme\nscript: |\n  one\n    two\n");
}

TEST_CASE("escapes that YAML has and JSON has not are characters") {
  CHECK(parse_yaml(R"({a: "\_", b: "\N", c: "\L\P", d: "\x85\xA0"})", "f.yaml") ==
        Json{{"a", "\xC2\xA0"}, {"b", "\xC2\x85"}, {"c", "\xE2\x80\xA8\xE2\x80\xA9"}, {"d", "\xC2\x85\xC2\xA0"}});
  CHECK_NOTHROW(static_cast<void>(parse_yaml(R"(["\_", "\N"])", "f.yaml").dump()));
}

TEST_CASE("text that is not UTF-8 is written with the replacement character") {
  CHECK(to_yaml(Json("a\xFFz")) == "\"a\\uFFFDz\"\n");
}
