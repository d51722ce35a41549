#include "providers/http/event_loop.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include "providers/error.hpp"
#include "providers/http/mask.hpp"
#include "providers/http/retry.hpp"

namespace litedesk::http {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Ordinary requests at once to one host; streams come on top. Servers allow 100 streams a connection and more
// (RFC 9113, 6.5.2); without multiplexing each request is a connection.
constexpr int most_multiplexed = 80;
constexpr int most_before_known = 32;  // to a host that has not shown yet whether it multiplexes
constexpr int most_connections = 16;

// On a multiplexed connection, whoever reads the socket may read what is another's, and then wakes that one with a
// timer of zero. libcurl (as read in 7.88.1: curl_multi_perform, add_next_timeout) drops such a timer unserved when a
// later transfer of the same round begins, or when an older timer of the woken one is due; the data lie in memory
// then, and the socket has no more to tell. So a round in which anything moved is followed by another at once, and
// should a wake-up be lost in some other way, it costs this much and not the whole deadline.
constexpr milliseconds longest_silence{250};
constexpr milliseconds longest_rest{60'000};

// What one connection opens at once: its socket, two for the resolver's answer and its own socket, a file of
// authorities. Whoever fails with less than that left failed for the lack of it.
constexpr std::size_t files_of_a_connection = 6;

// Blocks every signal in the threads that are started while it lives: signals are the main thread's to handle.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

std::exception_ptr cancelled(const Request& request) {
  return std::make_exception_ptr(Cancelled(
      fmt::format("{}{} {} was cancelled", prefix_of(request), to_string(request.method), without_query(request.url))));
}

std::exception_ptr no_turn(const Request& request, std::string_view reason) {
  return std::make_exception_ptr(Timeout({.message = fmt::format("{}{} {} was not sent in time", prefix_of(request),
                                                                 to_string(request.method), without_query(request.url)),
                                          .hint = "try again with fewer changes at once or a longer --timeout",
                                          .resource = {},
                                          .cause = std::string(reason)}));
}

bool may_have_taken_effect(const Response& response) {
  return response.status == 500 || response.status == 502 || response.status == 504 ||
         (response.status == 503 && find(response.headers, "Retry-After").empty());
}

// libcurl sets up itself and OpenSSL here, before the first request: most commands that a shell waits for send none.
CURLM* new_multi() {
  static const CURLcode global = curl_global_init(CURL_GLOBAL_ALL);  // once, whichever thread comes first
  if (global != CURLE_OK) throw Failed(fmt::format("libcurl cannot be initialised: {}", curl_easy_strerror(global)));
  auto* multi = curl_multi_init();
  // It goes on without a way to be woken when it found no files for one, and a request would then not be noticed.
  if (multi != nullptr && curl_multi_wakeup(multi) == CURLM_OK) return multi;
  curl_multi_cleanup(multi);
  const auto shortage = system::file_shortage_for(files_of_a_connection).value_or(system::FileShortage{});
  throw Failed({.message = shortage.message.empty() ? "libcurl cannot be initialised"
                                                    : "cannot prepare for requests: " + shortage.message,
                .hint = shortage.hint,
                .resource = {},
                .cause = {}});
}

}  // namespace

EventLoop::EventLoop(ClientOptions options) : options_(std::move(options)), multi_(new_multi()) {
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 64L);
  // One that was built without HTTP/2 refuses the option.
  if ((curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2) == 0) options_.http2 = false;
  for (const auto& [api, limits] : default_buckets()) options_.buckets.try_emplace(api, limits);
  for (const auto& [api, limits] : options_.buckets) buckets_.emplace(api, TokenBucket(limits));
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { run(); });
}

EventLoop::~EventLoop() {
  {
    const std::lock_guard lock(mutex_);
    quitting_ = true;
  }
  curl_multi_wakeup(multi_);
  thread_.join();
  for (auto* handle : idle_handles_) curl_easy_cleanup(handle);
  for (auto& handles : digest_)
    for (auto* handle : handles.idle) curl_easy_cleanup(handle);
  curl_multi_cleanup(multi_);
}

void EventLoop::submit(const std::vector<Shared>& transfers) {
  {
    const std::lock_guard lock(mutex_);
    submitted_.insert(submitted_.end(), transfers.begin(), transfers.end());
  }
  curl_multi_wakeup(multi_);
}

void EventLoop::cancel(const std::vector<Shared>& transfers) {
  {
    const std::lock_guard lock(mutex_);
    cancelled_.insert(cancelled_.end(), transfers.begin(), transfers.end());
  }
  curl_multi_wakeup(multi_);
}

void EventLoop::wake() {
  curl_multi_wakeup(multi_);
}

