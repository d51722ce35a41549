#include "commands/lifecycle.hpp"

#include <set>
#include <utility>

#include <doctest/doctest.h>

#include "providers/error.hpp"

using namespace litedesk;

namespace {

constexpr Phase phases[] = {Phase::none,      Phase::provisioning, Phase::active,
                            Phase::suspended, Phase::failed,       Phase::terminated};

// The sentence of DOMAIN: none → provisioning → active | failed; failed → provisioning | terminated; active → suspended
// | provisioning | terminated; suspended → active | terminated; terminated is final.
const std::set<std::pair<Phase, Phase>> legal = {
    {Phase::none, Phase::provisioning},    {Phase::provisioning, Phase::active}, {Phase::provisioning, Phase::failed},
    {Phase::failed, Phase::provisioning},  {Phase::failed, Phase::terminated},   {Phase::active, Phase::suspended},
    {Phase::active, Phase::provisioning},  {Phase::active, Phase::terminated},   {Phase::suspended, Phase::active},
    {Phase::suspended, Phase::terminated},
};

store::Document document(Phase phase) {
  Tenant tenant;
  tenant.slug = "acme";
  tenant.company = "Acme";
  tenant.status.phase = phase;
  return to_document(tenant);
}

}  // namespace

TEST_CASE("each of the 36 pairs of phases is legal or not, for the rule, the check and the document's validator") {
  for (const Phase from : phases) {
    for (const Phase to : phases) {
      CAPTURE(to_string(from));
      CAPTURE(to_string(to));
      const bool expected = from == to || legal.count({from, to}) > 0;
      CHECK(may_follow(from, to) == expected);
      const store::Document stored = document(from);
      if (expected) {
        CHECK_NOTHROW(check_transition("acme", from, to));
        CHECK_NOTHROW(validate_tenant_document(&stored, document(to)));
      } else {
        CHECK_THROWS_AS(check_transition("acme", from, to), Conflict);
        CHECK_THROWS_AS(validate_tenant_document(&stored, document(to)), ValidationError);
      }
    }
  }
}

TEST_CASE("a document's tier is any that a tier can be called, as in the cluster") {
  store::Document wanted = document(Phase::none);
  wanted.desired["tier"] = "gold-2";
  CHECK_NOTHROW(validate_tenant_document(nullptr, wanted));
  for (const char* tier : {"Gold", "a b", "-x"}) {
    wanted.desired["tier"] = tier;
    CHECK_THROWS_AS(validate_tenant_document(nullptr, wanted), ValidationError);
  }
}

TEST_CASE("a refused transition says what would be possible") {
  struct Row {
    Phase from, to;
    std::string_view message, hint;
  };
  for (const Row& row :
       {Row{Phase::suspended, Phase::failed, "acme is suspended and cannot become failed",
            "it can become active or terminated"},
        Row{Phase::none, Phase::active, "acme is registered, without an instance and cannot become active",
            "it can become provisioning"},
        Row{Phase::active, Phase::none, "acme is active and cannot lose its phase",
            "it can become suspended or provisioning or terminated"},
        Row{Phase::terminated, Phase::active, "acme is terminated and cannot become active",
            "terminated is final: a restore makes a new record"}}) {
    try {
      check_transition("acme", row.from, row.to);
      FAIL("allowed");
    } catch (const Conflict& error) {
      CHECK(error.message() == row.message);
      CHECK(error.hint() == row.hint);
    }
  }
}

TEST_CASE("a new document may have any phase, since an import brings it, but its slug is its name") {
  for (const Phase phase : phases) CHECK_NOTHROW(validate_tenant_document(nullptr, document(phase)));
  store::Document other = document(Phase::none);
  other.desired["slug"] = "other";
  CHECK_THROWS_AS(validate_tenant_document(nullptr, other), ValidationError);
  const store::Document stored = document(Phase::none);
  CHECK_THROWS_AS(validate_tenant_document(&stored, other), ValidationError);
  other.desired.erase("slug");
  CHECK_THROWS_AS(validate_tenant_document(nullptr, other), ValidationError);
}

TEST_CASE("phases are read and written by their words") {
  for (const Phase phase : phases) CHECK(parse_phase(to_string(phase)) == phase);
  CHECK(to_string(Phase::none).empty());
  try {
    (void)parse_phase("actve");
    FAIL("read");
  } catch (const ValidationError& error) {
    CHECK(error.hint() == "did you mean \"active\"?");
  }
  store::Document odd = document(Phase::none);
  odd.observed["phase"] = "melted";
  CHECK_THROWS_AS(validate_tenant_document(nullptr, odd), ValidationError);
  odd.observed["phase"] = 3;
  CHECK_THROWS_AS(validate_tenant_document(nullptr, odd), ValidationError);
}
