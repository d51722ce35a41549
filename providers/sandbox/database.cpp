#include "providers/sandbox/database.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "providers/error.hpp"

namespace litedesk::sandbox {

namespace {

// Long enough for any other writer: each of them holds the file for well under a millisecond.
constexpr int busy_milliseconds = 15'000;

// SQLite would make the file with 0644 less the umask; its -wal and -shm take the mode that the file has. mknod makes
// it without opening it: closing a descriptor of one's own drops every lock that SQLite holds on the file in this
// process (fcntl(2), "Advisory record locking"), and another process would then remove the write-ahead log under its
// feet.
void make_private_file(const std::filesystem::path& file) {
  if (::mknod(file.c_str(), S_IFREG | 0600, 0) == 0 || errno == EEXIST) return;
  const int reason = errno;
  throw Failed({.message = fmt::format("cannot open the sandbox's state {}", file.string()),
                .hint = "choose a folder that you can write to, or free some space on its disk",
                .cause = std::strerror(reason)});
}

std::string_view hint_for(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "the disk is full: free some space, then run the command again";
    case SQLITE_IOERR:
      return "the disk may be full or failing, or files may not grow (ulimit -f): check it, then run the command again";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "choose a folder that you can write to";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "start over with: litedesk sandbox reset";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process keeps the state locked: stop it, then run the command again";
    default:
      return "";
  }
}

}  // namespace

Query::~Query() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Query& Query::bind(std::string_view text) {
  if (sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_STATIC) != SQLITE_OK)
    database_.fail("use");
  return *this;
}

Query& Query::bind(std::int64_t number) {
  if (sqlite3_bind_int64(statement_, ++bound_, number) != SQLITE_OK) database_.fail("use");
  return *this;
}

bool Query::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_.fail("use");
  return false;
}

std::string Query::text(int column) const {
  return std::string(view(column));
}

std::string_view Query::view(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::int64_t Query::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

Database::Database(std::filesystem::path file) : file_(std::move(file)) {
  make_private_file(file_);
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(file_.c_str(), &handle_, flags, nullptr) != SQLITE_OK) {
    try {
      fail("open");
    } catch (...) {
      sqlite3_close(handle_);
      throw;
    }
  }
  sqlite3_busy_timeout(handle_, busy_milliseconds);
  // SQLite falls back to reading when it may not write.
  if (sqlite3_db_readonly(handle_, "main") == 1) {
    sqlite3_close(handle_);
    throw Failed({.message = fmt::format("cannot open the sandbox's state {}", file_.string()),
                  .hint = "choose a folder that you can write to",
                  .cause = "it is read-only"});
  }
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Query Database::query(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                           nullptr) != SQLITE_OK)
      fail("use");
    found = statements_.emplace(std::string(sql), statement).first;
  }
  return {*this, found->second};
}

void Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail("use");
}

bool Database::try_execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return true;
  if ((code & 0xff) == SQLITE_BUSY) return false;
  fail("use");
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

void Database::fail(std::string_view action) const {
  const int code = handle_ == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(handle_);
  throw Failed({.message = fmt::format("cannot {} the sandbox's state {}", action, file_.string()),
                .hint = std::string(hint_for(code)),
                .cause = handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_)});
}

}  // namespace litedesk::sandbox
