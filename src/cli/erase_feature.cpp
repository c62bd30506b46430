#include "erase_feature.hpp"

#include <cmath>
#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/erase/feature.hpp"
#include "assay/erase/feature_leak.hpp"
#include "assay/erase/fold_claims.hpp"
#include "assay/features/encode.hpp"
#include "erase_json.hpp"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;
using Action = erase::FeatureAction;

struct Options {
  std::string model, sae, text, out;
  std::vector<std::size_t> features;
  ConceptOptions labels;
  double clamp = 0;
  std::size_t tokens = 8000;
  std::uint64_t seed = 1;
  int grid_bits = 16;
};

struct Subject {
  Transformer model;
  Sae sae;
  Tokenizer tokenizer;
  std::vector<Document> documents;
  std::optional<erase::Concept> labelled;
};

/// Mean of the site over the fit part.
std::vector<double> centre_of(const Options& o, const Subject& s) {
  const auto sequences =
      features::part_sequences(s.model, s.tokenizer, s.documents, Part::fit, o.tokens);
  std::vector<double> sum(s.sae.d_in, 0.0);
  std::size_t n = 0;
  const std::string hooks[] = {s.sae.hook_name};
  for (const auto& tokens : sequences) {
    const Matrix x = forward(s.model, tokens, hooks).hooks.at(s.sae.hook_name);
    for (std::size_t r = 0; r < x.rows; ++r, ++n) {
      for (std::size_t i = 0; i < x.cols; ++i) {
        sum[i] += x.at(r, i);
      }
    }
  }
  for (double& value : sum) {
    value /= static_cast<double>(n);
  }
  return sum;
}

std::vector<Action> actions_of(double clamp) {
  using Kind = Action::Kind;
  std::vector<Action> out = {{Kind::keep, 0, true, "before"},
                             {Kind::set, 0, true, "ablate, error kept"},
                             {Kind::set, 0, false, "ablate, error dropped"}};
  if (clamp != 0) {
    out.push_back({Kind::set, clamp, true, "clamp, error kept"});
  }
  out.push_back({Kind::project, 0, true, "project out"});
  return out;
}

Json number(double value) {
  return std::isnan(value) ? Json() : Json(value);
}

Json study_json(const erase::FeatureStudy& study) {
  Json leaks = Json::array(), aligned = Json::array();
  for (const auto& l : study.leaks) {
    leaks.push_back({{"action", l.action},
                     {"selectedFeatures", number(l.selected)},
                     {"otherFeatures", number(l.others)},
                     {"reconstruction", number(l.reconstruction)},
                     {"reconstructionError", number(l.error)},
                     {"outputSite", number(l.output)},
                     {"siteRead", number(l.site)},
                     {"rowsWhereASelectedFeatureIsOn", l.fires}});
  }
  for (const auto& a : study.aligned) {
    aligned.push_back({{"feature", a.feature},
                       {"correlation", a.correlation},
                       {"behindTheProjection", a.after},
                       {"encoderCosine", a.cosine}});
  }
  return {{"level", "OBSERVED"},
          {"measure", "largest R^2 of an affine predictor of the label on these rows, in double"},
          {"rows", study.rows},
          {"positive", study.positive},
          {"where", leaks},
          {"alignedFeatures", aligned}};
}

std::string cell(double value) {
  std::string text = std::isnan(value) ? "-" : fixed(value, 4);
  text.resize(std::max<std::size_t>(10, text.size()), ' ');
  return text;
}

std::string study_table(const erase::FeatureStudy& study) {
  std::string text =
      "where the concept is still read (OBSERVED: largest R^2 of an affine predictor, " +
      std::to_string(study.rows) + " calibration rows, " + std::to_string(study.positive) +
      " positive)\n  action                  selected  others    rebuilt   error     output    "
      "site read fires\n";
  for (const auto& l : study.leaks) {
    std::string name = "  " + l.action;
    name.resize(std::max<std::size_t>(26, name.size()), ' ');
    text += name + cell(l.selected) + cell(l.others) + cell(l.reconstruction) + cell(l.error) +
            cell(l.output) + cell(l.site) + std::to_string(l.fires) + "\n";
  }
  text += "  other features that go along with it (correlation, behind the projection):";
  for (const auto& a : study.aligned) {
    text += " " + std::to_string(a.feature) + " (" + fixed(a.correlation, 2) + ", " +
            fixed(a.after, 2) + ")";
  }
  return text + "\n";
}