void EventLoop::run() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (quitting_) break;
    }
    take_inbox();
    const auto moved_before = moved_;
    start_due();
    int still_running = 0;
    curl_multi_perform(multi_, &still_running);
    // The end of one may also be the turn of another that waited for its place.
    const bool again = collect() || moved_ != moved_before;
    curl_multi_poll(multi_, nullptr, 0, again ? 0 : poll_timeout(), nullptr);
  }
  take_inbox();
  for (auto& transfer : std::exchange(waiting_, {})) finish(transfer, cancelled(transfer->request));
  for (auto& [key, transfer] : std::exchange(running_, {})) {
    detach(*transfer);
    finish(transfer, cancelled(transfer->request));
  }
}

void EventLoop::take_inbox() {
  std::vector<Shared> submitted, cancelled_now;
  {
    const std::lock_guard lock(mutex_);
    submitted.swap(submitted_);
    cancelled_now.swap(cancelled_);
  }
  const auto now = steady_clock::now();
  for (auto& transfer : submitted) {
    transfer->id = ++last_id_;
    transfer->deadline = now + transfer->request.timeout;
    transfer->not_before = now;
    waiting_.push_back(std::move(transfer));
  }
  for (const auto& transfer : cancelled_now) {
    if (transfer->state == Transfer::State::done) continue;
    if (transfer->state == Transfer::State::running) {
      if (transfer->fell_silent) distrust_connection(*transfer);
      running_.erase(transfer.get());
      detach(*transfer);
    } else {
      waiting_.erase(std::remove(waiting_.begin(), waiting_.end(), transfer), waiting_.end());
    }
    trace(*transfer, "! cancelled");
    finish(transfer, cancelled(transfer->request));
  }
}

void EventLoop::start_due() {
  if (waiting_.empty()) return;
  const auto now = steady_clock::now();
  std::vector<Shared> later;
  // A transfer's end may call back in here only through the inbox, so the list can be taken apart.
  for (auto& transfer : std::exchange(waiting_, {})) {
    if (transfer->request.last_attempt.stop_requested())
      give_up(transfer);
    else if (transfer->time_left(now) <= milliseconds::zero())
      give_up(transfer);
    else if (hold_back(*transfer, now))
      later.push_back(std::move(transfer));
    else
      start(transfer);
  }
  // What start() itself put back (an attempt that failed at once) comes behind.
  later.insert(later.end(), waiting_.begin(), waiting_.end());
  waiting_ = std::move(later);
}

// Whether it must still wait: for its back-off, for a token, for a place among the connections of its host.
bool EventLoop::hold_back(Transfer& transfer, Steady now) {
  if (transfer.not_before > now) return true;
  if (!transfer.has_token) {
    auto& bucket = bucket_of(transfer.request.api);
    const auto delay = bucket.delay(options_.clock->steady());
    if (delay >= transfer.time_left(now)) {
      // Its turn would come too late, and those behind it need not wait for it.
      transfer.deadline = now;
      return true;
    }
    bucket.take();
    transfer.has_token = true;
    if (delay > milliseconds::zero()) {
      const auto real = options_.clock->begin_wait(delay);
      transfer.deadline -= delay - real;
      transfer.not_before = now + real;
      return true;
    }
  }
  if (transfer.stream) return false;
  const auto& host = hosts_[transfer.origin];
  const bool may_multiplex = transfer.url.scheme == "https" && options_.http2 && (host.multiplexes || !host.reached);
  if (!may_multiplex) return host.running >= most_connections;
  return host.running >= (host.reached ? most_multiplexed : most_before_known);
}

void EventLoop::start(const Shared& transfer) {
  auto& request = transfer->request;
  transfer->begin_attempt();
  transfer->generation = hosts_[transfer->origin].generation;
  try {
    if (request.prepare) request.prepare(request);
    transfer->handle = take_handle(*transfer);
    prepare_handle(*transfer, options_);
  } catch (...) {
    if (transfer->handle != nullptr) return_handle(*transfer);
    finish(transfer, std::current_exception());
    return;
  }
  trace_request(*transfer);
  transfer->moved = &moved_;
  ++moved_;
  transfer->state = Transfer::State::running;
  running_.emplace(transfer.get(), transfer);
  if (!transfer->stream) ++hosts_[transfer->origin].running;
  if (const auto code = curl_multi_add_handle(multi_, transfer->handle); code != CURLM_OK) {
    running_.erase(transfer.get());
    detach(*transfer);
    finish(transfer, std::make_exception_ptr(Failed(fmt::format("{}libcurl takes no more requests: {}",
                                                                prefix_of(request), curl_multi_strerror(code)))));
  }
}

