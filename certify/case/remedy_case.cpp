#include <algorithm>
#include <numeric>

#include "../emit/json_profile.hpp"
#include "assay/automata/emission.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/bounds/request.hpp"
#include "assay/erase/feature.hpp"
#include "assay/erase/fold.hpp"
#include "assay/features/encode.hpp"
#include "remedy.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr float kMaskedBy = 1024;            ///< nats taken from a masked token's logit
constexpr std::size_t kCentreTokens = 8000;  ///< of the fit part, for the centre of a projection
constexpr int kGridBits = 16;
constexpr const char* kRequest = "bounds.request";

bool is_same_decoder(const Repair& repair, const std::string& words, const std::string& allow) {
  return allow == repair.allow && automata::Emission::parse(words).text() ==
                                      automata::Emission::parse(repair.decoder).text();
}

/// The case's own decoder, of the fitted automaton and of claims over all contexts, is the target's.
bool is_case_decoder(const Repair& repair) {
  return repair.allow.empty() && !repair.decoder.empty() &&
         repair.file.decoder.text() == automata::Emission::parse(repair.decoder).text();
}

/// Paths of the case file, as they are read from `folder`.
class Paths {
 public:
  Paths(const Repair& repair, fs::path folder, bool portable)
      : from_(fs::absolute(repair.options.case_file).parent_path()),
        folder_(fs::absolute(folder).lexically_normal()),
        portable_(portable) {}

  [[nodiscard]] std::string of(const fs::path& path) const {
    const fs::path whole = (path.is_absolute() ? path : fs::absolute(path)).lexically_normal();
    return portable_ ? whole.lexically_relative(folder_).generic_string() : whole.string();
  }
  void move(json& object, const char* key) const {
    if (object.contains(key) && object[key].is_string()) {
      object[key] = of(from_ / object[key].get<std::string>());
    }
  }
  void move_all(json& object, const char* key) const {
    if (object.contains(key)) {
      for (auto& [name, value] : object[key].items()) {
        value = of(from_ / value.get<std::string>());
      }
    }
  }

 private:
  fs::path from_, folder_;
  bool portable_;
};

void move_paths(json& c, const Repair& repair, const Paths& paths) {
  c["model"] = paths.of(repair.file.model);
  if (!repair.file.text.empty()) {
    c["text"] = paths.of(repair.file.text);
  }
  for (const auto& [name, path] : repair.file.dictionaries) {
    c["dictionaries"][name] = paths.of(path);
  }
  for (const char* key : {"checks", "sampled"}) {
    if (c.contains(key)) {
      for (json& entry : c[key]) {
        paths.move(entry, "spec");
        paths.move(entry, "prompts");
      }
    }
  }
  if (c.contains("sites")) {
    for (json& entry : c["sites"]) {
      paths.move(entry, "readout");
    }
  }
  if (c.contains("spec")) {
    paths.move(c["spec"], "file");
  }
  if (c.contains("folded")) {
    paths.move(c["folded"], "base");
    paths.move(c["folded"], "eraser");
    paths.move_all(c["folded"], "dictionaries");
    paths.move_all(c["folded"], "readouts");
  }
}

/// What was asked over all contexts is asked again, whoever proposed it, under the decoder in force.
void ask_bounds(json& c, const Repair& repair, const Remedy& remedy, const fs::path& folder) {
  if (!repair.file.bounds) {
    return;
  }
  constexpr const char* kAsked = "bounds/asked.request";
  bounds::Request asked = bounds::parse_request(evidence_bytes(repair, kAsked), kAsked);
  if (asked.decoder && remedy.kind == Remedy::Kind::min_p && is_case_decoder(repair)) {
    asked.decoder->min_p = remedy.min_p;
  }
  write_file_atomic(folder / kRequest,
                    bounds::make_request(asked.decoder, asked.claims,
                                         {"as asked in the certificate that this one follows"})
                        .text);
  json b = {{"request", kRequest}};
  if (!repair.file.bounds->dictionary.empty()) {
    b["dictionary"] = repair.file.bounds->dictionary;
  }
  c["bounds"] = b;
}

void set_decoder(json& c, const Repair& repair, const Remedy& remedy) {
  const std::size_t vocabulary = repair.subject.model.config.d_vocab;
  for (const char* key : {"checks", "sampled"}) {
    if (!c.contains(key)) {
      continue;
    }
    for (json& entry : c[key]) {
      const std::string words = entry["decoder"].get<std::string>();
      if (!is_same_decoder(repair, words, entry.value("allow", ""))) {
        continue;
      }
      if (remedy.kind == Remedy::Kind::min_p) {
        entry["decoder"] = with_min_p(words, remedy.min_p);
      } else {
        entry["allow"] = "before:" + all_but(remedy.tokens, vocabulary);
      }
    }
  }
  if (remedy.kind == Remedy::Kind::min_p && is_case_decoder(repair)) {
    const Decoder& d = repair.file.decoder;
    c["decoder"] = {{"minP", remedy.min_p.text()},
                    {"temperature", d.temperature.text()},
                    {"order", d.order == TemperatureOrder::before ? "before" : "after"}};
  }
}

