#include "sampled_subject.hpp"

#include "assay/base/errors.hpp"
#include "assay/spec/print.hpp"

namespace assay::certify {

SampledSubject::SampledSubject(const std::filesystem::path& directory)
    : model(load_deep_model(directory)) {
  if (model.config.n_layers == 1 && !model.rms) {
    one_layer = load_transformer(directory);
  }
  if (std::filesystem::exists(directory / "tokenizer.json")) {
    tokenizer = Tokenizer::load(directory / "tokenizer.json");
  }
}

verify::SampleInput sample_input(const SampledSubject& subject, const SampledPlan& plan,
                                 const spec::Spec& resolved) {
  verify::SampleInput input;
  input.subject.spec = &resolved;
  input.subject.statement = sha256(spec::print_spec(resolved));
  input.subject.model = subject.one_layer ? &*subject.one_layer : nullptr;
  input.subject.tokenizer = subject.tokenizer ? &*subject.tokenizer : nullptr;
  input.subject.saes = subject.saes;
  input.subject.readouts = subject.readouts;
  input.model = &subject.model;
  const std::size_t vocabulary = subject.model.config.d_vocab;
  input.decoder = plan.decoder;
  input.allow = plan.allow;
  input.emission = automata::Emission::parse(plan.decoder);
  if (!plan.allow.empty()) {
    input.emission.allow(plan.allow, resolved, vocabulary);
  }
  input.prompts = verify::PromptLaw::parse(plan.prompts, plan.prompts_name, vocabulary);
  input.runs = plan.runs;
  input.max_new = plan.max_new;
  input.alpha = plan.alpha;
  input.seed = plan.seed;
  const std::size_t longest = input.prompts.longest() + plan.max_new;
  if (plan.runs == 0 || plan.max_new == 0 || longest > kMostTokens ||
      plan.runs > kMostTokens / longest) {
    throw UsageError("sampled: expected 1 to " + std::to_string(kMostTokens) +
                     " tokens in all runs together, so that they can be drawn again, found " +
                     std::to_string(plan.runs) + " runs of up to " + std::to_string(longest));
  }
  return input;
}

}  // namespace assay::certify
