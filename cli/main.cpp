#include "cli/process.hpp"

int main(int argc, char** argv) {
  return litedesk::cli::run_process(argc, argv, litedesk::system::real_clock());
}
