#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "remedy.hpp"

namespace assay::certify {
namespace {

constexpr std::size_t kSeeds = 4;  ///< steps of the counterexample that masks begin with

/// One point i of the grid resolution, 2 resolution, …, which `to` closes.
Rational grid_point(const RepairOptions& o, std::int64_t i) {
  const std::int64_t num = o.resolution.num * i, den = o.resolution.den;
  const std::int64_t common = std::gcd(num, den);
  const Rational at{num / common, den / common};
  return at.nearest() < o.to.nearest() ? at : o.to;
}

/// The largest min-p with which the run is emitted still, in double: nothing at or below it can hold.
double replays_up_to(const Repair& repair, const Trial& violated) {
  if (violated.run.empty() || repair.decoder.find(":before") != std::string::npos) {
    return 0;
  }
  std::vector<TokenId> tokens = violated.prompt;
  tokens.insert(tokens.end(), violated.run.begin(), violated.run.end());
  const Matrix logits = forward(repair.subject.model, tokens).logits;
  double least = 1;
  for (std::size_t i = violated.prompt.size(); i < tokens.size(); ++i) {
    const auto row = logits.row(i - 1);
    const double top = *std::max_element(row.begin(), row.end());
    least = std::min(least, std::exp(row[tokens[i].at()] - top));
  }
  return least;
}

class Search {
 public:
  Search(const Repair& repair, const Trial& original) : repair_(repair), original_(original) {}

  std::vector<Candidate> take() {
    raise_min_p();
    for (const auto& seed : seeds()) {
      if (!interrupted()) {
        mask(seed);
      }
    }
    for (const auto& [dictionary, feature] : features()) {
      if (!interrupted()) {
        Candidate c = begin({Remedy::Kind::project, {}, {}, dictionary, feature});
        if (const auto trial = tried(c, "")) {
          conclude(c, *trial);
        }
        out_.push_back(std::move(c));
      }
    }
    return std::move(out_);
  }

 private:
  static constexpr auto kNone = Attempt::Stage::refused;

  [[nodiscard]] Candidate begin(Remedy remedy) const {
    Candidate c{std::move(remedy), {}};
    c.attempt.kind = kind_name(c.remedy.kind);
    c.attempt.words = remedy_words(repair_, c.remedy);
    c.attempt.outcome = obstacle(repair_, c.remedy.kind);
    return c;
  }

  /// The remedy as it stands, on the target alone. Nothing when it cannot be applied or asked.
  std::optional<Trial> tried(Candidate& c, const std::string& label) {
    if (!c.attempt.outcome.empty()) {
      return std::nullopt;
    }
    say("try: " + remedy_words(repair_, c.remedy));
    try {
      const CaseFile file =
          remedied_case(repair_, c.remedy, repair_.scratch.path() / "remedy", false);
      Trial trial = try_case(repair_, file);
      c.attempt.trials.push_back(label + trial.words());
      c.attempt.stage = Attempt::Stage::failed;
      return trial;
    } catch (const Error& e) {
      if (e.code() == ExitCode::internal || e.code() == ExitCode::interrupted) {
        throw;
      }
      c.attempt.outcome = e.what();
      return std::nullopt;
    }
  }

  static void conclude(Candidate& c, const Trial& trial) {
    c.attempt.stage = trial.holds() ? Attempt::Stage::holds : Attempt::Stage::failed;
    c.attempt.outcome = trial.holds() ? "" : "with it the claim is " + trial.words();
  }

  /// MONOTONE makes bisection find the least point for a claim `all φ`; each point is decided on its own.
  void raise_min_p() {
    const RepairOptions& o = repair_.options;
    Candidate c = begin_min_p();
    if (!c.attempt.outcome.empty()) {
      out_.push_back(std::move(c));
      return;
    }
    const double now = parse_rational(split(repair_.decoder, ':').at(1)).nearest();
    const double floor = std::max(now, replays_up_to(repair_, original_));
    auto high = static_cast<std::int64_t>(std::ceil(o.to.nearest() / o.resolution.nearest()));
    auto low = static_cast<std::int64_t>(std::floor(floor / o.resolution.nearest()));
    if (low >= high) {
      c.attempt.outcome = "the counterexample is emitted still at every min-p below " + o.to.text();
      out_.push_back(std::move(c));
      return;
    }
    const auto at = [&](std::int64_t i) {
      c.remedy.min_p = grid_point(o, i);
      return tried(c, c.remedy.min_p.text() + ": ");
    };
    std::optional<Trial> best = at(high);
    if (best && best->holds()) {
      while (high - low > 1 && !interrupted()) {
        const std::int64_t middle = low + (high - low) / 2;
        std::optional<Trial> trial = at(middle);
        if (trial && trial->holds()) {
          best = std::move(trial);
          high = middle;
        } else {
          low = middle;
        }
        c.attempt.outcome.clear();
      }
    }
    c.remedy.min_p = grid_point(o, high);
    c.attempt.words = remedy_words(repair_, c.remedy);
    if (best) {
      conclude(c, *best);
    }
    out_.push_back(std::move(c));
  }

