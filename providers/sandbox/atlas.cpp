// The stand-in for the MongoDB Atlas Administration API, version 2: what goes where, projects and clusters.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "providers/read_json.hpp"
#include "providers/sandbox/atlas_access_list.hpp"
#include "providers/sandbox/atlas_answers.hpp"
#include "providers/sandbox/atlas_auth.hpp"
#include "providers/sandbox/atlas_users.hpp"

namespace litedesk::sandbox {

namespace {

using namespace atlas;

constexpr std::string_view projects_collection = "atlas/projects";
constexpr std::string_view clusters_collection = "atlas/clusters";
// When the users or the access list of a project last changed.
constexpr std::string_view changes_collection = "atlas/changes";
constexpr std::chrono::milliseconds deployed_after{1000};
constexpr std::string_view first_version = "2023-01-01";
constexpr std::string_view clusters_version = "2024-08-05";
constexpr std::string_view organisation = "5f0000000000000000000000";

class Atlas : public Api {
 public:
  explicit Atlas(Context context) : context_(std::move(context)), authenticator_(context_) {
    if (!context_.state.get(projects_collection, "", atlas_project)) context_.state.write([this] { seed(); });
  }

  Reply handle(const Call& call) override {
    if (call.path == "/api/oauth/token") return authenticator_.token(call);
    if (call.path == "/api/oauth/revoke") return authenticator_.revoke(call);
    if (auto refusal = authenticator_.refuse(call)) return std::move(*refusal);
    try {
      return route(call);
    } catch (const Problem& problem) {
      return reply_of(problem);
    }
  }

  Reply throttled() override {
    // The real service asks for up to a minute; here a second shows as much.
    const int seconds = context_.time_scale > 0 ? 1 : 0;
    auto reply = reply_of(Problem{429,
                                  "RATE_LIMITED_TOKEN_BUCKET",
                                  fmt::format("Rate limit exceeded for {}. Please retry after {} seconds. Request "
                                              "capacity: 10. Refill rate: 5 per 60 seconds.",
                                              base_path, seconds),
                                  {base_path, seconds, 10, 5, 60}});
    reply.headers.emplace_back("Retry-After", std::to_string(seconds));
    reply.headers.emplace_back("RateLimit-Limit", "10");
    reply.headers.emplace_back("RateLimit-Remaining", "0");
    return reply;
  }
  Reply failed(int status) override { return reply_of(Problem{status, "UNEXPECTED_ERROR", "Unexpected error."}); }
  Reply broken(const std::string& why) override { return reply_of(Problem{500, "UNEXPECTED_ERROR", why}); }

 private:
  void seed() {
    if (context_.state.get(projects_collection, "", atlas_project)) return;
    const std::string project(atlas_project);
    const auto created = system::to_rfc3339(context_.clock.now());
    context_.state.put(projects_collection, "", project,
                       {{"id", project}, {"name", "litedesk-sandbox"}, {"orgId", organisation}, {"created", created}});
    const Json size = {{"instanceSize", "M10"},
                       {"nodeCount", 3},
                       {"diskSizeGB", 10.0},
                       {"diskIOPS", 3000},
                       {"ebsVolumeType", "STANDARD"}};
    Json none = size;
    none["nodeCount"] = 0;
    const Json scaling = {{"compute", {{"enabled", false}, {"scaleDownEnabled", false}}},
                          {"diskGB", {{"enabled", true}}}};
    const Json region = {{"providerName", "AWS"},  {"regionName", "US_EAST_1"}, {"priority", 7},
                         {"electableSpecs", size}, {"readOnlySpecs", none},     {"analyticsSpecs", none},
                         {"autoScaling", scaling}};
    std::string hosts;
    for (int node = 0; node < 3; ++node)
      hosts += fmt::format("{}crm-shard-00-{:02}.sandbox.mongodb.net:27017", node == 0 ? "" : ",", node);
    context_.state.put(
        clusters_collection, project, "crm",
        {{"id", "5f0000000000000000000002"},
         {"groupId", project},
         {"name", "crm"},
         {"clusterType", "REPLICASET"},
         {"stateName", "IDLE"},
         {"paused", false},
         {"createDate", created},
         {"mongoDBMajorVersion", "8.0"},
         {"mongoDBVersion", "8.0.4"},
         {"featureCompatibilityVersion", "8.0"},
         {"versionReleaseSystem", "LTS"},
         {"backupEnabled", true},
         {"pitEnabled", false},
         {"encryptionAtRestProvider", "NONE"},
         {"rootCertType", "ISRGROOTX1"},
         {"terminationProtectionEnabled", false},
         {"globalClusterSelfManagedSharding", false},
         {"biConnector", {{"enabled", false}, {"readPreference", "secondary"}}},
         {"labels", Json::array()},
         {"tags", Json::array()},
         {"connectionStrings",
          {{"standardSrv", "mongodb+srv://crm.sandbox.mongodb.net"},
           {"standard",
            fmt::format("mongodb://{}/?ssl=true&authSource=admin&replicaSet=atlas-sandbx-shard-0", hosts)}}},
         {"replicationSpecs",
          {{{"id", "5f0000000000000000000003"},
            {"zoneId", "5f0000000000000000000004"},
            {"zoneName", "Zone 1"},
            {"regionConfigs", Json::array({region})}}}}});
  }

