#include <cctype>

#include "assay/base/digest.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/bounds/request.hpp"
#include "assay/certify/checker.hpp"
#include "assay/erase/fold.hpp"
#include "remedy.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

/// Ids from `at` on, up to the first word that is none.
std::vector<TokenId> ids(const std::string& text, std::size_t at) {
  std::vector<TokenId> out;
  while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0) {
    std::size_t end = at;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) {
      ++end;
    }
    out.emplace_back(
        static_cast<std::uint32_t>(parse_unsigned(text.substr(at, end - at), "token")));
    at = end + (end < text.size() && text[end] == ' ' ? 1 : 0);
  }
  return out;
}

/// The case with nothing in it but the target.
CaseFile only_target(const Repair& repair, const CaseFile& file, const fs::path& folder) {
  CaseFile out = file;
  out.folded.reset();
  out.erasures.clear();
  out.automaton.reset();
  out.spec.reset();
  out.sampled.clear();
  out.sites.clear();
  out.checks.clear();
  for (const CheckCase& check : file.checks) {
    if (check.name == repair.check) {
      out.checks = {check};
      out.checks[0].spec.properties = {repair.property};
      out.checks[0].spec.file = folder / "asked.spec";
      write_file_atomic(
          out.checks[0].spec.file,
          question_of(evidence_bytes(repair, "checks/" + check.name + "/resolved.spec")));
    }
  }
  if (!repair.check.empty()) {
    out.bounds.reset();
    out.text.clear();  // the question is resolved: nothing is chosen by a text any more
    return out;
  }
  constexpr const char* kAsked = "bounds/asked.request";
  bounds::Request one = file.bounds->request.empty()
                            ? bounds::parse_request(evidence_bytes(repair, kAsked), kAsked)
                            : bounds::load_request(file.bounds->request);
  std::erase_if(one.claims, [&](const bounds::Claim& c) { return c.id != repair.target.id; });
  out.bounds->request = folder / "asked.request";
  write_file_atomic(out.bounds->request, bounds::make_request(one.decoder, one.claims).text);
  return out;
}

/// Probes as they are in the case's model: folded with it, where the remedy is a fold.
std::map<std::string, Readout> probes_of(const Repair& repair, const CaseFile& file) {
  std::map<std::string, Readout> out = repair.probes;
  if (!file.folded || repair.file.folded) {
    return out;
  }
  const erase::Fold fold =
      erase::fold(repair.subject.model, erase::load_eraser(file.folded->eraser).eraser);
  for (auto& [name, probe] : out) {
    probe = erase::fold_readout(fold, probe);
    probe.digest = sha256(readout_json(probe));
  }
  return out;
}

}  // namespace

RunTokens run_tokens(const std::string& domain) {
  constexpr const char* kPrompt = "one run of the model: prompt ";
  const std::size_t then = domain.find(" then ");
  if (!domain.starts_with(kPrompt) || then == std::string::npos) {
    return {};
  }
  return {ids(domain, std::string(kPrompt).size()), ids(domain, then + 6)};
}

std::string Trial::words() const {
  std::string out = status_name(claim.status);
  if (claim.status == Status::unknown) {
    return out + ": " + claim.reason;
  }
  out += " (" + level_name(claim.level) + ")";
  if (claim.status == Status::violated && !shown.steps.empty()) {
    std::string text;
    for (const RunStep& step : shown.steps) {
      text += step.token;
    }
    out += ": \"" + shown.prompt + "\" then \"" + text + "\"";
  }
  return out;
}

Trial try_case(const Repair& repair, const CaseFile& file) {
  const fs::path folder = repair.scratch.path() / "trial";
  fs::remove_all(folder);
  make_directory(folder);
  const CaseFile one = only_target(repair, file, folder);
  const Subject subject = load_subject(one);
  const VerifyOptions& o = repair.options.original;
  const fs::path checker = o.checker.empty() ? checker_beside_program() : o.checker;
  CaseRun run{one, subject, bundle_paths(folder, one.name), checker, {}, {}};
  run.probes = probes_of(repair, file);
  add_dictionaries(run);
  add_bound_claims(run);
  add_check_claims(run);
  if (run.statement.claims.size() != 1) {
    throw Error(ExitCode::internal,
                "the case does not ask '" + visible(repair.target.id) + "' alone");
  }
  Trial out;
  out.claim = run.statement.claims.front();
  if (!out.claim.counterexample.empty()) {
    out.shown = parse_counterexample(read_file(run.paths.evidence / out.claim.counterexample),
                                     out.claim.counterexample);
  }
  if (out.claim.status == Status::violated) {
    RunTokens tokens = run_tokens(out.claim.domain);
    out.prompt = std::move(tokens.prompt);
    out.run = std::move(tokens.run);
  }
  return out;
}

}  // namespace assay::certify
