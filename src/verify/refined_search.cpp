#include "refined_search.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "refined_box.hpp"
#include "refined_facts.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kCoverWork = 200'000;
constexpr std::size_t kMostPieces = 8;  // of a predecessor, when a pattern is excluded directly

bool is_view(const ViewBox& box) {
  return box.lo == box.hi && std::all_of(box.back.begin(), box.back.begin() + box.lo,
                                         [](const TokenBits& s) { return s.count() == 1; });
}

/// The newest position that is not one token.
std::size_t newest_set(const ViewBox& box) {
  std::size_t j = 0;
  while (j < box.hi && box.back[j].count() == 1) {
    ++j;
  }
  return j;
}

/// Positions that have fewer tokens than all.
std::size_t known_positions(const ViewBox& box) {
  std::size_t n = 0;
  for (std::size_t j = 0; j < box.lo; ++j) {
    n += box.back[j].is_full() ? 0 : 1;
  }
  return n;
}

}  // namespace

RefinedSearch::RefinedSearch(const RefinedInput& input, const RefinedLetters& letters,
                             const spec::Dfa& dfa, bounds::LemmaBounder& bounder,
                             ContextAttack& attack, SharedOuts& shared, RefinedProperty& result)
    : input_(input),
      letters_(letters),
      dfa_(dfa),
      bounder_(bounder),
      attack_(attack),
      shared_(shared),
      result_(result),
      pairs_(input, letters, dfa),
      excluded_(pairs_.nodes().size()),
      met_(letters.vocabulary()),
      progress_("lemmas", input.limits.lemmas) {}

std::string RefinedSearch::pattern_text(const ViewBox& box) const {
  std::string out = std::to_string(box.lo) + (box.hi == box.back.size() ? " or more" : "") +
                    " tokens that end in";
  std::size_t most = 1;
  for (std::size_t j = 0; j < box.lo; ++j) {
    most = box.back[j].is_full() ? most : j + 1;
  }
  for (std::size_t j = most; j-- > 0;) {
    const std::vector<TokenId> tokens = box.back[j].tokens();
    out += box.back[j].is_full() ? " *"
           : tokens.size() == 1  ? " '" + token_text(input_.runs.subject, tokens) + "'"
                                 : " {" + std::to_string(tokens.size()) + " tokens}";
  }
  return out;
}

void RefinedSearch::give_up(const Goal& goal, const std::string& why) {
  unknown_.reason = why;
  unknown_.missing = "'" + token_text(input_.runs.subject, {TokenId(goal.step.token)}) +
                     "' after " + pattern_text(goal.box) +
                     (failed_ ? ": the last bound there leaves " + fixed(gap_, 3) +
                                    " nats, the attack met " + fixed(goal.attacked, 3)
                              : "");
}

bool RefinedSearch::is_within_limits(const Goal& goal) {
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin_;
  if (interrupted()) {
    give_up(goal, "interrupted by the user");
  } else if (result_.bounded >= input_.limits.lemmas) {
    give_up(goal, "the budget of " + std::to_string(input_.limits.lemmas) +
                      " lemmas (--lemmas) is used up");
  } else if (result_.patterns >= input_.limits.boxes) {
    give_up(goal, "the budget of " + std::to_string(input_.limits.boxes) + " patterns is used up");
  } else if (input_.limits.seconds > 0 && spent.count() > input_.limits.seconds) {
    give_up(goal, "the safety stop of " + fixed(input_.limits.seconds, 0) +
                      " s was reached: not reproducible");
  }
  return unknown_.reason.empty();
}

/// Boxes that a step from the node need not be shown in: refuted, excluded, or of the other letter.
std::vector<const ViewBox*> RefinedSearch::known(const RefinedPairs::Step& step,
                                                 std::vector<ViewBox>& room) const {
  for (const AtomFact& fact : atoms_) {
    for (const RefinedLetters::Measured& m : letters_.measured()) {
      const bool is_read = ((step.care >> m.bit) & 1U) != 0;
      if (m.atom == fact.atom && is_read && (((step.letter >> m.bit) & 1U) != 0) != fact.truth) {
        if (auto before = predecessor(fact.box, step.token)) {
          room.push_back(std::move(*before));
        }
      }
    }
  }
  std::vector<const ViewBox*> out;
  out.reserve(room.size());
  for (const ViewBox& box : room) {
    out.push_back(&box);
  }
  for (const OutFact& fact : shared_.of[step.token]) {
    out.push_back(&fact.box);
  }
  for (const ViewBox& box : excluded_[step.from]) {
    out.push_back(&box);
  }
  return out;
}