bool EventLoop::collect() {
  bool any = false;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Transfer* key = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &key);
    const auto found = running_.find(key);
    if (found == running_.end()) continue;
    const Shared transfer = found->second;
    running_.erase(found);
    complete(transfer, code);
    any = true;
  }
  return any;
}

void EventLoop::complete(const Shared& transfer, CURLcode code) {
  Failure failure;
  if (code != CURLE_OK) failure = describe_failure(transfer->request, report_of(*transfer, code));
  if (transfer->answered) {
    long version = 0;
    curl_easy_getinfo(transfer->handle, CURLINFO_HTTP_VERSION, &version);
    auto& host = hosts_[transfer->origin];
    host.reached = true;
    host.multiplexes = version >= CURL_HTTP_VERSION_2_0;
  }
  if (code == CURLE_OPERATION_TIMEDOUT && transfer->sent) distrust_connection(*transfer);
  detach(*transfer);
  if (failure.error)
    trace(*transfer, "! " + failure.sentence);
  else
    trace_response(*transfer);
  decide(transfer, std::move(failure));
}

// Again, or to the caller.
void EventLoop::decide(const Shared& transfer, Failure failure) {
  auto& response = transfer->response;
  const auto& request = transfer->request;
  const auto give_back = [&] {
    if (failure.error) {
      finish(transfer, failure.error);
      return;
    }
    response.attempts = transfer->attempt;
    response.repeated_after_loss = transfer->lost_before;
    finish(transfer, std::move(response));
  };
  if (transfer->stream || failure.permanent || request.last_attempt.stop_requested() ||
      (!failure.error && is_final(request.api, response))) {
    give_back();
    return;
  }

  Attempt attempt;
  attempt.method = request.method;
  attempt.repeat = request.repeat;
  attempt.api = request.api;
  attempt.number = transfer->attempt;
  attempt.loss = failure.loss;
  attempt.reached_before = hosts_[transfer->origin].reached;
  const auto now = steady_clock::now();
  attempt.time_left = transfer->time_left(now);
  std::string error_code;
  if (!failure.error) {
    error_code = error_code_of(request.api, response);
    attempt.status = response.status;
    attempt.error_code = error_code;
    attempt.retry_after = retry_after_of(request.api, response, options_.clock->now());
  }
  constexpr std::uint64_t steps = 1u << 20;
  attempt.random = static_cast<double>(options_.random->below(steps)) / static_cast<double>(steps);

  const auto delay = retry_delay(attempt);
  if (!delay) {
    give_back();
    return;
  }
  transfer->lost_before_this = transfer->lost_before;
  if (failure.loss == Loss::uncertain || (!failure.error && may_have_taken_effect(response)))
    transfer->lost_before = true;
  trace(*transfer, fmt::format("! again in {} ms", delay->count()));
  const auto real = options_.clock->begin_wait(*delay);
  transfer->deadline -= *delay - real;
  transfer->not_before = now + real;
  transfer->has_token = false;
  // Kept for give_up: what to say when there is to be no other attempt after all.
  transfer->last_error = failure.error;
  transfer->state = Transfer::State::waiting;
  waiting_.push_back(transfer);
}

// Those that ran out of time together have one connection in common, and raise its generation once.
void EventLoop::distrust_connection(const Transfer& transfer) {
  auto& host = hosts_[transfer.origin];
  if (host.generation == transfer.generation) ++host.generation;
}

// There is to be no (other) attempt: what the last one brought, if there was one.
void EventLoop::give_up(const Shared& transfer) {
  if (transfer->attempt == 0) {
    finish(transfer, transfer->request.last_attempt.stop_requested()
                         ? cancelled(transfer->request)
                         : no_turn(transfer->request, "too many requests were waiting before it"));
  } else if (transfer->last_error) {
    finish(transfer, transfer->last_error);
  } else {
    transfer->response.attempts = transfer->attempt;
    transfer->response.repeated_after_loss = transfer->lost_before_this;
    finish(transfer, std::move(transfer->response));
  }
}

void EventLoop::finish(const Shared& transfer, Result result) {
  transfer->finish(std::move(result));
}

// Takes the transfer's handle out of libcurl's hands; an unfinished exchange is broken off.
void EventLoop::detach(Transfer& transfer) {
  curl_multi_remove_handle(multi_, transfer.handle);
  return_handle(transfer);
  if (!transfer.stream) --hosts_[transfer.origin].running;
}

int EventLoop::poll_timeout() const {
  milliseconds wait = running_.empty() ? longest_rest : longest_silence;
  const auto now = steady_clock::now();
  for (const auto& transfer : waiting_) {
    // One that waits for a place is woken by the end of another, or by its deadline.
    const auto due =
        transfer->not_before > now ? std::min(transfer->not_before, transfer->deadline) : transfer->deadline;
    wait = std::min(wait, std::chrono::ceil<milliseconds>(due - now));
  }
  return static_cast<int>(std::max(milliseconds::zero(), wait).count());
}

