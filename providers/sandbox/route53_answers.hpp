// The XML of Route 53's answers.
#pragma once

#include <string>
#include <string_view>

#include <pugixml.hpp>

#include "providers/sandbox/api.hpp"
#include "providers/sandbox/route53_signature.hpp"

namespace litedesk::sandbox::route53 {

// A document with one root in the API's namespace.
class Answer {
 public:
  explicit Answer(const char* root_name);
  [[nodiscard]] pugi::xml_node root() const { return root_; }
  [[nodiscard]] Reply reply(int status = 200) const;

 private:
  pugi::xml_document document_;
  pugi::xml_node root_;
};

pugi::xml_node add(pugi::xml_node parent, const char* name);
pugi::xml_node add(pugi::xml_node parent, const char* name, const std::string& text);

[[nodiscard]] Reply reply_of(const Refusal& refusal);

// A Unix time in milliseconds as "2026-01-02T03:04:05.678Z".
[[nodiscard]] std::string iso_milliseconds(std::int64_t milliseconds);

// `count` random characters A-Z 0-9, as in ids.
[[nodiscard]] std::string random_id(std::size_t count);

}  // namespace litedesk::sandbox::route53
