#pragma once
// Certificates over general contexts for the tiny families, written in plain double from
// docs/certificate-format.md: the test's own producer, which knows the bound each step shows.

#include <numeric>
#include <set>

#include "check_family.hpp"
#include "check_joint.hpp"
#include "check_options.hpp"

namespace check_test {

class GeneralProducer : public GeneralOptions {
 public:
  GeneralProducer(const FamilyModel& model, const TestDomain& domain, const TestQuantity& quantity,
                  std::string claim)
      : m_(model), domain_(domain), q_(quantity), claim_(std::move(claim)) {
    kappa_.assign(m_.f, 0);
    a_ = domain.lo;
    b_ = domain.any ? std::max(domain.lo, m_.family.window) : domain.hi;
  }

  std::vector<std::string> lines;
  double U[2] = {0, 0};  ///< of side hi, lo

  /// All steps up to the two facts about the whole domain, fhi and flo.
  void write() {
    lines.push_back("root ROOT : dom");
    std::vector<std::string> facts[2];
    U[0] = U[1] = -HUGE_VAL;
    const auto join = [&](const std::string& id, const std::string& parent,
                          const std::vector<std::string>& of, int side) {
      std::string line = id + " JOIN " + parent + " " + claim_ + (side == 0 ? " hi" : " lo") + " :";
      for (const std::string& f : of) {
        line += " " + f;
      }
      lines.push_back(line);
    };
    for (const std::size_t c : domain_.back(0)) {
      const std::string part = "c" + std::to_string(c);
      lines.push_back(part + " PART root : token 0 " + std::to_string(c));
      std::vector<std::string> shorter[2];
      for (std::size_t n = a_; n <= (m_.standard() ? b_ : a_); ++n) {
        Leaf leaf{part, a_, b_, c};
        if (m_.standard()) {
          leaf = {part + "n" + std::to_string(n), n, n, c};
          lines.push_back(leaf.id + " PART " + part + " : length " + std::to_string(n) + " " +
                          std::to_string(n));
        }
        write_leaf(leaf);
        for (const int side : {0, 1}) {
          shorter[side].push_back("f" + leaf.id + (side == 0 ? "hi" : "lo"));
        }
      }
      for (const int side : {0, 1}) {
        facts[side].push_back(shorter[side].front());
        if (m_.standard()) {
          facts[side].back() = "j" + part + (side == 0 ? "hi" : "lo");
          join(facts[side].back(), part, shorter[side], side);
        }
      }
    }
    join("fhi", "root", facts[0], 0);
    join("flo", "root", facts[1], 1);
  }

  /// An upper bound of act(z) - a z over [lo, hi], and a lower one; as the page says.
  [[nodiscard]] std::pair<double, double> residual(double lo, double hi, double a) const {
    const auto at = [&](double z) { return m_.activation(z) - a * z; };
    double low = std::min(at(lo), at(hi)), high = std::max(at(lo), at(hi));
    if (m_.family.act == "relu") {
      return {lo < 0 && hi > 0 ? std::min(low, 0.0) : low, high};
    }
    for (double k = std::ceil(std::max(lo, -8.0) * 256); k <= std::min(hi, 8.0) * 256; ++k) {
      low = std::min(low, at(k / 256));
      high = std::max(high, at(k / 256));
    }
    return {low - 0x1p-19, high + 0x1p-19};
  }

