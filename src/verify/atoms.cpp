#include "atoms.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "assay/base/errors.hpp"

namespace assay::verify {
namespace {

using spec::Atom;
using spec::Comparison;

/// Exact when the denominator is a power of two, enclosed otherwise.
Interval real(const Rational& r) {
  const auto num = static_cast<double>(r.num);  // below 10^15: exact
  const auto den = static_cast<double>(r.den);
  if ((r.den & (r.den - 1)) == 0) {
    return Interval(num / den);
  }
  return Interval(num) / Interval(den);
}

std::string subject_of(const Atom& atom) {
  return atom.kind == Atom::Kind::feature
             ? "feat(" + atom.subject + "/" + std::to_string(atom.feature->at()) + ")"
             : "read(" + atom.subject + ")";
}

bool bit(std::uint64_t atoms, std::size_t i) {
  return ((atoms >> i) & 1U) != 0;
}

}  // namespace

std::optional<bool> decide(const Atom& atom, const Interval& value) {
  if (!value.is_valid()) {
    return std::nullopt;
  }
  const Interval t = real(atom.threshold);
  const bool banded = atom.band.num != 0;
  const Interval upper = banded ? t + real(atom.band) : t;
  const Interval lower = banded ? t - real(atom.band) : t;
  switch (atom.comparison) {
    case Comparison::at_least:
      return value.lo >= upper.hi  ? std::optional(true)
             : value.hi < lower.lo ? std::optional(false)
                                   : std::nullopt;
    case Comparison::above:
      return value.lo > upper.hi    ? std::optional(true)
             : value.hi <= lower.lo ? std::optional(false)
                                    : std::nullopt;
    case Comparison::at_most:
      return value.hi <= lower.lo  ? std::optional(true)
             : value.lo > upper.hi ? std::optional(false)
                                   : std::nullopt;
    case Comparison::below:
      return value.hi < lower.lo    ? std::optional(true)
             : value.lo >= upper.hi ? std::optional(false)
                                    : std::nullopt;
  }
  return std::nullopt;
}

Atoms::Atoms(const CheckInput& input) : input_(input), tokens_(input.spec->atoms.size()) {
  const std::size_t vocabulary = input.model->config.d_vocab;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const Atom& atom = input.spec->atoms[i];
    if (atom.kind != Atom::Kind::token_in && atom.kind != Atom::Kind::token_is) {
      continue;
    }
    tokens_[i].assign(vocabulary, false);
    std::vector<TokenId> ids;
    if (atom.kind == Atom::Kind::token_is) {
      ids.push_back(*atom.token);
    } else {
      ids = input.spec->find_class(atom.subject)->ids;
    }
    for (const TokenId id : ids) {
      if (id.at() >= vocabulary) {
        throw UsageError("ap " + atom.name + ": expected token ids below " +
                         std::to_string(vocabulary) + ", found " + std::to_string(id.at()));
      }
      tokens_[i][id.at()] = true;
    }
  }
}

bool Atoms::token_truth(std::size_t atom, TokenId token) const {
  return tokens_[atom][token.at()];
}

std::vector<std::string> Atoms::hooks(std::uint64_t atoms) const {
  std::set<std::string> out;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const Atom& atom = input_.spec->atoms[i];
    if (bit(atoms, i) && atom.kind == Atom::Kind::feature) {
      out.insert(input_.saes.at(atom.subject)->hook_name);
    } else if (bit(atoms, i) && atom.kind == Atom::Kind::readout) {
      out.insert(input_.readouts.at(atom.subject)->hook);
    }
  }
  return {out.begin(), out.end()};
}

std::optional<Interval> Atoms::enclosed_value(const Atom& atom,
                                              const bounds::ConcreteValues& values) const {
  if (atom.kind == Atom::Kind::feature) {
    return bounds::enclose_feature(*input_.saes.at(atom.subject), *atom.feature, values);
  }
  return bounds::enclose_readout(*input_.readouts.at(atom.subject), values);
}

