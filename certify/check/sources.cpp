#include <algorithm>

#include "reject.hpp"
#include "session.hpp"
#include "sha256.hpp"

// What kinds `automaton` and `erasure` read beside the model.
namespace assay_check {
namespace {

constexpr std::size_t kMaxData = std::size_t{4} << 30;

}  // namespace

void Session::check_model_uses() const {
  if (!spec_ || header_.machine) {
    return;
  }
  for (const SpecUse& use : spec_->uses) {
    if (use.kind == "model" && use.sha != header_.weights_sha) {
      throw Reject("digest", "the spec is about another model", *inputs_.spec);
    }
  }
}

Spec& Session::spec() {
  if (!spec_) {
    throw Reject("spec", "the statement is not a spec");
  }
  return *spec_;
}

std::size_t Session::property(std::string_view name, bool chance) const {
  for (std::size_t i = 0; spec_ && i < spec_->properties.size(); ++i) {
    if (spec_->properties[i].name == name) {
      const SpecProperty& p = spec_->properties[i];
      if (!p.supported || p.chance.has_value() != chance || (p.some && header_.kind != "exact")) {
        throw Reject("spec", "no rule speaks of the claim of property " + std::string(name));
      }
      for (std::size_t a = 0; a < spec_->atoms.size(); ++a) {
        if (!header_.machine && (spec_->properties[i].atoms >> a & 1) != 0 &&
            spec_->atoms[a].kind == SpecAtom::Kind::level) {
          throw Reject("spec", "levels: only certificates of kind level speak of them");
        }
      }
      return i;
    }
  }
  throw Reject("spec", "the statement has no such property " + std::string(name));
}

void Session::need_sources(std::size_t property) const {
  if (header_.machine) {
    return;  // the machine gives the aps by their names
  }
  const std::uint64_t used = spec_->properties[property].atoms;
  for (std::size_t i = 0; i < spec_->atoms.size(); ++i) {
    const SpecAtom& atom = spec_->atoms[i];
    if ((used >> i & 1) == 0 || atom.kind == SpecAtom::Kind::token) {
      continue;
    }
    const bool feature = atom.kind == SpecAtom::Kind::feature;
    const std::string& sha = spec_->find_use(feature ? "sae" : "readout", atom.use)->sha;
    const auto listed = header_.readouts.find(atom.use);
    const bool same = feature ? header_.sae && header_.sae->second == sha
                              : listed != header_.readouts.end() && listed->second == sha;
    if (!same) {
      throw Reject("digest", "the header does not list the file that the spec calls " + atom.use);
    }
  }
}

const FittedAutomaton& Session::automaton() {
  if (!automaton_) {
    if (!header_.automaton || !inputs_.automaton) {
      throw Reject("automaton", "the header must list the automaton and --automaton give it");
    }
    automaton_ =
        parse_automaton(read_digested(*inputs_.automaton, *header_.automaton), *inputs_.automaton);
    std::vector<std::string> names;
    for (const SpecAtom& atom : spec().atoms) {
      names.push_back(atom.name);
    }
    if (automaton_->aps != names) {
      throw Reject("automaton", "aps are not those of the spec", *inputs_.automaton);
    }
  }
  return *automaton_;
}

const Runs& Session::runs() {
  if (!runs_) {
    if (!header_.runs || !inputs_.runs) {
      throw Reject("runs", "the header must list the runs and --runs give them");
    }
    runs_ = parse_runs(read_digested(*inputs_.runs, *header_.runs), *inputs_.runs,
                       attention().net().d_vocab);
    if (header_.kind != "exact" && !runs_->emission.is_pairwise()) {
      throw Reject("runs", "top-p and allow-lists: only certificates of kind exact speak of them");
    }
  }
  return *runs_;
}

std::string Session::data(const std::string& sha, std::string& name) const {
  for (const std::string& path : inputs_.data) {
    std::string bytes = read_file(path, kMaxData);
    if (sha256(bytes) == sha) {
      name = path;
      return bytes;
    }
  }
  throw Reject("digest", "no --data file has the digest that the statement names");
}

}  // namespace assay_check
