#include "providers/system/files.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "providers/error.hpp"

using namespace litedesk;
using namespace litedesk::system;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "litedesk-files-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    fs::permissions(path, fs::perms::owner_all);
    fs::remove_all(path);
  }
  fs::path path;
};

struct IgnoredSignal {
  explicit IgnoredSignal(int number) : number_(number), before_(::signal(number, SIG_IGN)) {}
  IgnoredSignal(const IgnoredSignal&) = delete;
  IgnoredSignal& operator=(const IgnoredSignal&) = delete;
  ~IgnoredSignal() { ::signal(number_, before_); }

 private:
  int number_;
  sighandler_t before_;
};

fs::path make_fifo(const fs::path& path) {
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  return path;
}

// What a plain reader gets, which opens the file and reads it to its end.
std::future<std::string> read_beside(const fs::path& path) {
  return std::async(std::launch::async, [path] {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  });
}

std::size_t entries_of(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what() + std::string("\n") + error.hint();
  }
  return "nothing was thrown";
}

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("a file that is not there is nothing, also when its folder is a file") {
  const Folder folder;
  CHECK_FALSE(read_file(folder.path / "none", "config").has_value());
  write_file_atomically(folder.path / "file", "x", "config");
  CHECK_FALSE(read_file(folder.path / "file" / "below", "config").has_value());
}

