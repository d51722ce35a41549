#include "providers/sandbox/faults.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "providers/error.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;

TEST_CASE("a fault is an API, a kind, and a probability or a count") {
  const auto often = parse_fault("route53:throttle:0.3");
  CHECK(often.api == "route53");
  CHECK(often.kind == "throttle");
  CHECK(often.probability == doctest::Approx(0.3));
  CHECK(often.count == 0);
  CHECK(parse_fault("all:lost:5").count == 5);
  CHECK(parse_fault("kubernetes:conflict:1.0").probability == doctest::Approx(1.0));
}

TEST_CASE("what is no fault is refused with what would be one") {
  for (const auto* text : {"", "route53", "route53:throttle", "s3:throttle:1", "route53:explode:1",
                           "route53:throttle:", "route53:throttle:-1", "route53:throttle:0", "route53:throttle:1.5",
                           "route53:throttle:x", "route53:throttle:1:2", "atlas:conflict:1"}) {
    INFO(text);
    try {
      [[maybe_unused]] const auto fault = parse_fault(text);
      FAIL("was taken");
    } catch (const UsageError& error) {
      CHECK(error.hint().find("kubernetes, atlas, route53, all") != std::string::npos);
      CHECK(error.hint().find("throttle, error, unavailable, reset, lost, slow, conflict") != std::string::npos);
    }
  }
}

TEST_CASE("a counted fault meets the first requests, in the order given, and then none") {
  Faults faults({parse_fault("route53:throttle:2"), parse_fault("all:reset:1"), parse_fault("atlas:lost:1")}, "route53",
                1);
  CHECK(faults.next(true) == FaultKind::throttle);
  CHECK(faults.next(false) == FaultKind::throttle);
  CHECK(faults.next(false) == FaultKind::reset);
  CHECK(faults.next(false) == FaultKind::none);
}

TEST_CASE("a conflict waits for a write") {
  Faults faults({parse_fault("kubernetes:conflict:1")}, "kubernetes", 1);
  CHECK(faults.next(false) == FaultKind::none);
  CHECK(faults.next(true) == FaultKind::conflict);
  CHECK(faults.next(true) == FaultKind::none);
}

TEST_CASE("a probability is met about as often as it says") {
  Faults faults({parse_fault("all:error:0.25")}, "atlas", 7);
  int met = 0;
  for (int i = 0; i < 4000; ++i) met += faults.next(false) == FaultKind::error ? 1 : 0;
  CHECK(met > 850);
  CHECK(met < 1150);
}

TEST_CASE("every form that is offered is one, and every kind is offered") {
  const auto forms = fault_forms();
  CHECK(forms.size() == 4 * fault_kinds().size() - 1);  // Atlas knows no conflict
  for (const auto& form : forms) {
    CAPTURE(form);
    CHECK_NOTHROW((void)parse_fault(form + "1"));
  }
  CHECK(std::find(forms.begin(), forms.end(), "kubernetes:conflict:") != forms.end());
  CHECK(std::find(forms.begin(), forms.end(), "atlas:conflict:") == forms.end());
}
