#include "cli/dotenv.hpp"

#include <functional>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory_runtime.hpp"
#include "providers/error.hpp"

using namespace litedesk;
using namespace litedesk::cli;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::string unread(const fs::path& file) {
  const Dotenv found = read_dotenv(file);
  CHECK(found.values.empty());
  return found.unread;
}

// In a process of its own, as somebody who is not root; its exit code is 0 when `holds`.
bool holds_for_nobody(const std::function<bool()>& holds) {
  constexpr uid_t nobody = 65534;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(nobody) != 0 || ::setuid(nobody) != 0) ::_exit(2);
    ::_exit(holds() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("Lines of .env are read as the programs around LiteDesk read them") {
  struct Case {
    const char* text;
    Environment values;
  };
  const std::vector<Case> cases{
      {"", {}},
      {"\n  \n# comment\n  # indented\n", {}},
      {"A=1", {{"A", "1"}}},
      {"A=1\nA=2\n", {{"A", "2"}}},
      {"\xEF\xBB\xBF"
       "A=1\nB=2\n",
       {{"A", "1"}, {"B", "2"}}},
      {"A=1\r\nB=\"two\r\nlines\"\r\n", {{"A", "1"}, {"B", "two\nlines"}}},
      {"A=1\rB=2\r", {{"A", "1"}, {"B", "2"}}},
      {"export A=1\nexport\tB=2\n  export  \t C=3", {{"A", "1"}, {"B", "2"}, {"C", "3"}}},
      {"export=1", {{"export", "1"}}},
      {"A = spaced \nB\t=\ttabs\t", {{"A", "spaced"}, {"B", "tabs"}}},
      {"A: 1\nB:\nC : 'x'", {{"A", "1"}, {"B", ""}, {"C", "x"}}},
      {"A=\nB= \nC=\"\"\nD=''", {{"A", ""}, {"B", ""}, {"C", ""}, {"D", ""}}},
      {"A=two words # comment\nB=a#b\nC=#b\nD= # comment\nE=x\t#c",
       {{"A", "two words"}, {"B", "a#b"}, {"C", "#b"}, {"D", ""}, {"E", "x"}}},
      {"A=\"x # y\" # z\nB='x # y'# z\nC=`it's \"so\"`", {{"A", "x # y"}, {"B", "x # y"}, {"C", "it's \"so\""}}},
      {R"(A="q\"uo\nted \$x \d\\"
B='sin\gle'
C='Let\'s go'
D='C:\dir\'
E=plain\n)",
       {{"A", "q\"uo\nted $x \\d\\"}, {"B", "sin\\gle"}, {"C", "Let's go"}, {"D", "C:\\dir\\"}, {"E", "plain\\n"}}},
      {"KEY=\"-----BEGIN KEY-----\nab=\n-----END KEY-----\"\nB=1",
       {{"KEY", "-----BEGIN KEY-----\nab=\n-----END KEY-----"}, {"B", "1"}}},
      {"A=it's\nB=say \"x\"", {{"A", "it's"}, {"B", "say \"x\""}}},
      {"A=a=b\nB=http://x:1/y?z=1", {{"A", "a=b"}, {"B", "http://x:1/y?z=1"}}},
      {"PORT=3000\nNODE_ENV\nexport HOME\nspring.name=x\nnpm-config=y\nlist[0]=z\n1X=digit",
       {{"PORT", "3000"}, {"spring.name", "x"}, {"npm-config", "y"}, {"list[0]", "z"}, {"1X", "digit"}}},
  };
  for (const Case& each : cases) {
    CAPTURE(each.text);
    CHECK(parse_dotenv(each.text, ".env") == each.values);
  }
}

