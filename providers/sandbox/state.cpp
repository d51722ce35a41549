#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

#include "providers/error.hpp"
#include "providers/read_json.hpp"
#include "providers/sandbox/api.hpp"
#include "providers/sandbox/database.hpp"
#include "providers/system/files.hpp"

namespace litedesk::sandbox {

namespace {

constexpr std::int64_t schema_version = 1;
constexpr std::int64_t kept_writes = 10'000;
constexpr std::int64_t prune_every = 100;

// Nothing here must survive a power cut, only the end of a process: no write waits for the disk (synchronous=OFF).
constexpr const char* settings = "PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-4096;";

constexpr const char* schema = R"sql(
CREATE TABLE rows(collection TEXT NOT NULL, scope TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL,
                  body TEXT NOT NULL, PRIMARY KEY(collection, scope, name));
CREATE TABLE log(revision INTEGER PRIMARY KEY, collection TEXT NOT NULL, scope TEXT NOT NULL, name TEXT NOT NULL,
                 deleted INTEGER NOT NULL, body TEXT NOT NULL);
PRAGMA user_version=1;
)sql";

std::int64_t version_of(Database& database) {
  auto query = database.query("PRAGMA user_version");
  query.step();
  return query.number(0);
}

// The first of several processes makes the tables; the others find them.
void prepare(Database& database, const std::filesystem::path& file) {
  database.execute(settings);
  if (const auto version = version_of(database); version == schema_version) return;
  // Changing the journal's mode does not heed the busy timeout; who comes second finds it changed.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(15);
  while (!database.try_execute("PRAGMA journal_mode=WAL")) {
    if (std::chrono::steady_clock::now() > deadline) database.fail("prepare");
    std::this_thread::yield();
  }
  database.execute("BEGIN IMMEDIATE");
  try {
    const auto version = version_of(database);
    if (version != 0 && version != schema_version)
      throw Failed(
          {.message = fmt::format("the sandbox's state {} was made by another version of litedesk", file.string()),
           .hint = "start over with: litedesk sandbox reset",
           .cause = fmt::format("its schema is {}, this version supports {}", version, schema_version)});
    if (version == 0) database.execute(schema);
    database.execute("COMMIT");
  } catch (...) {
    if (database.in_transaction()) database.execute("ROLLBACK");
    throw;
  }
}

Json stored(const Query& query, int column) {
  auto body = parse_json(query.view(column));
  if (body.is_discarded())
    throw Failed({.message = "the sandbox's state holds a row that cannot be read",
                  .hint = "start anew with `litedesk sandbox reset`"});
  return body;
}

Row row_of(const Query& query) {
  return {query.text(0), query.text(1), query.text(2), stored(query, 4), query.number(3)};
}

std::int64_t last_revision(Database& database) {
  auto query = database.query("SELECT max(revision) FROM log");
  query.step();
  return query.number(0);
}

}  // namespace

struct State::Impl {
  std::filesystem::path file;

  // One connection writes; the others read, each lent to one thread at a time.
  std::mutex write_mutex;
  std::unique_ptr<Database> writer;
  std::mutex readers_mutex;
  std::vector<std::unique_ptr<Database>> readers;

  std::mutex changed_mutex;
  std::condition_variable changed;
  std::atomic<std::int64_t> writes = 0;
  std::atomic<bool> interrupted = false;

  // The connection that this thread's transaction holds, if it is in one.
  struct Transaction {
    const Impl* owner = nullptr;
    Database* database = nullptr;
    bool writing = false;
    std::int64_t revision = 0;
  };
  static thread_local Transaction transaction;

  class Reader {
   public:
    explicit Reader(Impl& impl) : impl_(impl) {
      if (transaction.owner == &impl) {
        database_ = transaction.database;
        return;
      }
      {
        const std::lock_guard lock(impl.readers_mutex);
        if (!impl.readers.empty()) {
          lent_ = std::move(impl.readers.back());
          impl.readers.pop_back();
        }
      }
      if (!lent_) {
        lent_ = std::make_unique<Database>(impl.file);
        lent_->execute(settings);
      }
      database_ = lent_.get();
    }
    ~Reader() {
      if (!lent_) return;
      const std::lock_guard lock(impl_.readers_mutex);
      impl_.readers.push_back(std::move(lent_));
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    Database& operator*() { return *database_; }
    Database* operator->() { return database_; }

   private:
    Impl& impl_;
    std::unique_ptr<Database> lent_;
    Database* database_ = nullptr;
  };