  // ---- routing

  Reply route(const Call& call) {
    if (!call.path.starts_with(base_path)) throw no_such_resource(call);
    auto path = call.segments();
    path.erase(path.begin(), path.begin() + 3);
    if (path.empty()) return only(call, "GET", first_version, [&] { return status(call); });
    if (path[0] != "groups") throw no_such_resource(call);
    if (path.size() == 1) return only(call, "GET", first_version, [&] { return page_of(call, projects()); });
    if (path.size() == 3 && path[1] == "byName")
      return only(call, "GET", first_version, [&] { return project_by_name(path[2]); });
    if (path.size() == 2) return only(call, "GET", first_version, [&] { return project(path[1]); });
    return route_project(call, path[1], {path.begin() + 2, path.end()});
  }

  Reply route_project(const Call& call, const std::string& id, const std::vector<std::string>& path) {
    const auto& what = path[0];
    const auto known = [&] { [[maybe_unused]] const auto found = project_row(id); };
    if (what == "limits" && path.size() <= 2)
      return only(call, "GET", first_version, [&] {
        known();
        return path.size() == 1 ? limits(id) : limit(id, path[1]);
      });
    if (what == "clusters" && path.size() == 1)
      return only(call, "GET", clusters_version, [&] {
        known();
        return page_of(call, clusters(id));
      });
    if (what == "clusters" && path.size() == 2)
      return only(call, "GET", clusters_version, [&] {
        known();
        return cluster(id, path[1]);
      });
    if (what == "clusters" && path.size() == 3 && path[2] == "status")
      return only(call, "GET", first_version, [&] {
        known();
        return cluster_status(id, path[1]);
      });
    if (what == "databaseUsers" && path.size() == 1) return users(call, id);
    if (what == "databaseUsers" && path.size() == 3) return user(call, id, path[1], path[2]);
    if (what == "accessList" && path.size() <= 3) {
      check_method(call, path.size() == 1   ? std::vector<std::string>{"GET", "POST"}
                         : path.size() == 2 ? std::vector<std::string>{"GET", "DELETE"}
                                            : std::vector<std::string>{"GET"});
      check_version(call, first_version);
      known();
      return access_list(call, id, path);
    }
    throw no_such_resource(call);
  }

  static Problem no_such_resource(const Call& call) {
    return {404, "RESOURCE_NOT_FOUND", fmt::format("Cannot find resource {}.", call.path), {call.path}};
  }

  static void check_method(const Call& call, const std::vector<std::string>& allowed) {
    if (std::find(allowed.begin(), allowed.end(), call.method) != allowed.end()) return;
    throw Problem{405,
                  "METHOD_NOT_ALLOWED",
                  fmt::format("The sandbox knows no {} of {}.", call.method, call.path),
                  {call.method, call.path}};
  }

  template <typename Answer>
  static Reply only(const Call& call, const char* method, std::string_view version, const Answer& answer) {
    check_method(call, {method});
    check_version(call, version);
    return reply_json(call, 200, version, answer());
  }

