#include "commands/domain_name.hpp"

#include <algorithm>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace litedesk {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

std::string normal_domain(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  std::string name(domain);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return name;
}

std::string fault_of_domain(std::string_view domain, Letters letters) {
  if (domain.size() > 253) return "it has more than 253 characters";
  std::size_t labels = 0;
  std::string_view last;
  for (std::size_t begin = 0; begin <= domain.size();) {
    const std::size_t end = std::min(domain.find('.', begin), domain.size());
    const std::string_view label = domain.substr(begin, end - begin);
    if (label.empty()) return "a part of it is empty";
    if (label.size() > 63) return fmt::format("its part \"{}\" has more than 63 characters", label);
    if (label.front() == '-' || label.back() == '-')
      return fmt::format("its part \"{}\" begins or ends with '-'", label);
    for (const char c : label) {
      const bool beyond_ascii = static_cast<unsigned char>(c) >= 0x80;
      if (beyond_ascii && letters == Letters::any) continue;
      if (beyond_ascii) return "it has letters beyond ASCII: give its Punycode form (xn--...)";
      if (!is_alphanumeric(c) && c != '-') return fmt::format("it contains '{}'", c);
    }
    ++labels;
    last = label;
    begin = end + 1;
  }
  if (labels < 2) return "it has no dot";
  const bool digits = std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits ? "it ends with a number, as addresses do" : "";
}

bool is_ip_address(std::string_view text) {
  const std::string address(text);
  in6_addr parsed{};  // room for either
  return ::inet_pton(AF_INET, address.c_str(), &parsed) == 1 || ::inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
}

}  // namespace litedesk