TEST_CASE("a written file is read back whole, is its owner's only, and leaves nothing beside it") {
  const Folder folder;
  const auto path = folder.path / "a" / "b" / "file";
  for (const std::string& text :
       {std::string("short"), std::string(300'000, 'x'), std::string("a\0b", 3), std::string()}) {
    write_file_atomically(path, text, "config");
    CHECK(read_file(path, "config") == text);
  }
  CHECK(mode_of(path) == 0600);
  CHECK(mode_of(folder.path / "a") == 0700);
  CHECK(mode_of(folder.path / "a" / "b") == 0700);
  CHECK(std::distance(fs::directory_iterator(path.parent_path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a file that /proc makes up, with no size, is read whole") {
  const auto text = read_file("/proc/self/status", "status");
  REQUIRE(text.has_value());
  CHECK(text->find("PPid:") != std::string::npos);
}

TEST_CASE("writing to a link changes the file that it names and keeps the link") {
  const Folder folder;
  fs::create_directory(folder.path / "other");
  write_file_atomically(folder.path / "other" / "real", "old", "config");
  fs::create_symlink("other/real", folder.path / "link");
  fs::create_symlink(folder.path / "link", folder.path / "chain");
  fs::create_symlink("other/new/deeper", folder.path / "dangling");
  for (const auto& [name, target] :
       {std::pair{"link", "other/real"}, std::pair{"chain", "other/real"}, std::pair{"dangling", "other/new/deeper"}}) {
    const std::string shown = name;  // Clang 14 captures no structured binding
    CAPTURE(shown);
    CHECK(final_target(folder.path / name, "config") == folder.path / target);
    write_file_atomically(folder.path / name, name, "config");
    CHECK(fs::is_symlink(folder.path / name));
    CHECK_FALSE(fs::is_symlink(folder.path / target));
    CHECK(read_file(folder.path / target, "config") == std::string(name));
    OutputFile(folder.path / name, "trace").write("growing");
    CHECK(read_file(folder.path / target, "config") == "growing");
    CHECK(fs::is_symlink(folder.path / name));
    CHECK(mode_of(folder.path / target) == 0600);
  }
  CHECK(entries_of(folder.path / "other") == 2);
}

TEST_CASE("links that lead in a circle are an error, and stay") {
  const Folder folder;
  fs::create_symlink("b", folder.path / "a");
  fs::create_symlink("a", folder.path / "b");
  CHECK(message_of([&] { write_file_atomically(folder.path / "a", "x", "plan"); }).find("circle") != std::string::npos);
  CHECK(fs::is_symlink(folder.path / "a"));
}

TEST_CASE("nobody else's link is followed, nor their file or FIFO written into") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root can make what belongs to somebody else");
    return;
  }
  const Folder folder;
  write_file_atomically(folder.path / "file", "kept", "config");
  fs::create_directory(folder.path / "open");
  REQUIRE(::chmod((folder.path / "open").c_str(), 01777) == 0);
  fs::create_symlink(folder.path / "file", folder.path / "open" / "link");
  REQUIRE(::lchown((folder.path / "open" / "link").c_str(), 65534, 65534) == 0);
  CHECK_THROWS_AS(write_file_atomically(folder.path / "open" / "link", "x", "plan"), PermissionDenied);
  CHECK_THROWS_AS(OutputFile(folder.path / "open" / "link", "trace"), PermissionDenied);
  CHECK(read_file(folder.path / "file", "config") == "kept");
  REQUIRE(::lchown((folder.path / "open" / "link").c_str(), ::geteuid(), ::getegid()) == 0);
  CHECK_NOTHROW(write_file_atomically(folder.path / "open" / "link", "x", "plan"));

  const auto link = folder.path / "link", fifo = make_fifo(folder.path / "fifo"), file = folder.path / "theirs";
  fs::create_symlink(folder.path / "file", link);
  write_file_atomically(file, "kept", "plan");
  for (const auto& path : {link, fifo, file}) {
    CAPTURE(path);
    REQUIRE(::lchown(path.c_str(), 65534, 65534) == 0);
    CHECK(message_of([&] { write_file_atomically(path, "x", "plan"); }).find("belongs to another user") !=
          std::string::npos);
    CHECK_THROWS_AS(OutputFile(path, "trace"), PermissionDenied);
  }
  CHECK(read_file(folder.path / "file", "config") == "x");
  CHECK(read_file(file, "plan") == "kept");
  CHECK(fs::is_fifo(fifo));
}

TEST_CASE("what is read never ends up in too much memory") {
  CHECK(message_of([] { (void)read_file("/dev/zero", "plan"); }).find("more than 64 MiB") != std::string::npos);
  const Folder folder;
  const auto path = folder.path / "large";
  write_file_atomically(path, "", "plan");
  fs::resize_file(path, (std::uintmax_t{64} << 20) + 1);
  CHECK(message_of([&] { (void)read_file(path, "plan"); }).find("more than 64 MiB") != std::string::npos);
}

TEST_CASE("a FIFO is written into and stays one, whichever end comes first and however long the text") {
  const Folder folder;
  const auto fifo = make_fifo(folder.path / "fifo");
  fs::create_symlink("fifo", folder.path / "link");
  const std::string text(300'000, 'x');
  for (const char* name : {"fifo", "link"}) {
    CAPTURE(name);
    auto reader = read_beside(fifo);
    write_file_atomically(folder.path / name, text, "plan");
    CHECK(reader.get() == text);
    auto writer = std::async(std::launch::async, [&] { write_file_atomically(folder.path / name, text, "plan"); });
    CHECK(read_beside(fifo).get() == text);
    writer.get();
    reader = read_beside(fifo);
    OutputFile(folder.path / name, "trace").write(text);
    CHECK(reader.get() == text);
  }
  CHECK(fs::is_fifo(fifo));
  CHECK(entries_of(folder.path) == 2);
}

TEST_CASE("a FIFO is read to its end, also by one that comes before its writer") {
  const Folder folder;
  const auto fifo = make_fifo(folder.path / "fifo");
  auto reader = std::async(std::launch::async, [&] { return read_file(fifo, "plan"); });
  write_file_atomically(fifo, "the text", "plan");
  CHECK(reader.get() == "the text");
  // A writer that is there may take its time, however little we wait for one to come.
  const int writer = ::open(fifo.c_str(), O_RDWR);
  reader = std::async(std::launch::async, [&] { return read_file(fifo, "plan", {{}, std::chrono::milliseconds(0)}); });
  REQUIRE(::write(writer, "late", 4) == 4);
  for (int unread = 1; unread > 0;) REQUIRE(::ioctl(writer, FIONREAD, &unread) == 0);
  ::close(writer);
  CHECK(reader.get() == "late");
}

TEST_CASE("nobody at the other end of a FIFO: an error that says so, and a stop ends the wait") {
  const Folder folder;
  const auto fifo = make_fifo(folder.path / "fifo");
  const Patience little{{}, std::chrono::milliseconds(5)};
  CHECK(message_of([&] { write_file_atomically(fifo, "x", "plan", little); }).find("nobody opened it to read") !=
        std::string::npos);
  CHECK(message_of([&] { (void)read_file(fifo, "plan", little); }).find("nobody opened it to write") !=
        std::string::npos);
  CHECK_THROWS_AS(OutputFile(fifo, "trace", little), Timeout);
  std::stop_source source;
  const Patience patient{source.get_token(), std::chrono::hours(1)};
  auto writing = std::async(std::launch::async, [&] { write_file_atomically(fifo, "x", "plan", patient); });
  source.request_stop();
  CHECK_THROWS_AS(writing.get(), Cancelled);
  CHECK_THROWS_AS((void)read_file(fifo, "plan", patient), Cancelled);
  CHECK(fs::is_fifo(fifo));
  CHECK(entries_of(folder.path) == 1);
}

TEST_CASE("a reader that goes away is an error, and one that stands still can be given up") {
  const Folder folder;
  const auto fifo = make_fifo(folder.path / "fifo");
  const IgnoredSignal ignored(SIGPIPE);
  auto reader = std::async(std::launch::async, [&] { return ::open(fifo.c_str(), O_RDONLY); });
  OutputFile out(fifo, "trace");
  ::close(reader.get());
  CHECK(message_of([&] { out.write("x"); }).find("Broken pipe") != std::string::npos);

  const int still = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
  std::stop_source source;
  auto writing = std::async(std::launch::async, [&] {
    write_file_atomically(fifo, std::string(1'000'000, 'x'), "plan", {source.get_token(), std::chrono::hours(1)});
  });
  source.request_stop();
  CHECK_THROWS_AS(writing.get(), Cancelled);
  ::close(still);
}

TEST_CASE("a link of /proc means the open file: what the shell opened is written on, not replaced") {
  const Folder folder;
  // As `{ echo before; litedesk ... --out /dev/stdout; } > file` has it.
  const int file = ::open((folder.path / "file").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  REQUIRE(::write(file, "before\n", 7) == 7);
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  fs::create_symlink(link, folder.path / "stdout");
  write_file_atomically(folder.path / "stdout", "plan\n", "plan");
  write_file_atomically(link, "again\n", "plan");
  OutputFile(folder.path / "stdout", "trace").write("trace\n");
  REQUIRE(::write(file, "after\n", 6) == 6);
  ::close(file);
  CHECK(read_file(folder.path / "file", "plan") == "before\nplan\nagain\ntrace\nafter\n");
  CHECK(mode_of(folder.path / "file") == 0644);
  CHECK(fs::is_symlink(folder.path / "stdout"));

  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  write_file_atomically("/proc/self/fd/" + std::to_string(ends[1]), "through a pipe", "plan");
  ::close(ends[1]);
  std::array<char, 100> buffer{};
  const auto got = ::read(ends[0], buffer.data(), buffer.size());
  CHECK(std::string(buffer.data(), static_cast<std::size_t>(got)) == "through a pipe");
  ::close(ends[0]);
  CHECK_THROWS_AS(write_file_atomically("/proc/self/fd/" + std::to_string(ends[1]), "x", "plan"), Error);

  // A file without a name, as a here-document is.
  const int nameless = ::memfd_create("nameless", MFD_CLOEXEC);
  write_file_atomically("/proc/self/fd/" + std::to_string(nameless), "text", "plan");
  CHECK(read_file("/proc/self/fd/" + std::to_string(nameless), "plan") == "text");
  ::close(nameless);
}

TEST_CASE("a device is written into: a terminal of our own stands for all of them") {
  const int controller = ::posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(controller >= 0);
  REQUIRE(::grantpt(controller) == 0);
  REQUIRE(::unlockpt(controller) == 0);
  const std::string device = ::ptsname(controller);
  const Folder folder;
  fs::create_symlink(device, folder.path / "tty");
  const int held = ::open(device.c_str(), O_RDWR | O_NOCTTY);
  write_file_atomically(folder.path / "tty", "hello", "plan");
  std::array<char, 100> buffer{};
  const auto got = ::read(controller, buffer.data(), buffer.size());
  CHECK(std::string(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))) == "hello");
  CHECK(fs::is_character_file(device));
  CHECK(fs::is_symlink(folder.path / "tty"));
  ::close(held);
  ::close(controller);
}

TEST_CASE("a folder or a socket is no place for a text, and stays what it is") {
  const Folder folder;
  fs::create_directory(folder.path / "folder");
  CHECK(message_of([&] { write_file_atomically(folder.path / "folder", "x", "plan"); }).find("Is a directory") !=
        std::string::npos);
  REQUIRE(::mknod((folder.path / "socket").c_str(), S_IFSOCK | 0600, 0) == 0);
  CHECK_THROWS_AS(write_file_atomically(folder.path / "socket", "x", "plan"), Failed);
  CHECK(fs::is_socket(folder.path / "socket"));
  CHECK(fs::is_directory(folder.path / "folder"));
  CHECK(entries_of(folder.path) == 2);
}

TEST_CASE("what cannot be read or written is an error that names the file and the reason") {
  const Folder folder;
  CHECK_THROWS_WITH_AS((void)read_file(folder.path, "kubeconfig"),
                       ("cannot read the kubeconfig " + folder.path.string() + ": Is a directory").c_str(), Failed);
  write_file_atomically(folder.path / "file", "x", "config");
  CHECK_THROWS_AS(make_private_folder(folder.path / "file" / "below"), Failed);
  // /dev/full refuses every byte as a full disk does; its folder is no place for our file, so only the reason is
  // compared.
  CHECK_THROWS_AS(write_file_atomically("/proc/litedesk", "x", "state"), Error);
}

TEST_CASE("a write that fails half-way leaves the old file and nothing beside it") {
  const Folder folder;
  const auto path = folder.path / "file";
  write_file_atomically(path, "old", "state");
  // A limit on the size of files stands for the full disk.
  const IgnoredSignal ignored(SIGXFSZ);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 8192;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK(message_of([&] { write_file_atomically(path, std::string(100'000, 'x'), "state"); }).find("ulimit -f") !=
        std::string::npos);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(read_file(path, "state") == "old");
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 1);
}

TEST_CASE("a file that may not be read or a folder that may not be written is a refused permission") {
  if (::geteuid() == 0) {
    MESSAGE("skipped: root may read and write everything");
    return;
  }
  const Folder folder;
  write_file_atomically(folder.path / "file", "x", "config");
  fs::permissions(folder.path / "file", fs::perms::none);
  CHECK_THROWS_AS((void)read_file(folder.path / "file", "config"), PermissionDenied);
  fs::permissions(folder.path, fs::perms::owner_read | fs::perms::owner_exec);
  CHECK_THROWS_AS(write_file_atomically(folder.path / "other", "x", "config"), PermissionDenied);
}

TEST_CASE("only a leading ~ stands for the home folder") {
  CHECK(expand_home("~", "/home/a") == "/home/a");
  CHECK(expand_home("~/x/y", "/home/a") == "/home/a/x/y");
  CHECK(expand_home("~b/x", "/home/a") == "~b/x");
  CHECK(expand_home("/x/~", "/home/a") == "/x/~");
  CHECK(expand_home("", "/home/a").empty());
}
