#include "providers/aws/credentials.hpp"

#include <array>
#include <filesystem>
#include <utility>

#include "providers/aws/ini.hpp"
#include "providers/error.hpp"
#include "providers/http/url.hpp"
#include "providers/system/files.hpp"

namespace litedesk::aws {

namespace {

std::string variable(const Environment& environment, std::string_view name) {
  const auto found = environment.find(std::string(name));
  return found == environment.end() ? std::string() : found->second;
}

std::string file_of(const Environment& environment, std::string_view name, std::string_view fallback) {
  const auto named = variable(environment, name);
  return named.empty() ? std::string(fallback) : named;
}

struct Profile {
  std::string name;
  bool named = false;  // by an argument or a variable, not just the default
  std::string config_file, credentials_file;
  Ini config;
  IniSection from_config, from_credentials;
  bool exists = false;

  // Of the credentials file first: its keys override the config file's.
  [[nodiscard]] std::optional<std::string> get(std::string_view key) const {
    if (auto value = from_credentials.get(key)) return value;
    return from_config.get(key);
  }
};

// botocore asks AWS_DEFAULT_PROFILE before AWS_PROFILE.
std::string profile_name(const Environment& environment, std::string_view asked) {
  if (!asked.empty()) return std::string(asked);
  if (auto name = variable(environment, "AWS_DEFAULT_PROFILE"); !name.empty()) return name;
  return variable(environment, "AWS_PROFILE");
}

Profile load_profile(const Environment& environment, std::string_view asked) {
  Profile profile;
  profile.name = profile_name(environment, asked);
  profile.named = !profile.name.empty();
  if (!profile.named) profile.name = "default";
  profile.config_file = file_of(environment, "AWS_CONFIG_FILE", "~/.aws/config");
  profile.credentials_file = file_of(environment, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
  const auto home = variable(environment, "HOME");
  profile.config = read_ini(system::expand_home(profile.config_file, home));
  auto credentials = read_ini(system::expand_home(profile.credentials_file, home));

  // [profile default] wins over [default]; every other profile of the config file has the word before its name.
  auto section = profile.config.find("profile " + profile.name);
  if (section == profile.config.end() && profile.name == "default") section = profile.config.find("default");
  if (section != profile.config.end()) {
    profile.from_config = section->second;
    profile.exists = true;
  }
  if (const auto found = credentials.find(profile.name); found != credentials.end()) {
    profile.from_credentials = found->second;
    profile.exists = true;
  }
  if (profile.named && !profile.exists)
    throw AuthError({.message = "AWS profile " + profile.name + " not found: looked in " + profile.config_file +
                                " and " + profile.credentials_file,
                     .hint = "unset AWS_PROFILE, or add the profile: aws configure --profile " + profile.name,
                     .resource = "aws profile " + profile.name,
                     .cause = ""});
  return profile;
}

[[noreturn]] void lacking(const std::string& where, std::string_view key) {
  throw AuthError(
      {.message = "AWS credentials of " + where + " use " + std::string(key) + ", which litedesk does not support yet",
       .hint = "export keys instead: eval \"$(aws configure export-credentials --format env)\"",
       .resource = "aws " + where,
       .cause = ""});
}

std::optional<Credentials> static_keys(const IniSection& section, const std::string& where, const std::string& file) {
  const auto id = section.get("aws_access_key_id");
  auto secret = section.get("aws_secret_access_key");
  if (!id && !secret) return std::nullopt;
  if (!id || !secret)
    throw AuthError({.message = "AWS " + where + " in " + file + " has " +
                                (id ? "aws_access_key_id without aws_secret_access_key"
                                    : "aws_secret_access_key without aws_access_key_id"),
                     .hint = "add the other key to the profile, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                     .resource = "aws " + where,
                     .cause = ""});
  Credentials result;
  result.access_key_id = *id;
  result.secret_access_key = Secret(std::move(*secret));
  if (auto token = section.get("aws_session_token"))
    result.session_token = Secret(std::move(*token));
  else if (auto older = section.get("aws_security_token"))
    result.session_token = Secret(std::move(*older));
  result.origin = where + " (" + file + ")";
  return result;
}

std::optional<Credentials> environment_keys(const Environment& environment) {
  const auto id = variable(environment, "AWS_ACCESS_KEY_ID");
  if (id.empty()) return std::nullopt;
  auto secret = variable(environment, "AWS_SECRET_ACCESS_KEY");
  if (secret.empty())
    throw AuthError({.message = "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not",
                     .hint = "export both, or unset AWS_ACCESS_KEY_ID to use a profile",
                     .resource = "aws environment",
                     .cause = ""});
  Credentials result;
  result.access_key_id = id;
  result.secret_access_key = Secret(std::move(secret));
  auto token = variable(environment, "AWS_SESSION_TOKEN");
  if (token.empty()) token = variable(environment, "AWS_SECURITY_TOKEN");
  result.session_token = Secret(std::move(token));
  result.origin = "environment";
  return result;
}

// The order of botocore's chain: a provider that is configured and cannot be had is an error, never passed over.
std::optional<Credentials> profile_keys(const Profile& profile, const Environment& environment, bool explicit_profile) {
  const std::string where = "profile " + profile.name;
  if (profile.get("role_arn"))
    for (const auto* key : {"source_profile", "credential_source", "web_identity_token_file"})
      if (profile.get(key)) lacking(where, "role_arn with " + std::string(key));
  if (!explicit_profile && !variable(environment, "AWS_WEB_IDENTITY_TOKEN_FILE").empty() &&
      !variable(environment, "AWS_ROLE_ARN").empty())
    lacking("the environment", "AWS_WEB_IDENTITY_TOKEN_FILE");
  for (const auto* key : {"sso_session", "sso_start_url", "sso_account_id"})
    if (profile.get(key)) lacking(where, key);
  if (auto keys = static_keys(profile.from_credentials, where, profile.credentials_file)) return keys;
  for (const auto* key : {"login_session", "credential_process"})
    if (profile.get(key)) lacking(where, key);
  return static_keys(profile.from_config, where, profile.config_file);
}

// --- endpoints ---

bool truthy(std::string_view text) {
  return text == "true" || text == "True" || text == "TRUE" || text == "1";
}

std::string configured_endpoint(const Environment& environment, const Profile& profile, std::string& origin) {
  const auto ignore = variable(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
  if (truthy(ignore.empty() ? profile.get("ignore_configured_endpoint_urls").value_or("") : ignore)) return {};
  for (const auto* name : {"AWS_ENDPOINT_URL_ROUTE_53", "AWS_ENDPOINT_URL"}) {
    if (auto url = variable(environment, name); !url.empty()) {
      origin = name;
      return url;
    }
  }
  if (const auto services = profile.get("services")) {
    origin = "[services " + *services + "] in " + profile.config_file;
    const auto section = profile.config.find("services " + *services);
    if (section == profile.config.end())
      throw AuthError({.message = "AWS profile " + profile.name + " names " + origin + ", which does not exist",
                       .hint = "add that section, or take `services` out of the profile",
                       .resource = "aws profile " + profile.name,
                       .cause = ""});
    if (const auto service = section->second.nested.find("route_53"); service != section->second.nested.end())
      if (const auto url = service->second.find("endpoint_url"); url != service->second.end() && !url->second.empty())
        return url->second;
  }
  origin = "endpoint_url of profile " + profile.name;
  return profile.get("endpoint_url").value_or("");
}

// Route 53 is one service a partition, whatever region a person works in.
struct Partition {
  std::string_view region_prefix, endpoint, signing_region;
};
constexpr std::array<Partition, 3> partitions{{
    {"cn-", "https://route53.amazonaws.com.cn", "cn-northwest-1"},
    {"us-gov-", "https://route53.us-gov.amazonaws.com", "us-gov-west-1"},
    {"", "https://route53.amazonaws.com", "us-east-1"},
}};

}  // namespace

Credentials load_credentials(const Environment& environment, std::string_view profile_asked) {
  const bool explicit_profile = !profile_asked.empty();
  if (!explicit_profile)
    if (auto keys = environment_keys(environment)) return std::move(*keys);

  const auto profile = load_profile(environment, profile_asked);
  if (auto keys = profile_keys(profile, environment, explicit_profile)) return std::move(*keys);
  if (!explicit_profile)
    for (const auto* name : {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"})
      if (!variable(environment, name).empty()) lacking("the environment", name);

  throw AuthError({.message = "no AWS credentials found: looked for AWS_ACCESS_KEY_ID" +
                              std::string(explicit_profile ? " (not used with a profile)" : "") +
                              ", and keys of profile " + profile.name + " in " + profile.credentials_file + " and " +
                              profile.config_file,
                   .hint = "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run aws configure",
                   .resource = "aws profile " + profile.name,
                   .cause = ""});
}

Config load_config(const Environment& environment, std::string_view profile_asked) {
  const auto profile = load_profile(environment, profile_asked);
  Config config;
  for (const auto* name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (config.region.empty()) config.region = variable(environment, name);
  if (config.region.empty()) config.region = profile.get("region").value_or("us-east-1");

  std::string origin;
  config.route53_endpoint = configured_endpoint(environment, profile, origin);
  while (config.route53_endpoint.ends_with('/')) config.route53_endpoint.pop_back();
  if (!config.route53_endpoint.empty() && !config.route53_endpoint.starts_with("http://") &&
      !config.route53_endpoint.starts_with("https://"))
    throw UsageError({.message = origin + " is not a URL: " + config.route53_endpoint,
                      .hint = "it begins with https:// (or http:// on this machine)",
                      .resource = "",
                      .cause = ""});
  if (http::is_plain_http_over_network(config.route53_endpoint))
    throw UsageError({.message = origin + " is plain http to another machine: " + config.route53_endpoint,
                      .hint = "use https: credentials and session tokens are sent there",
                      .resource = "",
                      .cause = ""});
  for (const auto& partition : partitions) {
    if (!config.region.starts_with(partition.region_prefix)) continue;
    if (config.route53_endpoint.empty()) config.route53_endpoint = partition.endpoint;
    config.route53_region = partition.signing_region;
    break;
  }

  config.ca_bundle = variable(environment, "AWS_CA_BUNDLE");
  if (config.ca_bundle.empty()) config.ca_bundle = profile.get("ca_bundle").value_or("");
  return config;
}

}  // namespace litedesk::aws
