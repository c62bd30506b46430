#include "spec_explain.hpp"

#include <filesystem>
#include <memory>

#include "assay/automata/hoa.hpp"
#include "assay/automata/render.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/spec/explain.hpp"
#include "assay/spec/formula.hpp"
#include "assay/spec/print.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string in, dot, svg, hoa;
  std::vector<std::string> properties;
};

std::vector<const spec::Property*> chosen(const spec::Spec& spec, const Options& options) {
  std::vector<const spec::Property*> out;
  for (const std::string& name : options.properties) {
    const spec::Property* found = nullptr;
    for (const spec::Property& property : spec.properties) {
      found = property.name == name ? &property : found;
    }
    if (found == nullptr) {
      throw UsageError("--prop " + name +
                       ": expected a property of the spec, found none of that name");
    }
    out.push_back(found);
  }
  for (const spec::Property& property : spec.properties) {
    if (options.properties.empty()) {
      out.push_back(&property);
    }
  }
  if (out.empty()) {
    throw UsageError(options.in + ": expected at least one property, found none");
  }
  return out;
}

std::string run_line(const std::optional<spec::Letters>& run, const std::vector<std::string>& aps,
                     const char* none) {
  return run ? spec::run_text(*run, aps) : std::string("none: ") + none;
}

std::string kind_of(const spec::Explanation& e) {
  return e.is_valid()           ? "VALID: every run satisfies it, so it says nothing"
         : e.is_unsatisfiable() ? "UNSATISFIABLE: no run satisfies it"
         : e.safety             ? "safety: a violation shows after finitely many letters"
                                : "not safety: decided at the end of a run only";
}

std::string to_text(const spec::Spec& spec, const spec::Property& p, const spec::Explanation& e) {
  std::string out = p.name + ": " + p.claim_text() + "\n  " + e.sentence + "\n";
  for (const std::size_t a : e.acceptor.graph.atoms) {
    out += "    " + spec.atoms[a].name + " = " + spec::atom_text(spec, spec.atoms[a]) + "\n";
  }
  for (const std::size_t level : spec::levels_of(spec, p.formula)) {
    out += "    " + spec::level_sentence(spec, spec.levels[level]) + "\n";
  }
  if (const auto doc = p.attributes.find("doc"); doc != p.attributes.end()) {
    out += "  doc: " + visible(doc->second) + "\n";
  }
  if (!p.waived_until.empty()) {
    out += "  waived until " + p.waived_until + ": " + visible(p.waiver) + "\n";
  }
  out += "  " + kind_of(e) + "\n";
  out += "  automaton: " + std::to_string(e.acceptor.graph.states) + " states; for endless runs " +
         std::to_string(e.monitor_states) + "\n";
  out += "  shortest run accepted: " + run_line(e.accepted, e.aps, "unsatisfiable") + "\n";
  out += "  shortest run rejected: " + run_line(e.rejected, e.aps, "valid") + "\n";
  out += e.monitorable ? "  monitorable\n"
                       : "  NOT MONITORABLE: after (" + spec::run_text(*e.hopeless, e.aps) +
                             ") no way on is ever decided\n";
  for (const std::string& why : e.vacuous) {
    out += "  VACUOUS: " + why + "\n";
  }
  if (const std::string beyond = spec::beyond_universal(spec, p); !beyond.empty()) {
    out += "  check answers UNKNOWN: " + beyond + "\n";
  }
  return out;
}

nlohmann::ordered_json run_json(const std::optional<spec::Letters>& run,
                                const std::vector<std::string>& aps) {
  if (!run) {
    return nullptr;
  }
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const std::size_t letter : *run) {
    nlohmann::ordered_json names = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < aps.size(); ++i) {
      if (((letter >> i) & 1U) != 0) {
        names.push_back(aps[i]);
      }
    }
    out.push_back(names);
  }
  return out;
}

