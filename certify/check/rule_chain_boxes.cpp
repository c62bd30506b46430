#include <algorithm>

#include "cover.hpp"
#include "elementary.hpp"
#include "refinement.hpp"
#include "reject.hpp"
#include "rule_chain_claim.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxLeaves = 100'000, kMaxLinks = 100'000'000;
constexpr std::uint64_t kMaxWork = 20'000'000'000;  // links times DFA states times steps

Units most_of(const Step& step, const Emission& decoder, const Quantity& q, double U) {
  using Kind = Emission::Kind;
  if (!decoder.is_pairwise()) {
    refuse(step, "MOST is of greedy, min-p, top-k and plain without an allow-list");
  }
  const bool cuts = decoder.kind == Kind::greedy || decoder.kind == Kind::min_p;
  if (cuts && U < decoder.cut.lo()) {
    return 0;
  }
  const std::size_t rivals = q.minus ? 1 : q.mixture.size();
  if (decoder.kind == Kind::greedy || (decoder.kind == Kind::top_k && rivals + 1 > decoder.k)) {
    return kWhole;
  }
  const Interval temperature = decoder.temperature.interval();
  Interval entropy(0);
  for (const auto& [y, w] : q.mixture) {
    entropy = w.hi() > 0 ? entropy - w * logarithm(w) : entropy;
  }
  const double exponent = std::min((entropy - Interval(U) / temperature).lo(), 600.0);
  const Interval sum =
      Interval(1) + exponential(Interval(exponent));  // of T and its rivals, over T
  double p = (Interval(1) / sum).hi();
  if (decoder.kind == Emission::Kind::min_p) {
    const Interval r(static_cast<double>(rivals));
    p = ((Interval(1) + r * exponential(decoder.cut / temperature)) / sum).hi();
    if (const Interval kept = sum - r; kept.lo() > 0) {
      p = std::min(p, (Interval(1) / kept).hi());
    }
  }
  return units_above(p);
}

/// The chain over pairs (leaf, state of the event's DFA): after a view of a leaf nature picks the next token within the
/// MOST facts, and among the leaves where the next view may lie.
class LeafChain {
 public:
  LeafChain(Session& session, const Step& step, const DfaFact& event)
      : all_(session.refinement()),
        step_(step),
        event_(event),
        leaves_(all_.leaves[std::string(step.premises[0])]),
        settled_(settled_states(event)),
        cover_(all_.space),
        index_(all_.space) {
    for (const Box& leaf : leaves_) {
      index_.add(leaf);
    }
    need_every_view();
    add_rows();
    add_links();
    add_targets(session);
  }

  /// N exact steps from the event on; the value of the prompts' views, the largest or the least.
  [[nodiscard]] Units within(std::size_t steps, bool upper, const Box& prompts);

 private:
  // cover(every view whose current token is t, LEAF), for every t
  void need_every_view() {
    const std::size_t w = all_.space.window(), V = all_.space.tokens();
    std::vector<TokenSet> sets(w);
    for (TokenSet& set : sets) {
      for (std::uint32_t t = 0; t < V; ++t) {
        set.push_back(t);
      }
    }
    for (std::uint32_t t = 0; t < V; ++t) {
      sets[0] = {t};
      const auto list = index_.at(t);
      if (!cover_.covers(all_.space.of(1, w, sets), {list.begin(), list.end()})) {
        refuse(step_, "a view that ends in token " + std::to_string(t) + " lies in no LEAF");
      }
    }
  }

  // What every context of a leaf is known to leave each token: the least of the facts about boxes that hold it.
  void add_rows() {
    for (const Box& leaf : leaves_) {
      std::vector<ChanceEdge> row;
      for (std::uint32_t t = 0; t < all_.space.tokens(); ++t) {
        row.push_back({t, 0, kWhole});
      }
      for (const LikelyToken& fact : all_.most) {
        cover_.count();
        Units& hi = row.at(fact.token).hi;
        if (fact.most < hi && all_.space.parts(leaf, *fact.box) == 0) {
          hi = fact.most;
        }
      }
      std::erase_if(row, [](const ChanceEdge& e) { return e.hi == 0; });
      rows_.push_back(std::move(row));
    }
  }

