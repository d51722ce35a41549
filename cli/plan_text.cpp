#include "cli/plan_text.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/text.hpp"

namespace litedesk::cli {
namespace {

constexpr std::size_t provider_width = 10;
constexpr std::size_t provider_front = 2 + provider_width + 2;  // before each line of a provider

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

std::string shown(const Json& value) {
  if (value.is_null()) return "(absent)";
  const std::string text =
      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return one_line(text);
}

using Changes = std::vector<const Change*>;

// The changes in groups of one key, in the order in which a key is met first.
template <class Key>
auto grouped(const Changes& changes, const Key& key_of) {
  std::vector<std::pair<std::string, Changes>> groups;
  for (const Change* change : changes) {
    const std::string key = key_of(*change);
    const auto known =
        std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group.first == key; });
    if (known == groups.end())
      groups.push_back({key, {change}});
    else
      known->second.push_back(change);
  }
  return groups;
}

class PlanWriter {
 public:
  PlanWriter(const Plan& plan, const Printer& printer, Stream to)
      : plan_(plan),
        printer_(printer),
        to_(to),
        wide_(printer.wide()),
        width_(printer.width(to)),
        arrow_(printer.utf8() ? "→" : "->") {}

  std::string write() {
    headline();
    for (const Provider provider : {Provider::kubernetes, Provider::atlas, Provider::route53}) write(provider);
    for (const std::string& warning : plan_.warnings) marked("  ", "!", Colour::yellow, one_line(warning));
    if (cut_) line("  (values are cut to fit the terminal; -o wide shows them whole)");
    return std::move(text_);
  }

 private:
  void line(std::string_view words) { text_ += std::string(words) + "\n"; }

  // Words behind a coloured mark, wrapped.
  void marked(std::string_view indent, std::string_view mark, Colour colour, std::string_view words) {
    const std::string blank(indent.size() + mark.size() + 1, ' ');
    std::string lines = wrapped(words, width_, fmt::format("{}{} ", indent, mark), blank);
    lines.replace(indent.size(), mark.size(), printer_.painted(to_, colour, mark));
    text_ += lines;
  }

  void headline() {
    std::string counts;
    const auto add = [&](Verb verb, std::string_view word) {
      const std::size_t count = plan_.count(verb);
      if (count > 0) counts += fmt::format("{}{} to {}", counts.empty() ? "" : ", ", count, word);
    };
    add(Verb::create, "create");
    add(Verb::update, "update");
    add(Verb::remove, "delete");
    if (counts.empty()) counts = "no changes";
    if (plan_.adds != Money{})
      counts += fmt::format(" {} +{} a month", printer_.utf8() ? "·" : "-", to_text(plan_.adds));
    std::string front = "Plan for " + plan_.slug;
    const std::size_t taken = display_width(front) + 2;  // " ", ":"
    const std::size_t room = width_ > taken ? width_ - taken : 1;
    const std::string place = place_text(plan_.context, plan_.cluster, wide_ ? 0 : room, printer_.utf8());
    front += (place.empty() ? "" : " ") + place + ":";
    if (wide_ || display_width(front) + 1 + display_width(counts) <= width_) return line(front + " " + counts);
    line(front);
    line("  " + counts);
  }

  void write(Provider provider) {
    Changes created, others;
    for (const Change& change : plan_.changes) {
      if (change.id.provider != provider || change.verb == Verb::none) continue;
      (change.verb == Verb::create ? created : others).push_back(&change);
    }
    front_ = "  " + pad_to_width(to_string(provider), provider_width) + "  ";
    if (provider == Provider::kubernetes && !wide_) {
      made_objects(created);
    } else {
      for (const Change* change : created) made((wide_ ? "+ " : "") + description(*change));
    }
    if (created.empty() && !others.empty()) line("  " + std::string(to_string(provider)));
    for (const Change* change : others) details(*change);
    for (const Change* change : created) conflict(*change);
  }

  // A line of what is made; the provider's name stands before the first.
  void made(std::string_view words, std::size_t indent = 0) {
    const std::string blank(provider_front + indent + 2, ' ');
    if (wide_)
      line(front_ + std::string(words));
    else
      text_ += wrapped(words, width_, front_ + std::string(indent, ' '), blank);
    front_ = std::string(provider_front, ' ');
  }

