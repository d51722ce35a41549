#include "templates/renderer.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "providers/error.hpp"
#include "templates/yaml_tree.hpp"

using namespace litedesk;
using namespace litedesk::templates;

namespace {

const Json& context() {
  static const Json value{{"name", "acme"},
                          {"evil", "x\n- injected: true\nkind: \"}{"},
                          {"number", 2},
                          {"ratio", 0.5},
                          {"sure", true},
                          {"never", false},
                          {"nothing", nullptr},
                          {"empty", ""},
                          {"zero", 0},
                          {"list", {"a", "b"}},
                          {"none", Json::array()},
                          {"map", {{"k", "v"}, {"n", {{"m", 1}}}}},
                          {"binary", std::string("\0\xFF", 2)},
                          {"text", "true"}};
  return value;
}

std::vector<Json> rendered(const std::string& text) {
  return render({"t.yaml", "t.yaml", text}, context());
}

Json one(const std::string& text) {
  const auto all = rendered(text);
  REQUIRE(all.size() == 1);
  return all.front();
}

std::string error_of(const std::string& text) {
  try {
    return "no error: " + Json(rendered(text)).dump();
  } catch (const ValidationError& error) {
    return error.message();
  }
}

}  // namespace

TEST_CASE("a placeholder alone and unquoted keeps its type, in quotes or within text it is text") {
  const std::vector<std::pair<std::string, Json>> cases{{"v: ${number}", 2},
                                                        {"v: \"${number}\"", "2"},
                                                        {"v: '${sure}'", "true"},
                                                        {"v: ${sure}", true},
                                                        {"v: ${nothing}", nullptr},
                                                        {"v: ${map}", context()["map"]},
                                                        {"v: ${list}", {"a", "b"}},
                                                        {"v: ${list.1}", "b"},
                                                        {"v: a-${number}-${name}", "a-2-acme"},
                                                        {"v: ${number}${number}", "22"},
                                                        {"v: ${ratio}", 0.5},
                                                        {"v: x${ratio}", "x0.5"},
                                                        {"v: ${ name }", "acme"},
                                                        {"v: $${name}", "${name}"},
                                                        {"v: $$${name}", "$${name}"},
                                                        {"v: $name $", "$name $"},
                                                        {"v: ${text}", "true"},
                                                        {"v: ${map.n.m}", 1},
                                                        {"v: |\n  a ${name}\n", "a acme\n"},
                                                        {"v: a}", "a}"},
                                                        {"v: \"a } ${name}\"", "a } acme"}};
  for (const auto& each : cases) {
    const auto& text = each.first;
    const auto& value = each.second;
    CAPTURE(text);
    CHECK(one(text)["v"] == value);
  }
}

TEST_CASE("no value can change the shape of the document") {
  CHECK(one("a: ${evil}\nb: [\"x ${evil}\"]") ==
        Json{{"a", context()["evil"]}, {"b", {"x " + context()["evil"].get<std::string>()}}});
  CHECK(one("${evil}: 1").contains(context()["evil"].get<std::string>()));
  CHECK(one("v: $${evil}")["v"] == "${evil}");
}

TEST_CASE("filters") {
  const std::vector<std::pair<std::string, Json>> cases{
      {"${name|base64}", "YWNtZQ=="},
      {"${empty|base64}", ""},
      {"${list.0|base64}", "YQ=="},
      {"${evil|url}", "x%0A-%20injected%3A%20true%0Akind%3A%20%22%7D%7B"},
      {"${map|json}", "{\"k\":\"v\",\"n\":{\"m\":1}}"},
      {"${number|json}", "2"},
      {"${name|json|base64}", "ImFjbWUi"},
      {"${ name | url }", "acme"},
      {"${text|json}", "\"true\""},
      {"${binary|base64}", "AP8="}};
  for (const auto& each : cases) {
    const auto& text = each.first;
    const auto& value = each.second;
    CAPTURE(text);
    CHECK(one("v: " + text)["v"] == value);
    CHECK(one("v: \"" + text + "\"")["v"] == value);
  }
  const File file{"t.yaml", "t.yaml", "v: \"${a|env}\""};
  CHECK(render(file, {{"a", "$(X) $$ $"}})[0]["v"] == "$$(X) $$$$ $$");
}

TEST_CASE("conditions") {
  const std::vector<std::pair<std::string, bool>> cases{{"sure", true},
                                                        {"never", false},
                                                        {"nothing", false},
                                                        {"empty", false},
                                                        {"zero", false},
                                                        {"none", false},
                                                        {"list", true},
                                                        {"map.k", true},
                                                        {"number", true},
                                                        {"not never", true},
                                                        {"not list", false},
                                                        {"name == 'acme'", true},
                                                        {"name != 'acme'", false},
                                                        {"'acme' == name", true},
                                                        {"number == 2", true},
                                                        {"number == '2'", false},
                                                        {"sure == true", true},
                                                        {"nothing == null", true},
                                                        {"name == list.0", false},
                                                        {"empty == ''", true},
                                                        {"name=='acme'", true},
                                                        {"name == 'a == b'", false},
                                                        {"ratio == 0.5", true}};
  for (const auto& each : cases) {
    const auto& condition = each.first;
    const auto& holds = each.second;
    CAPTURE(condition);
    CHECK(one("v:\n  $if: \"" + condition + "\"\n  $then: yea\n  $else: nay")["v"] == (holds ? "yea" : "nay"));
  }
}

