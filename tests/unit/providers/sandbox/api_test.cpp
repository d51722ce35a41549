#include <doctest/doctest.h>

#include "sandbox_support.hpp"

using namespace litedesk::sandbox;
using tests::make_call;

TEST_CASE("a path's segments are decoded one by one") {
  CHECK(make_call("GET", "/api/v1/a%2Fb/%24external").segments() ==
        std::vector<std::string>{"api", "v1", "a/b", "$external"});
  CHECK(make_call("GET", "//a//b/").segments() == std::vector<std::string>{"a", "b"});
  CHECK(make_call("GET", "/").segments().empty());
  CHECK(make_call("GET", "/100%").segments() == std::vector<std::string>{"100%"});
}

TEST_CASE("query parameters keep their order, and plus is a space there") {
  const auto call = make_call("GET", "/x?b=1+2&a=%2B&c&b=3&=&&d=e=f");
  CHECK(call.path == "/x");
  REQUIRE(call.query.size() == 6);
  CHECK(call.parameter("b") == "1 2");
  CHECK(call.parameter("a") == "+");
  CHECK(call.has_parameter("c"));
  CHECK(call.parameter("c", "otherwise").empty());
  CHECK(call.parameter("none", "otherwise") == "otherwise");
  CHECK(call.parameter("d") == "e=f");
}
