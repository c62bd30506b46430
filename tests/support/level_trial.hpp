#pragma once
// Random machines with levels, and a second, dumb program that decides them: numbers as multiples of 1/4096 in 64 bits,
// one hand-written monitor a property, every reachable tuple.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace level_trial {

constexpr std::int64_t kOne = 4096;

struct Random {
  std::mt19937_64 engine;
  int in(int lo, int hi) {
    return lo + static_cast<int>(engine() % static_cast<std::uint64_t>(hi - lo + 1));
  }
};

/// A quarter, or a whole number of them, as the language writes it.
inline std::string decimal(int quarters) {
  static constexpr std::array<const char*, 4> kRest = {"", ".25", ".5", ".75"};
  const int size = quarters < 0 ? -quarters : quarters;
  return (quarters < 0 ? "-" : "") + std::to_string(size / 4) +
         kRest[static_cast<std::size_t>(size % 4)];
}

struct Trial {
  struct Edge {
    int from, to;
    unsigned letters;  ///< bit i: letter i (bit 0 A, bit 1 B) takes it
  };
  struct Case {
    int guard = -1;           ///< 0 A, 1 B, 2 !A & B, 3 Low (x < 1); -1 else
    std::array<int, 3> to{};  ///< quarters: of x, of y, constant
  };
  struct Level {
    int initial = 0;
    std::optional<int> least, most;  ///< quarters
    std::vector<Case> cases;
  };
  int states = 1;
  std::vector<Edge> edges;
  std::array<Level, 2> levels;
  std::array<int, 3> compared{};  ///< C: x, y factors, threshold
  int sign = 0;                   ///< of C: >=, >, <=, <
  int property = 0;

  /// Whole numbers within bounds, so that finitely many are reached; else halves, and bounds now and then.
  Trial(Random& random, bool whole) {
    const int step = whole ? 4 : 2;
    states = random.in(1, 3);
    for (int s = 0; s < states; ++s) {
      for (int n = random.in(1, 3); n > 0; --n) {
        edges.push_back({s, random.in(0, states - 1), static_cast<unsigned>(random.in(0, 15))});
      }
    }
    for (Level& level : levels) {
      if (whole || random.in(0, 2) == 0) {
        level.least = -4 * random.in(0, 3);
      }
      if (whole || random.in(0, 2) == 0) {
        level.most = 4 * random.in(0, 3);
      }
      for (int n = random.in(0, 2); n >= 0; --n) {
        Case c;
        c.guard = n == 0 ? -1 : random.in(0, 3);
        c.to = {step * random.in(-1, 1), random.in(0, 1) * step * random.in(-1, 1),
                step * random.in(-2, 2)};
        level.cases.push_back(c);
      }
    }
    do {
      compared = {4 * random.in(-1, 1), 4 * random.in(-1, 1), step * random.in(-3, 5)};
    } while (compared[0] == 0 && compared[1] == 0);
    sign = random.in(0, 3);
    property = random.in(0, 5);
  }

  [[nodiscard]] std::string hoa() const {
    std::string out = "HOA: v1\nStates: " + std::to_string(states) +
                      "\nStart: 0\nAP: 2 \"A\" \"B\"\nAcceptance: 0 t\n--BODY--\n";
    for (int s = 0; s < states; ++s) {
      out += "State: " + std::to_string(s) + "\n";
      for (const Edge& e : edges) {
        std::string label;
        for (unsigned l = 0; l < 4; ++l) {
          if (((e.letters >> l) & 1U) != 0) {
            label += label.empty() ? "" : " | ";
            label += std::string((l & 1U) != 0 ? "(0" : "(!0") + ((l & 2U) != 0 ? "&1)" : "&!1)");
          }
        }
        if (e.from == s) {
          out += "[" + (label.empty() ? "f" : label) + "] " + std::to_string(e.to) + "\n";
        }
      }
    }
    return out + "--END--\n";
  }

  [[nodiscard]] std::string spec() const {
    static constexpr std::array<const char*, 4> kGuards = {"A", "B", "!A & B", "Low"};
    static constexpr std::array<const char*, 4> kSigns = {">=", ">", "<=", "<"};
    static constexpr std::array<const char*, 6> kProperties = {
        "G !C", "G(A -> X !C)", "!C W B", "G(C -> O[0:1] A)", "G !(C & B)", "G(A -> G[0:2] !C)"};
    // each level reads the other; the first is declared first and reads itself and a number only
    std::string out = "spec \"t\" version 1;\nap A = tok = id 0; ap B = tok = id 1;\n";
    for (std::size_t l = 0; l < 2; ++l) {
      const Level& level = levels[l];
      out += std::string("level ") + (l == 0 ? "x" : "y") + " = " + decimal(level.initial);
      out += level.least ? " min " + decimal(*level.least) : "";
      out += level.most ? " max " + decimal(*level.most) : "";
      for (const Case& c : level.cases) {
        const bool low = c.guard == 3 && l == 0;  // Low is declared after x
        out += c.guard < 0 ? " else "
                           : std::string(" when ") +
                                 kGuards[low ? 2U : static_cast<std::size_t>(c.guard)] + ": ";
        out += form(factors(c, l));
      }
      out += ";\n" + std::string(l == 0 ? "ap Low = x < 1;\n" : "");
    }
    return out + "ap C = " + form({compared[0], compared[1], 0}) + " " +
           kSigns[static_cast<std::size_t>(sign)] + " " + decimal(compared[2]) + ";\nprop P: all " +
           kProperties[static_cast<std::size_t>(property)] + ";\n";
  }

