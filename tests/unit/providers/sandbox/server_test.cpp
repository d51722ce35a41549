#include "providers/sandbox/server.hpp"

#include <mutex>
#include <thread>

#include <doctest/doctest.h>

#include "providers/error.hpp"
#include "raw_client.hpp"
#include "sandbox_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using tests::ask;
using tests::raw_request;
using tests::RawConnection;

namespace {

// Answers with what it was called with.
class Echo : public Api {
 public:
  Reply handle(const Call& call) override {
    ++calls;
    if (call.path == "/broken") throw Failed("the disk is full");
    Reply reply;
    if (call.path == "/stream") {
      reply.stream = [n = 0](const Sink& sink) mutable { return sink("piece " + std::to_string(n) + "\n") && ++n < 3; };
      return reply;
    }
    if (call.path == "/watch") {
      // Counts when the last copy of the stream is gone.
      const std::shared_ptr<void> open(nullptr, [this](void*) { ++watches_ended; });
      reply.stream = [open, first = true](const Sink& sink) mutable {
        if (std::exchange(first, false)) return sink("open\n");
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        return sink("");
      };
      return reply;
    }
    if (call.path == "/gated") {
      reply.stream = [this, n = 0](const Sink& sink) mutable {
        if (n == released) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
          return sink("");
        }
        return sink(std::string(static_cast<std::size_t>(++n), 'x'));
      };
      return reply;
    }
    if (call.path == "/slow") {
      at_work = true;
      while (at_work) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      reply.body = "done";
      return reply;
    }
    if (call.path == "/breaks") {
      reply.stream = [first = true](const Sink& sink) mutable {
        if (!std::exchange(first, false)) throw Failed("the disk is full");
        return sink("begun\n");
      };
      return reply;
    }
    if (call.path == "/nothing") {
      reply.status = 204;
      return reply;
    }
    Json headers = Json::object();
    for (const auto& [name, value] : call.headers) headers[name] = value;
    reply.body =
        Json{{"method", call.method}, {"target", call.target}, {"body", call.body}, {"headers", headers}}.dump();
    return reply;
  }
  Reply throttled() override { return status_only(429); }
  Reply failed(int status) override { return status_only(status); }
  Reply broken(const std::string& why) override {
    auto reply = status_only(500);
    reply.body = why;
    return reply;
  }

  std::atomic<int> calls = 0;
  std::atomic<int> watches_ended = 0;
  std::atomic<bool> at_work = false;  // with "/slow", until the test says it is not
  std::atomic<int> released = 0;      // pieces of "/gated"

 private:
  static Reply status_only(int status) {
    Reply reply;
    reply.status = status;
    reply.body = "{}";
    return reply;
  }
};

struct Served {
  explicit Served(const std::vector<Fault>& given = {}, std::size_t largest_body = 1 << 20, std::string token = {})
      : faults(given, "atlas", 1),
        server(api, faults,
               {"atlas", 0, [this](const std::string& line) { note(line); }, &clock, largest_body, std::move(token)}) {}

  void note(const std::string& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
  }
  [[nodiscard]] int status_of(std::string_view method, std::string_view target) const {
    return ask(server.port(), method, target).status;
  }

  tests::HandClock clock;
  std::mutex mutex;
  std::vector<std::string> lines;
  Echo api;
  Faults faults;
  Server server;
};

}  // namespace

TEST_CASE("a call arrives as it was sent, whatever the method, and the answer is never compressed") {
  Served served;
  for (const std::string method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    INFO(method);
    const std::string body = method == "GET" ? "" : R"({"n":1})";
    const auto answer = ask(served.server.port(), method, "/a%2Fb?x=%2A+1&y",
                            "X-Odd:  a%2Fb \r\nAccept-Encoding: gzip, br\r\nRange: bytes=0-1\r\n"
                            "Content-Type: application/apply-patch+yaml\r\n",
                            body);
    CHECK(answer.status == 200);
    CHECK_FALSE(answer.headers.contains("content-encoding"));
    CHECK(answer.headers.at("date") == "Fri, 02 Jan 2026 03:04:05 GMT");  // the sandbox's own time
    const auto echoed = Json::parse(answer.body);
    CHECK(echoed.at("method") == method);
    CHECK(echoed.at("target") == "/a%2Fb?x=%2A+1&y");
    CHECK(echoed.at("headers").at("x-odd") == "a%2Fb");
    CHECK(echoed.at("headers").at("accept-encoding") == "gzip, br");
    CHECK(echoed.at("body") == body);
  }
}

