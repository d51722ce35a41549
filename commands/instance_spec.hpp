// The desired state of one instance, as resources of three providers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "commands/app_profile.hpp"
#include "commands/components.hpp"
#include "commands/resource.hpp"
#include "commands/settings.hpp"
#include "commands/tenant.hpp"
#include "commands/tiers.hpp"
#include "providers/system/secret.hpp"
#include "templates/files.hpp"

namespace litedesk {

// What the world outside tells before the desired state can be made.
struct SpecInputs {
  Tenant tenant;
  Tier tier;
  std::string load_balancer;            // host name or IPv4 address; may be empty with dns.strategy wildcard or none
  std::string database_host;            // of the shared cluster's SRV record: "crm.ab12c.mongodb.net"
  std::string registry_id;              // goes into the namespace's annotation and the DNS owner record
  bool cert_manager = true;             // its CRDs are served: a Certificate can be made
  Secret database_password;             // kept from the live Secret, or drawn anew
  const AppProfile* profile = nullptr;  // never null where it is used
  LiveClaims claims;                    // of volumes that are there
  std::map<std::string, Secret> app_secrets;  // the keys of the Secret `app`
};

// Which database the instance's server opens: the profile's rule, or the context's.
[[nodiscard]] DatabaseRule database_rule(const AppProfile& profile, const Settings& settings);
[[nodiscard]] std::string database_name(const AppProfile& profile, const Settings& settings, std::string_view slug);
// The key in the Secret `app` of an optional variable that is a secret: "smtp-pass" of SMTP_PASS.
[[nodiscard]] std::string secret_key(std::string_view variable);

// The variables that templates see. Secret values appear as they are: the caller masks what it prints.
[[nodiscard]] Json template_context(const SpecInputs& inputs, const Settings& settings);
// The Kubernetes objects of the instance: every file of instance/, sorted by file name and document, labels added,
// namespace set. Throws ValidationError with file and line.
[[nodiscard]] std::vector<Json> render_instance(const templates::Files& files, const SpecInputs& inputs,
                                                const Settings& settings);
// A copy fit to print: the values of Secret objects' data and stringData replaced by "(masked, N bytes)".
[[nodiscard]] Json mask_secrets(const Json& object);

}  // namespace litedesk
