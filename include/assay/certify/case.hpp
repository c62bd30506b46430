#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/certify/keys.hpp"
#include "assay/certify/statement.hpp"
#include "assay/model/decoder.hpp"

namespace assay::certify {

/// The all-contexts claims of a case: a request file, or claims proposed from the text.
struct BoundsCase {
  std::filesystem::path request;  ///< empty: propose
  std::size_t suggest = 4;        ///< claims of each kind
  std::size_t known = 3;          ///< tokens of a proposed suffix
  bool honest = true;             ///< one more claim that does not hold, when one is met
  std::string dictionary;         ///< name of the dictionary that feature-off claims read
};

/// One concept to erase (`assay erase`).
struct ErasureCase {
  std::string concept_name;  ///< also the name under which specs find its probes
  std::string regex;         ///< empty: a built-in concept
  std::size_t shift = 0, max_tokens = 30000;
  std::string hook = "blocks.0.hook_resid_mid";
  int grid_bits = 16;
  bool plant_emails = false;
};

/// The fitted automaton (`assay automaton`).
struct AutomatonCase {
  std::string dictionary;
  std::size_t runs = 400, max_new = 64, prompt_length = 8, features = 40, max_states = 400;
};

/// A specification and the probes it reads, by `use readout` name: "CONCEPT/probe" or "CONCEPT/probe_erased".
struct SpecCase {
  std::filesystem::path file;
  std::map<std::string, std::string> readouts;
  std::vector<std::string> properties;  ///< which to decide; empty: all
};

/// A specification on every run of the model (`assay check --decoder … --prompts …`).
struct CheckCase {
  enum class Mode { exact, refined, automatic };
  std::string name;  ///< a plain name; claims are NAME.PROPERTY
  SpecCase spec;
  Mode mode = Mode::automatic;
  std::string decoder, allow;     ///< words of --decoder and, or empty, --allow
  std::filesystem::path prompts;  ///< file of --prompts; empty: `prompt_set`
  std::string prompt_set;         ///< the same, written in the case
  std::optional<std::size_t> max_new;
  std::size_t states = 0, lemmas = 0;  ///< budgets; 0: the command's default
};

/// Rates of a specification's violations over runs drawn independently (`assay sample`), at any depth.
struct SampledCase {
  std::string name;  ///< a plain name; claims are NAME.PROPERTY
  SpecCase spec;
  std::string decoder, allow;
  std::filesystem::path prompts;  ///< file of the law of prompts
  std::size_t runs = 1000, max_new = 64;
  Rational alpha{1, 100};           ///< of all properties together: a share of the case's
  std::optional<Rational> at_most;  ///< claim that each rate is at most this
};

/// A claim about one normalised site, for every input of a model of any depth (`assay bound --site`).
struct SiteCase {
  std::string name;  ///< the claim's id
  std::string site;  ///< ln_final, blocks.N.ln1, blocks.N.ln2
  std::optional<std::uint32_t> logit, minus, feature, never_argmax;
  std::string dictionary;         ///< of `feature`
  std::filesystem::path readout;  ///< file, or empty
  std::string width;              ///< a fraction: claim nullified to within it; or empty
};

/// The model is `base` with an eraser folded in (`assay fold`): what is asked of it is asked of `base` too.
struct FoldedCase {
  std::filesystem::path base, eraser;
  std::map<std::string, std::filesystem::path> dictionaries;  ///< of the base, by the case's names
  std::map<std::string, std::filesystem::path> readouts;      ///< of the base, by specs' names
  std::string concept_name, regex;  ///< of what is left at the site; empty: the eraser's own
  std::size_t max_tokens = 12000;
};

/// What to examine and to claim about one model, fixed before the run (docs/case-file.md); paths are relative to the file.
struct CaseFile {
  std::string name, serial, resource_uri, scope;
  std::size_t valid_days = 0;         ///< 0: no expiry date; else it needs a time of issue
  std::uint64_t sequence = 0;         ///< 0: not stated
  std::filesystem::path model, text;  ///< may be empty in the file; see needs_text
  std::map<std::string, std::filesystem::path> dictionaries;
  Decoder decoder;
  std::uint64_t seed = 1;
  std::size_t eval_tokens = 50000;
  std::size_t cards = 12;  ///< feature cards shown in the report
  std::optional<FoldedCase> folded;
  std::optional<BoundsCase> bounds;
  std::vector<ErasureCase> erasures;
  std::optional<AutomatonCase> automaton;
  std::optional<SpecCase> spec;  ///< needs `automaton`
  std::vector<CheckCase> checks;
  std::vector<SampledCase> sampled;
  Rational alpha{1, 100};  ///< the chance of error of all rates together
  std::vector<SiteCase> sites;
  std::filesystem::path previous;  ///< the envelope of the last certificate, or empty
  std::vector<std::string> not_claimed;
  std::string bytes;  ///< of the file, kept as evidence

  /// Something runs the model, a one-layer transformer; else only `sites` are read.
  [[nodiscard]] bool needs_model() const {
    return bounds || automaton || spec || folded || !erasures.empty() || !checks.empty();
  }
  [[nodiscard]] bool needs_text() const {
    return bounds || automaton || folded || !erasures.empty();
  }
};

/// Every key is known, every value of its kind, every name resolved; UsageError otherwise, with
/// file, key, what was expected and found.
[[nodiscard]] CaseFile parse_case(const std::string& json, const std::filesystem::path& file);

struct CertifyOptions {
  std::filesystem::path out;
  std::filesystem::path checker;          ///< empty: assay-check beside the program
  std::optional<std::string> issued_at;   ///< see `issue_time`
  std::vector<std::string> reproduction;  ///< commands for people
  std::string previous_sha256;  ///< payload of the certificate that this one follows, or empty
};

struct CertifyResult {
  Statement statement;
  std::filesystem::path envelope;
  std::string payload_sha256;
  std::string key_id;
};

/// Runs the case: erases, resolves the spec, fits the automaton, checks, proves, lets the independent checker accept every
/// proof, and signs what it accepted. A proof that the checker rejects ends the run (Error, ExitCode::evidence): nothing
/// is signed. The envelope is written last; one of an earlier run in the same place is removed first.
[[nodiscard]] CertifyResult certify_case(const CaseFile& file, const CertifyOptions& options,
                                         const PrivateKey& key);

}  // namespace assay::certify
