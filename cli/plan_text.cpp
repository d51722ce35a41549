#include "cli/plan_text.hpp"

#include <map>
#include <vector>

#include <fmt/format.h>

#include "cli/text.hpp"

namespace litedesk::cli {
namespace {

constexpr std::size_t provider_width = 10;
constexpr std::size_t provider_front = 2 + provider_width + 2;  // before each line of a provider

std::string headline(const Plan& plan, const Printer& printer) {
  if (plan.empty()) return fmt::format("Plan for {}: no changes\n", plan.slug);
  std::string counts;
  const auto add = [&](Verb verb, std::string_view word) {
    const std::size_t count = plan.count(verb);
    if (count > 0) counts += fmt::format("{}{} to {}", counts.empty() ? "" : ", ", count, word);
  };
  add(Verb::create, "create");
  add(Verb::update, "update");
  add(Verb::remove, "delete");
  std::string adds;
  if (plan.adds != Money{}) adds = fmt::format(" {} +{} a month", printer.utf8() ? "·" : "-", to_text(plan.adds));
  return fmt::format("Plan for {}: {}{}\n", plan.slug, counts, adds);
}

// "Deployment instance-acme/backend", "CNAME acme.litedesk.com": the provider stands in front already.
std::string name_of(const ResourceId& id) {
  if (id.provider == Provider::kubernetes && !id.scope.empty())
    return fmt::format("{} {}/{}", id.kind, id.scope, id.name);
  return fmt::format("{} {}", id.kind, id.name);
}

bool is_owner_record(const Change& change) {
  return change.id.provider == Provider::route53 && change.id.kind == "TXT";
}

std::string record_target(const Change& change) {
  if (const auto alias = change.desired.find("alias"); alias != change.desired.end() && alias->is_string()) {
    return alias->get<std::string>();
  }
  const auto values = change.desired.find("values");
  const bool known = values != change.desired.end() && values->is_array() && !values->empty();
  return known && values->front().is_string() ? values->front().get<std::string>() : std::string();
}

std::string first_scope(const Change& change) {
  const auto scopes = change.desired.find("scopes");
  const bool known = scopes != change.desired.end() && scopes->is_array() && !scopes->empty();
  return known && scopes->front().is_string() ? scopes->front().get<std::string>() : std::string();
}

// What is made at one provider, in a few words.
std::vector<std::string> creations(const std::vector<const Change*>& created, const Printer& printer, bool wide) {
  std::vector<std::string> lines;
  std::map<std::string, std::int64_t> objects;  // by namespace
  bool owner_record = false;
  for (const Change* change : created) {
    if (wide) {
      lines.push_back("+ " + name_of(change->id));
      continue;
    }
    switch (change->id.provider) {
      case Provider::kubernetes:
        ++objects[change->id.kind == "Namespace" ? change->id.name : change->id.scope];
        break;
      case Provider::atlas: {
        const std::string cluster = first_scope(*change);
        lines.push_back(fmt::format("user {}{}", change->id.name, cluster.empty() ? "" : " on cluster " + cluster));
        break;
      }
      case Provider::route53:
        if (is_owner_record(*change)) {
          owner_record = true;
          break;
        }
        const std::string target = record_target(*change);
        const std::string_view arrow = printer.utf8() ? "→" : "->";
        lines.push_back(name_of(change->id) + (target.empty() ? "" : fmt::format(" {} {}", arrow, target)));
        break;
    }
  }
  for (const auto& [name_space, count] : objects) {
    lines.push_back(counted(count, "object") + (name_space.empty() ? "" : " in namespace " + name_space));
  }
  if (owner_record && lines.empty()) {
    lines.emplace_back("owner record");
  } else if (owner_record) {
    const std::string_view beside = ", and its owner record";
    if (provider_front + display_width(lines.back()) + beside.size() <= printer.width())
      lines.back() += beside;
    else
      lines.emplace_back("and its owner record");
  }
  return lines;
}

std::string shown(const Json& value) {
  if (value.is_null()) return "(absent)";
  const std::string text =
      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return one_line(text);
}

// On one line where it fits, else the two values below their path.
std::string field_line(const FieldChange& field, const Printer& printer, bool wide) {
  const std::string before = shown(field.before), after = shown(field.after);
  const std::string_view arrow = printer.utf8() ? "→" : "->";
  constexpr std::size_t indent = 6, beside = 5;  // ": ", " → "
  const std::size_t taken = indent + beside + display_width(field.path) + display_width(before) + display_width(after);
  if (wide || taken <= printer.width())
    return fmt::format("      {}: {} {} {}\n", field.path, printer.on_out(Colour::red, before), arrow,
                       printer.on_out(Colour::green, after));
  const std::size_t room = printer.width() - indent - 4;
  const auto cut = [&](const std::string& value) { return cut_to_width(value, room, printer.utf8()); };
  return fmt::format("      {}\n        - {}\n        + {}\n", field.path, printer.on_out(Colour::red, cut(before)),
                     printer.on_out(Colour::green, cut(after)));
}

std::string details(const Change& change, const Printer& printer, bool wide) {
  std::string text;
  if (change.verb == Verb::update) {
    text += fmt::format("    {} {}\n", printer.on_out(Colour::yellow, "~"), name_of(change.id));
    for (const FieldChange& field : change.fields) text += field_line(field, printer, wide);
  } else if (change.verb == Verb::remove) {
    text += fmt::format("    {} {}\n", printer.on_out(Colour::red, "-"), name_of(change.id));
  }
  if (!text.empty() && !change.note.empty()) text += fmt::format("      ({})\n", one_line(change.note));
  if (!change.conflict.empty())
    text += fmt::format("      {} others own {}\n", printer.on_out(Colour::yellow, "!"), one_line(change.conflict));
  return text;
}

std::string provider_text(const Plan& plan, Provider provider, const Printer& printer, bool wide) {
  std::vector<const Change*> created;
  std::string changed;
  for (const Change& change : plan.changes) {
    if (change.id.provider != provider) continue;
    if (change.verb == Verb::create) created.push_back(&change);
    changed += details(change, printer, wide);
  }
  std::string text;
  std::string front = "  " + pad_to_width(to_string(provider), provider_width) + "  ";
  const std::string blank(front.size(), ' ');
  for (const std::string& line : creations(created, printer, wide)) {
    text += front + line + "\n";
    front = blank;
  }
  if (!changed.empty() && text.empty()) text = fmt::format("  {}\n", to_string(provider));
  return text + changed;
}

}  // namespace

std::string plan_text(const Plan& plan, const Printer& printer, bool wide) {
  std::string text = headline(plan, printer);
  for (const Provider provider : {Provider::kubernetes, Provider::atlas, Provider::route53}) {
    text += provider_text(plan, provider, printer, wide);
  }
  for (const std::string& warning : plan.warnings) {
    text += fmt::format("  {} {}\n", printer.on_out(Colour::yellow, "!"), one_line(warning));
  }
  return text;
}

}  // namespace litedesk::cli
