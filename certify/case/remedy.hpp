#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../sign/staging.hpp"
#include "assay/certify/exhibits.hpp"
#include "assay/certify/repair.hpp"
#include "case_run.hpp"

namespace assay::certify {

/// One change of the decoder or of the model's weights.
struct Remedy {
  enum class Kind { min_p, mask, mask_in_weights, project };
  Kind kind = Kind::min_p;
  Rational min_p;               ///< the new one
  std::vector<TokenId> tokens;  ///< masked, ascending
  std::string dictionary;       ///< of `feature`
  std::size_t feature = 0;      ///< projected out of the site that the dictionary reads
};
[[nodiscard]] const char* kind_name(Remedy::Kind kind);

/// A certificate under repair: what was signed, and what it was made from.
struct Repair {
  const RepairOptions& options;
  Statement old;
  CaseFile file;  ///< with the paths of the command line
  Subject subject;
  std::map<std::string, Readout> probes;  ///< by "CONCEPT/probe", from the evidence
  Claim target;
  std::string check;  ///< of a claim CHECK.PROPERTY
  std::string property;
  std::string decoder;  ///< words of the target's; empty: it is about none
  std::string allow;
  Staging scratch;
};

/// Bytes of an evidence file of the old certificate, of the digest that is signed. Throws Error(ExitCode::evidence).
[[nodiscard]] std::string evidence_bytes(const Repair& repair, const std::string& name);
/// A resolved specification without the digests of what it uses: the question, of whatever model it is asked.
[[nodiscard]] std::string question_of(const std::string& resolved_spec);

/// The decoder's words with another min-p. @pre they are of a min-p decoder
[[nodiscard]] std::string with_min_p(const std::string& words, const Rational& min_p);
/// An allow-list of all tokens but these: "0-15,17-95". @pre ascending, some token is left
[[nodiscard]] std::string all_but(const std::vector<TokenId>& tokens, std::size_t vocabulary);
/// "7" after "6", "x.1" after "x".
[[nodiscard]] std::string next_serial(const std::string& serial);

/// Why a remedy of this kind cannot be applied to the case, or "".
[[nodiscard]] std::string obstacle(const Repair& repair, Remedy::Kind kind);
/// "min-p raised from 1/10 to 31/100", …
[[nodiscard]] std::string remedy_words(const Repair& repair, const Remedy& remedy);

/// The case with the remedy in it, about files that are written into `folder`; its paths are relative to the folder when
/// `portable`. Throws Refusal for a projection that cannot be folded.
[[nodiscard]] CaseFile remedied_case(const Repair& repair, const Remedy& remedy,
                                     const std::filesystem::path& folder, bool portable);

/// The target alone, asked of a case and accepted by the checker.
struct Trial {
  Claim claim;
  std::vector<TokenId> prompt, run;  ///< of a replayed violation; else empty
  Counterexample shown;
  [[nodiscard]] bool holds() const {
    return claim.status == Status::holds && claim.level == Level::proved;
  }
  [[nodiscard]] std::string words() const;
};
/// Throws Error where the case cannot be asked.
[[nodiscard]] Trial try_case(const Repair& repair, const CaseFile& file);

/// A run of the checker's words "one run of the model: prompt 8 9 then 29 29, decoder …"; empty of another form.
struct RunTokens {
  std::vector<TokenId> prompt, run;
};
[[nodiscard]] RunTokens run_tokens(const std::string& domain);

/// A remedy that was tried on the target.
struct Candidate {
  Remedy remedy;
  Attempt attempt;
};
/// Every remedy of every kind, tried on the target alone. Stops early when interrupted.
[[nodiscard]] std::vector<Candidate> search_remedies(const Repair& repair, const Trial& original);

/// Features of the case's dictionaries by how much the last token's probability falls when the feature's own part is
/// taken out of the output site, largest fall first; at most `most`.
struct CausalFeature {
  std::string dictionary;
  std::size_t feature = 0;
  double fall = 0;
};
[[nodiscard]] std::vector<CausalFeature> causal_features(const Subject& subject,
                                                         const RunTokens& run, std::size_t most);

/// Nothing without a text.
[[nodiscard]] std::optional<RemedyCost> cost_of(const Repair& repair, const CaseFile& remedied);
/// Adds one prediction to the cost: q of the token before and after, the model's -ln p before and after.
[[nodiscard]] double smoothed(double probability, std::size_t vocabulary);

/// Every claim of both, and what of the old one is broken.
///   kept   a claim that held holds, no weaker in level, asked in the same words of the same domain (decoder apart)
[[nodiscard]] std::vector<ClaimChange> compare_claims(const Statement& old, const Statement& now,
                                                      const std::string& old_decoder,
                                                      const std::string& new_decoder);

}  // namespace assay::certify
