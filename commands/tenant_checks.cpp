#include "commands/tenant_checks.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "commands/dns_records.hpp"
#include "commands/domain_name.hpp"
#include "commands/nearest.hpp"
#include "commands/slug.hpp"
#include "providers/error.hpp"
#include "providers/utf8.hpp"

namespace litedesk {
namespace {

constexpr std::array<std::string_view, 5> company_sizes = {"1-10", "11-50", "51-200", "201-500", "500+"};
constexpr std::array<std::string_view, 2> placements = {"shared", "dedicated"};
constexpr std::size_t most_tags = 50;

[[noreturn]] void refuse(std::string message, std::string hint) {
  throw UsageError({.message = std::move(message), .hint = std::move(hint), .resource = {}, .cause = {}});
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

std::string check_text(std::string_view what, std::string_view text, std::size_t longest, bool one_line) {
  text = trim(text);
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = decode_utf8(text.substr(at));
    if (c.size == 0) refuse(fmt::format("{} is not valid UTF-8 at byte {}", what, at + 1), "set the locale to UTF-8");
    const bool control = c.value < 0x20 || c.value == 0x7F || (c.value >= 0x80 && c.value < 0xA0);
    const bool allowed = !one_line && (c.value == '\n' || c.value == '\t');
    if (control && !allowed) {
      refuse(
          fmt::format("{} has the control character U+{:04X} at byte {}", what, static_cast<unsigned>(c.value), at + 1),
          "remove it");
    }
    if (is_deceptive(c.value)) {
      refuse(fmt::format("{} has the invisible character U+{:04X} at byte {}", what, static_cast<unsigned>(c.value),
                         at + 1),
             "remove it: it makes text look like other text");
    }
    at += c.size;
  }
  const std::size_t length = count_characters(text);
  if (length > longest)
    refuse(fmt::format("{} has {} characters, and at most {} are allowed", what, length, longest), "shorten it");
  return std::string(text);
}

std::string check_choice(std::string_view flag, std::string_view value, std::span<const std::string_view> choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return std::string(value);
  std::string hint = did_you_mean(nearest(value, choices));
  if (hint.empty()) hint = fmt::format("must be one of {}", fmt::join(choices.begin(), choices.end(), ", "));
  refuse(fmt::format("{} \"{}\" is invalid", flag, value), std::move(hint));
}

}  // namespace

std::string check_company(std::string_view company) {
  std::string name = check_text("the company's name", company, 200, true);
  if (name.empty()) refuse("the company's name is empty", "give the name as the customer writes it: \"Acme Inc\"");
  return name;
}

std::string check_line(std::string_view flag, std::string_view text, std::size_t longest) {
  return check_text(flag, text, longest, true);
}

std::string check_notes(std::string_view notes) {
  return check_text("--notes", notes, 4000, false);
}

std::string check_email(std::string_view email) {
  std::string address = check_text("--email", email, 254, true);
  const auto no_address = [&address](std::string_view why) {
    refuse(fmt::format("--email \"{}\" is not an e-mail address: {}", address, why),
           "give one like owner@acme.example");
  };
  if (address.empty()) no_address("it is empty");
  const std::size_t at = address.rfind('@');
  if (at == std::string::npos) no_address("it has no '@'");
  const std::string_view local = std::string_view(address).substr(0, at);
  const std::string_view domain = std::string_view(address).substr(at + 1);
  if (local.empty()) no_address("it has nothing before the '@'");
  if (domain.empty()) no_address("it has nothing after the '@'");
  if (local.size() > 64) no_address("it has more than 64 characters before the '@'");
  const std::size_t odd = local.find_first_of(" \"(),:;<>@[\\]");
  if (odd != std::string_view::npos) no_address(fmt::format("it contains '{}' before the '@'", local[odd]));
  if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos) {
    no_address("the part before the '@' begins or ends with a dot, or has two in a row");
  }
  const std::string fault = fault_of_domain(domain, Letters::any);
  if (!fault.empty()) no_address(fmt::format("{} is not a domain: {}", domain, fault));
  return address;
}

std::string check_custom_domain(std::string_view domain) {
  std::string name = check_text("--custom-domain", domain, 254, true);
  if (name.empty()) return name;
  name = normal_domain(name);
  const std::string fault = fault_of_domain(name);
  if (!fault.empty()) {
    refuse(fmt::format("--custom-domain \"{}\" is not a DNS name: {}", name, fault), "give one like crm.acme.example");
  }
  return name;
}

void check_below_base(std::string_view custom_domain, std::string_view base, std::string_view slug) {
  const auto refuse_it = [&](std::string_view why, std::string hint) {
    refuse(fmt::format("--custom-domain {} {}", custom_domain, why), std::move(hint));
  };
  if (custom_domain == base) refuse_it("is LiteDesk's own domain", "give one of the customer's own");
  if (custom_domain.size() <= base.size() || !custom_domain.ends_with(base) ||
      custom_domain[custom_domain.size() - base.size() - 1] != '.')
    return;
  const std::string_view below = custom_domain.substr(0, custom_domain.size() - base.size() - 1);
  if (below == slug) refuse_it("is already the tenant's own host", "leave --custom-domain out, or give another name");
  if (is_reserved_slug(below))
    refuse_it("is LiteDesk's own host", fmt::format("{} is reserved: take another name", below));
  // Who has a host may set cookies for the names above it: what is below acme.litedesk.com is acme's alone.
  const bool below_own =
      below.size() > slug.size() && below.ends_with(slug) && below[below.size() - slug.size() - 1] == '.';
  if (below.find('.') != std::string_view::npos && !below_own) {
    refuse_it(
        fmt::format("is below another name of {}", base),
        fmt::format("give one label below {0}, a name below {1}.{0}, or a domain of the customer's own", base, slug));
  }
  const std::string_view label = below.substr(0, below.find('.'));
  if (label.size() > longest_owned_label) {
    refuse_it(fmt::format("has a first label of {} characters", label.size()),
              fmt::format("at most {} are possible there: the owner record beside it is named cname-{}...",
                          longest_owned_label, label.substr(0, 8)));
  }
}

std::string check_company_size(std::string_view size) {
  return size.empty() ? std::string() : check_choice("--size", size, company_sizes);
}

std::string check_placement(std::string_view placement) {
  return check_choice("--placement", placement, placements);
}

std::vector<std::string> check_tags(const std::vector<std::string>& tags) {
  std::vector<std::string> kept;
  for (const std::string& given : tags) {
    std::string tag = check_text("--tag", given, 63, true);
    if (tag.empty()) refuse("--tag is empty", "give it a word");
    const std::size_t odd = tag.find_first_of(" ,;=\"'");
    if (odd != std::string::npos) {
      refuse(fmt::format("--tag \"{}\" contains '{}'", tag, tag[odd]), "give each --tag one word");
    }
    if (std::find(kept.begin(), kept.end(), tag) == kept.end()) kept.push_back(std::move(tag));
  }
  if (kept.size() > most_tags)
    refuse(fmt::format("{} tags are too many", kept.size()), fmt::format("at most {}", most_tags));
  return kept;
}

}  // namespace litedesk
