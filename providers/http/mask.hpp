// What a trace may show: everything but secrets.
#pragma once

#include <string>
#include <string_view>

#include "providers/http/transport.hpp"

namespace litedesk::http {

inline constexpr std::string_view mask = "***";

// The URL with the values of secret query parameters, and any user's password, masked.
[[nodiscard]] std::string masked_url(std::string_view url);
// The value, or how much of it may be seen: "Bearer ***".
[[nodiscard]] std::string masked_header(const Header& header);
// JSON and XML with the values of secret fields masked at any depth, a Kubernetes Secret's data among them; of other
// text only what is known to hold none, else its size. `url` is the request's: a patch does not say that it is a
// Secret's, and an error that quotes it neither.
[[nodiscard]] std::string masked_body(Api api, std::string_view body, std::string_view url = {});
// Any text with what is recognisable as a secret by its own shape masked: service account secrets, JSON web tokens,
// passwords in URLs, AWS session tokens in a canonical request.
[[nodiscard]] std::string masked_text(std::string_view text);

}  // namespace litedesk::http
