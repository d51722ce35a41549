#include "providers/sandbox/kubernetes_pattern.hpp"

#include <re2/re2.h>

namespace litedesk::sandbox::kube {

namespace {

// The library would write what it finds wrong to stderr.
RE2::Options quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  return options;
}

// Its own type of view has changed from release to release; all take a pointer and a length.
re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

std::optional<bool> contains_match(std::string_view text, std::string_view pattern) {
  const RE2 expression(piece(pattern), quiet());
  if (!expression.ok()) return std::nullopt;
  return RE2::PartialMatch(piece(text), expression);
}

std::string pattern_error(std::string_view pattern) {
  const RE2 expression(piece(pattern), quiet());
  return expression.ok() ? std::string() : expression.error();
}

}  // namespace litedesk::sandbox::kube
