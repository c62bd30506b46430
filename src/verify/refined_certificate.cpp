#include "refined_certificate.hpp"

#include <map>

#include "assay/base/errors.hpp"
#include "assay/bounds/bound_certificate.hpp"
#include "certificate.hpp"
#include "exact_certificate.hpp"
#include "refined_box.hpp"

namespace assay::verify {
namespace {

class Writer {
 public:
  Writer(const RefinedInput& input, bounds::LemmaBounder& bounder, const Sae* sae)
      : input_(input), bounder_(bounder), lemmas_(*input.runs.subject.model, sae) {
    for (const auto& [name, readout] : input.runs.subject.readouts) {
      lemmas_.call(*readout, name);
    }
  }

  void holds(const RefinedProperty& property, const RefinedHolds& holds) {
    const std::string number = std::to_string(monitors_++);  // no property's name has a dot
    monitor_lines_ += dfa_line("dfa." + number, property.name, holds.dfa());
    for (const OutFact& fact : holds.proof().outs) {
      std::string facts;
      for (const bounds::Lemma& lemma : fact.lemmas) {
        facts += " " + written(lemma);
      }
      once("o.", " OUT :" + facts);
    }
    for (const AtomFact& fact : holds.proof().atoms) {
      once("a.", " ATOM : " + written(fact.lemma) + " " + std::to_string(fact.atom) +
                     (fact.truth ? " +" : " -"));
    }
    std::size_t states = 0;
    for (const StateBox& state : holds.proof().states) {
      step("s." + number + "." + std::to_string(states++) + " STATE dfa." + number + " : " +
           std::to_string(state.spec) + " " + box_text(state.box));
    }
    step(property.name + " REFINED dfa." + number + " :");
  }

  void chance(const RefinedProperty& property, const RefinedChance& chance) {
    const std::string number = std::to_string(monitors_++);
    std::string event = dfa_line("dfa." + number, property.name, chance.event());
    event.replace(event.find(" DFA "), 5, " EVENT ");
    monitor_lines_ += event;
    for (const bounds::Lemma& lemma : chance.facts()) {
      once("m.", " MOST : " + written(lemma));
    }
    std::size_t leaves = 0;
    for (const ViewBox& leaf : chance.leaves()) {
      step("b." + number + "." + std::to_string(leaves++) + " LEAF dfa." + number + " : " +
           box_text(leaf));
    }
    step(property.name + " CHANCE-BOXES dfa." + number + " :");
  }

  void violated(const RefinedProperty& property, const ExactViolated& violated) {
    std::string line = property.name + " WITNESS : P";
    for (const TokenId t : violated.prompt) {
      line += " " + std::to_string(t.at());
    }
    line += " N";
    for (const TokenId t : violated.run.tokens) {
      line += " " + std::to_string(t.at());
    }
    step(line);
  }

  [[nodiscard]] std::string text() const {
    const std::size_t count = lemmas_.step_count() + monitors_ + steps_;
    if (count == 0) {
      return "";
    }
    return certificate_header(input_.runs.subject, "refined",
                              "runs " + sha256(runs_text(input_.runs)).hex()) +
           monitor_lines_ + lemmas_.steps() + lines_ + "end " + std::to_string(count) + "\n";
  }

 private:
  void step(const std::string& line) {
    lines_ += line + "\n";
    ++steps_;
  }

  void once(const std::string& kind, const std::string& words) {
    if (ids_.try_emplace(words, ids_.size()).second) {
      step(kind + std::to_string(ids_.size() - 1) + words);
    }
  }

  /// The id of the lemma's fact.
  std::string written(const bounds::Lemma& lemma) {
    std::string& fact = facts_[lemma.proof.get()];
    if (fact.empty()) {
      fact = bounder_.write(lemmas_, lemma);
    }
    return fact;
  }

  const RefinedInput& input_;
  bounds::LemmaBounder& bounder_;
  bounds::BoundCertificate lemmas_;
  std::string monitor_lines_, lines_;
  std::size_t monitors_ = 0, steps_ = 0;
  std::map<std::string, std::size_t> ids_;
  std::map<const bounds::Lemma::Proof*, std::string> facts_;
};

}  // namespace

std::string refined_certificate(const RefinedInput& input, const RefinedResult& result,
                                bounds::LemmaBounder& bounder, const Sae* sae) {
  Writer writer(input, bounder, sae);
  for (const RefinedProperty& property : result.properties) {
    if (const auto* holds = std::get_if<RefinedHolds>(&property.verdict)) {
      writer.holds(property, *holds);
    } else if (const auto* chance = std::get_if<RefinedChance>(&property.verdict)) {
      writer.chance(property, *chance);
    } else if (const auto* violated = std::get_if<ExactViolated>(&property.verdict)) {
      writer.violated(property, *violated);
    }
  }
  return writer.text();
}

}  // namespace assay::verify
