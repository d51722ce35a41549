#include "providers/sandbox/service.hpp"

#include <csignal>
#include <memory>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "sandbox_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using namespace std::chrono_literals;

namespace {

const auto noon = *system::from_rfc3339("2026-01-02T12:00:00Z");

Endpoints some_endpoints() {
  Endpoints endpoints;
  endpoints.kubernetes_url = "http://127.0.0.1:4001";
  endpoints.route53_url = "http://127.0.0.1:4002";
  endpoints.atlas_url = "http://127.0.0.1:4003";
  return endpoints;
}

}  // namespace

TEST_CASE("who serves a folder is known while it does, and nobody else may") {
  const tests::TemporaryFolder folder;
  const auto place = folder / "sandbox";
  CHECK_FALSE(service_of(place));
  auto claim = std::make_unique<ServiceClaim>(place);
  REQUIRE(service_of(place));
  CHECK(service_of(place)->process.pid == 0);  // it has not said yet who it is
  CHECK_THROWS_AS(ServiceClaim{place}, Conflict);

  claim->announce(some_endpoints(), "/log", noon);
  const auto service = service_of(place);
  REQUIRE(service);
  CHECK(service->process == system::this_process());
  CHECK(service->since == "2026-01-02T12:00:00Z");
  CHECK(service->route53_url == "http://127.0.0.1:4002");
  CHECK(service->log == "/log");

  // By another way to the same folder too.
  std::filesystem::create_directory_symlink(place, folder / "link");
  for (const auto& same : {place, folder / "link", place / "../sandbox"}) {
    CAPTURE(same.string());
    try {
      const ServiceClaim second(same);
      FAIL("two serve one folder");
    } catch (const Conflict& error) {
      CHECK(error.message().find("process " + std::to_string(::getpid())) != std::string::npos);
      CHECK(error.cause().find("127.0.0.1:4003") != std::string::npos);
      CHECK(error.hint().find("litedesk sandbox stop --dir " + same.string()) != std::string::npos);
    }
  }
  const ServiceClaim elsewhere(folder / "another");

  claim.reset();
  CHECK_FALSE(service_of(place));
  CHECK_FALSE(end_service(place, 1s, {}));
  const ServiceClaim next(place);
}

TEST_CASE("what a process that was killed had claimed is free, whatever it left there") {
  const tests::TemporaryFolder folder;
  int ends[2] = {};
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGTERM, SIG_DFL);  // not the tests' own
    const ServiceClaim claim(folder.path());
    claim.announce(some_endpoints(), "", noon);
    if (::write(ends[1], "x", 1) == 1) ::pause();
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ends[0], &byte, 1) == 1);
  const auto service = service_of(folder.path());
  REQUIRE(service);
  CHECK(service->process.pid == child);
  CHECK_THROWS_AS(ServiceClaim{folder.path()}, Conflict);
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK_FALSE(service_of(folder.path()));
  const ServiceClaim next(folder.path());
  CHECK(service_of(folder.path())->process.pid == 0);  // not the dead one's
  for (const int end : ends) ::close(end);
}

TEST_CASE("a served folder is given up when its process is asked to end") {
  const tests::TemporaryFolder folder;
  int ends[2] = {};
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGTERM, SIG_DFL);  // not the tests' own
    const ServiceClaim claim(folder.path());
    claim.announce(some_endpoints(), "", noon);
    if (::write(ends[1], "x", 1) == 1) ::pause();
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ends[0], &byte, 1) == 1);
  const auto ended = end_service(folder.path(), 20s, {});
  REQUIRE(ended);
  CHECK(ended->process.pid == child);
  CHECK_FALSE(service_of(folder.path()));
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  for (const int end : ends) ::close(end);
}
