#include "level_system.hpp"

#include <algorithm>
#include <optional>

#include "assay/base/errors.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kMaxLetterAtoms = 12;
constexpr std::size_t kMaxLabelAps = 16;
constexpr std::size_t kMaxControls = 100000;
constexpr std::size_t kMaxLeaves = 1000000;
constexpr std::size_t kMaxNumbers = 20000000;

using automata::Hoa;
using spec::Atom;

/// The comparison of levels as a row over the system's levels.
Row row_of(const Atom& atom, const std::map<std::size_t, std::size_t>& index) {
  using spec::Comparison;
  const bool flip = atom.comparison == Comparison::at_least || atom.comparison == Comparison::above;
  Row row;
  for (const auto& [level, coefficient] : atom.form.terms) {
    row.terms.emplace_back(index.at(level), flip ? -exact(coefficient) : exact(coefficient));
  }
  row.bound = flip ? -exact(atom.threshold) : exact(atom.threshold);
  row.strict = atom.comparison == Comparison::above || atom.comparison == Comparison::below;
  return row;
}

class Builder {
 public:
  Builder(const spec::Spec& spec, const spec::FormulaPtr& formula, const spec::Dfa& dfa,
          const Hoa& machine, const std::vector<std::size_t>& edges)
      : spec_(spec), dfa_(dfa), machine_(machine) {
    system_.levels = spec::levels_of(spec, formula);
    for (const std::size_t level : system_.levels) {
      index_.emplace(level, index_.size());
      system_.initial.push_back(exact(spec.levels[level].initial));
    }
    collect_letter_atoms();
    edges_.resize(machine.states);
    for (const std::size_t e : edges) {
      edges_[machine.edges[e].from].push_back(e);
    }
  }

  LevelSystem build() {
    for (const std::size_t s : machine_.start) {
      const std::size_t c = control(s, 0);
      if (std::find(system_.start.begin(), system_.start.end(), c) == system_.start.end()) {
        system_.start.push_back(c);
      }
    }
    for (std::size_t c = 0; c < system_.controls.size(); ++c) {
      if (!system_.controls[c].bad) {
        expand(c);
      }
    }
    return std::move(system_);
  }

