// What an API server of 1.36 made of each of these, asked by the sizeLimit of a volume and a ResourceQuota.
#include "providers/sandbox/kubernetes_quantity.hpp"

#include "kubernetes_cluster_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using namespace litedesk::sandbox::tests;
using kube::parse_quantity;
using kube::Quantity;

namespace {

std::string canonical(const std::string& text) {
  const auto quantity = parse_quantity(text);
  return quantity ? quantity->canonical() : "none";
}

Quantity quantity(const std::string& text) {
  const auto read = parse_quantity(text);
  REQUIRE(read);
  return *read;
}

}  // namespace

TEST_CASE("quantities are written in their canonical form, exact to a billionth and however large") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"1000m", "1"},
      {"1024Mi", "1Gi"},
      {"0.5", "500m"},
      {"0", "0"},
      {"1500m", "1500m"},
      {"1280Mi", "1280Mi"},
      {"1000", "1k"},
      {"0.5e1", "5"},
      {"1e3", "1e3"},
      {"1.5Gi", "1536Mi"},
      {"100M", "100M"},
      {"1048576", "1048576"},
      {"-1", "-1"},
      {"1Ki", "1Ki"},
      {"-2Ki", "-2Ki"},
      {" 1 ", "1"},
      {"", "none"},
      // What is finer is rounded away from zero.
      {"0." + std::string(127, '0') + "1", "1n"},
      {"-0." + std::string(127, '0') + "1", "-1n"},
      {"0.9n", "1n"},
      {"1.2345", "1234500u"},
      {"1500u", "1500u"},
      {"1e-3", "1e-3"},
      {"1e-1", "100e-3"},
      {"1e-10", "1e-9"},
      {"1.5e-7", "150e-9"},
      {"12345678901234567890.123456789012", "12345678901234567890123456790n"},
      // Decimal ones have no upper end.
      {"9223372036854775808", "9223372036854775808"},
      {"12345678901234567890123456789012345678", "12345678901234567890123456789012345678"},
      {"123456789012345678901234567890123456789012345", "123456789012345678901234567890123456789012345"},
      {"5e20", "500e18"},
      {"1e100", "10e99"},
      {"123e20", "12300e18"},
      {"1000E", "1e21"},
      {"500000P", "500E"},
      // Binary ones end at 2^63-1.
      {"8Ei", "9223372036854775807"},
      {"16Ei", "9223372036854775807"},
      {"7.99999999999999999999Ei", "9223372036854775807"},
      {"-16Ei", "-9223372036854775807"},
      {"4Ei", "4Ei"},
      {"5000Ti", "5000Ti"},
      {"0.5Mi", "512Ki"},
      {"0.5Ki", "512"},
      {"1.0001Ki", "1024102400u"},
      {"0.0000001Ei", "115292150460684697600n"},
      {"1025Ki", "1025Ki"},
      // Some are kept as they were written, and some are zero that do not look it.
      {"1e+3", "1e+3"},
      {"1.E", "1.E"},
      {".", "0"},
      {"-", "0"},
      {"m", "0"},
      {"Mi", "0"},
  };
  for (const auto& tried : cases) {
    CAPTURE(tried.first);
    CHECK(canonical(tried.first) == tried.second);
  }
}

TEST_CASE("what is no quantity is refused in the API server's words") {
  const auto why = [](const std::string& text) {
    std::string_view words;
    CHECK_FALSE(parse_quantity(text, &words));
    return std::string(words);
  };
  for (const auto* text : {"x", "1X", "1.2.3", "1 Gi", "5.5.5", "1e3.5"}) {
    CAPTURE(text);
    CHECK(why(text) == "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  }
  for (const auto* text : {"1e", "1i", "1mi", "1MM", "1e+", "1e-", "1k5", "--1"}) {
    CAPTURE(text);
    CHECK(why(text) == "unable to parse quantity's suffix");
  }
  // More than anybody means, and minutes of work for a real one.
  for (const auto& text : {std::string("1e99999999999"), std::string("1e-2000000000"), std::string(20'000, '9')}) {
    CAPTURE(text.substr(0, 20));
    CHECK(why(text) == "unable to parse numeric part of quantity");
  }
}

TEST_CASE("quantities are added and compared by what they are worth") {
  CHECK(quantity("1Gi") == quantity("1073741824"));
  CHECK(quantity("0.1") == quantity("100m"));
  CHECK(quantity("1n") > Quantity{});
  CHECK(quantity("-1n") < Quantity{});
  CHECK(quantity("123456789012345678901234567890123456789012346") >
        quantity("123456789012345678901234567890123456789012345"));
  auto sum = quantity("9223372036854775807");
  sum += quantity("1");
  CHECK(sum.canonical() == "9223372036854775808");
  sum += quantity("-9223372036854775808");
  CHECK(sum == Quantity{});
  sum += quantity("512Mi");
  sum += quantity("512Mi");
  CHECK(sum.canonical() == "1Gi");
}

TEST_CASE("an amount in a list of resources is rounded up to a thousandth, any other is not") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto pod = cluster.send("POST", acme + "/pods", Json::parse(R"({
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": {
      "containers": [{"name": "main", "image": "i", "resources": {"requests": {"cpu": "1500u", "memory": "0.3n"}}}],
      "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "0.9n"}}]}})"));
  REQUIRE(pod.status == 201);
  const auto& requests = at(at(pod.body, "spec.containers")[0], "resources.requests");
  CHECK(requests["cpu"] == "2m");
  CHECK(requests["memory"] == "1m");
  CHECK(at(at(pod.body, "spec.volumes")[0], "emptyDir.sizeLimit") == "1n");
  const auto bad = cluster.send("POST", acme + "/pods", Json::parse(R"({
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "two"}, "spec": {
      "containers": [{"name": "main", "image": "i", "resources": {"requests": {"cpu": "1e"}}}]}})"));
  CHECK(bad.status == 400);
  CHECK(bad.message().ends_with("unable to parse quantity's suffix"));
}
