#include "mask_search.hpp"

#include <array>
#include <map>

namespace assay::automata {
namespace {

constexpr std::size_t kMaxSpecStates = 64, kMaxKinds = 512;
using Mask = std::uint64_t;

/// Which states of the property follow a set of them by the letters of a machine state: eight states of the set at a time.
/// Machine states with the same letters are of one kind.
class Steps {
 public:
  explicit Steps(const Product& p) : bytes_((p.dfa->states + 7) / 8) {
    std::map<std::vector<std::size_t>, std::uint32_t> kinds;
    kind_of_.reserve(p.letters.size());
    for (std::size_t s = 0; s < p.letters.size() && kinds.size() <= kMaxKinds; ++s) {
      if (s > 0 && p.letters[s] == p.letters[s - 1]) {
        kind_of_.push_back(kind_of_[s - 1]);
        continue;
      }
      const auto [at, fresh] =
          kinds.emplace(p.letters[s], static_cast<std::uint32_t>(kinds.size()));
      if (fresh) {
        add_kind(p, p.letters[s]);
      }
      kind_of_.push_back(at->second);
    }
    is_small_ = kinds.size() <= kMaxKinds;
  }

  [[nodiscard]] bool is_small() const { return is_small_; }
  [[nodiscard]] std::uint32_t kind_of(std::size_t state) const { return kind_of_[state]; }
  [[nodiscard]] Mask after(std::uint32_t kind, Mask set) const {
    const auto* row = table_.data() + kind * bytes_;
    Mask out = 0;
    for (; set != 0; set >>= 8U, ++row) {
      out |= (*row)[set & 0xFFU];
    }
    return out;
  }

 private:
  void add_kind(const Product& p, const std::vector<std::size_t>& letters) {
    for (std::size_t byte = 0; byte < bytes_; ++byte) {
      auto& row = table_.emplace_back();
      for (std::size_t bit = 0; bit < 8 && byte * 8 + bit < p.dfa->states; ++bit) {
        Mask next = 0;
        for (const std::size_t letter : letters) {
          next |= Mask{1} << p.dfa->next(static_cast<std::uint32_t>(byte * 8 + bit), letter);
        }
        for (std::size_t set = 0; set < row.size(); ++set) {
          row[set] |= ((set >> bit) & 1U) != 0 ? next : 0;
        }
      }
    }
  }

  std::size_t bytes_;
  bool is_small_ = false;
  std::vector<std::uint32_t> kind_of_;
  std::vector<std::array<Mask, 256>> table_;  ///< [kinds x bytes_]
};

/// Machine states are swept in their order, so that edges are read in theirs, until no pair is new.
class Sweep {
 public:
  Sweep(const Product& p, const Steps& steps)
      : p_(p), steps_(steps), reached_(p.after.size(), 0), fresh_(p.after.size(), 0) {
    begin_.reserve(p.after.size() + 1);
    for (const std::vector<StateId>& after : p.after) {
      for (const StateId to : after) {
        edges_.push_back({static_cast<std::uint32_t>(to.at()), steps.kind_of(to.at())});
      }
      begin_.push_back(edges_.size());
    }
    for (std::size_t q = 0; q < p.dfa->states; ++q) {
      bad_ |= p.dfa->bad[q] ? Mask{1} << q : 0;
    }
  }

  std::optional<std::vector<Mask>> run() {
    for (const auto& [state, count] : p_.automaton->initial) {
      if (!enter({static_cast<std::uint32_t>(state.at()), steps_.kind_of(state.at())}, 1)) {
        return std::nullopt;
      }
    }
    while (waiting_) {
      waiting_ = false;
      for (std::size_t s = 0; s < fresh_.size(); ++s) {
        const Mask from = fresh_[s];
        if (from == 0) {
          continue;
        }
        fresh_[s] = 0;
        for (std::size_t e = begin_[s]; e < begin_[s + 1]; ++e) {
          if (!enter(edges_[e], from)) {
            return std::nullopt;
          }
        }
      }
    }
    return std::move(reached_);
  }

 private:
  struct Edge {
    std::uint32_t to, kind;
  };

  /// False when a bad pair is entered.
  bool enter(Edge edge, Mask from) {
    const Mask added = steps_.after(edge.kind, from) & ~reached_[edge.to];
    if (added != 0) {
      reached_[edge.to] |= added;
      fresh_[edge.to] |= added;
      waiting_ = true;
    }
    return (added & bad_) == 0;
  }

  const Product& p_;
  const Steps& steps_;
  std::vector<Mask> reached_, fresh_;
  std::vector<Edge> edges_;
  std::vector<std::size_t> begin_{0};
  Mask bad_ = 0;
  bool waiting_ = false;
};

}  // namespace

std::optional<std::vector<Mask>> reached_masks(const Product& product) {
  if (product.dfa->states > kMaxSpecStates) {
    return std::nullopt;
  }
  const Steps steps(product);
  return steps.is_small() ? Sweep(product, steps).run() : std::nullopt;
}

}  // namespace assay::automata
