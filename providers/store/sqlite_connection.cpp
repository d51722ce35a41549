#include "providers/store/sqlite_connection.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "providers/error.hpp"
#include "providers/system/files.hpp"
#include "providers/system/limits.hpp"

namespace litedesk::store {
namespace {

// SQLite cannot tell when another process lets go of its lock: it has to be asked again.
constexpr std::chrono::milliseconds ask_again{10};
// A writer here takes milliseconds; one that takes this long is stopped in a debugger or on a dead network drive.
constexpr std::chrono::seconds patience{30};

std::string in_words(int error) {
  return std::generic_category().message(error);
}

// mknod makes the file without opening it: closing a second descriptor of a file drops the locks that SQLite holds on
// it (fcntl(2), "Advisory record locking"; sqlite.org/howtocorrupt.html, 2.2).
void make_file(const std::filesystem::path& path) {
  if (path.has_parent_path()) system::make_private_folder(path.parent_path());
  if (::mknod(path.c_str(), S_IFREG | 0600, 0) == 0) return;
  const int error = errno;
  if (error == EEXIST) {
    struct stat info {};
    const bool shared = ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 0077U) != 0;
    // Only a file of our own can be closed to others; anybody else's stays as its owner wants it.
    if (shared) (void)::chmod(path.c_str(), info.st_mode & 07700U);
    return;
  }
  const bool full = error == ENOSPC || error == EDQUOT;
  throw Failed(
      {.message = fmt::format("the registry {} cannot be created", path.string()),
       .hint = full ? "free some space on that disk" : "check the folder and its permissions, or name another file",
       .resource = path.string(),
       .cause = in_words(error)});
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement::Statement(SqliteConnection& connection, std::string_view sql) : connection_(connection) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(connection.handle(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) connection_.fail(code);
}

Statement& Statement::bind(int parameter, std::string_view text) {
  const int code = sqlite3_bind_text64(statement_.get(), parameter, text.data() == nullptr ? "" : text.data(),
                                       text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) connection_.fail(code);
  return *this;
}

Statement& Statement::bind(int parameter, std::int64_t number) {
  const int code = sqlite3_bind_int64(statement_.get(), parameter, number);
  if (code != SQLITE_OK) connection_.fail(code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  connection_.fail(code);
}

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

void SqliteConnection::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

SqliteConnection::SqliteConnection(std::filesystem::path path, const system::Clock& clock, std::stop_token stop)
    : path_(std::move(path)), clock_(clock), stop_(std::move(stop)) {
  make_file(path_);
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path_.c_str(), &database, flags, nullptr);
  database_.reset(database);
  if (code != SQLITE_OK) fail(code);
  sqlite3_busy_handler(database, &SqliteConnection::on_busy, this);
  // SQLite falls back to reading when it may not write.
  if (sqlite3_db_readonly(database, "main") == 1) fail(SQLITE_READONLY);
}

int SqliteConnection::on_busy(void* self, int count) {
  return static_cast<SqliteConnection*>(self)->wait_for_lock(count == 0) ? 1 : 0;
}

bool SqliteConnection::wait_for_lock(bool first) {
  if (first) {
    waiting_since_ = clock_.steady();
    // What is written after the stop is what undoing needs: it waits like any other write.
    heeds_stop_ = !stop_.stop_requested();
  }
  if (clock_.steady() - waiting_since_ > patience) return false;
  return clock_.wait(ask_again, heeds_stop_ ? stop_ : std::stop_token());
}

void SqliteConnection::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::int64_t SqliteConnection::integer(std::string_view sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::string SqliteConnection::text(std::string_view sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.text(0) : std::string();
}

void SqliteConnection::use_write_ahead_log() {
  // Another process that opens the file at this moment makes this one SQLITE_BUSY at once, without the busy handler (it
  // could wait for ever otherwise): so it is asked again here.
  for (bool first = true;; first = false) {
    sqlite3_stmt* raw = nullptr;
    int code = sqlite3_prepare_v2(handle(), "PRAGMA journal_mode = WAL", -1, &raw, nullptr);
    if (code == SQLITE_OK) code = sqlite3_step(raw);
    const std::string mode = code == SQLITE_ROW ? reinterpret_cast<const char*>(sqlite3_column_text(raw, 0)) : "";
    sqlite3_finalize(raw);
    if (code == SQLITE_ROW && mode == "wal") return;
    if (code == SQLITE_ROW) {
      throw Failed({.message = fmt::format("the registry {} cannot be shared safely", path_.string()),
                    .hint = "put it on a local disk",
                    .resource = path_.string(),
                    .cause = fmt::format("SQLite stays in journal mode {} there", mode)});
    }
    if ((code & 0xff) != SQLITE_BUSY || !wait_for_lock(first)) fail(code);
  }
}

void SqliteConnection::fail(int code) {
  const int system_error = database_ ? sqlite3_system_errno(handle()) : 0;
  std::string cause = database_ ? sqlite3_errmsg(handle()) : sqlite3_errstr(code);
  const std::string name = path_.string();
  const int primary = code & 0xff;
  const bool input_output = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN;
  const bool no_room = system_error == ENOSPC || system_error == EDQUOT;

  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
    if (heeds_stop_ && stop_.stop_requested())
      throw Cancelled(fmt::format("interrupted while waiting for the registry {}", name));
    throw Unavailable({.message = fmt::format("the registry {} is still locked by another process", name),
                       .hint = fmt::format("`fuser {}` shows which; wait for it, or end it", name),
                       .resource = name,
                       .cause = std::move(cause)});
  }
  if (primary == SQLITE_FULL || (input_output && no_room)) {
    if (no_room) cause = in_words(system_error);
    throw Failed({.message = fmt::format("the registry {} could not be written: no space left", name),
                  .hint = "free some space on that disk and repeat the command; what was stored before is unharmed",
                  .resource = name,
                  .cause = std::move(cause)});
  }
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) fail_damaged(cause);
  if (primary == SQLITE_READONLY || primary == SQLITE_PERM || primary == SQLITE_CANTOPEN || primary == SQLITE_AUTH) {
    if (system_error != 0) cause = in_words(system_error);
    throw Failed(
        system::explained({.message = fmt::format("the registry {} cannot be opened for writing", name),
                           .hint = "check who owns the file and its folder, and whether the disk is mounted read-only",
                           .resource = name,
                           .cause = std::move(cause)},
                          system_error));
  }
  // A write past a file size limit is no full disk to SQLite, and its reason (EFBIG) is not always kept.
  if (code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_SHMSIZE || code == SQLITE_IOERR_FSYNC) {
    if (system_error != 0) cause += ": " + in_words(system_error);
    throw Failed(
        {.message = fmt::format("the registry {} could not be written", name),
         .hint = "see whether its disk is full (df) or files may not grow (ulimit -f), and repeat the command; what "
                 "was stored before is unharmed",
         .resource = name,
         .cause = std::move(cause)});
  }
  if (input_output && system_error != 0) cause += ": " + in_words(system_error);
  throw Failed({.message = fmt::format("the registry {} failed", name),
                .hint = "check the disk that it is on",
                .resource = name,
                .cause = std::move(cause)});
}

void SqliteConnection::fail_damaged(const std::string& cause) const {
  throw Failed(
      {.message = fmt::format("the registry {} is damaged, or is not a registry", path_.string()),
       .hint = fmt::format("put a backup in its place, or try `sqlite3 {0} .recover | sqlite3 {0}.new`; the file was "
                           "not changed",
                           path_.string()),
       .resource = path_.string(),
       .cause = cause});
}

Transaction::Transaction(SqliteConnection& connection) : connection_(connection) {
  connection_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // After some errors (a full disk) SQLite has rolled back by itself, and this one then finds nothing to do.
  if (open_) sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  connection_.execute("COMMIT");
  open_ = false;
}

}  // namespace litedesk::store
