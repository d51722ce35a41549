// The data files: compiled into the binary, replaceable from a folder.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace litedesk::templates {

struct EmbeddedFile {
  const char* name;  // "instance/namespace.yaml"
  const char* text;
};
extern const EmbeddedFile embedded_files[];
extern const unsigned long embedded_file_count;

struct File {
  std::string name;    // relative: "instance/namespace.yaml"
  std::string origin;  // for messages: the path on disk, or "built-in instance/namespace.yaml"
  std::string text;
};

struct ParsedFile;  // templates/yaml_tree.hpp

// `folder` empty: the built-in ones. A file in the folder replaces the built-in one of the same name; a folder that has
// its own instance/ adds its further files.
class Files {
 public:
  explicit Files(std::filesystem::path folder = {});
  // Throws NotFound.
  [[nodiscard]] File get(std::string_view name) const;
  // The same, read and parsed once for as long as this lives; any thread. Throws NotFound, ValidationError.
  [[nodiscard]] std::shared_ptr<const ParsedFile> parsed(std::string_view name) const;
  // Names that begin so ("instance/"), sorted.
  [[nodiscard]] std::vector<std::string> list(std::string_view prefix) const;
  // Writes the built-in files out, to change them. Throws Conflict when one is there already. Returns their names.
  [[nodiscard]] std::vector<std::string> eject(const std::filesystem::path& into) const;

 private:
  struct Cache;
  std::filesystem::path folder_;
  std::shared_ptr<Cache> cache_;
};

}  // namespace litedesk::templates
