#include "commands/application_check.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "providers/error.hpp"
#include "providers/http/url.hpp"
#include "providers/read_json.hpp"
#include "templates/renderer.hpp"

namespace litedesk {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// With one request: a server whose database is out of reach says so after half a minute.
constexpr milliseconds patience{40'000};
constexpr milliseconds between{2'000};
// An ingress controller takes up a new certificate within seconds.
constexpr milliseconds until_certificate{30'000};
constexpr const char* summary = "ask the application of ";
constexpr int most_questions = 3;  // LiteDesk allows five logins in a quarter of an hour

// What a JSON answer says of itself: that it failed, and why. Of a page nothing is quoted: it may say anything.
std::string words_of(const http::Response& response) {
  constexpr std::size_t most = 300;
  std::string words;
  try {
    const auto json = parse_json(response.body);
    if (json.is_object())
      for (const auto* key : {"message", "error"})
        if (json.contains(key) && json[key].is_string())
          words += (words.empty() ? "" : " ") + json[key].get<std::string>();
  } catch (const Error&) {
    return {};
  }
  return words.substr(0, most);
}

std::string media_type(const http::Response& response) {
  const auto value = http::find(response.headers, "Content-Type");
  return std::string(value.substr(0, value.find(';')));
}

ApplicationAnswer fault_answer(const CheckFault& fault, const std::string& host, const std::string& status,
                               const std::string& words) {
  if (fault.look == "origins")
    return {Serving::no, "it refuses its own pages (" + status + "): https://" + host +
                             " must be among the origins that its environment allows"};
  return {Serving::no, "it cannot use its database (" + status + (words.empty() ? "" : ": " + words) +
                           "): check that the database user may read and write the database that the server opens"};
}

http::Request question(const World& world, const std::string& host, const std::string& load_balancer) {
  const auto& check = *world.profile().check;
  const auto& connect = world.settings.kubernetes.load_balancer_connect;
  http::Request request;
  request.method = http::Method::post;
  request.headers = {{"Content-Type", "application/json"}, {"Origin", "https://" + host}};
  if (connect.starts_with("http://")) {
    request.url = connect + check.path;
    request.headers.push_back({"Host", host});
  } else {
    request.url = "https://" + host + check.path;
    const bool ipv6 = load_balancer.find(':') != std::string::npos;
    request.connect_to = !connect.empty()        ? connect
                         : load_balancer.empty() ? std::string()
                                                 : (ipv6 ? "[" + load_balancer + "]" : load_balancer) + ":443";
  }
  if (check.body) {
    const Json context = {{"names", {{"host", host}}}};
    const auto rendered = templates::render_documents({world.profile().origin, {*check.body}}, context);
    if (!rendered.empty()) request.body = rendered.front().value.dump();
  }
  request.timeout = patience;
  request.repeat = http::Repeat::unsafe;
  request.mutates = false;
  request.summary = summary + host;
  request.max_response_bytes = 1U << 20;
  return request;
}

// Its message without the words on what was tried, which the part's name says.
std::string without_summary(const Error& error) {
  const auto& message = error.message();
  return message.starts_with(summary) ? message.substr(message.find(": ") + 2) : message;
}

// Whether the application itself has answered, and counted.
bool was_asked(const ApplicationAnswer& answer) {
  return answer.serving == Serving::yes || answer.serving == Serving::no;
}

void tell(const Observer& observer, StepState state, const ApplicationAnswer& answer, milliseconds elapsed) {
  if (observer) observer({"application", state, answer.message, elapsed});
}

}  // namespace

ApplicationAnswer judge_answer(const ApplicationCheck& check, const std::string& host, const http::Response& response) {
  const auto status = std::to_string(response.status);
  if (std::find(check.serves.begin(), check.serves.end(), response.status) != check.serves.end())
    return {Serving::yes, "answers " + status + " to a login that nobody has"};
  const auto type = media_type(response), words = words_of(response);
  for (const auto& fault : check.faults)
    if (fault.status == response.status && (fault.content_type.empty() || fault.content_type == type))
      return fault_answer(fault, host, status, words);
  switch (response.status) {
    case 404:
      return {Serving::not_yet, "the ingress does not route " + host + check.path + " (404)"};
    case 502:
    case 503:
    case 504:
      return {Serving::not_yet, "the ingress reaches no pod of the application (" + status + ")"};
    case 429:
      return {Serving::unknown, "it was asked too often (429): ask again in a quarter of an hour"};
    default:
      return {Serving::no, "it answers " + status + (words.empty() ? "" : " (" + words + ")") +
                               " to a login, and not " + std::to_string(check.serves.front())};
  }
}

ApplicationAnswer ask_application(const World& world, const std::string& host, const std::string& load_balancer) {
  if (!world.profile().check) return {Serving::unknown, "profile " + world.profile().name + " says no way to ask it"};
  try {
    return judge_answer(*world.profile().check, host,
                        world.gate.send(question(world, host, load_balancer), world.interrupted));
  } catch (const Cancelled&) {
    throw;
  } catch (const http::CertificateError& error) {
    return {Serving::not_yet, without_summary(error), true};
  } catch (const Error& error) {
    return {Serving::unknown, "nobody answers at " + host + " from this machine: " +
                                  (error.cause().empty() ? without_summary(error) : error.cause())};
  }
}

ApplicationAnswer prove_it_serves(const World& world, const std::string& host, const ProofOptions& options,
                                  const Observer& observer) {
  const auto begin = world.clock.steady();
  const auto elapsed = [&] { return duration_cast<milliseconds>(world.clock.steady() - begin); };
  tell(observer, StepState::running, {Serving::unknown, "asking https://" + host}, elapsed());
  ApplicationAnswer answer;
  for (int asked = 0;;) {
    const auto before = answer.message;
    answer = ask_application(world, host, options.load_balancer);
    if (was_asked(answer)) ++asked;
    if (answer.serving == Serving::yes) break;
    if (answer.serving == Serving::no && asked >= most_questions) break;
    if (answer.serving == Serving::unknown && (!options.required || !world.profile().check)) break;
    if (answer.certificate && elapsed() >= until_certificate) {
      answer.serving = Serving::no;
      break;
    }
    if (answer.message != before) tell(observer, StepState::running, answer, elapsed());
    if (elapsed() + between >= options.timeout) break;
    if (!world.clock.wait(between, world.interrupted)) throw Cancelled("interrupted while asking the application");
  }
  tell(observer,
       answer.serving == Serving::yes       ? StepState::done
       : answer.serving == Serving::unknown ? StepState::skipped
                                            : StepState::failed,
       answer, elapsed());
  return answer;
}

std::string_view to_state(Serving serving) {
  return serving == Serving::yes ? "ok" : serving == Serving::unknown ? "unknown" : "failed";
}

}  // namespace litedesk
