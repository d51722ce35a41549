// What may stand in a record's value, a type each.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html
#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "providers/sandbox/route53_names.hpp"
#include "providers/sandbox/route53_record.hpp"

namespace litedesk::sandbox::route53 {

namespace {

constexpr std::array<std::string_view, 16> types = {"A",  "AAAA", "CAA", "CNAME", "DS",  "HTTPS", "MX",   "NAPTR",
                                                    "NS", "PTR",  "SOA", "SPF",   "SRV", "SSHFP", "SVCB", "TLSA"};

std::string fatal(std::string_view code, std::string_view words, std::string_view at) {
  return fmt::format("FATAL problem: {} ({}) encountered with '{}'", code, words, at);
}

// Quoted strings of at most 255 characters, separated by blanks; \" and \\ stand for themselves.
std::optional<std::string> text_problem(std::string_view value) {
  constexpr std::size_t longest = 255;
  std::size_t i = 0;
  bool any = false;
  while (true) {
    while (i < value.size() && (value[i] == ' ' || value[i] == '\t')) ++i;
    if (i == value.size()) break;
    if (value[i] != '"') return fatal("InvalidCharacterString", "Value should be enclosed in quotation marks", value);
    const auto begin = ++i;
    std::size_t length = 0;
    while (i < value.size() && value[i] != '"') {
      if (value[i] == '\\') {
        const bool octal = i + 3 < value.size() && value[i + 1] >= '0' && value[i + 1] <= '3';
        i += octal ? 3 : 1;
      }
      ++i;
      ++length;
    }
    if (i >= value.size()) return fatal("InvalidCharacterString", "Value should be enclosed in quotation marks", value);
    if (length > longest) return fatal("CharacterStringTooLong", "Value is too long", value.substr(begin, i - begin));
    ++i;
    any = true;
  }
  if (!any) return fatal("InvalidCharacterString", "Value should be enclosed in quotation marks", value);
  return std::nullopt;
}

std::optional<std::string> name_problem(std::string_view value) {
  std::optional<std::string> problem;
  [[maybe_unused]] const auto name = canonical_name(value, problem);
  return problem;
}

std::vector<std::string_view> words_of(std::string_view value) {
  std::vector<std::string_view> words;
  while (true) {
    const auto begin = value.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    const auto end = value.find_first_of(" \t", begin);
    words.push_back(value.substr(begin, end - begin));
    if (end == std::string_view::npos) return words;
    value.remove_prefix(end);
  }
}

bool is_number(std::string_view text, std::uint32_t most) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value <= most;
}

// `numbers` small numbers, then a domain name.
std::optional<std::string> numbered_name_problem(std::string_view value, std::size_t numbers) {
  const auto words = words_of(value);
  if (words.size() != numbers + 1) return fatal("MissingOrExtraFields", "Value has too few or too many fields", value);
  for (std::size_t i = 0; i < numbers; ++i)
    if (!is_number(words[i], 65535)) return fatal("InvalidNumber", "Value is not a number from 0 to 65535", words[i]);
  return name_problem(words.back());
}

std::optional<std::string> soa_problem(std::string_view value) {
  const auto words = words_of(value);
  if (words.size() != 7) return fatal("MissingOrExtraFields", "Value has too few or too many fields", value);
  for (std::size_t i = 2; i < words.size(); ++i)
    if (!is_number(words[i], 2147483647)) return fatal("InvalidNumber", "Value is not a number", words[i]);
  for (std::size_t i = 0; i < 2; ++i)
    if (auto problem = name_problem(words[i])) return problem;
  return std::nullopt;
}

std::optional<std::string> caa_problem(std::string_view value) {
  const auto words = words_of(value);
  if (words.size() < 3 || !is_number(words[0], 255))
    return fatal("CAARRDATAIllegal", "Value is not flags, tag and quoted text", value);
  return text_problem(value.substr(static_cast<std::size_t>(words[2].data() - value.data())));
}

}  // namespace

bool is_known_type(std::string_view type) {
  return type == "TXT" || std::find(types.begin(), types.end(), type) != types.end();
}

std::optional<std::string> value_problem(const std::string& type, const std::string& value) {
  if (type == "A") {
    in_addr address{};
    if (::inet_pton(AF_INET, value.c_str(), &address) == 1) return std::nullopt;
    return fatal("ARRDATAIllegalIPv4Address", "Value is not a valid IPv4 address", value);
  }
  if (type == "AAAA") {
    in6_addr address{};
    if (::inet_pton(AF_INET6, value.c_str(), &address) == 1) return std::nullopt;
    return fatal("AAAARRDATAIllegalIPv6Address", "Value is not a valid IPv6 address", value);
  }
  if (type == "TXT" || type == "SPF") return text_problem(value);
  if (type == "CNAME" || type == "NS" || type == "PTR") return name_problem(value);
  if (type == "MX") return numbered_name_problem(value, 1);
  if (type == "SRV") return numbered_name_problem(value, 3);
  if (type == "SOA") return soa_problem(value);
  if (type == "CAA") return caa_problem(value);
  if (words_of(value).empty()) return fatal("EmptyValue", "Value is empty", value);
  return std::nullopt;
}

}  // namespace litedesk::sandbox::route53
