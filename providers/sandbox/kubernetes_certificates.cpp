// cert-manager: issuers, and Certificates on their way, with the conditions in the order that the real controllers set
// them. The host decides what becomes of its certificate: `unreachable.` and what follows never passes the check of its
// challenge, `denied.` fails it, and the authority refuses what ends in `blocked.example`.
#include <algorithm>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_certificate_authority.hpp"
#include "providers/sandbox/kubernetes_controllers.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_names.hpp"
#include "providers/sandbox/kubernetes_write.hpp"

namespace litedesk::sandbox::kube {

namespace {

constexpr double issue_seconds = 2;
constexpr double settle_seconds = 0.1;
constexpr double retry_seconds = 3600;
constexpr int valid_days = 90;
constexpr Millis day = 86'400'000;
constexpr std::string_view component = "cert-manager-certificates-issuing";
constexpr const char* certificates = "certificates.cert-manager.io";
constexpr const char* requests = "certificaterequests.cert-manager.io";

std::vector<std::string> hosts_of(const Json& certificate) {
  std::vector<std::string> hosts;
  if (const auto& names = at(certificate, "spec.dnsNames"); names.is_array())
    for (const auto& name : names) hosts.push_back(plain(name));
  if (const auto common = text(certificate, "spec.commonName"); !common.empty() && hosts.empty())
    hosts.push_back(common);
  return hosts;
}

class Issuance {
 public:
  Issuance(World& world, Record certificate) : world_(world), certificate_(std::move(certificate)) {
    if (!certificate_.note.is_object()) certificate_.note = Json::object();
    conditions_ = at(certificate_.object, "status.conditions");
  }

  void run() {
    if (up_to_date()) return;
    const auto step = text(certificate_.note, "step");
    const bool changed =
        integer(certificate_.note, "generation") != integer(certificate_.object, "metadata.generation");
    if (step.empty() || step == "done" || changed) return begin();
    if (due() > world_.now()) return wait();
    if (step == "request") return ask_issuer();
    if (step == "issue") return issue();
    if (step == "settle") return settle();
    if (step == "retry") return begin();
  }

 private:
  [[nodiscard]] std::string home() const { return namespace_of(certificate_.object); }
  [[nodiscard]] std::string name() const { return name_of(certificate_.object); }
  [[nodiscard]] std::int64_t revision() const { return integer(certificate_.object, "status.revision"); }
  [[nodiscard]] std::string request_name() const { return fmt::format("{}-{}", name(), revision() + 1); }
  [[nodiscard]] Millis due() const { return certificate_.note.value("due", Millis{0}); }

  void wait() { world_.wake_at(due(), "certificate", home(), name()); }

  void next(const char* step, double seconds) {
    certificate_.note["step"] = step;
    certificate_.note["due"] = world_.in(seconds);
    certificate_.note["generation"] = integer(certificate_.object, "metadata.generation");
    wait();
  }

  void set(const char* type, bool status, const char* reason, const std::string& message) {
    set_condition(conditions_,
                  {{"type", type},
                   {"status", status ? "True" : "False"},
                   {"reason", reason},
                   {"message", message},
                   {"observedGeneration", integer(certificate_.object, "metadata.generation")}},
                  world_.stamp());
  }

  void store() {
    certificate_.object["status"]["conditions"] = conditions_;
    world_.put(certificates, certificate_);
  }

  [[nodiscard]] bool secret_there() {
    const auto secret = world_.get("secrets", home(), text(certificate_.object, "spec.secretName"));
    return secret && annotation_of(secret->object, "cert-manager.io/certificate-name") == name();
  }

  bool up_to_date() {
    return text(certificate_.note, "step") == "done" && secret_there() &&
           integer(certificate_.note, "generation") == integer(certificate_.object, "metadata.generation");
  }

