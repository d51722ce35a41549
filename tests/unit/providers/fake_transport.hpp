// A Transport that answers from a script and remembers what it was asked.
#pragma once

#include <deque>
#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "providers/http/transport.hpp"

namespace litedesk::test {

class FakeTransport : public http::Transport {
 public:
  using Answer = std::function<http::Response(const http::Request&)>;

  void answer(Answer answer) { answers_.push_back(std::move(answer)); }
  void answer(int status, std::string body, http::Headers headers = {}) {
    http::Response response;
    response.status = status;
    response.body = std::move(body);
    response.headers = std::move(headers);
    answer([response](const http::Request&) { return response; });
  }
  template <typename Failure>
  void fail(Failure failure) {
    answer([failure](const http::Request&) -> http::Response { throw failure; });
  }

  // As they went out: after prepare().
  std::vector<http::Request> sent;
  std::vector<std::stop_token> stops;  // one a request
  [[nodiscard]] std::size_t left() const { return answers_.size(); }

  http::Response send(http::Request request, std::stop_token stop) override {
    if (request.prepare) request.prepare(request);
    sent.push_back(request);
    stops.push_back(std::move(stop));
    if (answers_.empty())
      throw std::logic_error("unexpected request " + std::string(http::to_string(request.method)) + " " + request.url);
    auto next = std::move(answers_.front());
    answers_.pop_front();
    return next(request);
  }
  std::vector<http::Result> send_all(std::vector<http::Request> requests, std::stop_token stop) override {
    std::vector<http::Result> results;
    for (auto& request : requests) {
      try {
        results.emplace_back(send(std::move(request), stop));
      } catch (...) {
        results.emplace_back(std::current_exception());
      }
    }
    return results;
  }
  http::Response stream(http::Request, const http::ChunkHandler&, std::chrono::milliseconds, std::stop_token) override {
    throw std::logic_error("nothing is streamed here");
  }

 private:
  std::deque<Answer> answers_;
};

}  // namespace litedesk::test
