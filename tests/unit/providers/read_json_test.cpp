#include "providers/read_json.hpp"

#include <limits>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace litedesk;

namespace {

std::string lists(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

std::string maps(std::size_t depth) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += R"({"a":)";
  return text + "1" + std::string(depth, '}');
}

}  // namespace

TEST_CASE("JSON is read as deep as the limit, and not a level deeper") {
  CHECK(parse_json(lists(max_depth)).is_array());
  CHECK(parse_json(maps(max_depth)).is_object());
  CHECK(parse_json(lists(max_depth + 1)).is_discarded());
  CHECK(parse_json(maps(max_depth + 1)).is_discarded());
  CHECK(parse_json(lists(1'000'000)).is_discarded());
  CHECK(parse_json(R"([{"a":)" + lists(max_depth - 1) + "}]").is_discarded());
  CHECK(depth_of(parse_json(maps(max_depth))) == max_depth);
  CHECK(depth_of(parse_json(R"({"a":[1,{"b":{}}],"c":2})")) == 4);
  CHECK(depth_of(Json(1)) == 0);
}

TEST_CASE("brackets in quotes and beside each other are no depth") {
  const std::string in_quotes = R"(["\"[[[\\", ")" + std::string(1000, '{') + R"("])";
  CHECK(parse_json(in_quotes).size() == 2);
  std::string beside = "[";
  for (int i = 0; i < 1000; ++i) beside += "[{}],";
  CHECK(parse_json(beside + "1]").size() == 1001);
  CHECK(parse_json(R"({"a\\":"[","b":")" + std::string(300, ']') + "\"}").is_object());
}

TEST_CASE("what is not JSON is discarded") {
  for (const auto* text : {"", "{", "[1,]", "{\"a\":1}x", "]]]", "\"\xFF\"", "nul", "\""}) {
    CAPTURE(text);
    CHECK(parse_json(text).is_discarded());
  }
}

TEST_CASE("a number becomes the number that was written, or none") {
  CHECK(whole_number(Json(-3)) == -3);
  CHECK(whole_number(parse_json("9223372036854775807")) == std::numeric_limits<std::int64_t>::max());
  CHECK_FALSE(whole_number(parse_json("9223372036854775808")));
  CHECK_FALSE(whole_number(parse_json("1.0")));
  CHECK_FALSE(whole_number(parse_json("1e3")));
  CHECK_FALSE(whole_number(parse_json("99999999999999999999999")));
  CHECK_FALSE(whole_number(Json("3")));
  CHECK_FALSE(whole_number(Json()));
  CHECK(whole_number<int>(Json(2147483647)) == 2147483647);
  CHECK_FALSE(whole_number<int>(Json(2147483648)));
  CHECK_FALSE(whole_number<int>(Json(4294967297)));
  CHECK_FALSE(whole_number<int>(Json(-2147483649)));
  CHECK_FALSE(whole_number<unsigned>(Json(-1)));
  CHECK(whole_number<std::uint8_t>(Json(255)) == 255);
}
