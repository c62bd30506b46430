#include "parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace assay::erase {

std::size_t workers() {
  static const std::size_t cores =
      std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 64);
  return cores;
}

void for_each_index(std::size_t count,
                    const std::function<void(std::size_t worker, std::size_t i)>& work) {
  std::atomic<std::size_t> next = 0;
  std::mutex guard;
  std::size_t failed = count;
  std::exception_ptr failure;
  const auto run = [&](std::size_t worker) {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        work(worker, i);
      } catch (...) {
        const std::lock_guard lock(guard);
        if (i < failed) {
          failed = i;
          failure = std::current_exception();
        }
      }
    }
  };
  std::vector<std::thread> others;
  for (std::size_t worker = 1; worker < std::min(workers(), count); ++worker) {
    others.emplace_back(run, worker);
  }
  run(0);
  for (std::thread& other : others) {
    other.join();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

}  // namespace assay::erase
