#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "assay/model/deep_model.hpp"
#include "assay/verify/check.hpp"

namespace assay::cli {

struct SubjectOptions {
  std::string model, spec;
  std::vector<std::string> saes, readouts, properties;
};

/// --model, --sae, --readout, --spec and --prop (which `only` describes) of a command about a model and a spec.
void add_subject_options(CLI::App& command, SubjectOptions& options, const std::string& only);

/// An option that is a fraction or a decimal. Throws UsageError that names the option.
[[nodiscard]] Rational rational_option(const std::string& text, const std::string& option);

/// Owns what a CheckInput points to.
struct Subject {
  spec::Spec spec;
  Transformer model;
  std::optional<Tokenizer> tokenizer;
  std::map<std::string, Sae> saes;
  std::map<std::string, Readout> readouts;
  std::string statement;  ///< the spec file's bytes
  verify::CheckInput input;
};

/// Options --sae as NAME=DIR: "DIR" stands for the only dictionary of the spec; without one it is not needed.
[[nodiscard]] std::vector<std::string> named_saes(const std::vector<std::string>& options,
                                                  const spec::Spec& spec);

/// Reads the spec and every file it uses. Throws UsageError and InputError.
void load_subject(const SubjectOptions& options, Subject& subject);

/// The same for a model of any depth, which the input then does not point to: tokens can be read, activations cannot.
void load_subject(const SubjectOptions& options, const DeepModel& model, Subject& subject);
/// Names, texts and regular expressions become ids; rules that need text to choose by are refused.
void resolve_subject(Subject& subject, const std::string& file);

/// A run that violates a property: prompt, tokens, and step by step what was replayed.
[[nodiscard]] nlohmann::ordered_json run_json(const verify::CheckInput& input,
                                              const std::vector<TokenId>& prompt,
                                              const verify::Violated& violated);

}  // namespace assay::cli
