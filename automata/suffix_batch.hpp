#pragma once

#include <cmath>
#include <memory>
#include <set>
#include <vector>

#include "suffix_vertices.hpp"

namespace assay::automata {

/// The states of one call that are bounded side by side.
class SuffixBatch {
 public:
  SuffixBatch(const SuffixBounds::Tables& tables, const Emission& emission,
              const WindowCodes& codes, const SuffixOptions& options)
      : t_(tables),
        emission_(emission),
        codes_(codes),
        options_(options),
        fold_(tables),
        vertices_(tables),
        scratch_(tables.forward.make_scratch()),
        lo_(tables.V),
        hi_(tables.V),
        kinds_(tables.V) {}

  /// The states of a part of the queries; `out` is theirs.
  void run(std::span<const SuffixBounds::Query> queries, std::span<Edge> out);
  [[nodiscard]] const SuffixWork& work() const { return work_; }

 private:
  struct State {
    const SuffixBounds::Query* query = nullptr;
    Edge* edges = nullptr;  ///< [V]
    std::unique_ptr<SuffixHeads> heads;
    SuffixRanges ranges;
    std::vector<double> mean;             ///< softmax, over the first contexts
    std::vector<std::uint32_t> ranked;    ///< tokens by falling mean
    std::vector<std::uint8_t> witnessed;  ///< by a context of this very state
    std::vector<std::uint16_t> beaten;    ///< rivals shown greater, for top-k
    std::set<WindowCode> tried;
    bool at_vertices = false;  ///< VERTICES speaks of it
  };
  struct Job {
    State* state;
    WindowCode window;
  };

  [[nodiscard]] std::vector<std::uint32_t> newest_first(WindowCode state) const;
  void decide_exact(const SuffixBounds::Query& query, Edge* edges);
  void open_states(std::span<const SuffixBounds::Query> queries, std::span<Edge> out);
  void first_contexts();
  void add_context(State& state, const std::vector<std::uint32_t>& far);
  void evaluate_contexts();
  void read(State& state, const double* logits);
  void ranges();
  void screen();
  void screen_state(State& state);
  [[nodiscard]] bool wants(const State& state, std::uint32_t token) const {
    return state.edges[token] != Edge::absent && state.witnessed[token] == 0;
  }
  [[nodiscard]] std::vector<SuffixMixture> mixtures(const State& state, std::uint32_t token,
                                                    std::size_t round) const;
  void vertices(State& state);
  void vertex_attack(State& state);
  void vertex_row(State& state, std::uint32_t token);
  void vertex_steps(State& state, std::uint32_t token, SuffixMixture mixture);
  void fold_round(std::size_t round);
  void fold_rows(std::vector<SuffixFold::Row>& rows, std::vector<State*>& owners, bool last);
  bool settle(State& state, const SuffixFold::Row& row);
  void exclude(State& state, std::uint32_t token, std::size_t& counter);
  [[nodiscard]] std::size_t needed() const {
    return emission_.kind() == Emission::Kind::top_k ? emission_.k() : 1;
  }
  [[nodiscard]] bool below_cut(double bound, double radius, double stretch) const {
    const double r = radius * stretch;
    return std::isfinite(r) && round_up(bound + r) < emission_.cut().lo;
  }
  void finish();

  const SuffixBounds::Tables& t_;
  const Emission& emission_;
  const WindowCodes& codes_;
  const SuffixOptions& options_;
  SuffixFold fold_;
  SuffixVertices vertices_;
  ExactForward::Scratch scratch_;
  std::vector<double> lo_, hi_;
  std::vector<Edge> kinds_;
  std::vector<State> states_;
  std::vector<Job> jobs_;
  SuffixWork work_;
};

}  // namespace assay::automata
