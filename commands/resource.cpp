#include "commands/resource.hpp"

namespace litedesk {

std::string_view to_string(Provider provider) {
  switch (provider) {
    case Provider::kubernetes:
      return "kubernetes";
    case Provider::atlas:
      return "atlas";
    case Provider::route53:
      return "route53";
  }
  return "kubernetes";
}

std::string to_string(const ResourceId& id) {
  std::string text(to_string(id.provider));
  text += ' ' + id.kind + ' ';
  // A project or a zone is an id that tells people nothing.
  if (id.provider == Provider::kubernetes && !id.scope.empty()) text += id.scope + '/';
  return text + id.name;
}

}  // namespace litedesk