 private:
  static double dot(const Vector& a, const Vector& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  }
  [[nodiscard]] std::size_t position(const Leaf& leaf) const {
    return m_.standard() ? leaf.a - 1 : 4;
  }
  [[nodiscard]] double base(const Leaf& leaf, const Vector& g) const {
    return dot(g, m_.residual(leaf.c, position(leaf)));
  }
  [[nodiscard]] Choices choices_of(const Leaf& leaf, std::size_t h, const Vector& g) const {
    const std::size_t p = position(leaf);
    Choices choices(std::min(leaf.b, m_.span()));
    for (std::size_t j = 0; j < choices.size(); ++j) {
      for (const std::size_t u : j == 0 ? Tokens{leaf.c} : domain_.back(j)) {
        choices[j].emplace_back(m_.weight(h, leaf.c, p, j, u), dot(g, m_.value(h, u, p - j)));
      }
    }
    return choices;
  }
  /// The exact maximum of <g, head h's output> over the leaf, up to rounding (Dinkelbach).
  [[nodiscard]] double attention_max(const Leaf& leaf, const Choices& choices) const {
    double best = -HUGE_VAL;
    for (std::size_t N = std::min(leaf.a, m_.span()); N <= choices.size(); ++N) {
      double L = -1e6;
      for (int round = 0; round < 60; ++round) {
        double top = 0, bottom = 0;
        for (std::size_t j = 0; j < N; ++j) {
          const auto pick = *std::max_element(
              choices[j].begin(), choices[j].end(), [&](const auto& x, const auto& y) {
                return x.first * (x.second - L) < y.first * (y.second - L);
              });
          top += pick.first * pick.second;
          bottom += pick.first;
        }
        if (!(top / bottom > L)) {
          break;
        }
        L = top / bottom;
      }
      best = std::max(best, L);
    }
    return best;
  }
  double noise(double size) const {
    return (static_cast<double>(random_() >> 11) * 0x1p-52 - 1) * size;
  }
  /// HEADS for sign · g; adds the bound that they show.
  std::string numbers(const Leaf& leaf, const Vector& g, double& sum, double sign = 1) const {
    Vector signed_g = g, L;
    for (double& x : signed_g) {
      x *= sign;
    }
    std::vector<Choices> heads;
    std::string text;
    const bool together = joint > 0 && random_() % 3 != 0;
    for (std::size_t h = 0; h < m_.H; ++h) {
      heads.push_back(choices_of(leaf, h, signed_g));
      const double best = attention_max(leaf, heads[h]);
      L.push_back(best + (together ? noise(joint) : room * (1 + std::fabs(best))));
      text += " " + hex(L[h]);
      sum += together ? 0 : L[h];
    }
    if (!together) {
      return text;
    }
    std::vector<Vector> theta(m_.H);
    text += " T";
    for (std::size_t h = 0; h < m_.H; ++h) {
      double unit = 0;
      for (const auto& set : heads[h]) {
        unit = std::max(unit, std::max_element(set.begin(), set.end())->first);
      }
      for (auto& set : heads[h]) {
        double top = -HUGE_VAL;
        for (auto& [w, nu] : set) {
          w /= unit;
          top = std::max(top, w * (nu - L[h]));
        }
        theta[h].push_back(top + noise(joint));
        text += " " + hex(theta[h].back());
      }
    }
    sum += joint_bound(heads, L, theta, std::min(leaf.a, m_.span()));
    return text;
  }

