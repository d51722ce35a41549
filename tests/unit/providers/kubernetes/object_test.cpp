#include "providers/kubernetes/object.hpp"

#include <doctest/doctest.h>

#include "tests/unit/providers/kubernetes/support.hpp"

using namespace litedesk;
using namespace litedesk::kubernetes;
using kubernetes::test::contains;
using kubernetes::test::error_of;

TEST_CASE("a kind has its path in the API") {
  struct Row {
    const char *version, *kind, *name_space, *path;
  };
  for (const auto& row :
       {Row{"v1", "Namespace", "", "/api/v1/namespaces"}, Row{"v1", "Namespace", "ignored", "/api/v1/namespaces"},
        Row{"v1", "Pod", "a", "/api/v1/namespaces/a/pods"}, Row{"v1", "Pod", "", "/api/v1/pods"},
        Row{"apps/v1", "Deployment", "instance-acme", "/apis/apps/v1/namespaces/instance-acme/deployments"},
        Row{"autoscaling/v2", "HorizontalPodAutoscaler", "a",
            "/apis/autoscaling/v2/namespaces/a/horizontalpodautoscalers"},
        Row{"litedesk.io/v1alpha1", "Tenant", "", "/apis/litedesk.io/v1alpha1/tenants"},
        Row{"v1", "Secret", "../../x", "/api/v1/namespaces/..%2F..%2Fx/secrets"}}) {
    CAPTURE(row.kind);
    CHECK(type_of(row.version, row.kind).path(row.name_space) == row.path);
    CHECK(type_of(row.version, row.kind).api_version() == row.version);
  }
}

TEST_CASE("a kind is found by its kind, plural, singular or short name, ignoring case") {
  for (const auto* name : {"Deployment", "deployment", "deployments", "DEPLOY"}) {
    CAPTURE(name);
    REQUIRE(find_type(name) != nullptr);
    CHECK(find_type(name)->kind == "Deployment");
  }
  CHECK(find_type("crd")->kind == "CustomResourceDefinition");
  CHECK(find_type("certs")->kind == "Certificate");
  CHECK(find_type("ing")->plural == "ingresses");
  CHECK(find_type("tn")->kind == "Tenant");
  CHECK(find_type("") == nullptr);
  CHECK(find_type("widget") == nullptr);
}

TEST_CASE("an unknown kind says which version of it is known") {
  const auto error = error_of<ValidationError>([] { (void)type_of("extensions/v1beta1", "Ingress"); });
  CHECK(contains(error.message(), "\"Ingress\""));
  CHECK(contains(error.hint(), "networking.k8s.io/v1"));
}

TEST_CASE("a reference without what it needs has no path") {
  const auto& pod = type_of("v1", "Pod");
  CHECK(ObjectRef{pod, "a", "b"}.path() == "/api/v1/namespaces/a/pods/b");
  CHECK(ObjectRef{pod, "a", "b"}.to_string() == "Pod a/b");
  CHECK(ObjectRef{type_of("v1", "Namespace"), "", "a"}.to_string() == "Namespace a");
  CHECK_THROWS_AS((void)(ObjectRef{pod, "", "b"}.path()), ValidationError);
  CHECK_THROWS_AS((void)(ObjectRef{pod, "a", ""}.path()), ValidationError);
}

TEST_CASE("accessors give empty values for what is absent or of another type") {
  const Object object(Json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment",
      "metadata":{"name":"backend","namespace":"a","uid":"u1","resourceVersion":"7",
                  "labels":{"app.kubernetes.io/name":"backend"},"annotations":{"litedesk.io/id":"x"}},
      "spec":{"replicas":2,"paused":"no"},"status":null})"));
  CHECK(object.ref().to_string() == "Deployment a/backend");
  CHECK(object.label("app.kubernetes.io/name") == "backend");
  CHECK(object.label("absent") == "");
  CHECK(object.annotation("litedesk.io/id") == "x");
  CHECK(object.integer("spec.replicas", 1) == 2);
  CHECK(object.integer("spec.paused", 9) == 9);
  CHECK(object.integer("status.replicas", 3) == 3);
  CHECK(object.text("spec.replicas") == "");
  CHECK(object.at("metadata.name.first").is_null());
  CHECK_FALSE(object.deleting());
  CHECK(Object().name() == "");
  CHECK_FALSE(find_condition(object, "Available"));
}

TEST_CASE("a condition is found by its type wherever it stands") {
  const Object object(Json::parse(R"({"status":{"conditions":[null,{"type":"Progressing","status":"True"},
      {"type":"Available","status":"False","reason":"R","message":"M","lastTransitionTime":"2026-01-02T03:04:05Z"}]}})"));
  const auto condition = find_condition(object, "Available");
  REQUIRE(condition);
  CHECK(condition->status == "False");
  CHECK(condition->reason == "R");
  CHECK(condition->message == "M");
  CHECK(condition->since == "2026-01-02T03:04:05Z");
  CHECK(find_condition(object, "Progressing")->since == "");
  CHECK_FALSE(find_condition(object, "Ready"));
}
