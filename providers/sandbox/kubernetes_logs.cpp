// What containers have written.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_read.hpp"
#include "providers/sandbox/kubernetes_status.hpp"

namespace litedesk::sandbox::kube {

namespace {

const Json* named(const Json& list, const std::string& name) {
  if (list.is_array())
    for (const auto& item : list)
      if (text(item, "name") == name) return &item;
  return nullptr;
}

std::vector<std::string> lines_of(const Json& container, const Json& pod) {
  const auto image = text(container, "image");
  const auto name = text(container, "name");
  const auto& ports = at(container, "ports");
  const auto port = ports.is_array() && !ports.empty() ? integer(ports[0], "containerPort") : 0;
  if (image.ends_with(":crash"))
    return {fmt::format("{} starting", name), "MongoServerSelectionError: connect ECONNREFUSED 127.0.0.1:27017"};
  if (image.ends_with(":fail")) return {fmt::format("{} starting", name), "MongoServerError: Authentication failed."};
  if (text(pod, "status.phase") == "Succeeded") return {fmt::format("{} starting", name), fmt::format("{} done", name)};
  return {fmt::format("{} starting", name),
          port > 0 ? fmt::format("listening on port {}", port) : fmt::format("{} ready", name)};
}

std::string choose_container(const Request& request, const Json& pod) {
  const auto& containers = at(pod, "spec.containers");
  const auto wanted = request.call->parameter("container");
  if (!wanted.empty()) {
    if (named(containers, wanted) == nullptr && named(at(pod, "spec.initContainers"), wanted) == nullptr)
      throw bad_request(fmt::format("container {} is not valid for pod {}", wanted, request.name));
    return wanted;
  }
  if (containers.size() == 1) return text(containers[0], "name");
  std::vector<std::string> names;
  for (const auto& container : containers) names.push_back(text(container, "name"));
  throw bad_request(fmt::format("a container name must be specified for pod {}, choose one of: [{}]", request.name,
                                fmt::join(names, " ")));
}

// When the log begins. Throws for a container that has written nothing.
std::string started_at(const Request& request, const Json& pod, const std::string& container) {
  const auto* status = named(at(pod, "status.containerStatuses"), container);
  const Json none;
  const auto& given = status == nullptr ? none : *status;
  const auto last = text(given, "lastState.terminated.startedAt");
  if (request.call->parameter("previous") == "true") {
    if (last.empty())
      throw bad_request(
          fmt::format("previous terminated container \"{}\" in pod \"{}\" not found", container, request.name));
    return last;
  }
  for (const auto* path : {"state.running.startedAt", "state.terminated.startedAt"})
    if (const auto stamp = text(given, path); !stamp.empty()) return stamp;
  if (!last.empty()) return last;
  auto reason = text(given, "state.waiting.reason");
  if (reason == "ImagePullBackOff" || reason == "ErrImagePull")
    reason = reason == "ErrImagePull" ? "image can't be pulled" : "trying and failing to pull image";
  throw bad_request(fmt::format("container \"{}\" in pod \"{}\" is waiting to start: {}", container, request.name,
                                reason.empty() ? "ContainerCreating" : reason));
}

}  // namespace

Reply answer_log(Cluster& cluster, const Request& request) {
  auto row = cluster.state().get(request.kind->collection(), request.name_space, request.name);
  if (!row) throw not_found(*request.kind, request.name);
  const auto pod = to_record(std::move(*row)).object;
  const auto container = choose_container(request, pod);
  const auto start = started_at(request, pod, container);
  auto lines = lines_of(*named(at(pod, "spec.containers"), container), pod);
  const auto& call = *request.call;
  if (const auto tail = call.parameter("tailLines"); !tail.empty()) {
    const auto wanted = static_cast<std::size_t>(std::max(0LL, std::strtoll(tail.c_str(), nullptr, 10)));
    if (wanted < lines.size()) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(wanted));
  }
  std::string body;
  for (const auto& line : lines) {
    if (call.parameter("timestamps") == "true") body += start.substr(0, start.size() - 1) + ".000000000Z ";
    body += line + "\n";
  }
  if (const auto limit = call.parameter("limitBytes"); !limit.empty())
    body.resize(
        std::min(body.size(), static_cast<std::size_t>(std::max(1LL, std::strtoll(limit.c_str(), nullptr, 10)))));
  Reply reply;
  reply.content_type = "text/plain";
  reply.body = std::move(body);
  return reply;
}

}  // namespace litedesk::sandbox::kube
