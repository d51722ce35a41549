// Documents in one SQLite file (WAL), shared by the processes of one machine.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>

#include "providers/store/store.hpp"
#include "providers/system/clock.hpp"
#include "providers/system/random.hpp"

namespace litedesk::store {

// Called with the document as stored (nothing when it is created) and as it shall be; throws ValidationError to refuse.
using Validator = std::function<void(const Document* stored, const Document& wanted)>;

struct SqliteOptions {
  std::filesystem::path path;  // made with its folders (0600 in 0700)
  std::string kind;            // one table serves all kinds
  Validator validate;          // may be empty
  const system::Clock* clock = &system::real_clock();
  system::Random* random = &system::os_random();
  std::stop_token stop;  // ends a wait for another writer
};

// Throws Failed for a full disk, a read-only or damaged file, each with what to do next.
[[nodiscard]] std::unique_ptr<Store> open_sqlite_store(SqliteOptions options);

}  // namespace litedesk::store