  // Of each namespace how many there are, and by kind what they are called.
  void made_objects(const Changes& created) {
    const auto by_namespace = grouped(
        created, [](const Change& change) { return change.id.kind == "Namespace" ? change.id.name : change.id.scope; });
    for (const auto& [name_space, objects] : by_namespace) {
      made(counted(static_cast<std::int64_t>(objects.size()), "object") +
           (name_space.empty() ? " outside namespaces:" : fmt::format(" in namespace {}:", name_space)));
      for (const auto& [kind, same] : grouped(objects, [](const Change& change) { return change.id.kind; })) {
        std::string names;
        for (const Change* change : same) names += (names.empty() ? " " : ", ") + change->id.name;
        made(kind + names, 2);
      }
    }
  }

  std::string description(const Change& change) const {
    if (change.id.provider == Provider::kubernetes) return name_of(change.id);
    return change.id.provider == Provider::atlas ? user(change) : record(change);
  }

  static std::string user(const Change& change) {
    const std::string cluster = first_scope(change);
    return fmt::format("user {}{}", change.id.name, cluster.empty() ? "" : " on cluster " + cluster);
  }

  std::string record(const Change& change) const {
    if (is_owner_record(change)) return name_of(change.id) + ", its owner record";
    const std::string target = record_target(change);
    return name_of(change.id) + (target.empty() ? "" : fmt::format(" {} {}", arrow_, target));
  }

  // On one line where it fits, else the two values below their path.
  void field(const FieldChange& field) {
    const std::string before = shown(field.before), after = shown(field.after);
    const auto red = [&](std::string_view words) { return printer_.painted(to_, Colour::red, words); };
    const auto green = [&](std::string_view words) { return printer_.painted(to_, Colour::green, words); };
    constexpr std::size_t indent = 6, beside = 5;  // ": ", " → "
    const std::size_t taken =
        indent + beside + display_width(field.path) + display_width(before) + display_width(after);
    if (wide_ || taken <= width_)
      return line(fmt::format("      {}: {} {} {}", field.path, red(before), arrow_, green(after)));
    const std::size_t room = width_ - indent - 4;
    const auto fitting = [&](const std::string& value) {
      if (!printer_.is_terminal(to_) || display_width(value) <= room) return value;
      cut_ = true;
      return cut_to_width(value, room, printer_.utf8());
    };
    line("      " + field.path);
    line("        - " + red(fitting(before)));
    line("        + " + green(fitting(after)));
  }

  void details(const Change& change) {
    const bool update = change.verb == Verb::update;
    marked("    ", update ? "~" : "-", update ? Colour::yellow : Colour::red, name_of(change.id));
    for (const FieldChange& each : change.fields) field(each);
    if (!change.note.empty()) text_ += wrapped(fmt::format("({})", one_line(change.note)), width_, "      ", "       ");
    conflict(change);
  }

  void conflict(const Change& change) {
    if (!change.conflict.empty()) marked("      ", "!", Colour::yellow, "others own " + one_line(change.conflict));
  }

  const Plan& plan_;
  const Printer& printer_;
  const Stream to_;
  const bool wide_;
  const std::size_t width_;
  const std::string_view arrow_;
  std::string front_;  // of the next line of what is made
  std::string text_;
  bool cut_ = false;
};

}  // namespace

std::string place_text(std::string_view context, std::string_view cluster, std::size_t width, bool utf8) {
  const auto put = [](std::string_view in, std::string_view on) {
    std::string text;
    if (!in.empty()) text += fmt::format("in {}", in);
    if (!on.empty()) text += fmt::format("{}(cluster {})", text.empty() ? "" : " ", on);
    return text;
  };
  const std::string whole = put(context, cluster);
  const std::size_t taken = display_width(whole);
  if (width == 0 || taken <= width) return whole;
  // The cluster's name gives way first, but not to nothing.
  constexpr std::size_t least = 12;
  const auto shorter = [&](std::string_view name, std::size_t excess) {
    const std::size_t has = display_width(name);
    return cut_in_middle(name, has > excess + least ? has - excess : std::min(has, least), utf8);
  };
  const std::string on = shorter(cluster, taken - width);
  const std::size_t left = display_width(put(context, on));
  return left <= width ? put(context, on) : put(shorter(context, left - width), on);
}

std::string plan_text(const Plan& plan, const Printer& printer, Stream to) {
  return PlanWriter(plan, printer, to).write();
}

}  // namespace litedesk::cli
