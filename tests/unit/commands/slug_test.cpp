#include "commands/slug.hpp"

#include <random>
#include <regex>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "providers/error.hpp"
#include "providers/system/files.hpp"

using namespace litedesk;

namespace {

// The rules of a slug written a second time, on purpose: what derive_slug makes is checked against these.
bool is_well_formed(const std::string& slug) {
  if (slug.size() < 3 || slug.size() > 30) return false;
  if (slug.front() == '-' || slug.back() == '-' || slug.find("--") != std::string::npos) return false;
  return slug.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

std::string utf8(char32_t c) {
  std::string out;
  const auto put = [&out](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6)), put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12)), put(0x80 | ((c >> 6) & 0x3F)), put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18)), put(0x80 | ((c >> 12) & 0x3F)), put(0x80 | ((c >> 6) & 0x3F)), put(0x80 | (c & 0x3F));
  }
  return out;
}

std::string message_of(void (*check)(std::string_view), std::string_view slug) {
  try {
    check(slug);
  } catch (const ValidationError& error) {
    return error.message();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a company's name makes a slug") {
  struct Row {
    std::string_view company, slug;
  };
  const std::vector<Row> rows = {
      {"Acme Inc", "acme-inc"},
      {"  ACME -- inc.  ", "acme-inc"},
      {"O'Brien & Sons", "o-brien-sons"},
      {"3M Company", "3m-company"},
      {"-acme-", "acme"},
      {"Café Zürich", "cafe-zurich"},
      {"Cafe\xCC\x81 Zu\xCC\x88rich", "cafe-zurich"},  // the same with combining marks
      {"Straße", "strasse"},
      {"GROẞE WERKE", "grosse-werke"},
      {"Ærøskøbing Œuvre", "aeroskobing-oeuvre"},
      {"Łódź Żubr", "lodz-zubr"},
      {"Đặng Nguyễn", "dang-nguyen"},
      {"Þórður Eðvald", "thordur-edvald"},
      {"İstanbul Işık", "istanbul-isik"},
      {"Škoda Ĳssel", "skoda-ijssel"},
      {"Ștefan Țară Ăla", "stefan-tara-ala"},
      {"Ǆamija Ǉubljana Ǌegoš", "dzamija-ljubljana-njegos"},
      {"Ññandú", "nnandu"},
      {"株式会社 Acme 東京", "acme"},
      {"a × b ÷ c", "a-b-c"},
      // Compatibility forms (UAX #15) are what they stand for.
      {"ﬁnance Öl", "finance-ol"},
      {"ＡＣＭＥ Ltd", "acme-ltd"},
      {"𝐀𝐜𝐦𝐞 ① ㎏", "acme-1-kg"},
      {"Acme™", "acmetm"},
      {"ŉord ǅ ẚ", "nord-dz-a"},
      // What is invisible, or a sound of its own, is no border between words.
      {"soft\xC2\xADhyphen", "softhyphen"},
      {"zero\xE2\x80\x8Bwidth\xE2\x80\x8Dspace\xEF\xBB\xBF", "zerowidthspace"},
      {"Hawaiʻi Ltd", "hawaii-ltd"},
      {"Acme\tIndustries\nLtd", "acme-industries-ltd"},
      {"Rocket 🚀 Labs", "rocket-labs"},
      {"International Business Machines Corporation", "international-business-machine"},
      {"abcdefghijklmnopqrstuvwxyz123 x", "abcdefghijklmnopqrstuvwxyz123"},  // the cut falls behind a '-'
      {"abcdefghijklmnopqrstuvwxyz1234 x", "abcdefghijklmnopqrstuvwxyz1234"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.company);
    CHECK(derive_slug(row.company) == row.slug);
    CHECK_NOTHROW(check_slug(row.slug));
  }
}

TEST_CASE("a name that folds to fewer than three characters asks for --slug") {
  for (const std::string_view company : {"HP", "株式会社", "", "---", "É", "Ωμέγα"}) {
    CAPTURE(company);
    try {
      (void)derive_slug(company);
      FAIL("accepted");
    } catch (const ValidationError& error) {
      CHECK(error.hint() == "give --slug");
    }
  }
  CHECK(derive_slug("a b") == "a-b");
}

TEST_CASE("a name that makes a reserved word asks for --slug") {
  for (const std::string_view company : {"Admin", "WWW", "LiteDesk", "  api  ", "Ápp"}) {
    CAPTURE(company);
    try {
      (void)derive_slug(company);
      FAIL("accepted");
    } catch (const ValidationError& error) {
      CHECK(error.hint() == "give --slug");
      CHECK(error.message().find("reserved") != std::string::npos);
    }
  }
  CHECK(derive_slug("N.S.1") == "n-s-1");
}

TEST_CASE("a name that is no UTF-8 is refused with the place") {
  for (const std::string_view company :
       {"caf\xE9 au lait", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF8\x88\x80\x80", "\x80"}) {
    CHECK_THROWS_AS((void)derive_slug(company), ValidationError);
  }
  CHECK_THROWS_WITH((void)derive_slug("caf\xE9 au lait"), "the company's name is not valid UTF-8 at byte 4");
}

TEST_CASE("a given slug that breaks a rule is told which") {
  struct Row {
    std::string_view slug, message;
  };
  const std::vector<Row> rows = {
      {"", "\"\" is not a valid slug: it is empty"},
      {"ab", "\"ab\" is not a valid slug: it has 2 characters, and at least 3 are needed"},
      {"abcdefghijklmnopqrstuvwxyz12345",
       "\"abcdefghijklmnopqrstuvwxyz12345\" is not a valid slug: it has 31 characters, and at most 30 are allowed"},
      {"Acme", "\"Acme\" is not a valid slug: it contains 'A', and only a to z, 0 to 9 and '-' are allowed"},
      {"acme_inc", "\"acme_inc\" is not a valid slug: it contains '_', and only a to z, 0 to 9 and '-' are allowed"},
      {"acme.inc", "\"acme.inc\" is not a valid slug: it contains '.', and only a to z, 0 to 9 and '-' are allowed"},
      {"café", "\"café\" is not a valid slug: it contains 'é', and only a to z, 0 to 9 and '-' are allowed"},
      {"acm\n", "\"acm\n\" is not a valid slug: it contains byte 0x0a, and only a to z, 0 to 9 and '-' are allowed"},
      {"-acme", "\"-acme\" is not a valid slug: it begins with '-'"},
      {"acme-", "\"acme-\" is not a valid slug: it ends with '-'"},
      {"ac--me", "\"ac--me\" is not a valid slug: it has two '-' in a row"},
      {"www", "\"www\" is not a valid slug: it is reserved"},
      {"acme", "accepted"},
      {"a-1", "accepted"},
      {"123", "accepted"},
      {"abcdefghijklmnopqrstuvwxyz1234", "accepted"},
  };
  for (const Row& row : rows) CHECK(message_of(check_slug, row.slug) == row.message);
}

TEST_CASE("a given slug with a forbidden character gets the one that was meant") {
  try {
    check_slug("Acme_Inc");
    FAIL("accepted");
  } catch (const ValidationError& error) {
    CHECK(error.hint() == "did you mean \"acme-inc\"?");
  }
}

TEST_CASE("every reserved word is refused") {
  for (const std::string_view word :
       {"www", "api", "admin", "app", "mail", "status", "docs", "support", "blog", "cdn", "static", "assets", "ns1",
        "ns2", "autodiscover", "localhost", "litedesk", "master", "internal"}) {
    CAPTURE(word);
    CHECK(is_reserved_slug(word));
    CHECK_THROWS_AS(check_slug(word), ValidationError);
  }
  CHECK(is_reserved_slug("cname-acme"));
  CHECK_FALSE(is_reserved_slug("cnames"));
  CHECK_FALSE(is_reserved_slug("ns3"));
  CHECK_FALSE(is_reserved_slug("wwww"));
}

TEST_CASE("whatever text comes in, a slug that comes out keeps every rule and folds to itself") {
  std::mt19937 random(20240601);  // NOLINT: the same texts in every run
  const std::vector<std::pair<char32_t, char32_t>> ranges = {{' ', '~'},       {'a', 'z'},         {0xC0, 0x24F},
                                                             {0x300, 0x36F},   {0x1E00, 0x1EFF},   {0x370, 0x3FF},
                                                             {0x4E00, 0x4EFF}, {0x1F300, 0x1F5FF}, {'-', '-'}};
  int made = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string company;
    const int length = std::uniform_int_distribution<int>(0, 60)(random);
    for (int i = 0; i < length; ++i) {
      const auto& range = ranges[std::uniform_int_distribution<std::size_t>(0, ranges.size() - 1)(random)];
      company += utf8(std::uniform_int_distribution<char32_t>(range.first, range.second)(random));
    }
    std::string slug;
    try {
      slug = derive_slug(company);
    } catch (const ValidationError&) {
      continue;
    }
    ++made;
    CAPTURE(company);
    CAPTURE(slug);
    REQUIRE(is_well_formed(slug));
    REQUIRE_FALSE(is_reserved_slug(slug));
    REQUIRE_NOTHROW(check_slug(slug));
    REQUIRE(derive_slug(slug) == slug);
  }
  CHECK(made > 10'000);
}

TEST_CASE("whatever bytes come in, they are folded or refused") {
  std::mt19937 random(20240602);  // NOLINT: the same bytes in every run
  for (int round = 0; round < 20'000; ++round) {
    std::string company;
    const int length = std::uniform_int_distribution<int>(0, 40)(random);
    for (int i = 0; i < length; ++i) company += static_cast<char>(std::uniform_int_distribution<int>(0, 255)(random));
    std::string slug;
    try {
      slug = derive_slug(company);
    } catch (const ValidationError&) {
      continue;
    }
    REQUIRE(is_well_formed(slug));
  }
}

TEST_CASE("a slug that is taken gets the first free number that is not reserved") {
  struct Row {
    std::string slug;
    std::set<std::string> taken;
    std::optional<std::string> expected;
  };
  const std::vector<Row> rows = {
      {"acme", {}, "acme-2"},
      {"acme", {"acme-2", "acme-3"}, "acme-4"},
      {"acme", {"acme", "acme-3"}, "acme-2"},
      {"abcdefghijklmnopqrstuvwxyz1234", {}, "abcdefghijklmnopqrstuvwxyz12-2"},
      // The cut would end in '-': it goes too, so that no "--" is made.
      {"abcdefghijklmnopqrstuvwxyz1-34", {}, "abcdefghijklmnopqrstuvwxyz1-2"},
      {"cname", {}, std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.slug);
    const auto slug = free_slug(row.slug, [&row](const std::string& name) { return row.taken.count(name) > 0; });
    CHECK(slug == row.expected);
    if (slug) CHECK(is_well_formed(*slug));
  }
}

TEST_CASE("a hundred companies of one long name get slugs, and then one is asked to choose") {
  std::set<std::string> taken;
  const auto is_taken = [&taken](const std::string& name) { return taken.count(name) > 0; };
  const std::string base = derive_slug("International Business Machines Corporation");
  for (int i = 0; i < 100; ++i) {
    const auto slug = free_slug(base, is_taken);
    REQUIRE(slug);
    REQUIRE(is_well_formed(*slug));
    REQUIRE(taken.insert(*slug).second);
  }
  CHECK(taken.count("international-business-mac-101") == 1);
  CHECK_FALSE(free_slug(base, is_taken).has_value());
}

TEST_CASE("the registry in the cluster refuses the same words as slugs") {
  const auto file = system::read_file(std::string(LITEDESK_SOURCE_DIR) + "/templates/tenant-crd.yaml", "the CRD");
  REQUIRE(file);
  const std::string& crd = *file;
  const auto begin = crd.find("!(self in [");
  REQUIRE(begin != std::string::npos);
  const std::string list = crd.substr(begin, crd.find("])", begin) - begin);
  const std::regex word("'([a-z0-9]+)'");
  std::set<std::string> refused;
  for (std::sregex_iterator at(list.begin(), list.end(), word), end; at != end; ++at) refused.insert((*at)[1]);
  const auto reserved = reserved_slugs();
  CHECK(refused == std::set<std::string>(reserved.begin(), reserved.end()));
}