  void begin() {
    constexpr const char* why = "Issuing certificate as Secret does not exist";
    set("Issuing", true, "DoesNotExist", why);
    certificate_.object["status"]["nextPrivateKeySecretName"] =
        fmt::format("{}-{}", name(), random_suffix(uid_of(certificate_.object)));
    store();
    if (!secret_there()) set("Ready", false, "DoesNotExist", why);
    record_event(world_, certificate_.object, "Normal", "Issuing", why, "cert-manager-certificates-trigger");
    next("request", 0);
    make_request();
    store();
  }

  void make_request() {
    const auto& kind = world_.kinds().get(requests);
    if (auto old = world_.get(kind, home(), request_name())) world_.erase(kind, *old);
    const Json request = {{"apiVersion", "cert-manager.io/v1"},
                          {"kind", "CertificateRequest"},
                          {"metadata",
                           {{"name", request_name()},
                            {"annotations",
                             {{"cert-manager.io/certificate-name", name()},
                              {"cert-manager.io/certificate-revision", std::to_string(revision() + 1)}}},
                            {"ownerReferences", Json::array({owner_reference(certificate_.object)})}}},
                          {"spec",
                           {{"issuerRef", at(certificate_.object, "spec.issuerRef")},
                            {"request", base64(fmt::format("request for {}", name()))},
                            {"usages", {"digital signature", "key encipherment"}}}}};
    WriteOptions options;
    options.manager = "cert-manager-certificates-request-manager";
    create_object(world_, kind, home(), request, options);
    request_condition("Approved", true, "cert-manager.io", "Certificate request has been approved by cert-manager.io");
  }

  void request_condition(const char* type, bool status, const char* reason, const std::string& message,
                         const Json& more = nullptr) {
    auto request = world_.get(requests, home(), request_name());
    if (!request) return;
    auto of_request = at(request->object, "status");
    if (!of_request.is_object()) of_request = Json::object();
    set_condition(of_request["conditions"],
                  {{"type", type}, {"status", status ? "True" : "False"}, {"reason", reason}, {"message", message}},
                  world_.stamp());
    if (more.is_object()) of_request.update(more);
    world_.put_status(requests, *request, std::move(of_request));
  }

  void ask_issuer() {
    const auto& reference = at(certificate_.object, "spec.issuerRef");
    const auto wanted = text(reference, "name");
    const bool cluster = text(reference, "kind") == "ClusterIssuer";
    const auto issuer = world_.get(cluster ? "clusterissuers.cert-manager.io" : "issuers.cert-manager.io",
                                   cluster ? "" : home(), wanted);
    if (!issuer) {
      const std::string kind = cluster ? "ClusterIssuer" : "Issuer";
      request_condition("Ready", false, "Pending",
                        fmt::format("Referenced \"{}\" not found: {}.cert-manager.io \"{}\" not found", kind,
                                    cluster ? "clusterissuer" : "issuer", wanted));
      return;
    }
    if (text(condition_of(issuer->object, "Ready"), "status") != "True") {
      request_condition("Ready", false, "Pending", "Referenced issuer does not have a Ready status condition");
      return;
    }
    for (const auto& host : hosts_of(certificate_.object)) {
      if (host.ends_with("blocked.example"))
        return fail(
            host,
            fmt::format("Failed to wait for order resource \"{}\" to become ready: order is in \"errored\" state: "
                        "Failed to create Order: 400 urn:ietf:params:acme:error:rejectedIdentifier: Cannot issue "
                        "for \"{}\": The ACME server refuses to issue a certificate for this domain name",
                        order_name(), host));
      if (host.starts_with("unreachable.")) {
        certificate_.note["step"] = "challenge";  // for ever: nothing that is waited for comes
        store();
        return challenge(
            host, "pending",
            fmt::format("Waiting for HTTP-01 challenge propagation: failed to perform self check GET request "
                        "'http://{0}/.well-known/acme-challenge/{1}': Get \"http://{0}/.well-known/acme-challenge/"
                        "{1}\": dial tcp: lookup {0}: no such host",
                        host, random_suffix(host, 12)));
      }
      if (host.starts_with("denied.")) {
        certificate_.note["step"] = "challenge";
        store();
        challenge(
            host, "invalid",
            fmt::format("Error accepting authorization: acme: authorization error for {}: 403 "
                        "urn:ietf:params:acme:error:unauthorized: The key authorization file from the server did not "
                        "match this challenge",
                        host));
        return fail(
            host,
            fmt::format("Failed to wait for order resource \"{}\" to become ready: order is in \"invalid\" state: ",
                        order_name()));
      }
    }
    request_condition(
        "Ready", false, "Pending",
        fmt::format("Waiting on certificate issuance from order {}/{}: \"pending\"", home(), order_name()));
    next("issue", issue_seconds);
    store();
  }

