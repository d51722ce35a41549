// A plan in a file, to be looked at by one person and done by another.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "commands/plan.hpp"
#include "providers/system/files.hpp"

namespace litedesk::cli {

struct SavedPlan {
  std::string fingerprint;
  std::string json;  // what it said
};

// The plan's JSON (docs/json/plan.schema.json), 0600. No secret is in it.
void save_plan(const std::filesystem::path& path, const Plan& plan, const system::Patience& patience = {});
// Throws NotFound; ValidationError for a file that is none; UsageError for a plan of another tenant than `slug`.
[[nodiscard]] SavedPlan load_plan(const std::filesystem::path& path, std::string_view slug,
                                  const system::Patience& patience = {});

}  // namespace litedesk::cli
