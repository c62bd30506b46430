#include "case_names.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"

namespace assay::certify {
namespace {

/// Claims and their evidence are called after these names.
void check_unique(const CaseFile& c, const std::string& where) {
  std::vector<std::string> names;
  const auto once = [&](const char* key, const std::string& name) {
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      throw InputError(where, key, "each name once", name + " again");
    }
    names.push_back(name);
  };
  for (const CheckCase& check : c.checks) {
    once("checks", check.name);
  }
  for (const SampledCase& s : c.sampled) {
    once("sampled", s.name);
  }
  for (const SiteCase& s : c.sites) {
    once("sites", s.name);
  }
}

/// The names of the case's erasures, each once.
std::vector<std::string> concepts_of(const CaseFile& c, const std::string& where) {
  std::vector<std::string> concepts;
  for (const ErasureCase& e : c.erasures) {
    if (std::find(concepts.begin(), concepts.end(), e.concept_name) != concepts.end()) {
      throw InputError(where, "erasures", "each concept once", visible(e.concept_name) + " again");
    }
    concepts.push_back(e.concept_name);
  }
  return concepts;
}

/// The readouts of every spec, each under the key that names it.
std::vector<std::pair<std::string, std::string>> readouts_of(const CaseFile& c) {
  std::vector<std::pair<std::string, std::string>> readouts;
  const auto gather = [&](const SpecCase& spec, const std::string& key) {
    for (const auto& [name, source] : spec.readouts) {
      readouts.emplace_back(key + visible(name), source);
    }
  };
  if (c.spec) {
    gather(*c.spec, "spec.readouts.");
  }
  for (const CheckCase& check : c.checks) {
    gather(check.spec, "checks." + check.name + ".readouts.");
  }
  for (const SampledCase& s : c.sampled) {
    gather(s.spec, "sampled." + s.name + ".readouts.");
  }
  return readouts;
}

void check_readouts(const CaseFile& c, const std::string& where) {
  const std::vector<std::string> concepts = concepts_of(c, where);
  for (const auto& [key, source] : readouts_of(c)) {
    const std::size_t slash = source.find('/');
    const std::string probe = slash == std::string::npos ? "" : source.substr(slash + 1);
    const bool is_concept =
        std::find(concepts.begin(), concepts.end(), source.substr(0, slash)) != concepts.end();
    if (c.folded && c.folded->readouts.contains(source)) {
      continue;
    }
    if (!is_concept || (probe != "probe" && probe != "probe_erased")) {
      throw InputError(where, key, "CONCEPT/probe or CONCEPT/probe_erased of an erasure",
                       visible(source));
    }
  }
}

}  // namespace

void need_names(const CaseFile& c, const std::string& where) {
  const auto known = [&](const std::string& key, const std::string& name) {
    if (!name.empty() && c.dictionaries.count(name) == 0) {
      throw InputError(where, key, "a name of dictionaries", visible(name));
    }
  };
  if (c.bounds) {
    known("bounds.dictionary", c.bounds->dictionary);
  }
  if (c.automaton) {
    known("automaton.dictionary", c.automaton->dictionary);
  }
  if (c.spec && !c.automaton) {
    throw InputError(where, "automaton", "an object, because spec is given", "nothing");
  }
  if (!c.bounds && !c.spec && c.erasures.empty() && c.checks.empty() && c.sites.empty() &&
      c.sampled.empty() && !c.folded) {
    throw InputError(where, "keys",
                     "at least one of bounds, spec, erasures, checks, sampled, sites, folded",
                     "none");
  }
  if (c.folded) {
    for (const auto& [name, unused] : c.dictionaries) {
      if (!c.folded->dictionaries.contains(name)) {
        throw InputError(where, "folded.dictionaries", "the base model's " + visible(name),
                         "nothing");
      }
    }
  }
  for (const SiteCase& s : c.sites) {
    known("sites." + s.name + ".dictionary", s.dictionary);
  }
  check_unique(c, where);
  check_readouts(c, where);
}

}  // namespace assay::certify
