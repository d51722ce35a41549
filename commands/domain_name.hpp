// What a domain name looks like: one rule for settings, custom domains and e-mail addresses.
#pragma once

#include <string>
#include <string_view>

namespace litedesk {

// In lower case, without the dot of the root at its end.
[[nodiscard]] std::string normal_domain(std::string_view domain);

enum class Letters { ascii, any };
// What is wrong with a name of at least two labels (RFC 1123), as half a sentence: "a part of it is empty". Empty when
// nothing is. With Letters::any it may have letters beyond ASCII, as people write them.
[[nodiscard]] std::string fault_of_domain(std::string_view domain, Letters letters = Letters::ascii);

// An IPv4 or IPv6 address.
[[nodiscard]] bool is_ip_address(std::string_view text);

}  // namespace litedesk
