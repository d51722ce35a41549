// What it means when libcurl brings no answer: for the retry rule and for people.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <string>

#include <curl/curl.h>

#include "providers/http/proxy.hpp"
#include "providers/http/retry.hpp"
#include "providers/system/limits.hpp"

namespace litedesk::http {

// What libcurl said of a transfer that failed.
struct CurlReport {
  CURLcode code = CURLE_OK;
  std::string text;            // its sentence
  long os_error = 0;           // errno of the socket or the connect that failed
  long verify_result = 0;      // OpenSSL's X509_V_ERR_*
  bool sent = false;           // the request (or part of it) may have gone out
  bool too_large = false;      // we refused to take more of the answer
  bool own_repeat = false;     // we kept libcurl from sending again what may not be repeated
  bool reached_before = true;  // the host has answered before
  int attempts = 1;
  std::chrono::milliseconds allowed{0};       // how long this attempt was given
  std::optional<Proxy> proxy;                 // that it went through
  long proxy_answer = 0;                      // the status of its answer to CONNECT; 0: none came, or none was asked
  std::string authorities;                    // Authorities::setting
  std::optional<system::FileShortage> files;  // there was hardly room for another file
};

struct Failure {
  Loss loss = Loss::none;
  bool permanent = false;  // no later attempt can do better
  std::string sentence;    // one line for the trace
  std::exception_ptr error;
};

[[nodiscard]] Failure describe_failure(const Request& request, const CurlReport& report);
// "apply Deployment x/y: " or nothing.
[[nodiscard]] std::string prefix_of(const Request& request);

}  // namespace litedesk::http
