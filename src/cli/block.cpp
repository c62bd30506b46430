#include <memory>

#include "assay/automata/blockade.hpp"
#include "assay/automata/feature_automaton.hpp"
#include "assay/automata/hoa.hpp"
#include "assay/base/files.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

using automata::BlockEdge;

struct Options {
  std::string automaton, bad;
};

/// A machine as `block` sees it; an edge is bad when its letter may have the ap.
struct Machine {
  std::vector<std::string> names;  ///< of states
  std::vector<BlockEdge> edges;
  std::vector<std::size_t> initial;
  bool fitted = false;
};

std::size_t ap_of(const std::vector<std::string>& aps, const Options& options) {
  for (std::size_t i = 0; i < aps.size(); ++i) {
    if (aps[i] == options.bad) {
      return i;
    }
  }
  std::string known;
  for (const std::string& ap : aps) {
    known += (known.empty() ? "" : ", ") + ap;
  }
  throw UsageError("block: --bad: expected an ap of " + options.automaton + " (" +
                   (known.empty() ? "it has none" : known) + "), found " + options.bad);
}

/// Letters are read on states: an edge into a state that may have the ap is bad. An added first
/// state leads to the initial ones, whose letters are read too.
Machine of_fitted(const Options& options) {
  const automata::FittedAutomaton a =
      automata::parse_automaton(read_file(options.automaton), options.automaton);
  const std::uint64_t bit = std::uint64_t{1} << ap_of(a.aps, options);
  Machine m;
  m.fitted = true;
  for (std::size_t s = 0; s < a.states.size(); ++s) {
    m.names.push_back("s" + std::to_string(s) + " " + a.states[s].name);
  }
  const auto bad = [&a, bit](StateId s) { return (a.states[s.at()].may & bit) != 0; };
  for (const automata::FittedEdge& e : a.edges) {
    m.edges.push_back({e.from.at(), e.to.at(), bad(e.to)});
  }
  m.initial = {m.names.size()};
  m.names.emplace_back("prompt");
  for (const auto& [state, count] : a.initial) {
    m.edges.push_back({m.initial[0], state.at(), bad(state)});
  }
  return m;
}

/// Some letter of the label has the ap.
bool may_have(const automata::HoaLabel& label, std::size_t ap) {
  const std::vector<std::size_t> aps = label.aps();
  if (aps.size() > 16) {
    return true;  // not looked at: a label that may have it for all that is known
  }
  for (std::size_t part = 0; part < (std::size_t{1} << aps.size()); ++part) {
    std::uint64_t letter = std::uint64_t{1} << ap;
    for (std::size_t i = 0; i < aps.size(); ++i) {
      if (aps[i] != ap && ((part >> i) & 1U) != 0) {
        letter |= std::uint64_t{1} << aps[i];
      }
    }
    if (label.holds(letter)) {
      return true;
    }
  }
  return false;
}

Machine of_hoa(const Options& options) {
  const automata::Hoa hoa = automata::parse_hoa(read_file(options.automaton), options.automaton);
  const std::size_t ap = ap_of(hoa.aps, options);
  Machine m;
  for (std::size_t s = 0; s < hoa.states; ++s) {
    const std::string& name = hoa.state_names[s];
    m.names.push_back(std::to_string(s) + (name.empty() ? "" : " " + name));
  }
  for (const automata::Hoa::Edge& e : hoa.edges) {
    m.edges.push_back({e.from, e.to, may_have(e.label, ap)});
  }
  m.initial = hoa.start;
  return m;
}

nlohmann::ordered_json edges_json(const Machine& m, const std::vector<std::size_t>& edges) {
  auto out = nlohmann::ordered_json::array();
  for (const std::size_t e : edges) {
    out.push_back({m.names[m.edges[e].from], m.names[m.edges[e].to]});
  }
  return out;
}

std::string edge_lines(const Machine& m, const std::vector<std::size_t>& edges) {
  std::string text;
  for (const std::size_t e : edges) {
    text += "\n    " + m.names[m.edges[e].from] + " → " + m.names[m.edges[e].to];
  }
  return text;
}

void run(const Options& options, Session& session) {
  const bool hoa = std::filesystem::path(options.automaton).extension() == ".hoa";
  const Machine m = hoa ? of_hoa(options) : of_fitted(options);
  const automata::Blockade b = automata::find_blockade(m.names.size(), m.edges, m.initial);
  const std::string of = m.fitted ? " of the fitted automaton (OBSERVED: an unseen edge is not an "
                                    "absent one)"
                                  : " of the machine";
  auto passes = nlohmann::ordered_json::array();
  std::string text = b.reachable ? options.bad + " can be reached" + of
                                 : "No run" + of + " reaches " + options.bad;
  if (b.reachable) {
    text += "\n  a shortest run:" + edge_lines(m, b.shortest) + "\n  every such run passes:";
    for (const std::size_t s : b.passes) {
      text += "\n    " + m.names[s];
      passes.push_back(m.names[s]);
    }
    text += std::string(b.passes.empty() ? " no state in common" : "") +
            "\n  to make it unreachable, as few edges as can be (" + std::to_string(b.cut.size()) +
            "):" + edge_lines(m, b.cut);
  }
  session.finish(b.reachable ? ExitCode::violated : ExitCode::ok, text,
                 {{"bad", options.bad},
                  {"reachable", b.reachable},
                  {"level", m.fitted ? "OBSERVED" : "given"},
                  {"shortestRun", edges_json(m, b.shortest)},
                  {"everyRunPasses", passes},
                  {"block", edges_json(m, b.cut)}});
}

}  // namespace

void add_block(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* sub = app.add_subcommand(
      "block",
      "What must be blocked so that an ap cannot happen: shortest run, dominators, smallest cut");
  sub->add_option("automaton", options->automaton,
                  "automaton.json of assay automaton, or a machine in HOA (FILE.hoa)")
      ->required();
  sub->add_option("--bad", options->bad, "The ap that must not happen")->required();
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
