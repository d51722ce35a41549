// litedesk template: the manifests that an instance is made of.
#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/remember.hpp"
#include "cli/session.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"
#include "commands/instance_spec.hpp"
#include "commands/tenant.hpp"
#include "providers/error.hpp"
#include "providers/system/files.hpp"
#include "templates/renderer.hpp"

namespace litedesk::cli {
namespace {

constexpr const char* assumed_host = "assumed.mongodb.net";
constexpr const char* assumed_balancer = "load-balancer.invalid";

void bind_list(Flags&, TemplateList&) {}

int list(const TemplateList&, Session& session) {
  const templates::Files& files = session.templates();
  Answer answer;
  answer.json = items(Json::array());
  answer.table.columns = {{.header = "NAME", .importance = 10}, {.header = "FROM", .importance = 5, .shrinks = true}};
  for (const std::string& name : files.list("")) {
    const templates::File file = files.get(name);
    answer.names.push_back("template/" + name);
    answer.json["items"].push_back({{"name", name}, {"origin", file.origin}});
    answer.table.rows.push_back({name, file.origin.starts_with("built-in") ? "built-in" : file.origin});
  }
  session.printer().answer(answer);
  return 0;
}

void bind_show(Flags& flags, TemplateShow& options) {
  flags.argument({.name = "FILE", .help = "a name as `template list` shows it", .values = Values::template_file},
                 options.file);
}

templates::File find_file(const templates::Files& files, const std::string& name) {
  const std::vector<std::string> names = files.list("");
  // The folder of most of them can be left out.
  for (const std::string& full : {name, "instance/" + name})
    if (std::find(names.begin(), names.end(), full) != names.end()) return files.get(full);
  const auto found = nearest(name, names);
  throw NotFound({.message = fmt::format("template \"{}\" not found", printable(name)),
                  .hint = found ? did_you_mean(found) : "list them with: litedesk template list",
                  .resource = "template " + name,
                  .cause = {}});
}

int show(const TemplateShow& options, Session& session) {
  const templates::File file = find_file(session.templates(), options.file);
  session.printer().answer({.json = {{"name", file.name}, {"origin", file.origin}, {"text", file.text}},
                            .names = {"template/" + file.name},
                            .table = {},
                            .text = file.text});
  return 0;
}

void bind_render(Flags& flags, TemplateRender& options) {
  flags.argument({.name = "SLUG", .help = "the tenant", .values = Values::slug}, options.slug);
  flags.flag({.names = "--part",
              .value = "FILE",
              .help = "only what this file produces (instance/80-ingress.yaml, or ingress)",
              .values = Values::template_file},
             options.part);
}

// "80-ingress.yaml" is "ingress" to people.
std::string short_name(std::string_view file) {
  file = file.substr(file.rfind('/') + 1);
  file = file.substr(0, file.rfind('.'));
  const auto front = file.find_first_not_of("0123456789");
  if (front != std::string_view::npos && front > 0 && file[front] == '-') file.remove_prefix(front + 1);
  return std::string(file);
}

std::string part_name(const templates::Files& files, const std::string& part) {
  const std::vector<std::string> names = files.list("instance/");
  for (const std::string& name : names) {
    if (name == part || name == "instance/" + part || short_name(name) == part) return name;
  }
  std::vector<std::string> short_names;
  for (const std::string& name : names) short_names.push_back(short_name(name));
  throw NotFound({.message = fmt::format("\"{}\" is not a template of an instance", printable(part)),
                  .hint = suggestion(part, short_names),
                  .resource = "template " + part,
                  .cause = {}});
}

// The tenant as registered; one made up from the slug where the registry cannot be asked or does not know it.
Tenant find_or_assume(const std::string& slug, Session& session, std::vector<std::string>& assumed) {
  try {
    Tenant tenant = get_tenant(session.registry(), slug);
    remember_tenant(session, tenant);
    return tenant;
  } catch (const Cancelled&) {
    throw;
  } catch (const NotFound& error) {
    assumed.push_back(fmt::format("a trial tenant {} ({})", slug, error.message()));
  } catch (const Error& error) {
    assumed.push_back(fmt::format("a trial tenant {} (the registry cannot be read: {})", slug, error.message()));
  }
  Tenant tenant;
  tenant.slug = slug;
  tenant.company = slug;
  tenant.owner.email = "owner@example.com";
  return tenant;
}

void assume_secrets(SpecInputs& inputs, const AppProfile& profile) {
  inputs.profile = &profile;
  inputs.database_password = Secret(std::string(32, 'x'));
  for (const ProfileSecret& secret : profile.secrets)
    inputs.app_secrets.emplace(secret.key, Secret(std::string(2 * static_cast<std::size_t>(secret.bytes), '0')));
}

SpecInputs find_inputs(const TemplateRender& options, Session& session, std::vector<std::string>& assumed) {
  SpecInputs inputs;
  inputs.tenant = find_or_assume(options.slug, session, assumed);
  inputs.tier = session.tiers().get(inputs.tenant.tier);
  const Settings& settings = session.settings();
  inputs.load_balancer = settings.kubernetes.load_balancer;
  if (inputs.load_balancer.empty()) {
    inputs.load_balancer = assumed_balancer;
    assumed.push_back(fmt::format("the load balancer {}", assumed_balancer));
  }
  inputs.database_host = inputs.tenant.status.database_host;
  if (const auto scheme = inputs.database_host.find("://"); scheme != std::string::npos) {
    inputs.database_host = inputs.database_host.substr(scheme + 3);
  }
  if (inputs.database_host.empty()) {
    inputs.database_host = assumed_host;
    assumed.push_back(fmt::format("the database host {}", assumed_host));
  }
  inputs.registry_id = "00000000-0000-4000-8000-000000000000";
  assumed.emplace_back("the registry's id, passwords and keys");
  // Masked in what is printed, and never the live ones: nothing is read from the instance.
  assume_secrets(inputs, session.profile());
  return inputs;
}

std::pair<std::string, std::string> kind_and_name(const Json& object) {
  return {object.value("kind", ""), object.value("metadata", Json::object()).value("name", "")};
}

// Only the objects that the file makes, as the whole instance has them (with its namespace and labels).
void keep_those_of(const std::string& file, const templates::Files& files, const Json& context,
                   std::vector<Json>& objects) {
  std::set<std::pair<std::string, std::string>> made;
  for (const Json& object : templates::render(files.get(file), context)) made.insert(kind_and_name(object));
  std::erase_if(objects, [&](const Json& object) { return !made.contains(kind_and_name(object)); });
}

int render(const TemplateRender& options, Session& session) {
  check_slug(options.slug);
  session.stop_requests_when_interrupted();
  const templates::Files& files = session.templates();
  const std::string part = options.part.empty() ? "" : part_name(files, options.part);
  std::vector<std::string> assumed;
  const SpecInputs inputs = find_inputs(options, session, assumed);
  std::vector<Json> objects = render_instance(files, inputs, session.settings());
  if (!part.empty()) keep_those_of(part, files, template_context(inputs, session.settings()), objects);
  Answer answer;
  answer.json = items(Json::array());
  for (const Json& object : objects) {
    const Json masked = mask_secrets(object);
    answer.json["items"].push_back(masked);
    answer.names.push_back(fmt::format("{}/{}", masked.value("kind", ""), masked["metadata"].value("name", "")));
    answer.text += "---\n" + templates::to_yaml(masked);
  }
  for (const std::string& what : assumed) session.printer().note("assumed: " + one_line(what));
  session.printer().answer(answer);
  return 0;
}

void bind_lint(Flags& flags, TemplateLint& options) {
  flags.argument({.name = "FOLDER",
                  .help = "your own templates (default: the context's)",
                  .values = Values::folder,
                  .required = false},
                 options.folder);
}

SpecInputs example_inputs(const Tier& tier, const AppProfile& profile, bool cert_manager) {
  SpecInputs inputs;
  inputs.tenant.slug = "example";
  inputs.tenant.company = "Example: \"quoted\" & Söhne";
  inputs.tenant.owner.email = "owner@example.com";
  inputs.tenant.custom_domain = cert_manager ? "crm.example.com" : "";
  inputs.tenant.tier = tier.name;
  inputs.tier = tier;
  inputs.load_balancer = assumed_balancer;
  inputs.database_host = assumed_host;
  inputs.registry_id = "00000000-0000-4000-8000-000000000000";
  inputs.cert_manager = cert_manager;
  assume_secrets(inputs, profile);
  return inputs;
}

// What every profile and tier render to, with each kind of switch: an error names file and line.
int lint(const TemplateLint& options, Session& session) {
  const Settings& settings = session.settings_or_defaults();
  if (!options.folder.empty() && !std::filesystem::is_directory(session.runtime().folder / options.folder)) {
    throw NotFound({.message = fmt::format("folder {} not found", printable(options.folder)),
                    .hint = "create one with: litedesk template eject FOLDER",
                    .resource = {},
                    .cause = {}});
  }
  const templates::Files files(options.folder.empty() ? settings.templates_folder
                                                      : session.runtime().folder / options.folder);
  const Tiers tiers(files);
  const Prices prices(files);
  std::size_t objects = 0;
  const std::vector<std::string> profiles = profile_names(files);
  for (const std::string& name : profiles) {
    const AppProfile profile = load_profile(files, name);
    for (const Tier& tier : tiers.all())
      for (const bool cert_manager : {true, false})
        objects += render_instance(files, example_inputs(tier, profile, cert_manager), settings).size();
  }
  const std::size_t count = files.list("").size();
  session.printer().answer(
      {.json = {{"files", count},
                {"tiers", tiers.all().size()},
                {"profiles", profiles.size()},
                {"objects", objects},
                {"problems", Json::array()}},
       .names = {},
       .table = {},
       .text = fmt::format("{} and {} are valid\n", counted(static_cast<std::int64_t>(count), "file"),
                           counted(static_cast<std::int64_t>(tiers.all().size()), "tier"))});
  return 0;
}

void bind_eject(Flags& flags, TemplateEject& options) {
  flags.argument({.name = "FOLDER", .help = "where to; created if it does not exist", .values = Values::folder},
                 options.folder);
}

int eject(const TemplateEject& options, Session& session) {
  const std::filesystem::path folder =
      session.runtime().folder / system::expand_home(options.folder, session.paths().home);
  const std::vector<std::string> names = templates::Files().eject(folder);
  Answer answer;
  answer.json = {{"folder", folder.string()}, {"files", names}};
  for (const std::string& name : names) answer.names.push_back("template/" + name);
  answer.text =
      fmt::format("{} written to {}\n", counted(static_cast<std::int64_t>(names.size()), "file"), folder.string());
  session.printer().answer(answer);
  session.printer().next("litedesk context set NAME templates=" + folder.string());
  return 0;
}

constexpr std::array commands{
    Command{"template", "list", "list the templates", "", "litedesk template list", binder<TemplateList, bind_list>,
            runner<TemplateList, list>, Needs::templates},
    Command{"template", "show", "print a template", "", "litedesk template show instance/80-ingress.yaml",
            binder<TemplateShow, bind_show>, runner<TemplateShow, show>, Needs::templates},
    Command{"template", "render", "print what would be applied for a tenant",
            "Prints the Kubernetes objects of an instance, secrets masked. What only the cluster and Atlas know is "
            "assumed, "
            "and listed on stderr.",
            "litedesk template render acme --part ingress", binder<TemplateRender, bind_render>,
            runner<TemplateRender, render>},
    Command{"template", "lint", "check templates", "Renders every tier. An error names file and line.",
            "litedesk template lint ./templates", binder<TemplateLint, bind_lint>, runner<TemplateLint, lint>,
            Needs::templates},
    Command{"template", "eject", "write the templates to a folder, to change them",
            "A context uses them with `templates: FOLDER`, or LITEDESK_TEMPLATES. Files that the folder lacks are the "
            "built-in ones.",
            "litedesk template eject ./templates", binder<TemplateEject, bind_eject>, runner<TemplateEject, eject>,
            Needs::nothing},
};

}  // namespace

std::span<const Command> template_commands() {
  return commands;
}

}  // namespace litedesk::cli
