#include "assay/bounds/prove.hpp"

#include <filesystem>
#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/bounds/bound.hpp"
#include "assay/bounds/suggest.hpp"
#include "model_files.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string model, sae, request, out, text, result;
  std::string min_p = "1/10", temperature = "1", order = "after";
  std::size_t suggest = 0;
  std::size_t known = 3;
  bool honest = false;
};

/// What the files named on the command line hold.
struct Inputs {
  ModelFiles files;
  TextParts text;
  bounds::AttackText attack;

  explicit Inputs(const Options& o)
      : files(o.model, o.sae), text(o.text, files.tokenizer, o.model) {
    attack.documents = text.held_out.empty() ? text.fit : text.held_out;
    attack.tokenizer = files.tokenizer ? &*files.tokenizer : nullptr;
  }
  Inputs(const Inputs&) = delete;
  Inputs& operator=(const Inputs&) = delete;
};

ordered_json number(std::optional<double> x) {
  return x ? ordered_json(*x) : ordered_json(nullptr);
}

ordered_json claim_json(const bounds::ClaimResult& r) {
  ordered_json o;
  o["id"] = r.claim.id;
  o["kind"] = bounds::name(r.claim.kind);
  o["text"] = r.text;
  o["level"] = r.status == bounds::Status::holds ? "PROVED" : "";
  o["status"] = bounds::name(r.status);
  o["bound"] = number(r.bound);
  o["attack"] = number(r.attack);
  o["threshold"] = number(r.threshold);
  o["gap"] = r.bound && r.attack ? ordered_json(*r.bound - *r.attack) : ordered_json(nullptr);
  if (r.attack) {
    o["attackEnclosure"] = {r.attack_enclosure.lo, r.attack_enclosure.hi};
  }
  ordered_json context = ordered_json::array();
  for (const TokenId t : r.context) {
    context.push_back(t.value);
  }
  o["context"] = context;
  o["contextText"] = r.context_text;
  o["rule"] = r.rule;
  o["reason"] = r.reason;
  return o;
}

ordered_json claims_json(const std::vector<bounds::ClaimResult>& results) {
  ordered_json all = ordered_json::array();
  for (const bounds::ClaimResult& r : results) {
    all.push_back(claim_json(r));
  }
  return all;
}

/// FEATURE-OFF with bound + E <= threshold: off in every float32 evaluation too (FLOAT32-ANY-ORDER).
/// Adds float32_error and float32_holds to such claims; says how many.
std::string add_float32(const ModelFiles& in, const std::vector<bounds::ClaimResult>& results,
                        ordered_json& claims) {
  std::size_t off = 0, survive = 0;
  std::optional<bounds::Bounder> bounder;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const bounds::ClaimResult& r = results[i];
    if (r.status != bounds::Status::holds || r.claim.kind != bounds::ClaimKind::feature_off) {
      continue;
    }
    if (!bounder) {
      bounder.emplace(in.model, &*in.sae);
    }
    std::vector<std::uint32_t> suffix;
    for (const TokenId t : r.claim.suffix) {
      suffix.push_back(t.value);
    }
    bounds::Quantity q;
    q.kind = bounds::QuantityKind::feature;
    q.index = r.claim.target;
    const bounds::FloatError e =
        bounder->float_error(bounds::any_length_domain(in.model, suffix), q, {});
    const bool holds = e.is_known() && round_up(r.bound.value() + e.error) <= r.threshold.value();
    claims[i]["float32_error"] = e.is_known() ? ordered_json(e.error) : ordered_json(nullptr);
    claims[i]["float32_holds"] = holds;
    ++off;
    survive += holds ? 1 : 0;
  }
  return off == 0
             ? ""
             : "\n" + std::to_string(survive) + " of " + std::to_string(off) +
                   " proved feature-off claims have a margin above the float32 error: they hold "
                   "FLOAT32-ANY-ORDER too (docs/theorems.md)";
}

