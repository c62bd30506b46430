#pragma once
// Certificates of kind refined for the tiny model: reachable views by brute force, boxes around them, facts by ENUM.

#include <set>
#include <utility>

#include "check_case.hpp"

namespace check_test {

/// Views of lo … hi tokens, set j back; lo == hi, or every set from lo on is the same.
struct ViewBox {
  std::size_t lo = 1, hi = 1;
  std::vector<std::set<std::size_t>> back;
  auto operator<=>(const ViewBox&) const = default;
};

inline std::string set_text(const std::set<std::size_t>& set, std::size_t V) {
  if (set.size() == V) {
    return "*";
  }
  std::string text;
  for (auto t = set.begin(); t != set.end(); ++t) {
    const std::size_t first = *t;
    std::size_t last = first;
    while (std::next(t) != set.end() && *std::next(t) == last + 1) {
      last = *++t;
    }
    text += (text.empty() ? "" : ",") + std::to_string(first);
    text += last > first ? "-" + std::to_string(last) : "";
  }
  return text;
}

struct RefinedOptions {
  unsigned seed = 1;
  std::string decoder = "min-p 1/2 temperature 1 order after";
  std::string prompts = "any 2";
  bool feature = false;  ///< G(a -> X !b): b reads a feature, or is a token
  bool holds = true;     ///< else b follows a somewhere
  unsigned spare =
      2;  ///< one in so many unreachable views is put into the STATE boxes too; 0: no NEVER
};

struct RefinedCase : Case {
  using Reached = std::set<std::pair<Tokens, std::size_t>>;  ///< views (oldest first), DFA states

  RefinedOptions options;
  TinyModel model;
  TinySae sae;
  std::size_t a = 0, b = 0;
  std::vector<Tokens> views;
  std::map<Tokens, Vector> logits;
  std::map<Tokens, double> pre;  ///< of feature 1
  Reached reached;
  std::set<Tokens> reachable;
  std::vector<std::string> body;
  std::map<std::string, std::string> roots;  ///< by the text of the box
  std::size_t count = 0;

  explicit RefinedCase(const RefinedOptions& o)
      : options(o), model(o.seed), sae(make_sae(o.seed + 5, "blocks.0.hook_resid_mid", 4)) {
    for (std::size_t c = 0; c < model.V; ++c) {
      model.contexts({c}, [&](const Tokens& view) {
        views.push_back(view);
        logits[view] = model.logits(view);
        pre[view] = sae.pre(1, model.mid(view));
      });
    }
  }

