#include <algorithm>

#include "emission.hpp"
#include "letters.hpp"
#include "progression.hpp"
#include "reject.hpp"
#include "windows.hpp"

namespace assay_check {
namespace {

/// The last position of a sequence.
Position read_end(Forward& forward, const Network& net, const std::vector<std::size_t>& context) {
  const auto seen = static_cast<std::ptrdiff_t>(std::min(context.size(), net.span()));
  return forward.at(std::vector<std::size_t>(context.rbegin(), context.rbegin() + seen),
                    context.size());
}

struct Run {
  std::vector<std::size_t> prompt, tokens;
};

/// Kind automaton: one of the automaton's prompts; kind exact: one of the statement's.
bool is_in_domain(Session& session, const Run& run) {
  if (session.header().runs) {
    const Runs& runs = session.runs();
    return runs.is_prompt(run.prompt) && run.tokens.size() <= runs.max_new.value_or(SIZE_MAX);
  }
  const FittedAutomaton& automaton = session.automaton();
  const auto& prompts = automaton.prompts;
  return std::find(prompts.begin(), prompts.end(), run.prompt) != prompts.end() &&
         run.tokens.size() <= automaton.max_new;
}

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
  if (run.prompt.empty() || run.tokens.empty() || !is_in_domain(session, run)) {
    refuse(step, "not a prompt of the statement, or not 1 to as many tokens as it allows");
  }
  return run;
}

/// The same families as the rules that conclude HOLDS.
void need_family(Session& session, const Step& step) {
  const Network& net = session.attention().net();
  if (session.header().runs ? !has_plain_windows(net) : !net.is_plain()) {
    refuse(step, "config.json: expected relu, no LayerNorm, relative_bias, a window");
  }
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
  need_family(session, step);
  const Emission decoder =
      session.header().runs ? session.runs().emission : emission_of(session.automaton().decoder);
  Forward forward(session.attention());
  Progression monitor(session.spec().formulas, property.formula);
  LetterReader reader(session, step, property.atoms);
  std::size_t residual = monitor.initial();
  std::vector<std::size_t> context = run.prompt;
  Position at = read_end(forward, session.attention().net(), context);
  for (const std::size_t token : run.tokens) {
    if (decoder.support(forward.logits(at))[token] != Kept::yes) {
      refuse(step, "token " + std::to_string(context.size() - run.prompt.size()) +
                       " is not surely in the decoder's support");
    }
    context.push_back(token);
    at = read_end(forward, session.attention().net(), context);
    residual = monitor.step(residual, reader.decided(token, at));
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
