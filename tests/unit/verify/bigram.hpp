#pragma once

#include <set>

#include "assay/model/sae.hpp"
#include "assay/model/transformer.hpp"
#include "assay/spec/spec.hpp"
#include "assay/verify/check.hpp"

namespace assay::test {

/// A model whose next token depends on the current one alone: token a is followed by b exactly
/// when next[a][b]. The residual stream is the one-hot current token.
inline Transformer bigram_model(const std::vector<std::vector<int>>& next) {
  const std::size_t v = next.size();
  Transformer m;
  m.config.d_model = m.config.d_vocab = m.config.d_vocab_out = v;
  m.config.n_ctx = 64;
  m.config.d_head = m.config.n_heads = m.config.d_mlp = 1;
  m.config.attention_window = 3;
  m.config.relative_bias = true;
  m.config.attn_scale = 1;
  m.W_E = m.W_U = zeros({v, v});
  m.W_Q = m.W_K = m.W_V = zeros({1, v, 1});
  m.W_O = zeros({1, 1, v});
  m.b_Q = m.b_K = m.b_V = zeros({1, 1});
  m.b_O = m.b_out = m.b_U = zeros({v});
  m.rel_bias = zeros({1, 3});
  m.W_in = zeros({v, 1});
  m.b_in = zeros({1});
  m.W_out = zeros({1, v});
  for (std::size_t a = 0; a < v; ++a) {
    m.W_E.data[a * v + a] = 1.0F;
    for (std::size_t b = 0; b < v; ++b) {
      m.W_U.data[a * v + b] = next[a][b] != 0 ? 8.0F : -8.0F;
    }
  }
  return m;
}

/// Feature i is on, with value 1, exactly when the current token is i.
inline Sae one_hot_sae(std::size_t v) {
  Sae s;
  s.architecture = "jumprelu_transcoder";
  s.apply_b_dec_to_input = false;
  s.hook_name = kHookResidMid;
  s.hook_name_out = kHookMlpOut;
  s.d_in = s.d_sae = s.d_out = v;
  s.W_enc = s.W_dec = zeros({v, v});
  s.b_enc = s.b_dec = s.threshold = zeros({v});
  for (std::size_t i = 0; i < v; ++i) {
    s.W_enc.data[i * v + i] = 1.0F;
    s.threshold.data[i] = 0.5F;
  }
  return s;
}

/// Every file a check needs, in memory. States of the automaton are blocks of tokens.
struct Scene {
  Transformer model;
  Sae sae;
  spec::Spec spec;
  automata::FittedAutomaton automaton;
  verify::CheckInput input;

  Scene(const std::vector<std::vector<int>>& next, const std::string& declarations,
        const std::vector<std::vector<std::size_t>>& blocks)
      : model(bigram_model(next)), sae(one_hot_sae(next.size())) {
    spec = spec::parse_spec(
        "spec \"t\" version 1; use model M = \"m\"; use sae T = \"t\";" + declarations, "t");
    for (spec::Use& use : spec.uses) {
      use.sha256 = Digest{};
    }
    fit(next, blocks);
    input.spec = &spec;
    input.model = &model;
    input.saes["T"] = &sae;
    input.automaton = &automaton;
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  /// The quotient of the model's own graph: what a fit on enough text would give.
  void fit(const std::vector<std::vector<int>>& next,
           const std::vector<std::vector<std::size_t>>& blocks) {
    automaton.prompts = {{TokenId(0)}};
    automaton.max_new = 8;
    automaton.decoder = Decoder{};
    for (const spec::Atom& atom : spec.atoms) {
      automaton.aps.push_back(atom.name);
    }
    std::vector<std::size_t> block_of(next.size());
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      automata::FittedState state;
      state.name = "block " + std::to_string(b);
      state.must = ~std::uint64_t{0};
      state.count = 1;
      for (const std::size_t t : blocks[b]) {
        block_of[t] = b;
        state.must &= letter(TokenId(t));
        state.may |= letter(TokenId(t));
      }
      automaton.states.push_back(state);
    }
    std::set<std::pair<std::size_t, std::size_t>> edges;
    std::set<std::size_t> initial;
    for (std::size_t a = 0; a < next.size(); ++a) {
      for (std::size_t b = 0; b < next.size(); ++b) {
        if (next[a][b] != 0) {
          edges.emplace(block_of[a], block_of[b]);
          if (a == 0) {
            initial.insert(block_of[b]);
          }
        }
      }
    }
    for (const auto& [a, b] : edges) {
      automaton.edges.push_back({StateId(a), StateId(b), 1});
    }
    for (const std::size_t s : initial) {
      automaton.initial.emplace_back(StateId(s), 1);
    }
  }

  [[nodiscard]] std::uint64_t letter(TokenId t) const {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < spec.atoms.size(); ++i) {
      const spec::Atom& atom = spec.atoms[i];
      const bool truth =
          atom.kind == spec::Atom::Kind::token_is ? *atom.token == t : atom.feature->at() == t.at();
      out |= truth ? std::uint64_t{1} << i : 0;
    }
    return out;
  }
};

}  // namespace assay::test
