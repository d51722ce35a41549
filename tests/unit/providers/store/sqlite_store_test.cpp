#include "providers/store/sqlite_store.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <doctest/doctest.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "tests/unit/providers/store/store_suite.hpp"

using namespace litedesk;
using namespace litedesk::store;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "litedesk-store-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

SqliteOptions at(const fs::path& path) {
  SqliteOptions options;
  options.path = path;
  options.kind = "Tenant";
  return options;
}

Document make(const std::string& name) {
  Document document;
  document.name = name;
  document.desired = {{"slug", name}, {"displayName", "Acme"}, {"tags", {"a", "b"}}};
  document.observed = {{"dns", {{"record", "acme.example"}}}};
  return document;
}

void change(Document& document, int round) {
  document.desired["displayName"] = "Acme " + std::to_string(round);
  document.desired["notes"] = "round";
  document.observed["dns"]["record"] = "acme-" + std::to_string(round) + ".example";
}

void shrink(Document& document) {
  document.desired.erase("notes");
  document.observed.erase("dns");
}

void run_sql(const fs::path& path, const char* sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  REQUIRE(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

mode_t mode_of(const fs::path& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777U;
}

// The message and hint of what `call` throws as Failed.
std::pair<std::string, std::string> failure_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Failed& error) {
    return {error.what(), error.hint()};
  }
  return {};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the SQLite file keeps the store's promises") {
  const Folder folder;
  const auto store = open_sqlite_store(at(folder / "registry.db"));
  const auto other = open_sqlite_store(at(folder / "registry.db"));
  run_store_suite({*store, *other, make, change, shrink});
}

TEST_CASE("the file and its folders are its owner's only, also when an older file was open to others") {
  const Folder folder;
  const fs::path path = folder / "state/litedesk/registry.db";
  {
    const auto store = open_sqlite_store(at(path));
    store->create(make("acme"));
    CHECK(mode_of(path) == 0600);
    CHECK(mode_of(path.string() + "-wal") == 0600);
    CHECK(mode_of(path.parent_path()) == 0700);
    CHECK(mode_of(path.parent_path().parent_path()) == 0700);
  }
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  const auto store = open_sqlite_store(at(path));
  CHECK(mode_of(path) == 0600);
}

TEST_CASE("a registry opened again is the same: its id and what it holds") {
  const Folder folder;
  std::string id;
  Document made;
  {
    const auto store = open_sqlite_store(at(folder / "registry.db"));
    id = store->registry_id();
    made = store->create(make("acme"));
  }
  const auto store = open_sqlite_store(at(folder / "registry.db"));
  CHECK(store->registry_id() == id);
  CHECK(id.size() == 36);
  CHECK(store->get("acme") == made);
  CHECK(store->describe() == "sqlite:" + (folder / "registry.db").string());
  CHECK(open_sqlite_store(at(folder / "another.db"))->registry_id() != id);
}

TEST_CASE("kinds do not see each other") {
  const Folder folder;
  SqliteOptions others = at(folder / "registry.db");
  others.kind = "FleetRun";
  const auto tenants = open_sqlite_store(at(folder / "registry.db"));
  const auto runs = open_sqlite_store(others);
  tenants->create(make("acme"));
  CHECK_FALSE(runs->get("acme").has_value());
  CHECK(runs->list("").empty());
  runs->create(make("acme"));
  CHECK(runs->remove("acme", ""));
  CHECK(tenants->get("acme").has_value());
}

TEST_CASE("a validator sees what is stored and what is wanted, and can refuse") {
  const Folder folder;
  SqliteOptions options = at(folder / "registry.db");
  int created = 0, changed = 0;
  options.validate = [&](const Document* stored, const Document& wanted) {
    ++(stored == nullptr ? created : changed);
    if (wanted.desired.value("displayName", "") == "Acme 2") throw ValidationError("no second");
  };
  const auto store = open_sqlite_store(options);
  const Document made = store->create(make("acme"));
  Document wanted = made;
  change(wanted, 2);
  CHECK_THROWS_AS(store->update(wanted), ValidationError);
  CHECK(store->get("acme") == made);
  change(wanted, 1);
  CHECK_NOTHROW(store->update(wanted));
  CHECK(created == 1);
  CHECK(changed == 2);
}

