// Completion: one hidden command that all shells' scripts call, answered from the command table and local files alone.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/paths.hpp"
#include "cli/snapshot.hpp"

namespace litedesk::cli {

// What may stand where the cursor is.
struct Completions {
  std::vector<Word> words;
  // What the shell itself completes.
  enum class Files { none, any, folders } files = Files::none;
  bool no_space = false;  // the word goes on: "dns.zone="
};

// `words` are the command line without the program's name; the last one is being typed, and may be empty. Never throws
// for what is wrong with them or with a file: then there is less to offer.
[[nodiscard]] Completions complete(const std::vector<std::string>& words, const Environment& environment,
                                   const std::filesystem::path& folder);
// One word a line, a tab and its description behind it; at last ":files", ":folders" or ":none", with ",nospace".
[[nodiscard]] std::string to_text(const Completions& completions);

// The script of "bash", "zsh" or "fish".
[[nodiscard]] std::string completion_script(const std::string& shell);

}  // namespace litedesk::cli
