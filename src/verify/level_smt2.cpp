#include "level_smt2.hpp"

#include <set>

namespace assay::verify {
namespace {

std::string number(const Exact& value) {
  const Exact size = abs(value);
  const auto den = boost::multiprecision::denominator(size);
  std::string out = boost::multiprecision::numerator(size).str() + ".0";
  if (den != 1) {
    out = "(/ " + out + " " + den.str() + ".0)";
  }
  return value < 0 ? "(- " + out + ")" : out;
}

/// (and a b), with one word alone as it is and none as `empty`.
std::string joined(const std::string& op, const std::vector<std::string>& words,
                   const std::string& empty) {
  if (words.size() < 2) {
    return words.empty() ? empty : words[0];
  }
  std::string out = "(" + op;
  for (const std::string& word : words) {
    out += " " + word;
  }
  return out + ")";
}

class Writer {
 public:
  Writer(const spec::Spec& spec, const LevelSystem& system, const std::vector<LevelCell>& cells)
      : system_(system), sets_(system.controls.size()) {
    for (const std::size_t level : system.levels) {
      names_.push_back("|" + spec.levels[level].name + "|");
    }
    for (const LevelCell& cell : cells) {
      std::vector<std::string> rows;
      for (const Row& row : cell.rows) {
        rows.push_back(text(row));
      }
      sets_[cell.control].push_back(joined("and", rows, "true"));
    }
  }

  [[nodiscard]] std::string init() const {
    std::vector<std::string> values, outside;
    for (std::size_t l = 0; l < names_.size(); ++l) {
      values.push_back("(= " + names_[l] + " " + number(system_.initial[l]) + ")");
    }
    std::set<std::size_t> used(system_.start.begin(), system_.start.end());
    for (const std::size_t c : used) {
      outside.push_back("(not " + call(c, names_) + ")");
    }
    return script(used, {joined("and", values, "true"), joined("or", outside, "false")});
  }

  [[nodiscard]] std::string bad() const {
    std::vector<std::string> inside;
    std::set<std::size_t> used;
    for (std::size_t c = 0; c < sets_.size(); ++c) {
      if (system_.controls[c].bad && !sets_[c].empty()) {
        used.insert(c);
        inside.push_back(call(c, names_));
      }
    }
    return script(used, {joined("or", inside, "false")});
  }

  [[nodiscard]] std::string step(std::size_t control, std::size_t edge) const {
    std::set<std::size_t> used{control};
    std::vector<std::string> leaves, path;
    for (const LevelBranch& branch : system_.controls[control].branches) {
      if (branch.edge == edge) {
        walk(*branch.root, path, leaves, used);
      }
    }
    return script(used, {call(control, names_), joined("or", leaves, "false")});
  }

 private:
  [[nodiscard]] std::string sum(const Terms& terms, const Exact& constant) const {
    std::vector<std::string> words;
    for (const auto& [level, coefficient] : terms) {
      words.push_back(coefficient == 1 ? names_[level]
                                       : "(* " + number(coefficient) + " " + names_[level] + ")");
    }
    if (constant != 0) {
      words.push_back(number(constant));
    }
    return joined("+", words, "0.0");
  }
  [[nodiscard]] std::string text(const Row& row) const {
    return std::string(row.strict ? "(< " : "(<= ") + sum(row.terms, 0) + " " + number(row.bound) +
           ")";
  }

  [[nodiscard]] static std::string call(std::size_t control,
                                        const std::vector<std::string>& values) {
    std::string out = "(at-" + std::to_string(control);
    for (const std::string& value : values) {
      out += " " + value;
    }
    return out + ")";
  }

  void walk(const LevelNode& node, std::vector<std::string>& path, std::vector<std::string>& leaves,
            std::set<std::size_t>& used) const {
    if (!node.is_leaf()) {
      path.push_back(text(node.split));
      walk(*node.yes, path, leaves, used);
      path.back() = "(not " + path.back() + ")";
      walk(*node.no, path, leaves, used);
      path.pop_back();
      return;
    }
    std::vector<std::string> after;
    for (const Form& form : node.update) {
      after.push_back(sum(form.terms, form.constant));
    }
    used.insert(node.to);
    std::vector<std::string> all = path;
    all.push_back("(not " + call(node.to, after) + ")");
    leaves.push_back(joined("and", all, "true"));
  }

  [[nodiscard]] std::string script(const std::set<std::size_t>& used,
                                   const std::vector<std::string>& assertions) const {
    std::string out = "(set-logic QF_LRA)\n(set-info :status unsat)\n", parameters;
    for (const std::string& name : names_) {
      out += "(declare-fun " + name + " () Real)\n";
      parameters += (parameters.empty() ? "(" : " (") + name + " Real)";
    }
    for (const std::size_t c : used) {
      const LevelSystem::Control& control = system_.controls[c];
      out += "; state " + std::to_string(control.state) + ", property's automaton in " +
             std::to_string(control.spec) + (control.bad ? ", bad\n" : "\n");
      out += "(define-fun at-" + std::to_string(c) + " (" + parameters + ") Bool " +
             joined("or", sets_[c], "false") + ")\n";
    }
    for (const std::string& assertion : assertions) {
      out += "(assert " + assertion + ")\n";
    }
    return out + "(check-sat)\n";
  }

  const LevelSystem& system_;
  std::vector<std::string> names_;
  std::vector<std::vector<std::string>> sets_;  ///< [controls]: its cells
};

}  // namespace

LevelCell cell_of(const LevelPoint& point) {
  LevelCell out{point.control, {}};
  for (std::size_t l = 0; l < point.values.size(); ++l) {
    out.rows.push_back({{{l, 1}}, point.values[l], false});
    out.rows.push_back({{{l, -1}}, -point.values[l], false});
  }
  return out;
}

void write_obligations(const spec::Spec& spec, const LevelSystem& system,
                       const std::vector<LevelCell>& cells, const ObligationSink& sink) {
  const Writer writer(spec, system, cells);
  std::vector<bool> has_cells(system.controls.size(), false);
  for (const LevelCell& cell : cells) {
    has_cells[cell.control] = true;
  }
  sink("init", writer.init());
  sink("bad", writer.bad());
  for (std::size_t c = 0; c < system.controls.size(); ++c) {
    const std::vector<LevelBranch>& branches = system.controls[c].branches;
    std::size_t edge = 0;
    for (std::size_t b = 0; has_cells[c] && b < branches.size(); ++b) {
      if (b == 0 || branches[b].edge != branches[b - 1].edge) {
        sink("step-" + std::to_string(c) + "-" + std::to_string(edge++),
             writer.step(c, branches[b].edge));
      }
    }
  }
}

}  // namespace assay::verify
