#include "providers/sandbox/kubernetes_discovery.hpp"

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_patch.hpp"
#include "providers/sandbox/kubernetes_status.hpp"

namespace litedesk::sandbox::kube {

namespace {

// Kinds that only answer a POST.
struct Review {
  const char* group;
  const char* kind;
  const char* plural;
};
constexpr Review reviews[] = {
    {"authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews"},
    {"authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews"},
    {"authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews"},
};

Reply json_reply(const Json& body, std::string content_type = "application/json") {
  Reply reply;
  reply.content_type = std::move(content_type);
  reply.body = body.dump();
  return reply;
}

Reply plain_reply(std::string text, int status = 200) {
  Reply reply;
  reply.status = status;
  reply.content_type = "text/plain; charset=utf-8";
  reply.body = std::move(text);
  return reply;
}

Json version() {
  return {{"major", "1"},        {"minor", "36"},           {"gitVersion", "v1.36.3+litedesk-sandbox"},
          {"gitCommit", ""},     {"gitTreeState", "clean"}, {"buildDate", "1970-01-01T00:00:00Z"},
          {"goVersion", "none"}, {"compiler", "none"},      {"platform", "linux/amd64"}};
}

Json resource_list(const Kinds& kinds, const std::string& group, const std::string& of_version) {
  Json resources = Json::array();
  for (const auto& kind : kinds.all()) {
    if (kind->group != group || kind->version != of_version) continue;
    Json entry = {{"name", kind->plural},
                  {"singularName", kind->singular},
                  {"namespaced", kind->namespaced},
                  {"kind", kind->kind},
                  {"verbs", kind->verbs()}};
    if (!kind->short_names.empty()) entry["shortNames"] = kind->short_names;
    if (!kind->categories.empty()) entry["categories"] = kind->categories;
    resources.push_back(std::move(entry));
    const auto sub = [&](const char* name, const std::string& of_kind, Json verbs) {
      Json item = {{"name", fmt::format("{}/{}", kind->plural, name)},
                   {"singularName", ""},
                   {"namespaced", kind->namespaced},
                   {"kind", of_kind},
                   {"verbs", std::move(verbs)}};
      if (of_kind == "Scale") item.update({{"group", "autoscaling"}, {"version", "v1"}});
      if (of_kind == "Eviction") item.update({{"group", "policy"}, {"version", "v1"}});
      resources.push_back(std::move(item));
    };
    if (kind->status) sub("status", kind->kind, {"get", "patch", "update"});
    if (kind->scale) sub("scale", "Scale", {"get", "patch", "update"});
    if (kind->resource() == "pods") sub("log", "Pod", {"get"});
    if (kind->resource() == "pods") sub("eviction", "Eviction", {"create"});
  }
  for (const auto& review : reviews)
    if (review.group == group && of_version == "v1")
      resources.push_back({{"name", review.plural},
                           {"singularName", ""},
                           {"namespaced", false},
                           {"kind", review.kind},
                           {"verbs", {"create"}}});
  return resources;
}

// Groups with their versions, in the order in which they are first served; the core group is "".
std::vector<std::pair<std::string, std::vector<std::string>>> groups_of(const Kinds& kinds) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  const auto add = [&](const std::string& group, const std::string& of_version) {
    for (auto& [name, versions] : groups)
      if (name == group) {
        if (std::find(versions.begin(), versions.end(), of_version) == versions.end()) versions.push_back(of_version);
        return;
      }
    groups.emplace_back(group, std::vector<std::string>{of_version});
  };
  for (const auto& kind : kinds.all()) add(kind->group, kind->version);
  for (const auto& review : reviews) add(review.group, "v1");
  return groups;
}

Json group_entry(const std::string& group, const std::vector<std::string>& versions) {
  Json list = Json::array();
  for (const auto& item : versions)
    list.push_back({{"groupVersion", fmt::format("{}/{}", group, item)}, {"version", item}});
  return {{"name", group}, {"versions", list}, {"preferredVersion", list.front()}};
}

// Aggregated discovery, apidiscovery.k8s.io/v2: all groups in one answer.
Json aggregated(const Kinds& kinds, bool core) {
  Json items = Json::array();
  for (const auto& [group, versions] : groups_of(kinds)) {
    if (group.empty() != core) continue;
    Json of_versions = Json::array();
    for (const auto& item : versions) {
      Json resources = Json::array();
      for (const auto& entry : resource_list(kinds, group, item)) {
        const auto name = text(entry, "name");
        const Json kind = {
            {"group", entry.value("group", group)}, {"version", entry.value("version", item)}, {"kind", entry["kind"]}};
        if (const auto slash = name.find('/'); slash != std::string::npos) {
          resources.back()["subresources"].push_back(
              {{"subresource", name.substr(slash + 1)}, {"responseKind", kind}, {"verbs", entry["verbs"]}});
          continue;
        }
        Json resource = {{"resource", name},
                         {"responseKind", kind},
                         {"scope", flag(entry, "namespaced") ? "Namespaced" : "Cluster"},
                         {"singularResource", entry["singularName"]},
                         {"verbs", entry["verbs"]}};
        for (const auto* field : {"shortNames", "categories"})
          if (entry.contains(field)) resource[field] = entry[field];
        resources.push_back(std::move(resource));
      }
      of_versions.push_back({{"version", item}, {"resources", resources}, {"freshness", "Current"}});
    }
    items.push_back({{"metadata", {{"name", group}}}, {"versions", of_versions}});
  }
  return {{"kind", "APIGroupDiscoveryList"},
          {"apiVersion", "apidiscovery.k8s.io/v2"},
          {"metadata", Json::object()},
          {"items", items}};
}

bool wants_aggregated(const Call& call) {
  const auto accept = call.header("accept");
  return accept.find("g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList") != std::string::npos;
}

Reply aggregated_reply(const Kinds& kinds, bool core) {
  return json_reply(aggregated(kinds, core), "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
}

Reply health(const Call& call) {
  if (!call.has_parameter("verbose")) return plain_reply("ok");
  return plain_reply(fmt::format("[+]ping ok\n[+]sandbox-state ok\n{} check passed\n", call.path.substr(1)));
}

Reply review(const std::string& plural, const Call& call) {
  auto body = parse_body(call.body, plural);
  if (!body.contains("metadata")) body["metadata"] = Json::object();
  if (plural == "selfsubjectaccessreviews") {
    body["status"] = {{"allowed", true}, {"reason", "the sandbox allows everything"}};
  } else if (plural == "selfsubjectrulesreviews") {
    body["status"] = {{"resourceRules", Json::array({{{"verbs", {"*"}}, {"apiGroups", {"*"}}, {"resources", {"*"}}}})},
                      {"nonResourceRules", Json::array({{{"verbs", {"*"}}, {"nonResourceURLs", {"*"}}}})},
                      {"incomplete", false}};
  } else {
    body["status"] = {{"userInfo", {{"username", "sandbox"}, {"groups", {"system:masters", "system:authenticated"}}}}};
  }
  auto reply = json_reply(body);
  reply.status = 201;
  return reply;
}

// A group of the API server's own knows a Status for a version that it lacks; a CRD's falls through to the plain page.
bool built_in(const Kinds& kinds, const std::string& group) {
  return std::none_of(kinds.all().begin(), kinds.all().end(),
                      [&](const auto& kind) { return kind->group == group && kind->custom; });
}

std::optional<Reply> answer_group(const Call& call, const Kinds& kinds, const std::vector<std::string>& parts) {
  const auto groups = groups_of(kinds);
  if (parts.size() == 1) {
    if (wants_aggregated(call)) return aggregated_reply(kinds, false);
    Json list = Json::array();
    for (const auto& [group, versions] : groups)
      if (!group.empty()) list.push_back(group_entry(group, versions));
    return json_reply({{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", list}});
  }
  for (const auto& [group, versions] : groups) {
    if (group != parts[1]) continue;
    if (parts.size() == 2) {
      auto entry = group_entry(group, versions);
      entry.update({{"kind", "APIGroup"}, {"apiVersion", "v1"}});
      return json_reply(entry);
    }
    if (std::find(versions.begin(), versions.end(), parts[2]) == versions.end()) {
      if (built_in(kinds, group)) throw page_not_found();
      break;
    }
    if (parts.size() == 3)
      return json_reply({{"kind", "APIResourceList"},
                         {"apiVersion", "v1"},
                         {"groupVersion", fmt::format("{}/{}", parts[1], parts[2])},
                         {"resources", resource_list(kinds, parts[1], parts[2])}});
    for (const auto& known : reviews)
      if (known.group == parts[1] && known.plural == parts[3] && parts.size() == 4) {
        if (call.method != "POST") throw method_not_allowed();
        return review(parts[3], call);
      }
    return std::nullopt;
  }
  return plain_reply("404 page not found\n", 404);
}

}  // namespace

std::optional<Reply> answer_discovery(const Call& call, const Kinds& kinds) {
  const auto parts = call.segments();
  const auto first = parts.empty() ? std::string{} : parts.front();
  if (first == "apis") return answer_group(call, kinds, parts);
  if (first == "api") {
    if (parts.size() == 1) {
      if (wants_aggregated(call)) return aggregated_reply(kinds, true);
      return json_reply({{"kind", "APIVersions"},
                         {"versions", {"v1"}},
                         {"serverAddressByClientCIDRs",
                          Json::array({{{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", call.header("host")}}})}});
    }
    if (parts[1] != "v1") return plain_reply("404 page not found\n", 404);
    if (parts.size() > 2) return std::nullopt;
    return json_reply(
        {{"kind", "APIResourceList"}, {"groupVersion", "v1"}, {"resources", resource_list(kinds, "", "v1")}});
  }
  if (first == "version") return json_reply(version());
  if (first == "readyz" || first == "livez" || first == "healthz") return health(call);
  return plain_reply("404 page not found\n", 404);
}

}  // namespace litedesk::sandbox::kube
