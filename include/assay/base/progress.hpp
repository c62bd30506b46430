#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace assay {

/// Progress of long work on stderr: a bar that redraws itself on a terminal, one line per
/// tenth of the work otherwise. Silent under `set_progress(false)`.
class Progress {
 public:
  Progress(std::string what, std::size_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `detail` is shown after the count, e.g. "loss 1.43".
  void update(std::size_t done, const std::string& detail = "");

 private:
  std::string what_;
  std::size_t total_;
  std::size_t last_tenth_ = 0;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_draw_;
};

void set_progress(bool enabled);
/// One line on stderr, unless progress is off.
void say(const std::string& line);

/// Installs a SIGINT/SIGTERM handler once; afterwards `interrupted()` turns true instead of
/// the process dying, so that long loops can save and leave with ExitCode::interrupted.
void catch_interrupts();
[[nodiscard]] bool interrupted();

}  // namespace assay
