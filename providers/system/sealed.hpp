// Secrets in texts and JSON: what is handed about, compared and stored is a seal, a word that stands for a secret and
// tells nothing. The secret itself is put in its place where a request's body is written, and that is wiped.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "providers/system/secret.hpp"

namespace litedesk::system {

// The word that stands for the secret, of letters and digits. Equal secrets have the same one, so that values are
// compared by their seals; nobody can make one up, since each process draws a number of its own. Empty for an empty
// secret.
[[nodiscard]] std::string seal(const Secret& secret);

// Whether there is a seal anywhere in the text.
[[nodiscard]] bool is_sealed(std::string_view text);

// The text with each seal's secret in its place, passed through `escape` where there is one (which wipes nothing: what
// it returns is wiped).
[[nodiscard]] Secret unseal(std::string_view text, const std::function<std::string(std::string_view)>& escape = {});

// The same of a JSON document's text: the secrets as the content of its strings (RFC 8259, 7).
[[nodiscard]] Secret unseal_json(std::string_view document);

}  // namespace litedesk::system