std::optional<std::vector<ViewBox>> RefinedSearch::left_of(const Goal& goal) {
  std::vector<ViewBox> room;
  std::size_t work = kCoverWork;
  return uncovered(goal.box, known(goal.step, room), work);
}

std::optional<RefinedProof> RefinedSearch::run() {
  for (const RefinedPairs::Step& step : pairs_.bad_steps()) {
    goals_.push_back({step, pairs_.nodes()[step.from].box, 0});
  }
  std::reverse(goals_.begin(), goals_.end());
  while (!goals_.empty()) {
    const Goal goal = std::move(goals_.back());
    goals_.pop_back();
    if (!is_within_limits(goal) || !settle(goal)) {
      return std::nullopt;
    }
    progress_.update(std::min(result_.bounded, input_.limits.lemmas),
                     std::to_string(goals_.size()) + " open obligations, " +
                         std::to_string(result_.refinements) + " refinements");
  }
  return proof();
}

/// Attempts what is left of the goal's box, piece by piece.
bool RefinedSearch::settle(const Goal& goal) {
  const auto left = left_of(goal);
  if (!left) {
    give_up(goal, "too many pieces of one pattern");
    return false;
  }
  if (left->size() == 1) {
    return attempt({goal.step, left->front(), goal.attacked, goal.above});
  }
  for (const ViewBox& part : *left) {
    goals_.push_back({goal.step, part, goal.attacked, goal.above});
  }
  return true;
}

bool RefinedSearch::show_atom(std::size_t which, bool truth, const ViewBox& box, const Goal& goal) {
  const CheckInput& subject = input_.runs.subject;
  const std::size_t index = letters_.measured()[which].atom;
  const spec::Atom& atom = subject.spec->atoms[index];
  const bool up =
      atom.comparison == spec::Comparison::above || atom.comparison == spec::Comparison::at_least;
  const bool is_lower = up == truth;
  const double enough = (is_lower ? -1 : 1) * threshold_of(subject, index);
  bounds::Lemma lemma = bounder_.bound(domain_of(box), quantity_of(subject, index), is_lower,
                                       enough, goal.above.get());
  ++result_.bounded;
  if (truth_below(subject, index, is_lower, lemma.hi) == truth) {
    result_.depth = std::max(result_.depth, known_positions(box));
    atoms_.push_back({index, truth, box, std::move(lemma)});
    return true;
  }
  gap_ = lemma.hi - enough;
  enough_ = enough;
  failed_ = std::make_shared<const bounds::Lemma>(std::move(lemma));
  return false;
}

/// After the step's token an atom contradicts its letters.
bool RefinedSearch::by_atom(const Goal& goal) {
  TokenBits token(letters_.vocabulary());
  token.set(goal.step.token);
  const ViewBox after = successor(goal.box, token);
  for (std::size_t i = 0; i < letters_.measured().size(); ++i) {
    const std::size_t bit = std::size_t{1} << letters_.measured()[i].bit;
    if ((goal.step.care & bit) == 0) {
      continue;
    }
    if (show_atom(i, (goal.step.letter & bit) == 0, after, goal)) {
      return true;
    }
    failed_of_ = Failed::atom_after;
  }
  return false;
}

/// In every context of the pattern an atom contradicts all letters into this state: it is not reached there.
bool RefinedSearch::exclude_by_atom(const Goal& goal) {
  const RefinedPairs::Entry entry = pairs_.entry_of(goal.step.from, goal.box.back[0]);
  if (goal.box.back[0].count() > 1) {
    return false;
  }
  for (std::size_t i = 0; i < letters_.measured().size(); ++i) {
    const std::size_t bit = std::size_t{1} << letters_.measured()[i].bit;
    if ((entry.bits & bit) == 0) {
      continue;
    }
    if (show_atom(i, (entry.letter & bit) == 0, goal.box, goal)) {
      excluded_[goal.step.from].push_back(goal.box);
      ++result_.excluded;
      return true;
    }
    failed_of_ = Failed::atom_here;
  }
  return false;
}

