#include "chain_exact.hpp"

#include <algorithm>

#include "assay/automata/interval_chain_files.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/random.hpp"
#include "chain_windows.hpp"
#include "exact_search.hpp"

namespace assay::verify {
namespace {

using automata::ChainBound;
using automata::Grid;
using automata::kGridOne;

constexpr std::size_t kMaxWrittenEdges = 5'000'000;
constexpr std::size_t kLowerSteps = 256;  ///< of a lower bound without a horizon
constexpr std::size_t kMaxWork = 4'000'000'000, kCheckedWork = 20'000'000'000;
constexpr std::size_t kSamples = 1000, kSampledSteps = 256;
constexpr Grid kNarrow = kGridOne >> 20U;
constexpr std::size_t kCheckedPairs = 1'000'000, kCheckedEdges = 30'000'000;

class ChanceDecider {
 public:
  ChanceDecider(const ExactInput& input, WindowMachine& machine, const spec::Property& property,
                ExactProperty& result)
      : input_(input), machine_(machine), property_(property), result_(result) {
    input_.max_new = horizon_of(property, input.max_new);
  }

  bool run() {
    const std::optional<ChanceEvent> event = event_of(property_.formula);
    if (!event) {
      result_.verdict =
          Unknown{"neither a safety formula nor the opposite of one: no prefix decides it",
                  "a bound, e.g. F[0:k] or G[0:k]"};
      return false;
    }
    event_ = *event;
    dfa_ = spec::bad_prefix_dfa(event_.monitor);
    result_.dfa_states = dfa_.states;
    if (!dfa_.has_bad() || dfa_.bad[0]) {
      result_.verdict = Unknown{"true or false of every run by itself: a bound would say nothing",
                                "a property that some run satisfies and some run violates"};
      return false;
    }
    ExactSearch search(input_, machine_, dfa_, ExactSearch::Edges::possible);
    search.run([](ExactSearch::PairId) { return false; });
    result_.pairs = search.pairs();
    result_.depth = search.depth();
    if (!search.stopped().empty()) {
      result_.verdict = Unknown{search.stopped(), "a larger budget, fewer prompts or a horizon"};
      return true;
    }
    const WindowChain chain(input_, machine_, dfa_, search);
    count(chain, search);
    write_chain(chain);
    solve(chain);
    decide(chain);
    return false;
  }

 private:
  void count(const WindowChain& chain, const ExactSearch& search) {
    std::vector<WindowMachine::Index> windows;
    for (std::size_t p = 0; p < search.pairs(); ++p) {
      windows.push_back(search.window(static_cast<ExactSearch::PairId>(p)));
    }
    std::sort(windows.begin(), windows.end());
    windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
    result_.states = windows.size();
    for (const WindowMachine::Index w : windows) {
      if (machine_.is_evaluated(w)) {
        const auto edges = machine_.edges(w);
        const auto open = static_cast<std::size_t>(
            std::count_if(edges.begin(), edges.end(), [](auto e) { return (e & 1U) != 0; }));
        result_.absent += machine_.vocabulary() - edges.size();
        result_.open += open;
        result_.witnessed += edges.size() - open;
      }
    }
    edges_ = chain.chain().edges();
  }

  /// The chain with the labels init (where a prompt ends) and event, in Storm's and PRISM's formats.
  void write_chain(const WindowChain& chain) {
    if (input_.export_folder.empty()) {
      return;
    }
    if (edges_ > kMaxWrittenEdges) {
      result_.exported = {"not written: a chain of more than 5,000,000 edges"};
      return;
    }
    automata::LabelledChain labelled{chain.chain(), {{"event", chain.marked()}}};
    std::vector<bool>& init = labelled.labels["init"];
    init.assign(chain.chain().states(), false);
    input_.prompts.for_each_window(machine_.codes(), machine_.vocabulary(),
                                   [&](automata::WindowCode code) {
                                     init[chain.initial(code)] = true;
                                     return true;
                                   });
    const std::string& name = result_.name;
    const automata::PrismFiles prism = automata::to_prism(labelled);
    write_file_atomic(input_.export_folder / (name + ".drn"), automata::to_drn(labelled));
    write_file_atomic(input_.export_folder / (name + ".tra"), prism.tra);
    write_file_atomic(input_.export_folder / (name + ".lab"), prism.lab);
    result_.exported = {name + ".drn", name + ".tra", name + ".lab"};
  }

  void solve(const WindowChain& chain) {
    const std::vector<bool> marked = chain.marked();
    const std::size_t cap = kMaxWork / (edges_ + 1);
    if (input_.max_new) {
      if (*input_.max_new > cap) {
        throw UsageError("horizon: expected at most " + std::to_string(cap) +
                         " steps on a chain of " + std::to_string(edges_) + " edges, found " +
                         std::to_string(*input_.max_new));
      }
      lower_steps_ = *input_.max_new;
      most_ = automata::reach_at_most_within(chain.chain(), marked, lower_steps_);
    } else {
      lower_steps_ = std::min(cap, kLowerSteps);
      most_ = automata::reach_at_most(chain.chain(), marked);
      require(!automata::refuted_upper(chain.chain(), marked, most_.value),
              "decide_chance: an upper bound that does not satisfy its premises");
    }
    least_ = automata::reach_at_least_within(chain.chain(), marked, lower_steps_);
  }

