#include "providers/system/sealed.hpp"

#include <charconv>
#include <deque>
#include <map>
#include <mutex>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"
#include "providers/system/hash.hpp"
#include "providers/system/random.hpp"

namespace litedesk::system {

namespace {

// "sealed" + the process's number + 8 hex digits of the secret's own.
class Vault {
 public:
  Vault() : front_("sealed" + std::string(os_random().hex(16).reveal())) {}

  std::string keep(const Secret& secret) {
    const std::lock_guard lock(mutex_);
    const auto [found, is_new] = numbers_.emplace(mark(secret), secrets_.size());
    if (is_new) secrets_.push_back(secret);
    std::string number(digits, '0');
    char text[digits];
    const auto end = std::to_chars(text, text + digits, found->second, 16).ptr;
    std::copy(text, end, number.end() - (end - text));
    return front_ + number;
  }

  [[nodiscard]] std::size_t find(std::string_view text, std::size_t from) const {
    const auto at = text.find(front_, from);
    return at == std::string_view::npos || text.size() - at < length() ? std::string_view::npos : at;
  }
  [[nodiscard]] std::size_t length() const { return front_.size() + digits; }

  // Of a seal that begins there; null for what only looks like one. Stays where it is until the process ends.
  const Secret* secret_at(std::string_view text, std::size_t at) {
    std::size_t number = 0;
    const char* const begin = text.data() + at + front_.size();
    const auto parsed = std::from_chars(begin, begin + digits, number, 16);
    const std::lock_guard lock(mutex_);
    return parsed.ptr == begin + digits && number < secrets_.size() ? &secrets_[number] : nullptr;
  }

 private:
  static constexpr std::size_t digits = 8;

  // Known by its hash, so that it is kept once.
  static std::string mark(const Secret& secret) { return sha256_hex(secret.reveal()); }

  std::string front_;
  std::mutex mutex_;
  std::map<std::string, std::size_t> numbers_;
  std::deque<Secret> secrets_;
};

Vault& vault() {
  static Vault vault;
  return vault;
}

// Told of each piece of the text in its order, and whether it is a secret's.
template <class Piece>
void walk(std::string_view text, const Piece& piece) {
  auto& known = vault();
  std::size_t from = 0;
  for (auto at = known.find(text, 0); at != std::string_view::npos; at = known.find(text, at + 1)) {
    const auto* secret = known.secret_at(text, at);
    if (secret == nullptr) continue;
    piece(text.substr(from, at - from), false);
    piece(secret->reveal(), true);
    from = at + known.length();
    at = from - 1;
  }
  piece(text.substr(from), false);
}

}  // namespace

std::string seal(const Secret& secret) {
  return secret.empty() ? std::string() : vault().keep(secret);
}

bool is_sealed(std::string_view text) {
  bool found = false;
  walk(text, [&found](std::string_view, bool secret) { found = found || secret; });
  return found;
}

Secret unseal(std::string_view text, const std::function<std::string(std::string_view)>& escape) {
  // Measured first: text that grows leaves pieces of itself behind.
  std::size_t size = 0;
  const auto each = [&](const auto& take) {
    walk(text, [&](std::string_view piece, bool secret) {
      if (!secret || !escape) return take(piece);
      std::string escaped = escape(piece);
      take(std::string_view(escaped));
      wipe(escaped);
    });
  };
  each([&size](std::string_view piece) { size += piece.size(); });
  std::string whole;
  whole.reserve(size);
  each([&whole](std::string_view piece) { whole.append(piece); });
  return Secret(std::move(whole));
}

Secret unseal_json(std::string_view document) {
  return unseal(document, [](std::string_view secret) {
    auto quoted = Json(secret).dump();
    auto content = quoted.substr(1, quoted.size() - 2);
    wipe(quoted);
    return content;
  });
}

}  // namespace litedesk::system
