#include "assay/verify/run_attack.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <queue>

#include "assay/automata/sampler.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "exact_certificate.hpp"
#include "replay.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kElite = 64;      ///< tries kept
constexpr double kPreference = 12;      ///< of a token for each letter nearer to bad
constexpr std::size_t kFar = 1000;      ///< distance of a state that cannot turn bad
constexpr std::size_t kMostReplays = 50;
constexpr double kInf = std::numeric_limits<double>::infinity();

/// The bad-prefix automaton, with how far each state is from bad and what each token may lead to.
class Monitor {
 public:
  Monitor(const spec::FormulaPtr& formula, const Atoms& atoms, const spec::Spec& spec,
          std::size_t vocabulary)
      : dfa_(spec::bad_prefix_dfa(formula)), distance_(dfa_.states, kFar) {
    for (std::size_t i = 0; i < dfa_.atoms.size(); ++i) {
      used_ |= std::uint64_t{1} << dfa_.atoms[i];
      const spec::Atom::Kind kind = spec.atoms[dfa_.atoms[i]].kind;
      const bool by_token =
          kind == spec::Atom::Kind::token_in || kind == spec::Atom::Kind::token_is;
      free_ |= by_token ? 0 : std::size_t{1} << i;
    }
    for (std::size_t t = 0; t < vocabulary; ++t) {
      std::size_t letter = 0;
      for (std::size_t i = 0; i < dfa_.atoms.size(); ++i) {
        const bool by_token = ((free_ >> i) & 1U) == 0;
        letter |= by_token && atoms.token_truth(dfa_.atoms[i], TokenId(t)) ? std::size_t{1} << i : 0;
      }
      letter_.push_back(letter);
    }
    measure();
  }

  [[nodiscard]] std::uint64_t used() const { return used_; }
  [[nodiscard]] bool reads_activations() const { return free_ != 0; }
  [[nodiscard]] bool has_bad() const { return distance_[0] < kFar; }
  [[nodiscard]] bool is_bad(std::uint32_t state) const { return dfa_.bad[state]; }
  [[nodiscard]] std::uint32_t next(std::uint32_t state, std::uint64_t all) const {
    return dfa_.next(state, dfa_.project(all));
  }
  /// Letters to bad after this token, at best.
  [[nodiscard]] std::size_t after(std::uint32_t state, std::size_t token) const {
    std::size_t best = kFar;
    // Every way the activations can be: the subsets of `free_`, added to what the token says.
    for (std::size_t rest = free_;; rest = (rest - 1) & free_) {
      best = std::min(best, distance_[dfa_.next(state, letter_[token] | rest)]);
      if (rest == 0) {
        return best;
      }
    }
  }

 private:
  /// Breadth first from the bad states, over letters that some token has.
  void measure() {
    std::vector<std::vector<std::uint32_t>> before(dfa_.states);
    std::vector<std::size_t> letters = letter_;
    std::sort(letters.begin(), letters.end());
    letters.erase(std::unique(letters.begin(), letters.end()), letters.end());
    for (std::uint32_t s = 0; s < dfa_.states; ++s) {
      for (const std::size_t letter : letters) {
        for (std::size_t rest = free_;; rest = (rest - 1) & free_) {
          before[dfa_.next(s, letter | rest)].push_back(s);
          if (rest == 0) {
            break;
          }
        }
      }
    }
    std::queue<std::uint32_t> open;
    for (std::uint32_t s = 0; s < dfa_.states; ++s) {
      if (dfa_.bad[s]) {
        distance_[s] = 0;
        open.push(s);
      }
    }
    for (; !open.empty(); open.pop()) {
      for (const std::uint32_t s : before[open.front()]) {
        if (distance_[s] == kFar) {
          distance_[s] = distance_[open.front()] + 1;
          open.push(s);
        }
      }
    }
  }

  spec::Dfa dfa_;
  std::uint64_t used_ = 0;
  std::size_t free_ = 0;  ///< letter bits that activations decide
  std::vector<std::size_t> letter_;    ///< [tokens], those bits 0
  std::vector<std::size_t> distance_;  ///< [states]
};

/// How a token stands to the decoder's cut, in nats; nothing where the cut is no difference of logits.
std::optional<double> lead(const automata::Emission& emission, std::span<const double> logits,
                           std::size_t token) {
  using Kind = automata::Emission::Kind;
  if (emission.mask() != automata::Emission::Mask::none) {
    return std::nullopt;
  }
  if (emission.kind() == Kind::top_k && emission.k() < logits.size()) {
    std::vector<double> others(logits.begin(), logits.end());
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(token));
    const auto kth = others.begin() + static_cast<std::ptrdiff_t>(emission.k() - 1);
    std::nth_element(others.begin(), kth, others.end(), std::greater<>());
    return logits[token] - *kth;
  }
  if (emission.kind() != Kind::greedy && emission.kind() != Kind::min_p) {
    return std::nullopt;
  }
  double rival = -kInf;
  for (std::size_t y = 0; y < logits.size(); ++y) {
    rival = y == token ? rival : std::max(rival, logits[y]);
  }
  return logits[token] - rival - emission.cut().hi;
}

