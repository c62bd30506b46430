#include "assay/automata/atoms.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/spec/print.hpp"

namespace assay::automata {
namespace {

constexpr std::size_t kMostAtoms = 31;  // must and may stay below 2^31 in the certificate
constexpr double kRelativeError = 1e-9;

double error_of(double value) {
  return kRelativeError * std::max(1.0, std::fabs(value));
}

void check_digest(const spec::Spec& spec, const spec::Use& use, const Digest& found) {
  if (!use.sha256 || *use.sha256 != found) {
    throw Error(ExitCode::artifact, "spec '" + spec.name + "': use " + use.kind + " " + use.name +
                                        ": expected the file with sha256 " +
                                        (use.sha256 ? use.sha256->hex() : "(none)") + ", found " +
                                        found.hex());
  }
}

const Readout& readout_named(const spec::Spec& spec, const std::string& name,
                             const std::vector<NamedReadout>& readouts) {
  const auto it = std::find_if(readouts.begin(), readouts.end(),
                               [&name](const NamedReadout& r) { return r.name == name; });
  if (it == readouts.end()) {
    throw UsageError("spec '" + spec.name + "': readout " + name +
                     ": expected its file (--readout " + name + "=FILE), found none");
  }
  return it->readout;
}

void check_uses(const spec::Spec& spec, const Transformer& model, const Sae& sae,
                const std::vector<NamedReadout>& readouts) {
  for (const spec::Use& use : spec.uses) {
    if (use.kind == "model") {
      check_digest(spec, use, model.weights_digest);
    } else if (use.kind == "sae") {
      check_digest(spec, use, sae.weights_digest);
    } else if (use.kind == "readout") {
      check_digest(spec, use, readout_named(spec, use.name, readouts).digest);
    }
  }
}

/// What an atom says, so that two atoms of one name can be compared.
std::string meaning_of(const spec::Spec& spec, const spec::Atom& atom) {
  std::string text = std::to_string(static_cast<int>(atom.kind)) + " ";
  switch (atom.kind) {
    case spec::Atom::Kind::token_in:
      for (const TokenId token : spec.find_class(atom.subject)->ids) {
        text += std::to_string(token.at()) + ",";
      }
      return text;
    case spec::Atom::Kind::token_is:
      return text + std::to_string(atom.token->at());
    case spec::Atom::Kind::role:
      return text + atom.subject;
    case spec::Atom::Kind::position:
      break;
    case spec::Atom::Kind::level:
      return text + spec::atom_text(spec, atom);
    case spec::Atom::Kind::feature:
      text += std::to_string(atom.feature->at());
      break;
    case spec::Atom::Kind::readout:
      text += spec.find_use(atom.subject)->sha256->hex();
      break;
  }
  return text + " " + std::to_string(static_cast<int>(atom.comparison)) + " " +
         atom.threshold.text() + " band " + atom.band.text();
}

}  // namespace

Truth compare(double lo, double hi, spec::Comparison comparison, double threshold, double band) {
  using spec::Comparison;
  if (!(lo <= hi)) {
    return Truth::unknown;
  }
  const bool upward = comparison == Comparison::at_least || comparison == Comparison::above;
  if (!upward) {  // v <= t iff -v >= -t
    return compare(-hi, -lo,
                   comparison == Comparison::at_most ? Comparison::at_least : Comparison::above,
                   -threshold, band);
  }
  const bool strict = comparison == Comparison::above;
  // Inside by the band: v >= t + band, and v > t where the comparison is strict.
  if (lo >= threshold + band && (!strict || lo > threshold)) {
    return Truth::yes;
  }
  // Outside by the band: v <= t - band, and v < t where the comparison is not strict.
  if (hi <= threshold - band && (strict || hi < threshold)) {
    return Truth::no;
  }
  return Truth::unknown;
}

AtomReader::AtomReader(const std::vector<const spec::Spec*>& specs, const Transformer& model,
                       const Sae& sae, const std::vector<NamedReadout>& readouts)
    : sae_(sae), hooks_({sae.hook_name}), token_atoms_(model.config.d_vocab, 0) {
  need_thresholds(sae);
  for (const spec::Spec* spec : specs) {
    if (!spec->is_resolved()) {
      throw UsageError("spec '" + spec->name +
                       "': expected a resolved spec (assay spec resolve), found names and rules");
    }
    check_uses(*spec, model, sae, readouts);
    for (const spec::Atom& atom : spec->atoms) {
      add(*spec, atom, readouts);
    }
  }
}

void AtomReader::add(const spec::Spec& spec, const spec::Atom& atom,
                     const std::vector<NamedReadout>& readouts) {
  const std::string meaning = meaning_of(spec, atom);
  const auto known = std::find(names_.begin(), names_.end(), atom.name);
  if (known != names_.end()) {
    if (meanings_[static_cast<std::size_t>(known - names_.begin())] != meaning) {
      throw UsageError("spec '" + spec.name + "': ap " + atom.name +
                       ": expected the meaning it has in an earlier spec, found another");
    }
    return;
  }
  const std::size_t bit = names_.size();
  if (bit == kMostAtoms) {
    throw UsageError("spec '" + spec.name + "': ap " + atom.name + ": expected at most " +
                     std::to_string(kMostAtoms) + " aps in one automaton, found more");
  }
  names_.push_back(atom.name);
  meanings_.push_back(meaning);
  if (atom.kind == spec::Atom::Kind::token_in || atom.kind == spec::Atom::Kind::token_is) {
    add_tokens(spec, atom, bit);
  } else if (atom.kind == spec::Atom::Kind::role || atom.kind == spec::Atom::Kind::position ||
             atom.kind == spec::Atom::Kind::level) {
    // a run has no roles; formulas read positions by themselves; levels are no part of a letter
    undecided_ |= std::uint64_t{1} << bit;
  } else {
    add_measure(spec, atom, bit, readouts);
  }
}

void AtomReader::add_tokens(const spec::Spec& spec, const spec::Atom& atom, std::size_t bit) {
  std::vector<TokenId> tokens;
  if (atom.kind == spec::Atom::Kind::token_is) {
    tokens.push_back(*atom.token);
  } else {
    tokens = spec.find_class(atom.subject)->ids;
  }
  for (const TokenId token : tokens) {
    if (token.at() >= token_atoms_.size()) {
      throw UsageError("spec '" + spec.name + "': ap " + atom.name + ": expected token ids below " +
                       std::to_string(token_atoms_.size()) + ", found " +
                       std::to_string(token.at()));
    }
    token_atoms_[token.at()] |= std::uint64_t{1} << bit;
  }
}

void AtomReader::add_measure(const spec::Spec& spec, const spec::Atom& atom, std::size_t bit,
                             const std::vector<NamedReadout>& readouts) {
  Measure measure{bit, nullptr, {}, atom.comparison, atom.threshold.nearest(), atom.band.nearest()};
  if (atom.kind == spec::Atom::Kind::feature) {
    if (atom.feature->at() >= sae_.d_sae) {
      throw UsageError("spec '" + spec.name + "': ap " + atom.name + ": expected a feature below " +
                       std::to_string(sae_.d_sae) + ", found " +
                       std::to_string(atom.feature->at()));
    }
    measure.feature = *atom.feature;
  } else {
    measure.readout = &readout_named(spec, atom.subject, readouts);
    const std::string& hook = measure.readout->hook;
    if (std::find(hooks_.begin(), hooks_.end(), hook) == hooks_.end()) {
      hooks_.push_back(hook);
    }
  }
  measures_.push_back(measure);
}

Letter AtomReader::read(TokenId token, std::span<const double> pre,
                        const std::map<std::string, Matrix>& hooks, std::size_t row) const {
  Letter letter;
  letter.must = letter.may = token_atoms_.at(token.at());
  letter.may |= undecided_;
  for (const Measure& m : measures_) {
    double lo = 0, hi = 0;
    if (m.readout != nullptr) {
      const auto x = hooks.at(m.readout->hook).row(row);
      if (x.size() != m.readout->weights.size()) {
        throw InputError("readout", "weights", std::to_string(x.size()) + " numbers",
                         std::to_string(m.readout->weights.size()));
      }
      double value = m.readout->bias;
      for (std::size_t i = 0; i < x.size(); ++i) {
        value += x[i] * m.readout->weights[i];
      }
      lo = value - error_of(value);
      hi = value + error_of(value);
    } else {
      const double value = pre[m.feature.at()], error = error_of(value);
      const auto off = static_cast<double>(sae_.threshold.data[m.feature.at()]);
      // On means above a threshold >= 0, so a value that may be off reaches down to 0.
      lo = value - error > off ? value - error : 0.0;
      hi = value + error > off ? value + error : 0.0;
      if (!std::isfinite(value)) {
        lo = hi = std::nan("");
      }
    }
    const Truth truth = compare(lo, hi, m.comparison, m.threshold, m.band);
    const std::uint64_t mask = std::uint64_t{1} << m.bit;
    letter.must |= truth == Truth::yes ? mask : 0;
    letter.may |= truth != Truth::no ? mask : 0;
  }
  return letter;
}

}  // namespace assay::automata
