#include "chance_refined.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "chance_bound.hpp"
#include "chance_search.hpp"
#include "refined_box.hpp"

namespace assay::verify {
namespace {

using automata::Grid;
using automata::kGridOne;

constexpr std::size_t kCoverWork = 400'000'000;
constexpr std::size_t kSampledSteps = 256;

/// The rows that the lemmas show of these boxes, whatever search made them.
std::vector<ChanceLeaf> rows_of(const RefinedInput& input, const std::vector<ViewBox>& boxes,
                                const std::vector<bounds::Lemma>& facts, std::size_t V) {
  std::vector<ViewBox> about;
  std::vector<Grid> most;
  for (const bounds::Lemma& fact : facts) {
    require(fact.proof != nullptr && !fact.is_lower, "RefinedChance: a lemma without its proof");
    about.push_back(box_of(fact.box, V, boxes.front().back.size()));
    most.push_back(most_after(input.runs.emission, fact.quantity, fact.hi));
  }
  std::vector<ChanceLeaf> out;
  for (const ViewBox& box : boxes) {
    ChanceLeaf& leaf = out.emplace_back();
    leaf.box = box;
    leaf.most.assign(V, kGridOne);
    for (std::size_t i = 0; i < facts.size(); ++i) {
      Grid& now = leaf.most.at(facts[i].quantity.index);
      if (most[i] < now && contains(about[i], box)) {
        now = most[i];
      }
    }
  }
  return out;
}

void describe(const ChanceEvent& event, std::size_t horizon, Grid most, Grid least,
              const spec::Property& property, RefinedProperty& result) {
  ChanceBounds& c = result.chance.emplace();
  c.most = event.is_formula ? most : kGridOne - least;
  c.least = event.is_formula ? least : kGridOne - most;
  c.claim = property.claim_text();
  c.event = event.text(horizon);
  c.horizon = horizon;
}

/// Fresh runs from the worst prompt met; a rate that the bound excludes is a fault of this program.
void sample(const RefinedInput& input, const RefinedLetters& letters, const spec::Dfa& dfa,
            const ChanceEvent& event, std::size_t horizon, bool upper, const ChanceSearch& search,
            ChanceBounds& c) {
  if (!letters.measured().empty() || horizon > kSampledSteps) {
    return;
  }
  const ChanceSample met = sample_chance(input, letters, dfa, horizon, upper, search.worst_pool());
  c.sampled = met.runs;
  c.hits = event.is_formula ? met.hits : met.runs - met.hits;
  c.sampled_prompt = met.prompt;
  c.interval = automata::clopper_pearson(c.hits, c.sampled, Rational{1, 100});
  const automata::Proportion sure =
      automata::clopper_pearson(c.hits, c.sampled, Rational{1, 1'000'000'000});
  const double unit = 0x1p-40;
  if (sure.lo * 1e-6 > static_cast<double>(c.most) * unit ||
      sure.hi * 1e-6 < static_cast<double>(c.least) * unit) {
    throw Error(ExitCode::internal, "soundness alarm: " + c.claim + ": " + std::to_string(c.hits) +
                                        " of " + std::to_string(c.sampled) +
                                        " sampled runs, outside the proved bounds");
  }
}

std::string obstacle(const RefinedInput& input, const spec::Property& property,
                     const std::optional<ChanceEvent>& event) {
  if (std::string reason = chance_obstacle(*input.runs.subject.spec, property); !reason.empty()) {
    return reason;
  }
  if (!has_most(input.runs.emission)) {
    return "decoder " + input.runs.emission.text() + ": no bound of a probability from lemmas";
  }
  if (!event) {
    return "neither a safety formula nor the opposite of one: no prefix decides it";
  }
  return horizon_of(property, input.runs.max_new)
             ? ""
             : "a bound without a horizon is not decided over boxes of contexts";
}

}  // namespace

RefinedChance::RefinedChance(const RefinedInput& input, const spec::Property& property,
                             spec::Dfa event, std::vector<ViewBox> leaves,
                             std::vector<bounds::Lemma> facts)
    : event_(std::move(event)), leaves_(std::move(leaves)), facts_(std::move(facts)) {
  const Atoms atoms(input.runs.subject);
  const RefinedLetters letters(input.runs.subject, atoms, event_);
  const std::size_t V = letters.vocabulary();
  require(!leaves_.empty() && event_.has_bad() && !event_.bad[0], "RefinedChance: nothing to show");
  for (std::uint32_t t = 0; t < V; ++t) {
    ViewBox all = every_view(V, leaves_.front().back.size());
    all.back[0] = TokenBits(V);
    all.back[0].set(t);
    std::vector<const ViewBox*> list;
    for (const ViewBox& leaf : leaves_) {
      if (leaf.back[0].test(t)) {
        list.push_back(&leaf);
      }
    }
    std::size_t work = kCoverWork;
    const auto left = uncovered(all, list, work);
    require(left && left->empty(), "RefinedChance: a view that lies in no box");
  }
  const std::vector<ChanceLeaf> rows = rows_of(input, leaves_, facts_, V);
  const ChanceThreshold threshold = threshold_of(property, *event_of(property.formula));
  const std::size_t horizon = *horizon_of(property, input.runs.max_new);
  const LeafChain chain(rows, letters, event_);
  const std::vector<Grid> r = chain.values(horizon, threshold.wants_upper()).back()[0];
  for (const ViewBox& prompt : prompt_boxes(input.runs.prompts, V, leaves_.front().back.size())) {
    for (std::size_t l = 0; l < leaves_.size(); ++l) {
      require(!meets(prompt, leaves_[l]) || threshold.holds_of(r[l]),
              "RefinedChance: the bound does not show the claim");
    }
  }
}

void decide_refined_chance(const RefinedInput& input, const spec::Property& property,
                           const Atoms& atoms, bounds::LemmaBounder& bounder,
                           RefinedProperty& result) {
  const std::optional<ChanceEvent> event = event_of(property.formula);
  if (const std::string reason = obstacle(input, property, event); !reason.empty()) {
    result.verdict = Unknown{reason, "a horizon, or an engine for this kind of claim"};
    return;
  }
  const spec::Dfa dfa = spec::bad_prefix_dfa(event->monitor);
  result.dfa_states = dfa.states;
  if (!dfa.has_bad() || dfa.bad[0]) {
    result.verdict = Unknown{"true or false of every run by itself: a bound would say nothing",
                             "a property that some run satisfies and some run violates"};
    return;
  }
  const std::size_t horizon = *horizon_of(property, input.runs.max_new);
  const RefinedLetters letters(input.runs.subject, atoms, dfa);
  const ChanceThreshold threshold = threshold_of(property, *event);
  const bool upper = threshold.wants_upper();
  ChanceSearch search(input, letters, dfa, horizon, threshold, bounder, result);
  search.run();
  const Grid decides = search.bound(upper);
  const Grid other = search.bound(!upper);
  describe(*event, horizon, upper ? decides : other, upper ? other : decides, property, result);
  result.chance->edges = search.links();
  sample(input, letters, dfa, *event, horizon, upper, search, *result.chance);
  if (!threshold.holds_of(decides)) {
    result.verdict = Unknown{"the bound over " + std::to_string(search.leaves().size()) +
                                 " boxes of contexts does not show the claim",
                             "a larger budget (--lemmas), a shorter horizon or a weaker threshold"};
    return;
  }
  std::vector<ViewBox> boxes;
  std::vector<bool> used(search.facts().size(), false);
  for (const ChanceLeaf& leaf : search.leaves()) {
    boxes.push_back(leaf.box);
    for (const std::uint32_t fact : leaf.fact) {
      if (fact != ChanceLeaf::kNoFact) {
        used[fact] = true;
      }
    }
  }
  std::vector<bounds::Lemma> facts;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) {
      facts.push_back(search.facts()[i]);
    }
  }
  result.lemmas = facts.size();
  result.verdict = RefinedChance(input, property, dfa, std::move(boxes), std::move(facts));
}

}  // namespace assay::verify
