// Slugs: a tenant's name in every place where a machine reads it.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace litedesk {

inline constexpr std::size_t slug_min = 3, slug_max = 30;

// From a company's name: lower-case ASCII letters, digits and single '-', at most 30 characters. Folded are accented
// Latin letters (é → e, ß → ss, Ł → l) and Unicode's compatibility forms (ﬁ → fi, Ａ → a; UAX #15, NFKD); what is
// invisible (a soft hyphen, a zero-width joiner) is dropped and separates nothing. Throws ValidationError when fewer
// than 3 characters remain ("give --slug") or the word is reserved.
[[nodiscard]] std::string derive_slug(std::string_view company);
// Throws ValidationError that says which rule a given slug breaks.
void check_slug(std::string_view slug);
// A word that is LiteDesk's own host, or one that begins with "cname-": so are the records named that say whose a
// tenant's record is, and nothing may stand beside the CNAME of a host.
[[nodiscard]] bool is_reserved_slug(std::string_view slug);
// Those words; the registry in the cluster refuses them too (templates/tenant-crd.yaml).
[[nodiscard]] std::span<const std::string_view> reserved_slugs();
// The first of slug-2, slug-3 ... that is neither taken nor reserved, cut so that it stays within 30 characters;
// nothing when the first hundred are.
[[nodiscard]] std::optional<std::string> free_slug(std::string_view slug,
                                                   const std::function<bool(const std::string&)>& taken);

}  // namespace litedesk
