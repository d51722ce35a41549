// The Atlas client against a server: the sandbox's stand-in inside this process, or what LITEDESK_TEST_ATLAS_URL names
// (with MONGODB_ATLAS_API_KEY, _API_SECRET and _PROJECT_ID). tests/contract/atlas puts a relay between that checks all
// traffic against the Administration API document.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include <unistd.h>

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "providers/atlas/client.hpp"
#include "providers/error.hpp"
#include "providers/http/client.hpp"
#include "providers/sandbox/api.hpp"
#include "providers/sandbox/faults.hpp"
#include "providers/sandbox/server.hpp"
#include "tests/contract/contract.hpp"

using namespace litedesk;
using namespace litedesk::atlas;
using test::variable;
namespace fs = std::filesystem;

namespace {

struct Where {
  std::string url, project;
  Credentials key, account;
};
Where where;  // set by main()

std::string or_else(const std::string& value, std::string_view otherwise) {
  return value.empty() ? std::string(otherwise) : value;
}

// A folder for tokens that goes with the test.
class Folder {
 public:
  Folder() {
    std::string form = (fs::temp_directory_path() / "litedesk-contract-XXXXXX").string();
    if (mkdtemp(form.data()) == nullptr) throw Failed("no temporary folder");
    path = form;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path path;
};

struct Peer {
  http::Client transport{http::ClientOptions{.user_agent = "litedesk-contract-test",
                                             .buckets = {{http::Api::atlas, {}}, {http::Api::oauth, {}}},
                                             .trace = {}}};
  Client client;

  explicit Peer(const Credentials& credentials, const std::string& cache = {},
                const std::string& project = where.project)
      : client(transport, credentials, options(cache, project)) {}
  static ClientOptions options(const std::string& cache, const std::string& project) {
    ClientOptions result;
    result.url = where.url;
    result.project = project;
    result.token_cache_folder = cache;
    return result;
  }
};

// Names of this run alone.
DatabaseUser user(const std::string& label) {
  DatabaseUser result;
  result.username = "user_" + label + "_" + std::to_string(getpid());
  result.roles = {{"litedesk_" + label, "readWrite"}, {"litedesk_" + label, "dbAdmin"}};
  result.clusters = {"crm"};
  result.labels = {{"litedesk-tenant", label}};
  result.description = "contract test";
  return result;
}

const Secret password("a-long-random-password-1");

bool holds(const std::vector<DatabaseUser>& users, const std::string& name) {
  return std::any_of(users.begin(), users.end(), [&](const DatabaseUser& each) { return each.username == name; });
}

}  // namespace

TEST_CASE("a user's life: created, read, listed, changed, given a new password, deleted") {
  for (const auto* credentials : {&where.key, &where.account}) {
    CAPTURE(credentials->id);
    Peer peer(*credentials);
    auto acme = user(credentials->is_service_account() ? "account" : "key");
    CHECK_FALSE(peer.client.get_user(acme.username).has_value());
    CHECK_FALSE(peer.client.remove_user(acme.username));

    CHECK(equivalent(peer.client.create_user(acme, password), acme));
    const auto read = peer.client.get_user(acme.username);
    REQUIRE(read.has_value());
    CHECK(equivalent(*read, acme));
    CHECK(holds(peer.client.list_users(), acme.username));
    CHECK_THROWS_AS(peer.client.create_user(acme, password), Conflict);

    acme.roles.pop_back();
    acme.labels["litedesk-registry"] = "r1";
    acme.description = "changed";
    CHECK(equivalent(peer.client.update_user(acme, std::nullopt), acme));
    CHECK(equivalent(peer.client.update_user(acme, Secret("another-long-password-2")), acme));
    CHECK(equivalent(peer.client.get_user(acme.username).value(), acme));

    CHECK(peer.client.remove_user(acme.username));
    CHECK_FALSE(peer.client.get_user(acme.username).has_value());
  }
}

TEST_CASE("a user whose name needs encoding is addressed by it") {
  Peer peer(where.key);
  auto odd = user("odd");
  odd.username += ".b$%/x y";
  static_cast<void>(peer.client.create_user(odd, password));
  CHECK(peer.client.get_user(odd.username).has_value());
  CHECK(peer.client.remove_user(odd.username));
  CHECK_FALSE(peer.client.get_user(odd.username).has_value());
}

TEST_CASE("the shared cluster, its change status and the limit of users are read") {
  Peer peer(where.key);
  const auto crm = peer.client.get_cluster("crm");
  REQUIRE(crm.has_value());
  CHECK(crm->state == "IDLE");
  CHECK(crm->standard_srv.starts_with("mongodb+srv://"));
  CHECK_FALSE(crm->instance_size.empty());
  CHECK_FALSE(peer.client.get_cluster("no-such-cluster").has_value());
  CHECK_FALSE(peer.client.list_clusters().empty());
  CHECK_NOTHROW(static_cast<void>(peer.client.changes_applied("crm", {})));
  const auto limit = peer.client.limit("atlas.project.security.databaseAccess.users");
  CHECK(limit.value > 0);
  CHECK(limit.current_usage < limit.value);
}

TEST_CASE("a wrong secret and another project are refused in the API's words") {
  auto wrong = where.key;
  wrong.secret = Secret("not-the-private-key");
  CHECK_THROWS_AS(static_cast<void>(Peer(wrong).client.list_users()), AuthError);
  auto stranger = where.account;
  stranger.secret = Secret("mdb_sa_sk_wrong");
  CHECK_THROWS_AS(static_cast<void>(Peer(stranger).client.list_users()), AuthError);

  Peer elsewhere(where.key, {}, "ffffffffffffffffffffffff");
  try {
    static_cast<void>(elsewhere.client.get_user("user_acme"));
    FAIL_CHECK("a user of a project that is not there was found absent");
  } catch (const Error& error) {
    CAPTURE(std::string(error.what()));
    CHECK((error.code() == ErrorCode::not_found || error.code() == ErrorCode::authentication));
    CHECK_FALSE(atlas_error_code(error).empty());
  }
}

TEST_CASE("a token is kept for the next run") {
  const Folder folder;
  Peer first(where.account, folder.path.string());
  static_cast<void>(first.client.list_users());
  const auto files = [&] { return std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()); };
  CHECK(files() == 1);
  Peer second(where.account, folder.path.string());
  CHECK_NOTHROW(static_cast<void>(second.client.list_users()));
  CHECK(files() == 1);
}

