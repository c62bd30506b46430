#include <array>

#include "cover.hpp"
#include "refinement.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

using List = std::vector<const Box*>;

void append(List& list, std::span<const Box* const> more) {
  list.insert(list.end(), more.begin(), more.end());
}

/// What is known of a context and the token t after it, by the context's view.
struct After {
  After(const Refinement& all, const DfaFact& dfa, const std::deque<RefinedState>& states,
        std::size_t token)
      : t(token), space(all.space), out(space) {
    for (const Box* box : all.out[t]) {
      out.add(*box);
    }
    for (const RefinedState& state : states) {
      if (space.has(state.box, 0, t)) {
        into.try_emplace(state.q, space).first->second.add(state.before);
      }
    }
    for (std::size_t i = 0; i < dfa.atoms.size(); ++i) {
      decided.push_back({BoxIndex(space), BoxIndex(space)});
      for (const DecidedAtom& d : all.atoms) {
        if (d.atom == dfa.atoms[i] && space.has(*d.box, 0, t)) {
          decided[i][d.value ? 1 : 0].add(d.before);
        }
      }
    }
  }

  std::size_t t;
  const BoxSpace& space;
  BoxIndex out;                                  ///< t is not emitted
  std::map<std::size_t, BoxIndex> into;          ///< after t the view may be in a box of F(q)
  std::vector<std::array<BoxIndex, 2>> decided;  ///< after t atom i has this value
};

/// The conditions of a REFINED step.
class Induction {
 public:
  Induction(Session& session, const Step& step, const DfaFact& dfa)
      : session_(session),
        step_(step),
        dfa_(dfa),
        all_(session.refinement()),
        states_(all_.states[std::string(step.premises[0])]),
        settled_(settled_states(dfa)),
        cover_(all_.space),
        never_(all_.space) {
    for (const NeverBox& never : all_.never) {
      never_.add(never.box);
    }
    for (const RefinedState& state : states_) {
      only_.push_back(cover_.only_token(state.box));
    }
  }

  void check() {
    check_prompts();
    for (std::size_t t = 0; t < all_.space.tokens(); ++t) {
      const After after(all_, dfa_, states_, t);
      check_never(after);
      for (std::size_t i = 0; i < states_.size(); ++i) {
        if (!settled_[states_[i].q]) {
          check_state(states_[i], only_[i], after);
        }
      }
    }
    all_.proven = all_.never.size();
  }
  [[nodiscard]] std::size_t size() const { return states_.size(); }

 private:
  // No prompt's view is in a NEVER box, and each is in a box of F(init) unless init is settled.
  void check_prompts() {
    const Box prompts = prompt_box(session_);
    if (!cover_.misses(prompts, never_.at(SIZE_MAX))) {
      refuse(step_, "a prompt lies in a NEVER box");
    }
    List first;
    for (const RefinedState& state : states_) {
      if (state.q == dfa_.initial) {
        first.push_back(&state.box);
      }
    }
    if (!settled_[dfa_.initial] && !cover_.covers(prompts, first)) {
      refuse(step_, "a prompt lies in no STATE of the initial DFA state");
    }
  }

  // A context in NEVER box N and its last token t: t is not emitted after what comes before, or that is in NEVER.
  void check_never(const After& after) {
    for (std::size_t i = all_.proven; i < all_.never.size(); ++i) {
      if (!all_.space.has(all_.never[i].box, 0, after.t)) {
        continue;
      }
      const Box& before = all_.never[i].before;
      const std::size_t u = before.empty() ? SIZE_MAX : cover_.only_token(before);
      List list(after.out.at(u).begin(), after.out.at(u).end());
      append(list, never_.at(u));
      if (!cover_.covers(before, std::move(list))) {
        refuse(step_, "NEVER box " + std::to_string(i) + " may be reached by token " +
                          std::to_string(after.t));
      }
    }
  }

