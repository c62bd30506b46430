#include "check_subject.hpp"

#include <algorithm>

#include "assay/base/files.hpp"
#include "assay/base/rational.hpp"
#include "assay/spec/print.hpp"
#include "assay/spec/resolve.hpp"
#include "named_files.hpp"

namespace assay::cli {
namespace {

nlohmann::ordered_json ids(const std::vector<TokenId>& tokens) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const TokenId token : tokens) {
    out.push_back(token.at());
  }
  return out;
}

void load_spec(const SubjectOptions& options, Subject& subject) {
  subject.statement = read_file(options.spec, std::size_t{1} << 21U);
  subject.spec = spec::parse_spec(subject.statement, options.spec);
}

/// Everything beside the spec and the model.
void load_rest(const SubjectOptions& options, Subject& subject) {
  subject.tokenizer = load_tokenizer(options.model);
  const auto saes = named_paths(named_saes(options.saes, subject.spec), "--sae");
  const auto readouts = named_paths(options.readouts, "--readout");
  verify::CheckInput& input = subject.input;
  for (const spec::Use& use : subject.spec.uses) {
    if (use.kind == "sae") {
      input.saes[use.name] =
          &subject.saes.emplace(use.name, load_sae(path_of(use, saes, options.spec))).first->second;
    } else if (use.kind == "readout") {
      const auto path = path_of(use, readouts, options.spec);
      input.readouts[use.name] =
          &subject.readouts.emplace(use.name, load_readout(path)).first->second;
    }
  }
  input.spec = &subject.spec;
  input.statement = sha256(subject.statement);
  input.tokenizer = subject.tokenizer ? &*subject.tokenizer : nullptr;
  input.properties = options.properties;
}

}  // namespace

void add_subject_options(CLI::App& command, SubjectOptions& options, const std::string& only) {
  command.add_option("--model", options.model, "Model directory")->required();
  command.add_option("--sae", options.saes,
                     "NAME=DIR of a used dictionary, or DIR of the only one (default: the path in "
                     "the spec)");
  command.add_option("--readout", options.readouts,
                     "NAME=FILE of a used readout (default: the path in the spec)");
  command.add_option("--spec", options.spec, "The .spec file")->required();
  command.add_option("--prop,--property", options.properties, only);
}

Rational rational_option(const std::string& text, const std::string& option) {
  try {
    return parse_rational(text);
  } catch (const InputError& e) {
    throw UsageError(option + ": " + e.what());
  }
}

std::vector<std::string> named_saes(const std::vector<std::string>& options,
                                    const spec::Spec& spec) {
  std::vector<std::string> out;
  for (const std::string& option : options) {
    if (option.find('=') != std::string::npos) {
      out.push_back(option);
      continue;
    }
    std::vector<std::string> names;
    for (const spec::Use& use : spec.uses) {
      if (use.kind == "sae") {
        names.push_back(use.name);
      }
    }
    if (names.size() > 1) {
      throw UsageError("--sae: expected NAME=DIR for a spec that uses " +
                       std::to_string(names.size()) + " dictionaries, found " + option);
    }
    if (!names.empty()) {
      out.push_back(names[0] + "=" + option);
    }
  }
  return out;
}

void load_subject(const SubjectOptions& options, Subject& subject) {
  load_spec(options, subject);
  subject.model = load_transformer(options.model);
  load_rest(options, subject);
  subject.input.model = &subject.model;
}

void load_subject(const SubjectOptions& options, const DeepModel& model, Subject& subject) {
  load_spec(options, subject);
  subject.model.config = model.config;
  subject.model.config_digest = model.config_digest;
  subject.model.weights_digest = model.weights_digest;
  load_rest(options, subject);
}

void resolve_subject(Subject& subject, const std::string& file) {
  spec::ResolveInput names;
  names.tokenizer = subject.tokenizer ? &*subject.tokenizer : nullptr;
  names.vocabulary = subject.model.config.d_vocab;
  names.model = subject.model.weights_digest;
  names.saes = subject.input.saes;
  for (const auto& [name, readout] : subject.readouts) {
    names.readouts[name] = readout.digest;
  }
  subject.spec = spec::resolve(subject.spec, file, names);
  subject.statement = spec::print_spec(subject.spec);
  subject.input.statement = sha256(subject.statement);
}

nlohmann::ordered_json run_json(const verify::CheckInput& input, const std::vector<TokenId>& prompt,
                                const verify::Violated& violated) {
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (const verify::WitnessStep& step : violated.steps) {
    nlohmann::ordered_json letter = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < input.spec->atoms.size(); ++i) {
      if (((step.letter >> i) & 1U) != 0) {
        letter.push_back(input.spec->atoms[i].name);
      }
    }
    nlohmann::ordered_json values = nlohmann::ordered_json::object();
    for (const verify::AtomValue& value : step.values) {
      values[value.what] = {value.lo, value.hi};
    }
    nlohmann::ordered_json live = nlohmann::ordered_json::object();
    for (const auto& [feature, value] : step.live) {
      live[feature] = value;
    }
    steps.push_back({{"token", step.token.at()},
                     {"text", verify::token_text(input, {step.token})},
                     {"true", letter},
                     {"values", values},
                     {"live", live}});
  }
  return {{"prompt", ids(prompt)},
          {"promptText", verify::token_text(input, prompt)},
          {"tokens", ids(violated.tokens)},
          {"text", verify::token_text(input, violated.tokens)},
          {"steps", steps}};
}

}  // namespace assay::cli
