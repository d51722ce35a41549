#include "providers/kubernetes/watch.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/providers/kubernetes/support.hpp"

using namespace litedesk;
using namespace litedesk::kubernetes;
using kubernetes::test::contains;
using kubernetes::test::FakeTransport;
using kubernetes::test::json;
using kubernetes::test::status_body;

namespace {

// Counts the waits of the back-off.
class CountingClock : public system::SkippingClock {
 public:
  mutable std::vector<long> waits;
  bool wait(system::milliseconds duration, std::stop_token stop) const override {
    waits.push_back(static_cast<long>(duration.count()));
    return system::SkippingClock::wait(duration, stop);
  }
};

struct Fixture {
  CountingClock clock;
  FakeTransport transport;
  std::vector<std::string> events;
  std::size_t enough = 100;
  std::stop_source stop;

  void run() {
    ClientOptions options;
    options.clock = &clock;
    Client client(transport, test::cluster_with_token(), options);
    client.watch(
        type_of("v1", "Pod"), "a", {}, [this](const WatchEvent& event) { return take(event); }, stop.get_token());
  }
  bool take(const WatchEvent& event) {
    const char* const words[] = {"added", "modified", "deleted", "bookmark"};
    std::string text = words[static_cast<int>(event.type)];
    if (event.type != EventType::bookmark) text += " " + event.object.name();
    events.push_back(text + "@" + event.object.resource_version());
    return events.size() < enough;
  }
};

std::string pod(const std::string& name, const std::string& version, const std::string& uid = "u") {
  return R"({"kind":"Pod","apiVersion":"v1","metadata":{"namespace":"a","name":")" + name + R"(","uid":")" + uid +
         name + R"(","resourceVersion":")" + version + R"(","managedFields":[{}]}})";
}
test::Answer list(const std::string& version, const std::string& items = {}) {
  return json(200, R"({"kind":"PodList","metadata":{"resourceVersion":")" + version + R"("},"items":[)" + items + "]}");
}
std::string event(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}
std::string bookmark(const std::string& version) {
  return event("BOOKMARK", R"({"kind":"Pod","metadata":{"resourceVersion":")" + version + "\"}}");
}
const auto expired = status_body(410, "Expired", "too old resource version: 1 (2)");

}  // namespace

TEST_CASE("lines come whole out of chunks that are split anywhere") {
  const std::string body = "{\"a\":1}\n\n{\"b\":\"\xc3\xa4\"}\n{\"c\":3}\nrest";
  for (std::size_t size = 1; size <= body.size(); ++size) {
    LineDecoder decoder;
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < body.size(); at += size)
      CHECK(decoder.feed(std::string_view(body).substr(at, size), [&](std::string_view line) {
        lines.emplace_back(line);
        return true;
      }));
    CHECK(lines == std::vector<std::string>{"{\"a\":1}", "{\"b\":\"\xc3\xa4\"}", "{\"c\":3}"});
    CHECK(decoder.pending() == 4);
  }
  LineDecoder decoder;
  int count = 0;
  CHECK_FALSE(decoder.feed("a\nb\nc\n", [&](std::string_view) { return ++count < 2; }));
  CHECK(count == 2);
}

TEST_CASE("the back-off doubles to ten seconds and never shortens what the server asks for") {
  CHECK(watch_delay(1, {}) == std::chrono::milliseconds(250));
  CHECK(watch_delay(2, {}) == std::chrono::milliseconds(500));
  CHECK(watch_delay(6, {}) == std::chrono::milliseconds(8000));
  CHECK(watch_delay(7, {}) == std::chrono::seconds(10));
  CHECK(watch_delay(1'000'000, {}) == std::chrono::seconds(10));
  CHECK(watch_delay(1, std::chrono::seconds(30)) == std::chrono::seconds(30));
  CHECK(watch_delay(7, std::chrono::seconds(1)) == std::chrono::seconds(10));
}

TEST_CASE("what is there comes first, then a bookmark, then what changes") {
  Fixture fixture;
  fixture.transport.answers = {
      list("5", pod("x", "3") + "," + pod("y", "4")),
      test::stream({event("MODIFIED", pod("x", "6")), event("ADDED", pod("z", "7")) + event("DELETED", pod("y", "8")),
                    bookmark("9")})};
  fixture.enough = 7;
  fixture.run();
  CHECK(fixture.events == std::vector<std::string>{"added x@3", "added y@4", "bookmark@5", "modified x@6", "added z@7",
                                                   "deleted y@8", "bookmark@9"});
  const auto& request = fixture.transport.requests.at(1);
  CHECK(contains(request.url, "?watch=1&resourceVersion=5&allowWatchBookmarks=true&timeoutSeconds=300"));
  CHECK(fixture.clock.waits.empty());
}

