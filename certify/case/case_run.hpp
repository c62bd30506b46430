#pragma once

#include <map>
#include <string>
#include <vector>

#include "assay/automata/fit.hpp"
#include "assay/certify/bundle.hpp"
#include "assay/certify/case.hpp"
#include "assay/certify/exhibits.hpp"
#include "assay/model/corpus.hpp"
#include "assay/model/readout.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/tokenizer.hpp"
#include "assay/model/transformer.hpp"
#include "assay/spec/spec.hpp"
#include "assay/verify/check.hpp"

namespace assay::certify {

/// Everything that the case names, read once. A case about normalised sites alone reads no model here (of any
/// depth), and one that needs no text may have none.
struct Subject {
  Transformer model;
  Tokenizer tokenizer;
  std::vector<Document> documents;
  std::map<std::string, Sae> dictionaries;
};

/// Reads what the case names. Throws UsageError, InputError.
[[nodiscard]] Subject load_subject(const CaseFile& file);

/// One run of a case: the statement grows, evidence files appear beside it.
struct CaseRun {
  const CaseFile& file;
  const Subject& subject;
  BundlePaths paths;
  std::filesystem::path checker;
  Statement statement;
  std::map<std::string, Readout> probes;  ///< by "CONCEPT/probe", left by the erasures
  /// What best_feature chose, by dictionary and token ids; one choice for base and folded model.
  std::map<std::pair<std::string, std::vector<TokenId>>, FeatureId> chosen = {};
};

/// Folder of a dictionary among the evidence.
[[nodiscard]] std::string dictionary_folder(const std::string& name);

/// Lets `assay-check` accept the proof; throws Error(ExitCode::evidence) when it does not.
[[nodiscard]] CheckerRun require_accepted(const CaseRun& run, const std::string& certificate,
                                          const std::vector<CheckInput>& inputs);
/// `attach_recheck`, or Error(ExitCode::evidence) when the checker accepted nothing of that id.
void require_recheck(Claim& claim, const CheckerRun& checked, const std::string& accepts,
                     const std::string& certificate, const std::vector<CheckInput>& inputs);

// A specification of the case and what it reads; `folder` is its place among the evidence.
/// Names to ids and digests, before anything is run: the resolved file is what is certified.
[[nodiscard]] spec::Spec resolve_spec(CaseRun& run, const SpecCase& spec,
                                      const std::string& folder);
/// By name. @pre the engine that answered with this name read it from the spec.
[[nodiscard]] const spec::Property& property_of(const spec::Spec& spec, const std::string& name);
/// The probe that a `use readout` means, by the case's table.
[[nodiscard]] const Readout& probe_of(const CaseRun& run, const SpecCase& spec,
                                      const std::string& use);
/// Dictionaries and probes of the resolved spec, by `use` name.
void name_sources(const CaseRun& run, const SpecCase& spec, const spec::Spec& resolved,
                  verify::CheckInput& input);
/// What the checker reads beside the certificate: the resolved spec, dictionaries and readouts.
[[nodiscard]] std::vector<CheckInput> proof_inputs(CaseRun& run, const SpecCase& spec,
                                                   const spec::Spec& resolved,
                                                   const std::string& folder);
/// The property's sentence and automaton among the evidence of a claim.
void add_property(CaseRun& run, Claim& claim, const spec::Spec& spec,
                  const spec::Property& property);
/// A replayed run, step by step, as the claim's counterexample; its last `loop` tokens come again for ever. @pre the input has a tokenizer.
void add_run(CaseRun& run, Claim& claim, const verify::CheckInput& input,
             const spec::Property& property, const std::vector<TokenId>& prompt,
             const verify::Violated& violated, std::size_t loop = 0);

/// Assumption ids that claims name; `assumptions` lists them all.
inline constexpr const char* kReal = "A1";
inline constexpr const char* kTokens = "A2";
inline constexpr const char* kDecoder = "A3";
inline constexpr const char* kRows = "A4";
inline constexpr const char* kDraws = "A5";

/// Of the claims that add_check_claims makes.
[[nodiscard]] bool is_check_kind(const std::string& kind);
/// Of the claims that add_erasures and add_folded make.
[[nodiscard]] bool is_erasure_kind(const std::string& kind);

// The stages, in the order in which they run. Each adds claims, evidence and figures.
void add_folded(CaseRun& run);        ///< the base model's claims; fold, residuals and cost
void add_folded_table(CaseRun& run);  ///< each property before and after; claims are in order
void add_dictionaries(CaseRun& run);
void add_erasures(CaseRun& run);          ///< erasure claims; leaves the probes
void add_automaton_claims(CaseRun& run);  ///< resolves the spec, fits, checks
void add_bound_claims(CaseRun& run);
void add_check_claims(CaseRun& run);    ///< specs on every run of the model
void add_sampled_claims(CaseRun& run);  ///< rates over independently drawn runs
void add_site_claims(CaseRun& run);     ///< normalised sites, at any depth
void add_figures(CaseRun& run);         ///< metrics, training record, materials, environment
/// Cards of features that are plain to read, for the report.
void add_cards(CaseRun& run, const automata::FitResult& fit);

}  // namespace assay::certify
