#include "commands/slug.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <utf8proc.h>

#include "providers/error.hpp"
#include "providers/utf8.hpp"

namespace litedesk {
namespace {

// Host names below the base domain that are LiteDesk's own, or that mail and name servers look for.
constexpr std::array<std::string_view, 19> reserved_words = {
    "www",    "api",    "admin", "app", "mail",         "status",    "docs",     "support", "blog",    "cdn",
    "static", "assets", "ns1",   "ns2", "autodiscover", "localhost", "litedesk", "master",  "internal"};

// How many numbers are tried behind a slug that is taken.
constexpr int most_numbered = 100;

// Letters of Latin alphabets that Unicode decomposes into no base letter, in lower case.
struct Folded {
  std::string_view to, from;
};
constexpr Folded letters_without_decomposition[] = {
    {"a", "ⱥ"},    {"ae", "æ"},     {"b", "ƀƃɓ"}, {"c", "ƈȼ"},  {"d", "ðđƌȡɖɗ"}, {"db", "ȸ"}, {"e", "ǝɇəɛ"}, {"f", "ƒ"},
    {"g", "ǥɠ"},   {"h", "ħ"},      {"hv", "ƕ"},  {"i", "ıɨɩ"}, {"j", "ȷɉ"},     {"k", "ĸƙ"}, {"l", "łƚȴ"},  {"m", "ɯ"},
    {"n", "ŋƞȵɲ"}, {"o", "øɔɵ"},    {"oe", "œ"},  {"p", "ƥ"},   {"q", "ɋ"},      {"qp", "ȹ"}, {"r", "ɍ"},    {"s", "ȿ"},
    {"ss", "ß"},   {"t", "ŧƫƭȶʈⱦ"}, {"th", "þ"},  {"u", "ʉ"},   {"v", "ʋʌ"},     {"y", "ƴɏ"}, {"z", "ƶȥɀ"}};

std::string_view fold_letter(char32_t letter) {
  for (const Folded& folded : letters_without_decomposition) {
    for (std::string_view rest = folded.from; !rest.empty();) {
      const CodePoint c = decode_utf8(rest);
      if (c.value == letter) return folded.to;
      rest.remove_prefix(c.size);
    }
  }
  return {};
}

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Appends what a decomposed, case-folded code point folds to. Returns false when it separates words.
bool fold(char32_t c, std::string& out) {
  if (c < 0x80) {
    const char ascii = static_cast<char>(c);
    if (!is_letter(ascii) && !is_digit(ascii)) return false;
    out += ascii;
    return true;
  }
  // Half rings and the like that stand for a sound: Hawaiʻi is one word.
  if (utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_LM) return true;
  const std::string_view letters = fold_letter(c);
  out += letters;
  return !letters.empty();
}

void check_utf8(std::string_view company) {
  for (std::size_t at = 0; at < company.size();) {
    const CodePoint c = decode_utf8(company.substr(at));
    if (c.size == 0) {
      throw ValidationError({.message = fmt::format("the company's name is not valid UTF-8 at byte {}", at + 1),
                             .hint = "set the terminal's and the shell's locale to UTF-8",
                             .resource = {},
                             .cause = {}});
    }
    at += c.size;
  }
}

// Compatibility forms folded, lower case, without marks and what is invisible (UAX #15, NFKD; DerivedCoreProperties,
// Default_Ignorable_Code_Point).
std::vector<utf8proc_int32_t> decomposed(std::string_view text) {
  constexpr auto options = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
                                                          UTF8PROC_STRIPMARK | UTF8PROC_IGNORE | UTF8PROC_STABLE);
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto size = static_cast<utf8proc_ssize_t>(text.size());
  const auto length = utf8proc_decompose(bytes, size, nullptr, 0, options);
  std::vector<utf8proc_int32_t> points(length > 0 ? static_cast<std::size_t>(length) : 0);
  if (length > 0) utf8proc_decompose(bytes, size, points.data(), length, options);
  return points;
}

std::string cut(std::string_view slug, std::size_t length) {
  slug = slug.substr(0, length);
  while (!slug.empty() && slug.back() == '-') slug.remove_suffix(1);
  return std::string(slug);
}

// May be too short or reserved.
std::string fold_name(std::string_view company) {
  check_utf8(company);
  std::string out;
  bool separated = false;
  for (const utf8proc_int32_t c : decomposed(company)) {
    std::string letters;
    if (!fold(static_cast<char32_t>(c), letters)) {
      separated = true;
      continue;
    }
    if (letters.empty()) continue;
    if (separated && !out.empty()) out += '-';
    separated = false;
    out += letters;
  }
  return cut(out, slug_max);
}

[[noreturn]] void refuse(std::string_view slug, std::string_view why, std::string hint = {}) {
  if (hint.empty()) {
    hint =
        fmt::format("a slug has {} to {} characters: a to z, 0 to 9 and single '-' between them", slug_min, slug_max);
  }
  throw ValidationError({.message = fmt::format("\"{}\" is not a valid slug: {}", slug, why),
                         .hint = std::move(hint),
                         .resource = {},
                         .cause = {}});
}

// One character of a slug for a message: a whole UTF-8 sequence, or its bytes in hex when it is none or cannot be seen.
std::string show_character(std::string_view text, std::size_t at) {
  const CodePoint c = decode_utf8(text.substr(at));
  if (c.size == 0 || c.value < 0x20 || !is_printable(c.value)) {
    return fmt::format("byte 0x{:02x}", static_cast<unsigned char>(text[at]));
  }
  return fmt::format("'{}'", text.substr(at, c.size));
}

// The hint with the slug that was probably meant; empty when none can be made.
std::string propose(std::string_view text) {
  try {
    return fmt::format("did you mean \"{}\"?", derive_slug(text));
  } catch (const ValidationError&) {
    return {};  // the caller's own hint says the rule
  }
}

}  // namespace

