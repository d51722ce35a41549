#include "cli/saved_plan.hpp"

#include <fmt/format.h>

#include "cli/text.hpp"
#include "providers/error.hpp"
#include "providers/read_json.hpp"

namespace litedesk::cli {

void save_plan(const std::filesystem::path& path, const Plan& plan, const system::Patience& patience) {
  system::write_file_atomically(path, to_json(plan).dump(2, ' ', false, Json::error_handler_t::replace) + "\n", "plan",
                                patience);
}

SavedPlan load_plan(const std::filesystem::path& path, std::string_view slug, const system::Patience& patience) {
  const std::string hint =
      fmt::format("create one with: litedesk instance plan {} --out {}", printable(slug), path.string());
  const auto text = system::read_trusted_file(path, "plan", patience);
  if (!text) {
    throw NotFound(
        {.message = fmt::format("plan {} not found", path.string()), .hint = hint, .resource = {}, .cause = {}});
  }
  const Json json = parse_json(*text);
  const auto member = [&](const char* name) {
    return json.is_object() && json.contains(name) && json[name].is_string() ? json[name].get<std::string>()
                                                                             : std::string();
  };
  if (member("fingerprint").empty() || member("slug").empty()) {
    throw ValidationError(
        {.message = fmt::format("{} is not a saved plan", path.string()), .hint = hint, .resource = {}, .cause = {}});
  }
  if (member("slug") != slug) {
    throw UsageError({.message = fmt::format("{} is a plan for {}, not for {}", path.string(),
                                             printable(member("slug")), printable(slug)),
                      .hint = hint,
                      .resource = {},
                      .cause = {}});
  }
  return {member("fingerprint"), *text};
}

}  // namespace litedesk::cli
