// What completion knows of a context without asking anybody: tenants and record names as a command saw them last.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace litedesk::cli {

struct Word {
  std::string text;
  std::string about;  // for shells that show descriptions; may be empty
  friend bool operator==(const Word&, const Word&) = default;
};

struct Snapshot {
  std::vector<Word> tenants, records;
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

// An empty one when there is none or it cannot be read.
[[nodiscard]] Snapshot read_snapshot(const std::filesystem::path& state, std::string_view context);
// Writes it (0600 in 0700) when it differs from what is there. Throws Failed.
void write_snapshot(const std::filesystem::path& state, std::string_view context, const Snapshot& snapshot);

// Adds the word, or replaces the one of the same text; stays sorted.
void put(std::vector<Word>& words, Word word);
void drop(std::vector<Word>& words, std::string_view text);

}  // namespace litedesk::cli
