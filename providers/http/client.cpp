#include "providers/http/client.hpp"

#include <utility>

#include <fmt/format.h>

#include "providers/error.hpp"
#include "providers/http/event_loop.hpp"

namespace litedesk::http {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string what_of(const Request& request) {
  return fmt::format("{}{} {}", prefix_of(request), to_string(request.method), without_query(request.url));
}

Response unwrap(Result result) {
  if (auto* error = std::get_if<std::exception_ptr>(&result)) std::rethrow_exception(*error);
  return std::get<Response>(std::move(result));
}

// A stream in flight: at the latest with it, the stream is ended and the I/O thread is done with it, so that nothing
// that the caller lent (handler, prepare) is used any longer.
class OpenStream {
 public:
  OpenStream(EventLoop& loop, std::shared_ptr<Transfer> transfer) : loop_(loop), transfer_(std::move(transfer)) {
    loop_.submit({transfer_});
  }
  OpenStream(const OpenStream&) = delete;
  OpenStream& operator=(const OpenStream&) = delete;
  ~OpenStream() {
    auto& buffer = *transfer_->stream;
    std::unique_lock lock(buffer.mutex);
    if (buffer.result) return;
    lock.unlock();
    loop_.cancel({transfer_});
    lock.lock();
    buffer.changed.wait(lock, [&] { return buffer.result.has_value(); });
  }

 private:
  EventLoop& loop_;
  std::shared_ptr<Transfer> transfer_;
};

Response without_body(const StreamBuffer& buffer) {
  Response response = *buffer.head;
  response.body.clear();
  return response;
}

}  // namespace

struct Client::Impl {
  explicit Impl(ClientOptions options) : loop(std::move(options)) {}

  void refuse_nested(const Request& request) const {
    if (loop.on_io_thread()) throw Failed(what_of(request) + " was asked for from within the I/O thread");
  }
  std::vector<Result> exchange(std::vector<Request> requests, const std::stop_token& stop);

  EventLoop loop;
};

std::vector<Result> Client::Impl::exchange(std::vector<Request> requests, const std::stop_token& stop) {
  auto batch = std::make_shared<Batch>(requests.size());
  std::vector<std::shared_ptr<Transfer>> transfers;
  std::vector<std::stop_token> last_attempts;
  transfers.reserve(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].last_attempt.stop_possible()) last_attempts.push_back(requests[i].last_attempt);
    transfers.push_back(std::make_shared<Transfer>(std::move(requests[i]), batch, i));
  }
  loop.submit(transfers);
  // In this order: what is cancelled has been submitted.
  const std::stop_callback on_stop(stop, [&] { loop.cancel(transfers); });
  const auto wake = [this] { loop.wake(); };
  using Waker = std::stop_callback<decltype(wake)>;
  std::vector<std::unique_ptr<Waker>> wakers;
  for (std::size_t i = 0; i < last_attempts.size(); ++i)
    if (i == 0 || last_attempts[i] != last_attempts[i - 1])
      wakers.push_back(std::make_unique<Waker>(last_attempts[i], wake));
  return batch->wait();
}

Client::Client(ClientOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Client::~Client() = default;

Response Client::send(Request request, std::stop_token stop) {
  impl_->refuse_nested(request);
  if (stop.stop_requested()) throw Cancelled(what_of(request) + " was cancelled");
  std::vector<Request> one;
  one.push_back(std::move(request));
  return unwrap(std::move(impl_->exchange(std::move(one), stop).front()));
}

std::vector<Result> Client::send_all(std::vector<Request> requests, std::stop_token stop) {
  if (requests.empty()) return {};
  impl_->refuse_nested(requests.front());
  if (stop.stop_requested()) {
    std::vector<Result> results;
    for (const auto& request : requests)
      results.emplace_back(std::make_exception_ptr(Cancelled(what_of(request) + " was cancelled")));
    return results;
  }
  return impl_->exchange(std::move(requests), stop);
}

Response Client::stream(Request request, const ChunkHandler& on_chunk, milliseconds idle, std::stop_token stop) {
  impl_->refuse_nested(request);
  const std::string what = what_of(request);
  const std::string prefix = prefix_of(request), target = what.substr(prefix.size());
  if (stop.stop_requested()) throw Cancelled(what + " was cancelled");
  const auto headers_due = steady_clock::now() + request.timeout;
  const auto allowed = request.timeout;

  auto shared = std::make_shared<StreamBuffer>();
  auto& buffer = *shared;
  auto transfer = std::make_shared<Transfer>(std::move(request), nullptr, 0);
  transfer->stream = shared;
  const OpenStream open(impl_->loop, transfer);
  const std::stop_callback on_stop(stop, [&] {
    const std::lock_guard lock(buffer.mutex);
    buffer.changed.notify_all();
  });

  std::string chunk;
  std::unique_lock lock(buffer.mutex);
  while (true) {
    const auto silent_until = buffer.head ? buffer.last_arrival + idle : headers_due;
    if (stop.stop_requested()) {
      if (!buffer.head) throw Cancelled(what + " was cancelled");
      return without_body(buffer);
    }
    if (!buffer.data.empty()) {
      chunk.clear();
      chunk.swap(buffer.data);
      lock.unlock();
      const bool go_on = on_chunk(chunk);
      lock.lock();
      if (!go_on) return without_body(buffer);
    } else if (buffer.result) {
      auto response = unwrap(std::move(*buffer.result));
      if (buffer.head) response.body.clear();
      return response;
    } else if (steady_clock::now() >= silent_until) {
      const bool begun = buffer.head.has_value();
      transfer->fell_silent = true;
      throw Timeout({.message = begun ? fmt::format("{} has been silent for {} ms", what, idle.count())
                                      : fmt::format("{}no answer to {} within {} ms", prefix, target, allowed.count()),
                     .hint = "try again",
                     .resource = {},
                     .cause = {}});
    } else {
      buffer.changed.wait_until(lock, silent_until);
    }
  }
}

std::map<Api, Bucket> default_buckets() {
  return {
      // The API server has its own fairness and answers 429; this only keeps a fleet's burst from meeting it
      // (kubectl's own limits are 50 a second and 300 at once).
      {Api::kubernetes, {300, 100}},
      // Atlas' smallest buckets in use (clusters by user, monitoring): 300 at once, 100 a minute.
      {Api::atlas, {300, 100.0 / 60}},
      // Route 53 allowed five a second an account for years and shares it with whatever else manages DNS there.
      {Api::route53, {5, 5}},
      {Api::aws, {20, 10}},
      // Atlas' token endpoint: 50 a minute.
      {Api::oauth, {10, 50.0 / 60}},
  };
}

}  // namespace litedesk::http
