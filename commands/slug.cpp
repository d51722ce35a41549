#include "commands/slug.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "providers/error.hpp"
#include "templates/utf8.hpp"

namespace litedesk {
namespace {

// Host names below the base domain that are LiteDesk's own, or that mail and name servers look for.
constexpr std::array<std::string_view, 19> reserved_words = {
    "www",    "api",    "admin", "app", "mail",         "status",    "docs",     "support", "blog",    "cdn",
    "static", "assets", "ns1",   "ns2", "autodiscover", "localhost", "litedesk", "master",  "internal"};

// The base letter of each code point of a block, in Unicode's order: its decomposition (UnicodeData.txt) without the
// marks, or the letter that it is a variant of. '.' is no letter; '2' stands for two letters, which are in `pairs`.
struct Block {
  char32_t first;
  std::string_view letters;
};
constexpr Block latin = {0x00C0,  // Latin-1 Supplement, Latin Extended-A, Latin Extended-B
                         "aaaaaa2ceeeeiiiidnooooo.ouuuuy22aaaaaa2ceeeeiiiidnooooo.ouuuuy2y"
                         "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii22jjkkklllllll"
                         "lllnnnnnnnnnoooooo22rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
                         "bbbb..occdddd.eeeffg.2iikkl.mnnooo..pp.....ttttuu.vyyzz........."
                         "....222222222aaiioouuuuuuuuuueaaaa22ggggkkoooo..j222gg2.nnaa22oo"
                         "aaaaeeeeiiiioooorrrruuuusstt..hhnd..zzaaeeooooooooyylntj22acclts"
                         "z..buveejjqqrryy"};
constexpr Block latin_additional = {0x1E00,  // Latin Extended Additional: Vietnamese, Welsh, transliterations
                                    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
                                    "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
                                    "wwwwwwwwwwxxxxyyzzzzzzhtwyasss2.aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
                                    "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......"};
static_assert(latin.letters.size() == 0x250 - 0xC0 && latin_additional.letters.size() == 0x1F00 - 0x1E00);

struct Pair {
  char32_t from, to;
  std::string_view letters;
};
constexpr Pair pairs[] = {{0x00C6, 0x00C6, "ae"}, {0x00E6, 0x00E6, "ae"}, {0x00DE, 0x00DE, "th"},
                          {0x00FE, 0x00FE, "th"}, {0x00DF, 0x00DF, "ss"}, {0x0132, 0x0133, "ij"},
                          {0x0152, 0x0153, "oe"}, {0x0195, 0x0195, "hv"}, {0x01C4, 0x01C6, "dz"},
                          {0x01C7, 0x01C9, "lj"}, {0x01CA, 0x01CC, "nj"}, {0x01E2, 0x01E3, "ae"},
                          {0x01F1, 0x01F3, "dz"}, {0x01F6, 0x01F6, "hv"}, {0x01FC, 0x01FD, "ae"},
                          {0x0238, 0x0238, "db"}, {0x0239, 0x0239, "qp"}, {0x1E9E, 0x1E9E, "ss"}};

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Appends what a code point folds to. Returns false when it separates words.
bool fold(char32_t c, std::string& out) {
  if (c < 0x80) {
    char ascii = static_cast<char>(c);
    if (ascii >= 'A' && ascii <= 'Z') ascii = static_cast<char>(ascii - 'A' + 'a');
    if (!is_letter(ascii) && !is_digit(ascii)) return false;
    out += ascii;
    return true;
  }
  // A combining mark belongs to the letter before it: e + U+0301 is é.
  if (c >= 0x0300 && c <= 0x036F) return true;
  for (const Block& block : {latin, latin_additional}) {
    if (c < block.first || c >= block.first + block.letters.size()) continue;
    const char letter = block.letters[c - block.first];
    if (letter == '.') return false;
    if (letter != '2') {
      out += letter;
      return true;
    }
    const auto* pair =
        std::find_if(std::begin(pairs), std::end(pairs), [c](const Pair& p) { return c >= p.from && c <= p.to; });
    out += pair->letters;
    return true;
  }
  return false;
}

std::string cut(std::string_view slug, std::size_t length) {
  slug = slug.substr(0, length);
  while (!slug.empty() && slug.back() == '-') slug.remove_suffix(1);
  return std::string(slug);
}

// May be too short or reserved.
std::string fold_name(std::string_view company) {
  std::string out;
  bool separated = false;
  for (std::size_t at = 0; at < company.size();) {
    const templates::CodePoint c = templates::decode_utf8(company.substr(at));
    if (c.size == 0) {
      throw ValidationError({.message = fmt::format("the company's name is not valid UTF-8 at byte {}", at + 1),
                             .hint = "set the terminal's and the shell's locale to UTF-8",
                             .resource = {},
                             .cause = {}});
    }
    at += c.size;
    std::string letters;
    if (!fold(c.value, letters)) {
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
  const templates::CodePoint c = templates::decode_utf8(text.substr(at));
  if (c.size == 0 || c.value < 0x20 || !templates::is_printable(c.value)) {
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

std::string free_slug(std::string_view slug, const std::function<bool(const std::string&)>& taken) {
  std::string candidate(slug);
  for (std::uint64_t number = 2; taken(candidate); ++number) {
    const std::string suffix = fmt::format("-{}", number);
    candidate = cut(slug, slug_max - suffix.size()) + suffix;
  }
  return candidate;
}

}  // namespace litedesk