  /// May the decoder emit t after the view? True when that is within rounding.
  [[nodiscard]] bool may_emit(const Tokens& view, std::size_t t) const {
    const Vector& l = logits.at(view);
    std::size_t greater = 0;
    for (const double y : l) {
      greater += y - l[t] > (top_k() > 0 ? 1e-7 : -cut() + 1e-7) ? 1 : 0;
    }
    return greater < std::max<std::size_t>(top_k(), 1);
  }
  [[nodiscard]] std::size_t top_k() const {
    return options.decoder.rfind("top-k ", 0) == 0 ? std::stoul(options.decoder.substr(6))
           : options.decoder == "plain"            ? model.V
                                                   : 0;
  }
  [[nodiscard]] double cut() const {
    const double ln = std::log(options.decoder.find("4/5") != std::string::npos ? 0.8 : 0.5);
    return options.decoder == "greedy"                           ? 0
           : options.decoder.find("before") != std::string::npos ? 3 * ln
                                                                 : ln;
  }
  [[nodiscard]] static std::size_t delta(std::size_t q, bool is_a, bool is_b) {
    return q == 2 || (q == 1 && is_b) ? 2 : is_a ? 1 : 0;
  }
  [[nodiscard]] Tokens next(Tokens view, std::size_t t) const {
    view.push_back(t);
    return {view.end() - static_cast<std::ptrdiff_t>(std::min(view.size(), model.w)), view.end()};
  }
  [[nodiscard]] std::vector<Tokens> prompts() const {
    std::vector<Tokens> out;
    const bool any = options.prompts.rfind("any ", 0) == 0;
    if (any) {
      const std::size_t n = std::stoul(options.prompts.substr(4));
      std::copy_if(views.begin(), views.end(), std::back_inserter(out),
                   [&](const Tokens& v) { return v.size() <= n; });
      return out;
    }
    std::istringstream words(options.prompts.substr(5));  // single tokens
    Tokens prompt;
    for (std::size_t t = 0; words >> t;) {
      prompt = next(prompt, t);
    }
    return {prompt};
  }
  /// Views and DFA states of runs; b may be read wherever it is not surely false.
  void walk() {
    reached.clear();
    reachable.clear();
    std::vector<std::pair<Tokens, std::size_t>> open;
    const auto visit = [&](const Tokens& view, std::size_t q) {
      if (reached.emplace(view, q).second) {
        open.emplace_back(view, q);
        reachable.insert(view);
      }
    };
    for (const Tokens& prompt : prompts()) {
      visit(prompt, 0);
    }
    while (!open.empty()) {
      const auto [view, q] = open.back();
      open.pop_back();
      for (std::size_t t = 0; t < model.V; ++t) {
        if (may_emit(view, t)) {
          const Tokens to = next(view, t);
          const bool on = options.feature ? pre.at(to) > 1e-7 : t == b;
          const bool off = options.feature ? pre.at(to) < -1e-7 : t != b;
          for (const bool is_b : {false, true}) {
            if (is_b ? !off : !on) {
              visit(to, delta(q, t == a, is_b));
            }
          }
        }
      }
    }
  }
  [[nodiscard]] bool is_violated() const {
    return std::any_of(reached.begin(), reached.end(), [](const auto& r) { return r.second == 2; });
  }
  /// Chooses a, b or the feature's bias, so that the property has the truth wanted; false when it cannot.
  [[nodiscard]] bool choose() {
    for (a = 0; a < model.V; ++a) {
      for (b = 0; b < model.V; ++b) {
        if (options.feature && b == 0) {
          walk();
          double after_a = -HUGE_VAL, most = -HUGE_VAL;
          for (const Tokens& view : reachable) {
            const bool follows = view.size() > 1 && view[view.size() - 2] == a;
            (follows ? after_a : most) = std::max(follows ? after_a : most, pre.at(view));
          }
          const double shift = -after_a + (options.holds ? -1e-3 : 1e-3);
          if (!(most + shift > 0) || after_a == -HUGE_VAL) {
            continue;
          }
          sae.b_enc[1] = static_cast<float>(shift);
          for (auto& [view, x] : pre) {
            x += static_cast<double>(sae.b_enc[1]);
          }
          walk();
          return is_violated() != options.holds;
        }
        walk();
        const auto says = [&](std::size_t t) {
          return std::any_of(reachable.begin(), reachable.end(),
                             [&](const Tokens& v) { return v.back() == t && v.size() > 1; });
        };
        if (a != b && !options.feature && says(a) && says(b) && is_violated() != options.holds) {
          return true;
        }
      }
    }
    return false;
  }

