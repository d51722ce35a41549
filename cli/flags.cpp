#include "cli/flags.hpp"

namespace litedesk::cli {

std::string_view Flag::long_name() const {
  const auto comma = names.find(',');
  return comma == std::string_view::npos ? names : names.substr(comma + 1);
}

std::string_view Flag::short_name() const {
  const auto comma = names.find(',');
  return comma == std::string_view::npos ? std::string_view{} : names.substr(0, comma);
}

bool Flag::is_switch() const {
  return std::holds_alternative<bool*>(target) || std::holds_alternative<int*>(target);
}

bool Flag::repeats() const {
  return std::holds_alternative<int*>(target) || std::holds_alternative<std::vector<std::string>*>(target);
}

const Flag* Flags::find(std::string_view name) const {
  for (const Flag& flag : flags_) {
    if (flag.long_name() == name || (!name.empty() && flag.short_name() == name)) return &flag;
  }
  return nullptr;
}

}  // namespace litedesk::cli
