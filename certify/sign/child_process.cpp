#include "child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

namespace assay::certify {
namespace {

constexpr int kCannotExecute = 127;

[[noreturn]] void become(const std::vector<std::string>& arguments, int output) {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(kCannotExecute);
}

/// Reads until end of file, the deadline or the size limit.
void collect(int fd, int timeout_seconds, std::size_t max_output, ChildResult& result) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::seconds(timeout_seconds);
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      result.timed_out = true;
      return;
    }
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) {
      return;
    }
    if (ready <= 0) {
      continue;
    }
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) {
      return;
    }
    result.output.append(buffer.data(), static_cast<std::size_t>(got));
    if (result.output.size() > max_output) {
      result.too_much_output = true;
      return;
    }
  }
}

}  // namespace

ChildResult run_child(const std::vector<std::string>& arguments, int timeout_seconds,
                      std::size_t max_output) {
  ChildResult result;
  std::array<int, 2> ends{};
  if (arguments.empty() || ::access(arguments[0].c_str(), X_OK) != 0 ||
      ::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return result;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    become(arguments, ends[1]);
  }
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    return result;
  }
  collect(ends[0], timeout_seconds, max_output, result);
  ::close(ends[0]);
  if (result.timed_out || result.too_much_output) {
    ::kill(child, SIGKILL);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result.started = result.exit_code != kCannotExecute;
  return result;
}

}  // namespace assay::certify
