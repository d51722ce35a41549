// Whether what is on the disk can be trusted: whether nobody but this user and root has a say in it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace litedesk::system {

// Why somebody else may have a say in it; empty when nobody has: it belongs to this user or root, and no other may
// write it. The user's private group (one of their name, with nobody else in it) is no other, and in a sticky folder
// like /tmp nobody can replace what is not theirs. `what` begins the words: "it", "its folder".
[[nodiscard]] std::string distrust(const struct stat& about, std::string_view what);

// Whether it belongs to neither this user nor root.
[[nodiscard]] bool is_foreign(const struct stat& about);

// Throws PermissionDenied where there is such a reason, with what mends it. Nothing at the path is trusted, and a link
// is what it leads to.
void require_trusted(const std::filesystem::path& path, std::string_view what);
// The same of an open file: nobody can exchange it in between.
void require_trusted(int descriptor, const std::filesystem::path& path, std::string_view what);

// The same of a folder and everything below it that is no folder of a version control system.
void require_trusted_tree(const std::filesystem::path& folder, std::string_view what);

}  // namespace litedesk::system
