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

namespace assay::certify {

/// Everything that the case names, read once.
struct Subject {
  Transformer model;
  Tokenizer tokenizer;
  std::vector<Document> documents;
  std::map<std::string, Sae> dictionaries;
};

/// One run of a case: the statement grows, evidence files appear beside it.
struct CaseRun {
  const CaseFile& file;
  const Subject& subject;
  BundlePaths paths;
  std::filesystem::path checker;
  Statement statement;
  std::map<std::string, Readout> probes;  ///< by "CONCEPT/probe", left by the erasures
};

/// Folder of a dictionary among the evidence.
[[nodiscard]] std::string dictionary_folder(const std::string& name);

/// Lets `assay-check` accept the proof; throws Error(ExitCode::evidence) when it does not.
[[nodiscard]] CheckerRun require_accepted(const CaseRun& run, const std::string& certificate,
                                          const std::vector<CheckInput>& inputs);
/// `attach_recheck`, or Error(ExitCode::evidence) when the checker accepted nothing of that id.
void require_recheck(Claim& claim, const CheckerRun& checked, const std::string& accepts,
                     const std::string& certificate, const std::vector<CheckInput>& inputs);

/// Assumption ids that claims name; `assumptions` lists them all.
inline constexpr const char* kReal = "A1";
inline constexpr const char* kTokens = "A2";
inline constexpr const char* kDecoder = "A3";
inline constexpr const char* kRows = "A4";

// The stages, in the order in which they run. Each adds claims, evidence and figures.
void add_dictionaries(CaseRun& run);
void add_erasures(CaseRun& run);          ///< erasure claims; leaves the probes
void add_automaton_claims(CaseRun& run);  ///< resolves the spec, fits, checks
void add_bound_claims(CaseRun& run);
void add_figures(CaseRun& run);  ///< metrics, training record, materials, environment
/// Cards of the features that name the automaton's states, and of those that claims speak of.
void add_cards(CaseRun& run, const automata::FitResult& fit);

}  // namespace assay::certify