  /// h_j and c_j: z_j = s <h_j, m> + c_j, s = 1 without LN2
  void neuron(std::size_t j, Vector& g, double& offset) const {
    g.assign(m_.d, 0);
    offset = m_.at("blocks.0.mlp.b_in", j);
    for (std::size_t i = 0; i < m_.d; ++i) {
      const double w = m_.at("blocks.0.mlp.W_in", i * m_.f + j);
      g[i] = w * (m_.family.norm.empty() ? 1 : m_.affine_part("blocks.0.ln2.w", i));
      offset += m_.family.norm.empty() ? 0 : w * m_.affine_part("blocks.0.ln2.b", i);
    }
    g = m_.family.norm.empty() ? g : FamilyModel::centre(g);
  }
  void ranges(const Leaf& leaf) {
    neurons_ = leaf.id;
    const std::string n = "n" + leaf.id;
    const bool norm = !m_.family.norm.empty();
    lines.push_back(n + (norm ? " NORM-NEURONS t" : " CASE-NEURONS ") + leaf.id + " : " +
                    std::to_string(m_.f));
    lo_.clear();
    hi_.clear();
    for (std::size_t j = 0; j < m_.f; ++j) {
      Vector g;
      double offset = 0;
      neuron(j, g, offset);
      double up = base(leaf, g), down = -up;
      const std::string text = numbers(leaf, g, up) + numbers(leaf, g, down, -1);
      lines.push_back(n + "." + std::to_string(j) + (norm ? " NORM-RANGE " : " CASE-RANGE ") + n +
                      " " + std::to_string(j) + " :" + text);
      double lo = -down, hi = up;
      if (norm) {
        const double r = std::sqrt(static_cast<double>(m_.d) * dot(g, g));
        lo = std::max(-r, std::min(s_lo_ * lo, s_hi_ * lo));
        hi = std::min(r, std::max(s_lo_ * hi, s_hi_ * hi));
      }
      lo_.push_back(lo + offset);
      hi_.push_back(hi + offset);
    }
  }
  static std::string scale_words(double S_lo, double S_hi, std::size_t d, double& lo, double& hi) {
    lo = (1 - 1e-9) / std::sqrt(S_hi / static_cast<double>(d) + 1e-2);
    hi = (1 + 1e-9) / std::sqrt(S_lo / static_cast<double>(d) + 1e-2);
    return " " + hex(lo) + " " + hex(hi);
  }
  static void add_square(double lo, double hi, double& S_lo, double& S_hi) {
    S_hi += std::max(lo * lo, hi * hi);
    S_lo += lo <= 0 && hi >= 0 ? 0 : std::min(lo * lo, hi * hi);
  }
  void box_and_spread(const Leaf& leaf) {
    box_of_ = leaf.id;
    const std::string b = "b" + leaf.id;
    lines.push_back(b + " BOX " + leaf.id + " : " + std::to_string(m_.d));
    Vector u;
    double S_lo = 0, S_hi = 0;
    box_.clear();
    for (std::size_t i = 0; i < m_.d; ++i) {
      Vector g(m_.d);
      g[i] = 1;
      g = FamilyModel::centre(g);
      double up = base(leaf, g), down = -up;
      const std::string text = numbers(leaf, g, up) + numbers(leaf, g, down, -1);
      lines.push_back(b + "." + std::to_string(i) + " BOX-RANGE " + b + " " + std::to_string(i) +
                      " :" + text);
      box_.emplace_back(-down, up);
      add_square(-down, up, S_lo, S_hi);
      u.push_back((up - down) / 2);
    }
    std::string text;
    for (const double x : u) {
      text += " " + hex(x);
    }
    const Vector Pu = FamilyModel::centre(u);
    double sum = -base(leaf, Pu);
    text += numbers(leaf, Pu, sum, -1);
    if (-sum > 0) {
      S_lo = std::max(S_lo, sum * sum / dot(Pu, Pu));
    }
    lines.push_back("t" + leaf.id + " SPREAD " + b + " :" + text +
                    scale_words(S_lo, S_hi, m_.d, s_lo_, s_hi_));
  }

