#include "cli/snapshot.hpp"

#include <algorithm>

#include "cli/text.hpp"
#include "providers/error.hpp"
#include "providers/system/files.hpp"

namespace litedesk::cli {
namespace {

constexpr std::string_view tenant_kind = "tenant";
constexpr std::string_view record_kind = "record";

// One word a line: kind, text and description with tabs between them, so that reading takes no parser.
std::filesystem::path file_of(const std::filesystem::path& state, std::string_view context) {
  return state / "snapshots" / (std::string(context) + ".txt");
}

std::string line_of(std::string_view kind, const Word& word) {
  return std::string(kind) + "\t" + one_line(word.text) + "\t" + one_line(word.about) + "\n";
}

bool before(const Word& a, const Word& b) {
  return a.text < b.text;
}

}  // namespace

Snapshot read_snapshot(const std::filesystem::path& state, std::string_view context) {
  Snapshot snapshot;
  std::optional<std::string> text;
  try {
    text = system::read_trusted_file(file_of(state, context), "snapshot", {{}, std::chrono::milliseconds(0)});
  } catch (const Error&) {
    return snapshot;  // a convenience: whoever completes a word has no use for the reason
  }
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto first = line.find('\t');
    const auto second = line.find('\t', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    Word word{std::string(line.substr(first + 1, second - first - 1)), std::string(line.substr(second + 1))};
    const std::string_view kind = line.substr(0, first);
    if (kind == tenant_kind)
      snapshot.tenants.push_back(std::move(word));
    else if (kind == record_kind)
      snapshot.records.push_back(std::move(word));
  }
  return snapshot;
}

void write_snapshot(const std::filesystem::path& state, std::string_view context, const Snapshot& snapshot) {
  if (snapshot == read_snapshot(state, context)) return;
  std::string text;
  for (const Word& word : snapshot.tenants) text += line_of(tenant_kind, word);
  for (const Word& word : snapshot.records) text += line_of(record_kind, word);
  system::write_file_atomically(file_of(state, context), text, "snapshot");
}

void put(std::vector<Word>& words, Word word) {
  const auto at = std::lower_bound(words.begin(), words.end(), word, before);
  if (at != words.end() && at->text == word.text)
    *at = std::move(word);
  else
    words.insert(at, std::move(word));
}

void drop(std::vector<Word>& words, std::string_view text) {
  std::erase_if(words, [&](const Word& word) { return word.text == text; });
}

}  // namespace litedesk::cli
