#include "providers/sandbox/faults.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/error.hpp"

namespace litedesk::sandbox {

namespace {

constexpr std::array<std::string_view, 4> apis = {"kubernetes", "atlas", "route53", "all"};
constexpr std::array<std::pair<std::string_view, FaultKind>, 7> kinds = {{{"throttle", FaultKind::throttle},
                                                                          {"error", FaultKind::error},
                                                                          {"unavailable", FaultKind::unavailable},
                                                                          {"reset", FaultKind::reset},
                                                                          {"lost", FaultKind::lost},
                                                                          {"slow", FaultKind::slow},
                                                                          {"conflict", FaultKind::conflict}}};

std::optional<FaultKind> kind_of(std::string_view name) {
  for (const auto& [word, kind] : kinds)
    if (word == name) return kind;
  return std::nullopt;
}

// Atlas has no write conflicts.
bool has_kind(std::string_view api, FaultKind kind) {
  return kind != FaultKind::conflict || api != "atlas";
}

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw UsageError({.message = fmt::format("'{}' is not a fault: {}", text, why),
                    .hint = fmt::format("write API:KIND:AMOUNT; API is one of {}; KIND is one of {}; AMOUNT is a "
                                        "probability with a dot (0.3), or how many requests (5)",
                                        fmt::join(apis, ", "), fmt::join(fault_kinds(), ", "))});
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string_view to_string(FaultKind kind) {
  for (const auto& [word, known] : kinds)
    if (known == kind) return word;
  return "none";
}

std::vector<std::string> fault_kinds() {
  std::vector<std::string> words;
  for (const auto& [word, kind] : kinds) words.emplace_back(word);
  return words;
}

std::vector<std::string> fault_forms() {
  std::vector<std::string> forms;
  for (const auto api : apis)
    for (const auto& [word, kind] : kinds)
      if (has_kind(api, kind)) forms.push_back(fmt::format("{}:{}:", api, word));
  return forms;
}

Fault parse_fault(std::string_view text) {
  const auto first = text.find(':');
  const auto second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos) refuse(text, "it has fewer than three parts");
  Fault fault{.api = std::string(text.substr(0, first)),
              .kind = std::string(text.substr(first + 1, second - first - 1))};
  const auto amount = text.substr(second + 1);
  if (std::find(apis.begin(), apis.end(), fault.api) == apis.end())
    refuse(text, fmt::format("unknown API '{}'", fault.api));
  const auto kind = kind_of(fault.kind);
  if (!kind) refuse(text, fmt::format("unknown kind '{}'", fault.kind));
  if (!has_kind(fault.api, *kind)) refuse(text, "Atlas has no write conflicts");
  if (amount.find('.') != std::string_view::npos) {
    const auto probability = number<double>(amount);
    if (!probability || *probability < 0 || *probability > 1) refuse(text, "a probability must be between 0.0 and 1.0");
    fault.probability = *probability;
  } else {
    const auto count = number<int>(amount);
    if (!count || *count < 1) refuse(text, "a count must be a whole number from 1");
    fault.count = *count;
  }
  return fault;
}

Faults::Faults(const std::vector<Fault>& faults, std::string_view api, std::uint32_t seed) : engine_(seed) {
  for (const auto& fault : faults) {
    const auto kind = kind_of(fault.kind);
    if (!kind) refuse(fault.api + ":" + fault.kind, fmt::format("unknown kind '{}'", fault.kind));
    if (fault.api != api && fault.api != "all") continue;
    if (!has_kind(api, *kind)) continue;
    rules_.push_back({*kind, fault.probability, fault.count});
  }
}

FaultKind Faults::next(bool writes) {
  const std::lock_guard lock(mutex_);
  for (auto& rule : rules_) {
    if (rule.kind == FaultKind::conflict && !writes) continue;
    if (rule.left > 0) {
      --rule.left;
      return rule.kind;
    }
    if (rule.probability > 0 && std::uniform_real_distribution<double>(0, 1)(engine_) < rule.probability)
      return rule.kind;
  }
  return FaultKind::none;
}

}  // namespace litedesk::sandbox
