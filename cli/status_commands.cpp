// litedesk status: one line a tenant, or every part of one instance.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/remember.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "commands/status.hpp"
#include "providers/error.hpp"

namespace litedesk::cli {
namespace {

constexpr std::chrono::milliseconds watch_interval{2'000};
constexpr int exit_unhealthy = 1;

Colour colour_of(std::string_view word) {
  if (word == "ok" || word == "healthy") return Colour::green;
  if (word == "failed" || word == "unhealthy") return Colour::red;
  if (word == "waiting" || word == "degraded") return Colour::yellow;
  return Colour::none;
}

bool has_instance(const Tenant& tenant) {
  return tenant.status.phase != Phase::none && tenant.status.phase != Phase::terminated;
}

// A tenant without an instance, and one whose instance is suspended, is as it was meant to be: neither well nor ill.
bool counts(const Tenant& tenant) {
  return has_instance(tenant) && tenant.status.phase != Phase::suspended;
}

bool is_well(const Tenant& tenant, std::string_view health) {
  return !counts(tenant) || health == "healthy";
}

std::string state_of(const Tenant& tenant) {
  const std::string_view phase = to_string(tenant.status.phase);
  if (tenant.status.phase == Phase::terminated) return "terminated, no instance";
  if (!phase.empty()) return std::string(phase);
  return tenant.placement == "shared" ? "in the shared app, no instance" : "registered, no instance";
}

Table parts_table(const std::vector<Part>& parts, system::TimePoint now) {
  Table table{.columns = {{.header = "PART", .importance = 10},
                          {.header = "STATE", .importance = 10},
                          {.header = "REASON", .importance = 8},
                          {.header = "SINCE", .importance = 4},
                          {.header = "MESSAGE", .importance = 6, .shrinks = true}},
              .rows = {}};
  for (const Part& part : parts) {
    table.rows.push_back({part.name, part.state, part.reason, age(part.since, now), part.message});
  }
  return table;
}

Table events_table(const std::vector<StatusEvent>& events, system::TimePoint now) {
  Table table{.columns = {{.header = "SINCE", .importance = 10},
                          {.header = "OBJECT", .importance = 8, .shrinks = true},
                          {.header = "REASON", .importance = 9},
                          {.header = "COUNT", .importance = 3, .right = true},
                          {.header = "MESSAGE", .importance = 6, .shrinks = true}},
              .rows = {}};
  for (const StatusEvent& event : events) {
    table.rows.push_back(
        {age(event.since, now), event.object, event.reason, std::to_string(event.count), event.message});
  }
  return table;
}

Table foreign_table(const std::vector<ForeignObject>& objects) {
  Table table{.columns = {{.header = "OBJECT", .importance = 10, .shrinks = true},
                          {.header = "WHAT IT DOES", .importance = 9, .shrinks = true}},
              .rows = {}};
  for (const ForeignObject& object : objects)
    table.rows.push_back({fmt::format("{}/{}", object.kind, object.name), object.effect});
  return table;
}

std::string status_text(const InstanceStatus& status, Session& session) {
  const Printer& printer = session.printer();
  const system::TimePoint now = session.now();
  const Tenant& tenant = status.tenant;
  const std::string health = has_instance(tenant) ? status.health : "";
  const std::string until =
      status.certificate_until.empty() ? "" : fmt::format("valid until {}", day(status.certificate_until));
  const std::string lock = tenant.status.operation
                               ? fmt::format("{} by {} for {}", tenant.status.operation->verb,
                                             tenant.status.operation->holder, age(tenant.status.operation->since, now))
                               : "";
  std::string text = render({{"Tenant", fmt::format("{}  {}", tenant.slug, tenant.company)},
                             {"Status", state_of(tenant)},
                             {"Message", tenant.status.message},
                             {"Operation", lock},
                             {"Tier", tenant.tier},
                             {"URL", status.url},
                             {"Certificate", until},
                             {"Health", health}});
  if (!health.empty()) {
    text.resize(text.size() - health.size() - 1);
    text += printer.on_out(colour_of(health), health) + "\n";
  }
  const TableStyle style{.width = printer.width(), .wide = printer.wide(), .headers = true, .utf8 = printer.utf8()};
  std::string parts;
  if (!status.parts.empty()) parts = render(parts_table(status.parts, now), style);
  if (!parts.empty()) text += "\n" + parts;
  // What a table cuts is just what somebody with a failed part wants to read.
  for (const Part& part : status.parts) {
    if (part.state == "ok" || part.message.empty() || parts.find(part.message) != std::string::npos) continue;
    // Whole where it may be searched for, wrapped where it is read.
    const std::size_t width = printer.is_terminal(Stream::out) ? printer.width() : std::string::npos;
    std::string lines = wrapped(one_line(part.message), width, part.name + ": ", "  ");
    lines.replace(0, part.name.size(), printer.on_out(colour_of(part.state), part.name));
    text += "\n" + lines;
  }
  if (!status.events.empty()) {
    text += "\nWarnings of the last hour\n" + render(events_table(status.events, now), style);
  }
  if (!status.foreign.empty()) text += "\nNot made by litedesk\n" + render(foreign_table(status.foreign), style);
  return text;
}

Answer one_answer(const InstanceStatus& status, Session& session) {
  return {.json = to_json(status),
          .names = {"instance/" + status.tenant.slug},
          .table = {},
          .text = session.printer().for_people() ? status_text(status, session) : ""};
}

Answer fleet_answer(const std::vector<StatusLine>& lines, system::TimePoint now) {
  Answer answer;
  answer.json = to_json(lines);
  answer.table.columns = {{.header = "SLUG", .importance = 10},
                          {.header = "STATUS", .importance = 9},
                          {.header = "HEALTH", .importance = 10},
                          {.header = "READY", .importance = 7},
                          {.header = "TIER", .importance = 5},
                          {.header = "AGE", .importance = 4},
                          {.header = "MESSAGE", .importance = 3, .shrinks = true},
                          {.header = "URL", .importance = 1, .wide_only = true}};
  for (const StatusLine& line : lines) {
    answer.names.push_back("instance/" + line.tenant.slug);
    const std::string health = has_instance(line.tenant) ? line.health : "";
    answer.table.rows.push_back({line.tenant.slug, std::string(to_string(line.tenant.status.phase)), health, line.ready,
                                 line.tenant.tier, age(line.tenant.created, now), line.message,
                                 line.tenant.status.url});
  }
  return answer;
}

void bind_status(Flags& flags, StatusShow& options) {
  flags.argument({.name = "SLUG", .help = "the tenant (default: all)", .values = Values::slug, .required = false},
                 options.slug);
  flags.flag({.names = "-w,--watch", .value = "", .help = "refresh every two seconds, until Ctrl-C or --timeout"},
             options.watch);
  flags.flag({.names = "--probe",
              .value = "",
              .help = "ask the application anew; it counts logins, five in a quarter of an hour"},
             options.probe);
}

struct Look {
  Answer answer;
  bool healthy = true;
};

Look look(const StatusShow& options, Session& session) {
  if (!options.slug.empty()) {
    const InstanceStatus status = instance_status(session.world(), options.slug, options.probe);
    remember_tenant(session, status.tenant);
    return {one_answer(status, session), is_well(status.tenant, status.health)};
  }
  const std::vector<StatusLine> lines = fleet_status(session.world());
  std::vector<Tenant> tenants;
  for (const StatusLine& line : lines) tenants.push_back(line.tenant);
  remember_tenants(session, tenants);
  const bool healthy =
      std::all_of(lines.begin(), lines.end(), [](const StatusLine& line) { return is_well(line.tenant, line.health); });
  return {fleet_answer(lines, session.now()), healthy};
}

int status(const StatusShow& options, Session& session) {
  if (options.probe && (options.slug.empty() || options.watch)) {
    throw UsageError(
        {.message = options.watch ? "--probe and --watch are mutually exclusive" : "--probe needs a tenant",
         .hint = "litedesk status SLUG --probe",
         .resource = {},
         .cause = {}});
  }
  session.stop_requests_when_interrupted();
  Printer& printer = session.printer();
  const system::Clock& clock = session.runtime().clock;
  const auto end = clock.steady() + session.timeout(system::milliseconds(0));
  const bool redraw = session.runtime().terminal.out && printer.live() && printer.for_people();
  while (true) {
    const Look seen = look(options, session);
    // A terminal shows the newest state alone; elsewhere each look follows the last, as documents in a stream.
    if (options.watch && redraw) session.runtime().streams.out("\x1b[H\x1b[2J");
    if (seen.answer.text.empty() && seen.answer.table.rows.empty() && printer.for_people()) {
      printer.note("no tenants yet");
      printer.next("litedesk tenant create NAME --email ADDRESS");
    } else {
      printer.answer(seen.answer);
    }
    const auto left = std::chrono::duration_cast<system::milliseconds>(end - clock.steady());
    const bool over = !options.watch || (session.global().timeout && left.count() <= 0);
    if (over) return seen.healthy ? 0 : exit_unhealthy;
    const auto pause = session.global().timeout ? std::min(watch_interval, left) : watch_interval;
    if (!clock.wait(pause, session.interrupted())) return 130;
  }
}

constexpr std::array commands{
    Command{
        "", "status", "show how healthy instances are",
        "Without a slug, one line per tenant; with one, every part of its instance, the reason where something is "
        "wrong, "
        "and the warnings of the last hour. Exits 0 if healthy and 1 if not; a tenant without an instance, or with a "
        "suspended one, counts as healthy. A watch that ends by --timeout exits as its last refresh.",
        "litedesk status\nlitedesk status acme --watch\nlitedesk status acme --probe", binder<StatusShow, bind_status>,
        runner<StatusShow, status>},
};

}  // namespace

std::span<const Command> status_commands() {
  return commands;
}

}  // namespace litedesk::cli
