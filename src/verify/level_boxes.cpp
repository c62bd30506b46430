#include "level_boxes.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

namespace assay::verify {
namespace {

constexpr std::size_t kPatience = 3;  // joins before widening
constexpr std::size_t kMaxVisits = 20000;

using Bound = std::optional<Exact>;

/// The index of the spec's levels among the system's.
std::map<std::size_t, std::size_t> index_of(const LevelSystem& system) {
  std::map<std::size_t, std::size_t> out;
  for (const std::size_t level : system.levels) {
    out.emplace(level, out.size());
  }
  return out;
}

/// Σ coefficient · level over a box; side +1 its largest value, −1 its smallest.
template <class Upper, class Lower>
Bound extreme(const Terms& terms, const Exact& constant, bool largest, const Upper& upper,
              const Lower& lower) {
  Exact out = constant;
  for (const auto& [level, coefficient] : terms) {
    const Bound b = (coefficient > 0) == largest ? upper(level) : lower(level);
    if (!b) {
      return std::nullopt;
    }
    out += coefficient * *b;
  }
  return out;
}

/// Where the numbers of a level may stop growing.
class Thresholds {
 public:
  Thresholds(const spec::Spec& spec, const LevelSystem& system)
      : index_(index_of(system)),
        sets_(system.levels.size()),
        lo_(sets_.size()),
        hi_(sets_.size()) {
    for (std::size_t i = 0; i < system.levels.size(); ++i) {
      add(i, spec.levels[system.levels[i]], system.initial[i]);
    }
    for (const Row& row : level_comparisons(spec, system)) {
      if (row.terms.size() == 1) {
        sets_[row.terms[0].first].insert(row.bound / row.terms[0].second);
      }
    }
  }

  /// The next one from x outwards.
  [[nodiscard]] Bound beyond(std::size_t level, const Exact& x, bool upwards) const {
    const std::set<Exact>& set = sets_[level];
    const auto at = upwards ? set.lower_bound(x) : set.upper_bound(x);
    if (upwards) {
      return at == set.end() ? Bound() : Bound(*at);
    }
    return at == set.begin() ? Bound() : Bound(*std::prev(at));
  }

 private:
  void add(std::size_t i, const spec::Level& level, const Exact& initial) {
    sets_[i].insert(initial);
    Bound lo = initial, hi = initial;
    for (const spec::Level::Case& c : level.cases) {
      add_case(i, c, lo, hi);
    }
    if (level.least) {
      sets_[i].insert(exact(*level.least));
      lo = lo ? std::max(*lo, exact(*level.least)) : exact(*level.least);
    }
    if (level.most) {
      sets_[i].insert(exact(*level.most));
      hi = hi ? std::min(*hi, exact(*level.most)) : exact(*level.most);
    }
    for (const Bound& b : {lo, hi}) {
      if (b) {
        sets_[i].insert(*b);
      }
    }
    lo_[i] = lo;
    hi_[i] = hi;
  }

  /// x' = a x + rest: for 0 <= a < 1 below the fixed point of the largest rest, for |a| < 1 within a radius.
  void add_case(std::size_t i, const spec::Level::Case& c, Bound& lo, Bound& hi) {
    Exact own = 0;
    Terms rest;
    for (const auto& [level, coefficient] : c.to.terms) {
      const std::size_t j = index_.at(level);
      if (j == i) {
        own = exact(coefficient);
      } else {
        rest.emplace_back(j, exact(coefficient));
      }
    }
    const auto upper = [&](std::size_t j) { return j < i ? hi_[j] : Bound(); };
    const auto lower = [&](std::size_t j) { return j < i ? lo_[j] : Bound(); };
    Bound most = extreme(rest, exact(c.to.constant), true, upper, lower);
    Bound least = extreme(rest, exact(c.to.constant), false, upper, lower);
    if (own >= 0 && own < 1) {
      most = most ? Bound(*most / (1 - own)) : most;
      least = least ? Bound(*least / (1 - own)) : least;
    } else if (own < 0 && own > -1 && most && least) {
      const Exact radius = Exact(std::max(abs(*most), abs(*least))) / (1 + own);
      most = radius;
      least = -radius;
    } else if (own == 1) {
      most = most && *most <= 0 ? hi : Bound();
      least = least && *least >= 0 ? lo : Bound();
    } else {
      most = least = std::nullopt;
    }
    hi = hi && most ? Bound(std::max(*hi, *most)) : Bound();
    lo = lo && least ? Bound(std::min(*lo, *least)) : Bound();
  }

  std::map<std::size_t, std::size_t> index_;
  std::vector<std::set<Exact>> sets_;
  std::vector<Bound> lo_, hi_;
};

class BoxSearch {
 public:
  BoxSearch(const spec::Spec& spec, const LevelSystem& system)
      : system_(system),
        thresholds_(spec, system),
        boxes_(system.controls.size()),
        joins_(system.controls.size(), 0),
        waits_(system.controls.size(), false) {}

