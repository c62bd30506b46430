#include "assay/bounds/bound_certificate.hpp"

#include <algorithm>
#include <set>

#include "assay/base/digest.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "bound_proof.hpp"
#include "branch.hpp"
#include "firing_search.hpp"
#include "lemma_proof.hpp"
#include "prover.hpp"

namespace assay::bounds {
namespace {

constexpr std::size_t kMostBytes = std::size_t{240} << 20;
constexpr std::size_t kMostSteps = 3'900'000;

bool is_id(const std::string& text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && text.size() <= 64 && letter(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
         });
}

/// HEADS
std::string heads_words(const HeadNumbers& heads) {
  return hex_words(heads.L) + (heads.theta.empty() ? "" : " T " + hex_words(heads.theta));
}

/// [M k J_1 mu_1 … J_k mu_k], J rising, of the multipliers that are not 0.
std::string multiplier_words(const std::vector<NeuronPart>& parts, const std::vector<double>& mu) {
  std::map<std::size_t, double> used;
  for (std::size_t p = 0; p < mu.size(); ++p) {
    if (mu[p] != 0) {
      used[parts[p].neuron] = mu[p];
    }
  }
  std::string words = used.empty() ? "" : " M " + std::to_string(used.size());
  for (const auto& [neuron, value] : used) {
    words += " " + std::to_string(neuron) + " " + hex_words({value});
  }
  return words;
}

}  // namespace

struct BoundCertificate::State {
  State(const Transformer& m, const Sae* s) : model(m), sae(s) {}

  std::string fresh(const char* kind) { return "_" + std::string(kind) + std::to_string(++last); }

  void step(const std::string& id, const std::string& rule, const std::string& words) {
    text += id + " " + rule + " :" + (words.empty() ? "" : " " + words) + "\n";
    ++steps;
    if (text.size() > kMostBytes || steps > kMostSteps) {
      throw Error(ExitCode::unknown,
                  "certificate: more than 240 MiB or 3.9 million steps: ask for fewer claims");
    }
  }

  /// A step that is written once: the id of the first one with these words.
  std::string once(const char* kind, const std::string& rule, const std::string& words) {
    std::string& id = known[rule + " : " + words];
    if (id.empty()) {
      id = fresh(kind);
      step(id, rule, words);
    }
    return id;
  }

  /// `wanted` when it can be an id and is free, else `kind` and a number.
  std::string claim_id(const std::string& wanted, const char* kind) {
    ++claims;
    std::string id = wanted;
    if (!is_id(wanted) || !ids.insert(wanted).second) {
      for (std::size_t n = claims; id = kind + std::to_string(n), !ids.insert(id).second;) {
        ++n;
      }
    }
    return id;
  }

  [[nodiscard]] std::string domain_words(const Domain& domain) const;
  std::string domain_id(const Domain& domain);
  std::string quantity_words(const Quantity& quantity);
  /// The two-sided numbers of many directions: the opening step and its lines.
  std::string ranges(const char* kind, const std::string& opening, const char* line,
                     const std::vector<HeadNumbers>& U, const std::vector<HeadNumbers>& D);
  /// RIVAL: from facts about rivals to one about the margin.
  std::string rival(const std::string& case_id, const std::string& claim,
                    const std::string& facts) {
    std::string id = fresh("f");
    step(id, "RIVAL " + case_id + " " + claim, facts);
    return id;
  }
  std::string box(const std::string& case_id, CaseWork& work);
  std::string spread(const std::string& case_id, CaseWork& work);
  std::string neurons(const std::string& case_id, CaseWork& work);

  const Transformer& model;
  const Sae* sae;
  std::string text, statement;  ///< steps; domain, direction and bound lines
  std::size_t steps = 0, last = 0, claims = 0;
  bool reads_features = false;
  std::map<std::string, std::string> known;
  std::map<std::string, Digest> readouts;
  std::set<std::string> ids;
};

std::string BoundCertificate::State::domain_words(const Domain& domain) const {
  const std::size_t V = model.config.d_vocab;
  std::string words = "lengths " + std::to_string(domain.min_length) + " " +
                      (domain.any_length ? "any" : std::to_string(domain.max_length)) + " sets " +
                      std::to_string(domain.last.size());
  for (const TokenSet& set : domain.last) {
    words += " " + set_text(set, V);
  }
  return words + " rest " + (domain.rest.empty() ? "*" : set_text(domain.rest, V));
}

std::string BoundCertificate::State::domain_id(const Domain& domain) {
  const std::string words = domain_words(domain);
  std::string& id = known["domain " + words];
  if (id.empty()) {
    id = "D" + std::to_string(++last);
    statement += "domain " + id + " " + words + "\n";
  }
  return id;
}

