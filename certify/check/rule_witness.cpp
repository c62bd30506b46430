#include <algorithm>

#include "emission.hpp"
#include "letters.hpp"
#include "progression.hpp"
#include "reject.hpp"
#include "windows.hpp"
#include "witness.hpp"

namespace assay_check {
namespace {

/// The last position of a sequence.
Position read_end(Forward& forward, const Network& net, const std::vector<std::size_t>& context) {
  const auto seen = static_cast<std::ptrdiff_t>(std::min(context.size(), net.span()));
  return forward.at(std::vector<std::size_t>(context.rbegin(), context.rbegin() + seen),
                    context.size());
}

/// Kind automaton: one of the automaton's prompts; kind exact: one of the statement's.
bool is_in_domain(Session& session, const Run& run) {
  if (session.header().runs) {
    const Runs& runs = session.runs();
    return runs.is_prompt(run.prompt) &&
           (run.loop > 0 ? !runs.max_new : run.tokens.size() <= runs.max_new.value_or(SIZE_MAX));
  }
  const FittedAutomaton& automaton = session.automaton();
  const auto& prompts = automaton.prompts;
  return std::find(prompts.begin(), prompts.end(), run.prompt) != prompts.end() &&
         run.tokens.size() <= automaton.max_new;
}

/// The same families as the rules that conclude HOLDS.
void need_family(Session& session, const Step& step) {
  const Network& net = session.attention().net();
  if (session.header().runs ? !has_plain_windows(net) : !net.is_plain()) {
    refuse(step, "config.json: expected relu, no LayerNorm, relative_bias, a window");
  }
}

Emission decoder_of(Session& session) {
  return session.header().runs ? session.runs().emission : emission_of(session.automaton().decoder);
}

}  // namespace

Run read_run(Session& session, const Step& step, bool loops) {
  const Network& net = session.attention().net();
  if (!step.premises.empty() || step.words.empty() || step.words[0] != "P") {
    refuse(step, loops ? "expected LASSO : P … N … L …" : "expected WITNESS : P … N …");
  }
  Run run;
  std::size_t at = 1;
  const std::size_t limit = std::min(net.d_vocab, net.d_vocab_out);
  for (; at < step.words.size() && step.words[at] != "N"; ++at) {
    run.prompt.push_back(parse_nat_below(step.words[at], net.d_vocab, "a token"));
  }
  for (++at; at < step.words.size() && !(loops && step.words[at] == "L"); ++at) {
    run.tokens.push_back(parse_nat_below(step.words[at], limit, "a token"));
  }
  for (++at; at < step.words.size(); ++at, ++run.loop) {
    run.tokens.push_back(parse_nat_below(step.words[at], limit, "a token"));
  }
  if (run.prompt.empty() || run.tokens.empty() || loops != (run.loop > 0) ||
      !is_in_domain(session, run)) {
    refuse(step, "not a prompt of the statement, or not 1 to as many tokens as it allows");
  }
  return run;
}

std::vector<std::uint64_t> played(Session& session, const Step& step, const Run& run,
                                  std::uint64_t atoms) {
  need_family(session, step);
  const Emission decoder = decoder_of(session);
  const Network& net = session.attention().net();
  Forward forward(session.attention());
  LetterReader reader(session, step, atoms);
  std::vector<std::uint64_t> letters;
  std::vector<std::size_t> context = run.prompt;
  Position at = read_end(forward, net, context);
  for (const std::size_t token : run.tokens) {
    if (decoder.support(forward.logits(at))[token] != Kept::yes) {
      refuse(step, "token " + std::to_string(context.size() - run.prompt.size()) +
                       " is not surely in the decoder's support");
    }
    context.push_back(token);
    at = read_end(forward, net, context);
    letters.push_back(reader.decided(token, at));
  }
  return letters;
}

std::string words_of(Session& session, const Run& run) {
  const auto end = run.tokens.end() - static_cast<std::ptrdiff_t>(run.loop);
  return "prompt " + tokens_text(run.prompt) + " then " +
         tokens_text(std::vector<std::size_t>(run.tokens.begin(), end)) +
         (run.loop == 0
              ? ""
              : " and for ever " + tokens_text(std::vector<std::size_t>(end, run.tokens.end()))) +
         ", decoder " + decoder_of(session).text();
}

// WITNESS
//   every token after the prompt is surely kept by the decoder, given all tokens before it
//   every atom of φ is decided at every position      the progression of φ over the letters is false
//   ----------------------------------------------------------------------------------------------
//   φ is violated by the model                          (some φ: the same of ¬φ; φ holds of the run)
void rule_witness(Session& session, const Step& step) {
  const std::size_t index = session.property(step.id);
  session.need_sources(index);
  const SpecProperty& property = session.spec().properties[index];
  const Run run = read_run(session, step, false);
  Progression monitor(session.spec().formulas, property.formula);
  std::size_t residual = monitor.initial();
  for (const std::uint64_t letter : played(session, step, run, property.atoms)) {
    residual = monitor.step(residual, letter);
  }
  if (!monitor.is_false(residual)) {
    refuse(step, property.some ? "the run does not show the property"
                               : "the run does not violate the property");
  }
  session.conclusions.push_back(
      {step.id, "PROVED", property.by_a_run() + words_of(session, run) + ": " + property.claim()});
}

}  // namespace assay_check
