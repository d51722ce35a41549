#include "providers/http/gate.hpp"

#include <functional>

#include <doctest/doctest.h>

#include "providers/error.hpp"

using namespace litedesk;
using namespace litedesk::http;
using namespace std::chrono_literals;

namespace {

struct FixedClock : system::Clock {
  system::SteadyPoint time{100s};
  [[nodiscard]] system::TimePoint now() const override { return {}; }
  [[nodiscard]] system::SteadyPoint steady() const override { return time; }
  bool wait(system::milliseconds, std::stop_token) const override { return true; }
};

// Keeps what came through, and does something while it is "under way".
struct Recorder : Transport {
  std::vector<Request> requests;
  std::stop_token stop;
  std::function<void()> meanwhile = [] {};
  Response send(Request request, std::stop_token given) override {
    requests.push_back(std::move(request));
    stop = std::move(given);
    meanwhile();
    return {};
  }
  std::vector<Result> send_all(std::vector<Request> given, std::stop_token token) override {
    const auto count = given.size();
    requests = std::move(given);
    stop = std::move(token);
    meanwhile();
    std::vector<Result> results(count);
    for (std::size_t i = 0; i < count; ++i)
      results[i] = Response{.status = static_cast<int>(200 + i), .headers = {}, .body = {}};
    return results;
  }
  Response stream(Request request, const ChunkHandler&, std::chrono::milliseconds, std::stop_token token) override {
    return send(std::move(request), std::move(token));
  }
};

Request request_of(Method method, std::optional<bool> mutates = {}) {
  Request request;
  request.method = method;
  request.summary = "apply Deployment x/y";
  request.mutates = mutates;
  return request;
}

struct House {
  FixedClock clock;
  Recorder recorder;
  Gate gate{recorder, clock};
};

}  // namespace

TEST_CASE("a fence shortens what changes something, and leaves what only reads alone") {
  struct Row {
    Method method;
    std::optional<bool> mutates;
    bool held_back;
  };
  for (const Row& row :
       {Row{Method::get, {}, false}, Row{Method::head, {}, false}, Row{Method::post, {}, true},
        Row{Method::put, {}, true}, Row{Method::patch, {}, true}, Row{Method::del, {}, true},
        Row{Method::patch, false, false}, Row{Method::post, false, false}, Row{Method::get, true, true}}) {
    CAPTURE(to_string(row.method));
    House house;
    house.gate.set_fence(house.clock.time + 5s);
    (void)house.gate.send(request_of(row.method, row.mutates), {});
    CHECK(house.recorder.requests.at(0).timeout == (row.held_back ? 5s : 30s));

    house.clock.time += 5s;
    if (row.held_back) {
      CHECK_THROWS_AS((void)house.gate.send(request_of(row.method, row.mutates), {}), Locked);
      CHECK(house.recorder.requests.size() == 1);
    } else {
      (void)house.gate.send(request_of(row.method, row.mutates), {});
      CHECK(house.recorder.requests.size() == 2);
    }
    house.gate.set_fence(std::nullopt);
    (void)house.gate.send(request_of(row.method, row.mutates), {});
    CHECK(house.recorder.requests.back().timeout == 30s);
  }
}

TEST_CASE("a fence that is further away than the request's own deadline changes nothing") {
  House house;
  house.gate.set_fence(house.clock.time + 1h);
  (void)house.gate.send(request_of(Method::patch), {});
  CHECK(house.recorder.requests.at(0).timeout == 30s);
}

TEST_CASE("what the fence refuses in a batch is refused, and the rest goes out") {
  House house;
  house.gate.set_fence(house.clock.time);
  const auto results =
      house.gate.send_all({request_of(Method::patch), request_of(Method::get), request_of(Method::del)}, {});
  REQUIRE(results.size() == 3);
  CHECK(house.recorder.requests.size() == 1);
  CHECK_THROWS_AS(std::rethrow_exception(std::get<std::exception_ptr>(results[0])), Locked);
  CHECK(std::get<Response>(results[1]).status == 200);
  CHECK_THROWS_AS(std::rethrow_exception(std::get<std::exception_ptr>(results[2])), Locked);
}

TEST_CASE("a closed gate lets nothing through until it is opened again") {
  House house;
  CHECK_FALSE(house.gate.stopped());
  house.gate.stop();
  CHECK(house.gate.stopped());
  CHECK_THROWS_AS((void)house.gate.send(request_of(Method::get), {}), Cancelled);
  CHECK_THROWS_AS((void)house.gate.stream(request_of(Method::get), [](std::string_view) { return true; }, 1s, {}),
                  Cancelled);
  const auto results = house.gate.send_all({request_of(Method::get), request_of(Method::patch)}, {});
  for (const auto& result : results)
    CHECK_THROWS_AS(std::rethrow_exception(std::get<std::exception_ptr>(result)), Cancelled);
  CHECK(house.recorder.requests.empty());

  house.gate.reopen();
  CHECK_FALSE(house.gate.stopped());
  (void)house.gate.send(request_of(Method::patch), {});
  CHECK(house.recorder.requests.size() == 1);
  CHECK_FALSE(house.recorder.stop.stop_requested());
}

