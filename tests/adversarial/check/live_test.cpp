// Ranks and lassos with every word changed: what is still accepted must be true of the model, by an evaluator that
// walks all runs in plain double and counts how often a run can come back.
#include <deque>

#include "catch.hpp"
#include "check_case.hpp"

using namespace check_test;

namespace {

constexpr double kClear = 1e-6;  ///< nothing in these models is nearer to a tie
using Words = std::vector<std::string>;

/// A claim about a token, and an automaton of the endless runs that violate it.
struct Claim {
  std::string formula;
  std::size_t states, initial;
  std::vector<bool> accepting;
  std::vector<int> after;  ///< [state, whether the token came]; -1: no way on
};
const Claim kComes = {"F it", 1, 0, {true}, {0, -1}};
const Claim kStops = {"F G !it", 2, 1, {false, true}, {0, 1, 0, 1}};

struct LiveCase : Case {
  TinyModel model;
  const Claim& claim;
  std::size_t token, keeps;  ///< the decoder: top-k, or greedy
  std::string spec;
  using Pair = std::pair<Tokens, std::size_t>;
  std::map<Pair, std::size_t> ranks;
  bool is_true = true;

  LiveCase(unsigned seed, const Claim& of, std::size_t it, std::size_t top)
      : model(seed), claim(of), token(it), keeps(top) {
    const auto& root = folder.path();
    inputs.model = (root / "model").string();
    inputs.spec = (root / "case.spec").string();
    inputs.runs = (root / "case.runs").string();
    model.save(inputs.model);
    spec = "spec \"t\" version 1;\nuse model M = \"m\" sha256 " +
           digest(inputs.model + "/model.safetensors") + ";\nap it = tok = id " +
           std::to_string(token) + ";\nprop live: all " + claim.formula + ";\n";
    explore();
  }

  [[nodiscard]] std::vector<std::size_t> emitted(const Tokens& context) const {
    const Vector l = model.logits(context);
    std::vector<std::size_t> out;
    for (std::size_t t = 0; t < l.size(); ++t) {
      std::size_t greater = 0;
      for (std::size_t y = 0; y < l.size(); ++y) {
        REQUIRE((y == t || std::fabs(l[y] - l[t]) > kClear));
        greater += l[y] > l[t] ? 1 : 0;
      }
      if (greater < keeps) {
        out.push_back(t);
      }
    }
    return out;
  }
  [[nodiscard]] std::vector<Pair> after(const Pair& pair) const {
    std::vector<Pair> out;
    for (const std::size_t t : emitted(pair.first)) {
      const int q = claim.after[pair.second * 2 + (t == token ? 1 : 0)];
      Tokens window = pair.first;
      window.push_back(t);
      if (window.size() > model.w) {
        window.erase(window.begin());
      }
      if (q >= 0) {
        out.emplace_back(window, q);
      }
    }
    return out;
  }

  /// Every pair, with the most accepting ones that a way from it meets; more than there are pairs: for ever.
  void explore() {
    std::deque<Pair> open;
    for (const std::size_t first : {0, 1}) {
      open.emplace_back(Tokens{first, 2}, claim.initial);
    }
    std::map<Pair, std::vector<Pair>> next;
    for (; !open.empty(); open.pop_front()) {
      if (ranks.emplace(open.front(), 0).second) {
        next[open.front()] = after(open.front());
        open.insert(open.end(), next[open.front()].begin(), next[open.front()].end());
      }
    }
    for (bool changed = true; changed && is_true;) {
      changed = false;
      for (auto& [pair, rank] : ranks) {
        for (const Pair& to : next[pair]) {
          const std::size_t least = ranks[to] + (claim.accepting[pair.second] ? 1 : 0);
          changed = changed || least > rank;
          rank = std::max(rank, least);
          is_true = is_true && rank <= ranks.size();
        }
      }
    }
  }

  [[nodiscard]] std::vector<Words> proof() const {
    Words monitor = {"b",
                     "BUCHI",
                     "live",
                     ":",
                     std::to_string(claim.states),
                     "I",
                     std::to_string(claim.initial),
                     "A",
                     std::to_string(claim.states - 1),
                     "T"};
    for (const int q : claim.after) {
      monitor.push_back(q < 0 ? "-" : std::to_string(q));
    }
    std::vector<Words> out = {monitor};
    for (const auto& [pair, rank] : ranks) {
      out.push_back({"w." + std::to_string(out.size()), "WINDOWS", "b", ":", std::to_string(rank),
                     std::to_string(pair.second)});
      for (const std::size_t t : pair.first) {
        out.back().push_back(std::to_string(t));
      }
    }
    out.push_back({"live", "LIVE", "b", ":"});
    return out;
  }

