#include "apart.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

namespace assay::smt {
namespace {

constexpr rlim_t kBytes = rlim_t{8} << 30U;
constexpr int kSeconds = 600;
constexpr std::size_t kMaxAnswer = std::size_t{64} << 20U;

/// Never returns: writes what the work gives, after "+", or after "-" why it failed, and leaves without
/// running anybody's destructors.
[[noreturn]] void be_child(const std::function<std::string()>& work, int out, int seconds) {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit memory{kBytes, kBytes};
  (void)::setrlimit(RLIMIT_AS, &memory);
  const auto most = static_cast<rlim_t>(seconds) + 5;
  const rlimit time{most, most};
  (void)::setrlimit(RLIMIT_CPU, &time);
  const int nowhere = ::open("/dev/null", O_WRONLY);
  if (nowhere >= 0) {
    (void)::dup2(nowhere, STDOUT_FILENO);  // Spacer prints
    (void)::dup2(nowhere, STDERR_FILENO);
  }
  std::string text;
  try {
    text = "+" + work();
  } catch (const std::exception& e) {
    text = std::string("-the solver failed: ") + e.what();
  }
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(out, text.data() + at, text.size() - at);
    if (n <= 0) {
      ::_exit(1);
    }
    at += static_cast<std::size_t>(n);
  }
  ::_exit(0);
}

/// What the child wrote until it closed its end, or more than an answer has; false when time is over.
bool read_all(int in, int seconds, std::string& text) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + std::chrono::seconds(seconds);
  std::array<char, 4096> part{};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    pollfd ready{in, POLLIN, 0};
    const int got = left.count() <= 0 ? 0 : ::poll(&ready, 1, static_cast<int>(left.count()));
    if (got == 0) {
      return false;
    }
    const ssize_t n = got < 0 ? -1 : ::read(in, part.data(), part.size());
    if (n < 0 && errno != EINTR) {
      return true;
    }
    if (n == 0 || text.size() > kMaxAnswer) {
      return true;
    }
    text.append(part.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  }
}

SecondOpinion parse(const std::string& text) {
  int opinion = 0, used = 0;
  unsigned long obligations = 0;
  if (std::sscanf(text.c_str(), "%d %lu %n", &opinion, &obligations, &used) != 2 || opinion < 0 ||
      opinion > static_cast<int>(Opinion::not_built)) {
    return {Opinion::unknown, 0, "the solver answered nothing"};
  }
  return {static_cast<Opinion>(opinion), obligations, text.substr(static_cast<std::size_t>(used))};
}

}  // namespace

ApartText text_apart(const std::function<std::string()>& work, int seconds) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) {
    return {"", "the solver could not be started"};
  }
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    ::close(pipe[0]);
    ::close(pipe[1]);
    return {"", "the solver could not be started"};
  }
  if (child == 0) {
    ::close(pipe[0]);
    be_child(work, pipe[1], seconds);
  }
  ::close(pipe[1]);
  std::string text;
  const bool in_time = read_all(pipe[0], seconds, text);
  ::close(pipe[0]);
  if (!in_time || text.size() > kMaxAnswer) {
    ::kill(child, SIGKILL);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) {
    return {"", "the solver took longer than " + std::to_string(seconds) + " s"};
  }
  if (text.size() > kMaxAnswer) {
    return {"", "the solver answered more than 64 MiB"};
  }
  if (WIFSIGNALED(status)) {
    return {"", "the solver died (signal " + std::to_string(WTERMSIG(status)) + ")"};
  }
  if (text.empty() || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return {"", "the solver answered nothing"};
  }
  return text[0] == '+' ? ApartText{text.substr(1), ""} : ApartText{"", text.substr(1)};
}

SecondOpinion run_apart(const std::function<SecondOpinion()>& work, int seconds) {
  const ApartText answer = text_apart(
      [&work] {
        const SecondOpinion opinion = work();
        return std::to_string(static_cast<int>(opinion.opinion)) + " " +
               std::to_string(opinion.obligations) + " " + opinion.detail;
      },
      seconds);
  return answer.failure.empty() ? parse(answer.text)
                                : SecondOpinion{Opinion::unknown, 0, answer.failure};
}

SecondOpinion check_invariant_apart(const InvariantProblem& problem, const Limits& limits) {
  return run_apart([&] { return check_invariant(problem, limits); }, kSeconds);
}

}  // namespace assay::smt
