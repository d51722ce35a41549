#include "cli/jsonpath.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "providers/error.hpp"

using namespace litedesk;
using cli::evaluate_jsonpath;

TEST_CASE("JSONPath templates print what kubectl prints") {
  const Json value = Json::parse(R"({"items": [{"slug": "acme", "tags": ["a", "b"], "n": 2},
                                               {"slug": "zolw", "tags": [], "n": 3, "ok": true}],
                                     "labels": {"app.kubernetes.io/name": "litedesk"}, "none": null})");
  struct Case {
    const char* path;
    const char* printed;
  };
  for (const auto& [path, printed] : {
           Case{"{.items[0].slug}", "acme"},
           Case{".items[0].slug", "acme"},
           Case{"items[1].n", "3"},
           Case{"{.items[*].slug}", "acme zolw"},
           Case{"{.items[-1].slug}", "zolw"},
           Case{"{.items[0:1].slug}", "acme"},
           Case{"{.items[7].slug}", ""},
           Case{"{.nothing.at.all}", ""},
           Case{"{.items[0].tags}", "[\"a\",\"b\"]"},
           Case{"{.items[1].ok}", "true"},
           Case{"{.none}", "null"},
           Case{"{.labels['app.kubernetes.io/name']}", "litedesk"},
           Case{"{.labels.*}", "litedesk"},
           Case{"slugs: {.items[*].slug}!", "slugs: acme zolw!"},
           Case{"{range .items[*]}{.slug}={.n}{\"\\n\"}{end}", "acme=2\nzolw=3\n"},
           Case{"{range .items[*]}{.slug}:{range .tags[*]}{@},{end};{end}", "acme:a,b,;zolw:;"},
           Case{"{range .items[*]}{$.labels.*} {end}", "litedesk litedesk "},
       }) {
    const auto shown = path;  // Clang 14 captures no structured binding
    CAPTURE(shown);
    CHECK(evaluate_jsonpath(path, value) == printed);
  }
}

TEST_CASE("A JSONPath that is none, or more than is supported, is refused") {
  for (const char* path : {"", "{.a", "{..a}", "{.a[?(@.b==1)]}", "{.a[x]}", "{.a['b}", "{range .a}x", "{end}", "{.a.}",
                           "{a}", "{.a}[0"}) {
    const auto shown = path;  // Clang 14 captures no structured binding
    CAPTURE(shown);
    if (std::string_view(path) == "{.a}[0") {
      CHECK(evaluate_jsonpath(path, Json::object()) == "[0");  // text outside braces is text
    } else {
      CHECK_THROWS_AS((void)evaluate_jsonpath(path, Json::object()), UsageError);
    }
  }
}

TEST_CASE("Ranges in each other cost no more than what they print, and end somewhere") {
  const Json value = Json::parse(R"({"items": [{"items": []}]})");
  const auto nested = [](int depth) {
    std::string path;
    for (int i = 0; i < depth; ++i) path += "{range .items[*]}";
    path += "x";
    for (int i = 0; i < depth; ++i) path += "{end}";
    return path;
  };
  CHECK(evaluate_jsonpath(nested(1), value) == "x");
  CHECK(evaluate_jsonpath(nested(2), value) == "");
  CHECK(evaluate_jsonpath(nested(100), value) == "");
  CHECK_THROWS_AS((void)evaluate_jsonpath(nested(10'000), value), UsageError);
  Json chain = Json::object();
  for (int i = 0; i < 60; ++i) chain = Json{{"items", Json::array({chain})}};
  CHECK(evaluate_jsonpath(nested(60), chain) == "x");
}