 private:
  /// The aps that the property reads, and the guards of its levels.
  void collect_letter_atoms() {
    std::vector<std::size_t> all = dfa_.atoms;
    for (const std::size_t level : system_.levels) {
      for (const spec::Level::Case& c : spec_.levels[level].cases) {
        const std::vector<std::size_t> more =
            c.guard ? spec::atoms_of(c.guard) : std::vector<std::size_t>();
        all.insert(all.end(), more.begin(), more.end());
      }
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    for (const std::size_t a : all) {
      const Atom& atom = spec_.atoms[a];
      if (atom.kind == Atom::Kind::level) {
        rows_.emplace(a, row_of(atom, index_));
        continue;
      }
      const auto found = std::find(machine_.aps.begin(), machine_.aps.end(), atom.name);
      if (found == machine_.aps.end()) {
        throw UsageError("ap " + atom.name +
                         ": expected it among the machine's aps, found none of that name");
      }
      system_.letter_atoms.push_back(a);
      bits_.push_back(static_cast<std::size_t>(found - machine_.aps.begin()));
    }
    if (system_.letter_atoms.size() > kMaxLetterAtoms) {
      throw UsageError("property and levels together: expected at most 12 aps, found " +
                       std::to_string(system_.letter_atoms.size()));
    }
  }

  std::size_t control(std::size_t state, std::uint32_t q) {
    const auto [found, fresh] = numbers_.emplace(std::pair(state, q), system_.controls.size());
    if (fresh) {
      if (system_.controls.size() == kMaxControls) {
        throw UsageError("machine and property: more than 100000 pairs of states");
      }
      system_.controls.push_back({state, q, dfa_.bad[q], {}});
    }
    return found->second;
  }

  void expand(std::size_t c) {
    const std::size_t state = system_.controls[c].state;
    for (const std::size_t e : edges_[state]) {
      for (const std::size_t letter : letters(e)) {
        truth_.clear();
        for (std::size_t i = 0; i < system_.letter_atoms.size(); ++i) {
          truth_[system_.letter_atoms[i]] = ((letter >> i) & 1U) != 0;
        }
        std::vector<Form> update(system_.levels.size());
        LevelBranch branch{
            e, letter, move_level(0, 0, update, machine_.edges[e].to, system_.controls[c].spec)};
        system_.controls[c].branches.push_back(std::move(branch));
      }
    }
  }

  /// The letters that some valuation of the label's aps shows.
  const std::vector<std::size_t>& letters(std::size_t edge) {
    const auto found = letters_.find(edge);
    if (found != letters_.end()) {
      return found->second;
    }
    const automata::HoaLabel& label = machine_.edges[edge].label;
    std::vector<std::size_t> hidden;  // named by the label alone
    for (const std::size_t ap : label.aps()) {
      if (std::find(bits_.begin(), bits_.end(), ap) == bits_.end()) {
        hidden.push_back(ap);
      }
    }
    if (hidden.size() > kMaxLabelAps) {
      throw UsageError("the machine: expected at most 16 aps in one label beside the property's");
    }
    std::vector<std::size_t> out;
    for (std::size_t letter = 0; letter < (std::size_t{1} << bits_.size()); ++letter) {
      std::uint64_t base = 0;
      for (std::size_t i = 0; i < bits_.size(); ++i) {
        base |= std::uint64_t{(letter >> i) & 1U} << bits_[i];
      }
      bool shown = false;
      for (std::size_t v = 0; v < (std::size_t{1} << hidden.size()) && !shown; ++v) {
        std::uint64_t all = base;
        for (std::size_t i = 0; i < hidden.size(); ++i) {
          all |= std::uint64_t{(v >> i) & 1U} << hidden[i];
        }
        shown = label.holds(all);
      }
      if (shown) {
        out.push_back(letter);
      }
    }
    return letters_.emplace(edge, std::move(out)).first->second;
  }

  using NodePtr = std::unique_ptr<const LevelNode>;

  template <class Next>
  NodePtr split(const Row& row, const Next& next) {
    if (const std::optional<bool> known = row.decided()) {
      return next(*known);
    }
    auto node = std::make_unique<LevelNode>();
    node->split = row;
    node->yes = next(true);
    node->no = next(false);
    return node;
  }

  /// Truth under truth_, which knows every ap of the guard.
  [[nodiscard]] bool read(const spec::FormulaPtr& f) const {
    using spec::Op;
    const auto holds = [this](const spec::FormulaPtr& child) { return read(child); };
    switch (f->op) {
      case Op::atom:
        return truth_.at(f->atom);
      case Op::not_:
        return !read(f->children[0]);
      case Op::and_:
        return std::all_of(f->children.begin(), f->children.end(), holds);
      case Op::or_:
        return std::any_of(f->children.begin(), f->children.end(), holds);
      default:
        return f->op == Op::constant_true;
    }
  }

  /// Level l of the move, its cases from `c` on; then the levels after it.
  NodePtr move_level(std::size_t l, std::size_t c, std::vector<Form>& update, std::size_t to,
                     std::uint32_t q) {
    if (l == system_.levels.size()) {
      return read_property(0, update, to, q, 0);
    }
    const spec::Level& level = spec_.levels[system_.levels[l]];
    const spec::Level::Case& now = level.cases[c];
    if (now.guard) {
      for (const std::size_t atom : spec::atoms_of(now.guard)) {
        if (truth_.count(atom) == 0) {
          return split(rows_.at(atom), [&](bool value) {
            truth_[atom] = value;
            NodePtr out = move_level(l, c, update, to, q);
            truth_.erase(atom);
            return out;
          });
        }
      }
      if (!read(now.guard)) {
        return move_level(l, c + 1, update, to, q);
      }
    }
    Form form;
    form.constant = exact(now.to.constant);
    for (const auto& [other, coefficient] : now.to.terms) {
      form.terms.emplace_back(index_.at(other), exact(coefficient));
    }
    const auto go_on = [&](Form value) {
      update[l] = std::move(value);
      return move_level(l + 1, 0, update, to, q);
    };
    const auto below = [&](const auto& otherwise) {
      if (!level.most) {
        return otherwise();
      }
      Row over{form.terms, exact(*level.most) - form.constant, false};  // form <= most
      return split(over.negated(), [&](bool is_over) {
        return is_over ? go_on({{}, exact(*level.most)}) : otherwise();
      });
    };
    const auto inside = [&] { return go_on(form); };
    if (!level.least) {
      return below(inside);
    }
    const Row under{form.terms, exact(*level.least) - form.constant, true};
    return split(under, [&](bool is_under) {
      return is_under ? go_on({{}, exact(*level.least)}) : below(inside);
    });
  }

  /// The property's comparisons, of the values after the move; then its automaton's step.
  NodePtr read_property(std::size_t i, const std::vector<Form>& update, std::size_t to,
                        std::uint32_t q, std::size_t letter) {
    if (i == dfa_.atoms.size()) {
      numbers_kept_ += 1 + update.size();
      if (++leaves_ > kMaxLeaves || numbers_kept_ > kMaxNumbers) {
        throw UsageError("machine, property and levels: more than 1000000 cases");
      }
      auto leaf = std::make_unique<LevelNode>();
      leaf->to = control(to, dfa_.next(q, letter));
      leaf->update = update;
      return leaf;
    }
    const std::size_t atom = dfa_.atoms[i];
    const auto next = [&](bool value) {
      return read_property(i + 1, update, to, q, letter | (std::size_t{value} << i));
    };
    if (spec_.atoms[atom].kind != Atom::Kind::level) {
      return next(truth_.at(atom));
    }
    return split(rows_.at(atom).before(update), next);
  }

  const spec::Spec& spec_;
  const spec::Dfa& dfa_;
  const Hoa& machine_;
  LevelSystem system_;
  std::map<std::size_t, std::size_t> index_;  ///< of a level of the spec among the system's
  std::map<std::size_t, Row> rows_;           ///< of aps that compare levels
  std::vector<std::size_t> bits_;             ///< of letter_atoms among the machine's aps
  std::vector<std::vector<std::size_t>> edges_;
  std::map<std::size_t, std::vector<std::size_t>> letters_;
  std::map<std::pair<std::size_t, std::uint32_t>, std::size_t> numbers_;
  std::map<std::size_t, bool> truth_;  ///< of aps, on the way to the node being built
  std::size_t leaves_ = 0, numbers_kept_ = 0;
};

}  // namespace

LevelSystem level_system(const spec::Spec& spec, const spec::FormulaPtr& formula,
                         const spec::Dfa& dfa, const automata::Hoa& machine,
                         const std::vector<std::size_t>& edges) {
  return Builder(spec, formula, dfa, machine, edges).build();
}

}  // namespace assay::verify
