#include "providers/store/label_selector.hpp"

#include <doctest/doctest.h>

#include "providers/error.hpp"

using namespace litedesk;
using namespace litedesk::store;

TEST_CASE("labels are what an API server takes for labels") {
  const std::string word63(63, 'a');
  for (const auto& label : std::vector<std::pair<std::string, std::string>>{
           {"a", ""}, {"A-1_2.b", "x"}, {"litedesk.io/tier", "trial"}, {word63, word63}, {"a.b-c/" + word63, "0"}}) {
    CAPTURE(label.first);
    CHECK_NOTHROW(check_labels({label}));
  }
  for (const auto& label : std::vector<std::pair<std::string, std::string>>{{"", "x"},
                                                                            {"-a", "x"},
                                                                            {"a-", "x"},
                                                                            {word63 + "a", "x"},
                                                                            {"Litedesk.io/tier", "x"},
                                                                            {"a..b/c", "x"},
                                                                            {"/c", "x"},
                                                                            {"a/", "x"},
                                                                            {"a/b/c", "x"},
                                                                            {"é", "x"},
                                                                            {"a", "owner@acme.example"},
                                                                            {"a", "-x"},
                                                                            {"a", "x y"},
                                                                            {"a", word63 + "a"}}) {
    CAPTURE(label.first);
    CAPTURE(label.second);
    CHECK_THROWS_AS(check_labels({label}), ValidationError);
  }
}

TEST_CASE("names are DNS subdomains in lower case") {
  for (const std::string name : {"acme", "a", "1-2.b", "x.y.z"}) CHECK_NOTHROW(check_name(name));
  for (const std::string name : {"", "Acme", "a_b", "-a", "a-", "a..b", ".a", "a.", "a.-b", "a/b", "é"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(check_name(name), ValidationError);
  }
  CHECK_THROWS_AS(check_name(std::string(254, 'a')), ValidationError);
}

TEST_CASE("a selector that is none says where") {
  struct Row {
    std::string selector, message;
  };
  for (const Row& row : std::vector<Row>{
           {"a b", "\"a b\" is not a label selector: expected '=', '!=', 'in', 'notin' or ',' at character 4"},
           {"a,", "\"a,\" is not a label selector: expected a label after ',' at character 3"},
           {"a in b", "\"a in b\" is not a label selector: expected '(' at character 6"},
           {"a in (b", "\"a in (b\" is not a label selector: expected ')' at character 8"},
           {"=b", "\"=b\" is not a label selector: \"\" is not a label key at character 1"},
           {"a=b@c", "\"a=b@c\" is not a label selector: \"b@c\" is not a label value at character 6"}}) {
    CAPTURE(row.selector);
    CHECK_THROWS_WITH((void)parse_selector(row.selector), row.message.c_str());
  }
}
