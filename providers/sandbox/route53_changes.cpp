#include "providers/sandbox/route53_changes.hpp"

#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pugixml.hpp>

#include "providers/sandbox/route53_alias.hpp"
#include "providers/sandbox/route53_names.hpp"
#include "providers/sandbox/route53_signature.hpp"

namespace litedesk::sandbox::route53 {

namespace {

[[noreturn]] void refuse_batch(const std::vector<std::string>& problems) {
  throw Refusal{400, "InvalidChangeBatch", fmt::format("[{}]", fmt::join(problems, ", "))};
}

// A batch's size; an UPSERT counts as a DELETE and a CREATE.
void check_size(const Batch& batch) {
  constexpr std::size_t most_records = 1000;
  constexpr std::size_t most_characters = 32'000;
  std::size_t records = 0;
  std::size_t characters = 0;
  for (const auto& [action, record] : batch.changes) {
    const std::size_t weight = action == "UPSERT" ? 2 : 1;
    records += weight * record.values.size();
    for (const auto& value : record.values) characters += weight * value.size();
  }
  if (records > most_records)
    throw Refusal{400, "InvalidChangeBatch", fmt::format("Number of records limit of {} exceeded.", most_records)};
  if (characters > most_characters)
    throw Refusal{400, "InvalidChangeBatch",
                  fmt::format("Number of characters limit of {} exceeded.", most_characters)};
}

// The zone as it is after the changes so far: the state itself, inside the transaction.
class Zone {
 public:
  Zone(State& state, std::string id, std::string name) : state_(state), id_(std::move(id)), name_(std::move(name)) {}

  std::vector<std::string> problems;

  void apply(const Change& change) {
    const auto& record = change.record;
    if (!lies_within(record.name, name_)) {
      problems.push_back(fmt::format("RRSet with DNS name {} is not permitted in zone {}", record.name, name_));
      return;
    }
    const auto row = state_.get(records_collection, id_, record.key());
    if (change.action == "DELETE") return remove(record, row);
    if (change.action == "CREATE" && row) {
      problems.push_back(fmt::format("Tried to create resource record set {} but it already exists", record.label()));
      return;
    }
    if (!may_stand(record)) return;
    state_.put(records_collection, id_, record.key(), to_json(record));
  }

  // What can only be seen once all the changes are made.
  void check_whole(const Batch& batch) {
    if (at(name_, "NS").empty())
      problems.push_back("A HostedZone must contain at least one NS record for the zone itself.");
    if (at(name_, "SOA").size() != 1) problems.push_back("A HostedZone must contain exactly one SOA record.");
    if (state_.count(records_collection, id_) > most_records_of_a_zone)
      problems.push_back(fmt::format("Number of records limit of {} exceeded.", most_records_of_a_zone));
    for (const auto& [action, record] : batch.changes)
      if (action != "DELETE" && record.alias) check_alias(record);
  }

 private:
  void remove(const RecordSet& record, const std::optional<Row>& row) {
    if (!row)
      problems.push_back(fmt::format("Tried to delete resource record set {} but it was not found", record.label()));
    else if (!record_of(row->body).same_values(record))
      problems.push_back(
          fmt::format("Tried to delete resource record set {} but the values provided do not match the current values",
                      record.label()));
    else
      state_.erase(records_collection, id_, record.key());
  }

  // The record sets of a name: of that type, or of any.
  std::vector<RecordSet> at(const std::string& name, const std::string& type = {}) {
    constexpr std::int64_t at_once = 300;
    const auto prefix = reversed(name) + " " + (type.empty() ? "" : type + " ");
    std::vector<RecordSet> found;
    for (const auto& row : state_.list_from(records_collection, id_, prefix, at_once)) {
      if (!row.name.starts_with(prefix)) break;
      found.push_back(record_of(row.body));
    }
    return found;
  }

  // A CNAME stands alone at its name, never at the zone's own; record sets with and without a routing policy do not
  // mix.
  bool may_stand(const RecordSet& record) {
    const auto before = problems.size();
    if (record.type == "CNAME" && record.name == name_)
      problems.push_back(
          fmt::format("RRSet of type CNAME with DNS name {} is not permitted at apex in zone {}", record.name, name_));
    for (const auto& other : at(record.name)) {
      if (other.type == record.type) {
        if (other.set_identifier.empty() != record.set_identifier.empty()) {
          problems.push_back(fmt::format(
              "RRSet with DNS name {}, type {}{} cannot be created as other RRSets exist with the same name and type.",
              record.name, record.type,
              record.set_identifier.empty() ? "" : ", SetIdentifier " + record.set_identifier));
          break;
        }
      } else if (record.type == "CNAME") {
        if (record.name == name_) continue;
        problems.push_back(
            fmt::format("RRSet of type CNAME with DNS name {} is not permitted as it conflicts with other records with "
                        "the same DNS "
                        "name in zone {}",
                        record.name, name_));
        break;
      } else if (other.type == "CNAME") {
        problems.push_back(
            fmt::format("RRSet of type {} with DNS name {} is not permitted because a conflicting RRSet of "
                        "type  CNAME with the same DNS name already exists in zone {}",
                        record.type, record.name, name_));
        break;
      }
    }
    return problems.size() == before;
  }

