// The nearest right word for a mistyped one.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace litedesk {

// How many single-character insertions, deletions, replacements and swaps of neighbours turn one into the other
// (optimal string alignment), ASCII case ignored. Counts bytes.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate that `word` was probably meant to be: the one at the smallest distance, if that is at most a third of
// the longer word (and at least one edit is allowed), else the only one that begins with it ("prof", at least three
// characters). The first in order wins a tie. Nothing when none is near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::span<const std::string_view> candidates);

// `did you mean "acme"?`, or empty when there is nothing near: ready to be a hint.
[[nodiscard]] std::string did_you_mean(const std::optional<std::string>& word);

}  // namespace litedesk
