// How many files this process may have open at once, and what to say where they do not suffice.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "providers/error.hpp"

namespace litedesk::system {

struct FileShortage {
  std::string message;  // "this process may have only 20 files open"
  std::string hint;     // the command that raises the limit
};

// When `error` (an errno) says that there are too many: of this process (EMFILE) or of the whole machine (ENFILE).
[[nodiscard]] std::optional<FileShortage> file_shortage(int error);
// When `more` of them could not be opened now: for libraries that do not say why they failed. Opens nothing.
[[nodiscard]] std::optional<FileShortage> file_shortage_for(std::size_t more);
// The same details; after a shortage of files its message goes behind theirs, and its hint is the only one that helps.
[[nodiscard]] ErrorDetails explained(ErrorDetails details, int error);

}  // namespace litedesk::system
