// What the maskers of this room share. Each looks at a text once and notes the parts that must not be seen; the text is
// written anew at the end, so that masking takes time in proportion to the text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace litedesk::http {

// Lower case without separators: "client_secret", "clientSecret" and "Client-Secret" are one word, "p%61ssword" another
// spelling of password.
[[nodiscard]] std::string plain_word(std::string_view name);
[[nodiscard]] std::string percent_decode(std::string_view text);
// By its end, so that "password", "dbPassword2" and "tokens" are secret and "secretName" and "passwordKey" are not.
[[nodiscard]] bool names_secret(std::string_view name);
// Of these, what names several: "tokens", "Credentials".
[[nodiscard]] bool names_secrets(std::string_view name);

class Spans {
 public:
  void add(std::size_t begin, std::size_t end) {
    if (begin < end) spans_.push_back({begin, end});
  }
  // The text with "***" for each part; parts that overlap or touch are one.
  [[nodiscard]] std::string masked(std::string_view text);

 private:
  struct Span {
    std::size_t begin, end;
  };
  std::vector<Span> spans_;
};

// Notes what is recognisable as a secret in `text`, which stands at `offset` of the whole.
void find_secrets(std::string_view text, std::size_t offset, Spans& spans);
// The same for XML and HTML, well-formed or not: what stands in secret elements and attributes, in CDATA sections, in
// values beside secret names; comments, processing instructions and document types as a whole.
void find_secrets_in_xml(std::string_view xml, std::size_t offset, Spans& spans);

}  // namespace litedesk::http