struct Try {
  std::vector<TokenId> prompt, tokens;
  double lead = -kInf;
};

class Attack {
 public:
  Attack(const AttackInput& input, const Atoms& atoms, const automata::Sampler& sampler,
         const spec::Property& property, std::uint64_t seed)
      : input_(input),
        atoms_(atoms),
        sampler_(sampler),
        property_(property),
        vocabulary_(input.subject.model->config.d_vocab),
        monitor_(property.formula, atoms, *input.subject.spec, vocabulary_),
        hooks_(atoms.hooks(monitor_.used())),
        rule_(input.emission.rule()),
        length_(std::min(input.length, input.max_new.value_or(input.length))),
        random_(seed) {
    out_.name = property.name;
  }

  AttackResult run() {
    if (!monitor_.has_bad()) {
      out_.skipped = "no run can make it bad";
      return std::move(out_);
    }
    const auto start = std::chrono::steady_clock::now();
    Progress progress("attack " + out_.name, input_.steps);
    while (!out_.violated && out_.steps < input_.steps && out_.ties < kMostReplays) {
      out_.seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (interrupted() || (input_.seconds > 0 && out_.seconds >= input_.seconds)) {
        break;
      }
      ++out_.tries;
      const bool fresh = elite_.empty() || random_.unit() < 0.5;
      attempt(fresh ? Try{new_prompt(), {}, -kInf} : changed(elite_[random_.below(elite_.size())]));
      progress.update(std::min(out_.steps, input_.steps));
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] TokenId from_set(std::size_t position) {
    if (input_.prompts.any()) {
      return TokenId(random_.below(vocabulary_));
    }
    const auto& set = input_.prompts.sets[position];
    return set[random_.below(set.size())];
  }

  std::vector<TokenId> new_prompt() {
    const bool any = input_.prompts.any();
    const std::size_t n =
        any ? 1 + random_.below(input_.prompts.max_length) : input_.prompts.sets.size();
    std::vector<TokenId> out;
    for (std::size_t i = 0; i < n; ++i) {
      // What makes the property bad, when generated, is likely to make it likely, when given.
      out.push_back(any && random_.unit() < 0.3 ? preferred(std::vector<double>(vocabulary_, 1.0), 0)
                                                : from_set(i));
    }
    return out;
  }

  Try changed(Try t) {
    const std::size_t n = t.prompt.size();
    if (input_.prompts.any() && random_.unit() < 0.2) {
      if (random_.unit() < 0.5 && n < input_.prompts.max_length) {
        t.prompt.insert(t.prompt.begin(), from_set(0));
      } else if (n > 1) {
        t.prompt.erase(t.prompt.begin());
      }
    }
    for (std::size_t changes = 1 + random_.below(2); changes > 0; --changes) {
      const std::size_t near = std::min<std::size_t>(t.prompt.size(), 12);  // the end counts most
      const std::size_t at = t.prompt.size() - 1 - random_.below(near);
      t.prompt[at] = from_set(at);
    }
    return t;
  }

  /// A token by weight and by how near it brings the monitor to bad.
  TokenId preferred(std::vector<double> weights, std::uint32_t state) {
    double total = 0;
    for (std::size_t t = 0; t < weights.size(); ++t) {
      weights[t] *= weights[t] == 0
                        ? 0
                        : std::pow(kPreference, -static_cast<double>(std::min<std::size_t>(
                                                     monitor_.after(state, t), 8)));
      total += weights[t];
    }
    double u = random_.unit() * total;
    std::size_t last = 0;
    for (std::size_t t = 0; t < weights.size(); ++t) {
      if (weights[t] > 0) {
        last = t;
        u -= weights[t];
        if (u < 0) {
          break;
        }
      }
    }
    return TokenId(last);
  }

  /// Runs one try; what it follows is taken along where the decoder allows it.
  void attempt(const Try& plan) {
    Try now{plan.prompt, {}, -kInf};
    std::vector<TokenId> context = plan.prompt;
    std::uint32_t state = 0;
    while (now.tokens.size() < length_ && out_.steps < input_.steps) {
      const std::vector<double> logits = sampler_.next_logits(context);
      ++out_.steps;
      const TokenLaw law = token_law(rule_, logits);
      std::vector<double> support(vocabulary_, 0.0);
      for (const TokenId t : law.tokens) {
        if (t.at() < vocabulary_) {
          support[t.at()] = 1;
        }
      }
      if (std::all_of(support.begin(), support.end(), [](double p) { return p == 0; })) {
        break;
      }
      if (!monitor_.reads_activations()) {
        look_at_brink(now, state, logits, support);
        if (out_.violated) {
          return;
        }
      }
      const std::size_t i = now.tokens.size();
      const bool follow = i < plan.tokens.size() && support[plan.tokens[i].at()] > 0 &&
                          random_.unit() < 0.95;
      const TokenId token = follow ? plan.tokens[i] : preferred(std::move(support), state);
      now.tokens.push_back(token);
      context.push_back(token);
      state = monitor_.next(state, letter(context));
      if (monitor_.is_bad(state)) {
        try_replay(now);
        return;
      }
    }
  }

  [[nodiscard]] std::uint64_t letter(const std::vector<TokenId>& context) const {
    ForwardPass pass;
    std::size_t row = 0;
    if (!hooks_.empty()) {
      const std::vector<TokenId> end = relevant(*input_.subject.model, context);
      pass = forward(*input_.subject.model, end, hooks_);
      row = end.size() - 1;
    }
    return atoms_.nominal(monitor_.used(), context.back(), pass, row);
  }

  /// Bad tokens that may come next: their lead over the cut; a violation when one is in the support.
  void look_at_brink(Try& now, std::uint32_t state, const std::vector<double>& logits,
                     const std::vector<double>& support) {
    double best = -kInf;
    bool brink = false;
    for (std::size_t t = 0; t < vocabulary_; ++t) {
      if (monitor_.after(state, t) != 0) {
        continue;
      }
      brink = true;
      best = std::max(best, lead(input_.emission, logits, t).value_or(-kInf));
      if (support[t] > 0) {
        Try bad = now;
        bad.tokens.emplace_back(t);
        try_replay(bad);
        if (out_.violated) {
          return;
        }
      }
    }
    if (!brink) {
      return;
    }
    ++out_.brinks;
    now.lead = best;
    keep(now);
  }

  void keep(const Try& now) {
    if (now.lead == -kInf) {
      return;
    }
    if (!out_.nearest || now.lead > *out_.nearest) {
      out_.nearest = now.lead;
      out_.nearest_prompt = now.prompt;
      out_.nearest_run = now.tokens;
    }
    const auto at = std::find_if(elite_.begin(), elite_.end(),
                                 [&](const Try& t) { return t.lead <= now.lead; });
    if (at == elite_.end() ? elite_.size() < kElite : at->lead < now.lead) {
      elite_.insert(at, now);
      elite_.resize(std::min(elite_.size(), kElite));
    }
  }

  void try_replay(const Try& bad) {
    const auto surely = [this](std::span<const Interval> logits, TokenId token) {
      std::vector<double> lo, hi;
      for (const Interval& l : logits) {
        lo.push_back(l.lo);
        hi.push_back(l.hi);
      }
      std::vector<automata::Edge> edges(logits.size());
      input_.emission.decide(lo, hi, edges);
      return edges[token.at()] == automata::Edge::witnessed;
    };
    Replay r = replay(input_.subject, atoms_, property_.formula,
                      Candidate{bad.prompt, bad.tokens, bad.tokens.size(), surely});
    if (r.violated) {
      out_.violated = std::move(r.violated);
      out_.prompt = bad.prompt;
    } else {
      ++out_.ties;
    }
  }

  const AttackInput& input_;
  const Atoms& atoms_;
  const automata::Sampler& sampler_;
  const spec::Property& property_;
  std::size_t vocabulary_;
  Monitor monitor_;
  std::vector<std::string> hooks_;
  DecoderRule rule_;
  std::size_t length_;
  Random random_;
  std::vector<Try> elite_;  ///< best first
  AttackResult out_;
};

}  // namespace

