#include "providers/store/kubernetes_store.hpp"

#include <doctest/doctest.h>

#include "tests/unit/providers/store/fake_kubernetes.hpp"
#include "tests/unit/providers/store/store_suite.hpp"

using namespace litedesk;
using namespace litedesk::store;

namespace {

const kubernetes::ResourceType tenants{"litedesk.io", "v1alpha1", "Tenant", "tenants", false};

Document make(const std::string& name) {
  Document document;
  document.name = name;
  document.desired = {{"slug", name}, {"displayName", "Acme"}, {"tags", {"a", "b"}}, {"owner", {{"name", "Ann"}}}};
  document.observed = {{"message", "none"}, {"dns", {{"record", "acme.example"}, {"type", "CNAME"}}}};
  return document;
}

void change(Document& document, int round) {
  document.desired["displayName"] = "Acme " + std::to_string(round);
  document.desired["notes"] = "round";
  document.observed["dns"]["record"] = "acme-" + std::to_string(round) + ".example";
}

void shrink(Document& document) {
  document.desired.erase("notes");
  document.desired["tags"] = Json::array();
  document.observed.erase("dns");
}

std::size_t count(const FakeKubernetes& api, std::string_view verb) {
  std::size_t found = 0;
  for (const std::string& request : api.requests) found += request.rfind(verb, 0) == 0 ? 1 : 0;
  return found;
}

}  // namespace

TEST_CASE("the custom resource keeps the store's promises") {
  FakeKubernetes api;
  const auto store = make_kubernetes_store(api, api, tenants);
  const auto other = make_kubernetes_store(api, api, tenants);
  run_store_suite({*store, *other, make, change, shrink});
}

TEST_CASE("an update sends one patch with the version, and in it the difference alone") {
  FakeKubernetes api;
  const auto store = make_kubernetes_store(api, api, tenants);
  Document document = make("acme");
  document.labels = {{"a", "1"}, {"b", "2"}};
  document = store->create(document);
  api.requests.clear();
  document.desired.erase("tags");
  document.desired["owner"]["name"] = "Bob";
  document.observed["dns"].erase("type");
  document.labels = {{"b", "3"}};
  store->update(document);
  REQUIRE(api.requests.size() == 1);
  CHECK(api.requests[0] ==
        "PATCH acme {\"metadata\":{\"labels\":{\"a\":null,\"b\":\"3\"},\"resourceVersion\":\"" + document.version +
            "\"},\"spec\":{\"owner\":{\"name\":\"Bob\"},\"tags\":null},\"status\":{\"dns\":{\"type\":null}}}");
}

TEST_CASE("an object read by somebody else is as good a base as one that the store read") {
  FakeKubernetes api;
  const auto store = make_kubernetes_store(api, api, tenants);
  store->create(make("acme"));
  Document document = to_document(*api.get({tenants, "", "acme"}));
  api.requests.clear();
  document.observed.erase("dns");
  CHECK_FALSE(store->update(document).observed.contains("dns"));
  CHECK(api.requests.size() == 1);
}

TEST_CASE("a base of another version is not believed") {
  FakeKubernetes api;
  const auto store = make_kubernetes_store(api, api, tenants);
  const Document first = store->create(make("acme"));
  Document second = first;
  change(second, 1);
  second = store->update(second);
  Document mixed = first;  // the base says nothing of "notes"
  mixed.version = second.version;
  const Document updated = store->update(mixed);
  CHECK(updated.desired == first.desired);
}

TEST_CASE("what other tools keep at the object is left alone") {
  FakeKubernetes api;
  const auto store = make_kubernetes_store(api, api, tenants);
  const Document made = store->create(make("acme"));
  api.merge_patch({tenants, "", "acme"}, {{"metadata", {{"annotations", {{"note", "kept"}}}}}});
  Document document = *store->get("acme");
  change(document, 1);
  store->update(document);
  CHECK(api.get({tenants, "", "acme"})->annotation("note") == "kept");
}

TEST_CASE("a write whose answer got lost is looked at: done is done, undone is the error that came") {
  FakeKubernetes api;
  const auto store = make_kubernetes_store(api, api, tenants);
  api.next_write = FakeKubernetes::Fault::after_effect;
  Document document = store->create(make("acme"));
  CHECK(store->get("acme") == document);
  api.next_write = FakeKubernetes::Fault::before_effect;
  CHECK_THROWS_AS(store->create(make("other")), Unavailable);
  change(document, 1);
  api.next_write = FakeKubernetes::Fault::before_effect;
  CHECK_THROWS_AS(store->update(document), Unavailable);
  api.next_write = FakeKubernetes::Fault::after_effect;
  const Document updated = store->update(document);
  CHECK(store->get("acme") == updated);

  api.next_write = FakeKubernetes::Fault::error_after_effect;
  const Document made = store->create(make("third"));
  CHECK(store->get("third") == made);
  change(document = updated, 2);
  api.next_write = FakeKubernetes::Fault::error_after_effect;
  const Document changed = store->update(document);
  CHECK(store->get("acme") == changed);
}

TEST_CASE("where the kind is not served every call says how to install it") {
  FakeKubernetes api;
  const auto store = make_kubernetes_store(api, api, tenants);
  Document document = store->create(make("acme"));
  change(document, 1);
  api.kind_is_served = false;
  const std::vector<std::function<void()>> calls = {
      [&] { store->create(make("other")); }, [&] { (void)store->get("acme"); },   [&] { (void)store->list(""); },
      [&] { store->update(document); },      [&] { store->remove("acme", "1"); },
  };
  for (const auto& call : calls) {
    try {
      call();
      FAIL("no error");
    } catch (const NotFound& error) {
      CHECK(error.hint() == "run `litedesk registry install`");
    }
  }
}

TEST_CASE("that the kind is served is asked once, and only when something is missing") {
  FakeKubernetes api;
  const auto store = make_kubernetes_store(api, api, tenants);
  store->create(make("acme"));
  (void)store->get("acme");
  CHECK(count(api, "DISCOVER") == 0);
  (void)store->get("nobody");
  (void)store->get("nobody");
  CHECK(count(api, "DISCOVER") == 1);
}

TEST_CASE("the registry's id is the cluster's, read once") {
  FakeKubernetes api;
  const auto store = make_kubernetes_store(api, api, tenants);
  CHECK(store->registry_id() == "cluster-11111111-2222-3333-4444-555555555555");
  CHECK(store->registry_id() == "cluster-11111111-2222-3333-4444-555555555555");
  CHECK(count(api, "GET kube-system") == 1);
  CHECK(store->describe() == "cluster (tenants.litedesk.io)");
}