  /// const0, g0 and kappa of <g, r> + beta
  void residual_target(const Vector& g, double beta) {
    g0_ = g;
    const0_ = beta;
    for (std::size_t j = 0; j < m_.f; ++j) {
      kappa_[j] = 0;
      for (std::size_t i = 0; i < m_.d; ++i) {
        kappa_[j] += m_.at("blocks.0.mlp.W_out", j * m_.d + i) * g[i];
      }
    }
    for (std::size_t i = 0; i < m_.d && m_.f > 0; ++i) {
      const0_ += m_.at("blocks.0.mlp.b_out", i) * g[i];
    }
  }
  void target(double sign) {
    Vector g = q_.g;
    for (double& x : g) {
      x *= sign;
    }
    const double beta = sign * q_.beta;
    g0_.assign(m_.d, 0);
    kappa_.assign(m_.f, 0);
    const0_ = beta;
    if (q_.hook == "mid") {
      g0_ = g;
    } else if (q_.hook == "post") {
      kappa_ = g;
    } else if (q_.hook == "pre") {
      for (std::size_t j = 0; j < m_.f; ++j) {
        Vector h;
        double offset = 0;
        neuron(j, h, offset);
        for (std::size_t i = 0; i < m_.d; ++i) {
          g0_[i] += g[j] * h[i];
        }
        const0_ += g[j] * offset;
      }
    } else if (q_.hook == "logits") {
      Vector h(m_.d);
      for (std::size_t i = 0; i < m_.d; ++i) {
        for (std::size_t t = 0; t < m_.V; ++t) {
          h[i] += g[t] * m_.at("unembed.W_U", i * m_.V + t);
        }
      }
      double constant = beta;
      for (std::size_t t = 0; t < m_.V; ++t) {
        constant += g[t] * m_.at("unembed.b_U", t);
      }
      final_constant_ = constant;
      if (!m_.family.norm.empty()) {
        for (std::size_t i = 0; i < m_.d; ++i) {
          final_constant_ += h[i] * m_.affine_part("ln_final.b", i);
          h[i] *= m_.affine_part("ln_final.w", i);
        }
        h = FamilyModel::centre(h);
        constant = 0;
      }
      final_radius_ = std::sqrt(static_cast<double>(m_.d) * dot(h, h));
      residual_target(h, constant);
    } else {
      residual_target(g, beta);
      if (q_.hook == "mlp_out") {
        g0_.assign(m_.d, 0);
      }
    }
  }
  /// "LINEAR …", "FOLD nID …" or "NORM-FOLD nID …" for the target, with its bound; `name` gets the first words.
  /// <g, head h's output> where one token stands in every place that is not fixed, and in none of them.
  [[nodiscard]] Vector at_vertices(const Leaf& leaf, std::size_t h, const Vector& g) const {
    const std::size_t fewest = std::min(leaf.a, m_.span()), most = std::min(leaf.b, m_.span());
    const std::size_t p = position(leaf);
    double top = 0, bottom = 0;
    std::set<std::size_t> tokens;
    std::vector<std::size_t> free;
    for (std::size_t j = 0; j < most; ++j) {
      const bool stands = stands_ && stands_->first == j;
      const Tokens set = j == 0   ? Tokens{leaf.c}
                         : stands ? Tokens{stands_->second}
                                  : domain_.back(j);
      if (j < fewest && set.size() == 1) {
        const double w = m_.weight(h, leaf.c, p, j, set[0]);
        top += w * dot(g, m_.value(h, set[0], p - j));
        bottom += w;
      } else {
        free.push_back(j);
        tokens.insert(set.begin(), set.end());
      }
    }
    Vector out;
    if (free.empty() || most > fewest) {
      out.push_back(top / bottom);
    }
    for (const std::size_t u : tokens) {
      double F = 0;
      for (const std::size_t j : free) {
        F += m_.weight(h, leaf.c, p, j, u);
      }
      out.push_back((top + F * dot(g, m_.value(h, u, p - free[0]))) / (bottom + F));
    }
    return out;
  }
  /// Least and largest values of <g, m> + offset at each vertex of the head that moves, or of all of them.
  [[nodiscard]] std::vector<std::pair<double, double>> between(const Leaf& leaf, const Vector& g,
                                                               double offset) const {
    const double start = base(leaf, g) + offset;
    std::vector<std::pair<double, double>> out(at_vertices(leaf, 0, g).size(), {start, start});
    for (std::size_t h = 0; h < m_.H; ++h) {
      const Vector at = at_vertices(leaf, h, g);
      const bool moves = h == *hull || *hull == m_.H;
      for (std::size_t v = 0; v < out.size(); ++v) {
        out[v].first += moves ? at[v] : *std::min_element(at.begin(), at.end());
        out[v].second += moves ? at[v] : *std::max_element(at.begin(), at.end());
      }
    }
    return out;
  }
  /// EACH: every token of the place in its turn, with slopes that nobody writes.
  std::string each_words(const Leaf& leaf, double& bound) {
    bound = -HUGE_VAL;
    for (const std::size_t u : domain_.back(*each)) {
      stands_ = {*each, u};
      double at = 0;
      static_cast<void>(hull_words(leaf, at));
      bound = std::max(bound, at);
    }
    stands_.reset();
    return " H " + std::to_string(*hull) + " EACH " + std::to_string(*each);
  }
  std::string hull_words(const Leaf& leaf, double& bound) {
    std::vector<std::pair<double, double>> sum = between(leaf, g0_, const0_);
    std::string text = " H " + (*hull < m_.H ? std::to_string(*hull) : std::string("*")) + " S";
    for (std::size_t j = 0; j < m_.f; ++j) {
      Vector g;
      double offset = 0;
      neuron(j, g, offset);
      const auto z = between(leaf, g, offset);
      const auto lo = std::min_element(z.begin(), z.end());
      const auto hi = std::max_element(
          z.begin(), z.end(), [](const auto& x, const auto& y) { return x.second < y.second; });
      const double a =
          stands_ ? (hi->second > -lo->first ? 1 : 0) : std::clamp(0.5 + noise(0.7), 0.0, 1.0);
      text += " " + hex(a);
      for (std::size_t v = 0; v < sum.size(); ++v) {
        sum[v].second +=
            kappa_[j] > 0 ? kappa_[j] * std::max(z[v].second, 0.0) : kappa_[j] * a * z[v].first;
      }
    }
    bound = -HUGE_VAL;
    for (const auto& at : sum) {
      bound = std::max(bound, at.second);
    }
    return text;
  }
  std::string bound_words(const Leaf& leaf, std::string& name, double& bound) {
    if (hull) {
      name = "HULL";
      return each ? each_words(leaf, bound) : hull_words(leaf, bound);
    }
    const bool mlp = std::any_of(kappa_.begin(), kappa_.end(), [](double k) { return k != 0; });
    if (!mlp) {
      name = "LINEAR";
      bound = const0_ + base(leaf, g0_);
      return numbers(leaf, g0_, bound);
    }
    const bool norm = !m_.family.norm.empty();
    name = std::string(norm ? "NORM-FOLD" : "FOLD") + " n" + neurons_;
    bound = const0_;
    Vector h(m_.d);
    std::string text = " S";
    for (std::size_t j = 0; j < m_.f; ++j) {
      Vector g;
      double offset = 0;
      neuron(j, g, offset);
      const double lo = lo_[j], hi = hi_[j];
      const double a = j == 2     ? -0.25
                       : lo == hi ? 0
                                  : (m_.activation(hi) - m_.activation(lo)) / (hi - lo);
      text += " " + hex(a);
      const auto [low, high] = residual(lo, hi, a);
      bound += kappa_[j] * a * offset + std::max(kappa_[j] * low, kappa_[j] * high);
      for (std::size_t i = 0; i < m_.d; ++i) {
        h[i] += kappa_[j] * a * g[i];
      }
    }
    if (sign_ != 0) {
      Vector g;
      double offset = 0;
      neuron(split_, g, offset);
      const double mu = std::fabs(noise(0.2));
      text += " M 1 " + std::to_string(split_) + " " + hex(mu);
      bound += sign_ * mu * offset;
      for (std::size_t i = 0; i < m_.d; ++i) {
        h[i] += sign_ * mu * g[i];
      }
    }
    double ends[2] = {-HUGE_VAL, -HUGE_VAL};
    const double scales[2] = {norm ? s_lo_ : 1, s_hi_};
    for (int k = 0; k < (norm ? 2 : 1); ++k) {
      Vector G = g0_;
      for (std::size_t i = 0; i < m_.d; ++i) {
        G[i] += scales[k] * h[i];
      }
      ends[k] = base(leaf, G);
      text += norm ? (k == 0 ? " A" : " B") : " L";
      text += numbers(leaf, G, ends[k]);
    }
    bound += std::max(ends[0], ends[1]);
    return text;
  }
  void write_final(const Leaf& leaf, const std::string& fact, const std::string& subject,
                   double& bound) {
    if (sphere) {
      lines.push_back(fact + " SPHERE " + leaf.id + subject + " :");
      bound = final_constant_ + final_radius_;
      return;
    }
    std::string name;
    double num = 0, lo = 0, hi = 0, S_lo = 0, S_hi = 0;
    const std::string words = bound_words(leaf, name, num);
    lines.push_back("p" + fact + " PART-NUM " + leaf.id + subject + " : " + name + words);
    Vector mean(m_.f);
    for (std::size_t i = 0; i < m_.d; ++i) {
      auto [low, high] = box_[i];
      for (std::size_t j = 0; j < m_.f; ++j) {
        Vector row(m_.d);
        for (std::size_t k = 0; k < m_.d; ++k) {
          row[k] = m_.at("blocks.0.mlp.W_out", j * m_.d + k);
        }
        const double w = FamilyModel::centre(row)[i];
        const auto [a, b] = residual(whole_lo_[j], whole_hi_[j], 0);
        low += std::min(w * a, w * b);
        high += std::max(w * a, w * b);
      }
      if (m_.f > 0) {
        Vector b(m_.d);
        for (std::size_t k = 0; k < m_.d; ++k) {
          b[k] = m_.at("blocks.0.mlp.b_out", k);
        }
        low += FamilyModel::centre(b)[i];
        high += FamilyModel::centre(b)[i];
      }
      add_square(low, high, S_lo, S_hi);
    }
    lines.push_back("r" + fact + " FINAL-SPREAD " + leaf.id + " : b" + box_of_ +
                    (m_.f > 0 ? " n" + neurons_ : " -") + scale_words(S_lo, S_hi, m_.d, lo, hi));
    lines.push_back(fact + " FINAL " + leaf.id + subject + " : p" + fact + " r" + fact);
    bound = final_constant_ + std::min(num * (num >= 0 ? hi : lo), final_radius_);
  }
  void write_leaf(const Leaf& leaf) {
    const bool norm = !m_.family.norm.empty();
    if (norm) {
      box_and_spread(leaf);
    }
    if (m_.f > 0 && !hull) {
      ranges(leaf);
    }
    whole_lo_ = lo_;
    whole_hi_ = hi_;
    for (const int side : {0, 1}) {
      target(side == 0 ? 1 : -1);
      const std::string fact = "f" + leaf.id + (side == 0 ? "hi" : "lo");
      const std::string subject = " " + claim_ + (side == 0 ? " hi" : " lo");
      const bool mlp = std::any_of(kappa_.begin(), kappa_.end(), [](double k) { return k != 0; });
      const double bound = signs && mlp && !sphere ? write_signs(leaf, fact, subject, side)
                                                   : write_fact(leaf, fact, subject, side);
      U[side] = std::max(U[side], bound);
    }
  }
  /// The fact on the two parts by the sign of a neuron, and their JOIN.
  double write_signs(const Leaf& leaf, const std::string& fact, const std::string& subject,
                     int side) {
    split_ = random_() % m_.f;
    double bound = -HUGE_VAL;
    std::string join = fact + " JOIN " + leaf.id + subject + " :";
    for (const double sign : {1.0, -1.0}) {
      Leaf part = leaf;
      part.id = leaf.id + (side == 0 ? "h" : "l") + (sign > 0 ? "p" : "m");
      lines.push_back(part.id + " PART " + leaf.id + " : neuron " + std::to_string(split_) +
                      (sign > 0 ? " +" : " -"));
      const Vector lo = lo_, hi = hi_;
      lo_[split_] = sign > 0 ? std::max(lo_[split_], 0.0) : std::min(lo_[split_], 0.0);
      hi_[split_] = sign > 0 ? std::max(hi_[split_], 0.0) : std::min(hi_[split_], 0.0);
      sign_ = sign;
      bound = std::max(bound, write_fact(part, "f" + part.id, subject, side));
      sign_ = 0;
      lo_ = lo;
      hi_ = hi;
      join += " f" + part.id;
    }
    lines.push_back(join);
    return bound;
  }
  double write_fact(const Leaf& leaf, const std::string& fact, const std::string& subject,
                    int side) {
    const bool norm = !m_.family.norm.empty();
    double bound = 0;
    if (norm && q_.hook == "pre") {
      const auto j =
          static_cast<std::size_t>(std::find(q_.g.begin(), q_.g.end(), 1.0) - q_.g.begin());
      lines.push_back(fact + " NORM-LINEAR n" + leaf.id + subject + " :");
      return side == 0 ? hi_[j] : -lo_[j];
    }
    if (norm && q_.hook == "logits") {
      write_final(leaf, fact, subject, bound);
      return bound;
    }
    std::string name;
    const std::string words = bound_words(leaf, name, bound);
    const std::size_t space = name.find(' ');
    lines.push_back(fact + " " + name.substr(0, space) + " " + leaf.id +
                    (space == std::string::npos ? "" : name.substr(space)) + subject + " :" +
                    words);
    return bound;
  }

  const FamilyModel& m_;
  const TestDomain& domain_;
  const TestQuantity& q_;
  std::string claim_;
  std::size_t a_ = 0, b_ = 0;
  Vector lo_, hi_, g0_, kappa_;
  Vector whole_lo_, whole_hi_;  ///< before a part by sign cuts them
  std::vector<std::pair<double, double>> box_;
  std::string neurons_, box_of_;  ///< the cases of the ranges and of the BOX
  std::size_t split_ = 0;         ///< the neuron of M
  double sign_ = 0;               ///< 0: no M
  std::optional<std::pair<std::size_t, std::size_t>> stands_;  ///< EACH: the place and its token
  mutable std::mt19937_64 random_{1};
  double s_lo_ = 1, s_hi_ = 1, const0_ = 0, final_constant_ = 0, final_radius_ = 0;
};

}  // namespace check_test