  void decide(const WindowChain& chain) {
    const ChanceThreshold threshold = threshold_of(property_, event_);
    const bool above = threshold.wants_upper();
    Grid most = 0, least = kGridOne;
    automata::WindowCode worst =
        0;  // the prompt whose opposite bound speaks most against the claim
    Grid against = above ? 0 : kGridOne;
    bool any = false;
    input_.prompts.for_each_window(
        machine_.codes(), machine_.vocabulary(), [&](automata::WindowCode code) {
          const std::uint32_t s = chain.initial(code);
          most = std::max(most, most_.value[s]);
          least = std::min(least, least_.value[s]);
          const Grid opposite = above ? least_.value[s] : most_.value[s];
          if (!any || (above ? opposite > against : opposite < against)) {
            against = opposite;
            worst = code;
          }
          any = true;
          return true;
        });
    require(any, "decide_chance: no prompt");
    describe(most, least);
    sample(chain);
    if (threshold.holds_of(above ? most : least)) {
      conclude(chain, true, above, {});
    } else if (!threshold.holds_of(against)) {
      conclude(chain, false, !above, input_.prompts.prompt_of(machine_.codes(), worst));
    } else {
      result_.verdict = Unknown{
          "the threshold lies between the two bounds",
          input_.max_new ? "prompts that differ less" : "a horizon, or prompts that differ less"};
    }
  }

  /// @param upper the bound that decides is an upper one
  void conclude(const WindowChain& chain, bool holds, bool upper, std::vector<TokenId> prompt) {
    ExactChance out;
    out.holds = holds;
    out.event = dfa_;
    out.prompt = std::move(prompt);
    if (upper && !input_.max_new) {
      out.steps = "values";
      for (std::uint32_t s = 2; s < chain.pairs() + 2; ++s) {
        if (most_.value[s] < kGridOne) {
          out.values.push_back(chain.pair(s));
          out.values.back().value = most_.value[s];
        }
      }
    } else {
      out.steps = std::to_string(lower_steps_);
    }
    out.checkable = result_.states <= kCheckedPairs && chain.pairs() <= kCheckedPairs &&
                    edges_ <= kCheckedEdges && lower_steps_ <= kCheckedWork / (edges_ + 1);
    result_.verdict = std::move(out);
  }

  void describe(Grid most, Grid least) {
    ChanceBounds& c = result_.chance.emplace();
    c.most = event_.is_formula ? most : kGridOne - least;
    c.least = event_.is_formula ? least : kGridOne - most;
    c.claim = property_.claim_text();
    c.horizon = input_.max_new;
    c.event = event_.text(input_.max_new);
    c.edges = edges_;
    c.sweeps = most_.sweeps;
  }

  ExactInput input_;  ///< with the horizon
  WindowMachine& machine_;
  const spec::Property& property_;
  ExactProperty& result_;
  ChanceEvent event_;
  spec::Dfa dfa_;
  /// Runs of the model where every interval on the way is narrow: drawn from the middles, which
  /// differ from the model's distribution by less than kNarrow a step.
  void sample(const WindowChain& chain) {
    if (!input_.max_new || *input_.max_new > kSampledSteps) {
      return;
    }
    automata::WindowCode prompt = 0;
    std::optional<Grid> largest;
    input_.prompts.for_each_window(
        machine_.codes(), machine_.vocabulary(), [&](automata::WindowCode code) {
          const std::uint32_t s = chain.initial(code);
          const Grid bound = event_.is_formula ? most_.value[s] : kGridOne - least_.value[s];
          if (!largest || bound > *largest) {
            largest = bound;
            prompt = code;
          }
          return true;
        });
    Random random(1);
    std::size_t reached = 0;
    for (std::size_t run = 0; run < kSamples; ++run) {
      std::uint32_t s = chain.initial(prompt);
      for (std::size_t n = 0; n < *input_.max_new && s > WindowChain::kSettled; ++n) {
        const auto row = chain.chain().row(s);
        Grid spread = 0, total = 0;
        for (const automata::ChainEdge& e : row) {
          spread += e.hi - e.lo;
          total += e.lo + e.hi;
        }
        if (spread > kNarrow) {
          return;  // open tokens or letters: nothing to draw from
        }
        Grid left = random.below(total);
        std::size_t i = 0;
        for (; i + 1 < row.size() && left >= row[i].lo + row[i].hi; ++i) {
          left -= row[i].lo + row[i].hi;
        }
        s = row[i].to;
      }
      reached += s == WindowChain::kReached ? 1 : 0;
    }
    ChanceBounds& c = *result_.chance;
    c.sampled = kSamples;
    c.hits = event_.is_formula ? reached : kSamples - reached;
    c.sampled_prompt = input_.prompts.prompt_of(machine_.codes(), prompt);
    c.interval = automata::clopper_pearson(c.hits, c.sampled, Rational{1, 100});
  }

  ChainBound most_, least_;
  std::size_t edges_ = 0, lower_steps_ = 0;
};

}  // namespace

bool decide_chance(const ExactInput& input, WindowMachine& machine, const spec::Property& property,
                   ExactProperty& result) {
  if (const std::string reason = chance_obstacle(*input.subject.spec, property); !reason.empty()) {
    result.verdict = Unknown{reason, "an engine for this kind of claim"};
    return false;
  }
  try {
    return ChanceDecider(input, machine, property, result).run();
  } catch (const UsageError& e) {  // over a limit: the property has no verdict
    result.verdict = Unknown{e.what(), "a smaller property"};
    return false;
  }
}

}  // namespace assay::verify
