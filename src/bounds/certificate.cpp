#include <algorithm>

#include "prover.hpp"

namespace assay::bounds {
namespace {

/// Steps of one certificate: ids of our own never collide with a claim's.
class Writer {
 public:
  explicit Writer(const Request& statement) {
    const auto taken = [&] {
      return std::any_of(statement.claims.begin(), statement.claims.end(),
                         [&](const Claim& c) { return c.id.starts_with(prefix_); });
    };
    for (std::size_t n = 0; taken(); ++n) {
      prefix_ = "_" + std::to_string(n) + "_";
    }
  }

  [[nodiscard]] std::string own_id(const std::string& kind) {
    return prefix_ + kind + std::to_string(++last_[kind]);
  }
  void step(const std::string& id, const std::string& rule, const std::string& words) {
    text_ += id + " " + rule + " : " + words + "\n";
    ++steps_;
  }

  /// SUFFIX
  std::string suffix(const std::vector<TokenId>& tokens) {
    std::string words;
    for (const TokenId t : tokens) {
      words += (words.empty() ? "" : " ") + std::to_string(t.value);
    }
    std::string id = own_id("s");
    step(id, "SUFFIX", words);
    return id;
  }

  /// NEURONS and its NEURON-RANGE lines
  std::string neurons(const std::string& suffix_id, const NeuronRanges& ranges) {
    std::string id = own_id("n");
    const std::size_t f = ranges.range.size();
    step(id, "NEURONS " + suffix_id, std::to_string(f));
    const auto row = [&](const std::vector<double>& all, std::size_t j) {
      const auto first = all.begin() + static_cast<std::ptrdiff_t>(j * ranges.heads);
      return hex_words({first, first + static_cast<std::ptrdiff_t>(ranges.heads)});
    };
    for (std::size_t j = 0; j < f; ++j) {
      step(id + "." + std::to_string(j), "NEURON-RANGE " + id + " " + std::to_string(j),
           row(ranges.U, j) + " " + row(ranges.D, j));
    }
    return id;
  }

  [[nodiscard]] std::string finish(const std::string& header) const {
    return header + text_ + "end " + std::to_string(steps_) + "\n";
  }

 private:
  std::string prefix_ = "_";
  std::map<std::string, std::size_t> last_;
  std::string text_;
  std::size_t steps_ = 0;
};

std::string header(const Transformer& model, const Sae* sae, const Request& statement) {
  std::string text = "assay-cert 1\nkind bounds\nsemantics REAL\nmodel " +
                     model.config_digest.hex() + " " + model.weights_digest.hex() + "\n";
  const bool reads_features =
      std::any_of(statement.claims.begin(), statement.claims.end(),
                  [](const Claim& c) { return c.kind == ClaimKind::feature_off; });
  if (reads_features && sae != nullptr) {
    text += "sae " + sae->config_digest.hex() + " " + sae->weights_digest.hex() + "\n";
  }
  return text + "statement " + statement.digest.hex() + "\n";
}

}  // namespace

std::string write_certificate(const Transformer& model, const Sae* sae, const Request& statement,
                              const std::vector<Concluded>& concluded,
                              std::map<std::vector<TokenId>, SuffixWork>& works) {
  Writer writer(statement);
  std::map<std::vector<TokenId>, std::string> suffix_ids;
  std::map<std::vector<TokenId>, std::string> neuron_ids;
  for (const Concluded& c : concluded) {
    const std::vector<TokenId>& suffix = c.claim.suffix;
    if (!suffix_ids.contains(suffix)) {
      suffix_ids[suffix] = writer.suffix(suffix);
    }
    if (c.conclusion.reads_neurons && !neuron_ids.contains(suffix)) {
      neuron_ids[suffix] = writer.neurons(suffix_ids[suffix], works.at(suffix).neurons());
    }
    const std::string& premise =
        c.conclusion.reads_neurons ? neuron_ids[suffix] : suffix_ids[suffix];
    writer.step(c.claim.id, c.conclusion.rule + " " + premise, c.conclusion.words);
  }
  return writer.finish(header(model, sae, statement));
}

}  // namespace assay::bounds
