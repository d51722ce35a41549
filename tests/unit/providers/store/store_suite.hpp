// The promises of store.hpp, checked on any Store: here on SQLite and on a stand-in for an API server, in
// tests/contract/store_test.cpp on the Tenant resource of a real one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "providers/store/store.hpp"

namespace litedesk::store {

struct SuiteSubject {
  Store& store;
  // A second client of the same registry: another process, as good as.
  Store& other;
  // A document that the registry's schema takes, in its first state.
  std::function<Document(const std::string& name)> make;
  // Changes something of what is desired, and something of what is observed; each `round` gives other values.
  std::function<void(Document& document, int round)> change;
  // Takes away a member of what is desired and all that is nested under one member of what is observed.
  std::function<void(Document& document)> shrink;
};

// Runs every case as a doctest SUBCASE of the test case that calls it. The registry is empty before, and not after.
void run_store_suite(const SuiteSubject& subject);

}  // namespace litedesk::store
