// A tenant to and from the registry's document, and as the JSON that scripts read. One table of fields serves all
// three.
#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands/tenant.hpp"
#include "providers/error.hpp"
#include "providers/read_json.hpp"

namespace litedesk {
namespace {

constexpr std::size_t longest_message = 4096;

// Every field with its name in the Tenant resource (templates/tenant-crd.yaml). `Fields` is one of the three below.
template <class Fields, class T>
void visit_owner(Fields& fields, T& owner) {
  fields.text("name", owner.name);
  fields.text("email", owner.email);
  fields.text("phone", owner.phone);
}

template <class Fields, class T>
void visit_subscription(Fields& fields, T& subscription) {
  fields.text("status", subscription.status);
  fields.text("trialStart", subscription.trial_start);
  fields.text("trialEnd", subscription.trial_end);
  fields.text("periodStart", subscription.period_start);
  fields.text("periodEnd", subscription.period_end);
  fields.number("mrrCents", subscription.mrr_cents);
  fields.text("currency", subscription.currency);
  fields.text("stripeCustomer", subscription.stripe_customer);
  fields.text("stripeSubscription", subscription.stripe_subscription);
}

template <class Fields, class T>
void visit_instance(Fields& fields, T& instance) {
  fields.components(instance.components);
  fields.text("databaseStrategy", instance.database_strategy);
}

template <class Fields, class T>
void visit_config(Fields& fields, T& config) {
  fields.text("timeZone", config.time_zone);
  fields.text("currency", config.currency);
  fields.text("language", config.language);
  fields.list("modules", config.modules);
  fields.section("branding", [&](auto& branding) {
    branding.text("logoUrl", config.logo_url);
    branding.text("primaryColor", config.primary_color);
    branding.text("companyName", config.company_name);
  });
}

template <class Fields, class T>
void visit_operation(Fields& fields, T& operation) {
  fields.text("id", operation.id);
  fields.text("verb", operation.verb);
  fields.text("holder", operation.holder);
  fields.text("host", operation.host);
  fields.text("bootId", operation.boot_id);
  fields.number("pid", operation.pid);
  fields.text("startTime", operation.start_time);
  fields.text("since", operation.since);
  fields.text("renewed", operation.renewed);
  fields.list("intent", operation.intent);
}

template <class Fields, class T>
void visit_desired(Fields& fields, T& tenant) {
  fields.text("slug", tenant.slug);
  fields.text("displayName", tenant.company);
  fields.text("tier", tenant.tier);
  fields.text("industry", tenant.industry);
  fields.text("companySize", tenant.company_size);
  fields.text("customDomain", tenant.custom_domain);
  fields.list("tags", tenant.tags);
  fields.text("notes", tenant.notes);
  fields.text("demoRequestId", tenant.demo_request_id);
  fields.text("createdBy", tenant.created_by);
  fields.section("owner", [&](auto& owner) { visit_owner(owner, tenant.owner); });
  fields.text("placement", tenant.placement);
  fields.section("subscription", [&](auto& part) { visit_subscription(part, tenant.subscription); });
  fields.section("instance", [&](auto& part) { visit_instance(part, tenant.instance); });
  fields.section("config", [&](auto& part) { visit_config(part, tenant.config); });
}

template <class Fields, class T>
void visit_observed(Fields& fields, T& tenant) {
  auto& status = tenant.status;
  fields.phase("phase", status.phase);
  fields.text("stage", status.stage);
  fields.text("health", status.health);
  fields.text("message", status.message, longest_message);
  fields.section("database", [&](auto& database) {
    database.text("strategy", status.database_strategy);
    database.text("host", status.database_host);
    database.text("name", status.database_name);
    database.text("user", status.database_user);
    database.text("secret", status.database_secret);
    database.text("project", status.database_project);
  });
  fields.section("namespace", [&](auto& name_space) {
    name_space.text("uid", status.namespace_uid);
    name_space.text("origin", status.namespace_origin);
  });
  fields.section("dns", [&](auto& dns) {
    dns.text("record", status.dns_record);
    dns.text("type", status.dns_type);
    dns.text("target", status.dns_target);
    dns.text("changeId", status.change_id);
    dns.list("hosts", status.hosts);
  });
  fields.section("urls", [&](auto& urls) {
    urls.text("app", status.url);
    urls.text("api", status.api_url);
  });
  fields.section("timestamps", [&](auto& times) {
    times.text("provisioned", status.provisioned_at);
    times.text("activated", status.activated_at);
    times.text("suspended", status.suspended_at);
    times.text("terminated", status.terminated_at);
  });
  fields.texts("images", status.images);
  fields.section("application", [&](auto& application) {
    application.text("state", status.application.state);
    application.text("message", status.application.message, 1024);
    application.text("time", status.application.time);
  });
  fields.list("inventory", status.inventory);
  fields.any("metrics", tenant.metrics);
  fields.operation("operation", status.operation);
}

// The components that a record has fields of their own for.
constexpr std::array first_components{"backend", "frontend"};
bool is_first(std::string_view name) {
  return std::find(first_components.begin(), first_components.end(), name) != first_components.end();
}

// Their fields, for those that write: empty where nothing is wanted of them.
template <class Fields>
void visit_first_components(Fields& fields, const std::map<std::string, ComponentOverrides, std::less<>>& values) {
  for (const auto* name : first_components) {
    const auto found = values.find(name);
    const auto own = found == values.end() ? ComponentOverrides() : found->second;
    fields.text((name + std::string("Image")).c_str(), own.image);
    fields.replicas((name + std::string("Replicas")).c_str(), own.replicas);
  }
}

// Reads what is there; what is absent keeps its default.
class Reader {
 public:
  Reader(const Json& json, std::string path) : json_(json), path_(std::move(path)) {}