/// Every feature in real arithmetic and, where it is shown, as deployed; the range that this takes.
erase::InsideClaims inside_claims(const Subject& s, const erase::FeatureProjection& p, Json& out,
                                  std::string& table) {
  erase::InsideClaims claims;
  const bool mid = p.eraser.hook == kHookResidMid;
  const auto proved = mid ? erase::site_range(s.model) : std::nullopt;
  const Rational range = proved ? *proved : Rational{1024, 1};
  if (proved) {
    claims.site_range("range", range);
  }
  out = Json::array();
  for (std::size_t k = 0; k < p.features.size(); ++k) {
    const std::size_t f = p.features[k];
    const std::string id = "feature-" + std::to_string(f);
    const double bound = erase::deployed_bound(s.sae, p.eraser, f, range.nearest());
    const bool deployed = bound <= p.thresholds[k];
    claims.never_fires(id + "-real", f, std::nullopt);
    if (deployed) {
      claims.never_fires(id + "-deployed", f, range);
    }
    out.push_back({{"feature", f},
                   {"preActivation", p.constants[k]},
                   {"threshold", p.thresholds[k]},
                   {"real", {{"level", "PROVED"}, {"domain", "every input of the site"}}},
                   {"deployed",
                    {{"level", deployed ? "PROVED" : "UNKNOWN"},
                     {"domain", "inputs with every coordinate at most " + range.text()},
                     {"rangeProvedForEveryContext", proved.has_value()},
                     {"preActivationBound", bound}}}});
    table += "feature " + std::to_string(f) + " never fires: PROVED for every input (real " +
             "arithmetic: pre-activation " + fixed(p.constants[k], 4) + ", threshold " +
             fixed(p.thresholds[k], 4) + "); as deployed " + (deployed ? "PROVED" : "UNKNOWN") +
             " for coordinates up to " + range.text() +
             (proved ? ", which every context keeps (PROVED)"
                     : ", a range that is stated and not proved") +
             " (bound " + fixed(bound, 6) + ")\n";
  }
  return claims;
}

Json costs(const Options& o, const Subject& s, const erase::FeatureProjection& p,
           std::string& table) {
  const auto sequences =
      features::part_sequences(s.model, s.tokenizer, s.documents, Part::held_out, o.tokens);
  Json out = Json::array();
  for (const Action& action : actions_of(o.clamp)) {
    if (action.kind == Action::Kind::keep) {
      continue;
    }
    const auto change = erase::measure_change(
        sequences, [&](const auto& tokens) { return forward(s.model, tokens).logits; },
        [&](const auto& tokens) {
          return erase::logits_under(s.model, s.sae, p.features, p.eraser, action, tokens);
        });
    Json row = change_json(change);
    row["action"] = action.name;
    out.push_back(row);
    table += "cost of '" + action.name + "' on held-out text (OBSERVED)\n" + change_table(change);
  }
  return out;
}

Json not_claimed() {
  return Json::array(
      {"that a concept is gone because a feature is off: other features, the reconstruction error "
       "and paths around the site may carry it; the table says how much of it they do",
       "anything about ablating or clamping for all inputs: those lines are OBSERVED",
       "that ablating with the error kept erases: what the dictionary does not rebuild is added "
       "back",
       "as deployed, anything about inputs outside the stated range",
       "that the dictionary's own arithmetic is exact: its pre-activation is taken in real "
       "arithmetic"});
}