  static Json parse(const Call& call) {
    auto parsed = parse_json(call.body);
    if (parsed.is_discarded()) throw Problem{400, "INVALID_JSON", "Received JSON is malformed."};
    return parsed;
  }

  // ---- projects

  [[nodiscard]] Json status(const Call& call) const {
    Json key;  // null for a service account
    if (call.header("authorization").starts_with("Digest"))
      key = {{"id", "5f0000000000000000000005"},
             {"publicKey", context_.keys.atlas_public_key},
             {"accessList", Json::array()},
             {"roles", {{{"groupId", atlas_project}, {"roleName", "GROUP_OWNER"}}}}};
    return {{"appName", "MongoDB Atlas"},
            {"build", "litedesk-sandbox"},
            {"throttling", false},
            {"apiKey", key},
            {"links", self_link(base_path)}};
  }

  Row project_row(const std::string& id) {
    auto row = context_.state.get(projects_collection, "", id);
    if (!row) throw Problem{404, "GROUP_NOT_FOUND", fmt::format("No group with ID {} exists.", id), {id}};
    return std::move(*row);
  }

  Json printed_project(Json kept) {
    const auto id = kept.at("id").get<std::string>();
    kept["clusterCount"] = context_.state.count(clusters_collection, id);
    kept["links"] = self_link(fmt::format("{}/groups/{}", base_path, id));
    return kept;
  }

  Json project(const std::string& id) { return printed_project(project_row(id).body); }

  std::vector<Json> projects() {
    std::vector<Json> all;
    for (auto& row : context_.state.list(projects_collection, "")) all.push_back(printed_project(std::move(row.body)));
    return all;
  }

  Json project_by_name(const std::string& name) {
    for (auto& found : projects())
      if (found.at("name") == name) return found;
    throw Problem{404, "GROUP_NAME_NOT_FOUND", fmt::format("No group with name \"{}\" exists.", name), {name}};
  }

  struct LimitRow {
    const char* name;
    std::int64_t value, most;
  };
  static constexpr std::array<LimitRow, 5> known_limits = {
      {{"atlas.project.deployment.clusters", 25, 100},
       {"atlas.project.security.databaseAccess.customRoles", 100, 1400},
       {"atlas.project.security.databaseAccess.users", most_users, 100},
       {"atlas.project.security.networkAccess.crossRegionEntries", 40, 220},
       {"atlas.project.security.networkAccess.entries", 200, 200}}};

  Json printed_limit(const std::string& id, const LimitRow& row) {
    const std::string_view name = row.name;
    std::int64_t usage = 0;
    if (name.ends_with("clusters")) usage = context_.state.count(clusters_collection, id);
    if (name.ends_with("users"))
      usage = static_cast<std::int64_t>(live_users(context_.state, id, context_.clock.now()).size());
    if (name.ends_with("networkAccess.entries")) usage = context_.state.count(access_list_collection, id);
    return {{"name", name},
            {"value", row.value},
            {"currentUsage", usage},
            {"defaultLimit", row.value},
            {"maximumLimit", row.most}};
  }

  Json limits(const std::string& id) {
    Json all = Json::array();
    for (const auto& row : known_limits) all.push_back(printed_limit(id, row));
    return all;
  }

  Json limit(const std::string& id, const std::string& name) {
    for (const auto& row : known_limits)
      if (name == row.name) return printed_limit(id, row);
    throw Problem{404, "RESOURCE_NOT_FOUND", fmt::format("Cannot find the limit {}.", name), {name}};
  }

  // ---- clusters

  static Json printed_cluster(const std::string& id, Json kept) {
    kept["links"] =
        self_link(fmt::format("{}/groups/{}/clusters/{}", base_path, id, kept.at("name").get<std::string>()));
    return kept;
  }

  std::vector<Json> clusters(const std::string& id) {
    std::vector<Json> all;
    for (auto& row : context_.state.list(clusters_collection, id))
      all.push_back(printed_cluster(id, std::move(row.body)));
    return all;
  }

  Json cluster(const std::string& id, const std::string& name) {
    auto row = context_.state.get(clusters_collection, id, name);
    if (!row)
      throw Problem{
          404, "CLUSTER_NOT_FOUND", fmt::format("No cluster named {} exists in group {}.", name, id), {name, id}};
    return printed_cluster(id, std::move(row->body));
  }

