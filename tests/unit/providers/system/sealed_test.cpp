#include "providers/system/sealed.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace litedesk;
using namespace litedesk::system;

TEST_CASE("a seal tells nothing of its secret, and equal secrets have the same one") {
  const auto seal_of = [](const char* text) { return seal(Secret(text)); };
  const auto one = seal_of("correct horse");
  CHECK(one.find("horse") == std::string::npos);
  CHECK(one == seal_of("correct horse"));
  CHECK(one != seal_of("correct house"));
  CHECK(one.size() == seal_of("x").size());
  CHECK(one.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos);
  CHECK(seal(Secret()).empty());
}

TEST_CASE("a text gets its secrets back, wherever they stand, and whatever stands around them") {
  const auto a = seal(Secret("A-secret")), b = seal(Secret("B"));
  CHECK(unseal("") == Secret());
  CHECK(unseal("nothing sealed") == Secret("nothing sealed"));
  CHECK(unseal(a) == Secret("A-secret"));
  CHECK(unseal(a + b + a) == Secret("A-secretBA-secret"));
  CHECK(unseal("<" + a + "|" + b + ">") == Secret("<A-secret|B>"));
  CHECK(is_sealed("<" + a));
  CHECK_FALSE(is_sealed("sealed"));
  // Cut, unknown, or in other letters: text like any other.
  const auto unknown = a.substr(0, a.size() - 8) + "ffffffff";
  for (const auto& text : {a.substr(0, a.size() - 1), a.substr(1), unknown, a.substr(0, a.size() - 8) + "zzzzzzzz"}) {
    CHECK_FALSE(is_sealed(text));
    CHECK(unseal(text) == Secret(text));
  }
  CHECK(unseal(unknown + b) == Secret(unknown + "B"));
}

TEST_CASE("what is unsealed is not looked at again: a secret that looks like a seal stays as it is") {
  const auto inner = seal(Secret("inner"));
  CHECK(unseal(seal(Secret(inner))) == Secret(inner));
}

TEST_CASE("in a JSON document a secret is the content of a string") {
  const std::string odd = "quote \" backslash \\ line \n and \u00e9";
  const auto document = R"({"k":"<)" + seal(Secret(odd)) + R"(>"})";
  CHECK(unseal_json(document) == Secret(R"({"k":"<quote \" backslash \\ line \n and )"
                                        "\u00e9"
                                        R"(>"})"));
}

TEST_CASE("many threads seal and unseal at once") {
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread)
    threads.emplace_back([&wrong, thread] {
      for (int i = 0; i < 200; ++i) {
        const Secret secret("secret " + std::to_string(i % 50) + " of " + std::to_string(thread % 2));
        if (!(unseal("x" + seal(secret)) == Secret("x" + std::string(secret.reveal())))) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}
