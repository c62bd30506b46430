#include <algorithm>
#include <optional>

#include "assay/base/errors.hpp"
#include "assay/smt/scripts.hpp"
#include "assay/spec/formula.hpp"
#include "assay/verify/given.hpp"
#include "assay/verify/levels.hpp"
#include "certificate.hpp"
#include "level_candidates.hpp"
#include "level_points.hpp"
#include "level_smt2.hpp"
#include "level_solver.hpp"

namespace assay::verify {
namespace {

using automata::Hoa;
using Verdict = LevelResult::Verdict;

constexpr std::size_t kMaxAsked = std::size_t{64} << 20U;  // bytes that Z3 is shown

/// Why no engine here decides the claim; empty when nothing stands in the way.
std::string obstacle(const spec::Spec& spec, const spec::Property& property, const Hoa& machine) {
  if (property.claim != spec::Property::Claim::all) {
    return "of levels only 'all' is decided";
  }
  if (machine.finite_words) {
    return "levels are decided on machines of infinite runs, and this one has 'Finite-words: t'";
  }
  if (!spec::is_safety(property.formula)) {
    return "not a safety formula: of levels only safety is decided (bound the F or U)";
  }
  for (const std::size_t a : spec::atoms_of(property.formula)) {
    if (spec.atoms[a].kind == spec::Atom::Kind::role) {
      return "ap " + spec.atoms[a].name + " is about roles";
    }
  }
  return "";
}

void need_aps(const spec::Spec& spec, const spec::Property& property, const Hoa& machine) {
  std::vector<std::size_t> all = spec::atoms_of(property.formula);
  for (const std::size_t level : spec::levels_of(spec, property.formula)) {
    for (const spec::Level::Case& c : spec.levels[level].cases) {
      if (c.guard) {
        const std::vector<std::size_t> more = spec::atoms_of(c.guard);
        all.insert(all.end(), more.begin(), more.end());
      }
    }
  }
  for (const std::size_t a : all) {
    if (spec.atoms[a].kind != spec::Atom::Kind::level &&
        std::find(machine.aps.begin(), machine.aps.end(), spec.atoms[a].name) ==
            machine.aps.end()) {
      throw UsageError("ap " + spec.atoms[a].name + " of property " + property.name +
                       " or its levels: expected it among the machine's aps, found none of that "
                       "name");
    }
  }
}

/// The same edges as edges_of_runs, with every infinite run accepted.
std::vector<std::size_t> edges_going_on(const Hoa& machine) {
  Hoa all = machine;
  all.buchi = false;
  return edges_of_runs(all);
}

class Decision {
 public:
  Decision(const spec::Spec& spec, const spec::Property& property, const Hoa& machine,
           const LevelEffort& effort)
      : spec_(spec), property_(property), machine_(machine), effort_(effort) {}

  LevelResult run() {
    result_.reason = obstacle(spec_, property_, machine_);
    const std::vector<std::size_t> used = edges_of_runs(machine_);
    if (!result_.reason.empty()) {
      return std::move(result_);
    }
    need_aps(spec_, property_, machine_);
    try {
      dfa_ = spec::bad_prefix_dfa(property_.formula);
      if (!dfa_.has_bad()) {
        result_.reason = "no run can violate it: it says nothing";
        return std::move(result_);
      }
      decide(used);
    } catch (const UsageError& e) {
      result_.reason = e.what();  // over a limit
    }
    return std::move(result_);
  }

 private:
  void decide(const std::vector<std::size_t>& used) {
    const LevelSystem runs = level_system(spec_, property_.formula, dfa_, machine_, used);
    describe(runs);
    const PointSearch search = search_points(runs, effort_.points);
    result_.points = search.points.size();
    if (!search.run.empty()) {
      violated(runs, moves_of(search.run), "enumeration");
      return;
    }
    // the certificate's reader keeps edges that only the acceptance rules out
    const std::vector<std::size_t> going_on = edges_going_on(machine_);
    const bool same = going_on == used;
    const LevelSystem wider =
        same ? LevelSystem() : level_system(spec_, property_.formula, dfa_, machine_, going_on);
    const LevelSystem& system = same ? runs : wider;
    const PointSearch all = same ? PointSearch() : search_points(system, effort_.points);
    if (same ? search.closed : all.closed && all.run.empty()) {
      holds_by_points(system, same ? search.points : all.points);
      return;
    }
    if (search.closed) {
      result_.reason =
          "no run reaches a violation, but a prefix that the acceptance rules out does: no "
          "certificate speaks of that";
      return;
    }
    why_ = effort_.points == 0
               ? ""
               : "more than " + std::to_string(result_.points) + " pairs of state and numbers; ";
    if (by_induction(system) || by_search(runs) || by_spacer(system)) {
      return;
    }
    result_.reason = why_ + "no invariant was found";
  }