  [[nodiscard]] std::vector<Tokens> views_of(const ViewBox& box) const {
    std::vector<Tokens> out;
    for (const Tokens& v : views) {
      bool in = box.lo <= v.size() && v.size() <= box.hi;
      for (std::size_t j = 0; in && j < v.size(); ++j) {
        in = box.back[j].contains(v[v.size() - 1 - j]);
      }
      if (in) {
        out.push_back(v);
      }
    }
    return out;
  }
  [[nodiscard]] std::string text(const ViewBox& box) const {
    const std::size_t K = box.lo;
    std::string out = "lengths " + std::to_string(K) + " " +
                      (box.hi == model.w ? "any" : std::to_string(box.hi)) + " sets " +
                      std::to_string(K);
    for (std::size_t j = K; j-- > 0;) {
      out += " " + set_text(box.back[j], model.V);
    }
    return out + " rest " + (K < box.hi ? set_text(box.back[K], model.V) : "*");
  }
  [[nodiscard]] ViewBox whole(std::size_t current) const {
    std::set<std::size_t> all;
    for (std::size_t t = 0; t < model.V; ++t) {
      all.insert(t);
    }
    ViewBox box{1, model.w, std::vector<std::set<std::size_t>>(model.w, all)};
    box.back[0] = {current};
    return box;
  }
  /// The box in smaller ones: by its length, then by the token nearest to the current one.
  [[nodiscard]] std::vector<ViewBox> split(const ViewBox& box) const {
    std::vector<ViewBox> out;
    if (box.lo < box.hi) {
      for (std::size_t n = box.lo; n <= box.hi; ++n) {
        out.push_back(box);
        out.back().lo = out.back().hi = n;
      }
      return out;
    }
    for (std::size_t j = 0; j < box.lo; ++j) {
      if (box.back[j].size() > 1) {
        for (const std::size_t u : box.back[j]) {
          out.push_back(box);
          out.back().back[j] = {u};
        }
        return out;
      }
    }
    return out;
  }
  /// Boxes with exactly these views, all of one length each.
  [[nodiscard]] std::vector<ViewBox> boxes_of(const std::set<Tokens>& some) const {
    std::vector<ViewBox> out;
    for (std::size_t n = 1; n <= model.w; ++n) {
      std::set<ViewBox> level;
      for (const Tokens& v : some) {
        if (v.size() == n) {
          ViewBox box{n, n, std::vector<std::set<std::size_t>>(model.w)};
          for (std::size_t j = 0; j < n; ++j) {
            box.back[j] = {v[n - 1 - j]};
          }
          level.insert(box);
        }
      }
      for (std::size_t j = 0; j < n; ++j) {
        std::map<ViewBox, std::set<std::size_t>> merged;
        for (const ViewBox& each : level) {
          ViewBox box = each;
          const std::set<std::size_t> set = std::exchange(box.back[j], {});
          merged[box].insert(set.begin(), set.end());
        }
        level.clear();
        for (const auto& [key, set] : merged) {
          ViewBox box = key;
          box.back[j] = set;
          level.insert(box);
        }
      }
      out.insert(out.end(), level.begin(), level.end());
    }
    return out;
  }

