#include "letters.hpp"

#include <algorithm>

#include "reject.hpp"

namespace assay_check {
namespace {

/// The thresholded value: 0 when surely off, pre when surely on, the hull of both otherwise.
Interval feature_value(const SaeEncoder& sae, std::size_t i, const Interval& pre) {
  const double threshold = static_cast<double>(sae.threshold[i]);
  if (pre.lo() > threshold) {
    return pre;
  }
  return pre.hi() <= threshold ? Interval(0) : hull(Interval(0), pre);
}

}  // namespace

/// value >= t (or > t) surely and by the band; surely not, by the band; or neither.
LetterReader::Truth LetterReader::is_above(const Interval& value, const Interval& t,
                                           const Interval& band, bool strict) {
  const double in = (t + band).hi();
  const double out = (t - band).lo();
  if (value.lo() >= in && (!strict || value.lo() > t.hi())) {
    return Truth::yes;
  }
  return value.hi() <= out && (strict || value.hi() < t.lo()) ? Truth::no : Truth::unknown;
}

LetterReader::Truth LetterReader::compare(const SpecAtom& atom, const Interval& value) {
  const Interval t = atom.threshold.interval();
  const Interval band = atom.band.interval();
  switch (atom.compare) {
    case SpecAtom::Compare::at_least:
      return is_above(value, t, band, false);
    case SpecAtom::Compare::above:
      return is_above(value, t, band, true);
    case SpecAtom::Compare::at_most:
      return is_above(-value, -t, band, false);
    case SpecAtom::Compare::below:
      return is_above(-value, -t, band, true);
  }
  return Truth::unknown;
}

bool LetterReader::needs_position() const {
  const std::vector<SpecAtom>& atoms = session_.spec().atoms;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    if ((used_ >> i & 1) != 0 && atoms[i].kind != SpecAtom::Kind::token) {
      return true;
    }
  }
  return false;
}

Letter LetterReader::letter(std::size_t token, const Position* at) {
  const std::vector<SpecAtom>& atoms = session_.spec().atoms;
  Letter out;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    if ((used_ >> i & 1) != 0) {
      const Truth truth = evaluate_atom(atoms[i], token, at);
      out.must |= std::uint64_t{truth == Truth::yes ? 1U : 0U} << i;
      out.may |= std::uint64_t{truth != Truth::no ? 1U : 0U} << i;
    }
  }
  return out;
}

std::uint64_t LetterReader::decided(std::size_t token, const Position& at) {
  const Letter out = letter(token, &at);
  for (std::size_t i = 0; i < session_.spec().atoms.size(); ++i) {
    if (((out.must ^ out.may) >> i & 1) != 0) {
      refuse(step_, "atom " + session_.spec().atoms[i].name + " is not decided off its threshold");
    }
  }
  return out.must;
}

LetterReader::Truth LetterReader::evaluate_atom(const SpecAtom& atom, std::size_t token,
                                                const Position* at) {
  if (atom.kind == SpecAtom::Kind::token) {
    return std::binary_search(atom.tokens.begin(), atom.tokens.end(), token) ? Truth::yes
                                                                             : Truth::no;
  }
  if (at == nullptr) {
    refuse(step_, "an atom needs the values of a position");
  }
  if (atom.kind == SpecAtom::Kind::readout) {
    const AffineReadout& readout = session_.readout(atom.use);
    return truth(atom, dot(at->hook(readout.hook), readout.weights) + readout.bias);
  }
  const SaeEncoder& sae = session_.sae();
  const std::vector<Interval>& x = at->hook(sae.hook);
  if (x.size() != sae.d_in || atom.feature >= sae.d_sae) {
    refuse(step_, "the SAE does not fit the model or has no such feature");
  }
  return truth(atom, dot(sae.direction(atom.feature), x) + sae.offset(atom.feature));
}

LetterReader::Truth LetterReader::truth(const SpecAtom& atom, const Interval& read) {
  if (atom.kind != SpecAtom::Kind::feature) {
    return compare(atom, read);
  }
  const SaeEncoder& sae = session_.sae();
  if (atom.feature >= sae.d_sae || sae.k > 0) {
    refuse(step_, "the SAE has no such feature or is topk");
  }
  return compare(atom, feature_value(sae, atom.feature, read));
}

}  // namespace assay_check
