// Reads a map of a data file key by key, and refuses the keys that nobody asked for, with file and line.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "templates/yaml_tree.hpp"

namespace litedesk {

class MapReader {
 public:
  // Throws ValidationError when the node is no map. `what`: "a tier", for messages. Both must outlive the reader.
  MapReader(const templates::Node& node, std::string_view origin, std::string_view what);

  [[nodiscard]] const templates::Node& at(std::string_view key);    // throws when it is missing
  [[nodiscard]] const templates::Node* find(std::string_view key);  // nullptr when it is missing
  [[nodiscard]] std::string text(std::string_view key);             // throws unless it is a string that is not empty
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high);
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);  // a list of strings; empty when it is missing
  [[nodiscard]] bool asked(std::string_view key) const { return asked_.contains(key); }
  // Throws for the first key that was not asked for, and says which there are.
  void finish() const;
  [[noreturn]] void fail(const templates::Node& at, std::string_view what) const;

 private:
  const templates::Node& node_;
  std::string_view origin_, what_;
  std::set<std::string, std::less<>> asked_;
};

// The items of a list, or an error that says what is wanted.
[[nodiscard]] const std::vector<templates::Node>& items_of(const templates::Node& node, std::string_view origin,
                                                           std::string_view what);

}  // namespace litedesk