  [[nodiscard]] std::string order_name() const {
    return fmt::format("{}-{}", request_name(), small_hash(uid_of(certificate_.object)));
  }

  // The words are in the Challenge alone.
  void challenge(const std::string& host, const char* state, const std::string& reason) {
    const auto* kind = world_.kinds().by_kind("acme.cert-manager.io/v1", "Challenge");
    if (kind == nullptr) return;
    const auto challenge_name = fmt::format("{}-{}", order_name(), small_hash(host));
    auto known = world_.get(*kind, home(), challenge_name);
    if (!known) {
      Json object = {
          {"apiVersion", "acme.cert-manager.io/v1"},
          {"kind", "Challenge"},
          {"metadata",
           {{"name", challenge_name}, {"ownerReferences", Json::array({owner_reference(certificate_.object)})}}},
          {"spec", {{"dnsName", host}, {"type", "HTTP-01"}, {"issuerRef", at(certificate_.object, "spec.issuerRef")}}}};
      WriteOptions options;
      options.manager = "cert-manager-orders";
      known = create_object(world_, *kind, home(), std::move(object), options);
    }
    known->object["status"] = {{"state", state}, {"reason", reason}, {"presented", true}, {"processing", true}};
    world_.put(*kind, *known);
  }

  void fail(const std::string& host, const std::string& why) {
    request_condition("Ready", false, "Failed", why, {{"failureTime", world_.stamp()}});
    const auto words = "The certificate request has failed to complete and will be retried: " + why;
    set("Issuing", false, "Failed", words);
    auto& status = certificate_.object["status"];
    status["failedIssuanceAttempts"] = integer(status, "failedIssuanceAttempts") + 1;
    status["lastFailureTime"] = world_.stamp();
    record_event(world_, certificate_.object, "Warning", "Failed", fmt::format("{} ({})", words, host), component);
    if (world_.time_scale() > 0) {
      next("retry", retry_seconds * static_cast<double>(integer(status, "failedIssuanceAttempts")));
    } else {
      certificate_.note["step"] = "failed";
      certificate_.note["generation"] = integer(certificate_.object, "metadata.generation");
    }
    store();
  }

  void issue() {
    const auto pair = make_certificate(hosts_of(certificate_.object), world_.now(), valid_days);
    store_secret(pair);
    request_condition("Ready", true, "Issued", "Certificate fetched from issuer successfully",
                      {{"certificate", base64(pair.certificate)}});
    set("Ready", true, "Ready", "Certificate is up to date and has not expired");
    auto& status = certificate_.object["status"];
    status["notBefore"] = world_.stamp();
    status["notAfter"] = to_stamp(world_.now() + valid_days * day);
    status["renewalTime"] = to_stamp(world_.now() + valid_days * day * 2 / 3);
    next("settle", settle_seconds);
    store();
  }