  // Runs `work` between `begin` and COMMIT, with this thread's transaction set.
  void transact(Database& database, bool writing, const char* begin, const std::function<void()>& work) {
    database.execute(begin);
    transaction = {this, &database, writing, writing ? last_revision(database) : 0};
    try {
      work();
      transaction = {};
      database.execute("COMMIT");
    } catch (...) {
      transaction = {};
      // SQLite may have rolled back by itself (a full disk).
      if (database.in_transaction()) database.execute("ROLLBACK");
      throw;
    }
  }

  Database& writing() {
    if (transaction.owner != this || !transaction.writing)
      throw std::logic_error("a write to the sandbox's state outside of State::write()");
    return *transaction.database;
  }

  void log_write(std::string_view collection, std::string_view scope, std::string_view name, bool deleted,
                 std::string_view body) {
    auto& database = writing();
    const auto revision = ++transaction.revision;
    database.query("INSERT INTO log(revision, collection, scope, name, deleted, body) VALUES(?,?,?,?,?,?)")
        .bind(revision)
        .bind(collection)
        .bind(scope)
        .bind(name)
        .bind(std::int64_t{deleted})
        .bind(body)
        .run();
    if (revision % prune_every == 0)
      database.query("DELETE FROM log WHERE revision <= ?").bind(revision - kept_writes).run();
  }
};

thread_local State::Impl::Transaction State::Impl::transaction;

State::State(const std::filesystem::path& file) : impl_(std::make_unique<Impl>()) {
  if (file.has_parent_path()) system::make_private_folder(file.parent_path());
  impl_->file = file;
  impl_->writer = std::make_unique<Database>(file);
  prepare(*impl_->writer, file);
}

State::~State() = default;

void State::write(const std::function<void()>& work) {
  if (Impl::transaction.owner == impl_.get() && Impl::transaction.writing) return work();
  {
    const std::lock_guard lock(impl_->write_mutex);
    impl_->transact(*impl_->writer, true, "BEGIN IMMEDIATE", work);
  }
  {
    const std::lock_guard lock(impl_->changed_mutex);
    ++impl_->writes;
  }
  impl_->changed.notify_all();
}

void State::read(const std::function<void()>& work) {
  if (Impl::transaction.owner == impl_.get()) return work();
  Impl::Reader reader(*impl_);
  impl_->transact(*reader, false, "BEGIN", work);
}

bool State::wait(std::int64_t after, std::chrono::milliseconds timeout) {
  // Writes of this process wake it at once; those of others are seen at the next look.
  constexpr std::chrono::milliseconds look_every{20};
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const auto seen = impl_->writes.load();
    if (revision() > after) return true;
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline || impl_->interrupted) return false;
    std::unique_lock lock(impl_->changed_mutex);
    impl_->changed.wait_until(lock, std::min(deadline, now + look_every), [&] { return impl_->writes != seen; });
  }
}

void State::interrupt() {
  {
    const std::lock_guard lock(impl_->changed_mutex);
    impl_->interrupted = true;
    ++impl_->writes;
  }
  impl_->changed.notify_all();
}

std::optional<Row> State::get(std::string_view collection, std::string_view scope, std::string_view name) {
  Impl::Reader reader(*impl_);
  auto query = reader->query(
      "SELECT collection, scope, name, revision, body FROM rows WHERE collection=? AND scope=? AND name=?");
  query.bind(collection).bind(scope).bind(name);
  if (!query.step()) return std::nullopt;
  return row_of(query);
}

std::vector<Row> State::list(std::string_view collection, std::optional<std::string_view> scope) {
  Impl::Reader reader(*impl_);
  auto query = scope ? reader->query(
                           "SELECT collection, scope, name, revision, body FROM rows WHERE collection=? AND scope=? "
                           "ORDER BY scope, name")
                     : reader->query(
                           "SELECT collection, scope, name, revision, body FROM rows WHERE collection=? "
                           "ORDER BY scope, name");
  query.bind(collection);
  if (scope) query.bind(*scope);
  std::vector<Row> rows;
  while (query.step()) rows.push_back(row_of(query));
  return rows;
}

