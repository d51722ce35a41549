// A thin skin over one SQLite connection: prepared statements are kept, values are bound and read by type, and every
// failure is an error that names the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace litedesk::sandbox {

class Database;

// A prepared statement in use. It goes back to its database, reset, when it dies: at most one user of one text at a
// time.
class Query {
 public:
  Query(Database& database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // In the order of the question marks. The text must outlive the query.
  Query& bind(std::string_view text);
  Query& bind(std::int64_t number);

  // True while there is a row.
  bool step();
  void run() {
    while (step()) {
    }
  }
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::string_view view(int column) const;  // until the next step
  [[nodiscard]] std::int64_t number(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

class Database {
 public:
  // Opens or makes the file, 0600.
  explicit Database(std::filesystem::path file);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // `sql` must be a literal: its address is not kept, but each text is prepared once and stays.
  [[nodiscard]] Query query(std::string_view sql);
  void execute(const char* sql);
  // False when another process keeps the file locked.
  [[nodiscard]] bool try_execute(const char* sql);
  [[nodiscard]] bool in_transaction() const;
  [[noreturn]] void fail(std::string_view action) const;

 private:
  std::filesystem::path file_;
  sqlite3* handle_ = nullptr;
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;
};

}  // namespace litedesk::sandbox
