#include "cli/interruption.hpp"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace litedesk::cli {
namespace {

// The first few of them, and how many more there are.
std::string listed(std::vector<std::string> requests) {
  constexpr std::size_t most = 4;
  const std::size_t more = requests.size() > most ? requests.size() - most : 0;
  requests.resize(requests.size() - more);
  return fmt::format("{}{}", fmt::join(requests, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

}  // namespace

void Interruption::say(Words words) {
  const std::lock_guard guard(mutex_);
  words_ = std::move(words);
}

void Interruption::set_teller(std::function<void(std::string_view)> teller) {
  const std::lock_guard guard(telling_);
  teller_ = std::move(teller);
}

void Interruption::set_in_flight(std::function<std::vector<std::string>()> in_flight) {
  const std::lock_guard guard(mutex_);
  in_flight_ = std::move(in_flight);
}

void Interruption::tell_first() const {
  std::string text;
  {
    const std::lock_guard guard(mutex_);
    text = words_.first;
    if (text.empty() && in_flight_) {
      if (const auto requests = in_flight_(); !requests.empty())
        text =
            fmt::format("interrupted: waiting for the response to: {}\nCtrl-C again stops at once", listed(requests));
    }
  }
  const std::lock_guard guard(telling_);
  if (!text.empty() && teller_) teller_(text);
}

Cancelled Interruption::second() const {
  const std::lock_guard guard(mutex_);
  std::vector<std::string> requests;
  if (in_flight_) requests = in_flight_();
  std::string hint = words_.hint;
  if (hint.empty() && !requests.empty()) hint = "it may have taken effect anyway: check before you repeat it";
  return Cancelled(
      {.message = words_.second.empty() ? "stopped at once" : words_.second,
       .hint = std::move(hint),
       .resource = {},
       .cause = requests.empty() ? "no change was in flight" : "in flight: " + listed(std::move(requests))});
}

}  // namespace litedesk::cli