  void add_links() {
    std::vector<Box> before;
    for (const Box& leaf : leaves_) {
      before.push_back(all_.space.before(leaf));
    }
    std::vector<std::vector<std::uint32_t>> ends(all_.space.tokens());
    for (std::uint32_t l = 0; l < leaves_.size(); ++l) {
      for (std::uint32_t t = 0; t < all_.space.tokens(); ++t) {
        if (all_.space.has(leaves_[l], 0, t)) {
          ends[t].push_back(l);
        }
      }
    }
    begin_.push_back(0);
    for (std::size_t l = 0; l < leaves_.size(); ++l) {
      for (const ChanceEdge& e : rows_[l]) {
        for (const std::uint32_t to : ends[e.to]) {
          cover_.count();
          if (all_.space.parts(leaves_[l], before[to])) {
            links_.push_back(to);
          }
        }
        begin_.push_back(links_.size());
      }
      if (links_.size() > kMaxLinks) {
        refuse(step_, "more links between boxes than are checked");
      }
    }
  }

  // The DFA states that a token may lead to: what the model alone shows may be either way.
  void add_targets(Session& session) {
    std::size_t free = 0;
    std::vector<std::size_t> fixed(all_.space.tokens(), 0);
    for (std::size_t i = 0; i < event_.atoms.size(); ++i) {
      const SpecAtom& atom = session.spec().atoms[event_.atoms[i]];
      free |= std::size_t{atom.kind == SpecAtom::Kind::token ? 0U : 1U} << i;
      for (const std::size_t t : atom.tokens) {
        fixed.at(t) |= atom.kind == SpecAtom::Kind::token ? std::size_t{1} << i : 0;
      }
    }
    for (std::size_t q = 0; q < settled_.size(); ++q) {
      targets_.emplace_back(fixed.size());
      for (std::size_t t = 0; t < fixed.size(); ++t) {
        std::vector<std::size_t>& to = targets_[q][t];
        for (std::size_t part = free;; part = (part - 1) & free) {
          to.push_back(event_.next(q, fixed[t] | part));
          if (part == 0) {
            break;
          }
        }
        std::sort(to.begin(), to.end());
        to.erase(std::unique(to.begin(), to.end()), to.end());
      }
    }
  }

  /// The value of the token of row `at`, where nature moves on to the largest (least) value.
  [[nodiscard]] Units after(std::size_t at, std::size_t q, std::size_t token, bool upper) const {
    std::optional<Units> best;
    const auto take = [&](Units u) {
      best = !best ? u : upper ? std::max(*best, u) : std::min(*best, u);
    };
    for (const std::size_t to : targets_[q][token]) {
      if (event_.bad[to] || settled_[to]) {
        take(event_.bad[to] ? kWhole : 0);
        continue;
      }
      for (std::size_t i = begin_[at]; i < begin_[at + 1]; ++i) {
        take(value_[to][links_[i]]);
      }
    }
    if (!best) {
      refuse(step_, "a token after which no LEAF is left");
    }
    return *best;
  }

  Refinement& all_;
  const Step& step_;
  const DfaFact& event_;
  const std::deque<Box>& leaves_;
  std::vector<bool> settled_;
  Cover cover_;
  BoxIndex index_;
  std::vector<std::vector<ChanceEdge>> rows_;  ///< `to`: the token
  std::vector<std::size_t> begin_;             ///< of the links of every edge, leaf by leaf
  std::vector<std::uint32_t> links_;
  std::vector<std::vector<std::vector<std::size_t>>> targets_;  ///< [q][token]
  std::vector<std::vector<Units>> value_;                       ///< [q][leaf]
};

Units LeafChain::within(std::size_t steps, bool upper, const Box& prompts) {
  if (steps > kMaxWork / ((links_.size() + rows_.size()) * settled_.size() + 1)) {
    refuse(step_, "more steps than are checked");
  }
  value_.assign(settled_.size(), std::vector<Units>(leaves_.size(), 0));
  std::vector<Units> of_token(all_.space.tokens(), 0);
  for (std::size_t n = 0; n < steps; ++n) {
    std::vector<std::vector<Units>> next = value_;
    for (std::size_t q = 0; q < settled_.size(); ++q) {
      std::size_t at = 0;
      for (std::size_t l = 0; l < leaves_.size() && !event_.bad[q] && !settled_[q]; ++l) {
        for (const ChanceEdge& e : rows_[l]) {
          of_token[e.to] = after(at++, q, e.to, upper);
        }
        next[q][l] = upper ? least_above(rows_[l], of_token) : greatest_below(rows_[l], of_token);
      }
    }
    value_.swap(next);
  }
  std::optional<Units> out;
  for (std::size_t l = 0; l < leaves_.size(); ++l) {
    if (all_.space.parts(prompts, leaves_[l])) {
      const Units u = value_[event_.initial][l];
      out = !out ? u : upper ? std::max(*out, u) : std::min(*out, u);
    }
  }
  if (!out) {
    refuse(step_, "no prompt lies in a LEAF");
  }
  return *out;
}

}  // namespace

