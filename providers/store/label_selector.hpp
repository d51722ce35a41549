// Kubernetes' rules for labels, for the store that has no API server to keep them.
// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace litedesk::store {

using Labels = std::map<std::string, std::string>;

struct Requirement {
  enum class Operator { in, not_in, exists, absent };
  std::string key;
  Operator operation = Operator::exists;
  std::vector<std::string> values;  // "=" is `in` with one value
};

// Throws ValidationError with what is wrong and where.
[[nodiscard]] std::vector<Requirement> parse_selector(std::string_view selector);
// The selector that parses to these.
[[nodiscard]] std::string to_string(const std::vector<Requirement>& requirements);
// All requirements hold. As on an API server, "k!=v" and "k notin (v)" hold for labels that have no k.
[[nodiscard]] bool matches(const std::vector<Requirement>& requirements, const Labels& labels);

// Throws ValidationError that names the key or the value.
void check_labels(const Labels& labels);
// A name as metadata.name must be: a DNS subdomain (RFC 1123) in lower case.
void check_name(std::string_view name);

}  // namespace litedesk::store