nlohmann::ordered_json to_json(const spec::Spec& spec, const spec::Property& p,
                               const spec::Explanation& e) {
  nlohmann::ordered_json attributes = nlohmann::ordered_json::object();
  for (const auto& [key, value] : p.attributes) {
    attributes[key] = value;
  }
  if (!p.waived_until.empty()) {
    attributes["waive"] = {{"reason", p.waiver}, {"until", p.waived_until}};
  }
  nlohmann::ordered_json levels = nlohmann::ordered_json::array();
  for (const std::size_t level : spec::levels_of(spec, p.formula)) {
    levels.push_back(spec::level_sentence(spec, spec.levels[level]));
  }
  return {{"name", p.name},
          {"claim", p.claim_text()},
          {"sentence", e.sentence},
          {"attributes", attributes},
          {"aps", e.aps},
          {"levels", levels},
          {"safety", e.safety},
          {"valid", e.is_valid()},
          {"unsatisfiable", e.is_unsatisfiable()},
          {"states", e.acceptor.graph.states},
          {"monitorStates", e.monitor_states},
          {"accepted", run_json(e.accepted, e.aps)},
          {"rejected", run_json(e.rejected, e.aps)},
          {"monitorable", e.monitorable},
          {"vacuous", e.vacuous},
          {"undecided", spec::beyond_universal(spec, p)}};
}

/// The pictures are of one property.
void draw(const Options& options, const spec::Property& p, const spec::Explanation& e) {
  const std::string title = p.name + ": " + p.claim_text();
  if (!options.hoa.empty()) {
    write_file_atomic(options.hoa, automata::to_hoa(automata::to_hoa(e.acceptor, e.aps, title)));
  }
  const std::string dot = automata::to_dot(e.acceptor, e.aps, title);
  if (!options.dot.empty()) {
    write_file_atomic(options.dot, dot);
  }
  if (!options.svg.empty()) {
    const std::filesystem::path source = options.svg + ".dot";
    write_file_atomic(source, dot);
    const bool drawn = automata::draw_svg(source, options.svg);
    std::filesystem::remove(source);
    if (!drawn) {
      throw UsageError("--svg: expected Graphviz's 'dot' on PATH, found none that works");
    }
  }
}

void explain(const Options& options, Session& session) {
  const spec::Spec spec =
      spec::parse_spec(read_file(options.in, std::size_t{1} << 21U), options.in);
  const std::vector<const spec::Property*> properties = chosen(spec, options);
  const bool draws = !options.dot.empty() || !options.svg.empty() || !options.hoa.empty();
  if (draws && properties.size() != 1) {
    throw UsageError("--dot, --svg and --hoa: expected one property (--prop), found " +
                     std::to_string(properties.size()));
  }
  std::string text;
  nlohmann::ordered_json objects = nlohmann::ordered_json::array();
  for (const spec::Property* property : properties) {
    spec::Explanation e;
    try {
      e = spec::explain(spec, *property);
    } catch (const UsageError& error) {
      throw UsageError(options.in + ":" + std::to_string(property->place.line) + ":" +
                       std::to_string(property->place.column) + ": " + property->name + ": " +
                       error.what());
    }
    text += to_text(spec, *property, e);
    objects.push_back(to_json(spec, *property, e));
    if (draws) {
      draw(options, *property, e);
    }
  }
  const std::vector<std::string> clashes = spec::inconsistencies(properties);
  for (const std::string& clash : clashes) {
    text += clash + "\n";
  }
  if (clashes.empty() && properties.size() > 1) {
    text += "consistent: some run satisfies every 'all' property\n";
  }
  text.pop_back();
  session.finish(ExitCode::ok, text,
                 {{"name", spec.name},
                  {"version", spec.version},
                  {"properties", objects},
                  {"inconsistencies", clashes}});
}

}  // namespace

void add_spec_explain(CLI::App& spec, Session& session) {
  const auto options = std::make_shared<Options>();
  auto* sub = spec.add_subcommand(
      "explain",
      "Say each property in words, with shortest runs, its automaton, and what is wrong with it");
  sub->add_option("spec", options->in, "The .spec file, resolved or not")->required();
  sub->add_option("--prop", options->properties, "Explain this property only; may be repeated");
  sub->add_option("--dot", options->dot, "Write the automaton for Graphviz here");
  sub->add_option("--svg", options->svg, "Draw the automaton here (needs Graphviz's dot)");
  sub->add_option("--hoa", options->hoa, "Write the automaton in HOA here");
  sub->callback([options, &session] { explain(*options, session); });
}

}  // namespace assay::cli
