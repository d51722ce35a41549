// What the checks of the kinds share: their own words for a wrong value, and the parts that several kinds have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "providers/sandbox/kubernetes_admission.hpp"

namespace litedesk::sandbox::kube {

using Causes = std::vector<Cause>;

inline constexpr std::string_view subdomain_rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end "
    "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
inline constexpr std::string_view label_rule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an "
    "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
inline constexpr std::string_view label_value_rule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end "
    "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
inline constexpr std::string_view label_key_rule =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
inline constexpr std::string_view config_key_rule =
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

void check_labels(const Json& labels, const std::string& path, Causes& causes);
void check_port(const Json& value, const std::string& path, Causes& causes);
void check_not_negative(const Json& value, const std::string& path, Causes& causes);
// `claims`: the volume claim templates of a StatefulSet, which are volumes too.
void check_pod_spec(const Json& spec, const Json& claims, const std::string& path, Causes& causes);
void check_limit_range(const Json& object, Causes& causes);

}  // namespace litedesk::sandbox::kube
