// A folder of templates that lives as long as a test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "templates/files.hpp"

namespace litedesk::testing {

class TemplateFolder {
 public:
  TemplateFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "litedesk-templates-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TemplateFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemplateFolder(const TemplateFolder&) = delete;
  TemplateFolder& operator=(const TemplateFolder&) = delete;

  TemplateFolder& write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
    return *this;
  }
  // The built-in file with one piece of its text replaced.
  TemplateFolder& change(const std::string& name, const std::string& from, const std::string& to) {
    auto text = templates::Files().get(name).text;
    const auto at = text.find(from);
    if (at == std::string::npos) std::abort();
    return write(name, text.replace(at, from.size(), to));
  }
  [[nodiscard]] templates::Files files() const { return templates::Files(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace litedesk::testing