Decided Atoms::enclosed(std::uint64_t atoms, TokenId token,
                        const bounds::ConcreteValues& values) const {
  Decided out;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (!bit(atoms, i)) {
      continue;
    }
    std::optional<bool> truth;
    if (!tokens_[i].empty()) {
      truth = token_truth(i, token);
    } else if (const auto value = enclosed_value(input_.spec->atoms[i], values)) {
      truth = decide(input_.spec->atoms[i], *value);
      out.values.push_back({subject_of(input_.spec->atoms[i]), value->lo, value->hi});
    }
    if (truth.value_or(false)) {
      out.must |= std::uint64_t{1} << i;
    }
    if (truth.value_or(true)) {
      out.may |= std::uint64_t{1} << i;
    }
  }
  return out;
}

/// The same formulas as model/sae.hpp and model/readout.hpp, one column.
double Atoms::nominal_value(const Atom& atom, const ForwardPass& pass, std::size_t row) const {
  if (atom.kind == Atom::Kind::readout) {
    const Readout& readout = *input_.readouts.at(atom.subject);
    const auto x = pass.hooks.at(readout.hook).row(row);
    double sum = readout.bias;
    for (std::size_t j = 0; j < x.size(); ++j) {
      sum += readout.weights.at(j) * x[j];
    }
    return sum;
  }
  const Sae& sae = *input_.saes.at(atom.subject);
  need_thresholds(sae);
  const std::size_t i = atom.feature->at();
  const auto x = pass.hooks.at(sae.hook_name).row(row);
  double pre = static_cast<double>(sae.b_enc.data.at(i));
  for (std::size_t j = 0; j < x.size(); ++j) {
    const double shift = sae.apply_b_dec_to_input ? static_cast<double>(sae.b_dec.data.at(j)) : 0.0;
    pre += (x[j] - shift) * static_cast<double>(sae.W_enc.at(j, i));
  }
  return pre <= static_cast<double>(sae.threshold.data.at(i)) ? 0.0 : pre;
}

std::uint64_t Atoms::nominal(std::uint64_t atoms, TokenId token, const ForwardPass& pass,
                             std::size_t row) const {
  std::uint64_t letter = 0;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (!bit(atoms, i)) {
      continue;
    }
    const Atom& atom = input_.spec->atoms[i];
    bool truth = false;
    if (!tokens_[i].empty()) {
      truth = token_truth(i, token);
    } else {
      const double value = nominal_value(atom, pass, row);
      const double t = atom.threshold.nearest();
      truth = atom.comparison == Comparison::at_least  ? value >= t
              : atom.comparison == Comparison::above   ? value > t
              : atom.comparison == Comparison::at_most ? value <= t
                                                       : value < t;
    }
    letter |= truth ? std::uint64_t{1} << i : 0;
  }
  return letter;
}

Decided Atoms::in_double(std::uint64_t atoms, TokenId token, const ForwardPass& pass,
                         std::size_t row) const {
  Decided out;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (!bit(atoms, i)) {
      continue;
    }
    const Atom& atom = input_.spec->atoms[i];
    const std::optional<bool> truth =
        tokens_[i].empty() ? decide(atom, Interval(nominal_value(atom, pass, row)))
                           : std::optional(token_truth(i, token));
    out.must |= truth.value_or(false) ? std::uint64_t{1} << i : 0;
    out.may |= truth.value_or(true) ? std::uint64_t{1} << i : 0;
  }
  return out;
}

std::vector<std::uint64_t> Atoms::nominal_run(std::uint64_t atoms, const Sample& run) const {
  const std::vector<TokenId>& prompt = input_.automaton->prompts.at(run.prompt);
  const std::vector<std::string> wanted = hooks(atoms);
  ForwardPass pass;
  if (!wanted.empty()) {
    std::vector<TokenId> all = prompt;
    all.insert(all.end(), run.tokens.begin(), run.tokens.end());
    pass = forward(*input_.model, all, wanted);
  }
  std::vector<std::uint64_t> letters;
  for (std::size_t i = 0; i < run.tokens.size(); ++i) {
    letters.push_back(nominal(atoms, run.tokens[i], pass, prompt.size() + i));
  }
  return letters;
}

std::vector<TokenId> relevant(const Transformer& model, const std::vector<TokenId>& context) {
  const std::size_t w = model.config.attention_window;
  const bool relative =
      model.config.positions == PosKind::relative || model.config.positions == PosKind::none;
  if (w == 0 || !relative || context.size() <= w) {
    return context;
  }
  return {context.end() - static_cast<std::ptrdiff_t>(w), context.end()};
}

}  // namespace assay::verify