void save_model(const Repair& repair, const Transformer& model, const fs::path& folder) {
  save_transformer(folder, model);
  write_file_atomic(folder / "tokenizer.json", read_file(repair.file.model / "tokenizer.json"));
}

void mask_in_weights(json& c, const Repair& repair, const Remedy& remedy, const fs::path& folder) {
  Transformer model = repair.subject.model;
  for (const TokenId token : remedy.tokens) {
    model.b_U.data.at(token.at()) -= kMaskedBy;
  }
  save_model(repair, model, folder / "model");
  c["model"] = (folder / "model").string();
}

std::vector<double> centre_of(const Subject& s, const Sae& sae) {
  const auto sequences =
      features::part_sequences(s.model, s.tokenizer, s.documents, Part::fit, kCentreTokens);
  std::vector<double> sum(sae.d_in, 0.0);
  std::size_t n = 0;
  const std::string hooks[] = {sae.hook_name};
  for (const auto& tokens : sequences) {
    const Matrix x = forward(s.model, tokens, hooks).hooks.at(sae.hook_name);
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

/// "digit/probe" in a file of its own.
std::string plain(std::string source) {
  std::replace(source.begin(), source.end(), '/', '-');
  return source;
}

/// Every probe that a specification of the case reads, as it was in the old certificate.
void keep_readouts(json& c, const Repair& repair, const fs::path& folder, const Paths& paths) {
  std::vector<const SpecCase*> specs;
  if (repair.file.spec) {
    specs.push_back(&*repair.file.spec);
  }
  for (const CheckCase& check : repair.file.checks) {
    specs.push_back(&check.spec);
  }
  for (const SpecCase* spec : specs) {
    for (const auto& [use, source] : spec->readouts) {
      const auto probe = repair.probes.find(source);
      if (probe == repair.probes.end()) {
        throw Error(ExitCode::unknown, "readout " + visible(use) + " is not among the evidence");
      }
      make_directory(folder / "readouts");
      const fs::path file = folder / "readouts" / (plain(source) + ".json");
      save_readout(file, probe->second);
      c["folded"]["readouts"][source] = paths.of(file);
    }
  }
}

void project(json& c, const Repair& repair, const Remedy& remedy, const fs::path& folder,
             const Paths& paths) {
  const Subject& s = repair.subject;
  const Sae& sae = s.dictionaries.at(remedy.dictionary);
  const auto p = erase::project_features(sae, {remedy.feature}, centre_of(s, sae), kGridBits);
  erase::EraserOrigin origin;
  origin.model_weights = s.model.weights_digest;
  origin.labelled = "feature " + std::to_string(remedy.feature) + " of " + remedy.dictionary;
  make_directory(folder / "eraser");
  write_file_atomic(folder / "eraser" / "eraser.json", erase::eraser_json(p.eraser, origin));
  write_file_atomic(folder / "eraser" / "eraser.safetensors", erase::eraser_tensors(p.eraser));
  const erase::Fold fold = erase::fold(s.model, p.eraser);
  save_model(repair, fold.model, folder / "model");
  c["folded"] = {{"base", paths.of(repair.file.model)}, {"eraser", paths.of(folder / "eraser")}};
  c["model"] = paths.of(folder / "model");
  for (const auto& [name, dictionary] : s.dictionaries) {
    save_sae(folder / "sae" / name, erase::fold_sae(fold, dictionary));
    c["folded"]["dictionaries"][name] = paths.of(repair.file.dictionaries.at(name));
    c["dictionaries"][name] = paths.of(folder / "sae" / name);
  }
  keep_readouts(c, repair, folder, paths);
}

/// What the certificate is about now, and what it follows.
void set_identity(json& c, const Repair& repair, const Remedy& remedy, const Paths& paths) {
  const CertificateInfo& old = repair.old.certificate;
  const std::string words = remedy_words(repair, remedy);
  c["serial"] = repair.options.serial.empty() ? next_serial(old.serial) : repair.options.serial;
  c["previous"] = paths.of(repair.options.original.certificate);
  if (old.sequence > 0) {
    c["sequence"] = old.sequence + 1;
  }
  c["scope"] = old.scope + (old.scope.empty() ? "" : " ") + "Changed after serial " + old.serial +
               ": " + words + ".";
  c["notClaimed"].push_back(
      "That the change (" + words + ") is the least that makes '" + repair.target.id +
      "' hold: it is the cheapest of those that were tried, by cross-entropy on the case's text.");
  c["notClaimed"].push_back("Anything about the model and decoder before that change.");
}

}  // namespace

const char* kind_name(Remedy::Kind kind) {
  switch (kind) {
    case Remedy::Kind::min_p:
      return "min-p";
    case Remedy::Kind::mask:
      return "mask";
    case Remedy::Kind::mask_in_weights:
      return "mask in weights";
    default:
      return "project";
  }
}

std::string evidence_bytes(const Repair& repair, const std::string& name) {
  const auto& list = repair.old.evidence;
  const auto entry =
      std::find_if(list.begin(), list.end(), [&](const Evidence& e) { return e.name == name; });
  if (entry == list.end()) {
    throw Error(ExitCode::evidence, "the certificate lists no evidence '" + visible(name) + "'");
  }
  const VerifyOptions& o = repair.options.original;
  const fs::path folder =
      o.evidence_dir.empty() ? o.certificate.parent_path() / "evidence" : o.evidence_dir;
  std::string bytes = read_file(folder / name);
  if (sha256(bytes) != entry->sha256) {
    throw Error(ExitCode::evidence, "evidence '" + visible(name) + "' is not what was signed");
  }
  return bytes;
}

std::string question_of(const std::string& resolved_spec) {
  std::string out;
  for (const std::string& line : split(resolved_spec, '\n')) {
    const std::size_t at = line.starts_with("use ") ? line.find(" sha256 ") : std::string::npos;
    out += (at == std::string::npos ? line : line.substr(0, at) + ";") + "\n";
  }
  return out;
}

std::string with_min_p(const std::string& words, const Rational& min_p) {
  std::vector<std::string> parts = split(words, ':');
  require(parts.size() >= 2 && parts[0] == "min-p", "with_min_p: another decoder");
  parts[1] = min_p.text();
  std::string out = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    out += ":" + parts[i];
  }
  return out;
}

