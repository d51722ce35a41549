// Names as Route 53 keeps, prints and sorts them.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace litedesk::sandbox::route53 {

// "WWW.Example.com" and "*.x" as they are stored: lower case, a dot at the end, and each character but a-z 0-9 - _ . as
// its octal code: "www.example.com.", "\052.x.". Takes such codes too. `problem` is set, in Route 53's words, when it
// is no name.
[[nodiscard]] std::string canonical_name(std::string_view text, std::optional<std::string>& problem);
// "com.example.www." for "www.example.com.": the order of lists is the order of these.
[[nodiscard]] std::string reversed(std::string_view canonical);
// Whether the name is the zone's own or below it.
[[nodiscard]] bool lies_within(std::string_view name, std::string_view zone);

}  // namespace litedesk::sandbox::route53