  void check_alias(const RecordSet& record) {
    const auto& alias = *record.alias;
    const auto tried = fmt::format("Tried to create an alias that targets {}, type {} in zone {}, but ", alias.target,
                                   record.type, alias.zone_id);
    if (alias.zone_id == id_) {
      if (!lies_within(alias.target, name_))
        problems.push_back(tried + "the alias target name does not lie within the target zone");
      else if (at(alias.target, record.type).empty())
        problems.push_back(tried + "that target was not found");
      return;
    }
    if (!is_service_target(alias.zone_id, alias.target))
      problems.push_back(tried + "the alias target name does not lie within the target zone");
    else if (record.type != "A" && record.type != "AAAA")
      problems.push_back(tried + "that target was not found");
  }

  State& state_;
  std::string id_, name_;
};

// A batch says one thing of a record set, or that it is deleted and made anew.
void refuse_repetition(const Batch& batch) {
  std::map<std::string, std::string> last;
  std::vector<std::string> problems;
  for (const auto& [action, record] : batch.changes) {
    const auto [known, first] = last.emplace(record.key(), action);
    if (first) continue;
    if (known->second != "DELETE" || action == "DELETE")
      problems.push_back(fmt::format("The request contains an invalid set of changes for a resource record set '{} {}'",
                                     record.type, record.name));
    known->second = "made";
  }
  if (!problems.empty()) refuse_batch(problems);
}

}  // namespace

Batch parse_batch(const std::string& body) {
  constexpr std::size_t longest_comment = 256;
  const auto malformed = [](const std::string& message) { throw Refusal{400, "MalformedInput", message}; };
  pugi::xml_document document;
  if (const auto parsed =
          document.load_buffer(body.data(), body.size(), pugi::parse_default | pugi::parse_ws_pcdata_single);
      !parsed)
    malformed(fmt::format("Invalid XML ; {} at offset {}", parsed.description(), parsed.offset));
  const auto root = document.child("ChangeResourceRecordSetsRequest");
  if (!root) malformed("Unexpected or missing root element: expected ChangeResourceRecordSetsRequest");
  if (std::string_view(root.attribute("xmlns").value()) != "https://route53.amazonaws.com/doc/2013-04-01/")
    malformed("Unexpected or missing namespace: expected https://route53.amazonaws.com/doc/2013-04-01/");

  const auto node = root.child("ChangeBatch");
  Batch batch;
  batch.comment = node.child("Comment").text().get();
  if (batch.comment.size() > longest_comment)
    throw Refusal{
        400, "InvalidInput",
        "1 validation error detected: Value at 'changeBatch.comment' failed to satisfy constraint: Member must "
        "have length less than or equal to 256"};
  std::vector<std::string> problems;
  for (const auto& change : node.child("Changes").children("Change")) {
    const std::string action = change.child("Action").text().get();
    if (action != "CREATE" && action != "DELETE" && action != "UPSERT")
      throw Refusal{
          400, "InvalidInput",
          fmt::format("1 validation error detected: Value '{}' at 'change.action' failed to satisfy constraint: "
                      "Member must satisfy enum value set: [CREATE, DELETE, UPSERT]",
                      action)};
    batch.changes.push_back({action, parse_record(change.child("ResourceRecordSet"), action, problems)});
  }
  if (batch.changes.empty()) throw Refusal{400, "InvalidInput", "Invalid XML ; the ChangeBatch holds no Change"};
  if (!problems.empty()) refuse_batch(problems);
  check_size(batch);
  return batch;
}

void apply_batch(State& state, const std::string& zone_id, const std::string& zone_name, const Batch& batch) {
  refuse_repetition(batch);
  Zone zone(state, zone_id, zone_name);
  for (const auto& change : batch.changes) zone.apply(change);
  zone.check_whole(batch);
  if (!zone.problems.empty()) refuse_batch(zone.problems);
}

}  // namespace litedesk::sandbox::route53