  void text(const char* key, std::string& into, std::size_t = 0) const {
    if (const Json* value = find(key)) into = of<std::string>(*value, key, value->is_string(), "text");
  }
  template <class Number>
  void number(const char* key, Number& into) const {
    if (const Json* value = find(key)) into = whole<Number>(*value, key);
  }
  // The bounds of the Tenant resource (templates/tenant-crd.yaml), which other registries do not check.
  void replicas(const char* key, std::optional<int>& into) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    into = whole_number<int>(*value);
    if (!into || *into < 0 || *into > 100) refuse(key, "a whole number from 0 to 100");
  }
  void list(const char* key, std::vector<std::string>& into) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_array()) refuse(key, "a list");
    into.clear();
    for (const Json& element : *value)
      into.push_back(of<std::string>(element, key, element.is_string(), "a list of texts"));
  }
  void texts(const char* key, std::map<std::string, std::string>& into) const {
    section(key, [&into](const Reader& fields) {
      for (const auto& [name, unused] : fields.json_.items()) fields.text(name.c_str(), into[name]);
    });
  }
  // Those of the first two have fields of their own: records are older than profiles.
  void components(std::map<std::string, ComponentOverrides, std::less<>>& into) const {
    for (const auto* name : first_components) {
      ComponentOverrides own;
      text((name + std::string("Image")).c_str(), own.image);
      replicas((name + std::string("Replicas")).c_str(), own.replicas);
      if (own != ComponentOverrides()) into[name] = own;
    }
    section("components", [&into](const Reader& all) {
      for (const auto& [name, unused] : all.json_.items())
        all.section(name.c_str(), [&into, &name = name](const Reader& fields) {
          auto& own = into[name];
          fields.text("image", own.image);
          fields.replicas("replicas", own.replicas);
        });
    });
  }
  void any(const char* key, Json& into) const {
    if (const Json* value = find(key)) into = *value;
  }
  void phase(const char* key, Phase& into) const {
    std::string word;
    text(key, word);
    into = parse_phase(word);
  }
  template <class Visit>
  void section(const char* key, Visit visit) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_object()) refuse(key, "a group of fields");
    Reader inner(*value, path_ + "." + key);
    visit(inner);
  }
  void operation(const char* key, std::optional<OperationRecord>& into) const {
    section(key, [&into](Reader& fields) { visit_operation(fields, into.emplace()); });
  }

 private:
  const Json* find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  template <class T>
  T of(const Json& value, const char* key, bool right, const char* wanted) const {
    if (!right) refuse(key, wanted);
    return value.get<T>();
  }
  template <class Number>
  Number whole(const Json& value, const char* key) const {
    if (const auto number = whole_number<Number>(value)) return *number;
    using Limits = std::numeric_limits<Number>;
    refuse(key, value.is_number_integer() ? fmt::format("a number from {} to {}", Limits::min(), Limits::max())
                                          : "a whole number");
  }
  [[noreturn]] void refuse(const char* key, std::string_view wanted) const {
    throw ValidationError({.message = fmt::format("the record cannot be read: {}.{} is not {}", path_, key, wanted),
                           .hint = "it was changed by hand or by another program: correct that field",
                           .resource = path_,
                           .cause = {}});
  }

  const Json& json_;
  std::string path_;
};

// Sets what is not empty and takes away what is; leaves alone what it does not know.
class Writer {
 public:
  explicit Writer(Json& json) : json_(json) {}

