#include "providers/http/gate.hpp"

#include <algorithm>
#include <list>
#include <utility>

#include <fmt/format.h>

#include "providers/error.hpp"

namespace litedesk::http {

namespace {

// What a conditional request gets though the fence is near or behind.
constexpr std::chrono::milliseconds shortest_conditional{4'000};

std::string name_of(const Request& request) {
  return request.summary.empty() ? std::string(to_string(request.method)) : request.summary;
}

// A token that is requested when either of two is.
class Either {
 public:
  Either(std::stop_token a, std::stop_token b)
      : on_a_(std::move(a), Forward{&source_}), on_b_(std::move(b), Forward{&source_}) {}
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  struct Forward {
    std::stop_source* source;
    void operator()() const { source->request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Forward> on_a_, on_b_;
};

}  // namespace

// Names of requests that stand in the gate's list for as long as it lives.
class Gate::UnderWay {
 public:
  explicit UnderWay(Gate& gate) : gate_(gate) {}
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() {
    const std::lock_guard lock(gate_.mutex_);
    for (const auto& place : places_) gate_.under_way_.erase(place);
  }
  void add(const Request& request) {
    const std::lock_guard lock(gate_.mutex_);
    places_.push_back(gate_.under_way_.insert(gate_.under_way_.end(), name_of(request)));
  }

 private:
  Gate& gate_;
  std::vector<std::list<std::string>::iterator> places_;
};

std::vector<std::string> Gate::in_flight() const {
  const std::lock_guard lock(mutex_);
  return {under_way_.begin(), under_way_.end()};
}

void Gate::set_fence(std::optional<system::SteadyPoint> end) {
  const std::lock_guard lock(mutex_);
  fence_ = end;
}

void Gate::stop() {
  // Outside the lock: the callbacks of those who listen run in here.
  std::stop_source source;
  {
    const std::lock_guard lock(mutex_);
    source = stop_;
  }
  source.request_stop();
}

void Gate::reopen() {
  const std::lock_guard lock(mutex_);
  if (stop_.stop_requested()) stop_ = std::stop_source();
}

void Gate::set_patience(std::optional<std::chrono::milliseconds> longest) {
  const std::lock_guard lock(mutex_);
  patience_ = longest;
}

bool Gate::stopped() const {
  return stopping().stop_requested();
}

std::stop_token Gate::stopping() const {
  const std::lock_guard lock(mutex_);
  return stop_.get_token();
}

std::optional<std::exception_ptr> Gate::admit(Request& request) const {
  const std::lock_guard lock(mutex_);
  if (stop_.stop_requested())
    return std::make_exception_ptr(
        Cancelled(fmt::format("{} was not sent: the command was cancelled", name_of(request))));
  if (patience_) request.timeout = std::min(request.timeout, *patience_);
  if (!fence_ || !mutates(request)) return std::nullopt;
  const auto left = std::chrono::floor<std::chrono::milliseconds>(*fence_ - clock_.steady());
  if (request.conditional) {
    request.timeout = std::min(request.timeout, std::max(left, shortest_conditional));
    return std::nullopt;
  }
  if (left <= std::chrono::milliseconds::zero()) {
    return std::make_exception_ptr(
        Locked({.message = fmt::format("{} was not sent: this command's lock has run out", name_of(request)),
                .hint = "another command may hold it now; run the same command again to continue",
                .resource = {},
                .cause = {}}));
  }
  request.timeout = std::min(request.timeout, left);
  return std::nullopt;
}

Response Gate::send(Request request, std::stop_token stop) {
  const auto stopping_now = stopping();
  if (const auto refused = admit(request)) std::rethrow_exception(*refused);
  const Either either(std::move(stop), stopping_now);
  if (!mutates(request)) return inner_.send(std::move(request), either.token());
  UnderWay under_way(*this);
  under_way.add(request);
  const Either last(request.last_attempt, either.token());
  request.last_attempt = last.token();
  return inner_.send(std::move(request), {});
}

std::vector<Result> Gate::send_all(std::vector<Request> requests, std::stop_token stop) {
  const Either either(std::move(stop), stopping());
  std::vector<Result> results(requests.size());
  std::vector<Request> admitted;
  std::vector<std::size_t> places;
  std::list<Either> lasts;
  UnderWay under_way(*this);
  bool wait_for_all = false;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (const auto refused = admit(requests[i])) {
      results[i] = *refused;
      continue;
    }
    if (mutates(requests[i])) {
      under_way.add(requests[i]);
      requests[i].last_attempt = lasts.emplace_back(requests[i].last_attempt, either.token()).token();
      wait_for_all = true;
    }
    admitted.push_back(std::move(requests[i]));
    places.push_back(i);
  }
  if (admitted.empty()) return results;
  auto answers = inner_.send_all(std::move(admitted), wait_for_all ? std::stop_token() : either.token());
  for (std::size_t i = 0; i < answers.size(); ++i) results[places[i]] = std::move(answers[i]);
  return results;
}

Response Gate::stream(Request request, const ChunkHandler& on_chunk, std::chrono::milliseconds idle,
                      std::stop_token stop) {
  const auto stopping_now = stopping();
  if (const auto refused = admit(request)) std::rethrow_exception(*refused);
  const Either either(std::move(stop), stopping_now);
  return inner_.stream(std::move(request), on_chunk, idle, either.token());
}

}  // namespace litedesk::http