TEST_CASE("a stream that ends goes on from the last version seen") {
  Fixture fixture;
  fixture.transport.answers = {list("5"), test::stream({event("ADDED", pod("x", "6"))}), test::stream({bookmark("9")}),
                               test::stream({event("MODIFIED", pod("x", "10"))})};
  fixture.enough = 4;
  fixture.run();
  CHECK(contains(fixture.transport.requests.at(2).url, "resourceVersion=6&"));
  CHECK(contains(fixture.transport.requests.at(3).url, "resourceVersion=9&"));
}

TEST_CASE("a version that is too old leads to a new list, and the differences are told") {
  for (const bool at_start : {true, false}) {
    CAPTURE(at_start);
    Fixture fixture;
    fixture.transport.answers = {
        list("5", pod("gone", "1") + "," + pod("same", "2") + "," + pod("changed", "3") + "," + pod("again", "4")),
        at_start ? json(410, expired) : test::stream({event("ERROR", expired)}),
        list("20", pod("same", "2") + "," + pod("changed", "13") + "," + pod("again", "14", "other") + "," +
                       pod("new", "15"))};
    fixture.enough = 11;
    fixture.run();
    const std::vector<std::string> after(fixture.events.begin() + 5, fixture.events.end());
    CHECK(after == std::vector<std::string>{"deleted again@4", "deleted gone@1", "modified changed@13",
                                            "added again@14", "added new@15", "bookmark@20"});
    CHECK(fixture.clock.waits.empty());
  }
}

TEST_CASE("a server whose every version is too old is asked ever more seldom") {
  Fixture fixture;
  for (int i = 0; i < 4; ++i) {
    fixture.transport.answers.push_back(list(std::to_string(i)));
    fixture.transport.answers.push_back(json(410, expired));
  }
  fixture.transport.answers.push_back(list("9"));
  fixture.enough = 5;
  fixture.run();
  CHECK(fixture.clock.waits == std::vector<long>{500, 1000, 2000});
}

TEST_CASE("passing errors are waited out and the watch goes on where it was") {
  auto throttled = test::text(429, "Too many requests, please try again later.");
  throttled.headers = {{"Retry-After", "7"}};
  Fixture fixture;
  fixture.transport.answers = {list("5"),
                               json(500, status_body(500, "InternalError", "etcd")),
                               test::lost(Unavailable({.message = "connection reset"})),
                               test::lost(Timeout({.message = "silence"})),
                               throttled,
                               test::stream({event("ERROR", status_body(504, "Timeout", "etcd"))}),
                               test::stream({"this is no JSON\n"}),
                               test::stream({event("ADDED", pod("x", "6"))}),
                               test::stream({bookmark("7")})};
  fixture.enough = 3;
  fixture.run();
  CHECK(fixture.events == std::vector<std::string>{"bookmark@5", "added x@6", "bookmark@7"});
  CHECK(fixture.clock.waits == std::vector<long>{250, 500, 1000, 7000, 4000, 8000});
  for (std::size_t i = 1; i < 8; ++i) CHECK(contains(fixture.transport.requests.at(i).url, "resourceVersion=5&"));
}

TEST_CASE("streams that end at once without a word are not asked for at once again") {
  Fixture fixture;
  fixture.transport.answers = {list("5"), test::stream({}), test::stream({}), test::stream({bookmark("6")})};
  fixture.enough = 2;
  fixture.run();
  CHECK(fixture.clock.waits == std::vector<long>{250, 500});
}

TEST_CASE("a stream that told something before it broke begins the back-off anew") {
  Fixture fixture;
  auto broken = test::stream({event("ADDED", pod("x", "6"))});
  broken.error = std::make_exception_ptr(Unavailable({.message = "connection reset"}));
  const auto lost = test::lost(Unavailable({.message = "cannot connect"}));
  fixture.transport.answers = {list("5"), lost, lost, broken, lost, broken, test::stream({bookmark("7")})};
  fixture.enough = 4;
  fixture.run();
  CHECK(fixture.clock.waits == std::vector<long>{250, 500, 250, 500, 250});
}

