#include "commands/parallel.hpp"

#include <exception>
#include <thread>

namespace litedesk {

void run_all(const std::vector<std::function<void()>>& tasks) {
  std::vector<std::exception_ptr> errors(tasks.size());
  const auto guarded = [&](std::size_t index) {
    try {
      tasks[index]();
    } catch (...) {
      errors[index] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    threads.reserve(tasks.size());
    for (std::size_t index = 1; index < tasks.size(); ++index)
      threads.emplace_back([&guarded, index] { guarded(index); });
    if (!tasks.empty()) guarded(0);
  }
  for (const auto& error : errors)
    if (error) std::rethrow_exception(error);
}

}  // namespace litedesk