TEST_CASE("closing the gate ends a read under way, and lets a change end without another attempt") {
  House house;
  bool read_stopped = false, change_stopped = true, change_last = false;
  house.recorder.meanwhile = [&] {
    house.gate.stop();
    read_stopped = house.recorder.stop.stop_requested();
  };
  (void)house.gate.send(request_of(Method::get), {});
  CHECK(read_stopped);

  house.gate.reopen();
  house.recorder.meanwhile = [&] {
    house.gate.stop();
    change_stopped = house.recorder.stop.stop_requested();
    change_last = house.recorder.requests.back().last_attempt.stop_requested();
  };
  (void)house.gate.send(request_of(Method::patch), {});
  CHECK_FALSE(change_stopped);
  CHECK(change_last);

  house.gate.reopen();
  (void)house.gate.send_all({request_of(Method::get), request_of(Method::patch)}, {});
  CHECK_FALSE(change_stopped);
  CHECK(change_last);
}

TEST_CASE("the caller's own token ends a read, and only keeps a change from being repeated") {
  House house;
  std::stop_source source;
  house.recorder.meanwhile = [&] { source.request_stop(); };
  (void)house.gate.send(request_of(Method::get), source.get_token());
  CHECK(house.recorder.stop.stop_requested());

  source = std::stop_source();
  bool stopped = true, last = false, first_last = false;
  house.recorder.meanwhile = [&] {
    first_last = house.recorder.requests.back().last_attempt.stop_requested();
    source.request_stop();
    stopped = house.recorder.stop.stop_requested();
    last = house.recorder.requests.back().last_attempt.stop_requested();
  };
  (void)house.gate.send(request_of(Method::patch), source.get_token());
  CHECK_FALSE(stopped);
  CHECK_FALSE(first_last);
  CHECK(last);

  std::stop_source own;
  house.recorder.meanwhile = [&] {
    own.request_stop();
    last = house.recorder.requests.back().last_attempt.stop_requested();
  };
  last = false;
  auto request = request_of(Method::patch);
  request.last_attempt = own.get_token();
  (void)house.gate.send_all({request}, {});
  CHECK(last);
}

TEST_CASE("what is conditional on a version passes the fence, with a deadline of its own") {
  House house;
  house.gate.set_fence(house.clock.time + 10s);
  auto request = request_of(Method::patch);
  request.conditional = true;
  (void)house.gate.send(request, {});
  CHECK(house.recorder.requests.back().timeout == 10s);
  house.clock.time += 60s;
  (void)house.gate.send(request, {});
  CHECK(house.recorder.requests.size() == 2);
  CHECK(house.recorder.requests.back().timeout == 4s);
}

TEST_CASE("patience shortens every request while it is set") {
  House house;
  house.gate.set_patience(5s);
  (void)house.gate.send(request_of(Method::get), {});
  (void)house.gate.send(request_of(Method::patch), {});
  CHECK(house.recorder.requests.at(0).timeout == 5s);
  CHECK(house.recorder.requests.at(1).timeout == 5s);
  house.gate.set_patience(std::nullopt);
  (void)house.gate.send(request_of(Method::get), {});
  CHECK(house.recorder.requests.back().timeout == 30s);
}

TEST_CASE("what changes something is in flight until it is answered, and what only reads never is") {
  House house;
  using Names = std::vector<std::string>;
  Names seen;
  house.recorder.meanwhile = [&] { seen = house.gate.in_flight(); };
  (void)house.gate.send(request_of(Method::patch), {});
  CHECK(seen == Names{"apply Deployment x/y"});
  CHECK(house.gate.in_flight().empty());
  (void)house.gate.send(request_of(Method::get), {});
  CHECK(seen.empty());
  auto unnamed = request_of(Method::del);
  unnamed.summary.clear();
  (void)house.gate.send_all({request_of(Method::patch), request_of(Method::get), unnamed}, {});
  CHECK(seen == Names{"apply Deployment x/y", "DELETE"});
  house.recorder.meanwhile = [] { throw Unavailable("gone"); };
  CHECK_THROWS_AS((void)house.gate.send(request_of(Method::patch), {}), Unavailable);
  CHECK(house.gate.in_flight().empty());
}
