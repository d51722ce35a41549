// One accepted connection, as cpp-httplib reads and writes it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <httplib.h>

namespace litedesk::sandbox {

// Its own stream instead of the library's, for three things that the library's cannot: a connection that waits for its
// next request ends at once when the server stops; a fault can close it for real, without an answer; an answer's head
// and body leave in one packet.
class Connection : public httplib::Stream {
 public:
  // Takes the socket. `stop_event` becomes readable when the server stops.
  Connection(int socket, int stop_event);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // False when the peer closed, was idle for too long, or the server stops.
  [[nodiscard]] bool wait_for_request();
  // Once the library has read a request's head: its headers as they came, names in lower case. The library's own are
  // not that: it undoes percent-encoding in every value, also in the URI that a digest was made for.
  [[nodiscard]] std::multimap<std::string, std::string> request_headers();
  bool flush();
  // From now on each write leaves at once.
  void start_streaming();
  // Drops what is not sent yet, and closes: with a reset, or as if the answer were over before it began.
  void abort(bool reset);
  [[nodiscard]] bool peer_closed() const;

  // httplib::Stream. Later versions of the library add functions to it, so none says `override`.
  bool is_readable() const;
  bool is_writable() const;
  ssize_t read(char* bytes, size_t size);
  ssize_t write(const char* bytes, size_t size);
  void get_remote_ip_and_port(std::string& ip, int& port) const;
  void get_local_ip_and_port(std::string& ip, int& port) const;
  socket_t socket() const;

 private:
  [[nodiscard]] bool wait_readable(int milliseconds) const;

  int socket_;
  int stop_event_;
  bool aborted_ = false;
  bool streaming_ = false;
  bool in_head_ = false;
  std::string head_;
  std::string in_;
  std::size_t in_used_ = 0;
  std::string out_;
};

}  // namespace litedesk::sandbox
