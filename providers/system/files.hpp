// Files that are whole or not there, readable by their owner only; and what is no regular file, which is written into.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace litedesk::system {

// How long to wait for somebody to open the other end of a FIFO. Its data may then take as long as they take.
struct Patience {
  std::stop_token stop{};  // ends every wait
  std::chrono::milliseconds longest{10'000};
};

// The whole file, or nothing when there is none. Throws Failed (permission_denied when that is the reason) when it is
// there and cannot be read or holds more than 64 MiB, Timeout for a FIFO without a writer, Cancelled when stopped;
// `what` names it in the message
// ("kubeconfig").
[[nodiscard]] std::optional<std::string> read_file(const std::filesystem::path& path, std::string_view what,
                                                   const Patience& patience = {});

// The same of what only this user and root may have written (providers/system/trust.hpp). Throws PermissionDenied, too.
[[nodiscard]] std::optional<std::string> read_trusted_file(const std::filesystem::path& path, std::string_view what,
                                                           const Patience& patience = {});

// The name at the end of a chain of symbolic links, whether a file is there or not. A link in /proc (/dev/stdout leads
// to one) stands for an open file and not for a name: the chain ends at it. Throws PermissionDenied for a link that
// belongs to neither this user nor root, Failed for a circle.
[[nodiscard]] std::filesystem::path final_target(const std::filesystem::path& path, std::string_view what);

// Writes beside the file, syncs, and renames over it; mode 0600, parent folders made with 0700. Links are followed to
// what they name. A FIFO, a device or an open file (/dev/stdout) stays what it is and is written into. Throws Failed
// with the reason (a full disk, a read-only folder), PermissionDenied also for a file or FIFO of another user but root,
// Timeout when nobody reads the FIFO, Cancelled when stopped.
void write_file_atomically(const std::filesystem::path& path, std::string_view text, std::string_view what,
                           const Patience& patience = {});

// A file that grows while one watches (a trace). What is there is emptied and narrowed to 0600 first; links, FIFOs,
// devices and open files are treated as above. Both throw as above.
class OutputFile {
 public:
  OutputFile(const std::filesystem::path& path, std::string_view what, Patience patience = {});
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  void write(std::string_view text);
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::string what_;
  Patience patience_;
  int descriptor_ = -1;
};

// Makes the folder and its missing parents, each 0700.
void make_private_folder(const std::filesystem::path& path);
// "~/x" and "~" with the user's home folder (HOME as given); anything else as it is.
[[nodiscard]] std::filesystem::path expand_home(std::string_view path, std::string_view home);

}  // namespace litedesk::system