TEST_CASE("many processes' worth of first openings make one registry") {
  const Folder folder;
  std::vector<std::string> ids(8);
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      threads.emplace_back([&, i] {
        try {
          ids[i] = open_sqlite_store(at(folder / "registry.db"))->registry_id();
        } catch (const std::exception& error) {
          ++failed;
          ids[i] = error.what();
        }
      });
    }
  }
  CHECK(failed == 0);
  for (const std::string& id : ids) CHECK(id == ids[0]);
}

TEST_CASE("a lock of another process is waited for, until it goes or the wait is stopped") {
  const Folder folder;
  std::stop_source stop;
  SqliteOptions options = at(folder / "registry.db");
  options.stop = stop.get_token();
  const auto store = open_sqlite_store(options);
  sqlite3* foreign = nullptr;
  REQUIRE(sqlite3_open((folder / "registry.db").c_str(), &foreign) == SQLITE_OK);
  REQUIRE(sqlite3_exec(foreign, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);

  SUBCASE("a reader does not wait") {
    CHECK(store->list("").empty());
  }
  SUBCASE("a writer goes on when the lock goes") {
    std::jthread release([foreign] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      sqlite3_exec(foreign, "COMMIT", nullptr, nullptr, nullptr);
    });
    CHECK_NOTHROW(store->create(make("acme")));
  }
  SUBCASE("a writer that is stopped says so") {
    std::jthread interrupt([&stop] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      stop.request_stop();
    });
    CHECK_THROWS_AS(store->create(make("acme")), Cancelled);
  }
  SUBCASE("what is written after the stop, to undo something, waits for the lock all the same") {
    stop.request_stop();
    std::jthread release([foreign] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      sqlite3_exec(foreign, "COMMIT", nullptr, nullptr, nullptr);
    });
    CHECK_NOTHROW(store->create(make("acme")));
  }
  SUBCASE("a lock that stays is named after half a minute") {
    const system::SkippingClock clock;
    SqliteOptions patient = at(folder / "registry.db");
    patient.clock = &clock;
    const auto waiting = open_sqlite_store(patient);
    try {
      waiting->create(make("acme"));
      FAIL("no error");
    } catch (const Unavailable& error) {
      CHECK(has(error.message(), "is still locked by another process"));
      CHECK(has(error.hint(), "fuser"));
    }
  }
  sqlite3_close(foreign);
}

TEST_CASE("a file of a newer litedesk is refused unharmed") {
  const Folder folder;
  (void)open_sqlite_store(at(folder / "registry.db"));
  run_sql(folder / "registry.db", "PRAGMA user_version = 2");
  const auto [message, hint] = failure_of([&] { (void)open_sqlite_store(at(folder / "registry.db")); });
  CHECK(has(message, "was written by a newer litedesk: its format is 2, and this litedesk supports up to 1"));
  CHECK(has(hint, "upgrade litedesk"));
}

TEST_CASE("a database of another program is refused unharmed") {
  const Folder folder;
  run_sql(folder / "other.db", "CREATE TABLE bookmarks (url TEXT)");
  const auto [message, hint] = failure_of([&] { (void)open_sqlite_store(at(folder / "other.db")); });
  CHECK(has(message, "is a database of another program"));
  CHECK(hint == "name another file");
}

TEST_CASE("a damaged file is called that") {
  const Folder folder;
  const fs::path path = folder / "registry.db";
  SUBCASE("text instead of a database") {
    std::ofstream(path) << "this is not a database, but it is long enough to be taken for the header of one\n";
    const auto [message, hint] = failure_of([&] { (void)open_sqlite_store(at(path)); });
    CHECK(has(message, "is damaged, or is not a registry"));
    CHECK(has(hint, "backup"));
  }
  SUBCASE("pages overwritten") {
    {
      const auto store = open_sqlite_store(at(path));
      for (int i = 0; i < 100; ++i) store->create(make("acme-" + std::to_string(i)));
    }
    {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(4096);
      const std::string noise(static_cast<std::size_t>(fs::file_size(path)) - 4096, '\x5a');
      file.write(noise.data(), static_cast<std::streamsize>(noise.size()));
    }
    const auto [message, hint] = failure_of([&] {
      const auto store = open_sqlite_store(at(path));
      (void)store->list("");
    });
    CHECK(has(message, "is damaged, or is not a registry"));
    CHECK(has(hint, "backup"));
  }
  SUBCASE("a record that is no JSON") {
    {
      const auto store = open_sqlite_store(at(path));
      store->create(make("acme"));
    }
    run_sql(path, "UPDATE documents SET observed = '{\"phase\":'");
    const auto store = open_sqlite_store(at(path));
    const auto [message, hint] = failure_of([&] { (void)store->get("acme"); });
    CHECK(has(message, "the record acme is not a JSON object"));
  }
}