bool is_reserved_slug(std::string_view slug) {
  return slug.starts_with("cname-") ||
         std::find(reserved_words.begin(), reserved_words.end(), slug) != reserved_words.end();
}

std::span<const std::string_view> reserved_slugs() {
  return reserved_words;
}

std::string derive_slug(std::string_view company) {
  std::string slug = fold_name(company);
  if (slug.size() < slug_min) {
    throw ValidationError(
        {.message =
             slug.empty()
                 ? fmt::format("no slug can be made from the name \"{}\": it has no Latin letter or digit", company)
                 : fmt::format("no slug can be made from the name \"{}\": \"{}\" has fewer than {} characters", company,
                               slug, slug_min),
         .hint = "give --slug",
         .resource = {},
         .cause = {}});
  }
  if (is_reserved_slug(slug)) {
    throw ValidationError(
        {.message = fmt::format("the name \"{}\" makes the slug \"{}\", which is reserved", company, slug),
         .hint = "give --slug",
         .resource = {},
         .cause = {}});
  }
  return slug;
}

void check_slug(std::string_view slug) {
  if (slug.empty()) refuse(slug, "it is empty");
  for (std::size_t at = 0; at < slug.size(); ++at) {
    const char c = slug[at];
    if (is_letter(c) || is_digit(c) || c == '-') continue;
    refuse(slug, fmt::format("it contains {}, and only a to z, 0 to 9 and '-' are allowed", show_character(slug, at)),
           propose(slug));
  }
  if (slug.size() < slug_min)
    refuse(slug, fmt::format("it has {} characters, and at least {} are needed", slug.size(), slug_min));
  if (slug.size() > slug_max) {
    refuse(slug, fmt::format("it has {} characters, and at most {} are allowed", slug.size(), slug_max),
           fmt::format("\"{}\" would fit", fold_name(slug)));
  }
  if (slug.front() == '-') refuse(slug, "it begins with '-'");
  if (slug.back() == '-') refuse(slug, "it ends with '-'");
  if (slug.find("--") != std::string_view::npos) refuse(slug, "it has two '-' in a row");
  if (is_reserved_slug(slug)) refuse(slug, "it is reserved", "choose another one: the name is reserved by LiteDesk");
}

std::optional<std::string> free_slug(std::string_view slug, const std::function<bool(const std::string&)>& taken) {
  for (int number = 2; number <= most_numbered + 1; ++number) {
    const std::string suffix = fmt::format("-{}", number);
    std::string candidate = cut(slug, slug_max - suffix.size()) + suffix;
    if (!is_reserved_slug(candidate) && !taken(candidate)) return candidate;
  }
  return std::nullopt;
}

}  // namespace litedesk