bool RefinedSearch::out_of_top_k(const ViewBox& box, std::uint32_t token,
                                 const ContextAttack::Met& met) {
  std::vector<std::pair<double, std::uint32_t>> rivals;
  for (std::uint32_t y = 0; y < met.mean.size(); ++y) {
    if (y != token) {
      rivals.emplace_back(-met.mean[y], y);
    }
  }
  std::sort(rivals.begin(), rivals.end());
  OutFact fact{token, box, {}};
  const std::size_t k = input_.runs.emission.k();
  for (std::size_t i = 0; i < std::min(rivals.size(), 2 * k) && fact.lemmas.size() < k; ++i) {
    bounds::Quantity difference;
    difference.kind = bounds::QuantityKind::logit_difference;
    difference.index = token;
    difference.other = rivals[i].second;
    bounds::Lemma lemma = bounder_.bound(domain_of(box), difference, false, 0.0);
    ++result_.bounded;
    if (lemma.hi < 0) {
      fact.lemmas.push_back(std::move(lemma));
    } else {
      gap_ = lemma.hi;
      enough_ = 0;
      failed_ = std::make_shared<const bounds::Lemma>(std::move(lemma));
      failed_of_ = Failed::out;
    }
  }
  if (!shows_out(input_.runs.emission, fact)) {
    return false;
  }
  shared_.of[token].push_back(std::move(fact));
  return true;
}

/// A context of the box that was met before, or what an attack meets now.
ContextAttack::Met RefinedSearch::emits(const ViewBox& box, std::uint32_t token) {
  for (const ContextAttack::Met& met : met_[token]) {
    if (holds(box, met.context)) {
      return met;
    }
  }
  ContextAttack::Met met = attack_.emits(box, token);
  if (met.lead > 0) {
    met_[token].push_back(met);
    met_[token].back().mean.clear();
  }
  return met;
}

bool RefinedSearch::by_out(const Goal& goal, ContextAttack::Met& met) {
  using Kind = automata::Emission::Kind;
  const Kind kind = input_.runs.emission.kind();
  if (goal.box.back[0].count() > 1) {
    return false;  // divided by its last token first
  }
  met = emits(goal.box, goal.step.token);
  if (met.lead > 0) {
    ++result_.witnessed;
    return false;
  }
  if (kind == Kind::top_k) {
    return out_of_top_k(goal.box, goal.step.token, met);
  }
  if (kind != Kind::greedy && kind != Kind::min_p) {
    return false;
  }
  const double cut = input_.runs.emission.cut().lo;
  if (auto each =
          bounder_.refute_each(domain_of(goal.box), TokenId(goal.step.token), met.mean, cut)) {
    ++result_.bounded;
    ++result_.refinements;  // the box's tokens at one position are told apart
    ++result_.absent;
    result_.depth = std::max(result_.depth, known_positions(goal.box) + 1);
    shared_.of[goal.step.token].push_back({goal.step.token, goal.box, {std::move(*each)}});
    return true;
  }
  bounds::Lemma lemma = bounder_.refute(domain_of(goal.box), TokenId(goal.step.token), met.mean,
                                        cut, goal.above.get());
  ++result_.bounded;
  if (!(lemma.hi < cut)) {
    ++result_.open;
    gap_ = lemma.hi - cut;
    enough_ = cut;
    failed_ = std::make_shared<const bounds::Lemma>(std::move(lemma));
    failed_of_ = Failed::out;
    return false;
  }
  ++result_.absent;
  result_.depth = std::max(result_.depth, known_positions(goal.box));
  shared_.of[goal.step.token].push_back({goal.step.token, goal.box, {std::move(lemma)}});
  return true;
}

bool RefinedSearch::attempt(const Goal& goal) {
  ++result_.patterns;
  failed_.reset();
  failed_of_ = Failed::out;
  if (exclude_by_atom(goal) || by_atom(goal)) {
    return true;
  }
  ContextAttack::Met met;
  if (by_out(goal, met) || exclude_directly(goal)) {
    return true;
  }
  if (is_view(goal.box)) {
    return exclude_view(goal, met);
  }
  ++result_.refinements;
  if (goal.box.back[0].count() == 1 && met.lead > 0 && failed_of_ == Failed::out &&
      newest_set(goal.box) >= near_positions(goal.box) && carve(goal, met)) {
    return true;
  }
  divide(goal, met);
  return true;
}

