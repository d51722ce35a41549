// Text that is never printed: held in memory that is wiped, redacted by type.
#pragma once

#include <string>
#include <string_view>

namespace litedesk {

// There is no operator<< and no formatter on purpose. reveal() marks each place where the text leaves.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text);
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] std::string_view reveal() const { return text_; }
  // Compares in constant time for equal lengths.
  friend bool operator==(const Secret& a, const Secret& b);

 private:
  std::string text_;
};

// Overwrites the bytes in a way that the compiler may not drop, then clears.
void wipe(std::string& text) noexcept;

}  // namespace litedesk