  void text(const char* key, const std::string& value, std::size_t longest = std::string::npos) {
    if (value.empty()) {
      json_.erase(key);
      return;
    }
    std::size_t end = std::min(longest, value.size());
    while (end < value.size() && end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80U) --end;
    json_[key] = value.substr(0, end);
  }
  template <class Number>
  void number(const char* key, Number value) {
    json_[key] = value;
  }
  void replicas(const char* key, const std::optional<int>& value) {
    if (value) {
      json_[key] = *value;
    } else {
      json_.erase(key);
    }
  }
  void list(const char* key, const std::vector<std::string>& values) {
    if (values.empty()) {
      json_.erase(key);
    } else {
      json_[key] = values;
    }
  }
  void texts(const char* key, const std::map<std::string, std::string>& values) {
    any(key, values.empty() ? Json() : Json(values));
  }
  void components(const std::map<std::string, ComponentOverrides, std::less<>>& values) {
    visit_first_components(*this, values);
    section("components", [&values](Writer& all) {
      for (const auto& [name, own] : values)
        if (!is_first(name))
          all.section(name.c_str(), [&own = own](Writer& fields) {
            fields.text("image", own.image);
            fields.replicas("replicas", own.replicas);
          });
    });
  }
  void any(const char* key, const Json& value) {
    if (value.is_null()) {
      json_.erase(key);
    } else {
      json_[key] = value;
    }
  }
  void phase(const char* key, Phase value) { text(key, std::string(to_string(value))); }
  template <class Visit>
  void section(const char* key, Visit visit) {
    Json inner = json_.contains(key) && json_[key].is_object() ? json_[key] : Json::object();
    Writer fields(inner);
    visit(fields);
    any(key, inner.empty() ? Json() : inner);
  }
  void operation(const char* key, const std::optional<OperationRecord>& value) {
    const bool another = json_.contains(key) && value && json_[key].value("id", std::string()) != value->id;
    if (!value || another) json_.erase(key);  // nothing of one run's record is true of another's
    if (value) section(key, [&value](Writer& fields) { visit_operation(fields, *value); });
  }

 private:
  Json& json_;
};

// Every field, whether it is there or not: null stands for what is not.
class Lister {
 public:
  explicit Lister(Json& json) : json_(json) {}

  void text(const char* key, const std::string& value, std::size_t = 0) {
    json_[key] = value.empty() ? Json() : Json(value);
  }
  template <class Number>
  void number(const char* key, Number value) {
    json_[key] = value;
  }
  void replicas(const char* key, const std::optional<int>& value) { json_[key] = value ? Json(*value) : Json(); }
  void list(const char* key, const std::vector<std::string>& values) { json_[key] = values; }
  void texts(const char* key, const std::map<std::string, std::string>& values) { json_[key] = Json(values); }
  void components(const std::map<std::string, ComponentOverrides, std::less<>>& values) {
    visit_first_components(*this, values);
    json_["components"] = Json::object();
    for (const auto& [name, own] : values)
      if (!is_first(name))
        json_["components"][name] = {{"image", own.image.empty() ? Json() : Json(own.image)},
                                     {"replicas", own.replicas ? Json(*own.replicas) : Json()}};
  }
  void any(const char* key, const Json& value) { json_[key] = value; }
  void phase(const char* key, Phase value) { text(key, std::string(to_string(value))); }
  template <class Visit>
  void section(const char* key, Visit visit) {
    Json inner = Json::object();
    Lister fields(inner);
    visit(fields);
    json_[key] = std::move(inner);
  }
  void operation(const char* key, const std::optional<OperationRecord>& value) {
    json_[key] = nullptr;
    if (value) section(key, [&value](Lister& fields) { visit_operation(fields, *value); });
  }

 private:
  Json& json_;
};

}  // namespace

Tenant to_tenant(const store::Document& document) {
  Tenant tenant;
  tenant.slug = document.name;
  tenant.version = document.version;
  tenant.id = document.id;
  tenant.created = document.created;
  const Reader desired(document.desired, fmt::format("Tenant {} spec", document.name));
  visit_desired(desired, tenant);
  const Reader observed(document.observed, fmt::format("Tenant {} status", document.name));
  visit_observed(observed, tenant);
  return tenant;
}

store::Document to_document(const Tenant& tenant, const store::Document* base) {
  store::Document document = base != nullptr ? *base : store::Document();
  document.name = tenant.slug;
  document.version = tenant.version;
  document.id = tenant.id;
  document.created = tenant.created;
  Writer desired(document.desired);
  visit_desired(desired, tenant);
  Writer observed(document.observed);
  visit_observed(observed, tenant);
  document.labels["app.kubernetes.io/part-of"] = "litedesk";
  document.labels["app.kubernetes.io/managed-by"] = "litedesk";
  document.labels["litedesk.io/tier"] = tenant.tier;
  document.labels["litedesk.io/placement"] = tenant.placement;
  return document;
}

Json to_json(const Tenant& tenant) {
  Json json = Json::object();
  Lister desired(json);
  visit_desired(desired, tenant);
  json.erase("displayName");
  json["company"] = tenant.company;
  Json status = Json::object();
  Lister observed(status);
  visit_observed(observed, tenant);
  json["metrics"] = tenant.metrics;
  status.erase("metrics");
  json["status"] = std::move(status);
  json["version"] = tenant.version;
  json["id"] = tenant.id;
  json["created"] = tenant.created;
  return json;
}

}  // namespace litedesk
