// Tables for people: columns line up by display width. Where they do not fit, free text is cut first, the longest of
// it; when all of it is short, the least important column is left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace litedesk::cli {

struct Column {
  std::string header;
  int importance = 5;      // 10: never left out
  bool wide_only = false;  // shown by -o wide alone
  bool right = false;      // numbers and money
  bool shrinks = false;    // free text (a company's name, a message): cut rather than that a column is left out
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
