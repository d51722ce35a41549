// What a person means by a name, a target and a type of `litedesk dns`.
#pragma once

#include <string>
#include <string_view>

#include "commands/dns_records.hpp"

namespace litedesk {

// "acme" and "acme.litedesk.com" in the domain litedesk.com are one; "@" is the domain itself; a trailing dot means
// that it is all there. Throws UsageError for a name that cannot be, or that has dots and is not in the domain.
[[nodiscard]] std::string record_name(std::string_view name, std::string_view domain, bool wildcard);
// Whether a name's labels and length are what DNS allows.
[[nodiscard]] bool is_possible_name(std::string_view name);
// Whether a record can point to that name: a whole one (Route 53 takes none for short), not a URL, and nothing that was
// meant as an address and is none. `called` is what the UsageError calls it.
void check_target_name(const std::string& target, std::string_view called, std::string_view domain);
// Whether the load balancer is the target: none is given, and the type (or none) is one that leads to it. Throws
// UsageError for a target that is given and empty (a variable that was not set), and for a type that needs one.
[[nodiscard]] bool leads_to_load_balancer(const SetRecord& wanted);
// The record that is asked for. `zone` is where it goes: an alias to a name in the same domain stays in it. Throws
// UsageError, also for a name that is too long for the owner record beside it, and for a target that looks like an
// address and is none, or that is a name without a dot (Route 53 takes every target as a whole name).
[[nodiscard]] route53::RecordSet wanted_record(const SetRecord& wanted, std::string_view domain,
                                               std::string_view load_balancer, const route53::HostedZoneId& zone);

}  // namespace litedesk
