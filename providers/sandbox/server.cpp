#include "providers/sandbox/server.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "providers/sandbox/connection.hpp"

namespace litedesk::sandbox {

namespace {

// A connection holds a thread while it is open. The library would start with 8 and never add one: eight watches would
// block everybody else.
constexpr std::size_t most_threads = 512;
constexpr int backlog = 512;
constexpr std::size_t largest_body = std::size_t{64} * 1024 * 1024;
constexpr std::chrono::milliseconds slow_by{2000};

// Starts a thread when none is free.
class GrowingPool : public httplib::TaskQueue {
 public:
  // Some versions of the library want to know whether it was taken.
  using Taken = decltype(std::declval<httplib::TaskQueue&>().enqueue(std::declval<std::function<void()>>()));

  Taken enqueue(std::function<void()> job) override {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (idle_ < jobs_.size() && threads_.size() < most_threads)
      threads_.emplace_back([this] { work(); });
    else
      wake_.notify_one();
    return static_cast<Taken>(true);
  }

  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      wake_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
      --idle_;
      if (jobs_.empty()) return;
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool ending_ = false;
};

// The connection that this thread serves, and the headers of its request.
thread_local Connection* current = nullptr;
thread_local std::multimap<std::string, std::string> current_headers;

bool changes_something(const std::string& method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

// What the library must not see: it would compress answers and cut ranges out of them, and wait for the body of a
// DELETE that has none.
void prepare(httplib::Request& request, Connection& connection) {
  current_headers = connection.request_headers();
  request.headers.erase("Accept-Encoding");
  request.headers.erase("Range");
  request.ranges.clear();
  if (changes_something(request.method) && !request.has_header("Content-Length") &&
      !request.has_header("Transfer-Encoding"))
    request.headers.emplace("Content-Length", "0");
}

Call call_of(const httplib::Request& request) {
  Call call;
  call.method = request.method;
  call.target = request.target;
  const auto mark = std::min(call.target.find('?'), call.target.size());
  call.path = call.target.substr(0, mark);
  if (mark < call.target.size()) call.query = parse_query(std::string_view(call.target).substr(mark + 1));
  call.headers = std::move(current_headers);
  call.body = request.body;
  return call;
}

void fill(httplib::Response& response, Reply reply) {
  response.status = reply.status;
  for (const auto& [name, value] : reply.headers) response.set_header(name, value);
  if (!reply.stream) {
    if (!reply.body.empty()) response.set_header("Content-Type", reply.content_type);
    response.body = std::move(reply.body);
    return;
  }
  auto* connection = current;
  connection->start_streaming();
  response.set_chunked_content_provider(
      reply.content_type, [connection, stream = std::move(reply.stream)](std::size_t, httplib::DataSink& sink) {
        bool open = !connection->peer_closed();
        const Sink write = [&](std::string_view piece) {
          // An empty chunk would mean the end.
          if (open && !piece.empty()) open = sink.write(piece.data(), piece.size()) && !connection->peer_closed();
          return open;
        };
        if (open && !stream(write) && open) sink.done();
        return open;
      });
}

}  // namespace

struct Server::Impl : httplib::Server {
  Impl(Api& served, Faults& injected, ServerOptions given)
      : api(served),
        faults(injected),
        options(std::move(given)),
        stop_event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Impl() override { ::close(stop_event); }

  Api& api;
  Faults& faults;
  ServerOptions options;
  int stop_event;
  int port = 0;
  std::stop_source stopping;
  std::atomic<bool> ended = false;
  std::thread listener;

  // Sockets being served, so that stop() can end streams.
  std::mutex open_mutex;
  std::set<int> open;

  bool process_and_close_socket(socket_t socket) override {
    Connection connection(socket, stop_event);
    {
      const std::lock_guard lock(open_mutex);
      open.insert(socket);
    }
    current = &connection;
    bool closed = false;
    bool understood = true;
    while (understood && !closed && !stopping.stop_requested() && connection.wait_for_request()) {
      understood = false;  // after a head that is none, nothing tells where the next one begins
      const bool served = process_request(connection, false, closed, [&](httplib::Request& request) {
        understood = true;
        prepare(request, connection);
      });
      if (!connection.flush() || !served) break;
    }
    current = nullptr;
    const std::lock_guard lock(open_mutex);
    open.erase(socket);
    return true;
  }

