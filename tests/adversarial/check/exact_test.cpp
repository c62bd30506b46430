// Certificates of kind exact with every word of every step changed: whatever is still accepted must be true of the model, by
// an evaluator that walks all runs in plain double.
#include <set>

#include "catch.hpp"
#include "check_case.hpp"

using namespace check_test;

namespace {

constexpr double kClear = 1e-6;  ///< nothing in these models is nearer to a tie

/// The statement's parts that a test changes.
struct Statement {
  std::string decoder = "greedy";
  std::vector<std::vector<std::size_t>> prompts = {{0, 1}, {2}};
  std::size_t max_new = 0;  ///< 0: any

  [[nodiscard]] std::string runs() const {
    std::string sets;
    for (const auto& set : prompts) {
      sets += " ";
      for (std::size_t i = 0; i < set.size();
           ++i) {  // no two tokens are adjacent runs here but 0-1
        sets += i == 0 ? std::to_string(set[i]) : "-" + std::to_string(set[i]);
      }
    }
    return "assay-runs 1\ndecoder " + decoder + "\nprompts sets" + sets + "\nmax-new " +
           (max_new == 0 ? "any" : std::to_string(max_new)) + "\nend\n";
  }
};

struct ExactCase : Case {
  TinyModel model;
  Statement statement;
  std::size_t bad;  ///< the token of the property "all G !bad"
  std::string spec;

  ExactCase(unsigned seed, std::size_t bad_token) : model(seed), bad(bad_token) {
    const auto& root = folder.path();
    inputs.model = (root / "model").string();
    inputs.spec = (root / "case.spec").string();
    inputs.runs = (root / "case.runs").string();
    model.save(inputs.model);
    spec = "spec \"t\" version 1;\nuse model M = \"m\" sha256 " +
           digest(inputs.model + "/model.safetensors") + ";\nap bad = tok = id " +
           std::to_string(bad) + ";\nprop never: all G !bad;\n";
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
      if (greater < (statement.decoder == "greedy" ? 1U : 2U)) {
        out.push_back(t);
      }
    }
    return out;
  }

  /// All windows that runs reach before a bad token, by step; whether one is met.
  std::map<Tokens, std::size_t> reach(bool& violated) const {
    std::map<Tokens, std::size_t> found;
    std::vector<Tokens> level{{}};
    for (const auto& set : statement.prompts) {
      std::vector<Tokens> next;
      for (const Tokens& prompt : level) {
        for (const std::size_t t : set) {
          next.push_back(prompt);
          next.back().push_back(t);
        }
      }
      level = next;
    }
    for (std::size_t step = 0; !level.empty(); ++step) {
      std::vector<Tokens> next;
      for (const Tokens& context : level) {
        const std::size_t n = std::min(context.size(), model.w);
        const Tokens window(context.end() - static_cast<std::ptrdiff_t>(n), context.end());
        if (!found.emplace(window, step).second ||
            (statement.max_new > 0 && step == statement.max_new)) {
          continue;
        }
        for (const std::size_t t : emitted(window)) {
          violated = violated || t == bad;
          if (t != bad) {
            next.push_back(window);
            next.back().push_back(t);
          }
        }
      }
      level = next;
    }
    return found;
  }
  [[nodiscard]] bool is_true() const {
    bool violated = false;
    (void)reach(violated);
    return !violated;
  }

  [[nodiscard]] std::vector<std::string> body() const {
    std::vector<std::string> out = {"d DFA never : 2 0 B 1 T 0 1 1 1"};
    bool violated = false;
    std::size_t i = 0;
    for (const auto& [window, step] : reach(violated)) {
      std::string line = "w." + std::to_string(i++) +
                         " WINDOWS d : " + std::to_string(statement.max_new > 0 ? step : 0) + " 0";
      for (const std::size_t t : window) {
        line += " " + std::to_string(t);
      }
      out.push_back(line);
    }
    out.push_back("never EXACT d :");
    return out;
  }
  bool accepts(const std::vector<std::string>& steps) {
    write_file(*inputs.spec, spec);
    write_file(*inputs.runs, statement.runs());
    lines = header(*this, "exact", "REAL");
    lines.push_back("runs " + digest(*inputs.runs));
    lines.push_back("statement " + digest(*inputs.spec));
    lines.insert(lines.end(), steps.begin(), steps.end());
    lines.push_back("end " + std::to_string(steps.size()));
    return check().accepted;
  }
};

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> out(1);
  for (const char c : line) {
    if (c == ' ') {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& w : words) {
    out += (out.empty() ? "" : " ") + w;
  }
  return out;
}

