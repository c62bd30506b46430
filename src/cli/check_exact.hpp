#pragma once

#include <optional>
#include <string>

#include "assay/verify/exact.hpp"
#include "check_subject.hpp"
#include "session.hpp"

namespace assay::cli {

struct ExactOptions {
  std::string decoder, allow, prompts, smt;
  std::optional<std::size_t> max_new;
  std::size_t states = verify::ExactLimits{}.states;
  std::size_t threads = verify::ExactLimits{}.threads;
  std::size_t memory = verify::ExactLimits{}.bytes >> 20U;  ///< MiB
  std::size_t z3_pairs = verify::ExactLimits{}.opinion_pairs;
  bool minimise = false;
};

/// One of exact mode's own options was given.
[[nodiscard]] bool is_exact(const ExactOptions& options);

/// Reads the spec (resolving what is not), the model, prompts and decoder; `subject` owns what the input points to.
/// True when the spec was resolved here.
bool load_exact(const SubjectOptions& subject_options, const ExactOptions& options,
                Subject& subject, verify::ExactInput& input);

/// Writes the certificate at `path` (none when nothing was decided) and the files that the checker needs beside it; says
/// which were written.
nlohmann::ordered_json write_exact_evidence(const verify::ExactResult& result,
                                            const Subject& subject, bool resolved_here,
                                            const std::string& path);

/// `assay check --decoder … --prompts …`. With a certificate path, also writes PATH.runs (the statement
/// about prompts and decoder) and, for a spec that was not resolved, PATH.spec.
void run_exact(const SubjectOptions& subject_options, const ExactOptions& options,
               const std::string& certificate, Session& session);

}  // namespace assay::cli
