// Next tokens u with P(u | suffix, any earlier tokens) <= limit, proved; or attained above it by a context.
//   bench_next_tokens MODEL FILE [NODES [LIMIT]]
// MODEL: one layer, no final LayerNorm, contexts of any length; FILE: lines "suffix ID…" (the states) and
// "tail ID…" (earlier tokens, nearest first, for the attack). For a mixture q of the other tokens, with
// sum_{y != u} e^{l_y} >= e^{<q,l> + H(q)} (Jensen),
//   NEXT-TOKEN   l_u - <q,l> <= U in every context   |-   P(u) <= 1/(1 + e^{H(q) - U})
// U is the bound of `assay bound`, outward-rounded. The contexts are divided into cases as there, but each case has
// a mixture of its own: P(u) <= limit in every case is P(u) <= limit. NODES bounds a token may be asked for, those
// that look for mixtures included; q moves towards the logits at the bound's maximiser (Frank-Wolfe on the log odds
// of u at averaged logits, which no mixture can be below). The attack: the tails, constant tails, random
// ones, the cases' maximisers, then coordinate ascent; an attained value is replayed by the reference forward pass.
// One JSON line per suffix.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <sstream>

#include "../src/bounds/split_choice.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"
#include "assay/model/forward.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

constexpr std::uint32_t kWhole = 1U << 16U;
constexpr std::size_t kRivals = 24;
constexpr std::size_t kHard = 8;                     // contexts whose mean is the first mixture
constexpr std::size_t kRandom = 192;                 // random tails
constexpr int kRootRounds = 10;                      // mixtures of the whole domain
constexpr int kRounds = 2;                           // of a case
constexpr std::size_t kRootSteps = 64, kSteps = 16;  // of the slopes' descent
constexpr std::size_t kStarts = 12;                  // of the coordinate ascent
constexpr int kSweeps = 4;

using Tail = std::vector<TokenId>;  // nearest first

struct Question {
  std::vector<std::vector<std::uint32_t>> suffixes;
  std::vector<Tail> tails;
};

Question read_question(const char* path, std::size_t vocab) {
  std::ifstream in(path);
  Question question;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    std::vector<std::uint32_t> ids;
    for (std::uint32_t id = 0; words >> id;) {
      require(id < vocab, "bench_next_tokens: a token beyond the vocabulary");
      ids.push_back(id);
    }
    if (kind == "suffix") {
      question.suffixes.push_back(ids);
    } else {
      require(kind == "tail", "bench_next_tokens: lines are suffix ID… or tail ID…");
      question.tails.emplace_back(ids.begin(), ids.end());
    }
  }
  return question;
}

/// Weights of 2^-16 that sum to 1 on tokens other than the one asked about.
struct Mixture {
  std::vector<std::uint32_t> tokens, weights;
};

Mixture to_mixture(const Row& shares, std::uint32_t token) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t y = 0; y < shares.size(); ++y) {
    if (y != token) {
      order.push_back(y);
    }
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return shares(index(a)) > shares(index(b)); });
  order.resize(std::min(order.size(), kRivals));
  double total = 0;
  for (const std::uint32_t y : order) {
    total += shares(index(y));
  }
  Mixture mixture;
  std::uint32_t given = 0;
  for (const std::uint32_t y : order) {
    const auto weight = static_cast<std::uint32_t>(std::floor(shares(index(y)) / total * kWhole));
    if (weight > 0) {
      mixture.tokens.push_back(y);
      mixture.weights.push_back(weight);
      given += weight;
    }
  }
  if (mixture.tokens.empty()) {
    mixture = {{order.front()}, {0}};
  }
  mixture.weights.front() += kWhole - given;
  return mixture;
}

Interval entropy(const Mixture& mixture) {
  Interval sum(0.0);
  for (const std::uint32_t w : mixture.weights) {
    const Interval share(static_cast<double>(w) * 0x1p-16);
    sum += share * log(share);
  }
  return -sum;
}

