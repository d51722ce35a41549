#include "providers/store/sqlite_store.hpp"

#include <mutex>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "providers/error.hpp"
#include "providers/read_json.hpp"
#include "providers/store/label_selector.hpp"
#include "providers/store/sqlite_connection.hpp"

namespace litedesk::store {
namespace {

constexpr std::int64_t application_id = 0x6c746473;  // "ltds": tells our files from other programs' (file(1) shows it)
constexpr std::int64_t schema_version = 1;

constexpr std::string_view schema = R"sql(
  CREATE TABLE registry (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, version INTEGER NOT NULL);
  CREATE TABLE documents (
    kind TEXT NOT NULL, name TEXT NOT NULL, desired TEXT NOT NULL, observed TEXT NOT NULL, labels TEXT NOT NULL,
    version INTEGER NOT NULL, id TEXT NOT NULL, created TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
)sql";

constexpr std::string_view columns = "name, desired, observed, labels, version, id, created";

std::string to_text(const Json& value) {
  // What came from an API may hold bytes that are no UTF-8; a record is worth more than they are.
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class SqliteStore : public Store {
 public:
  explicit SqliteStore(SqliteOptions options)
      : options_(std::move(options)), connection_(options_.path, *options_.clock, options_.stop) {
    refuse_what_is_not_ours();
    // Also after a power failure a commit that was reported is there: the lock and the intent depend on it.
    connection_.use_write_ahead_log();
    connection_.execute("PRAGMA synchronous = FULL");
    make_schema();
  }

  Document create(const Document& wanted) override {
    check_name(wanted.name);
    Document document = prepared(wanted);
    const std::lock_guard guard(mutex_);
    Transaction transaction(connection_);
    if (read(document.name)) {
      throw Conflict({.message = fmt::format("{} {} already exists", options_.kind, document.name),
                      .hint = "choose another name, or change the existing one",
                      .resource = resource(document.name),
                      .cause = {}});
    }
    if (options_.validate) options_.validate(nullptr, document);
    document.version = next_version();
    document.id = options_.random->uuid();
    document.created = system::to_rfc3339(options_.clock->now());
    Statement insert(connection_,
                     "INSERT INTO documents (kind, name, desired, observed, labels, version, id, created) "
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    bind_content(insert, document);
    insert.bind(7, document.id).bind(8, document.created);
    insert.step();
    transaction.commit();
    return document;
  }

  std::optional<Document> get(std::string_view name) override {
    const std::lock_guard guard(mutex_);
    return read(name);
  }

  std::vector<Document> list(std::string_view selector) override {
    const auto requirements = parse_selector(selector);
    const std::lock_guard guard(mutex_);
    Statement select(connection_, fmt::format("SELECT {} FROM documents WHERE kind = ?1 ORDER BY name", columns));
    select.bind(1, options_.kind);
    std::vector<Document> found;
    while (select.step()) {
      Document document = row(select);
      if (matches(requirements, document.labels)) found.push_back(std::move(document));
    }
    return found;
  }

  Document update(const Document& wanted) override {
    Document document = prepared(wanted);
    const std::lock_guard guard(mutex_);
    Transaction transaction(connection_);
    const auto stored = read(document.name);
    if (!stored) {
      throw NotFound({.message = fmt::format("{} {} no longer exists", options_.kind, document.name),
                      .hint = "someone deleted it in the meantime",
                      .resource = resource(document.name),
                      .cause = {}});
    }
    const bool same = stored->desired == document.desired && stored->observed == document.observed &&
                      stored->labels == document.labels;
    if (same) return *stored;
    if (stored->version != document.version) refuse_stale(document.name);
    if (options_.validate) options_.validate(&*stored, document);
    document.version = next_version();
    document.id = stored->id;
    document.created = stored->created;
    Statement update(connection_,
                     "UPDATE documents SET desired = ?3, observed = ?4, labels = ?5, version = ?6 "
                     "WHERE kind = ?1 AND name = ?2");
    bind_content(update, document);
    update.step();
    transaction.commit();
    return document;
  }

  bool remove(std::string_view name, std::string_view version) override {
    const std::lock_guard guard(mutex_);
    Transaction transaction(connection_);
    const auto stored = read(name);
    if (!stored) return false;
    if (!version.empty() && stored->version != version) refuse_stale(name);
    Statement statement(connection_, "DELETE FROM documents WHERE kind = ?1 AND name = ?2");
    statement.bind(1, options_.kind).bind(2, name);
    statement.step();
    transaction.commit();
    return true;
  }

  std::string registry_id() override {
    const std::lock_guard guard(mutex_);
    std::string id = connection_.text("SELECT id FROM registry");
    if (id.empty()) connection_.fail_damaged("it has lost its id");
    return id;
  }

  [[nodiscard]] std::string describe() const override { return "sqlite:" + options_.path.string(); }

 private:
  void refuse_what_is_not_ours() {
    const std::string name = options_.path.string();
    // In this order: another process may be making the tables, and with them the mark, at this moment.
    const std::int64_t tables = connection_.integer("SELECT count(*) FROM sqlite_schema");
    const std::int64_t application = connection_.integer("PRAGMA application_id");
    if (application != application_id && (application != 0 || tables != 0)) {
      throw Failed({.message = fmt::format("{} is a database of another program, not a registry", name),
                    .hint = "name another file",
                    .resource = name,
                    .cause = {}});
    }
    refuse_newer(connection_.integer("PRAGMA user_version"));
  }

  void refuse_newer(std::int64_t found) const {
    if (found <= schema_version) return;
    throw Failed(
        {.message = fmt::format("the registry {} was written by a newer litedesk", options_.path.string()),
         .hint = "upgrade litedesk; nothing was changed",
         .resource = options_.path.string(),
         .cause = fmt::format("its format is {}, and this litedesk supports up to {}", found, schema_version)});
  }

  void make_schema() {
    if (connection_.integer("PRAGMA user_version") == schema_version) return;
    Transaction transaction(connection_);
    const std::int64_t found = connection_.integer("PRAGMA user_version");
    refuse_newer(found);
    if (found == schema_version) return;  // another process was first
    connection_.execute(std::string(schema));
    Statement insert(connection_, "INSERT INTO registry (one, id, version) VALUES (1, ?1, 0)");
    insert.bind(1, options_.random->uuid());
    insert.step();
    connection_.execute(fmt::format("PRAGMA application_id = {}", application_id));
    connection_.execute(fmt::format("PRAGMA user_version = {}", schema_version));
    transaction.commit();
  }

  static Document prepared(const Document& wanted) {
    check_labels(wanted.labels);
    Document document = wanted;
    document.desired = without_nulls(wanted.desired);
    document.observed = without_nulls(wanted.observed);
    document.base.reset();
    return document;
  }

  // Inside a transaction only. One count for the whole file, so that a record made again under an old name never has a
  // version that was seen before.
  std::string next_version() {
    connection_.execute("UPDATE registry SET version = version + 1");
    return connection_.text("SELECT version FROM registry");
  }

  std::optional<Document> read(std::string_view name) {
    Statement select(connection_, fmt::format("SELECT {} FROM documents WHERE kind = ?1 AND name = ?2", columns));
    select.bind(1, options_.kind).bind(2, name);
    if (!select.step()) return std::nullopt;
    return row(select);
  }

  Document row(const Statement& select) {
    Document document;
    document.name = select.text(0);
    document.desired = parse(select.text(1), document.name);
    document.observed = parse(select.text(2), document.name);
    const Json labels = parse(select.text(3), document.name);
    for (const auto& label : labels.items()) {
      if (!label.value().is_string())
        connection_.fail_damaged(fmt::format("the labels of {} are invalid", document.name));
      document.labels[label.key()] = label.value().get<std::string>();
    }
    document.version = select.text(4);
    document.id = select.text(5);
    document.created = select.text(6);
    return document;
  }

  Json parse(const std::string& text, const std::string& name) {
    Json value = parse_json(text);
    if (!value.is_object()) connection_.fail_damaged(fmt::format("the record {} is not a JSON object", name));
    return value;
  }

  void bind_content(Statement& statement, const Document& document) {
    statement.bind(1, options_.kind)
        .bind(2, document.name)
        .bind(3, to_text(document.desired))
        .bind(4, to_text(document.observed))
        .bind(5, to_text(document.labels))
        .bind(6, static_cast<std::int64_t>(std::stoll(document.version)));
  }

  [[noreturn]] void refuse_stale(std::string_view name) const {
    throw Conflict({.message = fmt::format("{} {} was changed by someone else since it was read", options_.kind, name),
                    .hint = "repeat the command: it reads the record again",
                    .resource = resource(name),
                    .cause = {}});
  }

  [[nodiscard]] std::string resource(std::string_view name) const { return fmt::format("{} {}", options_.kind, name); }

  SqliteOptions options_;
  std::mutex mutex_;  // a transaction is the connection's, not the thread's
  SqliteConnection connection_;
};

}  // namespace

std::unique_ptr<Store> open_sqlite_store(SqliteOptions options) {
  return std::make_unique<SqliteStore>(std::move(options));
}

}  // namespace litedesk::store
