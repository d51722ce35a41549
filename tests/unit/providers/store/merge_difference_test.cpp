#include "providers/store/merge_difference.hpp"

#include <random>

#include <doctest/doctest.h>

#include "providers/store/store.hpp"

using namespace litedesk;
using namespace litedesk::store;

namespace {

Json random_value(std::mt19937& random, int depth) {
  const auto pick = [&random](int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random); };
  const int kind = pick(depth == 0 ? 3 : 6);
  if (kind == 0) return pick(3);
  if (kind == 1) return "text " + std::to_string(pick(3));
  if (kind == 2) return pick(2) == 0;
  if (kind == 3) {
    Json list = Json::array();
    for (int i = pick(4); i > 0; --i) list.push_back(random_value(random, depth - 1));
    return list;
  }
  Json object = Json::object();
  for (int i = pick(5); i > 0; --i)
    object[std::string(1, static_cast<char>('a' + pick(5)))] = random_value(random, depth - 1);
  return object;
}

}  // namespace

TEST_CASE("a merge patch of the difference makes one object of another") {
  std::mt19937 random(7386);  // NOLINT: the same objects in every run
  for (int round = 0; round < 20'000; ++round) {
    Json from = Json::object(), to = Json::object();
    for (const char* key : {"a", "b", "c"}) {
      from[key] = random_value(random, 3);
      to[key] = random_value(random, 3);
    }
    if (round % 3 == 0) from.erase("b");
    if (round % 3 == 1) to.erase("b");
    const Json patch = merge_difference(from, to);
    Json patched = from;
    patched.merge_patch(patch);
    CAPTURE(from.dump());
    CAPTURE(to.dump());
    CAPTURE(patch.dump());
    REQUIRE(patched == to);
    REQUIRE(merge_difference(to, to).empty());
  }
}

TEST_CASE("members that are null are left out, elements of lists are not") {
  CHECK(without_nulls(Json::parse(R"({"a":null,"b":{"c":null},"d":[null,{"e":null,"f":1}],"g":0})")) ==
        Json::parse(R"({"b":{},"d":[null,{"f":1}],"g":0})"));
}