std::vector<Row> State::list_from(std::string_view collection, std::string_view scope, std::string_view from,
                                  std::int64_t most) {
  Impl::Reader reader(*impl_);
  auto query = reader->query(
      "SELECT collection, scope, name, revision, body FROM rows WHERE collection=? AND scope=? AND name>=? "
      "ORDER BY name LIMIT ?");
  query.bind(collection).bind(scope).bind(from).bind(most);
  std::vector<Row> rows;
  while (query.step()) rows.push_back(row_of(query));
  return rows;
}

std::int64_t State::count(std::string_view collection, std::optional<std::string_view> scope) {
  Impl::Reader reader(*impl_);
  auto query = scope ? reader->query("SELECT count(*) FROM rows WHERE collection=? AND scope=?")
                     : reader->query("SELECT count(*) FROM rows WHERE collection=?");
  query.bind(collection);
  if (scope) query.bind(*scope);
  query.step();
  return query.number(0);
}

std::vector<std::string> State::collections(std::string_view prefix) {
  Impl::Reader reader(*impl_);
  auto query = reader->query(
      "SELECT DISTINCT collection FROM rows WHERE substr(collection, 1, length(?)) = ? ORDER BY collection");
  query.bind(prefix).bind(prefix);
  std::vector<std::string> names;
  while (query.step()) names.push_back(query.text(0));
  return names;
}

std::int64_t State::revision() {
  if (Impl::transaction.owner == impl_.get() && Impl::transaction.writing) return Impl::transaction.revision;
  Impl::Reader reader(*impl_);
  return last_revision(*reader);
}

std::vector<LogEntry> State::log(std::string_view collection, std::optional<std::string_view> scope,
                                 std::int64_t after) {
  Impl::Reader reader(*impl_);
  auto query = scope ? reader->query(
                           "SELECT collection, scope, name, revision, body, deleted FROM log WHERE revision > ? "
                           "AND collection=? AND scope=? ORDER BY revision")
                     : reader->query(
                           "SELECT collection, scope, name, revision, body, deleted FROM log WHERE revision > ? "
                           "AND collection=? ORDER BY revision");
  query.bind(after).bind(collection);
  if (scope) query.bind(*scope);
  std::vector<LogEntry> entries;
  while (query.step())
    entries.push_back(
        {query.number(3), query.text(0), query.text(1), query.text(2), query.number(5) != 0, stored(query, 4)});
  return entries;
}

std::int64_t State::oldest_logged_revision() {
  Impl::Reader reader(*impl_);
  auto query = reader->query("SELECT min(revision) FROM log");
  query.step();
  return std::max<std::int64_t>(query.number(0), 1);
}

std::int64_t State::next_revision() {
  [[maybe_unused]] const auto& database = impl_->writing();
  return Impl::transaction.revision + 1;
}

std::int64_t State::put(std::string_view collection, std::string_view scope, std::string_view name, const Json& body) {
  auto& database = impl_->writing();
  const auto text = body.dump();
  impl_->log_write(collection, scope, name, false, text);
  const auto revision = Impl::transaction.revision;
  database
      .query(
          "INSERT INTO rows(collection, scope, name, revision, body) VALUES(?,?,?,?,?) ON CONFLICT DO UPDATE SET "
          "revision=excluded.revision, body=excluded.body")
      .bind(collection)
      .bind(scope)
      .bind(name)
      .bind(revision)
      .bind(text)
      .run();
  return revision;
}

bool State::erase(std::string_view collection, std::string_view scope, std::string_view name) {
  auto& database = impl_->writing();
  std::string text;
  {
    auto query = database.query("DELETE FROM rows WHERE collection=? AND scope=? AND name=? RETURNING body");
    query.bind(collection).bind(scope).bind(name);
    if (!query.step()) return false;
    text = query.text(0);
    query.run();
  }
  impl_->log_write(collection, scope, name, true, text);
  return true;
}

}  // namespace litedesk::sandbox