  void describe(const LevelSystem& system) {
    result_.controls = system.controls.size();
    for (const std::size_t level : system.levels) {
      result_.levels.push_back(spec_.levels[level].name);
    }
    for (const std::size_t atom : system.letter_atoms) {
      result_.aps.push_back(spec_.atoms[atom].name);
    }
  }

  static std::vector<std::pair<std::size_t, std::size_t>> moves_of(
      const std::vector<LevelStep>& run) {
    std::vector<std::pair<std::size_t, std::size_t>> out;
    for (const LevelStep& step : run) {
      out.emplace_back(step.edge, step.letter);
    }
    return out;
  }

  bool violated(const LevelSystem& system,
                const std::vector<std::pair<std::size_t, std::size_t>>& moves, const char* engine) {
    const std::vector<LevelStep> run = replay_levels(system, moves);
    for (const LevelStep& step : run) {
      LevelResult::Step out;
      out.state = system.controls[step.after.control].state;
      for (std::size_t i = 0; i < result_.aps.size(); ++i) {
        if (((step.letter >> i) & 1U) != 0) {
          out.shown.push_back(result_.aps[i]);
        }
      }
      for (const Exact& value : step.after.values) {
        out.values.push_back(exact_text(value));
      }
      result_.run.push_back(std::move(out));
    }
    if (!run.empty()) {
      result_.verdict = Verdict::violated;
      result_.engine = engine;
    }
    return !run.empty();
  }

  bool by_induction(const LevelSystem& system) {
    for (std::size_t k = 1; k <= effort_.induction; ++k) {
      std::vector<LevelCell> cells = keep_inductive(system, propose_cells(spec_, system, k));
      if (holds_by_cells(system, std::move(cells), std::to_string(k) + "-induction")) {
        return true;
      }
    }
    if (effort_.induction > 0) {
      why_ += "not " + std::to_string(effort_.induction) + "-inductive; ";
    }
    return false;
  }

  bool by_search(const LevelSystem& system) {
    if (effort_.depth == 0) {
      return false;
    }
    std::string why;
    const auto moves = moves_by_solver(system, effort_, why);
    why_ += why.empty() ? "" : "bounded search: " + why + "; ";
    return !moves.empty() && violated(system, moves, "bounded search");
  }

  bool by_spacer(const LevelSystem& system) {
    if (!effort_.spacer) {
      return false;
    }
    std::string why;
    std::vector<LevelCell> cells = cells_by_solver(system, effort_, why);
    const bool any = !cells.empty();
    if (any && holds_by_cells(system, std::move(cells), "Spacer")) {
      return true;
    }
    why_ += any ? "Spacer's model is no invariant; " : "Spacer: " + why + "; ";
    return false;
  }

  /// No property's name has a dot.
  [[nodiscard]] std::string id() const {
    return "level." + std::to_string(&property_ - spec_.properties.data());
  }

  /// dID DFA … and the line that concludes.
  bool conclude(const std::string& lines, std::size_t count) {
    const std::string dfa = dfa_line(id(), property_.name, dfa_);
    const std::string proof = dfa + lines + property_.name + " LEVEL-INV " + id() + " :\n";
    std::size_t longest = 0;
    for (std::size_t at = 0, end = 0; at < proof.size(); at = end + 1) {
      end = proof.find('\n', at);
      longest = std::max(longest, end - at);
    }
    if (longest > kMaxCertificateLine) {
      why_ += "a line of the proof is longer than 1 MiB; ";
      return false;
    }
    result_.verdict = Verdict::holds;
    result_.proof = proof;
    result_.proof_steps = count + 2;
    return true;
  }

