#include "providers/aws/route53.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "providers/aws/route53_errors.hpp"
#include "providers/aws/route53_xml.hpp"
#include "providers/aws/sigv4.hpp"
#include "providers/error.hpp"

namespace litedesk::route53 {

namespace {

// More pages than the largest zone can have: a server that repeats itself must not hold us for ever.
constexpr int most_pages = 10'000;
// How long to look for the outcome of a change whose answer was lost.
constexpr std::chrono::milliseconds look_again_timeout{10'000};

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

std::string query(std::initializer_list<std::pair<std::string_view, std::string_view>> parameters) {
  std::string result;
  for (const auto& [name, value] : parameters)
    if (!value.empty()) result += (result.empty() ? "?" : "&") + std::string(name) + "=" + http::percent_encode(value);
  return result;
}

std::string zone_path(const HostedZoneId& zone) {
  return "/hostedzone/" + http::percent_encode(bare_id(zone.value));
}

std::string zone_resource(const HostedZoneId& zone) {
  return "route53 zone " + bare_id(zone.value);
}

std::string describe(std::span<const RecordChange> changes) {
  std::string text;
  std::set<std::string> seen;
  for (const auto& change : changes) {
    const auto name = change.record.type + " " + change.record.name;
    if (!seen.insert(name).second) continue;
    if (seen.size() > 3) continue;
    text += (text.empty() ? "" : ", ") + name;
  }
  if (seen.size() > 3) text += " and " + std::to_string(seen.size() - 3) + " more";
  return text;
}

// What passes by itself counts as "not yet".
bool is_insync(RecordWriter& writer, std::string_view change_id, const std::stop_token& stop) {
  try {
    return writer.get_change(change_id, stop).status == ChangeStatus::insync;
  } catch (const Cancelled&) {
    if (!stop.stop_requested()) throw;
  } catch (const Unavailable&) {
  } catch (const Timeout&) {
  } catch (const RateLimited&) {
  }
  return false;
}

}  // namespace

bool wait_insync(RecordWriter& writer, std::string_view change_id, std::chrono::milliseconds timeout,
                 const system::Clock& clock, std::stop_token stop) {
  if (change_id.empty()) return true;
  const auto end = clock.steady() + timeout;
  while (!stop.stop_requested()) {
    if (is_insync(writer, change_id, stop)) return true;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - clock.steady());
    if (left.count() <= 0 || !clock.wait(std::min(left, insync_poll), stop)) return false;
  }
  return false;
}

Client::Client(http::Transport& transport, std::function<aws::Credentials()> credentials, ClientOptions options)
    : transport_(transport), credentials_(std::move(credentials)), options_(std::move(options)) {
  while (options_.endpoint.ends_with('/')) options_.endpoint.pop_back();
}

http::Response Client::send(http::Request request, std::string_view summary, std::stop_token stop) {
  request.url = options_.endpoint + "/2013-04-01" + request.url;
  request.api = http::Api::route53;
  request.tls = options_.tls;
  request.summary = summary;
  // Signed anew each time: a signature holds for minutes, and back-off may take longer.
  request.prepare = [this](http::Request& attempt) {
    aws::sign(attempt, credentials_(), {options_.region, "route53"}, options_.clock->now());
  };
  return transport_.send(std::move(request), std::move(stop));
}

void Client::refuse(const http::Response& response, std::string_view summary, std::string_view resource) const {
  throw_refusal(response, {summary, resource, credentials_(), options_.clock->now()});
}

std::string Client::get_document(std::string path, const Read& read) {
  http::Request request;
  request.url = std::move(path);
  request.timeout = std::min(read.timeout, options_.request_timeout);
  auto response = send(std::move(request), read.summary, read.stop);
  if (response.status / 100 != 2) refuse(response, read.summary, read.resource);
  return std::move(response.body);
}

std::vector<HostedZone> Client::zones_named(std::string_view name) {
  const auto wanted = from_wire_name(to_wire_name(name));
  const auto summary = "find the hosted zone of " + wanted;
  std::vector<HostedZone> found;
  std::string from = to_wire_name(wanted), id;
  for (int pages = 0; pages < most_pages; ++pages) {
    const auto page = parse_zones(
        get_document("/hostedzonesbyname" + query({{"dnsname", from}, {"hostedzoneid", id}, {"maxitems", "100"}}),
                     {summary, "route53 zone " + wanted}));
    for (const auto& zone : page.zones)
      if (zone.name == wanted && !zone.is_private) found.push_back(zone);
    // The list begins at the name and goes on with others.
    if (!page.truncated || from_wire_name(page.next_name) != wanted) return found;
    if (page.next_name == from && page.next_id == id) break;
    from = page.next_name;
    id = bare_id(page.next_id);
  }
  throw Unavailable("cannot " + summary + ": Route 53 repeats the same page");
}

HostedZone Client::zone(const HostedZoneId& id) {
  return parse_zone(get_document(zone_path(id), {"read hosted zone " + bare_id(id.value), zone_resource(id)}));
}

// Calls `take` with each record from (name, type) on, until it returns false.
void Client::walk(const HostedZoneId& zone, const Start& start, const Read& read,
                  const std::function<bool(RecordSet&)>& take) {
  auto name = start.name, type = start.type;
  std::string identifier;
  for (int pages = 0; pages < most_pages; ++pages) {
    auto page = parse_records(get_document(
        zone_path(zone) + "/rrset" +
            query({{"name", name}, {"type", type}, {"identifier", identifier}, {"maxitems", start.page_size}}),
        read));
    for (auto& record : page.records)
      if (!take(record)) return;
    if (!page.truncated) return;
    if (page.next_name.empty() ||
        std::tie(name, type, identifier) == std::tie(page.next_name, page.next_type, page.next_identifier))
      break;
    name = std::move(page.next_name);
    type = std::move(page.next_type);
    identifier = std::move(page.next_identifier);
  }
  throw Unavailable("cannot " + read.summary + ": Route 53 repeats the same page");
}

std::optional<RecordSet> Client::get(const HostedZoneId& zone, std::string_view name, std::string_view type) {
  const auto plain = from_wire_name(to_wire_name(name));
  const auto wanted_type = upper(type);
  std::optional<RecordSet> found;
  walk(zone, {to_wire_name(name), wanted_type, "1"}, {"read " + wanted_type + " " + plain, zone_resource(zone)},
       [&](RecordSet& record) {
         if (record.name == plain && record.type == wanted_type) found = std::move(record);
         return false;
       });
  return found;
}

std::vector<RecordSet> Client::get_name(const HostedZoneId& zone, std::string_view name) {
  return records_of(zone, name, options_.request_timeout);
}

std::vector<RecordSet> Client::records_of(const HostedZoneId& zone, std::string_view name,
                                          std::chrono::milliseconds timeout) {
  const auto plain = from_wire_name(to_wire_name(name));
  std::vector<RecordSet> found;
  walk(zone, {to_wire_name(name), "", "100"}, {"read the records of " + plain, zone_resource(zone), timeout},
       [&](RecordSet& record) {
         if (record.name != plain) return false;
         found.push_back(std::move(record));
         return true;
       });
  return found;
}

std::vector<RecordSet> Client::list(const HostedZoneId& zone) {
  std::vector<RecordSet> found;
  walk(zone, {"", "", "300"}, {"list the records of zone " + bare_id(zone.value), zone_resource(zone)},
       [&](RecordSet& record) {
         found.push_back(std::move(record));
         return true;
       });
  return found;
}

// Whether the zone holds what the batch would have left. The last change of a record counts: a replacement is a DELETE
// and then a CREATE.
bool Client::holds(const HostedZoneId& zone, std::span<const RecordChange> changes) {
  std::map<std::tuple<std::string, std::string, std::string>, const RecordChange*> wanted;
  for (const auto& change : changes)
    wanted[{from_wire_name(to_wire_name(change.record.name)), upper(change.record.type),
            change.record.set_identifier}] = &change;
  std::map<std::string, std::vector<RecordSet>> live;
  for (const auto& [key, change] : wanted) {
    const auto& [name, type, identifier] = key;
    auto at = live.find(name);
    if (at == live.end()) at = live.emplace(name, records_of(zone, name, look_again_timeout)).first;
    const RecordSet* found = nullptr;
    for (const auto& record : at->second)
      if (record.type == std::get<1>(key) && record.set_identifier == std::get<2>(key)) found = &record;
    if (change->action == Action::remove ? found != nullptr : (found == nullptr || !equivalent(*found, change->record)))
      return false;
  }
  return true;
}

ChangeInfo Client::change(const HostedZoneId& zone, std::span<const RecordChange> changes, std::string_view comment) {
  check_batch(changes);
  const auto summary = "change " + describe(changes) + " in zone " + bare_id(zone.value);
  // After a lost answer: what counts is what the zone holds. A failing look tells nothing, and the first error stands.
  const auto took_effect = [&] {
    try {
      return holds(zone, changes);
    } catch (const Error&) {
      return false;
    }
  };
  const ChangeInfo effective{"", ChangeStatus::insync};

  http::Request request;
  request.method = http::Method::post;
  request.url = zone_path(zone) + "/rrset/";
  request.headers.push_back({"Content-Type", "text/xml"});
  request.body = change_batch(changes, comment);
  request.timeout = options_.request_timeout;
  // A batch is atomic, and a second one that finds the first's work is told apart below.
  request.repeat = http::Repeat::safe;
  http::Response response;
  try {
    response = send(std::move(request), summary);
    if (response.status / 100 == 2) return parse_change_info(response.body);
  } catch (const Unavailable&) {
    if (took_effect()) return effective;
    throw;
  } catch (const Timeout&) {
    if (took_effect()) return effective;
    throw;
  }
  const bool uncertain = response.repeated_after_loss || response.attempts > 1 || response.status >= 500;
  if (uncertain && took_effect()) return effective;
  refuse(response, summary, zone_resource(zone));
}

ChangeInfo Client::get_change(std::string_view id, std::stop_token stop) {
  const auto bare = bare_id(id);
  Read read{"read change " + bare, "route53 change " + bare};
  read.stop = std::move(stop);
  return parse_change_info(get_document("/change/" + http::percent_encode(bare), read));
}

}  // namespace litedesk::route53