/// l_u - <q, l>
Target target_of(const Network& net, std::uint32_t token, const Mixture& mixture) {
  std::vector<Interval> delta;
  for (std::size_t i = 0; i < net.d; ++i) {
    delta.emplace_back(net.W_U(index(i), index(token)));
  }
  Interval offset(net.b_U(index(token)));
  for (std::size_t r = 0; r < mixture.tokens.size(); ++r) {
    const Interval w(static_cast<double>(mixture.weights[r]) * 0x1p-16);
    const Eigen::Index y = index(mixture.tokens[r]);
    offset = offset - w * Interval(net.b_U(y));
    for (std::size_t i = 0; i < net.d; ++i) {
      delta[i] = delta[i] - w * Interval(net.W_U(index(i), y));
    }
  }
  Target target;
  target.fold = {std::vector<Interval>(net.f, Interval(0.0)), delta, offset};
  for (std::size_t i = 0; i < net.d; ++i) {
    target.fold.const0 += Interval(net.b_out(index(i))) * delta[i];
  }
  for (std::size_t j = 0; j < net.f; ++j) {
    for (std::size_t i = 0; i < net.d; ++i) {
      target.fold.kappa[j] += Interval(net.W_out(index(j), index(i))) * delta[i];
    }
  }
  return target;
}

class State {
 public:
  State(const Transformer& model, const Network& net, const std::vector<std::uint32_t>& suffix,
        const std::vector<Tail>& tails)
      : model_(model),
        net_(net),
        domain_(net, any_length_domain(model, suffix)),
        work_(domain_.work(domain_.root())),
        known_(suffix.rbegin(), suffix.rend()),
        free_(net.window - suffix.size()) {
    tails_.emplace_back();
    for (std::uint32_t u = 0; u < net.vocab; ++u) {
      tails_.emplace_back(free_, TokenId(std::size_t{u}));
    }
    for (const Tail& tail : tails) {
      tails_.emplace_back(tail.begin(),
                          tail.begin() + static_cast<std::ptrdiff_t>(std::min(free_, tail.size())));
    }
    Random random(1);
    for (std::size_t i = 0; i < kRandom; ++i) {
      Tail tail;
      for (std::size_t j = 0; j < free_; ++j) {
        tail.emplace_back(static_cast<std::size_t>(random.below(net.vocab)));
      }
      tails_.push_back(tail);
    }
    logits_ = logits_of(tails_);
    chances_ = softmax(logits_);
  }

  enum class Answer { proved, attained, open };

  Answer answer(std::uint32_t token, double limit, std::size_t nodes) {
    token_ = token;
    limit_ = limit;
    left_ = nodes;
    const std::vector<std::size_t> order = hardest();
    if (is_attained(tails_[order[0]])) {
      return Answer::attained;
    }
    Row logits = Row::Zero(logits_.cols());
    for (std::size_t i = 0; i < kHard; ++i) {
      logits += logits_.row(index(order[i])) / kHard;
    }
    Case root{{domain_.root(), {}, std::nullopt, 0, {}, {}}, {}, logits, 0, false, {}};
    bound(root, nullptr, kRootRounds, kRootSteps);
    if (root.is_proved) {
      return Answer::proved;
    }
    for (std::size_t i = 0; i < kStarts; ++i) {
      if (is_attained(ascend(tails_[order[i]]))) {
        return Answer::attained;
      }
    }
    return search(std::move(root));
  }

 private:
  struct Case {
    BranchNode node;  ///< its bound: of l_u - <mixture, l>
    Mixture mixture;
    Row logits;         ///< the mixture is their softmax without u
    double excess = 0;  ///< of the bound over what the limit asks for
    bool is_proved = false;
    Tail maximiser;
  };

  /// Cases, the largest excess first, until all are proved or the budget is spent.
  Answer search(Case root) {
    std::vector<Case> open;
    open.push_back(std::move(root));
    const auto is_less = [](const Case& a, const Case& b) { return a.excess < b.excess; };
    while (!open.empty() && left_ > 0) {
      std::pop_heap(open.begin(), open.end(), is_less);
      const Case above = std::move(open.back());
      open.pop_back();
      const Target target = target_of(net_, token_, above.mixture);
      const Split split =
          SplitChoice(domain_, target).choose(above.node, above.node.hi - above.excess, left_);
      if (split.by == Split::By::none) {
        return Answer::open;
      }
      for (BranchNode& part : parts_of(above.node, split)) {
        Case next{std::move(part), {}, above.logits, 0, false, {}};
        bound(next, &above, kRounds, kSteps);
        if (is_attained(next.maximiser)) {
          return Answer::attained;
        }
        if (!next.is_proved) {
          open.push_back(std::move(next));
          std::push_heap(open.begin(), open.end(), is_less);
        }
      }
    }
    return open.empty() ? Answer::proved : Answer::open;
  }

