// The file .env in the working folder. It may set what to make and who we are, and nothing that redirects credentials.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "cli/paths.hpp"

namespace litedesk::cli {

struct Dotenv {
  Environment values;
  std::string unread;  // why it was not read, though something of that name is there: "it is a folder"
};
// Reads a regular file that belongs to the user or root, as does its folder, and that nobody else may write. Anything
// else is not even opened: a FIFO would make everybody wait. Throws UsageError as parse_dotenv does.
[[nodiscard]] Dotenv read_dotenv(const std::filesystem::path& file);

// Lines as the programs around LiteDesk read them: NAME=value or NAME: value, `export` before it, comments, values in
// quotes that may go over several lines, any kind of line end, a byte order mark. Throws UsageError with file and line
// for what is none of that, without what stands there: it may be a secret.
// Rules: docs.docker.com/compose/how-tos/environment-variables/variable-interpolation and npmjs.com/package/dotenv.
[[nodiscard]] Environment parse_dotenv(std::string_view text, const std::filesystem::path& file);

// Whether the file may set the variable: DOMAIN's variables, but nothing that says where credentials are sent or which
// program runs.
[[nodiscard]] bool dotenv_may_set(std::string_view name);

}  // namespace litedesk::cli
