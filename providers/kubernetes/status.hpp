// What the API server says when it refuses: Status objects, and answers of proxies before it that are none.
// Rules: the API conventions, "Response Status Kind".
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "providers/http/transport.hpp"
#include "providers/json.hpp"
#include "providers/kubernetes/client.hpp"

namespace litedesk::kubernetes {

struct Status {
  int code = 0;
  std::string reason;
  std::string message;
  std::string uid;  // details.uid
  std::vector<StatusCause> causes;
};
[[nodiscard]] std::optional<Status> parse_status(const Json& json);
[[nodiscard]] std::optional<Status> parse_status(const http::Response& response);

// What an error tells besides the answer itself.
struct Attempted {
  std::string what;                   // "apply Deployment instance-acme/backend"
  std::string resource;               // "kubernetes Deployment instance-acme/backend"
  std::string group;                  // of the kind; empty: the core group, or no kind at all
  std::string server;                 // the URL without path
  std::string origin;                 // `context "x" of /home/me/.kube/config`
  bool credentials_withheld = false;  // not sent, since the URL is plain http
  std::vector<std::string> masked;    // values that no message may repeat
};

// The Error for an answer that is no success: of the type that its HTTP status maps to, with ApiErrorInfo.
[[nodiscard]] std::exception_ptr api_error(const http::Response& response, const Attempted& attempted);
// The same for a Status that came inside a watch.
[[nodiscard]] std::exception_ptr api_error(const Status& status, const Attempted& attempted);
// The Unavailable for a 2xx answer that is not what a Kubernetes API server sends.
[[nodiscard]] std::exception_ptr unusable_answer(const http::Response& response, const Attempted& attempted);
// `error` as the transport threw it, with the kubeconfig's context added to the hint of a lost connection.
[[nodiscard]] std::exception_ptr with_origin(const std::exception_ptr& error, const Attempted& attempted);

// Whether a 404 came from the API server itself: a Status, or its plain "404 page not found" for a group that it does
// not serve (the core group it always does). Every server in Go has these words, so they count only beside a header
// that an API server adds. Anything else (a proxy's page) says nothing about the object.
[[nodiscard]] bool is_not_found(const http::Response& response, std::string_view group = {});

// The gist of a body that is no Status: an HTML page's title or its text, the first line of plain text; one short line.
[[nodiscard]] std::string short_text(std::string_view body, std::string_view content_type);

// The texts of the Warning headers (RFC 7234, 5.5): 299 - "text", several separated by commas.
[[nodiscard]] std::vector<std::string> parse_warnings(const http::Headers& headers);

}  // namespace litedesk::kubernetes