namespace {

// Creates records until one fails; returns how many were stored, and the failure.
std::pair<int, std::pair<std::string, std::string>> fill(Store& store) {
  int stored = 0;
  std::pair<std::string, std::string> failure;
  for (int i = 0; i < 100 && failure.first.empty(); ++i) {
    failure = failure_of([&] {
      Document document = make("big-" + std::to_string(i));
      document.desired["notes"] = std::string(10'000, 'x');
      store.create(document);
      ++stored;
    });
  }
  return {stored, failure};
}

// In a child process, on a disk of its own: what went wrong, or "ok"; "skipped" where such a disk cannot be made.
std::string try_full_disk(const fs::path& folder) {
  if (::unshare(::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) return "skipped: unshare";
  (void)::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=192k") != 0) return "skipped: mount";
  const auto store = open_sqlite_store(at(folder / "registry.db"));
  const Document made = store->create(make("acme"));
  const auto [stored, failure] = fill(*store);
  if (!has(failure.first, "no space left") || !has(failure.second, "free some space")) return failure.first;
  if (store->get("acme") != made) return "what was stored before was lost";
  if (store->list("").size() != static_cast<std::size_t>(stored) + 1) return "half a record was stored";
  (void)::mount("tmpfs", folder.c_str(), "tmpfs", MS_REMOUNT, "size=1m");
  store->create(make("after"));
  return "ok";
}

}  // namespace

TEST_CASE("a full disk is called that, and what was stored before is unharmed") {
  const Folder folder;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::string result;
    try {
      result = try_full_disk(folder.path());
    } catch (const std::exception& error) {
      result = error.what();
    }
    const auto written = ::write(ends[1], result.data(), result.size());
    ::_exit(written == static_cast<ssize_t>(result.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string result(4096, '\0');
  const ssize_t length = ::read(ends[0], result.data(), result.size());
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  result.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  if (has(result, "skipped")) {
    MESSAGE("SKIPPED: this process may not mount a small disk: " << result);
  } else {
    CHECK(result == "ok");
  }
}

TEST_CASE("a file that may not grow is told from a full disk, and what was stored before is unharmed") {
  const Folder folder;
  const auto store = open_sqlite_store(at(folder / "registry.db"));
  const Document made = store->create(make("acme"));
  struct sigaction ignore {
  }, before{};
  ignore.sa_handler = SIG_IGN;
  REQUIRE(::sigaction(SIGXFSZ, &ignore, &before) == 0);
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  rlimit small = old;
  small.rlim_cur = 96 * 1024;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto [stored, failure] = fill(*store);
  ::setrlimit(RLIMIT_FSIZE, &old);
  ::sigaction(SIGXFSZ, &before, nullptr);
  CHECK(has(failure.first, "could not be written"));
  CHECK(has(failure.second, "ulimit -f"));
  CHECK(store->get("acme") == made);
  CHECK(store->list("").size() == static_cast<std::size_t>(stored) + 1);
  CHECK_NOTHROW(store->create(make("after")));
  CHECK(open_sqlite_store(at(folder / "registry.db"))->list("").size() == static_cast<std::size_t>(stored) + 2);
}

TEST_CASE("a place that cannot be written to is named") {
  const Folder folder;
  SUBCASE("a folder that is a file") {
    std::ofstream(folder / "file") << "x";
    CHECK_THROWS_AS((void)open_sqlite_store(at(folder / "file/registry.db")), Error);
  }
  SUBCASE("a folder that is another's") {
    // Root may write anywhere: be nobody for a moment.
    const bool root = ::geteuid() == 0;
    fs::create_directories(folder / "locked");
    { const auto store = open_sqlite_store(at(folder / "open.db")); }
    REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
    REQUIRE(::chmod((folder / "open.db").c_str(), 0444) == 0);
    if (root) REQUIRE(::seteuid(65534) == 0);
    const auto made = failure_of([&] { (void)open_sqlite_store(at(folder / "registry.db")); });
    const auto opened = failure_of([&] { (void)open_sqlite_store(at(folder / "open.db")); });
    if (root) REQUIRE(::seteuid(0) == 0);
    CHECK(has(made.first, "cannot be created: Permission denied"));
    CHECK(has(made.second, "its permissions"));
    CHECK(has(opened.first, "cannot be opened for writing"));
    CHECK(has(opened.second, "who owns the file"));
    REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  }
}