std::string all_but(const std::vector<TokenId>& tokens, std::size_t vocabulary) {
  std::string out;
  std::size_t from = 0;
  const auto add = [&](std::size_t end) {  // from..end-1 is allowed
    if (from < end) {
      out += (out.empty() ? "" : ",") + std::to_string(from) +
             (end - from > 1 ? "-" + std::to_string(end - 1) : "");
    }
  };
  for (const TokenId token : tokens) {
    add(token.at());
    from = token.at() + 1;
  }
  add(vocabulary);
  require(!out.empty(), "all_but: no token is left");
  return out;
}

std::string next_serial(const std::string& serial) {
  const bool number = !serial.empty() && serial.size() < 18 &&
                      serial.find_first_not_of("0123456789") == std::string::npos;
  return number ? std::to_string(parse_unsigned(serial, "serial") + 1) : serial + ".1";
}

std::string obstacle(const Repair& repair, Remedy::Kind kind) {
  const CaseFile& f = repair.file;
  if (kind == Remedy::Kind::min_p) {
    return repair.decoder.starts_with("min-p:") ? "" : "the claim is about no min-p decoder";
  }
  if (kind == Remedy::Kind::mask) {
    if (repair.check.empty()) {
      return "the claim is about no decoder that takes an allow-list";
    }
    if (!repair.allow.empty()) {
      return "the decoder has an allow-list already";
    }
    return is_case_decoder(repair) && (f.automaton || f.bounds)
               ? "the fitted automaton and the claims over all contexts take no allow-list"
               : "";
  }
  if (f.folded) {
    return "the model is a folded one: its weights are what its eraser makes of the base model's";
  }
  if (kind == Remedy::Kind::project && repair.subject.documents.empty()) {
    return "a projection is centred on the case's text, and there is none";
  }
  return "";
}

std::string remedy_words(const Repair& repair, const Remedy& remedy) {
  if (remedy.kind == Remedy::Kind::min_p) {
    return "min-p raised from " + parse_rational(split(repair.decoder, ':').at(1)).text() + " to " +
           remedy.min_p.text();
  }
  if (remedy.kind == Remedy::Kind::project) {
    const Sae& sae = repair.subject.dictionaries.at(remedy.dictionary);
    return "feature " + std::to_string(remedy.feature) + " of " + remedy.dictionary +
           " projected out of " + sae.hook_name + ", folded into the weights";
  }
  std::string out = remedy.tokens.size() > 1 ? "tokens" : "token";
  for (const TokenId token : remedy.tokens) {
    out += " '" + visible(repair.subject.tokenizer.text(token)) + "' (id " +
           std::to_string(token.at()) + ")";
  }
  return out + (remedy.kind == Remedy::Kind::mask
                    ? " masked by the decoder's allow-list"
                    : " masked in the weights (output bias lowered by 1024)");
}

CaseFile remedied_case(const Repair& repair, const Remedy& remedy, const fs::path& folder,
                       bool portable) {
  make_directory(folder);
  const Paths paths(repair, folder, portable);
  json c = json::parse(repair.file.bytes);
  move_paths(c, repair, paths);
  ask_bounds(c, repair, remedy, folder);
  if (remedy.kind == Remedy::Kind::min_p || remedy.kind == Remedy::Kind::mask) {
    set_decoder(c, repair, remedy);
  } else if (remedy.kind == Remedy::Kind::mask_in_weights) {
    mask_in_weights(c, repair, remedy, folder);
    c["model"] = paths.of(folder / "model");
  } else {
    project(c, repair, remedy, folder, paths);
  }
  set_identity(c, repair, remedy, paths);
  const fs::path file = folder / "case.json";
  const std::string bytes = c.dump(1) + "\n";
  write_file_atomic(file, bytes);
  return parse_case(bytes, file);
}

}  // namespace assay::certify
