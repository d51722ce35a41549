// Whose a host is: one object a host name in the registry, made before a tenant gets the host and removed after it has
// lost it. So no two tenants ever have one host, and nobody has to list all tenants to know.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "commands/tenant.hpp"
#include "commands/world.hpp"

namespace litedesk {

// The kind that templates/host-claim-crd.yaml describes.
[[nodiscard]] const kubernetes::ResourceType& host_claim_type();

struct Host {
  std::string name;
  bool custom = false;  // the tenant's custom domain, not the host that its slug makes
  friend bool operator==(const Host&, const Host&) = default;
};
// The slug's host, and the custom domain where there is one. A terminated tenant's custom domain is free again; its
// slug is not, for its backup still has it.
[[nodiscard]] std::vector<Host> hosts_of(const Tenant& tenant, std::string_view domain);

struct HostOwner {
  std::string slug, company;
  bool custom = false;
  friend bool operator==(const HostOwner&, const HostOwner&) = default;
};

// How long a claim that no tenant stands behind must stay as it is until it is taken for abandoned: whoever made it is
// about to register the tenant, or has died.
inline constexpr std::chrono::milliseconds claim_patience{13'000};

class HostClaims {
 public:
  struct Surroundings {
    const system::Clock& clock;
    system::Random& random;
    std::stop_token interrupted;
    std::string holder;                            // "user@host", for people
    std::function<void(const std::string&)> note;  // one line for a person who waits; may be empty
  };
  HostClaims(store::Store& claims, store::Store& tenants, Surroundings surroundings);
  explicit HostClaims(const World& world);

  // The tenant that has the host; nothing when nobody has. One request, two when it is claimed.
  [[nodiscard]] std::optional<HostOwner> owner(std::string_view host);
  // The same of a claim that was read already: a claim alone is nobody's yet, or nobody's any more.
  [[nodiscard]] std::optional<HostOwner> owner(const store::Document& claim);
  // The slug that a claim names.
  [[nodiscard]] static std::string slug_of(const store::Document& claim);
  // Every host that is claimed.
  [[nodiscard]] std::set<std::string> names();

  // Removes the tenant's claims but those of `kept`. Nobody waits for it: a claim that stays behind is found abandoned.
  void release(std::string_view slug, const std::vector<Host>& kept);

 private:
  friend class HostReservation;
  // Either the claim is the slug's now, or somebody else has the host.
  struct Answer {
    std::optional<store::Document> claim;
    bool made = false;  // it was not the slug's before
    HostOwner owner;
  };
  Answer take(const Host& host, const std::string& slug);
  std::optional<Answer> take_existing(const store::Document& claim, const Host& host, const std::string& slug);
  [[nodiscard]] store::Document document(const Host& host, const std::string& slug) const;
  [[nodiscard]] bool is_abandoned(const store::Document& claim);

  store::Store& claims_;
  store::Store& tenants_;
  Surroundings surroundings_;
};

// The hosts that a tenant's record is about to get. What was claimed is given back unless keep() is called.
class HostReservation {
 public:
  HostReservation(HostClaims& claims, std::string slug);
  ~HostReservation();
  HostReservation(const HostReservation&) = delete;
  HostReservation& operator=(const HostReservation&) = delete;

  // Claims the host; returns whose it is when it is another tenant's. May wait claim_patience for a claim that no
  // tenant stands behind, unless its maker is gone for certain. Throws Cancelled.
  [[nodiscard]] std::optional<HostOwner> add(const Host& host);
  // After the record was written: whether every claim still is this one's. A process that stood still may have lost
  // them.
  [[nodiscard]] bool holds();
  void keep() { made_.clear(); }

 private:
  HostClaims& claims_;
  std::string slug_;
  std::vector<store::Document> all_, made_;
  std::optional<system::SteadyPoint> since_;
};

// Gives every tenant that is registered the claims that it lacks: for a registry that is older than they are. Returns a
// sentence for each host that two tenants have; the one that is active, else the older one, gets it.
[[nodiscard]] std::vector<std::string> claim_all_hosts(HostClaims& claims, const std::vector<Tenant>& tenants,
                                                       std::string_view domain);

}  // namespace litedesk
