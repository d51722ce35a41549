#include "providers/system/random.hpp"

#include <cctype>
#include <map>
#include <set>
#include <vector>

#include <doctest/doctest.h>

using namespace litedesk::system;

namespace {

// Gives the 64-bit numbers of a list, one after another.
class ListedRandom : public Random {
 public:
  explicit ListedRandom(std::vector<std::uint64_t> numbers) : numbers_(std::move(numbers)) {}
  void fill(std::span<std::byte> bytes) override {
    REQUIRE(next_ < numbers_.size());
    const auto number = numbers_[next_++];
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(number >> (8 * (i % 8)));
  }
  [[nodiscard]] std::size_t drawn() const { return next_; }

 private:
  std::vector<std::uint64_t> numbers_;
  std::size_t next_ = 0;
};

}  // namespace

TEST_CASE("a number that would favour the small ones is drawn again") {
  // 2^64 mod 10 is 6, so 0 to 5 are refused.
  ListedRandom random({0, 5, 6, 17});
  CHECK(random.below(10) == 6);
  CHECK(random.drawn() == 3);
  CHECK(random.below(10) == 7);
  ListedRandom power_of_two({0});
  CHECK(power_of_two.below(64) == 0);
}

TEST_CASE("bytes are written in hex, two characters each") {
  ListedRandom random({0x00, 0xa5, 0xff});
  CHECK(random.hex(3).reveal() == "00a5ff");
}

TEST_CASE("a password has the length asked for and only letters and digits, all of which occur") {
  std::map<char, int> counts;
  for (int i = 0; i < 200; ++i) {
    const auto password = os_random().password(62);
    REQUIRE(password.reveal().size() == 62);
    for (const char c : password.reveal()) ++counts[c];
  }
  CHECK(counts.size() == 62);
  for (const auto& drawn : counts) {
    CAPTURE(drawn.first);
    CHECK(std::isalnum(static_cast<unsigned char>(drawn.first)));
    CHECK(drawn.second > 80);  // 200 are expected, with a deviation of 14
    CHECK(drawn.second < 320);
  }
}

TEST_CASE("a UUID has version 4, the RFC's variant, and is new each time") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto uuid = os_random().uuid();
    REQUIRE(uuid.size() == 36);
    CHECK(uuid[8] == '-');
    CHECK(uuid[13] == '-');
    CHECK(uuid[14] == '4');
    CHECK(std::string("89ab").find(uuid[19]) != std::string::npos);
    seen.insert(uuid);
  }
  CHECK(seen.size() == 100);
}