/// What may stand in a word's place.
std::vector<std::string> others_of(const std::string& word) {
  std::vector<std::string> out = {"0", "2", "4", "*", "0-4", "x", ""};
  if (!word.empty() && word.find_first_not_of("0123456789") == std::string::npos) {
    out.push_back(std::to_string(std::stoul(word) + 1));
  }
  return out;
}

}  // namespace

TEST_CASE("exact: every word of every step changed; what is accepted is true") {
  std::size_t rejected = 0, accepted = 0, controls = 0, false_claims = 0;
  for (unsigned seed = 1; seed <= 4; ++seed) {
    for (std::size_t bad = 0; bad < 5; ++bad) {
      ExactCase c(seed, bad);
      c.statement.max_new = seed % 2 == 0 ? 3 : 0;
      c.statement.decoder = seed % 3 == 0 ? "top-k 2" : "greedy";
      const bool truth = c.is_true();
      const std::vector<std::string> control = c.body();
      INFO("seed " << seed << " bad " << bad);
      REQUIRE(c.accepts(control) == truth);
      ++(truth ? controls : false_claims);
      const std::size_t stride = 1 + control.size() / 6;
      for (std::size_t i = 0; i < control.size();
           i += i + 1 == control.size() ? 1 : std::min(stride, control.size() - 1 - i)) {
        std::vector<std::string> changed = control;
        const auto look = [&] {
          const bool ok = c.accepts(changed);
          INFO(changed[std::min(i, changed.size() - 1)]);
          REQUIRE((!ok || truth));
          ++(ok ? accepted : rejected);
        };
        const std::vector<std::string> words = words_of(control[i]);
        for (std::size_t k = 0; k < words.size(); ++k) {
          for (const std::string& other : others_of(words[k])) {
            auto edited = words;
            edited[k] = other;
            if (edited != words) {
              changed[i] = joined(edited);
              look();
            }
          }
        }
        changed = control;
        changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
        look();
      }
    }
  }
  CHECK(controls >= 4);
  CHECK(false_claims >= 5);
  CHECK(rejected > 2000);
  CHECK(accepted > 0);  // windows that no run reaches may stand in the set
}

TEST_CASE(
    "exact: every statement with another decoder, prompt or horizon is accepted only where it is "
    "true") {
  std::size_t true_ones = 0, false_ones = 0;
  for (unsigned seed = 1; seed <= 4; ++seed) {
    for (std::size_t bad = 0; bad < 5; ++bad) {
      ExactCase c(seed, bad);
      const std::vector<std::string> control = c.body();
      const bool truth = c.is_true();
      REQUIRE(c.accepts(control) == truth);
      for (int change = 0; change < 5; ++change) {
        const Statement kept = c.statement;
        change == 0   ? (void)(c.statement.decoder = "top-k 2")
        : change == 1 ? (void)(c.statement.prompts = {{0, 1}, {3}})
        : change == 2 ? (void)(c.statement.prompts = {{2}})
        : change == 3 ? (void)(c.statement.max_new = 1)
                      : (void)(c.statement.prompts = {{1}, {2}});
        const bool now = c.is_true();
        INFO("seed " << seed << " bad " << bad << " change " << change);
        CHECK((!c.accepts(control) || now));
        CHECK(c.accepts(c.body()) == now);  // with its own invariant
        ++(now ? true_ones : false_ones);
        c.statement = kept;
      }
    }
  }
  CHECK(true_ones > 10);
  CHECK(false_ones > 10);
}