  std::vector<LevelBox> run() {
    LevelBox start{true, {}, {}};
    for (const Exact& value : system_.initial) {
      start.lo.emplace_back(value);
      start.hi.emplace_back(value);
    }
    for (const std::size_t c : system_.start) {
      join(c, start);
    }
    for (std::size_t visits = 0; !open_.empty(); ++visits) {
      const std::size_t c = open_.front();
      open_.pop_front();
      waits_[c] = false;
      hurry_ = visits > kMaxVisits;
      LevelRows rows(system_.levels.size());
      for (Row& row : box_rows(boxes_[c])) {
        rows.push(std::move(row));
      }
      for (const LevelBranch& branch : system_.controls[c].branches) {
        walk(*branch.root, rows, true);
      }
    }
    return std::move(boxes_);
  }

 private:
  void walk(const LevelNode& node, LevelRows& rows, bool fresh) {
    if (!fresh && rows.contradiction()) {
      return;
    }
    if (!node.is_leaf()) {
      rows.push(node.split);
      walk(*node.yes, rows, false);
      rows.pop();
      rows.push(node.split.negated());
      walk(*node.no, rows, false);
      rows.pop();
      return;
    }
    const auto upper = [&](std::size_t level) { return rows.upper(level); };
    const auto lower = [&](std::size_t level) { return rows.lower(level); };
    LevelBox image{true, {}, {}};
    for (const Form& form : node.update) {
      image.lo.push_back(extreme(form.terms, form.constant, false, upper, lower));
      image.hi.push_back(extreme(form.terms, form.constant, true, upper, lower));
    }
    join(node.to, image);
  }

  void join(std::size_t c, const LevelBox& image) {
    LevelBox& box = boxes_[c];
    bool changed = !box.met;
    if (!box.met) {
      box = image;
    }
    const bool widen = ++joins_[c] > kPatience * (1 + system_.controls[c].branches.size());
    for (std::size_t l = 0; l < image.lo.size(); ++l) {
      if (box.hi[l] && (!image.hi[l] || *image.hi[l] > *box.hi[l])) {
        box.hi[l] = !image.hi[l] || hurry_ ? Bound()
                    : widen                ? thresholds_.beyond(l, *image.hi[l], true)
                                           : image.hi[l];
        changed = true;
      }
      if (box.lo[l] && (!image.lo[l] || *image.lo[l] < *box.lo[l])) {
        box.lo[l] = !image.lo[l] || hurry_ ? Bound()
                    : widen                ? thresholds_.beyond(l, *image.lo[l], false)
                                           : image.lo[l];
        changed = true;
      }
    }
    if (changed && !waits_[c] && !system_.controls[c].bad) {
      waits_[c] = true;
      open_.push_back(c);
    }
  }

  const LevelSystem& system_;
  Thresholds thresholds_;
  std::vector<LevelBox> boxes_;
  std::vector<std::size_t> joins_;
  std::vector<bool> waits_;
  std::deque<std::size_t> open_;
  bool hurry_ = false;
};

}  // namespace

std::vector<Row> level_comparisons(const spec::Spec& spec, const LevelSystem& system) {
  const std::map<std::size_t, std::size_t> index = index_of(system);
  std::vector<Row> out;
  for (const spec::Atom& atom : spec.atoms) {
    const bool all = atom.kind == spec::Atom::Kind::level &&
                     std::all_of(atom.form.terms.begin(), atom.form.terms.end(),
                                 [&](const auto& term) { return index.count(term.first) > 0; });
    if (!all) {
      continue;
    }
    Row row{{}, exact(atom.threshold), atom.comparison == spec::Comparison::below};
    for (const auto& [level, coefficient] : atom.form.terms) {
      row.terms.emplace_back(index.at(level), exact(coefficient));
    }
    // >= and > are the negations of < and <=
    if (atom.comparison == spec::Comparison::at_least ||
        atom.comparison == spec::Comparison::above) {
      row.strict = atom.comparison == spec::Comparison::at_least;
      row = row.negated();
    }
    out.push_back(std::move(row));
  }
  return out;
}

std::vector<Row> box_rows(const LevelBox& box) {
  std::vector<Row> out;
  for (std::size_t l = 0; l < box.lo.size(); ++l) {
    if (box.lo[l]) {
      out.push_back({{{l, Exact(-1)}}, -*box.lo[l], false});
    }
    if (box.hi[l]) {
      out.push_back({{{l, Exact(1)}}, *box.hi[l], false});
    }
  }
  return out;
}

std::vector<LevelBox> level_boxes(const spec::Spec& spec, const LevelSystem& system) {
  return BoxSearch(spec, system).run();
}

}  // namespace assay::verify