  Reply answer(const Call& call, FaultKind fault, std::string& note) {
    switch (fault) {
      case FaultKind::throttle:
        return api.throttled();
      case FaultKind::error:
        return api.failed(500);
      case FaultKind::unavailable:
        return api.failed(503);
      case FaultKind::conflict:
        return api.failed(409);
      case FaultKind::reset:
        current->abort(true);
        return {};
      case FaultKind::slow:
        options.clock->wait(slow_by, stopping.get_token());
        break;
      case FaultKind::none:
      case FaultKind::lost:
        break;
    }
    try {
      auto reply = api.handle(call);
      if (fault == FaultKind::lost) {
        current->abort(false);
        reply.stream = nullptr;
      }
      return reply;
    } catch (const std::exception& error) {
      note = fmt::format(" ({})", error.what());
      return api.broken(error.what());
    }
  }

  void serve(const httplib::Request& request, httplib::Response& response) {
    const auto begin = std::chrono::steady_clock::now();
    const auto call = call_of(request);
    const auto fault = faults.next(changes_something(call.method));
    std::string note;
    if (fault != FaultKind::none) note = fmt::format(" fault {}", to_string(fault));
    auto reply = answer(call, fault, note);
    if (options.on_request) {
      const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
      const bool cut = fault == FaultKind::reset || fault == FaultKind::lost;
      options.on_request(fmt::format("{} {} {} {} {:.1f} ms{}", options.name, call.method, call.target,
                                     cut ? "closed" : std::to_string(reply.status), took.count(), note));
    }
    reply.headers.emplace_back("Date", system::to_http_date(options.clock->now()));
    fill(response, std::move(reply));
  }

  void listen() {
    new_task_queue = [] { return new GrowingPool; };
    set_keep_alive_max_count(1'000'000);
    set_payload_max_length(largest_body);
    // Not the library's SO_REUSEPORT, with which two sandboxes would share a port without a word.
    set_socket_options([](socket_t socket) {
      const int on = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    const Handler handler = [this](const httplib::Request& request, httplib::Response& response) {
      serve(request, response);
    };
    const std::string any = R"([\s\S]*)";
    Get(any, handler).Post(any, handler).Put(any, handler).Patch(any, handler).Delete(any, handler);
    Options(any, handler);

    port = options.port;
    const bool bound = port == 0 ? (port = bind_to_any_port("127.0.0.1")) > 0 : bind_to_port("127.0.0.1", options.port);
    if (!bound)
      throw Failed({.message = fmt::format("the sandbox cannot serve {} on port {} of 127.0.0.1", options.name,
                                           options.port == 0 ? "any" : std::to_string(options.port)),
                    .hint = "another program uses that port: choose another one, or let the system choose"});
    // The library asks for a queue of 5: a sixth connection at once would wait a second for its second try.
    ::listen(svr_sock_, backlog);
    listener = std::thread([this] {
      listen_after_bind();
      ended = true;
    });
  }

  void end() {
    if (stopping.stop_requested()) return;
    stopping.request_stop();
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_event, &one, sizeof one);
    // The library's stop() does nothing until its loop runs.
    while (!is_running() && !ended) std::this_thread::yield();
    httplib::Server::stop();
    const std::lock_guard lock(open_mutex);
    // Ends streams, and lets an answer that is under way go out.
    for (const int socket : open) ::shutdown(socket, SHUT_RD);
  }
};

Server::Server(Api& api, Faults& faults, ServerOptions options)
    : impl_(std::make_unique<Impl>(api, faults, std::move(options))) {
  impl_->listen();
}

Server::~Server() {
  impl_->end();
  impl_->listener.join();
}

int Server::port() const {
  return impl_->port;
}

void Server::stop() {
  impl_->end();
}

}  // namespace litedesk::sandbox
