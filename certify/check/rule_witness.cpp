#include <algorithm>

#include "forward.hpp"
#include "progression.hpp"
#include "reject.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

enum class Truth { no, yes, unknown };

/// value >= t (or > t) surely and by the band; surely not, by the band; or neither.
Truth is_above(const Interval& value, const Interval& t, const Interval& band, bool strict) {
  const double in = (t + band).hi();
  const double out = (t - band).lo();
  if (value.lo() >= in && (!strict || value.lo() > t.hi())) {
    return Truth::yes;
  }
  return value.hi() <= out && (strict || value.hi() < t.lo()) ? Truth::no : Truth::unknown;
}

Truth compare(const SpecAtom& atom, const Interval& value) {
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

/// The thresholded value: 0 when surely off, pre when surely on, the hull of both otherwise.
Interval feature_value(const SaeEncoder& sae, std::size_t i, const std::vector<Interval>& x) {
  const Interval pre = dot(sae.direction(i), x) + sae.offset(i);
  const double threshold = static_cast<double>(sae.threshold[i]);
  if (pre.lo() > threshold) {
    return pre;
  }
  return pre.hi() <= threshold ? Interval(0) : hull(Interval(0), pre);
}

/// Reads letters off the model; the property's atoms only.
class LetterReader {
 public:
  LetterReader(Session& session, const Step& step, std::uint64_t atoms)
      : session_(session), step_(step), used_(atoms) {}

  [[nodiscard]] std::uint64_t letter(std::size_t token, const Position& at) {
    const std::vector<SpecAtom>& atoms = session_.spec().atoms;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < atoms.size(); ++i) {
      if ((used_ >> i & 1) == 0) {
        continue;
      }
      const Truth truth = evaluate_atom(atoms[i], token, at);
      if (truth == Truth::unknown) {
        refuse(step_, "atom " + atoms[i].name + " is not decided off its threshold");
      }
      bits |= std::uint64_t{truth == Truth::yes ? 1U : 0U} << i;
    }
    return bits;
  }

 private:
  Truth evaluate_atom(const SpecAtom& atom, std::size_t token, const Position& at) {
    if (atom.kind == SpecAtom::Kind::token) {
      return std::binary_search(atom.tokens.begin(), atom.tokens.end(), token) ? Truth::yes
                                                                               : Truth::no;
    }
    if (atom.kind == SpecAtom::Kind::readout) {
      const AffineReadout& readout = session_.readout(atom.use);
      return compare(atom, dot(at.hook(readout.hook), readout.weights) + readout.bias);
    }
    const SaeEncoder& sae = session_.sae();
    const std::vector<Interval>& x = at.hook(sae.hook);
    if (x.size() != sae.d_in || atom.feature >= sae.d_sae || sae.k > 0) {
      refuse(step_, "the SAE does not fit the model, has no such feature or is topk");
    }
    return compare(atom, feature_value(sae, atom.feature, x));
  }

  Session& session_;
  const Step& step_;
  std::uint64_t used_;
};

// SUPPORT: l_t − l_y > ln ρ (· T) for every rival y, or l_t > l_y for every rival y.
bool surely_kept(const std::vector<Interval>& logits, std::size_t token, const MinP& decoder) {
  const double cut = decoder.cut().hi();
  bool near_top = cut < 0 || logits.size() == 1;
  bool top = true;
  for (std::size_t y = 0; y < logits.size(); ++y) {
    if (y != token) {
      near_top = near_top && (logits[token] - logits[y]).lo() > cut;
      top = top && logits[token].lo() > logits[y].hi();
    }
  }
  return near_top || top;
}

/// The last position of a sequence.
Position read_end(Forward& forward, const Network& net, const std::vector<std::size_t>& context) {
  const auto seen = static_cast<std::ptrdiff_t>(std::min(context.size(), net.span()));
  return forward.at(std::vector<std::size_t>(context.rbegin(), context.rbegin() + seen),
                    context.size());
}

struct Run {
  std::vector<std::size_t> prompt, tokens;
};

Run read_run(Session& session, const Step& step) {
  const Network& net = session.attention().net();
  if (!step.premises.empty() || step.words.empty() || step.words[0] != "P") {
    refuse(step, "expected WITNESS : P … N …");
  }
  Run run;
  std::size_t at = 1;
  const std::size_t limit = std::min(net.d_vocab, net.d_vocab_out);
  for (; at < step.words.size() && step.words[at] != "N"; ++at) {
    run.prompt.push_back(parse_nat_below(step.words[at], net.d_vocab, "a token"));
  }
  for (++at; at < step.words.size(); ++at) {
    run.tokens.push_back(parse_nat_below(step.words[at], limit, "a token"));
  }
  const FittedAutomaton& automaton = session.automaton();
  const auto& prompts = automaton.prompts;
  if (std::find(prompts.begin(), prompts.end(), run.prompt) == prompts.end()) {
    refuse(step, "the prompt is not one of the automaton's");
  }
  if (run.prompt.empty() || run.tokens.empty() || run.tokens.size() > automaton.max_new) {
    refuse(step, "expected a prompt and 1 to maxNew tokens");
  }
  return run;
}

}  // namespace

// WITNESS
//   every token after the prompt is surely kept by the decoder, given all tokens before it
//   every atom of φ is decided at every position      the progression of φ over the letters is false
//   ----------------------------------------------------------------------------------------------
//   φ is violated by the model
void rule_witness(Session& session, const Step& step) {
  const std::size_t index = session.property(step.id);
  session.need_sources(index);
  const SpecProperty& property = session.spec().properties[index];
  const Run run = read_run(session, step);
  const MinP& decoder = session.automaton().decoder;
  if (!session.attention().net().is_plain()) {
    refuse(step, "config.json: expected relu, no LayerNorm, relative_bias");
  }
  Forward forward(session.attention());
  Progression monitor(session.spec().formulas, property.formula);
  LetterReader reader(session, step, property.atoms);
  std::size_t residual = monitor.initial();
  std::vector<std::size_t> context = run.prompt;
  Position at = read_end(forward, session.attention().net(), context);
  for (const std::size_t token : run.tokens) {
    if (!surely_kept(forward.logits(at), token, decoder)) {
      refuse(step, "token " + std::to_string(context.size() - run.prompt.size()) +
                       " is not surely in the decoder's support");
    }
    context.push_back(token);
    at = read_end(forward, session.attention().net(), context);
    residual = monitor.step(residual, reader.letter(token, at));
  }
  if (!monitor.is_false(residual)) {
    refuse(step, "the run does not violate the property");
  }
  session.conclusions.push_back({step.id, "PROVED",
                                 "VIOLATED by the model (real arithmetic): prompt " +
                                     tokens_text(run.prompt) + " then " + tokens_text(run.tokens) +
                                     ", decoder " + decoder.text() + ": all " + property.text});
}

}  // namespace assay_check
