#include <span>

#include "pair_set.hpp"

namespace assay_check {
namespace {

/// What a bad-prefix DFA asks of pairs whose number is a step.
class DfaMonitor {
 public:
  explicit DfaMonitor(const DfaFact& dfa)
      : atoms(dfa.atoms), dfa_(dfa), settled_(settled_states(dfa)) {}
  const std::vector<std::size_t>& atoms;
  [[nodiscard]] std::span<const std::size_t> initial() const { return {&dfa_.initial, 1}; }
  [[nodiscard]] static std::int64_t first() { return 0; }
  [[nodiscard]] bool is_refused(std::size_t q) const { return q >= dfa_.bad.size() || dfa_.bad[q]; }
  [[nodiscard]] bool is_settled(std::size_t q) const { return settled_[q]; }
  [[nodiscard]] std::span<const std::size_t> next(std::size_t q, std::size_t letter) const {
    return {&dfa_.table[(q << atoms.size()) + letter], 1};
  }
  [[nodiscard]] static std::int64_t latest(std::size_t /*q*/, std::size_t step) {
    return static_cast<std::int64_t>(step) + 1;
  }

 private:
  const DfaFact& dfa_;
  std::vector<bool> settled_;
};

}  // namespace

// WINDOWS: pairs (window, q) for every window of the product of the sets; shown by EXACT only
void rule_windows(Session& session, const Step& step) {
  const Network& net = session.attention().net();
  if (step.premises.size() != 1 || step.words.size() < 3 || step.words.size() - 2 > net.window) {
    refuse(step, "expected WINDOWS dID : step q SET … with at most as many sets as the window");
  }
  Windows& windows = session.windows();
  auto found = windows.pairs.find(step.premises[0]);
  if (found == windows.pairs.end()) {
    if (!session.buchi.contains(std::string(step.premises[0]))) {
      (void)dfa_of(session, step);
    }
    found = windows.pairs.try_emplace(std::string(step.premises[0])).first;
  }
  const std::size_t number = parse_nat(step.words[0]), q = parse_nat(step.words[1]);
  std::vector<NumberedPair>& pairs = found->second;
  const std::size_t first = pairs.size();
  pairs.push_back({0, q, number});
  for (const std::string_view word : std::span(step.words).subspan(2)) {
    // most sets are one token: no list is made for them
    const bool is_one = word.find_first_not_of("0123456789") == std::string_view::npos;
    const std::size_t only = is_one ? parse_nat_below(word, net.d_vocab, "a token") : 0;
    const TokenSet tokens = is_one ? TokenSet() : parse_set(word).tokens(net.d_vocab);
    const std::size_t count = is_one ? 1 : tokens.size();
    const std::size_t last = pairs.size();
    if (count == 0 || last - first > kMaxWindowPairs / count || last > kMaxWindowPairs) {
      refuse(step, "more pairs than are checked");
    }
    for (std::size_t i = first; i < last; ++i) {
      for (std::size_t k = 1; k < count; ++k) {
        pairs.push_back({windows.append(pairs[i].window, tokens[k]), q, number});
      }
      pairs[i].window = windows.append(pairs[i].window, is_one ? only : tokens[0]);
    }
  }
  if (pairs.size() > kMaxWindowPairs) {
    refuse(step, "more pairs than are checked");
  }
}

void read_every_atom(Session& session) {
  std::uint64_t atoms = 0;
  for (const auto& [id, fact] : session.automata) {
    session.need_sources(fact.property);
    atoms |= session.spec().properties[fact.property].atoms;
  }
  for (const auto& [id, fact] : session.buchi) {
    session.need_sources(fact.property);
    atoms |= session.spec().properties[fact.property].atoms;
  }
  session.windows().read_atoms(atoms);
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
  const DfaFact& dfa = safety_dfa(session, step);
  const SpecProperty& property = session.spec().properties[dfa.property];
  read_every_atom(session);
  const Network& net = session.attention().net();
  const std::string due = words_of_due(session, step, property);
  PairSet pairs(session, step, DfaMonitor(dfa),
                session.windows().pairs[std::string(step.premises[0])]);
  pairs.check(net.window, net.d_vocab);
  session.conclusions.push_back({step.id, "PROVED",
                                 property.of_all_runs("run") + session.runs().words + due + " (" +
                                     std::to_string(pairs.size()) +
                                     " pairs): " + property.claim()});
}

}  // namespace assay_check
