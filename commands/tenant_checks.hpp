// What may stand in a tenant's fields when a person gives them. The limits are those of templates/tenant-crd.yaml, so
// that a registry in a file takes what one in a cluster takes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace litedesk {

// Each returns the value as it is stored and throws UsageError that names the flag.

// Trimmed; 1 to 200 characters of UTF-8 on one line.
[[nodiscard]] std::string check_company(std::string_view company);
// Trimmed; may be empty; one line of at most `longest` characters.
[[nodiscard]] std::string check_line(std::string_view flag, std::string_view text, std::size_t longest);
// Trimmed; may be empty and have several lines.
[[nodiscard]] std::string check_notes(std::string_view notes);
// Whether mail could get there: a local part, '@' and a domain with a dot (RFC 5321's lengths). Quoted local parts are
// refused: nobody has one, and most programs take them for mistakes.
[[nodiscard]] std::string check_email(std::string_view email);
// A DNS name of at least two labels (RFC 1123), in lower case and without a dot at its end; may be empty.
[[nodiscard]] std::string check_custom_domain(std::string_view domain);
// Whether the tenant may have that custom domain where it is the base domain or below it: one label that is not
// reserved, or a name below the tenant's own host. Elsewhere every domain is good. Whose the host is already is another
// question.
void check_below_base(std::string_view custom_domain, std::string_view base, std::string_view slug);
[[nodiscard]] std::string check_company_size(std::string_view size);  // may be empty
[[nodiscard]] std::string check_placement(std::string_view placement);
// Each a word of at most 63 characters; each once, in the order given.
[[nodiscard]] std::vector<std::string> check_tags(const std::vector<std::string>& tags);

}  // namespace litedesk