TEST_CASE("a list without a version is an error and not asked for without end") {
  Fixture first;
  first.transport.answers = {json(200, R"({"kind":"PodList","metadata":{},"items":[]})")};
  CHECK(contains(test::error_of<Unavailable>([&] { first.run(); }).message(), "resourceVersion"));
  CHECK(first.events.empty());
  Fixture later;
  later.transport.answers = {list("5"), json(410, expired), json(200, R"({"metadata":{},"items":[]})"), list("6")};
  later.enough = 2;
  later.run();
  CHECK(later.clock.waits.size() == 1);
}

TEST_CASE("a broken stream keeps what it told before it broke") {
  Fixture fixture;
  auto broken = test::stream({event("ADDED", pod("x", "6")) + R"({"type":"MODIF)"});
  broken.error = std::make_exception_ptr(Unavailable({.message = "connection reset"}));
  fixture.transport.answers = {list("5"), broken, test::stream({event("MODIFIED", pod("x", "7"))})};
  fixture.enough = 3;
  fixture.run();
  CHECK(fixture.events == std::vector<std::string>{"bookmark@5", "added x@6", "modified x@7"});
}

TEST_CASE("a refusal ends the watch, and so does a first list that fails") {
  Fixture refused;
  refused.transport.answers = {list("5"), json(403, status_body(403, "Forbidden", "cannot watch"))};
  CHECK_THROWS_AS(refused.run(), PermissionDenied);
  Fixture unauthorized;
  unauthorized.transport.answers = {list("5"), json(401, status_body(401, "Unauthorized", "Unauthorized"))};
  CHECK_THROWS_AS(unauthorized.run(), AuthError);
  Fixture down;
  down.transport.answers = {test::lost(Unavailable({.message = "cannot connect"}))};
  CHECK_THROWS_AS(down.run(), Unavailable);
  Fixture gone;
  gone.transport.answers = {list("5"), json(404, status_body(404, "NotFound", "the server could not find it"))};
  CHECK_THROWS_AS(gone.run(), NotFound);
}

TEST_CASE("whoever listens may end the watch at any event, or throw, and no more events come") {
  for (std::size_t enough = 1; enough <= 4; ++enough) {
    Fixture fixture;
    fixture.transport.answers = {list("5", pod("x", "3")),
                                 test::stream({event("MODIFIED", pod("x", "6")) + event("DELETED", pod("x", "7"))})};
    fixture.enough = enough;
    fixture.run();
    CHECK(fixture.events.size() == enough);
  }
  for (std::size_t at = 1; at <= 3; ++at) {
    FakeTransport transport;
    transport.answers = {list("5", pod("x", "3")),
                         test::stream({event("MODIFIED", pod("x", "6")) + event("DELETED", pod("x", "7"))})};
    Client client(transport, test::cluster_with_token(), {});
    std::size_t seen = 0;
    // Even an error that a watch would repair if it were its own.
    CHECK_THROWS_AS(client.watch(type_of("v1", "Pod"), "a", {},
                                 [&](const WatchEvent&) {
                                   if (++seen == at) throw Unavailable("the listener's own");
                                   return true;
                                 },
                                 {}),
                    Unavailable);
    CHECK(seen == at);
  }
}

TEST_CASE("a stop ends the watch before the list, in a stream and in a wait") {
  Fixture before;
  before.stop.request_stop();
  before.run();
  CHECK(before.transport.requests.empty());
  Fixture during;
  during.transport.answers = {list("5"), test::stream({bookmark("6"), bookmark("7")})};
  during.transport.on_request = [&](const http::Request& request) {
    if (contains(request.url, "watch=1")) during.stop.request_stop();
  };
  during.run();
  CHECK(during.events == std::vector<std::string>{"bookmark@5"});
  Fixture cancelled;
  cancelled.transport.answers = {list("5"), test::lost(Cancelled({.message = "stopped"}))};
  cancelled.transport.on_request = [&](const http::Request& request) {
    if (contains(request.url, "watch=1")) cancelled.stop.request_stop();
  };
  CHECK_NOTHROW(cancelled.run());
  Fixture elsewhere;
  elsewhere.transport.answers = {list("5"), test::lost(Cancelled({.message = "the gate is closed"}))};
  CHECK_THROWS_AS(elsewhere.run(), Cancelled);
}