void write_result(const Options& o, const ordered_json& object) {
  if (!o.result.empty()) {
    write_file_atomic(o.result,
                      object.dump(1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n");
  }
}

void run_prove(const Options& o, Session& session) {
  if (o.request.empty() || o.out.empty()) {
    throw UsageError(
        "prove: --request FILE and --out CERT are required (or --suggest N --out FILE)");
  }
  const Inputs in(o);
  const bounds::Request request = bounds::load_request(o.request);
  const bounds::ProofRun run =
      bounds::prove(in.files.model, in.files.sae_or_null(), request, in.attack);
  std::string note;
  std::error_code ignored;
  std::filesystem::remove(o.out + ".request", ignored);  // never leave one of an earlier run
  if (run.certificate.empty()) {
    std::filesystem::remove(o.out, ignored);
    note = "no claim is proved: no certificate";
  } else {
    write_file_atomic(o.out, run.certificate);
    note = "certificate: " + o.out;
    if (run.is_reduced) {
      write_file_atomic(o.out + ".request", run.statement.text);
      note += "\nof the proved claims alone: " + o.out + ".request";
    }
  }
  ordered_json object{
      {"assay-prove", 1}, {"request", o.request}, {"statement", run.statement.digest.hex()}};
  object["certificate"] = run.certificate.empty() ? ordered_json(nullptr) : ordered_json(o.out);
  object["reduced"] = run.is_reduced;
  object["semantics"] = "REAL";
  object["claims"] = claims_json(run.results);
  note = "semantics: REAL (exact arithmetic on the stored weights)" +
         add_float32(in.files, run.results, object["claims"]) + "\n" + note;
  write_result(o, object);
  const ExitCode code = run.count(bounds::Status::violated) > 0  ? ExitCode::violated
                        : run.count(bounds::Status::unknown) > 0 ? ExitCode::unknown
                                                                 : ExitCode::ok;
  session.finish(code, bounds::results_table(run) + "\n" + note, object);
}

void run_suggest(const Options& o, Session& session) {
  if (o.text.empty() || o.out.empty()) {
    throw UsageError("prove --suggest: --text PATH and --out REQUEST are required");
  }
  const Inputs in(o);
  bounds::SuggestOptions options;
  options.claims = o.suggest;
  options.known = o.known;
  options.honest = o.honest;
  options.decoder = make_decoder(o.min_p, o.temperature, o.order);
  const auto& held_out = in.text.held_out.empty() ? in.text.fit : in.text.held_out;
  const auto& fit = in.text.fit.empty() ? in.text.held_out : in.text.fit;
  const bounds::Suggestion suggestion =
      bounds::suggest(in.files.model, in.files.sae_or_null(), fit, held_out, in.attack, options);
  write_file_atomic(o.out, suggestion.request.text);
  ordered_json object{{"assay-prove-suggest", 1}, {"request", o.out}};
  object["claims"] = claims_json(suggestion.results);
  write_result(o, object);
  bounds::ProofRun shown;
  shown.results = suggestion.results;
  session.finish(ExitCode::ok, bounds::results_table(shown) + "\nrequest: " + o.out, object);
}

}  // namespace

void add_prove(CLI::App& app, Session& session) {
  auto* sub =
      app.add_subcommand("prove", "Prove claims over all contexts and write their certificate");
  auto o = std::make_shared<Options>();
  sub->add_option("--model", o->model, "Model directory")
      ->required()
      ->check(CLI::ExistingDirectory);
  sub->add_option("--sae", o->sae, "SAE or transcoder directory (for feature-off claims)")
      ->check(CLI::ExistingDirectory);
  sub->add_option("--request", o->request, "Request file: the claims")->check(CLI::ExistingFile);
  sub->add_option("--out", o->out, "Certificate to write (with --suggest: the request)");
  sub->add_option("--text", o->text,
                  "Text file or directory: contexts for attacks, data for --suggest")
      ->check(CLI::ExistingPath);
  sub->add_option("--result", o->result, "Write the result table as JSON to this file too");
  sub->add_option("--suggest", o->suggest, "Propose N provable claims of each kind from the text");
  sub->add_option("--known", o->known, "Known last tokens of a proposed claim (default 3)");
  sub->add_flag("--honest", o->honest, "Propose one more claim that does not hold, if met");
  sub->add_option("--min-p", o->min_p, "min-p of the proposed decoder (default 1/10)");
  sub->add_option("--temperature", o->temperature,
                  "Temperature of the proposed decoder (default 1)");
  sub->add_option("--order", o->order, "Temperature before or after the min-p cut (default after)");
  sub->callback([o, &session] {
    if (o->suggest > 0) {
      run_suggest(*o, session);
    } else {
      run_prove(*o, session);
    }
  });
}

}  // namespace assay::cli