void run(const Options& o, Session& session) {
  Subject s{load_transformer(o.model), load_sae(o.sae),
            Tokenizer::load(std::filesystem::path(o.model) / "tokenizer.json"), load_corpus(o.text),
            given_concept(o.labels)};
  features::check_fits(s.model, s.sae);
  const auto p = erase::project_features(s.sae, o.features, centre_of(o, s), o.grid_bits);
  const std::string config = erase::eraser_json(
      p.eraser,
      {.model_weights = s.model.weights_digest,
       .labelled = s.labelled ? s.labelled->name : "",
       .labelling_rule = s.labelled ? std::optional(s.labelled->digest()) : std::nullopt});
  const std::string weights = erase::eraser_tensors(p.eraser);
  Json object = {{"assay-erase-feature", 1},
                 {"model", s.model.weights_digest.hex()},
                 {"sae", s.sae.weights_digest.hex()},
                 {"hook", p.eraser.hook},
                 {"bypass", erase::bypass_text(p.eraser.hook)}};
  std::string table;
  const erase::InsideClaims inside = inside_claims(s, p, object["neverFires"], table);
  erase::SiteResiduals residuals;
  if (s.labelled) {
    residuals = erase::site_residuals(
        {s.model, s.tokenizer, s.documents, *s.labelled, o.tokens, o.seed}, p.eraser);
    object["everyAffineReading"] = residuals_json(residuals);
    table +=
        "what any affine reading of the projected site, so any pre-activation, still finds of '" +
        s.labelled->name + "':\n" + residuals_table(residuals);
    const erase::LabelledText text = erase::label_text(*s.labelled, s.documents, s.documents);
    const auto study = erase::study_features(
        s.model, s.tokenizer, s.sae, p.features, p.eraser, actions_of(o.clamp), text,
        erase::choose_windows(text, Part::calibration, s.model, o.tokens, o.seed));
    object["where"] = study_json(study);
    table += study_table(study);
  }
  object["cost"] = costs(o, s, p, table);
  object["notClaimed"] = not_claimed();
  std::vector<const erase::ResidualClaim*> claims;
  for (const auto& claim : residuals.claims) {
    claims.push_back(&claim);
  }
  const auto [request, certificate] = erase::inside_certificate(
      inside, claims, {s.model.config_digest, s.model.weights_digest},
      std::pair(s.sae.config_digest, s.sae.weights_digest), sha256(config), sha256(weights));
  const std::filesystem::path out = o.out;
  make_directory(out);
  std::vector<std::pair<std::string, std::string>> files = std::move(residuals.files);
  files.insert(files.end(), {{"eraser.json", config},
                             {"eraser.safetensors", weights},
                             {"erasure.request", request},
                             {"erasure.cert", certificate},
                             {"feature.json", object.dump(1) + "\n"}});
  for (const auto& [name, bytes] : files) {
    write_file_atomic(out / name, bytes);
  }
  for (const auto& line : object["notClaimed"]) {
    table += "not claimed: " + line.get<std::string>() + "\n";
  }
  object["out"] = o.out;
  session.finish(ExitCode::ok, table + "written to " + o.out, std::move(object));
}

}  // namespace

void add_erase_feature(CLI::App& erase, Session& session) {
  const auto options = std::make_shared<Options>();
  Options& o = *options;
  auto* sub = erase.add_subcommand(
      "feature",
      "Project features of a dictionary out of the site it reads, prove that they never fire, and "
      "measure where a concept stays beside ablating and clamping them");
  sub->add_option("--model", o.model, "Model directory with tokenizer.json")->required();
  sub->add_option("--sae", o.sae, "SAE or transcoder directory")->required();
  sub->add_option("--feature", o.features, "Feature; may be repeated")->required();
  sub->add_option("--text", o.text, "Text file or directory of documents")->required();
  sub->add_option("--out", o.out, "Directory for eraser, claims and certificate")->required();
  add_concept(sub, o.labels, "whose traces are measured");
  sub->add_option("--clamp", o.clamp, "Also measure setting the features to this value");
  sub->add_option("--max-tokens", o.tokens, "Rows of each part, at most (default 8000)");
  sub->add_option("--seed", o.seed, "Seed of the choice of windows (default 1)");
  sub->add_option("--grid-bits", o.grid_bits, "Output grid 2^-N, 6 to 24 (default 16)")
      ->check(CLI::Range(6, 24));
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