TEST_CASE("a token may stand in the path instead, and is in no line of requests") {
  Served served({}, 1 << 20, "t0ken");
  const auto seen = [&](const std::string& target, const std::string& headers = "") {
    const auto echoed = Json::parse(ask(served.server.port(), "GET", target, headers).body);
    return echoed.at("target").get<std::string>() + " " + echoed.at("headers").value("authorization", "none");
  };
  CHECK(seen("/t0ken/api/v1?x=1") == "/api/v1?x=1 Bearer t0ken");
  CHECK(seen("/t0ken/") == "/ Bearer t0ken");
  CHECK(seen("/t0ken/api", "Authorization: Bearer other\r\n") == "/api Bearer other");
  for (const std::string target : {"/t0ken", "/t0kenx/api", "/api/t0ken/", "//t0ken/api", "/%740ken/api"})
    CHECK(seen(target) == target + " none");
  const std::lock_guard lock(served.mutex);
  CHECK(served.lines.at(0).find("t0ken") == std::string::npos);
}

TEST_CASE("a web page gets nothing: by its Origin, or by a name that leads to this machine") {
  Served served;
  const auto status_with = [&](const std::string& host, const std::string& headers) {
    RawConnection connection(served.server.port());
    connection.send("POST /x HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 0\r\n" + headers + "\r\n");
    return connection.answer().status;
  };
  for (const char* host : {"127.0.0.1", "127.0.0.1:8001", "localhost:1", "[::1]", "[::1]:8001"}) {
    CAPTURE(host);
    CHECK(status_with(host, "") == 200);
    CHECK(status_with(host, "Origin: http://evil.example\r\n") == 403);
    CHECK(status_with(host, "Origin: null\r\n") == 403);
  }
  for (const char* host : {"evil.example", "evil.example:8001", "127.0.0.1.evil.example", "localhost.evil.example",
                           "[::2]", "[::1", "192.0.2.1"}) {
    CAPTURE(host);
    CHECK(status_with(host, "") == 421);
  }
  CHECK(served.api.calls == 5);
}

TEST_CASE("an answer to HEAD has a length and no body") {
  Served served;
  RawConnection connection(served.server.port());
  connection.send(raw_request("HEAD", "/x", "Connection: close\r\n"));
  const auto answer = connection.until_the_end();
  CHECK(answer.starts_with("HTTP/1.1 200"));
  CHECK(answer.ends_with("\r\n\r\n"));
  CHECK(answer.find("Content-Length: 0") == std::string::npos);
}

TEST_CASE("a DELETE without a body and without a length is answered at once") {
  Served served;
  const auto answer = ask(served.server.port(), "DELETE", "/x");
  CHECK(answer.status == 200);
  CHECK(Json::parse(answer.body).at("method") == "DELETE");
}

