#include "providers/yaml/tree.hpp"

#include <doctest/doctest.h>

#include "providers/error.hpp"
#include "providers/read_json.hpp"
#include "providers/utf8.hpp"

using namespace litedesk;
using namespace litedesk::yaml;

namespace {

// What is said of the text; "" when it is read.
std::string refused(const std::string& text) {
  try {
    (void)parse(text, "f.yaml");
    return "";
  } catch (const ValidationError& error) {
    return error.message();
  }
}

std::string nested(const std::string& open, std::size_t times, const std::string& middle, const std::string& close) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += open;
  text += middle;
  for (std::size_t i = 0; i < times; ++i) text += close;
  return text;
}

bool all_utf8(const Node& node) {
  bool good = is_utf8(node.text);
  for (const auto& item : node.items) good = good && all_utf8(item);
  for (const auto& entry : node.entries) good = good && is_utf8(entry.key) && all_utf8(entry.value);
  return good;
}

}  // namespace

TEST_CASE("what stands outside of every document is refused where it stands, and read once") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {",", "f.yaml:1:1: "},           {"--- ,", "f.yaml:1:5: "},
      {"--- ,\n,\n", "f.yaml:1:5: "},  {",a: 1\n", "f.yaml:1:1: "},
      {"\n\n  , a\n", "f.yaml:3:3: "}, {"a: 1\n...\n,\n", "f.yaml:3:1: "},
      {"}", "f.yaml:1:1: "},           {"]", "f.yaml:1:1: "},
      {"[a] b", "f.yaml:1:5: "},       {"{a: 1} {b: 2}", "f.yaml:1:8: "},
      {"\"a\" \"b\"", "f.yaml:1:5: "}, {"[a] ---x", "f.yaml:1:5: "},
      {"&a ,", "f.yaml:1:4: "},        {"!a ,", "f.yaml:1:4: "},
      {"é: [ü] ,", "f.yaml:1:8: "},
  };
  for (const auto& each : cases) {
    const auto& text = each.first;
    const auto& place = each.second;
    CAPTURE(text);
    const auto message = refused(text);
    CAPTURE(message);
    CHECK(message.substr(0, place.size()) == place);
  }
}

TEST_CASE("documents begin at ---, or after ...") {
  CHECK(parse("a: 1\n---\nb: 2\n--- c\n", "f").size() == 3);
  CHECK(parse("a\n...\nb\n", "f").size() == 2);
  CHECK(parse("a\n...  # the end\n\n# a comment\n  # another\nb\n", "f").size() == 2);
  CHECK(parse("a\n...\n%YAML 1.2\n---\nb\n", "f").size() == 2);
  CHECK(parse("--- |\n  ,\n---\n", "f").size() == 2);
  CHECK(parse("", "f").empty());
}

TEST_CASE("every text of three indicators is read or refused, at once") {
  const std::vector<std::string> parts = {",",  "[", "]", "{", "}", ":",  "-",  "?", "&",   "*",   "!",  "|", ">",  "'",
                                          "\"", "%", "@", "#", " ", "\n", "\t", "a", "---", "...", "\\", "~", "&a "};
  std::size_t read = 0;
  for (const auto& first : parts)
    for (const auto& second : parts)
      for (const auto& third : parts) {
        const auto text = first + second + third;
        const auto message = refused(text);
        if (message.empty())
          ++read;
        else
          CHECK_MESSAGE(message.starts_with("f.yaml:"), text);
      }
  CHECK(read > 1000);
  CHECK(read < parts.size() * parts.size() * parts.size() / 2);
}

TEST_CASE("a value that is missing between commas is refused") {
  for (const auto* text : {"[,]", "[a,,b]", "[ , a]", "[a, , b]", "[", "{,", "{,}", "- - ,", "? ,", "- ,", "a: ,"}) {
    CAPTURE(text);
    CHECK(refused(text).starts_with("f.yaml:1:"));
  }
  for (const auto* text : {"[a, ]", "[null, ~]", "[a, &x , b]", "{a, b}", "{a: , b: 1}"}) {
    CAPTURE(text);
    CHECK(refused(text) == "");
  }
}

