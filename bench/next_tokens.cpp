// Next tokens u with P(u | suffix, any earlier tokens) <= limit, proved; or attained above it by a context.
//   bench_next_tokens MODEL FILE [NODES [LIMIT]]
// MODEL: one layer, no final LayerNorm, contexts of any length; FILE: lines "suffix ID…" (the states) and
// "tail ID…" (earlier tokens, nearest first, for the attack). For a mixture q of the other tokens, with
// sum_{y != u} e^{l_y} >= e^{<q,l> + H(q)} (Jensen),
//   NEXT-TOKEN   l_u - <q,l> <= U in every context   |-   P(u) <= 1/(1 + e^{H(q) - U})
// U is the bound of `assay bound`, outward-rounded, from one case and then from NODES of them; q moves towards
// what wins where the attack on it ends. The attack: the tails, constant tails, random ones, then
// coordinate ascent; an attained value is replayed by the reference forward pass. One JSON line per suffix.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "../src/bounds/branch.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"
#include "assay/model/forward.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

constexpr std::uint32_t kWhole = 1U << 16U;
constexpr std::size_t kRivals = 24;
constexpr std::size_t kHard = 8;      // contexts whose mean is the first mixture
constexpr std::size_t kRandom = 192;  // random tails
constexpr int kRounds = 6;
constexpr int kSweeps = 2;

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
    chances_ = chances(tails_);
  }

  enum class Answer { proved, attained, open };

  Answer answer(std::uint32_t token, double limit, std::size_t nodes) {
    const Eigen::Index u = index(token);
    std::vector<std::size_t> order(tails_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
    }
    std::partial_sort(order.begin(), order.begin() + kHard, order.end(), [&](auto a, auto b) {
      return chances_(index(a), u) > chances_(index(b), u);
    });
    if (is_attained(tails_[order[0]], token, limit)) {
      return Answer::attained;
    }
    Row shares = Row::Zero(index(net_.model->config.d_vocab_out));
    for (std::size_t i = 0; i < kHard; ++i) {
      shares += without(chances_.row(index(order[i])), u) / kHard;
    }
    std::pair<double, Mixture> best{std::numeric_limits<double>::infinity(), {}};
    for (int round = 0; round < kRounds; ++round) {
      const Mixture mixture = to_mixture(shares, token);
      const Target target = target_of(net_, token, mixture);
      const BranchResult bound = branch(domain_, target, {.nodes = 1, .enumerate = 0}, 1);
      if (is_below(bound.hi, mixture, limit)) {
        return Answer::proved;
      }
      const double excess = bound.hi - entropy(mixture).lo;
      if (excess < best.first) {
        best = {excess, mixture};
      }
      Tail tail(bound.context.rbegin() + static_cast<std::ptrdiff_t>(known_.size()),
                bound.context.rend());
      tail.resize(std::min(tail.size(), free_));
      const Row at = chances({tail}).row(0);
      const double step = 2.0 / (3.0 + round);
      shares = (1 - step) * shares + step * without(at, u);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      if (is_attained(ascend(tails_[order[i]], token), token, limit)) {
        return Answer::attained;
      }
    }
    const Target target = target_of(net_, token, best.second);
    const bool is_proved =
        nodes > 1 && is_below(branch(domain_, target, {.nodes = nodes, .enumerate = 0}, nodes).hi,
                              best.second, limit);
    return is_proved ? Answer::proved : Answer::open;
  }

 private:
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

  [[nodiscard]] Rows chances(const std::vector<Tail>& tails) const {
    Rows mid(index(tails.size()), index(net_.d));
    for (std::size_t i = 0; i < tails.size(); ++i) {
      const std::vector<TokenId> tokens = back(tails[i]);
      mid.row(index(i)) = nearest_mid(
          work_->ready(), std::vector<const std::vector<TokenId>*>(net_.heads, &tokens));
    }
    return softmax(logits(mid));
  }

  [[nodiscard]] bool is_attained(const Tail& tail, std::uint32_t token, double limit) const {
    std::vector<TokenId> context = back(tail);
    std::reverse(context.begin(), context.end());
    const std::vector<double> l = next_logits(model_, context);
    const double top = *std::max_element(l.begin(), l.end());
    double sum = 0;
    for (const double x : l) {
      sum += std::exp(x - top);
    }
    return std::exp(l[token] - top) / sum > limit * (1 + 1e-9);
  }

  /// One token at a time, the best for P(token).
  [[nodiscard]] Tail ascend(Tail tail, std::uint32_t token) const {
    tail.resize(free_, TokenId(std::size_t{known_.back()}));
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      for (std::size_t j = 0; j < free_; ++j) {
        std::vector<Tail> next(net_.vocab, tail);
        for (std::size_t u = 0; u < net_.vocab; ++u) {
          next[u][j] = TokenId(u);
        }
        Eigen::Index best = 0;
        chances(next).col(index(token)).maxCoeff(&best);
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
  Rows chances_;
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
