#include "certificate.hpp"

#include <map>
#include <set>

namespace assay::verify {
namespace {

std::string numbers(const std::vector<TokenId>& tokens) {
  std::string out;
  for (const TokenId token : tokens) {
    out += " " + std::to_string(token.at());
  }
  return out;
}

/// Dictionaries and readouts that the statement's properties read.
struct Reads {
  std::set<std::string> saes, readouts;
};
Reads reads_of(const spec::Spec& spec) {
  Reads out;
  for (const spec::Property& property : spec.properties) {
    for (const std::size_t a : spec::atoms_of(property.formula)) {
      const spec::Atom& atom = spec.atoms[a];
      if (atom.kind == spec::Atom::Kind::feature) {
        out.saes.insert(atom.subject);
      } else if (atom.kind == spec::Atom::Kind::readout) {
        out.readouts.insert(atom.subject);
      }
    }
  }
  return out;
}

}  // namespace

std::string certificate_header(const CheckInput& input, const std::string& kind,
                               const std::string& evidence) {
  std::string out = "assay-cert 1\nkind " + kind + "\nsemantics REAL\n";
  out +=
      "model " + input.model->config_digest.hex() + " " + input.model->weights_digest.hex() + "\n";
  const Reads reads = reads_of(*input.spec);
  if (reads.saes.size() > 1) {
    throw UsageError(
        "a certificate names one dictionary: expected the properties to read one, found " +
        std::to_string(reads.saes.size()));
  }
  for (const std::string& name : reads.saes) {
    const Sae& sae = *input.saes.at(name);
    out += "sae " + sae.config_digest.hex() + " " + sae.weights_digest.hex() + "\n";
  }
  for (const std::string& name : reads.readouts) {
    out += "readout " + name + " " + input.readouts.at(name)->digest.hex() + "\n";
  }
  return out + evidence + "\nstatement " + input.statement.hex() + "\n";
}

std::string dfa_line(const std::string& id, const std::string& property, const spec::Dfa& dfa) {
  std::string out = id + " DFA " + property + " : " + std::to_string(dfa.states) + " 0 B";
  for (std::size_t q = 0; q < dfa.states; ++q) {
    out += dfa.bad[q] ? " " + std::to_string(q) : "";
  }
  out += " T";
  for (const std::uint32_t to : dfa.table) {
    out += " " + std::to_string(to);
  }
  return out + "\n";
}

std::string invariant_line(const std::string& property, const std::string& dfa_id,
                           const Holds& holds) {
  std::string out = property + " INV " + dfa_id + " :";
  for (const automata::ProductState& pair : holds.invariant()) {
    out += " " + std::to_string(pair.state.at()) + "," + std::to_string(pair.spec);
  }
  return out + "\n";
}

bool fits_certificate(const Holds& holds) {
  const std::string longest(64, 'x');
  return dfa_line(longest, longest, holds.dfa()).size() <= kMaxCertificateLine &&
         invariant_line(longest, longest, holds).size() <= kMaxCertificateLine;
}

std::string automaton_certificate(const CheckInput& input, const CheckResult& result) {
  std::string steps;
  std::size_t count = 0;
  for (const PropertyResult& property : result.properties) {
    if (const auto* holds = std::get_if<Holds>(&property.verdict)) {
      const std::string id = "dfa." + std::to_string(count);  // no property's name has a dot
      steps +=
          dfa_line(id, property.name, holds->dfa()) + invariant_line(property.name, id, *holds);
      count += 2;
    } else if (const auto* violated = std::get_if<Violated>(&property.verdict)) {
      steps += property.name + " WITNESS : P" +
               numbers(input.automaton->prompts[violated->prompt]) + " N" +
               numbers(violated->tokens) + "\n";
      count += 1;
    }
  }
  return count == 0
             ? ""
             : certificate_header(input, "automaton", "automaton " + input.automaton_digest.hex()) +
                   steps + "end " + std::to_string(count) + "\n";
}

}  // namespace assay::verify
