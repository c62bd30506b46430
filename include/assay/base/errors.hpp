#pragma once

#include <stdexcept>
#include <string>

namespace assay {

/// One exit-code table for every command (docs/exit-codes.md). Never 126 or above.
enum class ExitCode : int {
  ok = 0,            ///< holds / passes / authentic and every item of evidence re-checked
  violated = 1,      ///< a claim is violated or a bound misses its threshold
  usage = 2,         ///< wrong option, or a policy, case or spec file that cannot be used
  unknown = 3,       ///< inconclusive: UNKNOWN, or nothing was checked
  signature = 4,     ///< signature, key, threshold or role failure; signer not established
  artifact = 5,      ///< the files are not the ones the certificate is about
  expired = 6,       ///< expired, not yet valid, stale or revoked
  regression = 7,    ///< weaker than the baseline
  evidence = 8,      ///< evidence missing, altered, or its proof rejected
  malformed = 9,     ///< malformed or hostile input
  internal = 10,     ///< our fault, out of memory or disk
  interrupted = 11,  ///< stopped by the user; what was finished is kept
};

/// Base of every exception that crosses a part's boundary.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// The caller broke a precondition stated in a docstring.
class PreconditionError : public Error {
 public:
  explicit PreconditionError(const std::string& message) : Error(ExitCode::internal, message) {}
};

/// Wrong command line, case file or spec.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(ExitCode::usage, message) {}
};

/// A file that cannot be what it claims to be. The message names the file, the key or
/// offset, what was expected and what was found.
class InputError : public Error {
 public:
  explicit InputError(const std::string& message) : Error(ExitCode::malformed, message) {}
  InputError(const std::string& file, const std::string& key, const std::string& expected,
             const std::string& found)
      : Error(ExitCode::malformed,
              file + ": " + key + ": expected " + expected + ", found " + found) {}
};

/// Throws PreconditionError with `message` unless `condition` holds; never compiled out.
inline void require(bool condition, const char* message) {
  if (!condition) {
    throw PreconditionError(message);
  }
}

}  // namespace assay