TEST_CASE("what is dropped leaves no trace") {
  CHECK(one("a: {$if: never, b: 1}\nc: [{$if: never, d: 1}, 2]") == Json{{"c", {2}}});
  CHECK(one("a: {$if: sure, b: 1}") == Json{{"a", {{"b", 1}}}});
  CHECK(one("a:\n- $if: sure\n  $then:\n    $for: x in list\n    $yield: ${x}\n- z")["a"] == Json({"a", "b", "z"}));
  CHECK(rendered("$if: never\na: 1").empty());
  CHECK(rendered("# nothing").empty());
}

TEST_CASE("loops nest, walk maps and may give nothing") {
  CHECK(one("v:\n  $for: x in list\n  $yield:\n    $for: y in list\n    $yield: ${x}${y}")["v"] ==
        Json::array({Json::array({"aa", "ab"}), Json::array({"ba", "bb"})}));
  CHECK(one("v: {$for: x in none, $yield: 1}")["v"] == Json::array());
  CHECK(one("v:\n  $for: e in map\n  $yield: ${e.key}")["v"] == Json({"k", "n"}));
  CHECK(one("v:\n- $if: never\n  $for: x in list\n  $yield: 1")["v"] == Json::array());
}

TEST_CASE("mistakes are found with file, line and column, also in parts that are left out") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"a:\n  b: ${nme}", "t.yaml:2:6: unknown variable nme: there is no nme (there are binary, "},
      {"a: ${map.x}", "t.yaml:1:4: unknown variable map.x: map has no x (it has k, n)"},
      {"a: ${name.x}", "t.yaml:1:4: unknown variable name.x: name is no map and has no x"},
      {"a: ${list.2}", "t.yaml:1:4: unknown variable list.2: list is a list of 2"},
      {"a: ${nothing.x}", "t.yaml:1:4: unknown variable nothing.x: nothing is null and has no x"},
      {"a: x ${nothing}", "t.yaml:1:4: ${nothing} is null, but text is needed"},
      {"a: \"${list}\"", "t.yaml:1:4: ${list} is a list, but text is needed"},
      {"a: ${map|base64}", "t.yaml:1:4: ${map|base64}: map is a map, but text is needed"},
      {"a: ${name|upper}", "t.yaml:1:4: ${name|upper}: unknown filter \"upper\" (known: base64, env, json, url)"},
      {"a: ${name|}", "t.yaml:1:4: ${name|}: unknown filter \"\""},
      {"a: ${}", "t.yaml:1:4: ${} names no variable"},
      {"a: ${na me}", "t.yaml:1:4: \"na me\" is not a variable"},
      {"a: ${name", "t.yaml:1:4: ${ without its }"},
      {"a: ${name.}", "t.yaml:1:4: \"name.\" is not a variable"},
      {"a: {$iff: sure}", "t.yaml:1:5: unknown key $iff"},
      {"a: {$if: never, $then: \"${nme}\"}", "t.yaml:1:24: unknown variable nme"},
      {"a: {$if: never, b: {$what: 1}}", "t.yaml:1:21: unknown key $what"},
      {"a: {$if: nme, b: 1}", "t.yaml:1:10: unknown variable nme"},
      {"a: {$if: [x], b: 1}", "t.yaml:1:10: $if needs a condition"},
      {"a: {$if: \"name == \", b: 1}", "t.yaml:1:10: \"name ==\" is not a condition"},
      {"a: {$if: \"${name}\", b: 1}", "t.yaml:1:10: \"${name}\" is not a condition"},
      {"a: {$if: a and b, b: 1}", "t.yaml:1:10: \"a and b\" is not a variable"},
      {"a: {$then: 1}", "t.yaml:1:4: $then and $else need an $if"},
      {"a: {$if: sure, $then: 1, b: 2}", "t.yaml:1:26: b stands beside $then or $else"},
      {"a: {$for: x in list}", "t.yaml:1:4: $for and $yield need each other"},
      {"a: {$yield: 1}", "t.yaml:1:4: $for and $yield need each other"},
      {"a: {$for: x of list, $yield: 1}", "t.yaml:1:11: $for needs \"name in path\""},
      {"a: {$for: x in nme, $yield: 1}", "t.yaml:1:11: unknown variable nme"},
      {"a: {$for: x in name, $yield: 1}", "t.yaml:1:11: $for: name is neither a list nor a map"},
      {"a: {$for: name in list, $yield: 1}", "t.yaml:1:11: $for: there is a variable name already"},
      {"a: {$for: x in list, $yield: 1, b: 2}", "t.yaml:1:33: b stands beside $for"},
      {"a: {$merge: 1}", "t.yaml:1:13: $merge needs a list of maps"},
      {"a:\n  $merge:\n  - {a: 1}\n  - [1]", "t.yaml:4:5: $merge: this is not a map"},
      {"a: {$merge: [], $for: x in list, $yield: 1}",
       "t.yaml:1:4: $then or $else, $for and $merge do not stand in one map"},
      {"${name}: 1\nacme: 2", "t.yaml:2:1: the key acme is defined twice once acme is filled in"},
      {"a: 1\n---\nb: ${nme}", "t.yaml:3:4: unknown variable nme"},
      {"a: {${name}: 1}", "t.yaml:1:"},
  };
  for (const auto& each : cases) {
    const auto& text = each.first;
    const auto& message = each.second;
    CAPTURE(text);
    CHECK(error_of(text).substr(0, message.size()) == message);
  }
}

TEST_CASE("a document remembers the line it began on") {
  ParsedFile file{"t.yaml", parse_tree("# first\na: 1\n---\n\nb: 2\n", "t.yaml")};
  const auto documents = render_documents(file, Json::object());
  REQUIRE(documents.size() == 2);
  CHECK(documents[0].line == 2);
  CHECK(documents[1].line == 5);
}