std::string BoundCertificate::State::quantity_words(const Quantity& q) {
  if (q.kind == QuantityKind::readout) {
    std::string& id = known["readout " + q.readout->digest.hex()];
    if (id.empty()) {
      id = "R" + std::to_string(readouts.size() + 1);
      readouts.emplace(id, q.readout->digest);
    }
    return "readout " + id;
  }
  if (q.kind != QuantityKind::residual_mid) {
    reads_features = reads_features || q.kind == QuantityKind::feature ||
                     q.kind == QuantityKind::feature_difference;
    return q.text();
  }
  const std::string words = std::to_string(q.direction.size()) + " " + hex_words(q.direction);
  std::string& id = known["direction " + words];
  if (id.empty()) {
    id = "G" + std::to_string(++last);
    statement += "direction " + id + " " + words + "\n";
  }
  return "residual-mid " + id;
}

std::string BoundCertificate::State::ranges(const char* kind, const std::string& opening,
                                            const char* line, const std::vector<HeadNumbers>& U,
                                            const std::vector<HeadNumbers>& D) {
  const std::size_t count = U.size();
  std::string& id = known[opening];
  if (id.empty()) {
    id = fresh(kind);
    step(id, opening, std::to_string(count));
    for (std::size_t i = 0; i < count; ++i) {
      step(id + "." + std::to_string(i), std::string(line) + " " + id + " " + std::to_string(i),
           heads_words(U[i]) + " " + heads_words(D[i]));
    }
  }
  return id;
}

std::string BoundCertificate::State::box(const std::string& case_id, CaseWork& work) {
  return ranges("b", "BOX " + case_id, "BOX-RANGE", work.spread().U, work.spread().D);
}

std::string BoundCertificate::State::spread(const std::string& case_id, CaseWork& work) {
  const Spread& s = work.spread();
  return once("t", "SPREAD " + box(case_id, work),
              hex_words(s.u) + " " + heads_words(s.heads) + " " + hex_words({s.lo, s.hi}));
}

std::string BoundCertificate::State::neurons(const std::string& case_id, CaseWork& work) {
  const CaseNeurons& n = work.neurons();
  return work.net().norm
             ? ranges("n", "NORM-NEURONS " + spread(case_id, work), "NORM-RANGE", n.U, n.D)
             : ranges("n", "CASE-NEURONS " + case_id, "CASE-RANGE", n.U, n.D);
}

namespace {

/// Writes one side's tree.
template <class State>
class TreeWriter {
 public:
  /// `whole`: of the root, when it is kept; else it is made anew.
  TreeWriter(State& state, DomainWork& work, const std::vector<BranchNode>& tree, std::string claim,
             std::shared_ptr<CaseWork> whole = nullptr)
      : state_(state),
        work_(work),
        tree_(tree),
        claim_(std::move(claim)),
        whole_(std::move(whole)) {}

  /// The id of a fact about the node's case that is no worse than proved_hi.
  std::string fact(std::size_t at, const std::string& case_id) {
    const BranchNode& node = tree_[at];
    double below = -std::numeric_limits<double>::infinity();
    for (const std::size_t child : node.children) {
      below = std::max(below, proved_hi(tree_, child));
    }
    if (node.bound && (node.children.empty() || node.hi <= below)) {
      return leaf(node, case_id);
    }
    std::string words;
    for (const std::size_t child : node.children) {
      words += (words.empty() ? "" : " ") + fact(child, part_id(node, tree_[child], case_id));
    }
    return made("JOIN " + case_id + " " + claim_, words);
  }

 private:
  std::string made(const std::string& rule, const std::string& words) {
    std::string id = state_.fresh("f");
    state_.step(id, rule, words);
    return id;
  }

  std::string part_id(const BranchNode& parent, const BranchNode& child,
                      const std::string& case_id) {
    if (parent.split.by == Split::By::length) {
      return state_.once("c", "PART " + case_id,
                         "length " + std::to_string(child.box.min_length) + " " +
                             std::to_string(child.box.max_length));
    }
    if (parent.split.by == Split::By::neuron) {
      const NeuronPart& p = child.neurons.back();
      return state_.once("c", "PART " + case_id,
                         "neuron " + std::to_string(p.neuron) + (p.sign > 0 ? " +" : " -"));
    }
    const std::size_t slot = parent.split.slot;
    return state_.once("c", "PART " + case_id,
                       "token " + std::to_string(slot) + " " +
                           set_text(*child.box.back[slot], work_.places().net().vocab));
  }

