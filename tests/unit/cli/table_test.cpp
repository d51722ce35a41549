#include "cli/table.hpp"

#include <doctest/doctest.h>

#include "cli/text.hpp"
#include "memory_runtime.hpp"

using namespace litedesk::cli;

namespace {

Table tenants() {
  return {.columns = {{.header = "SLUG", .importance = 10},
                      {.header = "COMPANY", .importance = 6, .shrinks = true},
                      {.header = "STATUS", .importance = 9},
                      {.header = "OWNER", .importance = 4, .shrinks = true},
                      {.header = "COUNT", .importance = 7, .right = true},
                      {.header = "URL", .importance = 1, .wide_only = true}},
          .rows = {{"acme", "Acme Inc", "active", "owner@acme.example", "2", "https://acme.litedesk.com"},
                   {"kabushiki", "株式会社アクメ", "", "nihon@kabushiki.example", "11", ""},
                   {"zolw", "Żółw S.A.", "failed", "biuro@zolw.example", "1", "https://zolw.litedesk.com"}}};
}

}  // namespace

TEST_CASE("A table is as people see it at every width") {
  const Table table = tenants();
  std::string all;
  for (const auto width : std::initializer_list<std::size_t>{100, 60, 48, 30, 10}) {
    const std::string text = render(table, {.width = width});
    all += "width " + std::to_string(width) + "\n" + text;
  }
  all += "wide\n" + render(table, {.width = 40, .wide = true});
  all += "no headers, ASCII\n" + render(table, {.width = 48, .headers = false, .utf8 = false});
  CHECK(testing::matches_golden("table.txt", all));
}

TEST_CASE("No line of a table is wider than asked while something can be cut") {
  const Table table = tenants();
  for (std::size_t width = 20; width < 120; ++width) {
    std::string text = render(table, {.width = width});
    while (!text.empty()) {
      const auto end = text.find('\n');
      CAPTURE(width);
      CHECK(display_width(text.substr(0, end)) <= width);
      text.erase(0, end + 1);
    }
  }
}

TEST_CASE("One long name is cut, and no column is left out for it") {
  Table table = tenants();
  table.rows[0][1] = "The Very Long And Winding Name Of A Company That Nobody Ever Says In Full, Incorporated";
  table.rows[1][3] = "a-mail-box-with-a-long-name-of-its-own@kabushiki.example";
  for (std::size_t width = 60; width < 200; width += 7) {
    const std::string text = render(table, {.width = width});
    const std::string header = text.substr(0, text.find('\n'));
    CAPTURE(text);
    for (const char* column : {"SLUG", "COMPANY", "STATUS", "OWNER", "COUNT"})
      CHECK(header.find(column) != std::string::npos);
    for (const char* whole : {"acme", "kabushiki", "failed", "11"}) CHECK(text.find(whole) != std::string::npos);
  }
  // The longest text is cut first, and no more of it than must be.
  CHECK(render(table, {.width = 80}).find("nihon") == std::string::npos);
  CHECK(render(table, {.width = 80}).find("biuro@zolw.example") != std::string::npos);
}

TEST_CASE("A cell keeps to its line, whatever is in it") {
  const Table table{.columns = {{.header = "A"}}, .rows = {{"two\nlines\x1b[2J"}}};
  CHECK(render(table, {}) == "A\ntwo lines\\x1b[2J\n");
}

TEST_CASE("Details leave out what is empty") {
  CHECK(render(std::vector<Detail>{{"Slug", "acme"}, {"Phone", ""}, {"Company", "Acme"}}) ==
        "Slug:     acme\nCompany:  Acme\n");
}