// MOST, in every context of the lemma's box, τ the temperature, r rivals, H = −Σ ω_i ln ω_i
//   l_T − Σ ω_i l_{y_i} (or l_T − l_y, r = 1, H = 0) <= U, T and all y different
//   greedy, min-p: U < cut: T is not emitted. plain, min-p, top-k K (r < K): S = 1 + e^{H − U/τ} <= 1 + Σ_i e^{(l_{y_i} − l_T)/τ};
//   where min-p keeps T it drops y_i only below c e^{max/τ}, c = e^{cut/τ}, and c e^{(max − l_T)/τ} <= min(1, c Z),
//   Z = Σ kept e^{(l − l_T)/τ} = 1/p(T)
//   ----------------------------------------------------------------------------------------------------------
//   p(T) <= 1/S (plain, top-k);  p(T) <= min { (1 + r c)/S, 1/(S − r) if S > r } (min-p)
void rule_most(Session& session, const Step& step) {
  if (!step.premises.empty() || step.words.size() != 1) {
    refuse(step, "expected MOST : f");
  }
  const LemmaFact f = lemma_fact(session, step, step.words[0]);
  const Quantity& q = f.fact.claim->quantity;
  if (q.kind != Quantity::Kind::logit || !f.fact.high || (!q.minus && q.mixture.empty()) ||
      q.minus == q.index) {
    refuse(step, "not a fact of side hi about a logit less those of other tokens");
  }
  session.refinement().most.push_back(
      {q.index, most_of(step, session.runs().emission, q, f.fact.bound), &f.lemma.box});
}

// LEAF: a box; CHANCE-BOXES shows that every view lies in one.
void rule_leaf(Session& session, const Step& step) {
  const auto event = step.premises.size() == 1
                         ? session.automata.find(std::string(step.premises[0]))
                         : session.automata.end();
  if (event == session.automata.end() || !event->second.is_event) {
    refuse(step, "expected LEAF eID : lengths …");
  }
  Refinement& all = session.refinement();
  std::deque<Box>& leaves = all.leaves[std::string(step.premises[0])];
  leaves.push_back(all.read_box(parse_domain(step.words)));
  if (leaves.size() > kMaxLeaves) {
    refuse(step, "more boxes than are checked");
  }
}

// CHANCE-BOXES
//   every view lies in a LEAF;  u_0 = 1 on B, else 0;  u_{n+1}(P, q) = max over p with p(t) <= MOST, Σ p = 1, of
//   Σ_t p(t) max { u_n(R, q') : q' = δ(q, ℓ), ℓ a letter of t, R a LEAF with R⁻(t) meeting P }       (min for the other side)
//   u_N(P, init) shows the claim at every LEAF that holds a prompt's view
//   --------------------------------------------------------------------------------------------------------------
//   P(φ) is as claimed for every prompt and every choice of nature
void rule_chance_boxes(Session& session, const Step& step) {
  const ChanceClaim claim = chance_claim(session, step);
  if (!step.words.empty() || !claim.horizon) {
    refuse(step, "expected CHANCE-BOXES eID : of a claim with a horizon");
  }
  LeafChain chain(session, step, *claim.event);
  const bool upper = claim.wants_upper();
  const Units r = chain.within(*claim.horizon, upper, prompt_box(session));
  if (!claim.holds(r)) {
    refuse(step, "the bound does not show the claim");
  }
  session.conclusions.push_back(
      {step.id, "PROVED",
       "HOLDS for every prompt and every choice of nature" + claim.text(session.runs(), upper, r)});
}

}  // namespace assay_check
