#include "assay/base/progress.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace assay {
namespace {

bool progress_enabled = true;
volatile sig_atomic_t interrupt_seen = 0;

extern "C" void on_interrupt(int) {
  interrupt_seen = 1;
}

}  // namespace

void set_progress(bool enabled) {
  progress_enabled = enabled;
}

void say(const std::string& line) {
  if (progress_enabled) {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // a second Ctrl-C ends the process
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() {
  return interrupt_seen != 0;
}

Progress::Progress(std::string what, std::size_t total)
    : what_(std::move(what)),
      total_(std::max<std::size_t>(total, 1)),
      terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (drawn_ && terminal_) {
    std::fprintf(stderr, "\n");
  }
}

void Progress::update(std::size_t done, const std::string& detail) {
  if (!progress_enabled) {
    return;
  }
  const std::size_t percent = std::min<std::size_t>(100, 100 * done / total_);
  if (!terminal_) {
    if (percent / 10 > last_tenth_) {
      last_tenth_ = percent / 10;
      std::fprintf(stderr, "%s %3zu%% (%zu/%zu) %s\n", what_.c_str(), percent, done, total_,
                   detail.c_str());
    }
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  if (drawn_ && done < total_ && now - last_draw_ < std::chrono::milliseconds(100)) {
    return;
  }
  last_draw_ = now;
  drawn_ = true;
  const std::size_t width = 30;
  const std::string bar(width * percent / 100, '#');
  std::fprintf(stderr, "\r\033[K%s [%-30s] %3zu%% %s", what_.c_str(), bar.c_str(), percent,
               detail.c_str());
  std::fflush(stderr);
}

}  // namespace assay