  void store_secret(const CertificatePair& pair) {
    const auto secret_name = text(certificate_.object, "spec.secretName");
    const auto& kind = world_.kinds().get("secrets");
    const auto& reference = at(certificate_.object, "spec.issuerRef");
    const Json data = {{"tls.crt", base64(pair.certificate)}, {"tls.key", base64(pair.key)}};
    const Json annotations = {{"cert-manager.io/certificate-name", name()},
                              {"cert-manager.io/issuer-name", text(reference, "name")},
                              {"cert-manager.io/issuer-kind", text(reference, "kind")},
                              {"cert-manager.io/issuer-group", "cert-manager.io"},
                              {"cert-manager.io/alt-names", fmt::format("{}", alternatives())}};
    WriteOptions options;
    options.manager = "cert-manager-certificates-issuing";
    if (auto known = world_.get(kind, home(), secret_name)) {
      auto object = known->object;
      object["data"] = data;
      object["metadata"]["annotations"].update(annotations);
      update_object(world_, kind, std::move(*known), std::move(object), options);
      return;
    }
    create_object(world_, kind, home(),
                  {{"apiVersion", "v1"},
                   {"kind", "Secret"},
                   {"metadata",
                    {{"name", secret_name},
                     {"annotations", annotations},
                     {"labels", {{"controller.cert-manager.io/fao", "true"}}}}},
                   {"type", "kubernetes.io/tls"},
                   {"data", data}},
                  options);
  }

  [[nodiscard]] std::string alternatives() const {
    std::string joined;
    for (const auto& host : hosts_of(certificate_.object)) joined += (joined.empty() ? "" : ",") + host;
    return joined;
  }

  void settle() {
    conditions_.erase(std::remove_if(conditions_.begin(), conditions_.end(),
                                     [](const Json& known) { return text(known, "type") == "Issuing"; }),
                      conditions_.end());
    auto& status = certificate_.object["status"];
    status["revision"] = revision() + 1;
    for (const auto* field : {"nextPrivateKeySecretName", "failedIssuanceAttempts", "lastFailureTime"})
      status.erase(field);
    certificate_.note["step"] = "done";
    record_event(world_, certificate_.object, "Normal", "Issuing", "The certificate has been successfully issued",
                 component);
    store();
  }

  World& world_;
  Record certificate_;
  Json conditions_;
};

}  // namespace

void sync_certificate(World& world, const std::string& name_space, const std::string& name) {
  auto certificate = world.get(certificates, name_space, name);
  if (!certificate || !at(certificate->object, "metadata.deletionTimestamp").is_null()) return;
  Issuance(world, std::move(*certificate)).run();
}

void sync_issuer(World& world, const std::string& name_space, const std::string& name) {
  const auto* resource = name_space.empty() ? "clusterissuers.cert-manager.io" : "issuers.cert-manager.io";
  auto issuer = world.get(resource, name_space, name);
  if (!issuer) return;
  const auto& spec = at(issuer->object, "spec");
  auto status = at(issuer->object, "status");
  if (!status.is_object()) status = Json::object();
  const auto set = [&](bool good, const char* reason, const std::string& message) {
    set_condition(status["conditions"],
                  {{"type", "Ready"},
                   {"status", good ? "True" : "False"},
                   {"reason", reason},
                   {"message", message},
                   {"observedGeneration", integer(issuer->object, "metadata.generation")}},
                  world.stamp());
  };
  if (const auto& authority = at(spec, "ca"); authority.is_object()) {
    // A ClusterIssuer's secrets are in cert-manager's own namespace.
    const auto secret = text(authority, "secretName");
    if (world.get("secrets", name_space.empty() ? "cert-manager" : name_space, secret))
      set(true, "KeyPairVerified", "Signing CA verified");
    else
      set(false, "ErrGetKeyPair", fmt::format("Error getting keypair for CA issuer: secrets \"{}\" not found", secret));
  } else if (at(spec, "acme").is_object()) {
    set(true, "ACMEAccountRegistered", "The ACME account was registered with the ACME server");
    status["acme"] = {{"uri", fmt::format("{}/acct/1", text(spec, "acme.server"))},
                      {"lastRegisteredEmail", text(spec, "acme.email")}};
  } else {
    set(true, "IsReady", "");
  }
  world.put_status(resource, *issuer, std::move(status));
}

}  // namespace litedesk::sandbox::kube
