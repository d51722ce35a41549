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

bool Flags::takes_next(std::string_view word) const {
  if (word.size() < 2 || word[0] != '-') return false;
  if (word[1] == '-') {
    const Flag* flag = find(word);
    return flag && !flag->is_switch();
  }
  for (std::size_t i = 1; i < word.size(); ++i) {
    const std::string name = {'-', word[i]};
    const Flag* flag = find(name);
    if (!flag) return false;
    if (!flag->is_switch()) return i + 1 == word.size();
  }
  return false;
}

}  // namespace litedesk::cli
