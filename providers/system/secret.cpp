#include "providers/system/secret.hpp"

#include <cstring>
#include <utility>

namespace litedesk {

void wipe(std::string& text) noexcept {
  // Up to the capacity: a moved-from or shortened string keeps its old bytes there. Growing to it allocates nothing.
  text.resize(text.capacity());
  explicit_bzero(text.data(), text.size());
  text.clear();
}

Secret::Secret(std::string text) : text_(std::move(text)) {
  wipe(text);
}

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe(text_);
    text_ = other.text_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe(text_);
    text_ = std::move(other.text_);
    wipe(other.text_);
  }
  return *this;
}

Secret::~Secret() {
  wipe(text_);
}

bool operator==(const Secret& a, const Secret& b) {
  if (a.text_.size() != b.text_.size()) return false;
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < a.text_.size(); ++i)
    difference = static_cast<unsigned char>(difference | (a.text_[i] ^ b.text_[i]));
  return difference == 0;
}

}  // namespace litedesk
