// This process, other processes, and children that are run without a shell.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace litedesk::system {

// What tells one process of one boot of one machine from every other.
struct ProcessIdentity {
  std::string host;     // gethostname(2)
  std::string boot_id;  // /proc/sys/kernel/random/boot_id ":" the PID namespace: containers share a boot, not PIDs
  long pid = 0;
  std::string start_time;  // field 22 of /proc/PID/stat (clock ticks since boot), as text

  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

[[nodiscard]] ProcessIdentity this_process();
// False only when the process is of this host and boot and surely gone; true when it runs or when one cannot know.
[[nodiscard]] bool may_be_alive(const ProcessIdentity& process);
// The same host and boot as ours: then may_be_alive is certain.
[[nodiscard]] bool is_local(const ProcessIdentity& process);

struct Command {
  std::string program;  // looked up in PATH when it has no '/'
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // added to the inherited one
  bool inherit_stdin = false;
  std::vector<std::string>
      withheld{};  // beginnings of inherited variables' names that it does not get: "MONGODB_ATLAS_"
};

struct CommandResult {
  int exit_code = 0;   // 128 + signal when a signal ended it
  std::string output;  // standard output; standard error is passed on to ours
};

// Runs a child to its end, with no shell. Throws NotFound when there is no such program, Timeout, Cancelled (the child
// is ended first).
[[nodiscard]] CommandResult run(const Command& command, std::chrono::milliseconds timeout, std::stop_token stop);

struct Detached {
  bool ready = false;
  int exit_code = 0;           // of one that was not: it has ended
  std::string output, errors;  // what it wrote on standard output and standard error until then
};

// Starts a program that goes on without us: in a session of its own, with nothing to read. Returns once it has written
// something on standard output and closed it, which says that it is ready, or has ended without. Throws as run() does;
// the program is then ended.
[[nodiscard]] Detached start_detached(const Command& command, std::chrono::milliseconds timeout, std::stop_token stop);

// From now on this process writes both of its outputs into that file (0600), which begins empty. Throws Failed.
void redirect_output(const std::filesystem::path& file);

// Asks a process to end (SIGTERM) and waits until it has. False when there is no such process any more. Throws
// PermissionDenied, Timeout, Cancelled; Failed for one of another host or container.
bool end_process(const ProcessIdentity& process, std::chrono::milliseconds timeout, std::stop_token stop);

// Standard input, output and error that were closed when the process began are opened, so that no file or socket of
// ours gets their numbers and what is printed. What reads finds the end, standard error goes nowhere, and a write to
// standard output still fails as one to a closed descriptor does. To be called before anything is opened.
void open_closed_standard_descriptors();

// No core dumps, so that no secret lands in one (setrlimit, PR_SET_DUMPABLE).
void forbid_core_dumps();

}  // namespace litedesk::system
