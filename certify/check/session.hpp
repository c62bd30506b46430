#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "attention.hpp"
#include "automaton.hpp"
#include "dfa.hpp"
#include "facts.hpp"
#include "kernel.hpp"
#include "request.hpp"
#include "runs.hpp"
#include "sae.hpp"
#include "site.hpp"
#include "spec.hpp"

namespace assay_check {

class FloatLayers;
class ChainFacts;  // rule_chain.hpp
class LevelFacts;  // rule_level.hpp

/// The certificate's first lines.
struct Header {
  std::string kind, semantics, config_sha, weights_sha, statement_sha;
  std::optional<std::pair<std::string, std::string>> sae, eraser;  ///< config, weights
  std::map<std::string, std::string> readouts;
  std::optional<std::string> automaton, runs, chain, machine;
  /// The statement is a spec.
  [[nodiscard]] bool is_about_runs() const {
    return kind == "automaton" || kind == "exact" || kind == "refined" || kind == "level";
  }
  /// The rules about cases of contexts belong to the kind.
  [[nodiscard]] bool has_cases() const { return kind == "bounds" || kind == "refined"; }
};

/// Of a claim: `words`, or where they are empty those of its line, and what many claims have in common.
struct Conclusion {
  std::string claim, level, words;
  const std::string* rest = nullptr;  ///< Session::shared
};

/// The statement, the files behind the header's digests, and what the steps showed so far.
class Session {
 public:
  /// Reads the statement and the model; every digest of the header is recomputed.
  Session(const Inputs& inputs, Header header);

  [[nodiscard]] const Header& header() const { return header_; }
  /// The claims of the statement are numbered in its order.
  [[nodiscard]] std::size_t claim_count() const;
  [[nodiscard]] std::string claim_id(std::size_t place) const;
  [[nodiscard]] std::string claim_words(std::size_t place) const;
  [[nodiscard]] std::optional<std::size_t> claim_place(std::string_view id) const;
  /// From now on the claim is shown, and what only its own steps could cite is forgotten.
  void close(std::size_t place);
  [[nodiscard]] bool is_shown(std::size_t place) const { return shown_[place]; }
  /// One object for equal texts.
  [[nodiscard]] const std::string* shared(std::string text) {
    return &*texts_.insert(std::move(text)).first;
  }

  /// The claim of the request with this id; Reject when it is not of this kind.
  [[nodiscard]] const RequestClaim& claim(const Step& step, std::string_view id,
                                          RequestClaim::Kind kind);
  /// bound, feature-on or feature-off over a domain; in kind refined a lemma
  [[nodiscard]] const RequestClaim& domain_claim(const Step& step, std::string_view id);
  /// A domain line, or in kind refined a lemma's box; and what `domain` of its claims and ROOT cases is.
  [[nodiscard]] std::pair<std::string, const Domain&> domain(const Step& step,
                                                             const std::string& id);
  [[nodiscard]] const Request& request() const;
  [[nodiscard]] const MinP& request_decoder() const;
  [[nodiscard]] Spec& spec();
  /// @param chance a claim Pmax or Pmin; else one about every run. Reject for the other kind.
  [[nodiscard]] std::size_t property(std::string_view name, bool chance = false) const;
  /// Reject unless every SAE and readout that the property's atoms name is listed in the
  /// header, given, and the one that the spec's `use` fixed.
  void need_sources(std::size_t property) const;

  /// ", sae DIGEST", ", readout DIGEST" or ", direction DIGEST": what a quantity's id belongs to, by the
  /// first 16 digits of its digest; "" for what the model alone defines.
  [[nodiscard]] std::string source(const Quantity& q) const;
  [[nodiscard]] Attention& attention();
  [[nodiscard]] const SaeEncoder& sae();
  [[nodiscard]] const AffineReadout& readout(const std::string& name);
  [[nodiscard]] const Site& site(const std::string& name);
  [[nodiscard]] const FittedAutomaton& automaton();
  [[nodiscard]] const Runs& runs();
  [[nodiscard]] Windows& windows();
  [[nodiscard]] Refinement& refinement();
  [[nodiscard]] ChainFacts& chain();
  [[nodiscard]] LevelFacts& levels();
  [[nodiscard]] Facts& facts();
  /// The one of the --data files with this digest.
  [[nodiscard]] std::string data(const std::string& sha, std::string& name) const;
  [[nodiscard]] const Inputs& inputs() const { return inputs_; }

  std::map<std::string, DfaFact> automata;
  std::map<std::string, BuchiFact> buchi;
  std::map<std::string, std::shared_ptr<const FloatLayers>> float_layers;  ///< by domain and ulps
  std::vector<Conclusion> conclusions;  ///< of the step at hand: the kernel takes them

 private:
  void check_model_uses() const;
  const Inputs& inputs_;
  Header header_;
  std::optional<Request> request_;
  std::optional<Spec> spec_;
  std::map<std::size_t, RequestClaim> open_;  ///< of the request, asked for and not closed
  std::vector<bool> shown_;
  std::set<std::string> texts_;
  std::string config_, weights_;  ///< bytes
  std::unique_ptr<Network> network_;
  std::unique_ptr<Attention> attention_;
  std::optional<SaeEncoder> sae_;
  std::map<std::string, AffineReadout> readouts_;
  std::map<std::string, Site> sites_;
  std::optional<FittedAutomaton> automaton_;
  std::optional<Runs> runs_;
  std::shared_ptr<Windows> windows_;
  std::shared_ptr<Refinement> refinement_;
  std::shared_ptr<ChainFacts> chain_;
  std::shared_ptr<LevelFacts> levels_;
  std::unique_ptr<Facts> facts_;
};

/// Reads a file and compares its digest with the one the header states.
[[nodiscard]] std::string read_digested(const std::string& path, const std::string& sha);
[[nodiscard]] std::string tokens_text(const std::vector<std::size_t>& tokens);

// One function a rule; each throws Reject or records what it showed.
void rule_suffix(Session& session, const Step& step);
void rule_root(Session& session, const Step& step);
void rule_part(Session& session, const Step& step);
void rule_neurons(Session& session, const Step& step);
void rule_box(Session& session, const Step& step);
void rule_norm_neurons(Session& session, const Step& step);
void rule_range(Session& session, const Step& step);
void rule_spread(Session& session, const Step& step);
void rule_target(Session& session, const Step& step);
void rule_hull(Session& session, const Step& step);
void rule_norm_linear(Session& session, const Step& step);
void rule_sphere(Session& session, const Step& step);
void rule_part_num(Session& session, const Step& step);
void rule_final_spread(Session& session, const Step& step);
void rule_final(Session& session, const Step& step);
void rule_enum(Session& session, const Step& step);
void rule_join(Session& session, const Step& step);
void rule_rival(Session& session, const Step& step);
void rule_bound(Session& session, const Step& step);
void rule_float32(Session& session, const Step& step);
void rule_must_on(Session& session, const Step& step);
void rule_must_off(Session& session, const Step& step);
void rule_feature_off(Session& session, const Step& step);
void rule_token_out(Session& session, const Step& step);
void rule_site_sphere(Session& session, const Step& step);
void rule_nullified(Session& session, const Step& step);
void rule_never_argmax(Session& session, const Step& step);
void rule_values(Session& session, const Step& step);
void rule_ranks(Session& session, const Step& step);
void rule_reach_most(Session& session, const Step& step);
void rule_reach_least(Session& session, const Step& step);
void rule_cell(Session& session, const Step& step);
void rule_point(Session& session, const Step& step);
void rule_step(Session& session, const Step& step);
void rule_level_inv(Session& session, const Step& step);

}  // namespace assay_check