TEST_CASE("aliases are bounded by what they expand to, not by how many there are") {
  const auto bomb = [](const std::string& seed, int levels, int width) {
    std::string text = "a0: &a0 " + seed + "\n";
    for (int level = 1; level <= levels; ++level) {
      text += "a" + std::to_string(level) + ": &a" + std::to_string(level) + " [";
      for (int i = 0; i < width; ++i) text += (i > 0 ? ", *a" : "*a") + std::to_string(level - 1);
      text += "]\n";
    }
    return text;
  };
  CHECK(refused(bomb("[x, x, x, x, x, x, x, x, x]", 9, 9)).find("too large once its aliases are expanded") !=
        std::string::npos);
  CHECK(refused(bomb("{a: {b: [x]}}", 9, 9)).find("too large once its aliases") != std::string::npos);
  CHECK(refused(bomb("\"" + std::string(1'000'000, 'x') + "\"", 2, 6)).find("too large once its aliases") !=
        std::string::npos);
  CHECK(refused(bomb("x", 3, 20)) == "");
  // A long text is no bomb, and neither are many small aliases.
  std::string many = "base: &b {a: 1}\nlist:\n";
  for (int i = 0; i < 20'000; ++i) many += "- *b\n";
  CHECK(refused(many) == "");
  CHECK(refused("a: \"" + std::string(3'000'000, 'x') + "\"\n") == "");
}

TEST_CASE("lists and maps lie at most as deep in each other as in JSON, aliases included") {
  const auto in_lists = [](std::size_t depth) { return nested("[", depth, "a", "]"); };
  CHECK(refused(in_lists(max_depth)) == "");
  CHECK(refused(in_lists(max_depth + 1)) ==
        "f.yaml:1:" + std::to_string(max_depth + 1) + ": lists and maps are nested more than 200 deep in each other");
  CHECK(refused(nested("{a: ", max_depth, "b", "}")) == "");
  CHECK(refused(nested("{a: ", max_depth + 1, "b", "}")).find("more than 200 deep") != std::string::npos);
  CHECK(refused(nested("- ", max_depth + 1, "b", "")).find("more than 200 deep") != std::string::npos);
  CHECK(refused(nested("[", 100'000, "", "")).starts_with("f.yaml:1:"));
  CHECK(refused(nested("{a: ", 50'000, "", "")).starts_with("f.yaml:1:"));
  CHECK(refused(nested("- ", 100'000, "", "")).starts_with("f.yaml:1:"));
  // Each alias alone is shallow.
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 400; ++i)
    chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  CHECK(refused(chain).starts_with("f.yaml:200:"));
}

TEST_CASE("escapes in quotes are UTF-8, whatever they name") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("\_")", "\xC2\xA0"},
      {R"("\N")", "\xC2\x85"},
      {R"("\L\P")", "\xE2\x80\xA8\xE2\x80\xA9"},
      {R"("\x85\xA0\xff")", "\xC2\x85\xC2\xA0\xC3\xBF"},
      {R"("a\_é\N\_b")",
       "a\xC2\xA0é\xC2\x85\xC2\xA0"
       "b"},
      {R"("\u20ac\U0001F680")", "€\xF0\x9F\x9A\x80"},
      {R"("\0\a\e\/")", std::string("\0\a\x1B/", 4)},
      {R"('\_')", "\\_"},
      {R"(\_)", "\\_"},
  };
  for (const auto& each : cases) {
    const auto& text = each.first;
    const auto& value = each.second;
    CAPTURE(text);
    const auto documents = parse(text, "f.yaml");
    REQUIRE(documents.size() == 1);
    CHECK(documents[0].text == value);
  }
  CHECK(all_utf8(parse("{\"\\_\": [\"\\N\"], ? \"\\_\" : x}", "f")[0]));
  for (const auto* text :
       {R"(a: "\uD800")", R"(a: "\uD83D\uDE00")", R"(a: "\U00110000")", R"(a: "\xZZ")", R"(a: "\q")"}) {
    CAPTURE(text);
    CHECK(refused(text).starts_with("f.yaml:1:"));
  }
  CHECK(refused(R"(a: "\uD800")") == "f.yaml:1:11: the escape before this names no character");
}

TEST_CASE("a tab that indents is named") {
  CHECK(refused("a:\n\tb: 1\n").find("a tab cannot indent a line") != std::string::npos);
  CHECK(refused("a:\n  - b\n \t- c: d: e\n").find("a tab cannot indent a line") != std::string::npos);
  CHECK(refused("a:\tb: c\n").find("tab") == std::string::npos);
  CHECK(refused("a: b # \t\n") == "");
}

TEST_CASE("bytes that are not UTF-8 and control characters are refused with their place") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a: \xFF\n", "f.yaml:1:4: this is not YAML text: the byte here is not UTF-8"},
      {"a: b\n# caf\xE9\n", "f.yaml:2:6: this is not YAML text: the byte here is not UTF-8"},
      {"é: \xC3", "f.yaml:1:4: this is not YAML text"},
      {"a: \"\xED\xA0\x80\"", "f.yaml:1:5: this is not YAML text"},
      {"a\n\x01", "f.yaml:2:1: this is not YAML text: there is a control character here"},
      {std::string("a: \0b", 5), "f.yaml:1:4: this is not YAML text: there is a control character here"},
      {"\xFF\xFE"
       "a",
       "f.yaml:1:1: the text is UTF-16: save it as UTF-8"},
      {"\xFE\xFF", "f.yaml:1:1: the text is UTF-16: save it as UTF-8"},
  };
  for (const auto& each : cases) {
    const auto& text = each.first;
    const auto& message = each.second;
    CAPTURE(text);
    CHECK(refused(text).substr(0, message.size()) == message);
  }
}

TEST_CASE("an error repeats nothing of a value that may be a secret") {
  for (const auto* text : {"password: *Tr0ub4dor", "password: \"Tr0ub4dor\\q\"", "password: 'Tr0ub4dor",
                           "password: [Tr0ub4dor,, x]", "token: Tr0ub4dor\n  more: Tr0ub4dor", "a: {b: \"Tr0ub4dor",
                           "\"Tr0ub4dor\" x", "password: &Tr0ub4dor [*Tr0ub4dor]"}) {
    CAPTURE(text);
    const auto message = refused(text);
    CHECK(message.starts_with("f.yaml:"));
    CHECK(message.find("Tr0ub4dor") == std::string::npos);
  }
}

TEST_CASE("a node says how it was written") {
  const auto map = parse(
      "plain: 1\nquoted: '1'\nstring: !!str 1\nlocal: !x 1\nempty:\nnone: ~\n\"flow\": {a: [b]}\n"
      "twice: 1\ntwice: 2\n",
      "f")[0];
  CHECK(map.find("plain")->plain);
  CHECK_FALSE(map.find("quoted")->plain);
  CHECK_FALSE(map.find("string")->plain);
  CHECK(map.find("string")->tag.empty());
  CHECK(map.find("local")->tag == "!x");
  CHECK(map.find("empty")->kind == Node::Kind::null);
  CHECK_FALSE(map.find("empty")->plain);
  CHECK(map.find("none")->plain);
  CHECK(map.find("flow")->flow);
  CHECK_FALSE(map.flow);
  CHECK(map.find("twice")->text == "1");
  REQUIRE(map.repeated() != nullptr);
  CHECK(map.repeated()->at.line == 9);
  CHECK(map.find("absent") == nullptr);
  CHECK(parse("a: 1\rb: 2\r\nc: 3", "f")[0].entries.size() == 3);
}
