// The proof that an instance serves: it is asked from outside, as its customers do, with a login that nobody has. That
// needs no right and no secret, and tells that DNS name, certificate, ingress, server, origins and database rights fit.
#pragma once

#include <chrono>
#include <string>

#include "commands/app_profile.hpp"
#include "commands/world.hpp"
#include "providers/http/transport.hpp"

namespace litedesk {

enum class Serving {
  yes,
  no,       // it answers, and cannot work: waiting does not help
  not_yet,  // the ingress has nobody to hand it to, or has not taken up the certificate
  unknown,  // nobody answers there from this machine, or nothing can be asked
};
struct ApplicationAnswer {
  Serving serving = Serving::unknown;
  std::string message;       // one sentence
  bool certificate = false;  // somebody answered, and showed a certificate that is not the host's or not trusted
};

// What an HTTP answer to the check's request says.
[[nodiscard]] ApplicationAnswer judge_answer(const ApplicationCheck& check, const std::string& host,
                                             const http::Response& response);

// Asks once. `load_balancer`: where the instance's host is served, a name or an address; empty: as the host's own name
// resolves. Throws Cancelled alone.
[[nodiscard]] ApplicationAnswer ask_application(const World& world, const std::string& host,
                                                const std::string& load_balancer);

struct ProofOptions {
  std::string load_balancer;
  bool required = false;                // nobody answering is waited for as well
  std::chrono::milliseconds timeout{};  // of everything
};
// Asks until it knows: what is not there yet is asked for again, within the time-out. The application itself, which
// counts logins, is asked three times at most. Tells the observer, as part "application". `not_yet` when time was up.
[[nodiscard]] ApplicationAnswer prove_it_serves(const World& world, const std::string& host,
                                                const ProofOptions& options, const Observer& observer);

// "ok", "failed" or "unknown": for the record and for parts.
[[nodiscard]] std::string_view to_state(Serving serving);

}  // namespace litedesk