TokenBucket& EventLoop::bucket_of(Api api) {
  return buckets_.try_emplace(api, TokenBucket({})).first->second;
}

EventLoop::DigestHandles& EventLoop::digest_handles(const Transfer& transfer) {
  const auto& credentials = *transfer.request.digest;
  for (auto& handles : digest_) {
    if (handles.origin == transfer.origin && handles.username == credentials.username &&
        handles.password == credentials.password)
      return handles;
  }
  return digest_.emplace_back(DigestHandles{transfer.origin, credentials.username, credentials.password, {}});
}

CURL* EventLoop::take_handle(const Transfer& transfer) {
  auto& idle = transfer.request.digest ? digest_handles(transfer).idle : idle_handles_;
  CURL* handle = nullptr;
  if (!idle.empty()) {
    handle = idle.back();
    idle.pop_back();
    if (!transfer.request.digest) curl_easy_reset(handle);
  } else {
    handle = curl_easy_init();
  }
  if (handle == nullptr) throw std::bad_alloc();
  return handle;
}

void EventLoop::return_handle(Transfer& transfer) {
  auto& idle = transfer.request.digest ? digest_handles(transfer).idle : idle_handles_;
  idle.push_back(std::exchange(transfer.handle, nullptr));
  release_lists(transfer);
}

CurlReport EventLoop::report_of(const Transfer& transfer, CURLcode code) const {
  CurlReport report;
  report.code = code;
  report.text = transfer.error_text[0] != '\0' ? transfer.error_text : curl_easy_strerror(code);
  curl_easy_getinfo(transfer.handle, CURLINFO_OS_ERRNO, &report.os_error);
  if (report.os_error == 0 || system::file_shortage(transfer.socket_error)) report.os_error = transfer.socket_error;
  curl_easy_getinfo(transfer.handle, CURLINFO_SSL_VERIFYRESULT, &report.verify_result);
  report.sent = transfer.sent;
  report.too_large = transfer.too_large;
  report.own_repeat = transfer.own_repeat;
  const auto host = hosts_.find(transfer.origin);
  report.reached_before = host != hosts_.end() && host->second.reached;
  report.attempts = transfer.attempt;
  report.allowed = transfer.request.timeout;
  if (transfer.capped) report.allowed = transfer.allowed;
  report.proxy = transfer.proxy;
  curl_easy_getinfo(transfer.handle, CURLINFO_HTTP_CONNECTCODE, &report.proxy_answer);
  if (report.verify_result == 0)
    curl_easy_getinfo(transfer.handle, CURLINFO_PROXY_SSL_VERIFYRESULT, &report.verify_result);
  report.authorities = options_.authorities.setting();
  report.files = system::file_shortage_for(files_of_a_connection);
  if (!transfer.sent) report.allowed = std::chrono::round<milliseconds>(steady_clock::now() - transfer.began);
  return report;
}

void EventLoop::trace(const Transfer& transfer, std::string text) const {
  if (!options_.trace) return;
  // The number follows the mark, so that the lines of one request can be found among many.
  text.insert(1, fmt::format(" #{}", transfer.id));
  options_.trace({options_.clock->now(), transfer.request.api, std::move(text)});
}

void EventLoop::trace_request(const Transfer& transfer) const {
  if (!options_.trace) return;
  const auto& request = transfer.request;
  std::string text = fmt::format("> {} {}", to_string(request.method), masked_url(request.url));
  if (!request.summary.empty()) text += " " + request.summary;
  if (transfer.attempt > 1) text += fmt::format(" (attempt {})", transfer.attempt);
  if (options_.trace_bodies) {
    for (const auto& header : request.headers) text += fmt::format("\n> {}: {}", header.name, masked_header(header));
    if (!request.body.empty()) text += "\n> " + masked_body(request.api, request.body, request.url);
  }
  trace(transfer, std::move(text));
}

void EventLoop::trace_response(const Transfer& transfer) const {
  if (!options_.trace) return;
  const auto& response = transfer.response;
  const auto took = std::chrono::round<milliseconds>(steady_clock::now() - transfer.began);
  std::string text = fmt::format("< {} in {} ms", response.status, took.count());
  if (options_.trace_bodies) {
    for (const auto& header : response.headers) text += fmt::format("\n< {}: {}", header.name, masked_header(header));
    if (!response.body.empty()) text += "\n< " + masked_body(transfer.request.api, response.body, transfer.request.url);
  }
  trace(transfer, std::move(text));
}

}  // namespace litedesk::http
