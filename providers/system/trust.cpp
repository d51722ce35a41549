#include "providers/system/trust.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "providers/error.hpp"

namespace litedesk::system {

namespace fs = std::filesystem;

namespace {

// With umask 002 all files of such a user may be written by it.
bool is_private_group(gid_t group) {
  const passwd* user = ::getpwuid(::geteuid());
  if (user == nullptr || user->pw_gid != group) return false;
  const std::string name = user->pw_name;
  const ::group* entry = ::getgrgid(group);
  return entry != nullptr && name == entry->gr_name && entry->gr_mem[0] == nullptr;
}

void require(const struct stat& about, const fs::path& path, std::string_view what) {
  const std::string reason = distrust(about, "it");
  if (reason.empty()) return;
  throw PermissionDenied({.message = fmt::format("the {} {} is not trusted: {}", what, path.string(), reason),
                          .hint = is_foreign(about) ? "use a copy of your own, or take it over with chown"
                                                    : fmt::format("chmod go-w {}", path.string()),
                          .resource = fmt::format("file {}", path.string()),
                          .cause = {}});
}

}  // namespace

bool is_foreign(const struct stat& about) {
  return about.st_uid != ::geteuid() && about.st_uid != 0;
}

std::string distrust(const struct stat& about, std::string_view what) {
  if (is_foreign(about)) return fmt::format("{} belongs to another user (uid {})", what, about.st_uid);
  const bool sticky = S_ISDIR(about.st_mode) && (about.st_mode & S_ISVTX) != 0;
  const bool by_all = (about.st_mode & S_IWOTH) != 0;
  const bool by_group = (about.st_mode & S_IWGRP) != 0 && !is_private_group(about.st_gid);
  // A terminal's group is for `write`, and a device has no text of anybody's in it.
  if (sticky || S_ISCHR(about.st_mode) || (!by_all && !by_group)) return {};
  return fmt::format("others may write {}", what);
}

void require_trusted(const fs::path& path, std::string_view what) {
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0) require(about, path, what);
}

void require_trusted(int descriptor, const fs::path& path, std::string_view what) {
  struct stat about {};
  if (::fstat(descriptor, &about) == 0) require(about, path, what);
}

void require_trusted_tree(const fs::path& folder, std::string_view what) {
  require_trusted(folder, what);
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(folder, error); !error && entry != fs::end(entry);
       entry.increment(error)) {
    if (entry->path().filename() == ".git") {
      entry.disable_recursion_pending();
      continue;
    }
    require_trusted(entry->path(), what);
  }
}

}  // namespace litedesk::system