  /// LEMMA, ROOT (one a box) and ENUM; the id of the fact.
  std::string fact(const std::string& quantity, const ViewBox& box, const char* side) {
    const std::string id = std::to_string(count++), where = text(box);
    body.push_back("l" + id + " LEMMA : " + quantity + " " + where);
    if (!roots.contains(where)) {
      roots[where] = "r" + id;
      body.push_back("r" + id + " ROOT : l" + id);
    }
    body.push_back("f" + id + " ENUM " + roots[where] + " l" + id + " " + side + " :");
    return "f" + id;
  }
  /// NEVER takes care of the other views.
  [[nodiscard]] bool is_needed(const std::vector<Tokens>& some) const {
    return options.spare == 0 || std::any_of(some.begin(), some.end(), [&](const Tokens& v) {
             return reachable.contains(v);
           });
  }
  void write_out(std::size_t t, const ViewBox& box) {
    const std::vector<Tokens> inside = views_of(box);
    if (!is_needed(inside) || std::all_of(inside.begin(), inside.end(),
                                          [&](const Tokens& v) { return may_emit(v, t); })) {
      return;
    }
    std::vector<std::size_t> rivals;
    for (std::size_t y = 0; y < model.V; ++y) {
      if (std::all_of(inside.begin(), inside.end(), [&](const Tokens& v) {
            const Vector& l = logits.at(v);
            return l[t] - l[y] < (top_k() > 0 ? 0 : cut()) - 1e-7;
          })) {
        rivals.push_back(y);
      }
    }
    if (rivals.size() < std::max<std::size_t>(top_k(), 1)) {
      for (const ViewBox& part : split(box)) {
        write_out(t, part);
      }
      return;
    }
    const std::string T = std::to_string(t);
    std::string facts;
    if (top_k() == 0 && rivals.size() > 1) {
      facts = " " + fact("logit-mixture " + T + " 2 " + std::to_string(rivals[0]) + " 16384 " +
                             std::to_string(rivals[1]) + " 49152",
                         box, "hi");
    } else {
      for (std::size_t i = 0; i < std::max<std::size_t>(top_k(), 1); ++i) {
        facts += " " + fact("logit-difference " + T + " " + std::to_string(rivals[i]), box, "hi");
      }
    }
    body.push_back("u" + std::to_string(count++) + " OUT :" + facts);
  }
  void write_atom(const ViewBox& box) {
    const std::vector<Tokens> inside = views_of(box);
    if (!is_needed(inside)) {
      return;
    }
    const auto on = std::count_if(inside.begin(), inside.end(),
                                  [&](const Tokens& v) { return pre.at(v) > 1e-7; });
    const auto off = std::count_if(inside.begin(), inside.end(),
                                   [&](const Tokens& v) { return pre.at(v) < -1e-7; });
    const auto all = static_cast<std::ptrdiff_t>(inside.size());
    if (on == all || off == all) {
      const std::string f = fact("feature 1", box, on == all ? "lo" : "hi");
      body.push_back("t" + std::to_string(count++) + " ATOM : " + f + " 1 " +
                     (on == all ? "+" : "-"));
      return;
    }
    for (const ViewBox& part : split(box)) {
      write_atom(part);
    }
  }
  void write_steps() {
    body = {"d DFA p : 3 0 B 2 T 0 1 0 1 0 1 2 2 2 2 2 2"};
    roots.clear();
    for (std::size_t c = 0; c < model.V; ++c) {
      for (std::size_t t = 0; t < model.V && options.decoder != "plain"; ++t) {
        write_out(t, whole(c));
      }
      if (options.feature) {
        write_atom(whole(c));
      }
    }
    std::set<Tokens> never, spare;
    std::mt19937_64 random(options.seed);
    for (const Tokens& v : views) {
      if (options.spare > 0 && !reachable.contains(v)) {
        never.insert(v);
        if (random() % options.spare == 0) {
          spare.insert(v);
        }
      }
    }
    for (const ViewBox& box : boxes_of(never)) {
      body.push_back("n" + std::to_string(count++) + " NEVER : " + text(box));
    }
    for (const std::size_t q : {0, 1}) {
      std::set<Tokens> some = spare;
      for (const auto& [view, state] : reached) {
        if (state == q) {
          some.insert(view);
        }
      }
      for (const ViewBox& box : boxes_of(some)) {
        body.push_back("s" + std::to_string(count++) + " STATE d : " + std::to_string(q) + " " +
                       text(box));
      }
    }
    body.emplace_back("p REFINED d :");
  }
  /// A box as a line writes it from `lengths` on; of a line that the checker accepted.
  [[nodiscard]] ViewBox read_box(const std::vector<std::string>& words) const {
    ViewBox box = whole(0);
    box.lo = std::stoul(words.at(1));
    box.hi = words.at(2) == "any" ? model.w : std::min(model.w, std::stoul(words.at(2)));
    const std::size_t K = std::stoul(words.at(4));
    for (std::size_t j = 0; j < model.w; ++j) {
      const std::string& set = words.at(j < K ? 4 + K - j : 6 + K);
      box.back[j].clear();
      for (std::size_t t = 0; t < model.V; ++t) {
        std::istringstream runs(set);
        bool in = set == "*";
        for (std::string run; std::getline(runs, run, ',');) {
          const std::size_t dash = run.find('-');
          in = in || (set != "*" && std::stoul(run) <= t &&
                      t <= std::stoul(run.substr(dash == std::string::npos ? 0 : dash + 1)));
        }
        if (in) {
          box.back[j].insert(t);
        }
      }
    }
    return box;
  }
  /// What an accepted certificate says is true: every reached view is in the boxes of its DFA state and in no NEVER
  /// box, no OUT token is emitted, no ATOM is false.
  [[nodiscard]] bool is_true(const std::vector<std::string>& steps) const {
    std::map<std::string, std::vector<std::string>> lemmas, facts;
    std::set<std::pair<Tokens, std::size_t>> left = reached;
    bool good = true;
    for (const std::string& line : steps) {
      std::istringstream in(line);
      std::vector<std::string> words;
      for (std::string each; in >> each;) {
        words.push_back(each);
      }
      const auto at = std::find(words.begin(), words.end(), "lengths");
      const std::vector<std::string> box(at, words.end());
      if (words[1] == "LEMMA") {
        lemmas[words[0]] = words;
      } else if (words[1] == "ENUM") {
        facts[words[0]] = lemmas.at(words[3]);
      } else if (words[1] == "NEVER") {
        const std::vector<Tokens> inside = views_of(read_box(box));
        good = good && std::none_of(inside.begin(), inside.end(),
                                    [&](const Tokens& v) { return reachable.contains(v); });
      } else if (words[1] == "STATE") {
        for (const Tokens& v : views_of(read_box(box))) {
          left.erase({v, std::stoul(words[4])});
        }
      } else if (words[1] == "OUT" || words[1] == "ATOM") {
        const std::vector<std::string>& lemma = facts.at(words[3]);
        const auto from = std::find(lemma.begin(), lemma.end(), "lengths");
        for (const Tokens& v : views_of(read_box({from, lemma.end()}))) {
          good = good && (words[1] == "OUT" ? !may_emit(v, std::stoul(lemma[4]))
                                            : (pre.at(v) > 0) == (words.back() == "+"));
        }
      }
    }
    return good && left.empty();
  }
  [[nodiscard]] std::string spec() const {
    const std::string A = std::to_string(a), B = std::to_string(b);
    return "spec \"demo\" version 1;\nuse model M = \"model\" sha256 " +
           digest(inputs.model + "/model.safetensors") + ";\nuse sae S = \"sae\" sha256 " +
           digest(*inputs.sae + "/sae_weights.safetensors") + ";\nap a = tok = id " + A +
           ";\nap b = " + (options.feature ? "feat(S/1) > 0" : "tok = id " + B) +
           ";\nprop p: all G(a -> X !b);\nprop other: all G(a -> X !a);\nprop live: all F a;\n";
  }
  void write_files() {
    const auto& root = folder.path();
    inputs.model = (root / "model").string();
    inputs.sae = (root / "sae").string();
    inputs.spec = (root / "case.spec").string();
    inputs.runs = (root / "case.runs").string();
    model.save(inputs.model);
    sae.save(*inputs.sae);
    write_file(*inputs.spec, spec());
    write_file(*inputs.runs, "assay-runs 1\ndecoder " + options.decoder + "\nprompts " +
                                 options.prompts + "\nmax-new any\nend\n");
  }
  void finish() {
    lines = header(*this, "refined", "REAL");
    lines.push_back("runs " + digest(*inputs.runs));
    lines.push_back("statement " + digest(*inputs.spec));
    lines.insert(lines.end(), body.begin(), body.end());
    lines.push_back("end " + std::to_string(body.size()));
  }
};

/// The first model from the seed on that has such a property, and its certificate; of a false property what would
/// be one if it were true.
inline std::unique_ptr<RefinedCase> make_refined(RefinedOptions options) {
  while (true) {
    auto c = std::make_unique<RefinedCase>(options);
    if (c->choose()) {
      c->write_files();
      c->write_steps();
      c->finish();
      return c;
    }
    ++options.seed;
  }
}

using Lines = std::vector<std::string>;

/// Accepted with these lines; the number of steps is corrected.
inline bool accepts(RefinedCase& c, Lines lines) {
  const Lines good = std::exchange(c.lines, std::move(lines));
  c.recount();
  const auto outcome = c.check();
  c.lines = good;
  return outcome.accepted;
}

}  // namespace check_test
