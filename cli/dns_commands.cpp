// litedesk dns: records in the Route 53 zone, with ownership.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/progress.hpp"
#include "cli/prompt.hpp"
#include "cli/remember.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "commands/dns_names.hpp"
#include "commands/dns_records.hpp"
#include "providers/error.hpp"

namespace litedesk::cli {
namespace {

constexpr std::chrono::milliseconds usual_timeout{600'000};

const std::vector<std::string> types{"A", "AAAA", "CNAME", "TXT", "CAA", "MX", "NS", "SRV"};

std::string value_of(const route53::RecordSet& record) {
  if (record.alias) return "alias " + record.alias->name;
  return fmt::format("{}", fmt::join(record.values, ", "));
}

std::string owner_of(const RecordResult& result) {
  if (result.owner.empty()) return "";
  return result.tenant.empty() ? "litedesk" : "tenant " + result.tenant;
}

Answer record_answer(const RecordResult& result, std::string text) {
  return {.json = to_json(result),
          .names = {fmt::format("{}/{}", result.record.type, result.record.name)},
          .table = {},
          .text = std::move(text)};
}

Answer list_answer(const std::vector<RecordResult>& results) {
  Answer answer;
  answer.json = items(Json::array());
  answer.table.columns = {{.header = "NAME", .importance = 10},
                          {.header = "TYPE", .importance = 9},
                          {.header = "TTL", .importance = 3, .right = true},
                          {.header = "VALUE", .importance = 2, .shrinks = true},
                          {.header = "OWNER", .importance = 6}};
  // Without it the records of a routing policy would look like one record many times.
  const bool has_sets = std::any_of(results.begin(), results.end(),
                                    [](const RecordResult& result) { return !result.record.set_identifier.empty(); });
  if (has_sets) answer.table.columns.push_back({.header = "SET", .importance = 5});
  for (const RecordResult& result : results) {
    answer.json["items"].push_back(to_json(result));
    answer.names.push_back(fmt::format("{}/{}", result.record.type, result.record.name));
    answer.table.rows.push_back({result.record.name, result.record.type,
                                 result.record.alias ? "" : std::to_string(result.record.ttl), value_of(result.record),
                                 owner_of(result)});
    if (has_sets) answer.table.rows.back().push_back(result.record.set_identifier);
  }
  return answer;
}

Word word_of(const route53::RecordSet& record) {
  return {record.name, record.type + " " + value_of(record)};
}

// The external address of the ingress controller's Service; empty while it has none.
std::string ingress_address(World& world) {
  const KubernetesSettings& settings = world.settings.kubernetes;
  const auto service =
      world.objects.get({kubernetes::type_of("v1", "Service"), settings.ingress_namespace, settings.ingress_service});
  if (!service) return {};
  const Json& addresses = service->at("status.loadBalancer.ingress");
  if (!addresses.is_array() || addresses.empty()) return {};
  const Json& first = addresses.front();
  return first.contains("hostname") ? first.value("hostname", "") : first.value("ip", "");
}

void bind_set(Flags& flags, DnsSet& options) {
  flags.argument({.name = "NAME", .help = "a label (acme) or a name in the domain", .values = Values::record},
                 options.name);
  flags.flag({.names = "--target", .value = "TARGET", .help = "host name or address (default: the load balancer)"},
             options.target);
  flags.flag({.names = "--type",
              .value = "TYPE",
              .help = "A, AAAA, CNAME, TXT ... (default: by the target)",
              .values = Values::choice,
              .choices = types},
             options.type);
  flags.flag({.names = "--ttl", .value = "SECONDS", .help = "time to live (300)"}, options.ttl);
  flags.flag({.names = "--alias", .value = "", .help = "an alias record at an AWS load balancer"}, options.alias);
  flags.flag({.names = "--wildcard", .value = "", .help = "*.NAME instead of NAME"}, options.wildcard);
  flags.flag({.names = "--adopt", .value = "", .help = "take over a record that is not ours"}, options.adopt);
  flags.flag({.names = "--wait", .value = "", .help = "wait until it is INSYNC"}, options.wait);
  flags.flag({.names = "--dry-run", .value = "", .help = "print what would be done, and do nothing"}, options.dry_run);
}

std::string set_text(const RecordResult& result, const Printer& printer) {
  const std::string what = fmt::format("{} {} {} {}", result.record.type, result.record.name,
                                       printer.utf8() ? "→" : "->", value_of(result.record));
  if (result.action == "unchanged") return what + "  unchanged\n";
  if (result.dry_run) return fmt::format("would {} {}\n", result.action == "created" ? "create" : "update", what);
  return fmt::format("{}  {}  ({})\n", what, result.action, result.status == "insync" ? "INSYNC" : "PENDING");
}

int set(const DnsSet& options, Session& session) {
  session.stop_requests_when_interrupted();
  World& world = session.world();
  SetRecord wanted;
  wanted.name = options.name;
  wanted.target = options.target;
  wanted.type = options.type;
  wanted.ttl = options.ttl;
  wanted.alias = options.alias;
  wanted.wildcard = options.wildcard;
  wanted.adopt = options.adopt;
  wanted.wait = options.wait;
  wanted.dry_run = options.dry_run;
  wanted.load_balancer = session.settings().kubernetes.load_balancer;
  if (leads_to_load_balancer(wanted) && wanted.load_balancer.empty()) wanted.load_balancer = ingress_address(world);
  wanted.timeout = session.timeout(usual_timeout);
  RecordResult result;
  {
    Progress progress(session.runtime(), session.printer());
    result = set_record(world, wanted, progress.observer());
  }
  if (!options.dry_run) remember(session, [&](Snapshot& snapshot) { put(snapshot.records, word_of(result.record)); });
  session.printer().answer(record_answer(result, set_text(result, session.printer())));
  return 0;
}

void bind_get(Flags& flags, DnsGet& options) {
  flags.argument({.name = "NAME", .help = "a label (acme) or a name in the domain", .values = Values::record},
                 options.name);
}

int get(const DnsGet& options, Session& session) {
  session.stop_requests_when_interrupted();
  session.printer().answer(list_answer(get_records(session.world(), options.name)));
  return 0;
}

void bind_list(Flags& flags, DnsList& options) {
  flags.flag({.names = "-a,--all", .value = "", .help = "include records that are not ours"}, options.all);
}

// Ours are the words; a list of everything tells which of them are there no more.
void remember_listed(const DnsList& options, const std::vector<RecordResult>& results, Session& session) {
  remember(session, [&](Snapshot& snapshot) {
    std::vector<Word> listed;
    for (const RecordResult& result : results) put(listed, word_of(result.record));
    if (!options.all) {
      snapshot.records = std::move(listed);
      return;
    }
    std::erase_if(snapshot.records, [&](const Word& word) {
      return std::none_of(listed.begin(), listed.end(), [&](const Word& each) { return each.text == word.text; });
    });
  });
}

int list(const DnsList& options, Session& session) {
  session.stop_requests_when_interrupted();
  const std::vector<RecordResult> results = list_records(session.world(), !options.all);
  remember_listed(options, results, session);
  if (results.empty() && session.printer().for_people()) {
    session.printer().note(options.all ? "the zone has no records"
                                       : "no records of ours in the zone; --all lists the others");
    return 0;
  }
  session.printer().answer(list_answer(results));
  return 0;
}

void bind_delete(Flags& flags, DnsDelete& options) {
  flags.argument({.name = "NAME", .help = "a label (acme) or a name in the domain", .values = Values::record},
                 options.name);
  flags.flag({.names = "--type",
              .value = "TYPE",
              .help = "which record, if the name has several",
              .values = Values::choice,
              .choices = types},
             options.type);
  flags.flag({.names = "--adopt", .value = "", .help = "delete a record that is not ours"}, options.adopt);
  flags.flag({.names = "--wait", .value = "", .help = "wait until it is INSYNC"}, options.wait);
  flags.flag({.names = "--confirm", .value = "NAME", .help = "the name again, instead of typing it at the prompt"},
             options.confirm);
}

int remove(const DnsDelete& options, Session& session) {
  session.stop_requests_when_interrupted();
  World& world = session.world();
  DeleteRecord wanted;
  wanted.name = options.name;
  wanted.type = options.type;
  wanted.adopt = options.adopt;
  wanted.wait = options.wait;
  wanted.timeout = session.timeout(usual_timeout);
  wanted.dry_run = true;
  (void)delete_record(world, wanted, {});  // nobody is asked about what cannot be
  confirm(session, "delete DNS record " + options.name, options.name, options.confirm);
  wanted.dry_run = false;
  RecordResult result;
  {
    Progress progress(session.runtime(), session.printer());
    result = delete_record(world, wanted, progress.observer());
  }
  remember(session, [&](Snapshot& snapshot) { drop(snapshot.records, result.record.name); });
  session.printer().answer(
      record_answer(result, fmt::format("{} {} {}\n", result.record.type, result.record.name, result.action)));
  return 0;
}

constexpr std::array commands{
    Command{
        "dns", "set", "create or change a record",
        "Creates a record and the TXT record beside it that marks it as ours, in one change. A record that is not ours "
        "is not touched without --adopt.",
        "litedesk dns set shop --wait\nlitedesk dns set api --target 203.0.113.7 --ttl 60", binder<DnsSet, bind_set>,
        runner<DnsSet, set>},
    Command{"dns", "get", "show the records of one name", "", "litedesk dns get acme", binder<DnsGet, bind_get>,
            runner<DnsGet, get>},
    Command{"dns", "list", "list records", "", "litedesk dns list --all -o wide", binder<DnsList, bind_list>,
            runner<DnsList, list>},
    Command{"dns", "delete", "delete a record",
            "Deletes a record of ours and its owner record. Asks you to type the name.",
            "litedesk dns delete shop --confirm shop", binder<DnsDelete, bind_delete>, runner<DnsDelete, remove>,
            Needs::context, true},
};

}  // namespace

std::span<const Command> dns_commands() {
  return commands;
}

}  // namespace litedesk::cli
