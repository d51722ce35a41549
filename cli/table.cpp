#include "cli/table.hpp"

#include <algorithm>
#include <numeric>

#include "cli/text.hpp"

namespace litedesk::cli {
namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t narrowest = 8;  // what is left of free text
constexpr int never_left_out = 10;

std::size_t total_width(const std::vector<std::size_t>& widths) {
  std::size_t shown = 0, total = 0;
  for (const std::size_t width : widths) {
    if (width == 0) continue;
    total += width;
    ++shown;
  }
  return shown == 0 ? 0 : total + gap * (shown - 1);
}

// Which column is left out next: the least important one that is still there; the last of equals.
std::size_t next_to_leave_out(const Table& table, const std::vector<std::size_t>& widths) {
  std::size_t found = widths.size();
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] == 0 || table.columns[i].importance >= never_left_out) continue;
    if (found == widths.size() || table.columns[i].importance <= table.columns[found].importance) found = i;
  }
  return found;
}

// Cuts free text until the rest fits: always the widest column of it, none below its least width. Whether that was
// enough.
bool shrink(const Table& table, const std::vector<std::size_t>& least, std::size_t limit,
            std::vector<std::size_t>& widths) {
  while (total_width(widths) > limit) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (!table.columns[i].shrinks || widths[i] <= least[i]) continue;
      if (widest == widths.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == widths.size()) return false;
    --widths[widest];
  }
  return true;
}

// Cuts and leaves out columns until the rest fits; a width of 0 means left out.
void fit(const Table& table, std::vector<std::size_t>& widths, std::size_t limit) {
  std::vector<std::size_t> least;
  for (const Column& column : table.columns) least.push_back(std::max(narrowest, display_width(column.header)));
  for (auto shown = widths;;) {
    widths = shown;
    if (shrink(table, least, limit, widths)) return;
    const std::size_t column = next_to_leave_out(table, shown);
    if (column == shown.size()) return;
    shown[column] = 0;
  }
}

std::string line_of(const std::vector<std::string>& cells, const Table& table, const std::vector<std::size_t>& widths,
                    bool utf8) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (widths[i] == 0) continue;
    if (!line.empty()) line += std::string(gap, ' ');
    const std::string cell = cut_to_width(cells[i], widths[i], utf8);
    if (table.columns[i].right)
      line += std::string(widths[i] - std::min(widths[i], display_width(cell)), ' ') + cell;
    else
      line += pad_to_width(cell, widths[i]);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::string render(const Table& table, const TableStyle& style) {
  std::vector<std::string> headers;
  std::vector<std::size_t> widths;
  for (const Column& column : table.columns) {
    headers.push_back(column.header);
    widths.push_back(style.headers ? display_width(column.header) : 1);
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : table.rows) {
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < row.size(); ++i) {
      cells.push_back(row[i].empty() ? "-" : one_line(row[i]));
      widths[i] = std::max(widths[i], display_width(cells[i]));
    }
    rows.push_back(std::move(cells));
  }
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (table.columns[i].wide_only && !style.wide) widths[i] = 0;
  }
  if (style.width > 0 && !style.wide) fit(table, widths, style.width);
  std::string text;
  if (style.headers) text += line_of(headers, table, widths, style.utf8);
  for (const auto& row : rows) text += line_of(row, table, widths, style.utf8);
  return text;
}

std::string render(const std::vector<Detail>& details) {
  std::size_t longest = 0;
  for (const Detail& detail : details) {
    if (!detail.value.empty()) longest = std::max(longest, display_width(detail.label));
  }
  std::string text;
  for (const Detail& detail : details) {
    if (detail.value.empty()) continue;
    text += pad_to_width(detail.label + ":", longest + 1 + gap) + one_line(detail.value) + "\n";
  }
  return text;
}

}  // namespace litedesk::cli
