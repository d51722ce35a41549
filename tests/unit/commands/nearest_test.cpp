#include "commands/nearest.hpp"

#include <array>
#include <vector>

#include <doctest/doctest.h>

using namespace litedesk;

TEST_CASE("an edit is an insertion, a deletion, a replacement or a swap of neighbours") {
  struct Row {
    std::string_view a, b;
    std::size_t distance;
  };
  const std::vector<Row> rows = {
      {"", "", 0},         {"acme", "acme", 0},      {"acme", "ACME", 0}, {"", "acme", 4},
      {"acme", "", 4},     {"acme", "acmee", 1},     {"acme", "ace", 1},  {"acme", "acne", 1},
      {"acme", "amce", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3},    {"trial", "trail", 1}};
  for (const Row& row : rows) {
    CAPTURE(row.a);
    CAPTURE(row.b);
    CHECK(edit_distance(row.a, row.b) == row.distance);
    CHECK(edit_distance(row.b, row.a) == row.distance);
  }
}

TEST_CASE("the nearest word is found when it is near enough, and no other") {
  const std::array<std::string_view, 5> tiers = {"trial", "starter", "professional", "enterprise", "paid"};
  struct Row {
    std::string_view word;
    std::optional<std::string> expected;
  };
  const std::vector<Row> rows = {
      {"trail", "trial"},       {"Trial", "trial"},    {"strter", "starter"},   {"profesional", "professional"},
      {"prof", "professional"}, {"ent", "enterprise"}, {"pro", "professional"}, {"gold", std::nullopt},
      {"", std::nullopt},       {"p", std::nullopt},   {"xyz", std::nullopt}};
  for (const Row& row : rows) {
    CAPTURE(row.word);
    CHECK(nearest(row.word, tiers) == row.expected);
  }
}

TEST_CASE("a beginning that several words share names none of them") {
  const std::vector<std::string> slugs = {"acme-north-america", "acme-north-europe"};
  CHECK(nearest("acme", slugs) == std::nullopt);
  CHECK(nearest("acme-north-europ", slugs) == "acme-north-europe");
}

TEST_CASE("a tie goes to the first in order") {
  const std::vector<std::string> slugs = {"acmea", "acmeb"};
  CHECK(nearest("acmec", slugs) == "acmea");
}

TEST_CASE("with no candidates nothing is near") {
  CHECK(nearest("acme", std::vector<std::string>{}) == std::nullopt);
}

TEST_CASE("the hint is a question, and empty when there is nothing to ask") {
  CHECK(did_you_mean("acme") == "did you mean \"acme\"?");
  CHECK(did_you_mean(std::nullopt).empty());
}