  // After a view of P and t with letter ℓ: t is not emitted, or the view not reached, or the next view is in
  // F(δ(q, ℓ)), or an atom says that the letter is another; nothing is needed when δ(q, ℓ) is settled.
  void check_state(const RefinedState& state, std::size_t u, const After& after) {
    const std::span<const Box*const> out = after.out.at(u), never = never_.at(u);
    if (cover_.holds(state.box, out) || cover_.holds(state.box, never)) {
      return;
    }
    std::size_t fixed = 0, free = 0;
    for (std::size_t i = 0; i < dfa_.atoms.size(); ++i) {
      const SpecAtom& atom = session_.spec().atoms[dfa_.atoms[i]];
      const bool token = atom.kind == SpecAtom::Kind::token;
      free |= std::size_t{token ? 0U : 1U} << i;
      const bool is = std::binary_search(atom.tokens.begin(), atom.tokens.end(), after.t);
      fixed |= std::size_t{token && is ? 1U : 0U} << i;
    }
    for (std::size_t part = free;; part = (part - 1) & free) {
      cover_.count();
      const std::size_t letter = fixed | part, q = dfa_.next(state.q, letter);
      List list(out.begin(), out.end());
      append(list, never);
      const auto into = after.into.find(q);
      if (into != after.into.end()) {
        append(list, into->second.at(u));
      }
      for (std::size_t i = 0; i < dfa_.atoms.size(); ++i) {
        append(list, after.decided[i][letter >> i & 1 ? 0 : 1].at(u));
      }
      if (!settled_[q] && !cover_.covers(state.box, std::move(list))) {
        refuse(step_, "after STATE " + state.id + " and token " + std::to_string(after.t) +
                          " DFA state " + std::to_string(q) + " may be reached outside its boxes");
      }
      if (part == 0) {
        return;
      }
    }
  }

  Session& session_;
  const Step& step_;
  const DfaFact& dfa_;
  Refinement& all_;
  const std::deque<RefinedState>& states_;
  std::vector<bool> settled_;
  Cover cover_;
  BoxIndex never_;
  std::vector<std::size_t> only_;  ///< the current token of each state's box, when there is one
};

}  // namespace

Box prompt_box(Session& session) {
  const Runs& runs = session.runs();
  const BoxSpace& space = session.refinement().space;
  const std::size_t n =
      std::min(space.window(), runs.sets.empty() ? runs.max_length : runs.sets.size());
  std::vector<TokenSet> sets(n, *session.facts().every_token());
  for (std::size_t j = 0; j < n && !runs.sets.empty(); ++j) {
    sets[j] = runs.sets[runs.sets.size() - 1 - j];
  }
  return space.of(runs.sets.empty() ? 1 : n, n, sets);
}

// NEVER: a box that REFINED shows, together with all others, to hold no view of a context of a run.
void rule_never(Session& session, const Step& step) {
  if (!step.premises.empty()) {
    refuse(step, "expected NEVER : lengths …");
  }
  Refinement& all = session.refinement();
  const Box box = all.read_box(parse_domain(step.words));
  all.never.push_back({box, all.space.before(box)});
}

// STATE: views that may be read with DFA state q; shown by REFINED only.
void rule_state(Session& session, const Step& step) {
  const DfaFact& dfa = dfa_of(session, step);
  if (step.premises.size() != 1 || step.words.empty()) {
    refuse(step, "expected STATE dID : q lengths …");
  }
  const std::size_t q = parse_nat_below(step.words[0], dfa.bad.size(), "a state");
  if (dfa.bad[q]) {
    refuse(step, "a view with a bad state");
  }
  Refinement& all = session.refinement();
  const Box box = all.read_box(parse_domain(std::span(step.words).subspan(1)));
  all.states[std::string(step.premises[0])].push_back({step.id, q, box, all.space.before(box)});
}

// REFINED
//   no prompt's view is in NEVER; it is in F(init), or init is settled
//   for every N in NEVER and token t of its last set:  cover(N⁻(t), OUT_t ∪ NEVER)
//   for every P in F(q), q not settled, token t and letter ℓ of t with q' = δ(q, ℓ) not settled:
//     cover(P, OUT_t ∪ NEVER ∪ {R⁻(t) : R in F(q')} ∪ {A⁻(t) : ATOM contradicts ℓ})         no q of F is in B
//   ----------------------------------------------------------------------------------------------------
//   the safety formula φ holds of every run of the model from every prompt
void rule_refined(Session& session, const Step& step) {
  if (step.premises.size() != 1 || !step.words.empty()) {
    refuse(step, "expected REFINED dID :");
  }
  const DfaFact& dfa = safety_dfa(session, step);
  const SpecProperty& property = session.spec().properties[dfa.property];
  Induction induction(session, step, dfa);
  induction.check();
  session.conclusions.push_back(
      {step.id, "PROVED",
       property.of_all_runs("run") + session.runs().words + words_of_due(session, step, property) +
           " (" + std::to_string(induction.size()) + " boxes): all " + property.text});
}

}  // namespace assay_check
