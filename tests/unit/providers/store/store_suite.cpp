#include "tests/unit/providers/store/store_suite.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "providers/error.hpp"
#include "providers/system/clock.hpp"

namespace litedesk::store {
namespace {

std::vector<std::string> names_of(const std::vector<Document>& documents) {
  std::vector<std::string> names;
  for (const Document& document : documents) names.push_back(document.name);
  return names;
}

void check_creation(const SuiteSubject& subject) {
  SUBCASE("what is created is read back as it was, with version, id and time") {
    Document wanted = subject.make("suite-create");
    wanted.labels = {{"litedesk.io/tier", "trial"}, {"plain", ""}};
    const Document made = subject.store.create(wanted);
    CHECK(made.desired == wanted.desired);
    CHECK(made.observed == wanted.observed);
    CHECK(made.labels == wanted.labels);
    CHECK_FALSE(made.version.empty());
    CHECK_FALSE(made.id.empty());
    CHECK(system::from_rfc3339(made.created).has_value());
    const auto read = subject.other.get("suite-create");
    REQUIRE(read.has_value());
    CHECK(*read == made);
  }
  SUBCASE("a name that is taken is a conflict that says so, and changes nothing") {
    const Document first = subject.store.create(subject.make("suite-taken"));
    try {
      subject.other.create(subject.make("suite-taken"));
      FAIL("created twice");
    } catch (const Conflict& error) {
      CHECK(error.message().find("suite-taken already exists") != std::string::npos);
      CHECK_FALSE(error.hint().empty());
    }
    CHECK(subject.store.get("suite-taken") == first);
  }
  SUBCASE("a name made again after its removal is another thing") {
    const Document first = subject.store.create(subject.make("suite-again"));
    REQUIRE(subject.store.remove("suite-again", first.version));
    const Document second = subject.store.create(subject.make("suite-again"));
    CHECK(second.id != first.id);
    CHECK(second.version != first.version);
    CHECK_THROWS_AS(subject.store.remove("suite-again", first.version), Conflict);
  }
  SUBCASE("an illegal name or label is refused, and nothing is stored") {
    CHECK_THROWS_AS(subject.store.create(subject.make("Suite_Bad")), ValidationError);
    Document document = subject.make("suite-label");
    document.labels = {{"litedesk.io/owner", "owner@acme.example"}};
    CHECK_THROWS_AS(subject.store.create(document), ValidationError);
    document.labels = {{"-bad-", "x"}};
    CHECK_THROWS_AS(subject.store.create(document), ValidationError);
    CHECK_FALSE(subject.store.get("suite-label").has_value());
  }
  SUBCASE("text comes back byte by byte") {
    Document document = subject.make("suite-text");
    const std::string text = "Ærø \"quoted\" \\ back \t tab \n line \u2028 🚀 '; DROP TABLE documents; --";
    document.desired["notes"] = text;
    subject.store.create(document);
    CHECK(subject.other.get("suite-text")->desired.at("notes") == text);
  }
}

void check_reading(const SuiteSubject& subject) {
  SUBCASE("what is not there is nothing, not an error") {
    CHECK_FALSE(subject.store.get("suite-nobody").has_value());
    CHECK_FALSE(subject.store.remove("suite-nobody", ""));
    CHECK_FALSE(subject.store.remove("suite-nobody", "1"));
  }
  SUBCASE("a list is sorted by name, and a selector picks by labels") {
    struct Row {
      std::string name, tier, placement;
    };
    for (const Row& row : std::vector<Row>{{"suite-c", "trial", "shared"},
                                           {"suite-a", "starter", "dedicated"},
                                           {"suite-b", "trial", ""},
                                           {"suite-a-b", "", "dedicated"}}) {
      Document document = subject.make(row.name);
      document.labels["suite"] = "list";
      if (!row.tier.empty()) document.labels["litedesk.io/tier"] = row.tier;
      if (!row.placement.empty()) document.labels["placement"] = row.placement;
      subject.store.create(document);
    }
    struct Case {
      std::string selector;
      std::vector<std::string> names;
    };
    const std::vector<Case> cases = {
        {"suite=list", {"suite-a", "suite-a-b", "suite-b", "suite-c"}},
        {"suite==list", {"suite-a", "suite-a-b", "suite-b", "suite-c"}},
        {"suite=list,litedesk.io/tier=trial", {"suite-b", "suite-c"}},
        {"suite=list, litedesk.io/tier = trial", {"suite-b", "suite-c"}},
        {"suite=list,litedesk.io/tier!=trial", {"suite-a", "suite-a-b"}},
        {"suite=list,placement", {"suite-a", "suite-a-b", "suite-c"}},
        {"suite=list,!placement", {"suite-b"}},
        {"suite=list,litedesk.io/tier in (trial,starter)", {"suite-a", "suite-b", "suite-c"}},
        {"suite=list,litedesk.io/tier notin (trial, starter)", {"suite-a-b"}},
        {"suite=list,placement=", {}},
        {"suite=other", {}},
        {"nobody-has-this", {}},
    };
    for (const Case& one : cases) {
      CAPTURE(one.selector);
      CHECK(names_of(subject.other.list(one.selector)) == one.names);
    }
    const auto all = names_of(subject.store.list(""));
    CHECK(std::is_sorted(all.begin(), all.end()));
    CHECK(all.size() >= 4);
    for (const Document& document : subject.store.list("suite=list"))
      CHECK(subject.store.get(document.name) == document);
  }
  SUBCASE("a selector that is none is refused") {
    for (const std::string selector : {"a=b=c", "=b", "a in b", "a,,b", "a b"}) {
      CAPTURE(selector);
      CHECK_THROWS_AS((void)subject.store.list(selector), ValidationError);
    }
  }
  SUBCASE("the registry says who it is: the same for each client and each time") {
    CHECK_FALSE(subject.store.registry_id().empty());
    CHECK(subject.store.registry_id() == subject.other.registry_id());
    CHECK_FALSE(subject.store.describe().empty());
  }
}

void check_updates(const SuiteSubject& subject) {
  SUBCASE("one write replaces desired, observed and labels, and gives a new version of the same thing") {
    Document document = subject.make("suite-update");
    document.labels = {{"keep", "1"}, {"change", "1"}, {"drop", "1"}};
    const Document made = subject.store.create(document);
    Document wanted = made;
    subject.change(wanted, 1);
    wanted.labels = {{"keep", "1"}, {"change", "2"}, {"add", "1"}};
    const Document updated = subject.store.update(wanted);
    CHECK(updated.desired == wanted.desired);
    CHECK(updated.observed == wanted.observed);
    CHECK(updated.labels == wanted.labels);
    CHECK(updated.version != made.version);
    CHECK(updated.id == made.id);
    CHECK(updated.created == made.created);
    CHECK(subject.other.get("suite-update") == updated);
  }
  SUBCASE("what disappears is gone: members, nested members, labels") {
    Document document = subject.make("suite-shrink");
    subject.change(document, 1);
    document.labels = {{"a", "1"}, {"b", "2"}};
    Document wanted = subject.store.create(document);
    subject.shrink(wanted);
    wanted.labels.clear();
    const Document updated = subject.store.update(wanted);
    CHECK(updated.desired == wanted.desired);
    CHECK(updated.observed == wanted.observed);
    CHECK(updated.labels.empty());
    CHECK(subject.other.get("suite-shrink") == updated);
  }
  SUBCASE("it is so too for a document that was not read from a store but put together") {
    Document document = subject.make("suite-made-up");
    subject.change(document, 1);
    const Document made = subject.store.create(document);
    Document wanted = made;
    wanted.base.reset();
    subject.shrink(wanted);
    const Document updated = subject.store.update(wanted);
    CHECK(updated.desired == wanted.desired);
    CHECK(updated.observed == wanted.observed);
    Document stale = made;
    stale.base.reset();
    subject.change(stale, 2);
    CHECK_THROWS_AS(subject.store.update(stale), Conflict);
  }
  SUBCASE("a null member is as good as absent") {
    Document document = subject.make("suite-null");
    document.desired["notes"] = nullptr;
    const Document made = subject.store.create(document);
    CHECK_FALSE(made.desired.contains("notes"));
    Document wanted = made;
    wanted.desired["notes"] = nullptr;
    CHECK_FALSE(subject.store.update(wanted).desired.contains("notes"));
  }
  SUBCASE("of two writers with the same version the second is told that it came late") {
    const Document made = subject.store.create(subject.make("suite-race"));
    Document first = made, second = made;
    subject.change(first, 1);
    subject.change(second, 2);
    const Document updated = subject.store.update(first);
    try {
      subject.other.update(second);
      FAIL("overwrote what it had not read");
    } catch (const Conflict& error) {
      CHECK(error.message().find("suite-race was changed by someone else") != std::string::npos);
      CHECK_FALSE(error.hint().empty());
    }
    CHECK(subject.store.get("suite-race") == updated);
  }
  SUBCASE("a write that took effect and whose answer got lost can be asked for again") {
    Document wanted = subject.store.create(subject.make("suite-lost"));
    subject.change(wanted, 1);
    const Document once = subject.store.update(wanted);
    CHECK(subject.store.update(wanted) == once);
    CHECK(subject.other.get("suite-lost") == once);
  }
  SUBCASE("an update of nothing leaves the record as it is") {
    const Document made = subject.store.create(subject.make("suite-same"));
    const Document updated = subject.store.update(made);
    CHECK(updated.desired == made.desired);
    CHECK(subject.store.get("suite-same") == updated);
  }
  SUBCASE("an update without a version, or of what is gone, is refused") {
    const Document made = subject.store.create(subject.make("suite-gone"));
    Document wanted = made;
    subject.change(wanted, 1);
    wanted.version.clear();
    CHECK_THROWS_AS(subject.store.update(wanted), Conflict);
    subject.store.remove("suite-gone", "");
    wanted.version = made.version;
    CHECK_THROWS_AS(subject.store.update(wanted), NotFound);
    CHECK_FALSE(subject.store.get("suite-gone").has_value());
  }
}

void check_removal(const SuiteSubject& subject) {
  SUBCASE("a removal with a version is one of just that version") {
    const Document made = subject.store.create(subject.make("suite-remove"));
    Document wanted = made;
    subject.change(wanted, 1);
    const Document updated = subject.store.update(wanted);
    CHECK_THROWS_AS(subject.store.remove("suite-remove", made.version), Conflict);
    CHECK(subject.store.get("suite-remove").has_value());
    CHECK(subject.store.remove("suite-remove", updated.version));
    CHECK_FALSE(subject.store.get("suite-remove").has_value());
    CHECK_FALSE(subject.store.remove("suite-remove", updated.version));
  }
  SUBCASE("a removal without a version takes what is there") {
    subject.store.create(subject.make("suite-any"));
    CHECK(subject.store.remove("suite-any", ""));
    CHECK_FALSE(subject.other.get("suite-any").has_value());
  }
}

void check_races(const SuiteSubject& subject) {
  SUBCASE("of many that create one name at once, one wins") {
    std::atomic<int> won{0}, lost{0}, failed{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        try {
          (i % 2 == 0 ? subject.store : subject.other).create(subject.make("suite-one"));
          ++won;
        } catch (const Conflict&) {
          ++lost;
        } catch (const std::exception&) {
          ++failed;
        }
      });
    }
    threads.clear();
    CHECK(won == 1);
    CHECK(lost == 7);
    CHECK(failed == 0);
  }
  SUBCASE("no change is lost when many change one record at once, each reading again after a conflict") {
    subject.store.create(subject.make("suite-many"));
    constexpr int writers = 4, rounds = 5;
    std::atomic<int> failed{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < writers; ++i) {
      threads.emplace_back([&, i] {
        Store& store = i % 2 == 0 ? subject.store : subject.other;
        for (int round = 0; round < rounds; ++round) {
          for (int attempt = 0; attempt < 1000; ++attempt) {
            auto document = store.get("suite-many");
            if (!document) break;
            document->labels["writer-" + std::to_string(i) + "-" + std::to_string(round)] = "1";
            try {
              store.update(*document);
              break;
            } catch (const Conflict&) {
              continue;
            } catch (const std::exception&) {
              ++failed;
              break;
            }
          }
        }
      });
    }
    threads.clear();
    CHECK(failed == 0);
    CHECK(subject.store.get("suite-many")->labels.size() == writers * rounds);
  }
}

}  // namespace

void run_store_suite(const SuiteSubject& subject) {
  check_creation(subject);
  check_reading(subject);
  check_updates(subject);
  check_removal(subject);
  check_races(subject);
}

}  // namespace litedesk::store
