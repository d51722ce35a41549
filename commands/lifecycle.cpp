#include "commands/lifecycle.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands/nearest.hpp"
#include "commands/tiers.hpp"
#include "providers/error.hpp"

namespace litedesk {
namespace {

struct Word {
  Phase phase;
  std::string_view text;
};
constexpr std::array<Word, 5> words = {{{Phase::provisioning, "provisioning"},
                                        {Phase::active, "active"},
                                        {Phase::suspended, "suspended"},
                                        {Phase::failed, "failed"},
                                        {Phase::terminated, "terminated"}}};

// The same table is in templates/tenant-crd.yaml, for the API server to keep.
std::span<const Phase> successors(Phase phase) {
  static constexpr std::array after_none = {Phase::provisioning};
  static constexpr std::array after_provisioning = {Phase::active, Phase::failed};
  static constexpr std::array after_active = {Phase::suspended, Phase::provisioning, Phase::terminated};
  static constexpr std::array after_suspended = {Phase::active, Phase::terminated};
  static constexpr std::array after_failed = {Phase::provisioning, Phase::terminated};
  switch (phase) {
    case Phase::none:
      return after_none;
    case Phase::provisioning:
      return after_provisioning;
    case Phase::active:
      return after_active;
    case Phase::suspended:
      return after_suspended;
    case Phase::failed:
      return after_failed;
    case Phase::terminated:
      return {};
  }
  return {};
}

std::string state(Phase phase) {
  return phase == Phase::none ? "registered, without an instance" : std::string(to_string(phase));
}

ErrorDetails refusal(std::string_view slug, Phase from, Phase to) {
  std::string next;
  for (const Phase phase : successors(from)) {
    if (!next.empty()) next += " or ";
    next += to_string(phase);
  }
  const std::string target = to == Phase::none ? "lose its phase" : fmt::format("become {}", to_string(to));
  return {.message = fmt::format("{} is {} and cannot {}", slug, state(from), target),
          .hint = next.empty() ? "terminated is final: a restore makes a new record"
                               : fmt::format("it can become {}", next),
          .resource = fmt::format("tenant {}", slug),
          .cause = {}};
}

Phase phase_of(const store::Document& document) {
  const auto phase = document.observed.find("phase");
  if (phase == document.observed.end() || phase->is_null()) return Phase::none;
  if (!phase->is_string()) throw ValidationError(fmt::format("tenant {}: the phase is not a string", document.name));
  return parse_phase(phase->get<std::string>());
}

std::string slug_of(const store::Document& document) {
  const auto slug = document.desired.find("slug");
  return slug != document.desired.end() && slug->is_string() ? slug->get<std::string>() : std::string();
}

}  // namespace

std::string_view to_string(Phase phase) {
  const auto* const found =
      std::find_if(words.begin(), words.end(), [phase](const Word& word) { return word.phase == phase; });
  return found == words.end() ? std::string_view() : found->text;
}

Phase parse_phase(std::string_view text) {
  if (text.empty()) return Phase::none;
  std::vector<std::string_view> known;
  for (const Word& word : words) {
    if (word.text == text) return word.phase;
    known.push_back(word.text);
  }
  std::string hint = did_you_mean(nearest(text, known));
  if (hint.empty()) hint = "must be one of provisioning, active, suspended, failed, terminated";
  throw ValidationError({.message = fmt::format("\"{}\" is not a tenant phase", text),
                         .hint = std::move(hint),
                         .resource = {},
                         .cause = {}});
}

bool may_follow(Phase from, Phase to) {
  const auto next = successors(from);
  return from == to || std::find(next.begin(), next.end(), to) != next.end();
}

void check_transition(std::string_view slug, Phase from, Phase to) {
  if (!may_follow(from, to)) throw Conflict(refusal(slug, from, to));
}

void validate_tenant_document(const store::Document* stored, const store::Document& wanted) {
  if (slug_of(wanted) != wanted.name) {
    throw ValidationError({.message = fmt::format("the slug of tenant {} cannot be changed", wanted.name),
                           .hint = "a slug never changes: register another tenant",
                           .resource = fmt::format("tenant {}", wanted.name),
                           .cause = {}});
  }
  // Which tiers there are is the tiers file's to say; what a tier can be called is the registry's.
  const auto tier = wanted.desired.find("tier");
  if (tier != wanted.desired.end() && !(tier->is_string() && is_tier_name(tier->get<std::string>()))) {
    throw ValidationError({.message = fmt::format("tenant {}: {} is not a tier name", wanted.name, tier->dump()),
                           .hint = "a to z, 0 to 9 and '-' between them, at most 63 characters",
                           .resource = fmt::format("tenant {}", wanted.name),
                           .cause = {}});
  }
  const Phase to = phase_of(wanted);
  if (stored == nullptr) return;  // an import may bring any phase
  const Phase from = phase_of(*stored);
  if (!may_follow(from, to)) throw ValidationError(refusal(wanted.name, from, to));
}

}  // namespace litedesk
