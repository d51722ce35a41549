// LimitRanges: what they set in a pod, what they refuse, and what they may say.
// Rules: plugin/pkg/admission/limitranger, pkg/apis/core/validation.
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_quantity.hpp"
#include "providers/sandbox/kubernetes_validation.hpp"

namespace litedesk::sandbox::kube {

namespace {

bool above(const Json& value, const Json& bound) {
  return to_quantity(value) > to_quantity(bound);
}

const Json& amount(const Json& amounts, const std::string& name) {
  static const Json none;
  if (!amounts.is_object()) return none;
  const auto found = amounts.find(name);
  return found == amounts.end() ? none : *found;
}

// "cpu, memory request for container main"
void fill(const Json& source, Json& container, const char* list, const char* word, std::vector<std::string>& notes) {
  if (!source.is_object()) return;
  auto& target = make(container, std::string("resources.") + list);
  if (target.is_null()) target = Json::object();
  std::vector<std::string> set;
  for (const auto& [name, value] : source.items()) {
    if (target.contains(name)) continue;
    target[name] = value;
    set.push_back(name);
  }
  if (!set.empty())
    notes.push_back(fmt::format("{} {} for container {}", fmt::join(set, ", "), word, text(container, "name")));
}

void refuse_beyond(const Json& limit, const Json& container, std::vector<std::string>& errors) {
  const auto& requests = at(container, "resources.requests");
  const auto& limits = at(container, "resources.limits");
  if (const auto& least = at(limit, "min"); least.is_object())
    for (const auto& [name, bound] : least.items()) {
      const auto& request = amount(requests, name);
      if (request.is_null())
        errors.push_back(
            fmt::format("minimum {} usage per Container is {}.  No request is specified", name, plain(bound)));
      else if (above(bound, request))
        errors.push_back(
            fmt::format("minimum {} usage per Container is {}, but request is {}", name, plain(bound), plain(request)));
    }
  if (const auto& most = at(limit, "max"); most.is_object())
    for (const auto& [name, bound] : most.items()) {
      const auto& given = amount(limits, name);
      if (given.is_null())
        errors.push_back(
            fmt::format("maximum {} usage per Container is {}.  No limit is specified", name, plain(bound)));
      else if (above(given, bound))
        errors.push_back(
            fmt::format("maximum {} usage per Container is {}, but limit is {}", name, plain(bound), plain(given)));
    }
}

// Runs `work` on each limit for containers of the namespace.
template <class Work>
void for_containers(World& world, const std::string& name_space, Work work) {
  for (const auto& range : world.list("limitranges", name_space)) {
    const auto& limits = at(range.object, "spec.limits");
    if (!limits.is_array()) continue;
    for (const auto& limit : limits)
      if (text(limit, "type") == "Container") work(limit);
  }
}

}  // namespace

void apply_limit_ranges(World& world, const std::string& name_space, Json& pod) {
  std::vector<std::string> notes;
  for_containers(world, name_space, [&](const Json& limit) {
    for (auto& container : pod["spec"]["containers"]) {
      fill(at(limit, "defaultRequest"), container, "requests", "request", notes);
      fill(at(limit, "default"), container, "limits", "limit", notes);
    }
  });
  if (!notes.empty())
    pod["metadata"]["annotations"]["kubernetes.io/limit-ranger"] =
        fmt::format("LimitRanger plugin set: {}", fmt::join(notes, "; "));
}

void enforce_limit_ranges(World& world, const Kind& kind, const std::string& name_space, const Json& pod) {
  std::vector<std::string> errors;
  for_containers(world, name_space, [&](const Json& limit) {
    for (const auto& container : at(pod, "spec.containers")) refuse_beyond(limit, container, errors);
  });
  if (errors.empty()) return;
  throw forbidden(kind, name_of(pod),
                  errors.size() == 1 ? errors.front() : fmt::format("[{}]", fmt::join(errors, ", ")));
}

void check_limit_range(const Json& object, Causes& causes) {
  const auto& limits = at(object, "spec.limits");
  if (!limits.is_array()) return;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const auto& limit = limits[i];
    std::set<std::string> names;
    for (const auto* field : {"max", "min", "default", "defaultRequest"})
      if (const auto& amounts = at(limit, field); amounts.is_object())
        for (const auto& [name, value] : amounts.items()) names.insert(name);
    for (const auto& name : names) {
      const auto& most = amount(at(limit, "max"), name);
      const auto& least = amount(at(limit, "min"), name);
      const auto& fallback = amount(at(limit, "default"), name);
      const auto& request = amount(at(limit, "defaultRequest"), name);
      const auto here = [&](const char* field) { return fmt::format("spec.limits[{}].{}[{}]", i, field, name); };
      const auto refuse = [&](const char* field, const Json& shown, const char* word, const Json& value,
                              const char* relation, const char* bound_word, const Json& bound) {
        causes.push_back(value_invalid(
            here(field), plain(shown),
            fmt::format("{} value {} is {} than {} value {}", word, plain(value), relation, bound_word, plain(bound))));
      };
      const auto both = [](const Json& a, const Json& b) { return !a.is_null() && !b.is_null(); };
      if (both(least, most) && above(least, most)) refuse("min", least, "min", least, "greater", "max", most);
      if (both(request, least) && above(least, request))
        refuse("defaultRequest", request, "default request", request, "less", "min", least);
      if (both(request, most) && above(request, most))
        refuse("defaultRequest", request, "default request", request, "greater", "max", most);
      if (both(request, fallback) && above(request, fallback))
        refuse("defaultRequest", request, "default request", request, "greater", "default limit", fallback);
      if (both(fallback, least) && above(least, fallback))
        refuse("default", least, "default", fallback, "less", "min", least);
      if (both(fallback, most) && above(fallback, most))
        refuse("default", most, "default", fallback, "greater", "max", most);
    }
  }
}

}  // namespace litedesk::sandbox::kube
