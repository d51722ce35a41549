// The stand-in for Route 53, API version 2013-04-01: what goes where.
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53.html
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "providers/sandbox/route53_answers.hpp"
#include "providers/sandbox/route53_changes.hpp"
#include "providers/sandbox/route53_dns.hpp"
#include "providers/sandbox/route53_names.hpp"

namespace litedesk::sandbox {

namespace {

using namespace route53;

constexpr std::chrono::seconds insync_after{20};
constexpr std::string_view id_prefix = "/hostedzone/";

struct ZoneRow {
  std::string id, name;
  Json body;
};

class Route53 : public Api {
 public:
  explicit Route53(Context context)
      : context_(std::move(context)),
        signer_{context_.keys.aws_access_key_id, context_.keys.aws_secret_access_key, "us-east-1", "route53"} {
    if (!context_.state.get(zones_collection, "", zone_id)) context_.state.write([&] { seed(); });
  }

  Reply handle(const Call& call) override {
    try {
      verify_signature(call, signer_, context_.clock.now());
      return route(call);
    } catch (const Refusal& refusal) {
      return reply_of(refusal);
    }
  }
  Reply throttled() override { return reply_of(Refusal{400, "Throttling", "Rate exceeded"}); }
  Reply failed(int status) override {
    if (status == 409)
      return reply_of(Refusal{400, "PriorRequestNotComplete",
                              "The request was rejected because Route 53 was still processing a prior request."});
    if (status == 503)
      return reply_of(
          Refusal{503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."});
    return reply_of(Refusal{status, "InternalFailure",
                            "The request processing has failed because of an unknown error, exception or failure."});
  }
  Reply broken(const std::string& why) override { return reply_of(Refusal{500, "InternalFailure", why}); }

 private:
  void seed() {
    if (context_.state.get(zones_collection, "", zone_id)) return;
    std::optional<std::string> problem;
    const auto name = canonical_name(context_.domain, problem);
    make_zone(std::string(zone_id), name, "litedesk-sandbox", "The sandbox's zone", false);
  }

  void make_zone(const std::string& id, const std::string& name, const std::string& reference,
                 const std::string& comment, bool is_private) {
    const std::vector<std::string> servers = {"ns-1.awsdns-00.com", "ns-513.awsdns-00.net", "ns-1025.awsdns-00.org",
                                              "ns-1537.awsdns-00.co.uk"};
    context_.state.put(zones_collection, "", id,
                       {{"name", name},
                        {"callerReference", reference},
                        {"comment", comment},
                        {"private", is_private},
                        {"nameServers", servers}});
    RecordSet ns{
        .name = name, .type = "NS", .set_identifier = {}, .ttl = 172800, .values = {}, .alias = {}, .routing = {}};
    for (const auto& server : servers) ns.values.push_back(server + ".");
    context_.state.put(records_collection, id, ns.key(), to_json(ns));
    RecordSet soa = ns;
    soa.type = "SOA";
    soa.ttl = 900;
    soa.values = {servers.front() + ". awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"};
    context_.state.put(records_collection, id, soa.key(), to_json(soa));
  }

  Reply route(const Call& call) {
    const auto path = call.segments();
    const bool get = call.method == "GET";
    if (path.empty() || path.front() != "2013-04-01") throw unknown_operation();
    const std::string what = path.size() > 1 ? path[1] : "";
    if (path.size() == 2 && get && what == "hostedzonesbyname") return list_zones_by_name(call);
    if (path.size() == 2 && get && what == "hostedzone") return list_zones(call);
    if (path.size() == 2 && call.method == "POST" && what == "hostedzone") return create_zone(call);
    if (path.size() == 2 && get && what == "hostedzonecount") return count_zones();
    if (path.size() == 2 && get && what == "testdnsanswer") return test_dns_answer(call);
    if (path.size() == 3 && get && what == "change") return get_change(path[2]);
    if (path.size() == 3 && get && what == "hostedzone") return get_zone(path[2]);
    if (path.size() == 3 && call.method == "DELETE" && what == "hostedzone") return delete_zone(path[2]);
    if (path.size() == 4 && get && what == "hostedzonelimit") return zone_limit(path[2], path[3]);
    if (path.size() == 4 && what == "hostedzone" && path[3] == "rrset") {
      if (get) return list_records(call, path[2]);
      if (call.method == "POST") return change_records(call, path[2]);
    }
    throw unknown_operation();
  }

  static Refusal unknown_operation() {
    return {404, "UnknownOperationException", "The sandbox does not know this operation of Route 53."};
  }

  // ---- zones

  ZoneRow zone(const std::string& id) {
    auto row = context_.state.get(zones_collection, "", id);
    if (!row) throw Refusal{404, "NoSuchHostedZone", fmt::format("No hosted zone found with ID: {}", id)};
    auto name = row->body.at("name").get<std::string>();
    return {id, std::move(name), std::move(row->body)};
  }

  // All of them, in the order of ListHostedZonesByName.
  std::vector<ZoneRow> zones() {
    std::vector<ZoneRow> found;
    for (auto& row : context_.state.list(zones_collection, "")) {
      auto name = row.body.at("name").get<std::string>();
      found.push_back({row.name, std::move(name), std::move(row.body)});
    }
    std::sort(found.begin(), found.end(), [](const ZoneRow& a, const ZoneRow& b) {
      return std::pair(reversed(a.name), a.id) < std::pair(reversed(b.name), b.id);
    });
    return found;
  }

  void print_zone(pugi::xml_node parent, const ZoneRow& zone) {
    auto node = add(parent, "HostedZone");
    add(node, "Id", fmt::format("{}{}", id_prefix, zone.id));
    add(node, "Name", zone.name);
    add(node, "CallerReference", zone.body.at("callerReference").get<std::string>());
    auto config = add(node, "Config");
    if (const auto comment = zone.body.at("comment").get<std::string>(); !comment.empty())
      add(config, "Comment", comment);
    add(config, "PrivateZone", zone.body.at("private").get<bool>() ? "true" : "false");
    add(node, "ResourceRecordSetCount", std::to_string(context_.state.count(records_collection, zone.id)));
  }

  static void print_servers(pugi::xml_node parent, const ZoneRow& zone) {
    auto servers = add(add(parent, "DelegationSet"), "NameServers");
    for (const auto& server : zone.body.at("nameServers")) add(servers, "NameServer", server.get<std::string>());
  }

  static std::int64_t page_size(const Call& call, std::int64_t most) {
    const auto text = call.parameter("maxitems");
    if (text.empty()) return most;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 1)
      throw Refusal{400, "InvalidInput",
                    fmt::format("1 validation error detected: Value '{}' at 'maxItems' failed to "
                                "satisfy constraint: Member must be a number from 1",
                                text)};
    return std::min(value, most);
  }

  static std::string name_parameter(const Call& call, std::string_view parameter) {
    std::optional<std::string> problem;
    auto name = canonical_name(call.parameter(parameter), problem);
    if (problem) throw Refusal{400, "InvalidInput", *problem};
    return name;
  }

  Reply list_zones_by_name(const Call& call) {
    const auto most = page_size(call, 100);
    if (call.has_parameter("hostedzoneid") && !call.has_parameter("dnsname"))
      throw Refusal{400, "InvalidInput", "The input is not valid: hostedzoneid needs dnsname."};
    std::pair<std::string, std::string> from;
    const Answer answer("ListHostedZonesByNameResponse");
    auto list = add(answer.root(), "HostedZones");
    if (call.has_parameter("dnsname")) {
      const auto name = name_parameter(call, "dnsname");
      add(answer.root(), "DNSName", name);
      from.first = reversed(name);
    }
    if (call.has_parameter("hostedzoneid")) {
      from.second = call.parameter("hostedzoneid");
      add(answer.root(), "HostedZoneId", from.second);
    }
    std::optional<ZoneRow> next;
    std::int64_t printed = 0;
    for (const auto& zone : zones()) {
      if (std::pair(reversed(zone.name), zone.id) < from) continue;
      if (printed == most) {
        next = zone;
        break;
      }
      print_zone(list, zone);
      ++printed;
    }
    add(answer.root(), "IsTruncated", next ? "true" : "false");
    if (next) {
      add(answer.root(), "NextDNSName", next->name);
      add(answer.root(), "NextHostedZoneId", next->id);
    }
    add(answer.root(), "MaxItems", std::to_string(most));
    return answer.reply();
  }

  Reply list_zones(const Call& call) {
    const auto most = page_size(call, 100);
    const auto marker = call.parameter("marker");
    const Answer answer("ListHostedZonesResponse");
    auto list = add(answer.root(), "HostedZones");
    if (!marker.empty()) add(answer.root(), "Marker", marker);
    std::string next;
    std::int64_t printed = 0;
    for (auto& row : context_.state.list_from(zones_collection, "", marker, most + 1)) {
      auto name = row.body.at("name").get<std::string>();
      if (printed == most)
        next = row.name;
      else
        print_zone(list, {row.name, std::move(name), std::move(row.body)});
      ++printed;
    }
    add(answer.root(), "IsTruncated", next.empty() ? "false" : "true");
    if (!next.empty()) add(answer.root(), "NextMarker", next);
    add(answer.root(), "MaxItems", std::to_string(most));
    return answer.reply();
  }

  Reply count_zones() {
    const Answer answer("GetHostedZoneCountResponse");
    add(answer.root(), "HostedZoneCount", std::to_string(context_.state.count(zones_collection, "")));
    return answer.reply();
  }

  Reply get_zone(const std::string& id) {
    const auto found = zone(id);
    const Answer answer("GetHostedZoneResponse");
    print_zone(answer.root(), found);
    print_servers(answer.root(), found);
    return answer.reply();
  }

  Reply create_zone(const Call& call) {
    pugi::xml_document document;
    if (!document.load_buffer(call.body.data(), call.body.size())) throw Refusal{400, "MalformedInput", "Invalid XML"};
    const auto request = document.child("CreateHostedZoneRequest");
    const std::string reference = request.child("CallerReference").text().get();
    if (reference.empty()) throw Refusal{400, "InvalidInput", "Invalid XML ; CallerReference is missing"};
    std::optional<std::string> problem;
    const auto name = canonical_name(request.child("Name").text().get(), problem);
    if (problem) throw Refusal{400, "InvalidDomainName", *problem};
    const auto config = request.child("HostedZoneConfig");
    const auto id = "Z" + random_id(20);
    std::string change;
    context_.state.write([&] {
      for (const auto& zone : zones())
        if (zone.body.at("callerReference") == reference)
          throw Refusal{
              409, "HostedZoneAlreadyExists",
              fmt::format("A hosted zone has already been created with the specified caller reference: {}", reference)};
      make_zone(id, name, reference, config.child("Comment").text().get(), request.child("VPC") != nullptr);
      change = note_change({});
    });
    const Answer answer("CreateHostedZoneResponse");
    const auto made = zone(id);
    print_zone(answer.root(), made);
    print_change(answer.root(), change);
    print_servers(answer.root(), made);
    auto reply = answer.reply(201);
    reply.headers.emplace_back("Location", fmt::format("https://route53.amazonaws.com/2013-04-01{}{}", id_prefix, id));
    return reply;
  }

  Reply delete_zone(const std::string& id) {
    std::string change;
    context_.state.write([&] {
      [[maybe_unused]] const auto found = zone(id);
      const auto records = context_.state.list(records_collection, id);
      if (records.size() > 2)
        throw Refusal{400, "HostedZoneNotEmpty",
                      "The specified hosted zone contains non-required resource record sets and so cannot be deleted."};
      for (const auto& record : records) context_.state.erase(records_collection, id, record.name);
      context_.state.erase(zones_collection, "", id);
      change = note_change({});
    });
    const Answer answer("DeleteHostedZoneResponse");
    print_change(answer.root(), change);
    return answer.reply();
  }

  Reply zone_limit(const std::string& id, const std::string& type) {
    const auto found = zone(id);
    if (type != "MAX_RRSETS_BY_ZONE")
      throw Refusal{400, "InvalidInput",
                    fmt::format("This sandbox knows the limit MAX_RRSETS_BY_ZONE only, not {}", type)};
    const Answer answer("GetHostedZoneLimitResponse");
    auto limit = add(answer.root(), "Limit");
    add(limit, "Type", type);
    add(limit, "Value", std::to_string(most_records_of_a_zone));
    add(answer.root(), "Count", std::to_string(context_.state.count(records_collection, found.id)));
    return answer.reply();
  }

  // ---- records

  Reply list_records(const Call& call, const std::string& id) {
    const auto most = page_size(call, 300);
    const auto type = call.parameter("type");
    if ((!type.empty() && !call.has_parameter("name")) || (call.has_parameter("identifier") && type.empty()))
      throw Refusal{400, "InvalidInput", "The input is not valid: type needs name, and identifier needs both."};
    if (!type.empty() && !is_known_type(type))
      throw Refusal{400, "InvalidInput",
                    fmt::format("1 validation error detected: Value '{}' at 'type' failed to satisfy "
                                "constraint: Member must satisfy enum value set",
                                type)};
    std::string from;
    if (call.has_parameter("name")) {
      from = reversed(name_parameter(call, "name"));
      if (!type.empty()) from += fmt::format(" {} {}", type, call.parameter("identifier"));
    }
    std::vector<Row> rows;
    context_.state.read([&] {
      [[maybe_unused]] const auto found = zone(id);
      rows = context_.state.list_from(records_collection, id, from, most + 1);
    });
    const Answer answer("ListResourceRecordSetsResponse");
    auto list = add(answer.root(), "ResourceRecordSets");
    const bool truncated = rows.size() > static_cast<std::size_t>(most);
    for (std::size_t i = 0; i < rows.size() - (truncated ? 1 : 0); ++i) print_record(list, record_of(rows[i].body));
    add(answer.root(), "IsTruncated", truncated ? "true" : "false");
    if (truncated) {
      const auto next = record_of(rows.back().body);
      add(answer.root(), "NextRecordName", next.name);
      add(answer.root(), "NextRecordType", next.type);
      if (!next.set_identifier.empty()) add(answer.root(), "NextRecordIdentifier", next.set_identifier);
    }
    add(answer.root(), "MaxItems", std::to_string(most));
    return answer.reply();
  }

  Reply change_records(const Call& call, const std::string& id) {
    [[maybe_unused]] const auto found = zone(id);
    const auto batch = parse_batch(call.body);
    std::string change;
    context_.state.write([&] {
      apply_batch(context_.state, id, zone(id).name, batch);
      change = note_change(batch.comment);
    });
    const Answer answer("ChangeResourceRecordSetsResponse");
    print_change(answer.root(), change);
    return answer.reply();
  }

  // ---- changes

  std::string note_change(const std::string& comment) {
    auto id = "C" + random_id(20);
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(context_.clock.now().time_since_epoch());
    context_.state.put(changes_collection, "", id, {{"submittedAt", now.count()}, {"comment", comment}});
    return id;
  }

  void print_change(pugi::xml_node parent, const std::string& id) {
    const auto row = context_.state.get(changes_collection, "", id);
    if (!row) throw Refusal{404, "NoSuchChange", fmt::format("Could not find resource with ID: {}", id)};
    const auto submitted = row->body.at("submittedAt").get<std::int64_t>();
    const auto age = context_.clock.now().time_since_epoch() - std::chrono::milliseconds(submitted);
    const bool insync = age >= insync_after * context_.time_scale;
    auto info = add(parent, "ChangeInfo");
    add(info, "Id", "/change/" + id);
    add(info, "Status", insync ? "INSYNC" : "PENDING");
    add(info, "SubmittedAt", iso_milliseconds(submitted));
    if (const auto comment = row->body.at("comment").get<std::string>(); !comment.empty())
      add(info, "Comment", comment);
  }

  Reply get_change(const std::string& id) {
    const Answer answer("GetChangeResponse");
    print_change(answer.root(), id);
    return answer.reply();
  }

  Reply test_dns_answer(const Call& call) {
    for (const auto* name : {"hostedzoneid", "recordname", "recordtype"})
      if (call.parameter(name).empty())
        throw Refusal{400, "InvalidInput", fmt::format("The input is not valid: {} is missing.", name)};
    const auto asked = zone(call.parameter("hostedzoneid"));
    const auto name = name_parameter(call, "recordname");
    const auto type = call.parameter("recordtype");
    if (!lies_within(name, asked.name))
      throw Refusal{400, "InvalidInput", fmt::format("The name {} is not in the hosted zone {}", name, asked.name)};
    const auto found = answer_dns(context_.state, asked.id, asked.name, name, type);
    const Answer answer("TestDNSAnswerResponse");
    add(answer.root(), "Nameserver", asked.body.at("nameServers").at(0).get<std::string>());
    add(answer.root(), "RecordName", name);
    add(answer.root(), "RecordType", type);
    auto data = add(answer.root(), "RecordData");
    for (const auto& entry : found.data) add(data, "RecordDataEntry", entry);
    add(answer.root(), "ResponseCode", found.code);
    add(answer.root(), "Protocol", "UDP");
    return answer.reply();
  }

  Context context_;
  Signer signer_;
};

}  // namespace

std::unique_ptr<Api> make_route53_api(Context context) {
  return std::make_unique<Route53>(std::move(context));
}

}  // namespace litedesk::sandbox
