#pragma once
// A random model of some layers on token ids alone, and a spec about it.

#include <string>

#include "assay/base/progress.hpp"
#include "assay/spec/print.hpp"
#include "assay/spec/resolve.hpp"
#include "assay/verify/sampled.hpp"
#include "random_subject.hpp"

namespace assay::test {

inline Block block_of(const Transformer& m) {
  return {m.W_Q,  m.W_K,  m.W_V,   m.W_O,   m.b_Q, m.b_K, m.b_V, m.b_O, m.rel_bias,
          m.W_in, m.b_in, m.W_out, m.b_out, {},    {},    {},    {}};
}

/// Vocabulary 5, window 4.
class DeepSubject {
 public:
  explicit DeepSubject(const std::string& text, std::size_t layers = 2) {
    set_progress(false);  // tests draw hundreds of plans
    const Transformer first = random_model(5);
    model_.config = first.config;
    model_.config.n_layers = layers;
    model_.W_E = first.W_E;
    model_.W_U = first.W_U;
    model_.b_U = first.b_U;
    for (std::size_t i = 0; i < layers; ++i) {
      model_.blocks.push_back(block_of(random_model(5, 4, 8, 7 + i)));
    }
    one_ = first;
    spec::ResolveInput names;
    names.vocabulary = 5;
    spec_ = spec::resolve(spec::parse_spec(text, "t.spec"), "t.spec", names);
  }

  [[nodiscard]] verify::SampleInput input() const {
    verify::SampleInput input;
    input.subject.spec = &spec_;
    input.subject.statement = sha256(spec::print_spec(spec_));
    input.subject.model = model_.config.n_layers == 1 ? &one_ : nullptr;
    input.model = &model_;
    input.emission = automata::Emission::parse("min-p:0.1");
    input.prompts = verify::PromptLaw::parse(R"({"any":true,"max_length":3})", "p", 5);
    input.runs = 100;
    input.max_new = 8;
    return input;
  }

 private:
  DeepModel model_;
  Transformer one_;
  spec::Spec spec_;
};

}  // namespace assay::test
