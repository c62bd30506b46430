#include <algorithm>
#include <set>

#include "letters.hpp"
#include "refinement.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxNumbers = std::size_t{1} << 27;  // words of boxes held

BoxSpace space_of(Session& session) {
  const Network& net = session.attention().net();
  need_plain_windows(net);
  return {net.d_vocab, net.window};
}

}  // namespace

Refinement::Refinement(Session& session) : space(space_of(session)), out(space.tokens()) {}

Refinement& Session::refinement() {
  if (!refinement_) {
    refinement_ = std::make_shared<Refinement>(*this);
  }
  return *refinement_;
}

LemmaFact lemma_fact(Session& session, const Step& step, std::string_view id) {
  const Facts& facts = session.facts();
  const BoundFact* found = facts.find(id);
  if (found == nullptr || facts.cases.at(found->case_id).domain != found->claim->domain) {
    refuse(step, std::string(id) + " is not a fact about the whole box of a lemma");
  }
  return {*found, session.refinement().lemma(step, found->claim->id)};
}

const Lemma& Refinement::lemma(const Step& step, std::string_view id) const {
  const auto found = lemmas_.find(id);
  if (found == lemmas_.end()) {
    refuse(step, "no earlier lemma " + std::string(id));
  }
  return found->second;
}

Box Refinement::read_box(const Domain& domain) {
  numbers_ += 2 * space.size();  // it and what comes before it
  if (numbers_ > kMaxNumbers) {
    throw Reject("box", "the boxes take more memory than is given");
  }
  return space.of(domain);
}

void Refinement::add_lemma(const Step& step) {
  const auto at = std::find(step.words.begin(), step.words.end(), "lengths");
  const std::span<const std::string_view> words(step.words.begin(), at), box(at, step.words.end());
  Lemma lemma;
  lemma.claim.kind = RequestClaim::Kind::bound;
  lemma.claim.id = step.id;
  lemma.claim.quantity =
      !words.empty() && words[0] == "logit-mixture" ? parse_mixture(words) : parse_quantity(words);
  lemma.domain = parse_domain(box);
  lemma.box = read_box(lemma.domain);
  lemma.claim.domain = names_.emplace(lemma.box, step.id).first->second;
  lemmas_.emplace(step.id, std::move(lemma));
}

// LEMMA: an internal claim, about a quantity in every context whose view lies in the box. Nothing is shown.
void rule_lemma(Session& session, const Step& step) {
  if (!step.premises.empty()) {
    refuse(step, "expected LEMMA : QUANTITY lengths …");
  }
  session.refinement().add_lemma(step);
}

// OUT, in every context of the lemma's box
//   greedy, min-p:  l_T − Σ ω_i l_{y_i} (or l_T − l_y) <= U < cut; the mixture is at most the largest logit
//   top-k K:        l_T − l_{y_i} <= U_i < 0 for K different y_i, of equal boxes
//   ---------------------------------------------------------------------------------------------------
//   T is never emitted after a context of the box
void rule_out(Session& session, const Step& step) {
  const Emission& emission = session.runs().emission;
  using Kind = Emission::Kind;
  const bool top_k = emission.kind == Kind::top_k;
  const bool cuts = emission.kind == Kind::greedy || emission.kind == Kind::min_p;
  if (!emission.is_pairwise() || !(top_k || cuts)) {
    refuse(step, "OUT is of greedy, min-p and top-k without an allow-list");
  }
  if (!step.premises.empty() || (top_k ? step.words.empty() : step.words.size() != 1)) {
    refuse(step, "expected OUT : f, or as many facts as top-k needs");
  }
  const Lemma& first = lemma_fact(session, step, step.words[0]).lemma;
  const std::size_t token = first.claim.quantity.index;
  const double cut = top_k ? 0 : emission.cut.lo();
  std::set<std::size_t> greater;
  for (const std::string_view word : step.words) {
    const LemmaFact f = lemma_fact(session, step, word);
    const Quantity& q = f.fact.claim->quantity;
    if (q.kind != Quantity::Kind::logit || q.index != token || !f.fact.high ||
        f.lemma.claim.domain != first.claim.domain || !(q.minus || (cuts && !q.mixture.empty()))) {
      refuse(step, std::string(word) + " is not a fact of side hi about the token and this box");
    }
    if (!(f.fact.bound < cut)) {
      refuse(step, "the bound is not shown to be below the decoder's cut");
    }
    if (q.minus) {
      greater.insert(*q.minus);
    }
  }
  if (top_k && greater.size() < emission.k) {
    refuse(step, "fewer than k tokens are shown to be greater");
  }
  session.refinement().out.at(token).push_back(&first.box);
}

// ATOM, in every context of the lemma's box
//   the fact's side encloses what atom AP reads off the threshold, by its band
//   --------------------------------------------------------------------------
//   AP is surely true (+), surely false (−)
void rule_atom(Session& session, const Step& step) {
  const std::vector<SpecAtom>& atoms = session.spec().atoms;
  if (!step.premises.empty() || step.words.size() != 3 ||
      (step.words[2] != "+" && step.words[2] != "-")) {
    refuse(step, "expected ATOM : f AP +|-");
  }
  const LemmaFact f = lemma_fact(session, step, step.words[0]);
  const std::size_t index = parse_nat_below(step.words[1], atoms.size(), "an ap");
  const SpecAtom& atom = atoms[index];
  const Quantity& q = f.fact.claim->quantity;
  const bool feature = atom.kind == SpecAtom::Kind::feature && q.kind == Quantity::Kind::feature &&
                       q.index == atom.feature && !q.minus;
  const bool readout = atom.kind == SpecAtom::Kind::readout && q.kind == Quantity::Kind::readout &&
                       q.name == atom.use;
  if (!feature && !readout) {
    refuse(step, "the fact is not about what the ap reads");
  }
  // what the fact does not bound may be as far as numbers go here: beyond every threshold
  const Interval read =
      f.fact.high ? Interval(-0x1p1000, f.fact.bound) : Interval(-f.fact.bound, 0x1p1000);
  const bool value = step.words[2] == "+";
  LetterReader reader(session, step, 0);
  if (reader.truth(atom, read) != (value ? LetterReader::Truth::yes : LetterReader::Truth::no)) {
    refuse(step, "the ap is not shown to be decided so");
  }
  Refinement& all = session.refinement();
  all.atoms.push_back({index, value, &f.lemma.box, all.space.before(f.lemma.box)});
}

}  // namespace assay_check