std::vector<AttackResult> attack_runs(const AttackInput& input) {
  const Atoms atoms(input.subject);
  const automata::Sampler sampler(*input.subject.model);
  for (const std::string& name : input.subject.properties) {
    const auto& all = input.subject.spec->properties;
    if (std::none_of(all.begin(), all.end(),
                     [&](const spec::Property& p) { return p.name == name; })) {
      throw UsageError("--prop: the spec has no property " + name);
    }
  }
  std::vector<AttackResult> out;
  for (std::size_t i = 0; i < input.subject.spec->properties.size(); ++i) {
    const spec::Property& property = input.subject.spec->properties[i];
    const auto& only = input.subject.properties;
    if (!only.empty() && std::find(only.begin(), only.end(), property.name) == only.end()) {
      continue;
    }
    if (const std::string why = spec::beyond_universal(*input.subject.spec, property);
        !why.empty()) {
      out.push_back({});
      out.back().name = property.name;
      out.back().skipped = why;
      continue;
    }
    out.push_back(Attack(input, atoms, sampler, property, input.seed + i).run());
  }
  return out;
}

std::string runs_statement(const AttackInput& input) {
  ExactInput runs;
  runs.subject = input.subject;
  runs.emission = input.emission;
  runs.prompts = input.prompts;
  runs.max_new = input.max_new;
  return runs_text(runs);
}

}  // namespace assay::verify
