#include "claim_diff.hpp"

#include <algorithm>
#include <array>

#include "../sign/request_claim.hpp"
#include "../sign/run_claim.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "claim_spec.hpp"
#include "exact_number.hpp"
#include "request_order.hpp"
#include "run_domain.hpp"
#include "spec_order.hpp"

namespace assay::certify {
namespace {

/// Adds what is found of one claim, aspect by aspect.
class ClaimDiff {
 public:
  ClaimDiff(const DiffSide& old, const Claim& was, const DiffSide& now, const Claim& is)
      : old_(old), was_(was), now_(now), is_(is) {}

  std::vector<Change> take() {
    status();
    if (was_.status == Status::holds && is_.status == Status::holds) {
      support();
      content();
      bound("bound", was_.bound, is_.bound);
      bound("threshold", was_.threshold, is_.threshold);
    }
    if (changes_.empty()) {
      const bool reworded = was_.text != is_.text;
      changes_.push_back({reworded ? ChangeKind::reworded : ChangeKind::same, is_.id, "text",
                          reworded ? "only its plain words changed" : "the same claim"});
    }
    return std::move(changes_);
  }

 private:
  void add(ChangeKind kind, const char* aspect, const std::string& text) {
    changes_.push_back({kind, is_.id, aspect, text});
  }

  /// From what is shown each way: nothing when both, stronger, or weaker.
  void order(bool now_implies_old, bool old_implies_now, const char* aspect,
             const std::string& reason) {
    if (!now_implies_old) {
      add(ChangeKind::weakened, aspect, "not shown to be as strong: " + visible(reason));
    } else if (!old_implies_now) {
      add(ChangeKind::strengthened, aspect, "it implies the old one");
    }
  }

  void status() {
    if (was_.status == is_.status) {
      return;
    }
    const bool better = is_.status == Status::holds ||
                        (was_.status == Status::violated && is_.status == Status::unknown);
    add(better ? ChangeKind::strengthened : ChangeKind::weakened, "status",
        status_name(was_.status) + " became " + status_name(is_.status));
  }

  void support() {
    if (was_.level != is_.level) {
      add(is_.level < was_.level ? ChangeKind::weakened : ChangeKind::strengthened, "level",
          level_name(was_.level) + " became " + level_name(is_.level));
    }
    for (const Level level : {Level::assumed, Level::observed, Level::statistical, Level::proved}) {
      const auto links = [&](const Claim& c) {
        return std::count_if(c.chain.begin(), c.chain.end(),
                             [&](const Link& l) { return l.level == level; });
      };
      if (links(is_) < links(was_)) {
        add(ChangeKind::weakened, "chain",
            "a link of level " + level_name(level) + " is gone from its chain");
      }
    }
    for (const std::string& id : is_.assumptions) {
      const std::string text = assumption(now_.statement, id);
      const bool had = std::any_of(
          was_.assumptions.begin(), was_.assumptions.end(),
          [&](const std::string& before) { return assumption(old_.statement, before) == text; });
      if (!had) {
        add(ChangeKind::weakened, "assumptions", "now it assumes: " + visible(text));
      }
    }
  }

  static std::string assumption(const Statement& s, const std::string& id) {
    for (const Assumption& a : s.assumptions) {
      if (a.id == id) {
        return a.text;
      }
    }
    return id;
  }

  /// Kind, formula, domain and what it is about.
  void content() {
    if (was_.kind != is_.kind && !(is_run_kind(was_.kind) && is_run_kind(is_.kind))) {
      add(ChangeKind::weakened, "kind", visible(was_.kind) + " became " + visible(is_.kind));
      return;
    }
    if (by_request()) {
      return;
    }
    formula();
    const DomainOrder domain = compare_domains(was_.domain, is_.domain);
    order(domain.now_covers_old, domain.old_covers_now, "domain",
          "'" + was_.domain + "' became '" + is_.domain + "'");
  }

  /// Claims of a request file; false when they are none.
  bool by_request() {
    const std::optional<std::string> old_request = request(old_, was_);
    const std::optional<std::string> now_request = request(now_, is_);
    if (!old_request || !now_request) {
      return false;
    }
    const RequestOrder found =
        compare_requests(was_.formal, *old_request, is_.formal, *now_request);
    order(found.now_implies_old, found.old_implies_now,
          found.aspect == "domain"  ? "domain"
          : found.aspect == "bound" ? "bound"
                                    : "formula",
          found.reason);
    if (found.other_data) {
      add(ChangeKind::dataset_change, "data", "it is about other rows");
    }
    for (const char* word : {"sae", "readout", "direction", "eraser", "decoder"}) {
      if (named(was_, word) != named(is_, word)) {
        add(ChangeKind::weakened, "object",
            "it is about another " + std::string(word) + ": " + visible(named(was_, word)) +
                " became " + visible(named(is_, word)));
      }
    }
    return true;
  }

  static std::optional<std::string> request(const DiffSide& side, const Claim& claim) {
    if (!claim.recheck) {
      return std::nullopt;
    }
    for (const CheckInput& input : claim.recheck->inputs) {
      if (input.option == "request" && claim.formal.starts_with(claim.kind + " ")) {
        return read_evidence(side, input.name);
      }
    }
    return std::nullopt;
  }

  /// What follows ", WORD " in the words that the checker accepted, to the next comma or bracket.
  static std::string named(const Claim& claim, const std::string& word) {
    const std::string& text = claim.recheck->statement;
    const std::string mark = ", " + word + " ";
    const std::size_t at = text.find(mark);
    return at == std::string::npos
               ? ""
               : text.substr(at + mark.size(),
                             text.find_first_of(",(", at + mark.size()) - at - mark.size());
  }

  void formula() {
    const std::optional<ClaimSpec> before = spec_of(old_, was_);
    const std::optional<ClaimSpec> after = spec_of(now_, is_);
    if (!before || !after) {
      const bool equal = was_.formal == is_.formal;
      order(equal, equal, "formula", "'" + was_.formal + "' became '" + is_.formal + "'");
      return;
    }
    if (before->tokenizer != after->tokenizer) {
      add(ChangeKind::weakened, "formula",
          "not shown to be as strong: the token ids are another tokenizer's");
      return;
    }
    const PropertyOrder found =
        compare(before->spec, before->property(), after->spec, after->property());
    order(found.now_implies_old, found.old_implies_now, "formula", found.reason);
  }

  /// From above: a smaller one says more. Of a probability from below and of a lower bound the other way round.
  void bound(const char* aspect, const std::string& before, const std::string& after) {
    if (before == after) {
      return;
    }
    const auto o = exact_number(before);
    const auto n = exact_number(after);
    const bool lower = is_.formal.starts_with("Pmin");
    const bool both = o && n;
    order(both && (lower ? *n >= *o : *n <= *o), both && (lower ? *o >= *n : *o <= *n), aspect,
          (before.empty() ? "none" : before) + " became " + (after.empty() ? "none" : after));
  }

  const DiffSide& old_;
  const Claim& was_;
  const DiffSide& now_;
  const Claim& is_;
  std::vector<Change> changes_;
};

}  // namespace

std::vector<Change> compare_claims(const DiffSide& old, const Claim& was, const DiffSide& now,
                                   const Claim& is) {
  return ClaimDiff(old, was, now, is).take();
}

}  // namespace assay::certify