  /// RULE and its words for a fold of <g0,m> + sum kappa act(z) + const.
  std::pair<std::string, std::string> fold(CaseRule rule, const BranchNode& node,
                                           const std::string& case_id, CaseWork& work) {
    const CaseBound& bound = *node.bound;
    if (rule == CaseRule::linear) {
      return {"LINEAR", heads_words(bound.heads)};
    }
    if (rule == CaseRule::hull) {
      const bool is_one = bound.head < work.net().heads;  // that moves
      return {"HULL", "H " + (is_one ? std::to_string(bound.head) : std::string("*")) + " S " +
                          hex_words(bound.slopes)};
    }
    if (rule == CaseRule::each) {
      return {"HULL", "H " + std::to_string(bound.head) + " EACH " + std::to_string(bound.slot)};
    }
    const std::string slopes =
        "S " + hex_words(bound.slopes) + multiplier_words(node.neurons, bound.mu);
    const std::string neurons = state_.neurons(case_id, work);
    if (rule == CaseRule::fold) {
      return {"FOLD " + neurons, slopes + " L " + heads_words(bound.heads)};
    }
    return {"NORM-FOLD " + neurons,
            slopes + " A " + heads_words(bound.heads) + " B " + heads_words(bound.heads_other)};
  }

  std::string leaf(const BranchNode& node, const std::string& case_id) {
    const CaseBound& bound = *node.bound;
    if (bound.rule == CaseRule::enumeration) {
      return made("ENUM " + case_id + " " + claim_, "");
    }
    if (bound.rule == CaseRule::sphere) {
      return made("SPHERE " + case_id + " " + claim_, "");
    }
    const auto work = whole_ && &node == tree_.data() ? whole_ : work_.work(node.box);
    if (bound.rule == CaseRule::norm_linear) {
      return made("NORM-LINEAR " + state_.neurons(case_id, *work) + " " + claim_, "");
    }
    if (bound.rule != CaseRule::final) {
      const auto [rule, words] = fold(bound.rule, node, case_id, *work);
      const std::size_t space = rule.find(' ');
      const std::string premise = space == std::string::npos ? "" : rule.substr(space);
      return made(rule.substr(0, space) + " " + case_id + premise + " " + claim_, words);
    }
    const auto [rule, words] = fold(bound.numerator, node, case_id, *work);
    const std::string numerator = made("PART-NUM " + case_id + " " + claim_, rule + " " + words);
    const FinalSpread& s = work->final_spread();
    const std::string box = state_.box(case_id, *work);
    const std::string neurons = work->net().f == 0 ? "-" : state_.neurons(case_id, *work);
    const std::string spread = state_.once("e", "FINAL-SPREAD " + case_id,
                                           box + " " + neurons + " " + hex_words({s.lo, s.hi}));
    return made("FINAL " + case_id + " " + claim_, numerator + " " + spread);
  }

  State& state_;
  DomainWork& work_;
  const std::vector<BranchNode>& tree_;
  std::string claim_;  ///< "CLAIM SIDE"
  std::shared_ptr<CaseWork> whole_;
};

}  // namespace

BoundCertificate::BoundCertificate(const Transformer& model, const Sae* sae)
    : state_(std::make_unique<State>(model, sae)) {}

BoundCertificate::~BoundCertificate() = default;

void BoundCertificate::call(const Readout& readout, const std::string& name) {
  state_->known["readout " + readout.digest.hex()] = name;
  state_->readouts.emplace(name, readout.digest);
}

std::string BoundCertificate::add(const std::string& wanted, const Domain& domain,
                                  const Quantity& quantity, const BoundResult& result,
                                  DomainWork& work) {
  require(result.proof != nullptr, "BoundCertificate: a result without its proof");
  State& s = *state_;
  std::string id = s.claim_id(wanted, "bound_");
  const std::string domain_id = s.domain_id(domain);
  const std::string words = s.quantity_words(quantity);
  const std::string root = s.once("c", "ROOT", domain_id);
  const auto fact = [&](const std::vector<BranchNode>& tree, const std::string& side) {
    return TreeWriter<State>(s, work, tree, id + " " + side).fact(0, root);
  };
  std::string lo, hi;
  if (quantity.kind == QuantityKind::logit_margin) {
    std::string every;
    for (const auto& [y, tree] : result.proof->rivals) {
      every += (every.empty() ? "" : " ") + fact(tree, "lo-" + std::to_string(y));
    }
    lo = s.rival(root, id + " lo", every);
    hi = s.rival(root, id + " hi",
                 fact(result.proof->hi, "hi-" + std::to_string(result.proof->rival)));
  } else {
    lo = fact(result.proof->lo, "lo");
    hi = fact(result.proof->hi, "hi");
  }
  s.step(id, "BOUND", lo + " " + hi);
  s.statement += "bound " + id + " " + words + " domain " + domain_id + " lo " +
                 hex_float(result.lo) + " hi " + hex_float(result.hi) + "\n";
  return id;
}

