// Files that are whole or not there, readable by their owner only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace litedesk::system {

// The whole file, or nothing when there is none. Throws Failed (permission_denied when that is the reason) when it is
// there and cannot be read; `what` names it in the message ("kubeconfig").
[[nodiscard]] std::optional<std::string> read_file(const std::filesystem::path& path, std::string_view what);
// Writes beside the file, syncs, and renames over it; mode 0600, parent folders made with 0700. Throws Failed with the
// reason (a full disk, a read-only folder).
void write_file_atomically(const std::filesystem::path& path, std::string_view text, std::string_view what);
// Makes the folder and its missing parents, each 0700.
void make_private_folder(const std::filesystem::path& path);
// "~/x" and "~" with the user's home folder (HOME as given); anything else as it is.
[[nodiscard]] std::filesystem::path expand_home(std::string_view path, std::string_view home);

}  // namespace litedesk::system
