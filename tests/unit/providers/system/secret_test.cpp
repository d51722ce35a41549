#include "providers/system/secret.hpp"

#include <string>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

using litedesk::Secret;

namespace {
template <class Stream, class Value>
concept Printable = requires(Stream& out, const Value& value) {
  out << value;
};
struct AnyStream {
  AnyStream& operator<<(std::string_view);
};
}  // namespace

TEST_CASE("a secret cannot be printed or turned into text by accident") {
  static_assert(!Printable<AnyStream, Secret>);
  static_assert(!std::is_convertible_v<Secret, std::string>);
  static_assert(!std::is_convertible_v<Secret, std::string_view>);
  static_assert(!std::is_convertible_v<std::string, Secret>);
}

TEST_CASE("a secret is copied, moved and compared by its text") {
  const Secret a(std::string("a rather long pass phrase, past any small buffer"));
  Secret b = a;
  CHECK(a == b);
  Secret c = std::move(b);
  CHECK(c == a);
  b = c;
  CHECK(b.reveal() == a.reveal());
  b = Secret("short");
  CHECK_FALSE(b == a);
  CHECK_FALSE(b == Secret("shorT"));
  CHECK(Secret() == Secret(""));
  CHECK(Secret().empty());
}

TEST_CASE("wiping leaves no byte behind, whether the text was long, short, or cut before") {
  for (const std::size_t length : {std::size_t{3}, std::size_t{15}, std::size_t{500}}) {
    CAPTURE(length);
    std::string text(length, 'x');
    text.resize(1);  // the rest still lies in the buffer
    const volatile char* bytes = text.data();
    litedesk::wipe(text);
    CHECK(text.empty());
    REQUIRE((text.data() == bytes));
    REQUIRE(text.capacity() >= length);
    std::size_t left = 0;
    for (std::size_t i = 0; i < length; ++i) left += bytes[i] == 'x';
    CHECK(left == 0);
  }
}
