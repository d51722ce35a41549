#include "providers/sandbox/atlas_access_list.hpp"

#include <charconv>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "providers/sandbox/atlas_answers.hpp"

namespace litedesk::sandbox::atlas {

namespace {

constexpr std::size_t most_entries = 200;

// "1.2.3.4" as "1.2.3.4/32"; nothing when it is neither an address nor a block.
std::optional<std::string> block_of(const std::string& text) {
  const auto slash = text.find('/');
  const auto address = text.substr(0, slash);
  in6_addr ignored{};
  const bool v4 = ::inet_pton(AF_INET, address.c_str(), &ignored) == 1;
  if (!v4 && ::inet_pton(AF_INET6, address.c_str(), &ignored) != 1) return std::nullopt;
  const int longest = v4 ? 32 : 128;
  int bits = longest;
  if (slash != std::string::npos) {
    const auto* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data() + slash + 1, end, bits);
    if (error != std::errc() || stopped != end || bits < 0 || bits > longest) return std::nullopt;
  }
  return fmt::format("{}/{}", address, bits);
}

Json printed(const std::string& project, Json kept) {
  const auto block = kept.at("cidrBlock").get<std::string>();
  // A single address is answered in both forms.
  if (block.ends_with("/32")) kept["ipAddress"] = block.substr(0, block.find('/'));
  kept["groupId"] = project;
  const auto slash = block.find('/');
  kept["links"] = self_link(fmt::format("{}/groups/{}/accessList/{}%2F{}", base_path, project, block.substr(0, slash),
                                        block.substr(slash + 1)));
  return kept;
}

Problem absent(const std::string& project, const std::string& name) {
  return {404,
          "ATLAS_NETWORK_PERMISSION_ENTRY_NOT_FOUND",
          fmt::format("IP Address {} not on Atlas access list for group {}.", name, project),
          {name, project}};
}

std::string existing(State& state, const std::string& project, const std::string& name) {
  const auto block = block_of(name);
  if (!block || !state.get(access_list_collection, project, *block)) throw absent(project, name);
  return *block;
}

}  // namespace

std::vector<Json> access_entries(State& state, const std::string& project) {
  std::vector<Json> all;
  for (auto& row : state.list(access_list_collection, project)) all.push_back(printed(project, std::move(row.body)));
  return all;
}

Json access_entry(State& state, const std::string& project, const std::string& name) {
  return printed(project, state.get(access_list_collection, project, existing(state, project, name))->body);
}

void put_access_entries(State& state, const std::string& project, const Json& sent) {
  constexpr std::size_t longest_comment = 80;
  if (!sent.is_array()) throw Problem{400, "INVALID_JSON", "Received JSON is malformed."};
  for (const auto& entry : sent) {
    if (!entry.is_object()) throw Problem{400, "INVALID_JSON", "Received JSON is malformed."};
    const char* given = entry.contains("cidrBlock") ? "cidrBlock" : "ipAddress";
    if (!entry.contains(given)) throw missing_attribute("ipAddress");
    const auto block = entry.at(given).is_string() ? block_of(entry.at(given).get<std::string>()) : std::nullopt;
    if (!block) throw invalid_attribute(given);
    Json kept = {{"cidrBlock", *block}};
    if (entry.contains("comment")) {
      if (!entry.at("comment").is_string() ||
          entry.at("comment").get_ref<const std::string&>().size() > longest_comment)
        throw invalid_attribute("comment");
      kept["comment"] = entry.at("comment");
    }
    state.put(access_list_collection, project, *block, kept);
  }
  if (static_cast<std::size_t>(state.count(access_list_collection, project)) > most_entries)
    throw Problem{
        403,
        "ATLAS_NETWORK_PERMISSIONS_LIMIT_EXCEEDED",
        fmt::format("Cannot have more than {} entries in the access list of group {}.", most_entries, project),
        {most_entries, project}};
}

void erase_access_entry(State& state, const std::string& project, const std::string& name) {
  state.erase(access_list_collection, project, existing(state, project, name));
}

}  // namespace litedesk::sandbox::atlas
