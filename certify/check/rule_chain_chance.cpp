#include <algorithm>

#include "reject.hpp"
#include "rule_chain_claim.hpp"
#include "rule_chain_pairs.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxEnds = 4'000'000;
constexpr std::uint64_t kMaxWork = 20'000'000'000;  // edges times steps

/// What a CHANCE step says.
struct Claimed {
  bool holds = false;
  std::optional<std::size_t> steps;  ///< none: by values
  std::vector<std::size_t> prompt;   ///< of `violated`
};

Claimed read_claimed(const Step& step, const Runs& runs, std::size_t d_vocab) {
  const auto& w = step.words;
  if (w.size() < 2 || (w[0] != "holds" && w[0] != "violated") ||
      (w[0] == "holds" ? w.size() != 2 : w.size() < 4 || w[2] != "P")) {
    refuse(step, "expected CHANCE eID : holds STEPS, or violated STEPS P TOKEN …");
  }
  Claimed out;
  out.holds = w[0] == "holds";
  if (w[1] != "values") {
    out.steps = parse_nat(w[1]);
  }
  for (std::size_t i = 3; i < w.size(); ++i) {
    out.prompt.push_back(parse_nat_below(w[i], d_vocab, "a token"));
  }
  if (!out.holds && !runs.is_prompt(out.prompt)) {
    refuse(step, "not a prompt of the statement");
  }
  return out;
}

/// The states in which the prompts at issue begin.
std::vector<std::uint32_t> initial_states(Session& session, const Step& step,
                                          const Claimed& claimed, const DfaFact& event,
                                          PairChain& chain) {
  const Network& net = session.attention().net();
  std::vector<std::uint32_t> out;
  const auto add = [&](const std::vector<std::uint32_t>& end) {
    out.push_back(chain.state_of(session.windows().code(end), event.initial));
    if (out.size() > kMaxEnds) {
      refuse(step, "more ends of prompts than are checked");
    }
  };
  if (claimed.holds) {
    session.runs().for_each_end(net.window, net.d_vocab, add);
  } else {
    const std::size_t n = std::min(net.window, claimed.prompt.size());
    add({claimed.prompt.end() - static_cast<std::ptrdiff_t>(n), claimed.prompt.end()});
  }
  return out;
}

/// Exact steps from the event on, rounded as `mean` rounds.
template <class Mean>
std::vector<Units> stepped(const Step& step, const ChanceRows& rows, std::size_t steps,
                           const Mean& mean) {
  if (steps > kMaxWork / (rows.edges() + 1)) {
    refuse(step, "more steps than are checked");
  }
  std::vector<Units> now(rows.size(), 0), next(rows.size(), 0);
  now[kReached] = next[kReached] = kWhole;
  for (std::size_t n = 0; n < steps; ++n) {
    for (std::size_t s = kSettled; s < rows.size(); ++s) {
      next[s] = mean(rows.at(s), now);
    }
    now.swap(next);
  }
  return now;
}

/// UPPER on the pairs that have values; every other pair has 1.
std::vector<Units> by_values(Session& session, const Step& step, PairChain& chain) {
  const auto given = session.windows().values.find(step.premises[0]);
  std::vector<Units> value{kWhole, 0};
  if (given != session.windows().values.end()) {
    for (const PairValue& v : given->second) {
      if (chain.state_of(v.window, v.q) != value.size()) {
        refuse(step, "a value for a pair that has one, or that needs none");
      }
      value.push_back(v.value);
    }
  }
  const std::size_t known = value.size();
  chain.rows_only();
  value.resize(chain.states(), kWhole);
  for (std::size_t s = 2; s < known; ++s) {
    if (least_above(chain.rows().at(s), value) > value[s]) {
      refuse(step, "the value of a pair is below what nature can reach");
    }
  }
  return value;
}

}  // namespace

// PAIR: the value k of the pair (window, q); shown by CHANCE only
void rule_pair(Session& session, const Step& step) {
  const Network& net = session.attention().net();
  const auto event = step.premises.size() == 1
                         ? session.automata.find(std::string(step.premises[0]))
                         : session.automata.end();
  if (event == session.automata.end() || step.words.size() < 3 ||
      step.words.size() - 2 > net.window) {
    refuse(step, "expected PAIR eID : q k TOKEN … with at most as many tokens as the window");
  }
  std::vector<std::uint32_t> tokens;
  for (std::size_t i = 2; i < step.words.size(); ++i) {
    tokens.push_back(
        static_cast<std::uint32_t>(parse_nat_below(step.words[i], net.d_vocab, "a token")));
  }
  PairValue v;
  v.q = parse_nat_below(step.words[0], event->second.bad.size(), "a state");
  v.value = parse_units(step.words[1]);
  v.window = session.windows().code(tokens);
  session.windows().values[std::string(step.premises[0])].push_back(v);
}

// CHANCE
//   the chain over (window, state of the event's DFA), every row by KEEP-CHANCE; r bounded for the prompts
//   from above by values (UPPER) or as many exact steps as the horizon has; from below by at most as many
//   --------------------------------------------------------------------------------------------------
//   P(φ) is as claimed for every prompt and every choice of nature (holds), or for one prompt it is not,
//   whatever nature picks (violated)
void rule_chance(Session& session, const Step& step) {
  const ChanceClaim claim = chance_claim(session, step);
  const SpecProperty& property = *claim.property;
  const Runs& runs = session.runs();
  session.windows().read_atoms(property.atoms);
  session.windows().read_chances();
  const Claimed claimed = read_claimed(step, runs, session.attention().net().d_vocab);
  const bool upper = claim.wants_upper() == claimed.holds;
  const std::optional<std::size_t>& horizon = claim.horizon;
  if (upper ? claimed.steps != (claimed.steps ? horizon : std::nullopt)
            : !claimed.steps || *claimed.steps > horizon.value_or(SIZE_MAX)) {
    refuse(step, "steps that do not bound this horizon on this side");
  }
  PairChain chain(session, step, *claim.event);
  std::vector<Units> value;
  if (!claimed.steps) {
    value = by_values(session, step, chain);
  }
  const std::vector<std::uint32_t> initial =
      initial_states(session, step, claimed, *claim.event, chain);
  if (claimed.steps) {
    chain.close(*claimed.steps);
    value = upper ? stepped(step, chain.rows(), *claimed.steps, least_above)
                  : stepped(step, chain.rows(), *claimed.steps, greatest_below);
  }
  Units worst = upper ? 0 : kWhole;
  for (const std::uint32_t s : initial) {
    const Units r = s < value.size() ? value[s] : kWhole;  // a pair without a value
    if (claim.holds(r) != claimed.holds) {
      refuse(step, claimed.holds ? "a prompt's bound does not show the claim"
                                 : "the prompt's bound does not contradict the claim");
    }
    worst = upper ? std::max(worst, r) : std::min(worst, r);
  }
  session.conclusions.push_back(
      {step.id, "PROVED",
       (claimed.holds
            ? std::string("HOLDS for every prompt and every choice of nature")
            : "VIOLATED whatever nature picks, by prompt " + tokens_text(claimed.prompt)) +
           claim.text(runs, upper, worst)});
}

}  // namespace assay_check