/// The pattern is not reached in this state: every step into it is refuted by one lemma on all its predecessors.
bool RefinedSearch::exclude_directly(const Goal& goal) {
  const RefinedPairs::Node& node = pairs_.nodes()[goal.step.from];
  if (node.is_prompt || !letters_.measured().empty() ||
      (goal.box.lo > 1 && goal.box.back[1].count() > 1)) {
    return false;
  }
  std::vector<Goal> before;
  for (const TokenId t : goal.box.back[0].tokens()) {
    for (const RefinedPairs::Step& step : pairs_.steps_into(goal.step.from, t.value)) {
      const auto views = predecessor(goal.box, t.value);
      const ViewBox& all = pairs_.nodes()[step.from].box;
      if (!views || !meets(*views, all)) {
        continue;
      }
      const auto left = left_of({step, both(*views, all), 0});
      if (!left || left->size() > kMostPieces) {
        return false;
      }
      for (const ViewBox& part : *left) {
        before.push_back({step, part, 0});
      }
    }
  }
  const std::shared_ptr<const bounds::Lemma> failed = std::exchange(failed_, nullptr);
  const double gap = gap_, enough = enough_;
  for (const Goal& each : before) {
    ContextAttack::Met met;
    if (each.box.back[0].count() > 1 || !by_out(each, met)) {
      if (failed != nullptr || failed_ == nullptr) {
        failed_ = failed;
        gap_ = gap;
        enough_ = enough;
      } else {  // what comes after was met: what comes before says how to divide
        failed_of_ = Failed::before;
      }
      return false;
    }
  }
  excluded_[goal.step.from].push_back(goal.box);
  ++result_.excluded;
  return true;
}

/// Parts off the token of the newest position that is still a set at which the step was met.
bool RefinedSearch::carve(const Goal& goal, const ContextAttack::Met& met) {
  const std::size_t n = met.context.size();
  for (std::size_t j = 0; j < goal.box.hi; ++j) {
    if (goal.box.back[j].count() == 1) {
      continue;
    }
    ViewBox longer = goal.box;
    longer.lo = std::max(longer.lo, j + 1);
    if (longer.lo > goal.box.lo) {
      ViewBox shorter = goal.box;
      shorter.hi = j;
      goals_.push_back({goal.step, shorter, met.lead, goal.above});
    }
    if (n <= j) {  // met in a shorter context
      goals_.push_back({goal.step, longer, met.lead, goal.above});
      return longer.lo > goal.box.lo;
    }
    TokenBits one(letters_.vocabulary());
    one.set(met.context[n - 1 - j].at());
    ViewBox rest = longer;
    rest.back[j] = rest.back[j].minus(one);
    longer.back[j] = one;
    goals_.push_back({goal.step, rest, met.lead, goal.above});
    goals_.push_back({goal.step, longer, met.lead, goal.above});
    return true;
  }
  return false;
}

/// The parts that a bound's own numbers suggest; none when there are not two smaller ones.
std::vector<ViewBox> RefinedSearch::suggested(const Goal& goal) {
  std::vector<ViewBox> parts;
  if (!failed_) {
    return parts;
  }
  for (const bounds::Domain& part : bounder_.divide(*failed_, enough_)) {
    ViewBox box = box_of(part, letters_.vocabulary(), goal.box.back.size());
    if (failed_of_ == Failed::atom_after) {
      auto before = predecessor(box, goal.step.token);
      if (!before || !verify::meets(*before, goal.box)) {
        continue;
      }
      box = both(*before, goal.box);
    } else if (failed_of_ == Failed::before) {
      box = both(successor(box, goal.box.back[0]), goal.box);
    }
    parts.push_back(std::move(box));
  }
  const bool is_smaller =
      parts.size() > 1 &&
      std::none_of(parts.begin(), parts.end(), [&](const ViewBox& p) { return p == goal.box; });
  return is_smaller ? parts : std::vector<ViewBox>{};
}

std::vector<ViewBox> RefinedSearch::divided(const ViewBox& box, bool is_near) const {
  const std::size_t j = newest_set(box);
  if (j >= box.lo) {
    ViewBox shorter = box, longer = box;
    shorter.hi = j;
    longer.lo = j + 1;
    return {shorter, longer};
  }
  const std::vector<TokenId> tokens = box.back[j].tokens();
  const std::size_t parts = is_near || j == 0 ? tokens.size() : 2;
  std::vector<ViewBox> out;
  for (std::size_t p = 0; p < parts; ++p) {
    ViewBox part = box;
    part.back[j] = TokenBits(letters_.vocabulary());
    for (std::size_t i = p * tokens.size() / parts; i < (p + 1) * tokens.size() / parts; ++i) {
      part.back[j].set(tokens[i].at());
    }
    out.push_back(std::move(part));
  }
  return out;
}