TEST_CASE("A line of .env that is not understood is an error with its number, and never shows a value") {
  using namespace std::string_literals;
  struct Case {
    std::string text;
    const char* told;
  };
  const std::vector<Case> cases{
      {"A=1\n\nnot a line\n", "/x/.env:3: this is not NAME=value"},
      {"A=1\r\nB=2\r\nnot a line\r\n", "/x/.env:3: "},
      {"A=1\rnot a line", "/x/.env:2: "},
      {"BASE_DOMAIN litedesk.net\n", "/x/.env:1: this is not NAME=value"},
      {"BASE_DOMAIN\n", "/x/.env:1: BASE_DOMAIN has no value"},
      {"export BASE_DOMAIN # later\n", "/x/.env:1: BASE_DOMAIN has no value"},
      {"rubbish\n", "/x/.env:1: "},
      {"=s3cret\n", "/x/.env:1: "},
      {"export\n", "/x/.env:1: "},
      {"A:s3cret\n", "/x/.env:1: "},
      {"if [ -f s3cret ]; then\n", "/x/.env:1: "},
      {"A=\"one\nB=s3cret\n", "/x/.env:1: the quote that opens here is never closed"},
      {"A=1\nB='s3cret\nC=1\n", "/x/.env:2: the quote that opens here is never closed"},
      {"A=\"\n", "/x/.env:1: the quote that opens here is never closed"},
      {"A=`s3cret", "/x/.env:1: the quote that opens here is never closed"},
      {"A=\"s3cret\\\"", "/x/.env:1: the quote that opens here is never closed"},
      {"A=\"one\nB=\"s3cret\"\n", "/x/.env:2: there is text after the quote that was opened in line 1"},
      {"A='one' s3cret\n", "/x/.env:1: there is text after the closing quote"},
      {"# x\nA=\"one\nexport BASE_DOMAIN=a.net\nB=\"\n",
       "/x/.env:2: the quote that opens here swallows BASE_DOMAIN in line 3"},
      {"\xFF\xFE"
       "A\0=\0"s,
       "/x/.env is in UTF-16"},
      {"\xFE\xFF\0A\0="s, "/x/.env is in UTF-16"},
      {"A\0=\0s3cret"s, "/x/.env has NUL bytes"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.text);
    try {
      (void)parse_dotenv(each.text, "/x/.env");
      FAIL("it was taken");
    } catch (const UsageError& error) {
      CAPTURE(error.what());
      CHECK(error.message().starts_with(each.told));
      CHECK((std::string(error.what()) + error.hint()).find("s3cret") == std::string::npos);
    }
  }
}

TEST_CASE("Only a regular file is read, also through a link, and nothing else is even opened") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / ".env";
  CHECK(unread(file).empty());
  CHECK(unread(folder.path() / "none" / ".env").empty());
  folder.write("real", "A=1\n");
  fs::create_symlink("real", file);
  CHECK(read_dotenv(file).values == Environment{{"A", "1"}});
  const auto replace_by_link = [&](const char* target) {
    fs::remove(file);
    fs::create_symlink(target, file);
  };
  replace_by_link("nowhere");
  CHECK(unread(file) == "it is a link to something that is not there");
  replace_by_link(".env");
  CHECK(unread(file) == "Too many levels of symbolic links");
  replace_by_link(".");
  CHECK(unread(file) == "it is a folder");
  fs::remove(file);
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  CHECK(unread(file) == "it is a FIFO");  // and no writer is waited for
  fs::remove(file);
  REQUIRE(::mknod(file.c_str(), S_IFSOCK | 0600, 0) == 0);
  CHECK(unread(file) == "it is a socket");
  fs::remove(file);
  fs::create_symlink("/dev/null", file);
  CHECK(unread(file) == "it is a device");
  CHECK(unread(folder.path() / "real" / ".env").empty());
}

TEST_CASE("A .env in which others have a say is not read") {
  const TemporaryFolder folder;
  folder.write(".env", "A=1\n");
  const fs::path file = folder.path() / ".env";
  const auto mode = [](const fs::path& path, mode_t bits) { REQUIRE(::chmod(path.c_str(), bits) == 0); };
  mode(file, 0666);
  CHECK(unread(file) == "others may write it (chmod go-w)");
  mode(file, 0644);
  CHECK(read_dotenv(file).unread.empty());
  mode(folder.path(), 0777);
  CHECK(unread(file) == "others may write its folder (chmod go-w)");
  mode(folder.path(), 01777);
  CHECK(read_dotenv(file).unread.empty());
  mode(folder.path(), 0711);
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root can give files away");
    return;
  }
  CHECK(holds_for_nobody([&] { return read_dotenv(file).values.size() == 1; }));  // root's may be read by all
  mode(file, 0600);
  CHECK(holds_for_nobody([&] { return read_dotenv(file).unread == "Permission denied"; }));
  REQUIRE(::chown(file.c_str(), 12345, 12345) == 0);
  CHECK(unread(file) == "it belongs to another user (uid 12345)");
  REQUIRE(::chown(file.c_str(), 0, 12345) == 0);
  mode(file, 0660);
  CHECK(unread(file) == "others may write it (chmod go-w)");
}
