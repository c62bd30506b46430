#pragma once

#include <optional>
#include <string>

#include "assay/verify/exact_state.hpp"
#include "assay/verify/refined.hpp"
#include "check_subject.hpp"
#include "session.hpp"

namespace assay::cli {

struct ExactOptions {
  std::string decoder, allow, prompts, smt, machines;
  std::optional<std::size_t> max_new;
  std::size_t states = verify::ExactLimits{}.states;
  std::size_t threads = verify::ExactLimits{}.threads;
  std::size_t memory = verify::ExactLimits{}.bytes >> 20U;  ///< MiB
  std::size_t z3_pairs = verify::ExactLimits{}.opinion_pairs;
  std::string state, resume;
  bool minimise = false;
  std::string mode = "auto";  ///< exact, refined, auto
  std::size_t lemmas = verify::RefinedLimits{}.lemmas;
  double seconds = 0;  ///< refined mode: safety stop of one property; 0: none
};

/// One of exact mode's own options was given.
[[nodiscard]] bool is_exact(const ExactOptions& options);

/// Reads the spec (resolving what is not), the model, prompts and decoder; `subject` owns what the input points to.
/// True when the spec was resolved here.
bool load_exact(const SubjectOptions& subject_options, const ExactOptions& options,
                Subject& subject, verify::ExactInput& input);

/// Writes the certificate at `path` (none when nothing was decided) and the files that the checker needs beside it; says
/// which were written.
nlohmann::ordered_json write_evidence(const std::string& certificate, const std::string& runs,
                                      const Subject& subject, bool resolved_here,
                                      const std::string& path);

/// Both bounds of P(φ), and the sampled rate beside them.
[[nodiscard]] nlohmann::ordered_json chance_json(const verify::ChanceBounds& c);

/// Decides the properties in refined mode and finishes the session.
void run_refined(const verify::RefinedInput& input, const Subject& subject, bool resolved_here,
                 const std::string& certificate, Session& session);

/// `assay check --decoder … --prompts …`. With a certificate path, also writes PATH.runs (the statement
/// about prompts and decoder) and, for a spec that was not resolved, PATH.spec.
void run_exact(const SubjectOptions& subject_options, const ExactOptions& options,
               const std::string& certificate, Session& session);

}  // namespace assay::cli
