#include <algorithm>

#include "reject.hpp"
#include "session.hpp"
#include "windows.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxPairs = 4'000'000;

struct Pair {
  std::uint64_t window = 0;
  std::size_t q = 0, step = 0;
};
bool operator<(const Pair& a, const Pair& b) {
  return std::pair(a.window, a.q) < std::pair(b.window, b.q);
}

/// The pairs of an EXACT step and the conditions on them.
class PairSet {
 public:
  PairSet(Session& session, const Step& step, const DfaFact& dfa)
      : windows_(session.windows()),
        runs_(session.runs()),
        step_(step),
        dfa_(dfa),
        settled_(settled_states(dfa)) {}

  void read(const std::vector<WindowBox>& boxes) {
    for (const WindowBox& box : boxes) {
      if (box.q >= dfa_.bad.size() || dfa_.bad[box.q]) {
        refuse(step_, "a pair with a bad state, or none of the DFA");
      }
      expand(box, 0, 0);
    }
    std::sort(pairs_.begin(), pairs_.end());
    for (std::size_t i = 1; i < pairs_.size(); ++i) {
      if (!(pairs_[i - 1] < pairs_[i])) {
        refuse(step_, "a pair comes twice");
      }
    }
  }

  void check(std::size_t window, std::size_t d_vocab) {
    std::size_t ends = 0;
    runs_.for_each_end(window, d_vocab, [&](const std::vector<std::uint32_t>& end) {
      if (++ends > kMaxPairs) {
        refuse(step_, "more ends of prompts than are checked");
      }
      need(windows_.code(end), dfa_.initial, 0);
    });
    for (const Pair& pair : pairs_) {
      if (!runs_.max_new || pair.step < *runs_.max_new) {
        need_successors(pair);
      }
    }
  }
  [[nodiscard]] std::size_t size() const { return pairs_.size(); }

 private:
  void expand(const WindowBox& box, std::size_t position, std::uint64_t window) {
    if (position == box.sets.size()) {
      if (pairs_.size() >= kMaxPairs) {
        refuse(step_, "more pairs than are checked");
      }
      pairs_.push_back({window, box.q, box.step});
      return;
    }
    for (const std::uint32_t t : box.sets[position]) {
      expand(box, position + 1, windows_.append(window, t));
    }
  }

  void need(std::uint64_t window, std::size_t q, std::size_t latest) const {
    if (settled_[q]) {
      return;
    }
    const auto at = std::lower_bound(pairs_.begin(), pairs_.end(), Pair{window, q, 0});
    if (at == pairs_.end() || at->window != window || at->q != q || at->step > latest) {
      refuse(step_, "a pair with DFA state " + std::to_string(q) +
                        " is reached but not in the set, or too late");
    }
  }

  void need_successors(const Pair& pair) {
    for (const std::uint32_t t : std::vector(windows_.at(pair.window, step_).possible)) {
      const std::uint64_t to = windows_.append(pair.window, t);
      const Letter letter = windows_.letter(to, step_);
      const std::size_t must = gathered_letter(letter.must, dfa_.atoms);
      const std::size_t free = gathered_letter(letter.may, dfa_.atoms) & ~must;
      for (std::size_t part = free;; part = (part - 1) & free) {
        need(to, dfa_.next(pair.q, must | part), pair.step + 1);
        if (part == 0) {
          break;
        }
      }
    }
  }

  Windows& windows_;
  const Runs& runs_;
  const Step& step_;
  const DfaFact& dfa_;
  std::vector<bool> settled_;
  std::vector<Pair> pairs_;
};

const DfaFact& dfa_of(const Session& session, std::string_view id, const Step& step) {
  const auto found = session.automata.find(std::string(id));
  if (found == session.automata.end()) {
    refuse(step, "the premise is not a DFA");
  }
  return found->second;
}

}  // namespace

// WINDOWS: pairs (window, q) for every window of the product of the sets; shown by EXACT only
void rule_windows(Session& session, const Step& step) {
  const Network& net = session.attention().net();
  if (step.premises.size() != 1 || step.words.size() < 3 || step.words.size() - 2 > net.window) {
    refuse(step, "expected WINDOWS dID : step q SET … with at most as many sets as the window");
  }
  (void)dfa_of(session, step.premises[0], step);
  WindowBox box{parse_nat(step.words[0]), parse_nat(step.words[1]), {}};
  for (std::size_t i = 2; i < step.words.size(); ++i) {
    box.sets.push_back(parse_set(step.words[i]).tokens(net.d_vocab));
  }
  session.windows().boxes[std::string(step.premises[0])].push_back(std::move(box));
}

// EXACT
//   (u, init) in I at step 0 for the end u of every prompt             no q of I is in B
//   (u·t, δ(q, ℓ)) in I at a step <= s+1 for every (u, q) of step s < max-new, every token t that the
//   decoder does not surely drop after u, and every letter ℓ of u·t     [δ(q, ℓ) settled: not needed]
//   ------------------------------------------------------------------------------------------------
//   the safety formula φ holds of every run of the model from every prompt
void rule_exact(Session& session, const Step& step) {
  if (step.premises.size() != 1 || !step.words.empty()) {
    refuse(step, "expected EXACT dID :");
  }
  const DfaFact& dfa = dfa_of(session, step.premises[0], step);
  const std::size_t index = session.property(step.id);
  const SpecProperty& property = session.spec().properties[index];
  if (dfa.is_event || dfa.property != index ||
      !session.spec().formulas.is_safety(property.formula)) {
    refuse(step, "the premise is not a DFA of this property, or it is not a safety formula");
  }
  std::uint64_t atoms = 0;  // of every DFA so far, so that windows are evaluated once
  for (const auto& [id, fact] : session.automata) {
    session.need_sources(fact.property);
    atoms |= session.spec().properties[fact.property].atoms;
  }
  const Network& net = session.attention().net();
  session.windows().read_atoms(atoms);
  PairSet pairs(session, step, dfa);
  pairs.read(session.windows().boxes[std::string(step.premises[0])]);
  pairs.check(net.window, net.d_vocab);
  session.conclusions.push_back(
      {step.id, "PROVED",
       "HOLDS of every run of the model (real arithmetic): " + session.runs().words + " (" +
           std::to_string(pairs.size()) + " pairs): all " + property.text});
}

}  // namespace assay_check