  [[nodiscard]] Candidate begin_min_p() const {
    if (const std::string why = obstacle(repair_, Remedy::Kind::min_p); !why.empty()) {
      return {{Remedy::Kind::min_p, {}, {}, "", 0},
              {kind_name(Remedy::Kind::min_p), "min-p raised", kNone, why, {}, {}}};
    }
    return begin({Remedy::Kind::min_p, repair_.options.to, {}, "", 0});
  }

  /// A token of the counterexample, and how far it stands from the end of the run.
  struct Seed {
    TokenId token;
    std::size_t from_end = 0;
  };

  /// The violating token first, then earlier ones at which an atom of the property is true.
  [[nodiscard]] std::vector<Seed> seeds() const {
    std::vector<Seed> out;
    if (repair_.target.kind == "token-out") {
      const auto parts = split(repair_.target.formal, ' ');
      return {{TokenId(static_cast<std::uint32_t>(parse_unsigned(parts.at(2), "token"))), 0}};
    }
    const auto& run = original_.run;
    std::set<TokenId> seen;
    for (std::size_t back = 0; back < run.size() && out.size() < kSeeds; ++back) {
      const std::size_t i = run.size() - 1 - back;
      const bool named =
          original_.shown.steps.size() == run.size() && !original_.shown.steps[i].note.empty();
      if ((named || back == 0) && seen.insert(run[i]).second) {
        out.push_back({run[i], back});
      }
    }
    return out;
  }

  void mask(const Seed& seed) {
    for (const auto kind : {Remedy::Kind::mask, Remedy::Kind::mask_in_weights}) {
      Candidate c = begin({kind, {}, {seed.token}, "", 0});
      grow(c, seed);
      const bool failed = c.attempt.stage != Attempt::Stage::holds;
      const bool asked = c.attempt.stage != kNone;
      const bool new_one = std::none_of(out_.begin(), out_.end(), [&](const Candidate& other) {
        return other.attempt.words == c.attempt.words;
      });
      if (new_one) {
        out_.push_back(std::move(c));
      }
      if (!failed || asked || interrupted()) {
        return;  // another way to the same mask only where this one could not be asked
      }
    }
  }

  /// Masks the token that the next counterexample has in the same place, until there is none.
  void grow(Candidate& c, const Seed& seed) {
    for (std::size_t n = 1; n <= repair_.options.tokens && !interrupted(); ++n) {
      c.attempt.words = remedy_words(repair_, c.remedy);
      c.attempt.outcome = obstacle(repair_, c.remedy.kind);
      const auto trial = tried(c, "");
      if (!trial) {
        return;
      }
      conclude(c, *trial);
      if (trial->claim.status != Status::violated || trial->run.size() <= seed.from_end) {
        return;
      }
      const TokenId next = trial->run[trial->run.size() - 1 - seed.from_end];
      auto& tokens = c.remedy.tokens;
      const auto place = std::lower_bound(tokens.begin(), tokens.end(), next);
      if (n == repair_.options.tokens || (place != tokens.end() && *place == next)) {
        return;
      }
      tokens.insert(place, next);
    }
  }

  /// What the claim names, then what the violating token leans on.
  [[nodiscard]] std::vector<std::pair<std::string, std::size_t>> features() const {
    std::vector<std::pair<std::string, std::size_t>> out;
    const auto add = [&](const std::string& dictionary, std::size_t feature) {
      const std::pair<std::string, std::size_t> entry(dictionary, feature);
      if (repair_.subject.dictionaries.contains(dictionary) &&
          out.size() < repair_.options.features &&
          std::find(out.begin(), out.end(), entry) == out.end()) {
        out.push_back(entry);
      }
    };
    if (repair_.target.kind == "feature-off") {
      const auto parts = split(repair_.target.formal, ' ');
      add(repair_.file.bounds->dictionary, parse_unsigned(parts.at(2), "feature"));
      return out;
    }
    if (!original_.shown.steps.empty()) {
      for (const auto& [name, value] : original_.shown.steps.back().features) {
        const std::size_t slash = name.rfind('/');
        if (name.starts_with("feat(") && name.ends_with(")") && slash != std::string::npos) {
          add(name.substr(5, slash - 5),
              parse_unsigned(name.substr(slash + 1, name.size() - slash - 2), "feature"));
        }
      }
    }
    for (const CausalFeature& f : causal_features(
             repair_.subject, {original_.prompt, original_.run}, repair_.options.features)) {
      add(f.dictionary, f.feature);
    }
    return out;
  }

  const Repair& repair_;
  const Trial& original_;
  std::vector<Candidate> out_;
};

}  // namespace

std::vector<Candidate> search_remedies(const Repair& repair, const Trial& original) {
  return Search(repair, original).take();
}

}  // namespace assay::certify
