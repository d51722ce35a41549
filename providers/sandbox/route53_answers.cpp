#include "providers/sandbox/route53_answers.hpp"

#include <sstream>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "providers/system/random.hpp"

namespace litedesk::sandbox::route53 {

Answer::Answer(const char* root_name) {
  auto declaration = document_.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  root_ = document_.append_child(root_name);
  root_.append_attribute("xmlns") = "https://route53.amazonaws.com/doc/2013-04-01/";
}

Reply Answer::reply(int status) const {
  std::ostringstream text;
  document_.save(text, "", pugi::format_raw);
  Reply reply;
  reply.status = status;
  reply.content_type = "text/xml";
  reply.body = text.str();
  reply.headers.emplace_back("x-amzn-RequestId", system::os_random().uuid());
  return reply;
}

pugi::xml_node add(pugi::xml_node parent, const char* name) {
  return parent.append_child(name);
}

pugi::xml_node add(pugi::xml_node parent, const char* name, const std::string& text) {
  auto node = parent.append_child(name);
  node.text().set(text.c_str());
  return node;
}

Reply reply_of(const Refusal& refusal) {
  const Answer answer("ErrorResponse");
  auto error = add(answer.root(), "Error");
  add(error, "Type", refusal.status < 500 ? "Sender" : "Receiver");
  add(error, "Code", refusal.code);
  add(error, "Message", refusal.message);
  add(answer.root(), "RequestId", system::os_random().uuid());
  return answer.reply(refusal.status);
}

std::string iso_milliseconds(std::int64_t milliseconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(milliseconds / 1000)),
                     milliseconds % 1000);
}

std::string random_id(std::size_t count) {
  constexpr std::string_view characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::string id;
  while (id.size() < count) id += characters[system::os_random().below(characters.size())];
  return id;
}

}  // namespace litedesk::sandbox::route53