  /// The best of `rounds` mixtures for the case; the first is that of its logits.
  void bound(Case& at, const Case* above, int rounds, std::size_t steps) {
    const auto work =
        domain_.work(at.node.box, above != nullptr ? domain_.work(above->node.box) : nullptr);
    const double odds = (log(Interval(limit_) / (Interval(1.0) - Interval(limit_)))).lo;
    Row logits = at.logits;
    at.excess = std::numeric_limits<double>::infinity();
    for (int round = 0; round < rounds && !at.is_proved; ++round) {
      const Mixture mixture = to_mixture(without(softmax(logits), index(token_)), token_);
      CaseBound found =
          bound_case(*work, target_of(net_, token_, mixture), at.node.neurons, {steps, nullptr});
      left_ -= std::min<std::size_t>(left_, 1);
      const double excess = found.hi - odds - entropy(mixture).lo;
      const std::vector<TokenId>& back = found.maxima.front().back;
      const Tail maximiser(
          back.begin() + static_cast<std::ptrdiff_t>(std::min(back.size(), known_.size())),
          back.end());
      const Row next = towards(logits, logits_of({maximiser}).row(0), 1.0 / (4.0 + round));
      if (excess < at.excess) {
        at.excess = excess;
        at.is_proved = is_below(found.hi, mixture, limit_);
        at.mixture = mixture;
        at.logits = logits;
        at.maximiser = maximiser;
        at.node.hi = found.hi;
        at.node.bound = std::move(found);
      }
      logits = next;
    }
  }

  /// The point between with the largest log odds of u, or else a step of `least`.
  [[nodiscard]] Row towards(const Row& from, const Row& to, double least) const {
    const auto between = [&](double t) -> Row { return (1 - t) * from + t * to; };
    double best = 0;
    for (int i = 1; i <= 20; ++i) {
      if (log_odds(between(i / 20.0)) > log_odds(between(best))) {
        best = i / 20.0;
      }
    }
    return between(best > 0 ? best : least);
  }

  [[nodiscard]] double log_odds(Row logits) const {
    const double own = logits(index(token_));
    logits(index(token_)) = -std::numeric_limits<double>::infinity();
    const double top = logits.maxCoeff();
    return own - top - std::log((logits.array() - top).exp().sum());
  }

  /// The parts cover the case: token sets, lengths, or the signs of a neuron.
  [[nodiscard]] std::vector<BranchNode> parts_of(const BranchNode& node, const Split& split) {
    std::vector<BranchNode> parts;
    const auto add = [&]() -> BranchNode& {
      parts.push_back({node.box, node.neurons, std::nullopt, 0, {}, {}});
      return parts.back();
    };
    if (split.by == Split::By::neuron) {
      for (const int sign : {1, -1}) {
        add().neurons.push_back({split.neuron, sign});
      }
    } else if (split.by == Split::By::token) {
      for (const TokenSet& set : split.sets) {
        add().box.back[split.slot] = domain_.intern(set);
      }
    } else {
      for (const auto& [lo, hi] : {std::pair{node.box.min_length, split.slot},
                                   std::pair{split.slot + 1, node.box.max_length}}) {
        Box& box = add().box;
        box.min_length = lo;
        box.max_length = hi;
        box.back.resize(net_.keys(hi));
      }
    }
    return parts;
  }

