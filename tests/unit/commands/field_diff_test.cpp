#include "commands/field_diff.hpp"

#include <doctest/doctest.h>

using litedesk::Json;

TEST_CASE("equal values have no differences") {
  const Json value = {{"spec", {{"replicas", 2}, {"list", {1, 2}}}}};
  CHECK(litedesk::diff_fields(value, value).empty());
}

TEST_CASE("differences are named by their path, sorted") {
  const Json before = {{"spec", {{"replicas", 2}, {"paused", true}}}};
  const Json after = {{"spec", {{"replicas", 3}, {"minReadySeconds", 5}}}};
  const auto changes = litedesk::diff_fields(before, after);
  REQUIRE(changes.size() == 3);
  CHECK(changes[0] == litedesk::FieldChange{"spec.minReadySeconds", nullptr, 5});
  CHECK(changes[1] == litedesk::FieldChange{"spec.paused", true, nullptr});
  CHECK(changes[2] == litedesk::FieldChange{"spec.replicas", 2, 3});
}

TEST_CASE("elements of a list are matched by name, not by place") {
  const Json before = {{"env", {{{"name", "A"}, {"value", "1"}}, {{"name", "B"}, {"value", "2"}}}}};
  const Json after = {{"env", {{{"name", "B"}, {"value", "3"}}, {{"name", "A"}, {"value", "1"}}}}};
  const auto changes = litedesk::diff_fields(before, after);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0] == litedesk::FieldChange{"env[B].value", "2", "3"});
}

TEST_CASE("a key with dots stays readable") {
  const auto changes =
      litedesk::diff_fields({{"labels", {{"litedesk.io/tenant", "a"}}}}, {{"labels", {{"litedesk.io/tenant", "b"}}}});
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].path == "labels['litedesk.io/tenant']");
}

TEST_CASE("what the server alone writes is not compared") {
  const Json live = {
      {"kind", "Service"},
      {"metadata", {{"name", "a"}, {"uid", "1"}, {"resourceVersion", "7"}, {"managedFields", Json::array()}}},
      {"status", {{"x", 1}}}};
  const Json wanted = {{"kind", "Service"}, {"metadata", {{"name", "a"}, {"uid", "2"}}}};
  CHECK(litedesk::diff_objects(live, wanted).empty());
}

TEST_CASE("a Secret's values are never in a difference") {
  const Json live = {{"kind", "Secret"}, {"data", {{"password", "b2xk"}}}};
  const Json wanted = {{"kind", "Secret"}, {"data", {{"password", "bmV3"}}}};
  for (const auto& changes : {litedesk::diff_objects(live, wanted), litedesk::diff_managed_fields(live, wanted)}) {
    REQUIRE(changes.size() == 1);
    CHECK(changes[0] == litedesk::FieldChange{"data.password", "(masked)", "(masked)"});
  }
}

TEST_CASE("managed fields: what the wanted object does not mention is ignored") {
  const Json live = {{"spec", {{"replicas", 2}, {"strategy", "x"}}}};
  CHECK(litedesk::diff_managed_fields(live, {{"spec", {{"replicas", 2}}}}).empty());
  CHECK(litedesk::diff_managed_fields(live, {{"spec", {{"replicas", 1}}}}).size() == 1);
}

TEST_CASE("what a manager applied is cut out of the live object along its managed fields") {
  const Json live = Json::parse(R"({
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "backend", "namespace": "n", "uid": "1", "labels": {"a": "1", "theirs": "2"}, "finalizers": ["x", "y"],
      "managedFields": [
        {"manager": "other", "operation": "Apply", "fieldsV1": {"f:spec": {"f:paused": {}}}},
        {"manager": "litedesk", "operation": "Apply", "subresource": "status", "fieldsV1": {"f:status": {}}},
        {"manager": "litedesk", "operation": "Apply", "fieldsV1": {
          "f:metadata": {"f:labels": {"f:a": {}}, "f:finalizers": {"v:\"x\"": {}}},
          "f:spec": {"f:replicas": {}, "f:template": {"f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:name": {}, "f:image": {}}}}}}}]},
    "spec": {"replicas": 2, "paused": false, "template": {"containers": [
      {"name": "sidecar", "image": "s"}, {"name": "app", "image": "i", "terminationMessagePath": "/dev/x"}]}}})");
  const Json wanted = Json::parse(R"({
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "backend", "namespace": "n", "labels": {"a": "1"}, "finalizers": ["x"]},
    "spec": {"replicas": 2, "template": {"containers": [{"name": "app", "image": "i"}]}}})");
  CHECK(litedesk::extract_applied(live, "litedesk") == wanted);
  CHECK(litedesk::extract_applied(live, "nobody").is_null());
}