  /// Of a greedy run from (first, 2) until a window comes again.
  [[nodiscard]] Words lasso(std::size_t first) const {
    Tokens window{first, 2}, tokens;
    std::map<Tokens, std::size_t> seen;
    while (seen.emplace(window, tokens.size()).second) {
      tokens.push_back(emitted(window).front());
      window.push_back(tokens.back());
      if (window.size() > model.w) {
        window.erase(window.begin());
      }
    }
    Words out = {"live", "LASSO", ":", "P", std::to_string(first), "2", "N"};
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i == seen[window]) {
        out.emplace_back("L");
      }
      out.push_back(std::to_string(tokens[i]));
    }
    return out;
  }

  bool accepts(const std::vector<Words>& steps) {
    write_file(*inputs.spec, spec);
    write_file(*inputs.runs, std::string("assay-runs 1\ndecoder ") +
                                 (keeps == 1 ? "greedy" : "top-k " + std::to_string(keeps)) +
                                 "\nprompts sets 0-1 2\nmax-new any\nend\n");
    lines = header(*this, "exact", "REAL");
    lines.push_back("runs " + digest(*inputs.runs));
    lines.push_back("statement " + digest(*inputs.spec));
    for (const Words& step : steps) {
      std::string line;
      for (const std::string& word : step) {
        line += (line.empty() ? "" : " ") + word;
      }
      lines.push_back(line);
    }
    lines.push_back("end " + std::to_string(steps.size()));
    return check().accepted;
  }
};

/// Every word of the steps changed, every step left out: `is_allowed` says whether acceptance would be right.
void change_all(LiveCase& c, const std::vector<Words>& control, bool is_allowed,
                std::size_t& rejected) {
  const auto look = [&](const std::vector<Words>& changed) {
    const bool ok = c.accepts(changed);
    REQUIRE((!ok || is_allowed));
    rejected += ok ? 0 : 1;
  };
  for (std::size_t i = 0; i < control.size(); ++i) {
    std::vector<Words> changed = control;
    for (std::size_t k = 0; k < control[i].size(); ++k) {
      for (const char* other : {"0", "1", "2", "-", "*", "2147483647", "2147483648", "x"}) {
        changed[i] = control[i];
        changed[i][k] = other;
        look(changed);
      }
      changed[i] = control[i];
      changed[i].erase(changed[i].begin() + static_cast<std::ptrdiff_t>(k));
      look(changed);
    }
    changed = control;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    look(changed);
  }
}

}  // namespace

TEST_CASE("live: ranks with every word changed; what is accepted is true") {
  std::size_t held = 0, violated = 0, rejected = 0, lowered = 0, dropped = 0;
  for (const Claim* claim : {&kComes, &kStops}) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
      for (std::size_t token = 0; token < 5; ++token) {
        LiveCase c(seed, *claim, token, seed % 4 == 0 ? 2 : 1);
        INFO(claim->formula << " seed " << seed << " token " << token);
        const std::vector<Words> control = c.proof();
        REQUIRE(c.accepts(control) == c.is_true);
        ++(c.is_true ? held : violated);
        if (token < 2) {
          change_all(c, control, c.is_true, rejected);
        }
        std::size_t row = 1;
        for (const auto& [pair, rank] : c.ranks) {  // least ranks: a lower one is false
          std::vector<Words> changed = control;
          if (c.is_true && rank > 0) {
            changed[row][4] = std::to_string(rank - 1);
            CHECK_FALSE(c.accepts(changed));
            ++lowered;
          }
          changed = control;  // every pair is reached: one less is false
          changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(row));
          CHECK_FALSE(c.accepts(changed));
          ++dropped;
          ++row;
        }
      }
    }
  }
  CHECK(held >= 10);
  CHECK(violated >= 10);
  CHECK(rejected > 1000);
  CHECK(lowered > 20);
  CHECK(dropped > 100);
}

TEST_CASE("live: lassos with every word changed; what is accepted is a violation") {
  std::size_t shown = 0, refused = 0, rejected = 0;
  for (const Claim* claim : {&kComes, &kStops}) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
      for (std::size_t token = 0; token < 5; ++token) {
        LiveCase c(seed, *claim, token, 1);
        INFO(claim->formula << " seed " << seed << " token " << token);
        bool any = false;
        for (const std::size_t first : {0, 1}) {
          const std::vector<Words> control = {c.lasso(first)};
          const bool ok = c.accepts(control);
          any = any || ok;
          REQUIRE((!ok || !c.is_true));
          change_all(c, control, !c.is_true, rejected);
        }
        REQUIRE(any == !c.is_true);
        ++(any ? shown : refused);
      }
    }
  }
  CHECK(shown >= 10);
  CHECK(refused >= 10);
  CHECK(rejected > 1000);
}

TEST_CASE("live: runs that end and automata of other runs are refused") {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    for (std::size_t token = 0; token < 5; ++token) {
      LiveCase c(seed, kComes, token, 1);
      std::vector<Words> control = c.proof();
      if (!c.is_true) {
        continue;
      }
      REQUIRE(c.accepts(control));
      control[0] = {"b", "BUCHI", "live", ":", "1", "I", "0", "A", "-", "T", "0", "-"};
      CHECK_FALSE(c.accepts(control));  // accepts nothing
      control[0] = {"b", "BUCHI", "live", ":", "1", "I", "-", "A", "0", "T", "0", "-"};
      CHECK_FALSE(c.accepts(control));  // begins nowhere
      control[0] = {"b", "BUCHI", "live", ":", "1", "I", "0", "A", "0", "T", "-", "-"};
      CHECK_FALSE(c.accepts(control));  // goes nowhere
    }
  }
}
