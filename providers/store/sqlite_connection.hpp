// A connection to one SQLite file: handles that close themselves, waits that can be stopped, and errors that say what
// to do next. The C types stay in this room.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "providers/system/clock.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace litedesk::store {

class SqliteConnection;

// One prepared statement; parameters are numbered from 1, columns from 0.
class Statement {
 public:
  Statement(SqliteConnection& connection, std::string_view sql);
  Statement& bind(int parameter, std::string_view text);  // copied
  Statement& bind(int parameter, std::int64_t number);
  // True when there is a row. Throws as SqliteConnection::fail.
  bool step();
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  SqliteConnection& connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class SqliteConnection {
 public:
  // Makes the file when there is none (0600, in folders of 0700).
  SqliteConnection(std::filesystem::path path, const system::Clock& clock, std::stop_token stop);
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  void execute(const std::string& sql);
  // The first column of the first row.
  [[nodiscard]] std::int64_t integer(std::string_view sql);
  [[nodiscard]] std::string text(std::string_view sql);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] sqlite3* handle() const { return database_.get(); }
  // Write-ahead logging, which needs the file for itself for a moment.
  void use_write_ahead_log();
  // Turns a result code into an error with what to do next.
  [[noreturn]] void fail(int code);
  // For content that is not what this store wrote.
  [[noreturn]] void fail_damaged(const std::string& cause) const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  static int on_busy(void* self, int count);
  bool wait_for_lock(bool first);

  std::filesystem::path path_;
  const system::Clock& clock_;
  std::stop_token stop_;
  system::SteadyPoint waiting_since_{};
  bool heeds_stop_ = true;  // the wait that began last; see wait_for_lock
  std::unique_ptr<sqlite3, Close> database_;
};

// BEGIN IMMEDIATE ... COMMIT: one writer at a time. Rolled back when it ends without commit().
class Transaction {
 public:
  explicit Transaction(SqliteConnection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  SqliteConnection& connection_;
  bool open_ = true;
};

}  // namespace litedesk::store
