// A registry in a SQLite file of its own, with the tenants' rules, for the length of a test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "commands/lifecycle.hpp"
#include "providers/error.hpp"
#include "providers/store/sqlite_store.hpp"

namespace litedesk::testing {

class TemporaryRegistry {
 public:
  TemporaryRegistry() {
    std::string name = (std::filesystem::temp_directory_path() / "litedesk-tenants-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw Failed("no temporary folder");
    folder_ = name;
    store_ = open();
    claims_ = open("HostClaim");
  }
  TemporaryRegistry(const TemporaryRegistry&) = delete;
  TemporaryRegistry& operator=(const TemporaryRegistry&) = delete;
  ~TemporaryRegistry() {
    store_.reset();
    claims_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] store::Store& operator*() { return *store_; }
  [[nodiscard]] store::Store* operator->() { return store_.get(); }
  [[nodiscard]] store::Store& claims() { return *claims_; }
  // Another process' client, as good as.
  [[nodiscard]] std::unique_ptr<store::Store> open(const std::string& kind = "Tenant") const {
    store::SqliteOptions options;
    options.path = folder_ / "registry.db";
    options.kind = kind;
    if (kind == "Tenant") options.validate = validate_tenant_document;
    return store::open_sqlite_store(std::move(options));
  }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<store::Store> store_, claims_;
};

}  // namespace litedesk::testing
