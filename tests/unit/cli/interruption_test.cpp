#include "cli/interruption.hpp"

#include <doctest/doctest.h>

using namespace litedesk;
using namespace litedesk::cli;

namespace {

struct Told {
  Interruption interruption;
  std::vector<std::string> lines, requests;

  Told() {
    interruption.set_teller([this](std::string_view text) { lines.emplace_back(text); });
    interruption.set_in_flight([this] { return requests; });
  }
};

}  // namespace

TEST_CASE("The first signal is answered in the command's words, or with what is waited for, or not at all") {
  Told told;
  told.interruption.tell_first();
  CHECK(told.lines.empty());
  told.requests = {"create Tenant acme"};
  told.interruption.tell_first();
  REQUIRE(told.lines.size() == 1);
  CHECK(told.lines[0] == "interrupted: waiting for the response to: create Tenant acme\nCtrl-C again stops at once");
  told.interruption.say({"interrupted: undoing acme", "acme is half undone", "go on with: it"});
  told.interruption.tell_first();
  CHECK(told.lines[1] == "interrupted: undoing acme");
  told.interruption.set_teller({});  // the command has ended
  told.interruption.tell_first();
  CHECK(told.lines.size() == 2);
}

TEST_CASE("The second says what was in flight, the first few of many, and how to go on") {
  Told told;
  CHECK(told.interruption.second().message() == "stopped at once");
  CHECK(told.interruption.second().cause() == "no change was in flight");
  CHECK(told.interruption.second().hint().empty());
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) told.requests.emplace_back(name);
  CHECK(told.interruption.second().cause() == "in flight: a, b, c, d and 2 more");
  CHECK_FALSE(told.interruption.second().hint().empty());
  told.interruption.say({"", "stopped at once: acme is half undone", "go on with: it"});
  CHECK(told.interruption.second().message() == "stopped at once: acme is half undone");
  CHECK(told.interruption.second().hint() == "go on with: it");
  told.interruption.set_in_flight({});
  CHECK(told.interruption.second().cause() == "no change was in flight");
}