TEST_CASE("a body in chunks and one that waits to be asked for arrive whole") {
  Served served;
  RawConnection connection(served.server.port());
  connection.send(
      "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  CHECK(Json::parse(connection.answer().body).at("body") == "abcde");
  connection.send("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  CHECK(connection.until("\r\n\r\n").starts_with("HTTP/1.1 100"));
  connection.send("xyz");
  CHECK(Json::parse(connection.answer().body).at("body") == "xyz");
}

TEST_CASE("a body as large as allowed is read whole, and a larger one is 413, whether its length is said or not") {
  constexpr std::size_t most = 300'000;
  Served served({}, most);
  const std::string whole(most, 'a');
  CHECK(Json::parse(ask(served.server.port(), "POST", "/x", "", whole).body).at("body") == whole);
  CHECK(ask(served.server.port(), "POST", "/x", "", whole + "a").status == 413);
  RawConnection chunks(served.server.port());
  chunks.send("POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 4; ++i) chunks.send("186A0\r\n" + std::string(100'000, 'b') + "\r\n");
  chunks.send("0\r\n\r\n");
  CHECK(chunks.answer().status == 413);
  CHECK(served.api.calls == 1);
}

TEST_CASE("one connection carries hundreds of requests, also several at once in its pipe") {
  Served served;
  constexpr int many = 300;
  RawConnection piped(served.server.port());
  std::string requests;
  for (int i = 0; i < many; ++i) requests += raw_request("GET", "/n" + std::to_string(i));
  piped.send(requests);
  for (int i = 0; i < many; ++i) CHECK(Json::parse(piped.answer().body).at("target") == "/n" + std::to_string(i));
  RawConnection kept(served.server.port());
  for (int i = 0; i < many; ++i) {
    kept.send(raw_request("POST", "/x", "", "{}"));
    CHECK(kept.answer().status == 200);
  }
  CHECK(served.api.calls == 2 * many);
}

TEST_CASE("a streamed reply comes in chunks, and ends, and its connection goes on") {
  Served served;
  RawConnection connection(served.server.port());
  connection.send(raw_request("GET", "/stream"));
  const auto answer = connection.answer();
  CHECK(answer.headers.at("transfer-encoding") == "chunked");
  CHECK(answer.body == "piece 0\npiece 1\npiece 2\n");
  connection.send(raw_request("GET", "/after"));
  CHECK(connection.answer().status == 200);
}

TEST_CASE("the head of a stream does not wait for its first piece, nor a piece for the next one") {
  Served served;
  RawConnection connection(served.server.port());
  connection.send(raw_request("GET", "/gated"));
  CHECK(connection.until("\r\n\r\n").starts_with("HTTP/1.1 200"));  // nothing was written yet
  for (int i = 1; i <= 3; ++i) {
    ++served.api.released;
    CHECK(connection.chunk() == std::string(static_cast<std::size_t>(i), 'x'));
  }
}

TEST_CASE("eighty open watches leave room for others, and do not keep the server from stopping") {
  auto served = std::make_unique<Served>();
  std::vector<std::unique_ptr<RawConnection>> watchers;
  for (int i = 0; i < 80; ++i) {
    watchers.push_back(std::make_unique<RawConnection>(served->server.port()));
    watchers.back()->send(raw_request("GET", "/watch"));
  }
  for (auto& watcher : watchers) {
    watcher->until("\r\n\r\n");
    CHECK(watcher->chunk() == "open\n");
  }
  CHECK(served->status_of("GET", "/x") == 200);

  const auto begin = std::chrono::steady_clock::now();
  served->server.stop();
  // A stream that was cut off does not look like one that is over.
  for (auto& watcher : watchers) CHECK(watcher->until_the_end().find("0\r\n\r\n") == std::string::npos);
  served.reset();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
}

TEST_CASE("a watch whose client has gone is not served on") {
  Served served;
  {
    RawConnection connection(served.server.port());
    connection.send(raw_request("GET", "/watch"));
    connection.until("open\n");
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (served.api.watches_ended == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  CHECK(served.api.watches_ended == 1);
}

TEST_CASE("a stream that cannot go on is broken off, told of, and harms nobody else") {
  Served served;
  RawConnection connection(served.server.port());
  connection.send(raw_request("GET", "/breaks"));
  connection.until("\r\n\r\n");
  CHECK(connection.chunk() == "begun\n");
  CHECK(connection.until_the_end().find("0\r\n\r\n") == std::string::npos);
  CHECK(served.status_of("GET", "/x") == 200);
  const std::lock_guard lock(served.mutex);
  CHECK(served.lines.at(1) == "atlas GET /breaks broken off (the disk is full)");
}

TEST_CASE("an idle connection does not delay the end") {
  auto served = std::make_unique<Served>();
  RawConnection idle(served->server.port());
  idle.send(raw_request("GET", "/x"));
  REQUIRE(idle.answer().status == 200);
  RawConnection silent(served->server.port());
  const auto begin = std::chrono::steady_clock::now();
  served.reset();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
}

TEST_CASE("a request that is being answered when the server stops gets its answer") {
  auto served = std::make_unique<Served>();
  RawConnection connection(served->server.port());
  connection.send(raw_request("GET", "/slow"));
  while (!served->api.at_work) std::this_thread::yield();
  served->server.stop();
  served->api.at_work = false;
  served.reset();
  CHECK(connection.answer().body == "done");
}

TEST_CASE("each kind of fault does what it says, once") {
  const auto first_status = [](const char* fault) {
    Served served({parse_fault(fault)});
    const int status = served.status_of("GET", "/x");
    CHECK(served.status_of("GET", "/x") == 200);
    return std::pair(status, served.api.calls.load());
  };
  CHECK(first_status("atlas:throttle:1") == std::pair(429, 1));
  CHECK(first_status("atlas:error:1") == std::pair(500, 1));
  CHECK(first_status("atlas:unavailable:1") == std::pair(503, 1));
  CHECK(first_status("all:slow:1") == std::pair(200, 2));
}

TEST_CASE("a reset closes before the request takes effect, a lost answer after") {
  for (const std::string fault : {"reset", "lost"}) {
    INFO(fault);
    Served served({parse_fault("atlas:" + fault + ":1")});
    RawConnection connection(served.server.port());
    connection.send(raw_request("POST", "/x", "", "{}"));
    int error = 0;
    CHECK(connection.until_the_end(&error).empty());
    CHECK(error == (fault == "reset" ? ECONNRESET : 0));
    CHECK(served.api.calls == (fault == "reset" ? 0 : 1));
    CHECK(served.status_of("POST", "/x") == 200);
  }
}

TEST_CASE("a slow fault waits on the clock that was given") {
  Served served({parse_fault("atlas:slow:1")});
  const auto before = served.clock.now();
  CHECK(served.status_of("GET", "/x") == 200);
  CHECK(served.clock.now() - before == std::chrono::seconds(2));
}

TEST_CASE("each request has a line, with its fault and with what broke") {
  Served served({parse_fault("atlas:throttle:1")});
  CHECK(served.status_of("GET", "/first?a=b") == 429);
  CHECK(served.status_of("GET", "/broken") == 500);
  CHECK(served.status_of("DELETE", "/nothing") == 204);
  const std::lock_guard lock(served.mutex);
  REQUIRE(served.lines.size() == 3);
  CHECK(served.lines[0].starts_with("atlas GET /first?a=b 429 "));
  CHECK(served.lines[0].ends_with(" fault throttle"));
  CHECK(served.lines[1].starts_with("atlas GET /broken 500 "));
  CHECK(served.lines[1].ends_with("(the disk is full)"));
  CHECK(served.lines[2].starts_with("atlas DELETE /nothing 204 "));
}

TEST_CASE("what breaks inside is answered with the reason") {
  Served served;
  const auto answer = ask(served.server.port(), "GET", "/broken");
  CHECK(answer.status == 500);
  CHECK(answer.body == "the disk is full");
}

TEST_CASE("a port that is taken is named") {
  Served served;
  Echo api;
  Faults faults({}, "atlas", 1);
  try {
    const Server second(api, faults, {"atlas", served.server.port(), {}, &served.clock});
    FAIL("two servers on one port");
  } catch (const Failed& error) {
    CHECK(error.message().find(std::to_string(served.server.port())) != std::string::npos);
    CHECK_FALSE(error.hint().empty());
  }
}

TEST_CASE("nonsense on the wire ends that connection only") {
  Served served;
  RawConnection connection(served.server.port());
  connection.send("\x16\x03\x01 hello\r\n\r\n");
  CHECK_FALSE(connection.until_the_end().starts_with("HTTP/1.1 200"));
  CHECK(served.status_of("GET", "/x") == 200);
}
