#include "templates/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>

#include "providers/error.hpp"
#include "templates/yaml_tree.hpp"

namespace litedesk::templates {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_file = 1024 * 1024;

const EmbeddedFile* find_embedded(std::string_view name) {
  const auto* const end = embedded_files + embedded_file_count;
  const auto* const found =
      std::find_if(embedded_files, end, [name](const EmbeddedFile& file) { return file.name == name; });
  return found == end ? nullptr : found;
}

// "instance/namespace.yaml": relative, and no way out of the folder.
bool is_name(std::string_view name) {
  const fs::path path(name);
  if (name.empty() || path.is_absolute()) return false;
  return std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".." || part == "."; });
}

std::string read_file(const fs::path& path) {
  const auto failed = [&path](const std::string& cause) {
    return Failed({.message = "cannot read the template " + path.string(),
                   .hint = "check that it is a file that you can read",
                   .resource = path.string(),
                   .cause = cause});
  };
  std::error_code error;
  if (!fs::is_regular_file(path, error)) throw failed(error ? error.message() : "it is not a regular file");
  const auto size = fs::file_size(path, error);
  if (error) throw failed(error.message());
  if (size > largest_file)
    throw ValidationError({.message = "the template " + path.string() + " is larger than 1 MiB",
                           .hint = "a template's folder holds YAML files only",
                           .resource = path.string(),
                           .cause = {}});
  std::ifstream in(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(size), '\0');
  in.read(text.data(), static_cast<std::streamsize>(size));
  if (!in) throw failed(std::strerror(errno));
  return text;
}

// Editors leave ".#x.yaml" and "x.yaml~" behind.
bool is_template(const fs::path& path) {
  return path.extension() == ".yaml" && !path.filename().string().starts_with('.');
}

}  // namespace

struct Files::Cache {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<const ParsedFile>, std::less<>> files;
};

Files::Files(std::filesystem::path folder) : folder_(std::move(folder)), cache_(std::make_shared<Cache>()) {
  std::error_code error;
  if (!folder_.empty() && !fs::is_directory(folder_, error))
    throw NotFound({.message = "template folder " + folder_.string() + " not found",
                    .hint = "create one with: litedesk template eject " + folder_.string(),
                    .resource = folder_.string(),
                    .cause = error && error != std::errc::no_such_file_or_directory ? error.message() : std::string()});
}

File Files::get(std::string_view name) const {
  if (is_name(name)) {
    // Anything there but "not found" is read, so that a file that cannot be read is not silently passed over.
    std::error_code error;
    const auto path = folder_ / name;
    if (!folder_.empty() && fs::symlink_status(path, error).type() != fs::file_type::not_found)
      return {std::string(name), path.string(), read_file(path)};
    if (const auto* file = find_embedded(name)) return {std::string(name), "built-in " + std::string(name), file->text};
  }
  throw NotFound({.message = "template " + std::string(name) + " not found",
                  .hint = "litedesk template list",
                  .resource = std::string(name),
                  .cause = {}});
}

std::shared_ptr<const ParsedFile> Files::parsed(std::string_view name) const {
  const std::lock_guard lock(cache_->mutex);
  if (const auto found = cache_->files.find(name); found != cache_->files.end()) return found->second;
  const auto file = get(name);
  auto parsed = std::make_shared<const ParsedFile>(ParsedFile{file.origin, parse_tree(file.text, file.origin)});
  cache_->files.emplace(name, parsed);
  return parsed;
}

std::vector<std::string> Files::list(std::string_view prefix) const {
  std::set<std::string> names;
  for (const auto* file = embedded_files; file != embedded_files + embedded_file_count; ++file)
    names.insert(file->name);
  if (!folder_.empty()) {
    std::error_code error;
    for (fs::recursive_directory_iterator at(folder_, error), end; !error && at != end; at.increment(error))
      if (is_template(at->path())) names.insert(at->path().lexically_relative(folder_).generic_string());
    if (error)
      throw Failed({.message = "cannot list the templates in " + folder_.string(),
                    .hint = "check that you can read the folder and its contents",
                    .resource = folder_.string(),
                    .cause = error.message()});
  }
  std::vector<std::string> found;
  std::copy_if(names.begin(), names.end(), std::back_inserter(found),
               [prefix](const std::string& name) { return name.starts_with(prefix); });
  return found;
}

std::vector<std::string> Files::eject(const std::filesystem::path& into) const {
  const auto failed = [&into](const std::string& what, int error) {
    const std::string hint =
        error == EFBIG ? "raise the limit on the size of files (ulimit -f)" : "choose another folder";
    throw Failed({.message = what, .hint = hint, .resource = into.string(), .cause = std::strerror(error)});
  };
  std::vector<std::string> names;
  for (const auto* file = embedded_files; file != embedded_files + embedded_file_count; ++file) {
    names.emplace_back(file->name);
    std::error_code error;
    if (fs::exists(fs::symlink_status(into / file->name, error)))
      throw Conflict({.message = (into / file->name).string() + " already exists",
                      .hint = "choose an empty folder, or move the file away",
                      .resource = into.string(),
                      .cause = {}});
  }
  for (const auto* file = embedded_files; file != embedded_files + embedded_file_count; ++file) {
    const auto path = into / file->name;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) failed("cannot create the folder " + path.parent_path().string(), error.value());
    std::ofstream out(path, std::ios::binary);
    out << file->text;
    out.close();
    if (!out) failed("cannot write " + path.string(), errno);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace litedesk::templates
