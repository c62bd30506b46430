#include <filesystem>
#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/features/best_feature.hpp"
#include "assay/model/readout.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/transformer.hpp"
#include "assay/spec/dfa.hpp"
#include "assay/spec/formula.hpp"
#include "assay/spec/print.hpp"
#include "assay/spec/redeclare.hpp"
#include "assay/spec/resolve.hpp"
#include "named_files.hpp"
#include "session.hpp"
#include "spec_explain.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string in;
  std::string model;
  std::vector<std::string> saes, readouts, aps, classes;
  std::string text;
  std::string out;
};

/// Everything a spec names, read from disk.
struct Subject {
  Transformer model;
  std::optional<Tokenizer> tokenizer;
  std::map<std::string, Sae> saes;
  std::map<std::string, Readout> readouts;
};

Subject load_subject(const Options& options, const spec::Spec& spec) {
  Subject subject;
  subject.model = load_transformer(options.model);
  subject.tokenizer = load_tokenizer(options.model);
  const auto saes = named_paths(options.saes, "--sae");
  const auto readouts = named_paths(options.readouts, "--readout");
  for (const spec::Use& use : spec.uses) {
    if (use.kind == "sae") {
      subject.saes.emplace(use.name, load_sae(path_of(use, saes, options.in)));
    } else if (use.kind == "readout") {
      subject.readouts.emplace(use.name, load_readout(path_of(use, readouts, options.in)));
    }
  }
  return subject;
}

void resolve(const Options& options, Session& session) {
  spec::Spec spec = spec::parse_spec(read_file(options.in, std::size_t{1} << 21U), options.in);
  for (const std::string& declaration : options.classes) {
    spec::redeclare(spec, "class", declaration);
  }
  for (const std::string& declaration : options.aps) {
    spec::redeclare(spec, "ap", declaration);
  }
  const Subject subject = load_subject(options, spec);
  std::optional<std::vector<Document>> documents;
  spec::ResolveInput input;
  input.tokenizer = subject.tokenizer ? &*subject.tokenizer : nullptr;
  input.vocabulary = subject.model.config.d_vocab;
  input.model = subject.model.weights_digest;
  for (const auto& [name, sae] : subject.saes) {
    features::check_fits(subject.model, sae);
    input.saes[name] = &sae;
  }
  for (const auto& [name, readout] : subject.readouts) {
    input.readouts[name] = readout.digest;
  }
  nlohmann::ordered_json chosen = nlohmann::ordered_json::array();
  std::string lines;
  if (!options.text.empty() && subject.tokenizer) {
    input.best_feature = [&](const Sae& sae, const std::vector<TokenId>& ids) {
      if (!documents) {
        documents = load_corpus(options.text);
      }
      const features::BestFeature best =
          features::best_feature(subject.model, sae, *subject.tokenizer, ids, *documents, 60000);
      chosen.push_back({{"feature", best.feature.at()},
                        {"f1", best.f1},
                        {"precision", best.precision},
                        {"recall", best.recall},
                        {"tokens", best.tokens}});
      lines += "best feature " + std::to_string(best.feature.at()) + ": F1 " + fixed(best.f1, 3) +
               ", precision " + fixed(best.precision, 3) + ", recall " + fixed(best.recall, 3) +
               " on " + std::to_string(best.tokens) + " tokens of the fit split (OBSERVED)\n";
      return best.feature;
    };
  }
  const std::string text = spec::print_spec(spec::resolve(spec, options.in, input));
  write_file_atomic(options.out, text);
  session.finish(ExitCode::ok,
                 lines + "wrote " + options.out + " (sha256 " + sha256(text).hex() + ")",
                 {{"out", options.out}, {"sha256", sha256(text).hex()}, {"bestFeatures", chosen}});
}

/// What the spec says, property by property, with the size of its monitor.
void show(const Options& options, Session& session) {
  const spec::Spec spec =
      spec::parse_spec(read_file(options.in, std::size_t{1} << 21U), options.in);
  nlohmann::ordered_json properties = nlohmann::ordered_json::array();
  std::string text = "spec " + visible(spec.name) + ", version " + std::to_string(spec.version) +
                     (spec.is_resolved() ? ", resolved" : ", not resolved") + "\n";
  for (const spec::Property& property : spec.properties) {
    const spec::Dfa dfa = spec::bad_prefix_dfa(property.formula);
    const bool safety = spec::is_safety(property.formula);
    const auto doc = property.attributes.find("doc");
    const std::string why = doc == property.attributes.end() ? "" : doc->second;
    text += property.name + ": " + property.claim_text() + "\n  " +
            (safety ? "safety" : "not safety") + ", monitor of " + std::to_string(dfa.states) +
            " states" + (why.empty() ? "" : "\n  " + visible(why)) + "\n";
    properties.push_back({{"name", property.name},
                          {"claim", property.claim_text()},
                          {"formula", property.text},
                          {"safety", safety},
                          {"monitorStates", dfa.states},
                          {"doc", why}});
  }
  text.pop_back();
  session.finish(ExitCode::ok, text,
                 {{"name", spec.name},
                  {"version", spec.version},
                  {"resolved", spec.is_resolved()},
                  {"properties", properties}});
}

}  // namespace

void add_spec(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand("spec", "Resolve, show or explain a specification");
  sub->require_subcommand(1);
  sub->fallthrough();
  const auto options = std::make_shared<Options>();
  auto* resolver = sub->add_subcommand(
      "resolve", "Replace texts, regular expressions and rules by token ids, features and digests");
  resolver->add_option("spec", options->in, "The .spec file")->required();
  resolver->add_option("--model", options->model, "Model directory")->required();
  resolver->add_option("--sae", options->saes,
                       "NAME=DIR of a used dictionary (default: the path in the spec)");
  resolver->add_option("--readout", options->readouts,
                       "NAME=FILE of a used readout (default: the path in the spec)");
  resolver->add_option("--class", options->classes,
                       "NAME=CLASS in place of a class of the spec, e.g. 'tool=ids {3, 5}'");
  resolver->add_option("--ap", options->aps,
                       "NAME=ATOM in place of an ap of the spec, e.g. 'Harm=feat(S/7) >= 2'");
  resolver->add_option("--text", options->text, "Text on whose fit split best_feature chooses");
  resolver->add_option("--out", options->out, "The resolved file")->required();
  resolver->callback([options, &session] { resolve(*options, session); });
  add_spec_explain(*sub, session);
  auto* shower = sub->add_subcommand("show", "Print the properties and the size of their monitors");
  shower->add_option("spec", options->in, "The .spec file")->required();
  shower->callback([options, &session] { show(*options, session); });
}

}  // namespace assay::cli