  void holds_by_points(const LevelSystem& system, const std::vector<LevelPoint>& points) {
    std::string lines;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const LevelSystem::Control& control = system.controls[points[i].control];
      lines += id() + ".p" + std::to_string(i) + " POINT " + id() + " : " +
               std::to_string(control.state) + " " + std::to_string(control.spec);
      for (const Exact& value : points[i].values) {
        lines += " " + exact_text(value);
      }
      lines += "\n";
    }
    result_.engine = "enumeration";
    if (!conclude(lines, points.size())) {
      result_.reason = why_;
      return;
    }
    std::vector<LevelCell> cells;
    for (const LevelPoint& point : points) {
      cells.push_back(cell_of(point));
    }
    ask_others(system, cells);
  }

  bool holds_by_cells(const LevelSystem& system, std::vector<LevelCell> cells,
                      const std::string& engine) {
    const auto steps = prove_cells(system, cells);
    if (!steps) {
      return false;
    }
    std::vector<std::size_t> first_edge(machine_.states, 0);
    for (std::size_t e = machine_.edges.size(); e-- > 0;) {
      first_edge[machine_.edges[e].from] = e;
    }
    std::string lines;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const LevelSystem::Control& control = system.controls[cells[i].control];
      lines += id() + ".c" + std::to_string(i) + " CELL " + id() + " : " +
               std::to_string(control.state) + " " + std::to_string(control.spec) + " " +
               std::to_string(cells[i].rows.size());
      for (const Row& row : cells[i].rows) {
        lines += " " + row_text(row, system.levels);
      }
      lines += "\n";
    }
    for (std::size_t i = 0; i < steps->size(); ++i) {
      const LevelStepProof& step = (*steps)[i];
      const std::size_t from = system.controls[cells[step.cell].control].state;
      lines += id() + ".s" + std::to_string(i) + " STEP " + id() + ".c" +
               std::to_string(step.cell) + " : " + std::to_string(step.edge - first_edge[from]) +
               step.words + "\n";
    }
    if (!conclude(lines, cells.size() + steps->size())) {
      return false;
    }
    result_.engine = engine;
    result_.cells = cells.size();
    ask_others(system, cells);
    return true;
  }

  /// Of what holds already: the obligations for other solvers, and what Z3 says of them.
  void ask_others(const LevelSystem& system, const std::vector<LevelCell>& cells) {
    if (!effort_.dump && !effort_.second_opinion) {
      return;
    }
    std::vector<smt::Script> scripts;
    std::size_t bytes = 0;
    write_obligations(spec_, system, cells, [&](const std::string& name, const std::string& text) {
      if (effort_.dump) {
        effort_.dump(name, text);
      }
      bytes += text.size();
      if (effort_.second_opinion && bytes <= kMaxAsked) {
        scripts.emplace_back(name, text);
      }
    });
    if (!effort_.second_opinion) {
      return;
    }
    const smt::SecondOpinion said =
        bytes > kMaxAsked
            ? smt::SecondOpinion{smt::Opinion::unknown, 0, "more than 64 MiB: not asked"}
            : smt::check_scripts_apart(scripts);
    result_.solver = smt::solver_version();
    result_.opinion = smt::name(said.opinion);
    result_.opinion_detail = said.detail;
  }

  const spec::Spec& spec_;
  const spec::Property& property_;
  const Hoa& machine_;
  const LevelEffort& effort_;
  spec::Dfa dfa_;
  LevelResult result_;
  std::string why_;
};

}  // namespace

bool reads_levels(const spec::Spec& spec, const spec::Property& property) {
  const std::vector<std::size_t> atoms = spec::atoms_of(property.formula);
  return std::any_of(atoms.begin(), atoms.end(),
                     [&](std::size_t a) { return spec.atoms[a].kind == spec::Atom::Kind::level; });
}

LevelResult decide_levels(const spec::Spec& spec, const spec::Property& property,
                          const Hoa& machine, const LevelEffort& effort) {
  return Decision(spec, property, machine, effort).run();
}

std::string level_certificate(const std::string& machine_sha, const std::string& statement_sha,
                              const std::vector<LevelResult>& results) {
  std::string steps;
  std::size_t count = 0;
  for (const LevelResult& result : results) {
    steps += result.proof;
    count += result.proof_steps;
  }
  return count == 0
             ? ""
             : "assay-cert 1\nkind level\nsemantics REAL\nmachine " + machine_sha + "\nstatement " +
                   statement_sha + "\n" + steps + "end " + std::to_string(count) + "\n";
}

}  // namespace assay::verify