std::string BoundCertificate::add(const std::string& wanted, const Domain& domain,
                                  const Quantity& quantity, const FloatError& error,
                                  const FloatOptions& options) {
  require(error.is_known(), "BoundCertificate: no error to claim");
  State& s = *state_;
  std::string id = s.claim_id(wanted, "float32_");
  const std::string domain_id = s.domain_id(domain);
  const std::string words = s.quantity_words(quantity);
  s.step(id, "FLOAT32 " + s.once("c", "ROOT", domain_id), "");
  const FloatOptions usual;
  const bool is_usual = options.exp_ulps == usual.exp_ulps && options.act_ulps == usual.act_ulps;
  s.statement +=
      "float32 " + id + " " + words + " domain " + domain_id + " error " + hex_float(error.error) +
      (is_usual
           ? ""
           : " ulps " + std::to_string(options.exp_ulps) + " " + std::to_string(options.act_ulps)) +
      "\n";
  return id;
}

std::string BoundCertificate::add(const std::string& wanted, const Domain& domain,
                                  std::uint32_t feature, const FiringVerdict& verdict,
                                  DomainWork& work) {
  if (verdict.firing == Firing::may) {
    return "";
  }
  require(verdict.proof != nullptr, "BoundCertificate: a verdict without its proof");
  State& s = *state_;
  const bool on = verdict.firing == Firing::must_on;
  const std::string side = on ? "lo" : "hi";
  std::string id = s.claim_id(wanted, "bound_");
  const std::string domain_id = s.domain_id(domain);
  const std::string root = s.once("c", "ROOT", domain_id);
  s.reads_features = true;
  std::string words;
  const auto add_fact = [&](const std::vector<BranchNode>& tree, const std::string& of) {
    words +=
        (words.empty() ? "" : " ") + TreeWriter<State>(s, work, tree, id + " " + of).fact(0, root);
  };
  if (const auto& own = verdict.proof->own) {
    add_fact(on ? own->lo : own->hi, side);
  }
  for (const auto& [y, tree] : verdict.proof->others) {
    add_fact(tree, side + "-" + std::to_string(y));
  }
  s.step(id, on ? "MUST-ON" : "MUST-OFF", words);
  s.statement += std::string(on ? "feature-on " : "feature-off ") + id + " " +
                 std::to_string(feature) + " domain " + domain_id + "\n";
  return id;
}

std::string BoundCertificate::lemma(const Lemma& lemma, DomainWork& work) {
  require(lemma.proof != nullptr, "BoundCertificate: a lemma without its proof");
  State& s = *state_;
  const std::string box = s.domain_words(lemma.box);
  const std::string id = s.fresh("l");
  s.step(id, "LEMMA", s.quantity_words(lemma.quantity) + " " + box);
  std::string& root = s.known["root of " + box];
  if (root.empty()) {
    root = s.fresh("c");
    s.step(root, "ROOT", id);
  }
  return TreeWriter<State>(s, work, lemma.proof->tree, id + (lemma.is_lower ? " lo" : " hi"),
                           lemma.proof->work)
      .fact(0, root);
}

const std::string& BoundCertificate::steps() const {
  return state_->text;
}

std::size_t BoundCertificate::step_count() const {
  return state_->steps;
}

std::size_t BoundCertificate::claims() const {
  return state_->claims;
}

std::string BoundCertificate::request() const {
  return "assay-request 1\n" + state_->statement + "end\n";
}

std::string BoundCertificate::certificate() const {
  const State& s = *state_;
  std::string text = "assay-cert 1\nkind bounds\nsemantics REAL\nmodel " +
                     s.model.config_digest.hex() + " " + s.model.weights_digest.hex() + "\n";
  if (s.reads_features) {
    text += "sae " + s.sae->config_digest.hex() + " " + s.sae->weights_digest.hex() + "\n";
  }
  for (const auto& [id, digest] : s.readouts) {
    text += "readout " + id + " " + digest.hex() + "\n";
  }
  return text + "statement " + sha256(request()).hex() + "\n" + s.text + "end " +
         std::to_string(s.steps) + "\n";
}

}  // namespace assay::bounds