/// By contexts that show each set's first token; an estimate for the others.
std::size_t RefinedSearch::near_positions(const ViewBox& box) {
  const std::size_t w = box.back.size();
  const auto [found, is_new] = near_.try_emplace(box.back[0].tokens().front().value, w);
  for (std::size_t n = 1; is_new && n < w && found->second == w; ++n) {
    ViewBox known = every_view(letters_.vocabulary(), w);
    known.lo = n;
    for (std::size_t j = 0; j < n; ++j) {
      TokenBits one(letters_.vocabulary());
      one.set(box.back[j].tokens().front().at());
      known.back[j] = one;
    }
    found->second = bounder_.moves_one_head(domain_of(known)) ? n : w;
  }
  return found->second == w ? 0 : found->second;
}

/// As the same box was divided before, so that lemmas about several tokens share what is known of their boxes.
void RefinedSearch::divide(const Goal& goal, const ContextAttack::Met& met) {
  std::vector<ViewBox>* parts = nullptr;
  for (auto& [box, division] : divisions_) {
    parts = box == goal.box ? &division : parts;
  }
  if (parts == nullptr) {
    const bool is_near =
        goal.box.back[0].count() == 1 && newest_set(goal.box) < near_positions(goal.box);
    divisions_.emplace_back(goal.box, is_near ? std::vector<ViewBox>{} : suggested(goal));
    parts = &divisions_.back().second;
    if (parts->empty()) {
      *parts = divided(goal.box, is_near);
    }
  }
  for (std::size_t i = parts->size(); i-- > 0;) {
    goals_.push_back({goal.step, (*parts)[i], met.lead, failed_ ? failed_ : goal.above});
  }
}

/// One view after which the step may come: it must not be reached in this state, by what may come before it.
bool RefinedSearch::exclude_view(const Goal& goal, const ContextAttack::Met& met) {
  if (pairs_.nodes()[goal.step.from].is_prompt) {
    Goal at = goal;
    at.attacked = met.lead;
    give_up(at, met.lead > 0 ? "a prompt after which a run may come that is not refuted"
                             : "a step from a prompt that rounding leaves open");
    return false;
  }
  excluded_[goal.step.from].push_back(goal.box);
  ++result_.excluded;
  const std::uint32_t token = goal.box.back[0].tokens().front().value;
  for (const RefinedPairs::Step& step : pairs_.steps_into(goal.step.from, token)) {
    const auto views = predecessor(goal.box, token);
    const ViewBox& all = pairs_.nodes()[step.from].box;
    if (views && verify::meets(*views, all)) {
      goals_.push_back({step, both(*views, all), met.lead});
    }
  }
  return true;
}

/// Facts that the covers use, and what is left of every node.
RefinedProof RefinedSearch::proof() {
  RefinedProof out;
  std::vector<std::set<std::size_t>> used(letters_.vocabulary());
  for (std::uint32_t t = 0; t < letters_.vocabulary(); ++t) {
    const auto take = [&](const ViewBox& box) {
      for (std::size_t i = 0; i < shared_.of[t].size(); ++i) {
        if (verify::meets(box, shared_.of[t][i].box)) {
          used[t].insert(i);
        }
      }
    };
    for (std::size_t n = 0; n < pairs_.nodes().size(); ++n) {
      const RefinedPairs::Node& node = pairs_.nodes()[n];
      for (const std::size_t letter : letters_.of(t)) {
        if (dfa_.bad[dfa_.next(node.spec, letter)]) {
          take(node.box);
        }
      }
      for (const ViewBox& box : excluded_[n]) {
        if (const auto before = predecessor(box, t)) {
          take(*before);
        }
      }
    }
    for (const std::size_t i : used[t]) {
      out.outs.push_back(shared_.of[t][i]);
    }
  }
  out.atoms = atoms_;
  for (std::size_t n = 0; n < pairs_.nodes().size(); ++n) {
    std::vector<const ViewBox*> gone;
    for (const ViewBox& box : excluded_[n]) {
      gone.push_back(&box);
    }
    std::size_t work = input_.limits.cover;
    auto left = uncovered(pairs_.nodes()[n].box, gone, work);
    require(left.has_value(), "RefinedSearch: too many excluded patterns");
    for (ViewBox& box : *left) {
      out.states.push_back({pairs_.nodes()[n].spec, std::move(box)});
    }
  }
  for (std::size_t i = out.states.size(); i-- > 0;) {  // what another one holds need not be said
    const StateBox state = out.states[i];
    const bool is_held = std::any_of(out.states.begin(), out.states.end(), [&](const StateBox& s) {
      return &s != &out.states[i] && s.spec == state.spec && contains(s.box, state.box);
    });
    if (is_held) {
      out.states.erase(out.states.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  return out;
}

}  // namespace assay::verify
