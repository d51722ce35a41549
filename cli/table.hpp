// Tables for people: columns line up by display width and fit a width by cutting the least important column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace litedesk::cli {

struct Column {
  std::string header;
  int importance = 5;      // 10: never cut
  bool wide_only = false;  // shown by -o wide alone
  bool right = false;      // numbers and money
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // each as long as columns; one line a cell
};

struct TableStyle {
  std::size_t width = 80;  // 0: nothing is cut
  bool wide = false;
  bool headers = true;
  bool utf8 = true;
};
// Lines with their ends, no spaces at them; empty for a table without rows and headers.
[[nodiscard]] std::string render(const Table& table, const TableStyle& style);

// "label:  value" lines for one thing's details; an empty value drops its line.
struct Detail {
  std::string label, value;
};
[[nodiscard]] std::string render(const std::vector<Detail>& details);

}  // namespace litedesk::cli