  /// Tails by the chance of u after them, the largest first as far as they are used.
  [[nodiscard]] std::vector<std::size_t> hardest() const {
    std::vector<std::size_t> order(tails_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::partial_sort(order.begin(), order.begin() + kStarts, order.end(), [&](auto a, auto b) {
      return chances_(index(a), index(token_)) > chances_(index(b), index(token_));
    });
    return order;
  }

  static Row without(Row shares, Eigen::Index token) {
    shares(token) = 0;
    return shares / std::max(shares.sum(), 1e-300);
  }

  static bool is_below(double hi, const Mixture& mixture, double limit) {
    const Interval odds = Interval(limit) / (Interval(1.0) - Interval(limit));
    return hi < (log(odds) + entropy(mixture)).lo;
  }

  [[nodiscard]] std::vector<TokenId> back(const Tail& tail) const {
    std::vector<TokenId> all;
    for (const std::uint32_t t : known_) {
      all.emplace_back(std::size_t{t});
    }
    all.insert(all.end(), tail.begin(), tail.end());
    return all;
  }

  [[nodiscard]] Rows logits(const Rows& mid) const {
    const Rows post = nearest_neurons(net_, mid).cwiseMax(0.0);
    return ((mid + Rows((post * net_.W_out).rowwise() + net_.b_out)) * net_.W_U).rowwise() +
           net_.b_U;
  }

  static Rows softmax(Rows logits) {
    logits = (logits.colwise() - Eigen::VectorXd(logits.rowwise().maxCoeff())).array().exp();
    const Eigen::VectorXd sums = logits.rowwise().sum();
    return sums.cwiseInverse().asDiagonal() * logits;
  }

  [[nodiscard]] Rows logits_of(const std::vector<Tail>& tails) const {
    Rows mid(index(tails.size()), index(net_.d));
    for (std::size_t i = 0; i < tails.size(); ++i) {
      const std::vector<TokenId> tokens = back(tails[i]);
      mid.row(index(i)) = nearest_mid(
          work_->ready(), std::vector<const std::vector<TokenId>*>(net_.heads, &tokens));
    }
    return logits(mid);
  }

  [[nodiscard]] bool is_attained(const Tail& tail) const {
    std::vector<TokenId> context = back(tail);
    std::reverse(context.begin(), context.end());
    const std::vector<double> l = next_logits(model_, context);
    const double top = *std::max_element(l.begin(), l.end());
    double sum = 0;
    for (const double x : l) {
      sum += std::exp(x - top);
    }
    return std::exp(l[token_] - top) / sum > limit_ * (1 + 1e-9);
  }

  /// One token at a time, the best for P(u).
  [[nodiscard]] Tail ascend(Tail tail) const {
    tail.resize(free_, TokenId(std::size_t{known_.back()}));
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      for (std::size_t j = 0; j < free_; ++j) {
        std::vector<Tail> next(net_.vocab, tail);
        for (std::size_t u = 0; u < net_.vocab; ++u) {
          next[u][j] = TokenId(u);
        }
        Eigen::Index best = 0;
        softmax(logits_of(next)).col(index(token_)).maxCoeff(&best);
        tail = next[static_cast<std::size_t>(best)];
      }
    }
    return tail;
  }

  const Transformer& model_;
  const Network& net_;
  DomainWork domain_;
  std::shared_ptr<CaseWork> work_;
  std::vector<std::uint32_t> known_;
  std::size_t free_;
  std::vector<Tail> tails_;
  Rows logits_, chances_;  ///< after the tails
  // Of the question at hand.
  std::uint32_t token_ = 0;
  double limit_ = 0;
  std::size_t left_ = 0;  ///< nodes
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 5) {
    std::fprintf(stderr, "usage: bench_next_tokens MODEL FILE [NODES [LIMIT]]\n");
    return 2;
  }
  const Transformer model = load_transformer(argv[1]);
  const std::size_t nodes = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1;
  const double limit = argc > 4 ? std::strtod(argv[4], nullptr) : 0.01;
  const Question question = read_question(argv[2], model.config.d_vocab);
  const Network net(model);
  if (net.norm || net.act != ActFn::relu || net.window == 0 || nodes == 0 ||
      !(limit > 0 && limit < 1)) {
    std::fprintf(stderr,
                 "bench_next_tokens: a relu model with a window and no LayerNorm, NODES from 1, "
                 "0 < LIMIT < 1\n");
    return 2;
  }
  for (const std::vector<std::uint32_t>& suffix : question.suffixes) {
    State state(model, net, suffix, question.tails);
    std::size_t counts[3] = {};
    for (std::uint32_t u = 0; u < model.config.d_vocab_out; ++u) {
      ++counts[static_cast<std::size_t>(state.answer(u, limit, nodes))];
    }
    std::printf("{\"suffix\":[");
    for (std::size_t i = 0; i < suffix.size(); ++i) {
      std::printf("%s%u", i == 0 ? "" : ",", suffix[i]);
    }
    std::printf("],\"proved\":%zu,\"attained\":%zu,\"open\":%zu}\n", counts[0], counts[1],
                counts[2]);
    std::fflush(stdout);
  }
  return 0;
}
