// One request on its way: what the caller waits on, and what the I/O thread knows of it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <curl/curl.h>

#include "providers/http/proxy.hpp"
#include "providers/http/transport.hpp"
#include "providers/http/url.hpp"

namespace litedesk::http {

struct ClientOptions;

// Where the results of one call are put.
class Batch {
 public:
  explicit Batch(std::size_t size) : results_(size), left_(size) {}
  void put(std::size_t place, Result result);
  [[nodiscard]] std::vector<Result> wait();

 private:
  std::mutex mutex_;
  std::condition_variable all_there_;
  std::vector<std::optional<Result>> results_;
  std::size_t left_;
};

// What a stream's caller and the I/O thread share. The mutex guards all of it.
struct StreamBuffer {
  std::mutex mutex;
  std::condition_variable changed;
  std::string data;              // has come and is not handled yet
  std::optional<Response> head;  // status and headers of a 2xx answer
  std::optional<Result> result;  // the end
  std::chrono::steady_clock::time_point last_arrival;
  std::size_t limit = 0;
};

struct Transfer {
  Transfer(Request request_given, std::shared_ptr<Batch> batch_given, std::size_t place_given);
  // Wipes what may be secret: the body and the Authorization header.
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Request request;
  UrlParts url;
  std::string origin;
  std::shared_ptr<Batch> batch;  // or
  std::size_t place = 0;
  std::shared_ptr<StreamBuffer> stream;
  std::atomic<bool> fell_silent = false;  // a stream that its caller ends because nothing comes any more

  // The rest belongs to the I/O thread.
  enum class State { waiting, running, done };
  State state = State::waiting;
  std::uint64_t id = 0;
  std::chrono::steady_clock::time_point deadline;
  std::chrono::steady_clock::time_point not_before;
  bool has_token = false;
  int attempt = 0;
  bool lost_before = false;       // an attempt may have taken effect
  bool lost_before_this = false;  // the same before the attempt that last_error or response is of
  std::exception_ptr last_error;  // of the attempt before, while it waits for the next

  // One attempt.
  CURL* handle = nullptr;
  curl_slist* header_list = nullptr;
  curl_slist* connect_to = nullptr;
  std::optional<Proxy> proxy;  // that it goes through
  char error_text[CURL_ERROR_SIZE] = {};
  std::chrono::steady_clock::time_point began;
  std::chrono::milliseconds allowed{0};
  bool capped = false;             // `allowed` is less than the time left: another attempt may follow
  unsigned generation = 0;         // of its host's connections: it may use no older one (see Host)
  std::uint64_t* moved = nullptr;  // the loop's count of what moved
  int socket_error = 0;            // errno, when no socket could be opened
  bool sent = false;
  bool answered = false;    // a status line has come since it was sent
  bool own_repeat = false;  // see CurlReport
  bool too_large = false;
  Response response;

  void finish(Result result);
  void begin_attempt();
  [[nodiscard]] std::chrono::milliseconds time_left(std::chrono::steady_clock::time_point now) const {
    return std::chrono::floor<std::chrono::milliseconds>(deadline - now);
  }
};

// Sets every option that the transfer needs, over whatever an earlier one left; throws ValidationError for a header
// that would break the request's form, UsageError for a proxy's URL or an SSL_CERT_FILE that cannot be used.
void prepare_handle(Transfer& transfer, ClientOptions& client);
// Frees what prepare_handle allocated beside the handle.
void release_lists(Transfer& transfer);

}  // namespace litedesk::http