int main(int argc, char** argv) {
  where = {variable("LITEDESK_TEST_ATLAS_URL"),
           or_else(variable("MONGODB_ATLAS_PROJECT_ID"), sandbox::atlas_project),
           {variable("MONGODB_ATLAS_API_KEY"), Secret(variable("MONGODB_ATLAS_API_SECRET"))},
           {variable("LITEDESK_TEST_ATLAS_CLIENT_ID"), Secret(variable("LITEDESK_TEST_ATLAS_CLIENT_SECRET"))}};
  if (!where.url.empty() && !test::is_loopback(where.url))
    return test::skip("contract_atlas", "LITEDESK_TEST_ATLAS_URL is no address of this machine");

  const Folder folder;
  std::optional<sandbox::State> state;
  std::unique_ptr<sandbox::Api> api;
  sandbox::Faults faults({}, "atlas", 1);
  std::optional<sandbox::Server> server;
  if (where.url.empty()) {
    std::fprintf(stderr,
                 "SKIPPED contract_atlas against the API document: LITEDESK_TEST_ATLAS_URL is not set "
                 "(tests/contract/atlas sets it up); "
                 "the sandbox's stand-in answers instead\n");
    state.emplace(folder.path / "state.db");
    const auto keys = sandbox::draw_keys();
    api = sandbox::make_atlas_api({*state, system::real_clock(), 0, "litedesk.com", keys});
    server.emplace(*api, faults, sandbox::ServerOptions{"atlas", 0, {}, &system::real_clock()});
    where = {"http://127.0.0.1:" + std::to_string(server->port()),
             std::string(sandbox::atlas_project),
             {keys.atlas_public_key, Secret(keys.atlas_private_key)},
             {keys.atlas_client_id, Secret(keys.atlas_client_secret)}};
  }
  return doctest::Context(argc, argv).run();
}
