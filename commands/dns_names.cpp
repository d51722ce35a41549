#include "commands/dns_names.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "providers/error.hpp"

namespace litedesk {

namespace {

constexpr std::array<std::string_view, 8> types{"A", "AAAA", "CNAME", "TXT", "CAA", "MX", "NS", "SRV"};

[[noreturn]] void refuse(std::string message, std::string hint) {
  throw UsageError({.message = std::move(message), .hint = std::move(hint), .resource = "", .cause = ""});
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, 16> address{};
  return inet_pton(family, text.c_str(), address.data()) == 1;
}

// Labels of letters, digits, "-" and "_", at most 63 bytes each and 253 in all; "*" only as the whole first label.
void check_host(std::string_view name, std::string_view what, bool wildcard_allowed) {
  const auto shown = std::string(what) + " " + std::string(name);
  if (name.empty() || name.size() > 253) refuse(shown + " is empty or longer than 253 characters", "");
  bool first = true;
  for (auto rest = name; !rest.empty() || first;) {
    const auto end = std::min(rest.find('.'), rest.size());
    const auto label = rest.substr(0, end);
    if (label.empty() || label.size() > 63)
      refuse(shown + " has a label that is empty or longer than 63 characters", "");
    if (!(first && wildcard_allowed && label == "*"))
      for (const char c : label) {
        if (c == '*')
          refuse(shown + " has a * that is not the whole first label", "a wildcard is *.NAME, or --wildcard");
        if (static_cast<unsigned char>(c) >= 0x80) refuse(shown + " is not ASCII", "write it in Punycode (xn--...)");
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
          refuse(shown + " contains a character that is not allowed in host names", "use letters, digits, - and _");
      }
    if (end + 1 == rest.size()) refuse(shown + " has an empty label", "");
    rest.remove_prefix(std::min(end + 1, rest.size()));
    first = false;
  }
}

std::string checked_type(const SetRecord& wanted) {
  auto type = upper(wanted.type);
  if (type.empty()) return type;
  if (std::find(types.begin(), types.end(), type) == types.end())
    refuse("record type " + wanted.type + " cannot be set", "one of A, AAAA, CNAME, TXT, CAA, MX, NS, SRV");
  if (wanted.alias && type != "A" && type != "AAAA")
    refuse("an alias is an A or AAAA record, not " + type, "leave --type out");
  return type;
}

std::string type_of(const SetRecord& wanted, const std::string& target) {
  auto type = checked_type(wanted);
  if (!type.empty()) return type;
  if (wanted.alias || is_address(AF_INET, target)) return "A";
  return is_address(AF_INET6, target) ? "AAAA" : "CNAME";
}

// A name's last label is never a number (RFC 3696, 2); what ends in one was meant as an address, in whichever of the
// forms that inet_aton(3) reads: 192.0.2, 0x7f.1, 192.0.2.01. Nor does a name have a colon.
bool looks_like_address(std::string_view target) {
  if (target.find_first_of(":[]") != std::string_view::npos) return true;
  if (target.ends_with('.')) target.remove_suffix(1);
  const auto last = target.substr(target.rfind('.') + 1);  // npos + 1: the whole
  if (last.starts_with("0x")) return last.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
  return !last.empty() && last.find_first_not_of("0123456789") == std::string_view::npos;
}

bool has_port(std::string_view target) {
  const auto colon = target.find(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < target.size() &&
         target.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
}

// The name that a record points to, as it is stored.
std::string pointed_to(const std::string& target, std::string_view what, const std::string& root) {
  const auto host = route53::from_wire_name(target);
  if (is_address(AF_INET, host) || is_address(AF_INET6, host))
    refuse(std::string(what) + " points to a name, not to the address " + host,
           target.ends_with('.')      ? "write it without the trailing dot, and leave --type out"
           : what == "a CNAME record" ? "leave --type out"
                                      : "");
  check_target_name(target, "target", root);
  return host;
}

// "10 mail.example.com" (RFC 1035, 3.3.9), "0 5 5060 sip.example.com" (RFC 2782): numbers to 65535, then a name. A
// single dot there says that there is no such service (RFC 7505).
std::string numbers_and_name(const std::string& type, const std::string& target, const std::string& root) {
  const std::size_t numbers = type == "MX" ? 1 : 3;
  std::vector<std::string> words;
  for (std::size_t begin = 0; (begin = target.find_first_not_of(' ', begin)) != std::string::npos;) {
    const auto end = std::min(target.find(' ', begin), target.size());
    words.push_back(target.substr(begin, end - begin));
    begin = end;
  }
  const bool numeric = words.size() == numbers + 1 && std::all_of(words.begin(), words.end() - 1, [](const auto& word) {
                         return word.size() <= 5 && word.find_first_not_of("0123456789") == std::string::npos &&
                                std::stol(word) <= 65535;
                       });
  if (!numeric)
    refuse("the target " + target + " is not a valid " + type + " value",
           type == "MX" ? "it has a priority and a name: \"10 mail." + root + "\""
                        : "it has priority, weight, port and a name: \"0 5 5060 sip." + root + "\"");
  auto& name = words.back();
  if (name != ".") name = pointed_to(name, "an " + type + " record", root);
  std::string value;
  for (const auto& word : words) value += (value.empty() ? "" : " ") + word;
  return value;
}

route53::AliasTarget alias_of(const std::string& target, const std::string& domain, const route53::HostedZoneId& zone) {
  const auto name = pointed_to(target, "an alias", domain);
  if (auto balancer = route53::load_balancer_zone(name)) return {std::move(*balancer), name, false};
  if (name == domain || name.ends_with("." + domain)) return {zone, name, false};
  refuse("an alias cannot point to " + target,
         "its target is an AWS load balancer or a name in " + domain + "; without --alias it becomes a CNAME");
}

std::string value_of(const std::string& type, const std::string& target, const std::string& name,
                     const std::string& root) {
  if (type == "A" && !is_address(AF_INET, target)) refuse("an A record needs an IPv4 address, not " + target, "");
  if (type == "AAAA" && !is_address(AF_INET6, target))
    refuse("an AAAA record needs an IPv6 address, not " + target, "");
  if (type == "TXT") return target.starts_with('"') ? target : route53::quote_txt(target);
  if (type == "MX" || type == "SRV") return numbers_and_name(type, target, root);
  if (type == "NS") return pointed_to(target, "an NS record", root);
  if (type != "CNAME") return target;
  auto host = pointed_to(target, "a CNAME record", root);
  if (host == name) refuse("the CNAME " + name + " would point to itself", "");
  return host;
}

// The owner record's name begins with the type, so that a name's first label has less room than DNS would give it.
void check_room_for_owner(const route53::RecordSet& record, std::string_view domain) {
  if (is_possible_name(owner_record_name(record.name, record.type, domain))) return;
  const auto room = 63 - record.type.size() - 1;
  const auto label = std::min(record.name.find('.'), record.name.size());
  if (label > room)
    refuse("the first label of " + record.name + " has " + std::to_string(label) + " characters, and a " + record.type +
               " record of ours has room for " + std::to_string(room),
           "its owner record needs the rest: " + owner_record_name("<name>", record.type));
  refuse("name " + record.name + " has " + std::to_string(record.name.size()) + " characters, and a " + record.type +
             " record of ours has room for " + std::to_string(253 - record.type.size() - 1),
         "its owner record needs the rest");
}

}  // namespace

void check_target_name(const std::string& target, std::string_view called, std::string_view domain) {
  const auto shown = std::string(called) + " " + target;
  if (target.find("://") != std::string::npos) refuse(shown + " is a URL", "give the host name in it alone");
  if (has_port(target)) refuse(shown + " has a port", "a DNS record has none: leave it out");
  const auto host = route53::from_wire_name(target);
  if (looks_like_address(host))
    refuse(
        shown + " is not a valid address",
        target.find(':') != std::string::npos
            ? "an IPv6 address has eight groups of hexadecimal digits, or fewer with :: once"
            : "an IPv4 address has four numbers from 0 to 255, written without leading zeros; a name does not end in "
              "a number");
  check_host(host, called, false);
  if (host.find('.') == std::string::npos && !target.ends_with('.'))
    refuse(shown + " has no dot, and would be a name at the top level of DNS",
           "write " + host + "." + route53::from_wire_name(domain) + ", or " + host + ". if it is meant so");
}

bool is_possible_name(std::string_view name) {
  if (name.size() > 253) return false;
  while (!name.empty()) {
    const auto end = std::min(name.find('.'), name.size());
    if (end == 0 || end > 63) return false;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return true;
}

std::string record_name(std::string_view name, std::string_view domain, bool wildcard) {
  const bool absolute = name.ends_with('.');
  auto plain = route53::from_wire_name(name);
  const auto root = route53::from_wire_name(domain);
  if (plain.empty()) refuse("a record needs a name", "a label such as acme, a name in " + root + ", or @ for " + root);
  const bool inside = plain == root || plain.ends_with("." + root);
  if (plain == "@")
    plain = root;
  else if (!absolute && !inside) {
    if (plain.find('.') != std::string::npos && plain.rfind("*.", 0) != 0)
      refuse(plain + " is not in the domain " + root,
             "write " + plain + "." + root + ", or a trailing dot if it is meant so");
    plain += "." + root;
  }
  if (wildcard && !plain.starts_with("*.")) plain = "*." + plain;
  check_host(plain, "name", true);
  return plain;
}

bool leads_to_load_balancer(const SetRecord& wanted) {
  if (wanted.target) {
    if (wanted.target->empty())
      refuse("--target is empty",
             "if it comes from a variable, that may be unset; leave --target out for the load balancer");
    return false;
  }
  const auto type = checked_type(wanted);
  if (type.empty() || type == "A" || type == "AAAA" || type == "CNAME") return true;
  refuse("the record type " + type + " needs --target",
         "only an A, AAAA or CNAME record leads to the load balancer without it");
}

route53::RecordSet wanted_record(const SetRecord& wanted, std::string_view domain, std::string_view load_balancer,
                                 const route53::HostedZoneId& zone) {
  const auto target = !leads_to_load_balancer(wanted) ? *wanted.target
                      : !wanted.load_balancer.empty() ? wanted.load_balancer
                                                      : std::string(load_balancer);
  if (target.empty())
    refuse("no target is given, and the load balancer is not known",
           "give --target, or set kubernetes.loadBalancer of the context (LITEDESK_LOAD_BALANCER)");
  if (wanted.ttl < 0 || wanted.ttl > 2147483647) refuse("a TTL is 0 to 2147483647 seconds", "");
  const auto root = route53::from_wire_name(domain);
  route53::RecordSet record;
  record.name = record_name(wanted.name, domain, wanted.wildcard);
  record.type = type_of(wanted, target);
  check_room_for_owner(record, domain);
  if (wanted.alias) {
    record.ttl = 0;
    record.alias = alias_of(target, root, zone);
  } else {
    record.ttl = wanted.ttl;
    record.values = {value_of(record.type, target, record.name, root)};
  }
  return record;
}

}  // namespace litedesk
