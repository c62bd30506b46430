#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "assay/verify/exact.hpp"

namespace assay::verify {

/// What an exact run has worked out and can go on from: windows with their edges and letters, ascending. Numbers of windows,
/// searches and verdicts are made anew from them, so that a resumed run ends in the same certificate, byte by byte.
struct EvaluatedWindows {
  struct Window {
    std::uint64_t code = 0, begin = 0;    ///< begin: of its edges in `edges`
    std::uint32_t must = 0, may = 0;      ///< values of features and readouts
    std::uint16_t degree = 0, flags = 0;  ///< flags 1: read in intervals
  };
  std::vector<Window> windows;
  std::vector<std::uint16_t> edges;  ///< as WindowMachine::Edge

  [[nodiscard]] const Window* find(std::uint64_t code) const;
  [[nodiscard]] std::span<const std::uint16_t> edges_of(const Window& w) const {
    return {edges.data() + w.begin, w.degree};
  }
};

/// What an exact run does with its state.
struct StateUse {
  std::filesystem::path file;  ///< what was evaluated is kept here to go on from; empty: nowhere
  std::size_t seconds = 60;    ///< between two writes; also on Ctrl-C and at a budget's end
  const EvaluatedWindows* resumed = nullptr;  ///< looked at before a window is evaluated
  /// Called after every block of windows.
  std::function<void(const WindowMachine&)> on_evaluated;
  bool is_left = false;  ///< set: the run was cut, and a later one can go on from `file`
};

/// check_exact (exact.hpp) with a state.
[[nodiscard]] ExactResult check_exact(const ExactInput& input, StateUse& state);

/// The lines that a state is bound to: model, spec, prompts with decoder and horizon, and the properties asked for.
[[nodiscard]] std::string binding_of(const ExactInput& input);

/// `assay-state 1`: binding, windows, and the digest of both. `earlier`: windows to keep beside the machine's own, or null.
void write_state(const std::filesystem::path& path, const std::string& binding,
                 const WindowMachine& machine, const EvaluatedWindows* earlier);

/// Throws InputError for a file that is none, cut or altered; UsageError for one of another model, spec, prompts, decoder or
/// choice of properties.
[[nodiscard]] EvaluatedWindows read_state(const std::filesystem::path& path,
                                          const std::string& binding, std::size_t vocabulary);

}  // namespace assay::verify