  std::int64_t now_milliseconds() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(context_.clock.now().time_since_epoch()).count();
  }

  Json cluster_status(const std::string& id, const std::string& name) {
    [[maybe_unused]] const auto found = cluster(id, name);
    const auto row = context_.state.get(changes_collection, "", id);
    const bool applied =
        !row || std::chrono::milliseconds(now_milliseconds() - row->body.at("changedAt").get<std::int64_t>()) >=
                    deployed_after * context_.time_scale;
    return {{"changeStatus", applied ? "APPLIED" : "PENDING"},
            {"links", self_link(fmt::format("{}/groups/{}/clusters/{}/status", base_path, id, name))}};
  }

  void note_change(const std::string& id) {
    context_.state.put(changes_collection, "", id, {{"changedAt", now_milliseconds()}});
  }

  // ---- database users

  Reply users(const Call& call, const std::string& id) {
    check_method(call, {"GET", "POST"});
    check_version(call, first_version);
    [[maybe_unused]] const auto known = project_row(id);
    const auto now = context_.clock.now();
    if (call.method == "GET") {
      auto all = live_users(context_.state, id, now);
      for (auto& user : all) user = printed_user(id, std::move(user));
      return reply_json(call, 200, first_version, page_of(call, all));
    }
    const auto sent = parse(call);
    Json made;
    context_.state.write([&] {
      made = create_user(context_.state, id, sent, now);
      note_change(id);
    });
    return reply_json(call, 201, first_version, printed_user(id, std::move(made)));
  }

  Reply user(const Call& call, const std::string& id, const std::string& database, const std::string& name) {
    check_method(call, {"GET", "PATCH", "DELETE"});
    check_version(call, first_version);
    [[maybe_unused]] const auto known = project_row(id);
    const auto now = context_.clock.now();
    const auto absent = [&](const char* code) {
      return Problem{404, code, fmt::format("No user with username {} exists.", name), {name}};
    };
    if (call.method == "GET") {
      auto kept = live_user(context_.state, id, database, name, now);
      if (!kept) throw absent("USERNAME_NOT_FOUND");
      return reply_json(call, 200, first_version, printed_user(id, std::move(*kept)));
    }
    if (call.method == "DELETE") {
      context_.state.write([&] {
        if (!live_user(context_.state, id, database, name, now)) throw absent("USER_NOT_FOUND");
        context_.state.erase(users_collection, id, fmt::format("{}/{}", database, name));
        note_change(id);
      });
      return reply_json(call, 204, first_version, {});
    }
    const auto sent = parse(call);
    Json changed;
    context_.state.write([&] {
      auto kept = live_user(context_.state, id, database, name, now);
      if (!kept) throw absent("USERNAME_NOT_FOUND");
      changed = update_user(context_.state, id, std::move(*kept), sent, now);
      note_change(id);
    });
    return reply_json(call, 200, first_version, printed_user(id, std::move(changed)));
  }

  // ---- access list

  Reply access_list(const Call& call, const std::string& id, const std::vector<std::string>& path) {
    auto& state = context_.state;
    if (path.size() == 1 && call.method == "GET")
      return reply_json(call, 200, first_version, page_of(call, access_entries(state, id)));
    if (path.size() == 1) {
      const auto sent = parse(call);
      state.write([&] {
        put_access_entries(state, id, sent);
        note_change(id);
      });
      return reply_json(call, 201, first_version, page_of(call, access_entries(state, id)));
    }
    if (call.method == "DELETE") {
      state.write([&] {
        erase_access_entry(state, id, path[1]);
        note_change(id);
      });
      return reply_json(call, 204, first_version, {});
    }
    const auto entry = access_entry(state, id, path[1]);
    if (path.size() == 2) return reply_json(call, 200, first_version, entry);
    if (path[2] != "status") throw no_such_resource(call);
    return reply_json(call, 200, first_version, {{"STATUS", "ACTIVE"}});
  }

  Context context_;
  Authenticator authenticator_;
};

}  // namespace

std::unique_ptr<Api> make_atlas_api(Context context) {
  return std::make_unique<Atlas>(std::move(context));
}

}  // namespace litedesk::sandbox