  /// A run of at most `depth` letters that violates: whether there is one.
  [[nodiscard]] bool violable(int depth) const {
    const std::vector<bool> live = live_states();
    using Tuple = std::array<std::int64_t, 4>;  // state, x, y, monitor
    std::set<Tuple> seen,
        now{Tuple{0, levels[0].initial * (kOne / 4), levels[1].initial * (kOne / 4), 0}};
    for (int i = 0; i < depth && !now.empty(); ++i) {
      std::set<Tuple> next;
      for (const Tuple& at : now) {
        for (const Edge& e : edges) {
          for (unsigned letter = 0; letter < 4; ++letter) {
            if (e.from != at[0] || ((e.letters >> letter) & 1U) == 0 ||
                !live[static_cast<std::size_t>(e.to)]) {
              continue;
            }
            const auto [x, y] = moved(at[1], at[2], letter);
            const int m = watch(static_cast<int>(at[3]), letter, x, y);
            if (m < 0) {
              return true;
            }
            if (const Tuple t{e.to, x, y, m}; seen.insert(t).second) {
              next.insert(t);
            }
          }
        }
      }
      now = std::move(next);
    }
    return false;
  }

  [[nodiscard]] std::vector<bool> live_states() const {
    std::vector<bool> live(static_cast<std::size_t>(states), true);
    for (int pass = 0; pass < states; ++pass) {
      for (int s = 0; s < states; ++s) {
        bool any = false;
        for (const Edge& e : edges) {
          any = any || (e.from == s && e.letters != 0 && live[static_cast<std::size_t>(e.to)]);
        }
        live[static_cast<std::size_t>(s)] = live[static_cast<std::size_t>(s)] && any;
      }
    }
    return live;
  }

  [[nodiscard]] std::pair<std::int64_t, std::int64_t> moved(std::int64_t x, std::int64_t y,
                                                            unsigned letter) const {
    return {moved(0, x, y, letter), moved(1, x, y, letter)};
  }

  /// The monitor's next state; -1: violated.
  [[nodiscard]] int watch(int m, unsigned letter, std::int64_t x, std::int64_t y) const {
    const bool a = (letter & 1U) != 0, b = (letter & 2U) != 0;
    const std::int64_t left = compared[0] / 4 * x + compared[1] / 4 * y,
                       right = compared[2] * (kOne / 4);
    const bool c = sign == 0   ? left >= right
                   : sign == 1 ? left > right
                   : sign == 2 ? left <= right
                               : left < right;
    switch (property) {
      case 0:
        return c ? -1 : 0;
      case 1:
        return c && m == 1 ? -1 : a ? 1 : 0;
      case 2:
        return m == 1 || b ? 1 : c ? -1 : 0;
      case 3:
        return c && !a && m == 0 ? -1 : a ? 1 : 0;
      case 4:
        return c && b ? -1 : 0;
      default:
        m = a ? 3 : m;
        return m > 0 && c ? -1 : m > 0 ? m - 1 : 0;
    }
  }

 private:
  /// x may not read y, which is declared after it.
  static std::array<int, 3> factors(const Case& c, std::size_t level) {
    return level == 0 ? std::array<int, 3>{c.to[0], 0, c.to[2]}
                      : std::array<int, 3>{c.to[1], c.to[0], c.to[2]};
  }
  static std::string form(const std::array<int, 3>& f) {
    std::string out;
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
      if (f[i] != 0) {
        out += (out.empty() ? "" : " + ") + decimal(f[i]) + "*" + (i == 0 ? "x" : "y");
      }
    }
    return out.empty() ? decimal(f[2]) : f[2] == 0 ? out : out + " + " + decimal(f[2]);
  }
  [[nodiscard]] std::int64_t moved(std::size_t l, std::int64_t x, std::int64_t y,
                                   unsigned letter) const {
    const bool a = (letter & 1U) != 0, b = (letter & 2U) != 0;
    for (const Case& c : levels[l].cases) {
      const int guard = c.guard == 3 && l == 0 ? 2 : c.guard;
      if (guard < 0 || (guard == 0 && a) || (guard == 1 && b) || (guard == 2 && !a && b) ||
          (guard == 3 && x < kOne)) {
        const std::array<int, 3> f = factors(c, l);
        std::int64_t v = (f[0] * x + f[1] * y) / 4 + f[2] * (kOne / 4);
        v = levels[l].least && v < *levels[l].least * (kOne / 4) ? *levels[l].least * (kOne / 4)
                                                                 : v;
        return levels[l].most && v > *levels[l].most * (kOne / 4) ? *levels[l].most * (kOne / 4)
                                                                  : v;
      }
    }
    return 0;
  }
};

}  // namespace level_trial
