#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <limits>

#include "../emit/json_profile.hpp"
#include "assay/base/digest.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/rational_sum.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/case.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

void refuse_other_keys(const ObjectReader& o, std::initializer_list<const char*> known) {
  for (const auto& [key, unused] : o.value().items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      std::string list;
      for (const char* name : known) {
        list += (list.empty() ? "" : ", ") + std::string(name);
      }
      throw InputError(o.where(), "keys", list, visible(key));
    }
  }
}

std::string text_or(const ObjectReader& o, const char* key, const std::string& otherwise) {
  return o.has(key) ? o.text(key) : otherwise;
}

std::size_t count_or(const ObjectReader& o, const char* key, std::size_t otherwise) {
  return o.has(key) ? o.count(key) : otherwise;
}

bool flag_or(const ObjectReader& o, const char* key, bool otherwise) {
  if (!o.has(key)) {
    return otherwise;
  }
  const nlohmann::json& v = o.value()[key];
  if (!v.is_boolean()) {
    throw InputError(o.where(), key, "true or false", v.type_name());
  }
  return v.get<bool>();
}

std::map<std::string, std::string> named_texts(const ObjectReader& o, const char* key) {
  std::map<std::string, std::string> out;
  if (o.has(key)) {
    const ObjectReader list = o.object(key);
    for (const auto& [name, unused] : list.value().items()) {
      out[name] = list.text(name.c_str());
    }
  }
  return out;
}

BoundsCase read_bounds(const ObjectReader& o, const fs::path& folder) {
  refuse_other_keys(o, {"request", "suggest", "known", "honest", "dictionary"});
  BoundsCase b;
  if (o.has("request")) {
    if (o.has("suggest") || o.has("known") || o.has("honest")) {
      throw InputError(o.where(), "keys", "either request, or suggest, known and honest", "both");
    }
    b.request = folder / o.text("request");
  }
  b.suggest = count_or(o, "suggest", b.suggest);
  b.known = count_or(o, "known", b.known);
  b.honest = flag_or(o, "honest", b.honest);
  b.dictionary = o.optional_text("dictionary");
  return b;
}

ErasureCase read_erasure(const ObjectReader& o) {
  refuse_other_keys(o,
                    {"concept", "regex", "shift", "hook", "maxTokens", "gridBits", "plantEmails"});
  ErasureCase e;
  e.concept_name = o.text("concept");
  e.regex = o.optional_text("regex");
  e.shift = count_or(o, "shift", e.shift);
  e.hook = text_or(o, "hook", e.hook);
  e.max_tokens = count_or(o, "maxTokens", e.max_tokens);
  const std::size_t bits = count_or(o, "gridBits", static_cast<std::size_t>(e.grid_bits));
  if (bits > 24) {
    throw InputError(o.where(), "gridBits", "6 to 24", std::to_string(bits));
  }
  e.grid_bits = static_cast<int>(bits);
  e.plant_emails = flag_or(o, "plantEmails", e.plant_emails);
  return e;
}

FoldedCase read_folded(const ObjectReader& o, const fs::path& folder) {
  refuse_other_keys(
      o, {"base", "eraser", "dictionaries", "readouts", "concept", "regex", "maxTokens"});
  FoldedCase f;
  f.base = folder / o.text("base");
  f.eraser = folder / o.text("eraser");
  for (const auto& [name, path] : named_texts(o, "dictionaries")) {
    f.dictionaries[name] = folder / path;
  }
  for (const auto& [name, path] : named_texts(o, "readouts")) {
    f.readouts[name] = folder / path;
  }
  f.concept_name = o.optional_text("concept");
  f.regex = o.optional_text("regex");
  if (!f.regex.empty() && f.concept_name.empty()) {
    throw InputError(o.where(), "concept", "the name of what the regex marks", "nothing");
  }
  f.max_tokens = count_or(o, "maxTokens", f.max_tokens);
  return f;
}

AutomatonCase read_automaton(const ObjectReader& o) {
  refuse_other_keys(o, {"dictionary", "runs", "maxNew", "promptLength", "features", "maxStates"});
  AutomatonCase a;
  a.dictionary = o.text("dictionary");
  a.runs = count_or(o, "runs", a.runs);
  a.max_new = count_or(o, "maxNew", a.max_new);
  a.prompt_length = count_or(o, "promptLength", a.prompt_length);
  a.features = count_or(o, "features", a.features);
  a.max_states = count_or(o, "maxStates", a.max_states);
  return a;
}

SpecCase read_spec(const ObjectReader& o, const fs::path& folder) {
  refuse_other_keys(o, {"file", "readouts", "properties"});
  return {folder / o.text("file"), named_texts(o, "readouts"), o.texts("properties")};
}

std::string plain_name(const ObjectReader& o) {
  std::string name = o.text("name");
  const bool plain = !name.empty() && name.size() <= 64 &&
                     std::all_of(name.begin(), name.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '-' || c == '_';
                     });
  if (!plain) {
    throw InputError(o.where(), "name", "1 to 64 letters, digits, - and _", visible(name));
  }
  return name;
}

CheckCase::Mode read_mode(const ObjectReader& o) {
  const std::string word = text_or(o, "mode", "auto");
  if (word == "auto") {
    return CheckCase::Mode::automatic;
  }
  if (word != "exact" && word != "refined") {
    throw InputError(o.where(), "mode", "exact, refined or auto", visible(word));
  }
  return word == "exact" ? CheckCase::Mode::exact : CheckCase::Mode::refined;
}

/// A budget of its own is above 0.
std::size_t budget_of(const ObjectReader& o, const char* key) {
  if (o.has(key) && o.count(key) == 0) {
    throw InputError(o.where(), key, "a number above 0", "0");
  }
  return count_or(o, key, 0);
}

CheckCase read_check(const ObjectReader& o, const fs::path& folder) {
  refuse_other_keys(o, {"name", "spec", "properties", "readouts", "mode", "decoder", "allow",
                        "prompts", "maxNew", "states", "lemmas"});
  CheckCase c;
  c.name = plain_name(o);
  c.spec = {folder / o.text("spec"), named_texts(o, "readouts"), o.texts("properties")};
  c.mode = read_mode(o);
  c.decoder = o.text("decoder");
  c.allow = o.optional_text("allow");
  if (o.has("prompts") && o.value()["prompts"].is_object()) {
    c.prompt_set = o.value()["prompts"].dump();
  } else {
    c.prompts = folder / o.text("prompts");
  }
  if (o.has("maxNew")) {
    c.max_new = o.count("maxNew");
  }
  c.states = budget_of(o, "states");
  c.lemmas = budget_of(o, "lemmas");
  return c;
}

Rational fraction(const ObjectReader& o, const char* key, const std::string& otherwise) {
  const Rational r = parse_rational(text_or(o, key, otherwise));
  if (r.num <= 0 || r.num > r.den) {
    throw InputError(o.where(), key, "a fraction above 0, at most 1", r.text());
  }
  return r;
}

SampledCase read_sampled(const ObjectReader& o, const fs::path& folder) {
  refuse_other_keys(o, {"name", "spec", "readouts", "decoder", "allow", "prompts", "runs", "maxNew",
                        "alpha", "atMost"});
  SampledCase s;
  s.name = plain_name(o);
  s.spec.file = folder / o.text("spec");
  s.spec.readouts = named_texts(o, "readouts");
  s.decoder = o.text("decoder");
  s.allow = o.optional_text("allow");
  s.prompts = folder / o.text("prompts");
  s.runs = count_or(o, "runs", s.runs);
  s.max_new = count_or(o, "maxNew", s.max_new);
  if (o.has("atMost")) {
    s.at_most = fraction(o, "atMost", "");
  }
  return s;
}

[[noreturn]] void refuse_alpha(const std::string& where, const std::string& found) {
  throw InputError(where, "sampled", "shares that add to at most the case's alpha", found);
}

/// One ledger for all rates of a case: an entry takes its own alpha, the others share what is left evenly.
void share_alpha(CaseFile& c, const ObjectReader& o) {
  c.alpha = fraction(o, "alpha", c.alpha.text());
  const std::vector<ObjectReader> entries = o.objects("sampled");
  std::optional<Rational> left = c.alpha;
  std::vector<SampledCase*> others;
  for (std::size_t i = 0; i < entries.size() && left; ++i) {
    if (entries[i].has("alpha")) {
      c.sampled[i].alpha = fraction(entries[i], "alpha", "");
      left = difference(*left, c.sampled[i].alpha);
    } else {
      others.push_back(&c.sampled[i]);
    }
  }
  if (!left || left->num < 0 || (left->num == 0 && !others.empty())) {
    refuse_alpha(o.where(), left ? "more than " + c.alpha.text() : "unwieldy fractions");
  }
  for (SampledCase* s : others) {
    const auto share = quotient(*left, static_cast<std::uint32_t>(others.size()));
    if (!share) {
      refuse_alpha(o.where(), "unwieldy fractions");
    }
    s->alpha = *share;
  }
}

std::optional<std::uint32_t> token_of(const ObjectReader& o, const char* key) {
  if (!o.has(key)) {
    return std::nullopt;
  }
  if (o.count(key) > std::numeric_limits<std::uint32_t>::max()) {
    throw InputError(o.where(), key, "an id", std::to_string(o.count(key)));
  }
  return static_cast<std::uint32_t>(o.count(key));
}

SiteCase read_site(const ObjectReader& o, const fs::path& folder) {
  refuse_other_keys(o, {"name", "site", "logit", "minus", "feature", "neverArgmax", "dictionary",
                        "readout", "width"});
  SiteCase s;
  s.name = plain_name(o);
  s.site = o.text("site");
  s.logit = token_of(o, "logit");
  s.minus = token_of(o, "minus");
  s.feature = token_of(o, "feature");
  s.never_argmax = token_of(o, "neverArgmax");
  s.dictionary = o.optional_text("dictionary");
  s.readout = o.has("readout") ? folder / o.text("readout") : fs::path();
  s.width = o.optional_text("width");
  const int asked = (s.logit ? 1 : 0) + (s.feature ? 1 : 0) + (s.never_argmax ? 1 : 0) +
                    (s.readout.empty() ? 0 : 1);
  if (asked != 1 || (s.minus && !s.logit) || (s.feature.has_value() == s.dictionary.empty()) ||
      (s.never_argmax && !s.width.empty())) {
    throw InputError(o.where(), "keys",
                     "one of logit (with minus or not), feature (with dictionary), readout, "
                     "neverArgmax (without width)",
                     "another set");
  }
  return s;
}

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

/// What every spec reads, and where it says so.
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

/// Names that one part of the case uses and another declares.
void check_names(const CaseFile& c, const std::string& where) {
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
  check_unique(c, where);
  std::vector<std::string> concepts;
  for (const ErasureCase& e : c.erasures) {
    if (std::find(concepts.begin(), concepts.end(), e.concept_name) != concepts.end()) {
      throw InputError(where, "erasures", "each concept once", visible(e.concept_name) + " again");
    }
    concepts.push_back(e.concept_name);
  }
  for (const SiteCase& s : c.sites) {
    known("sites." + s.name + ".dictionary", s.dictionary);
  }
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

void read_identity(const ObjectReader& o, CaseFile& c) {
  c.name = o.text("name");
  c.serial = o.text("serial");
  c.resource_uri = o.text("resourceUri");
  c.scope = o.optional_text("scope");
  c.valid_days = count_or(o, "validDays", 0);
  c.sequence = count_or(o, "sequence", 0);
  if (o.has("previous")) {
    c.previous = parse_digest(o.text("previous")).hex();
  }
}

CaseFile read_case(const std::string& json, const fs::path& file) {
  const nlohmann::json value = parse_profile_json(json, file.string());
  const ObjectReader o(value, file.string());
  refuse_other_keys(o, {"assay-case",   "alpha",    "sampled",    "name",       "serial",
                        "resourceUri",  "scope",    "validDays",  "model",      "text",
                        "dictionaries", "decoder",  "seed",       "evalTokens", "cards",
                        "bounds",       "erasures", "automaton",  "spec",       "checks",
                        "sites",        "folded",   "notClaimed", "sequence",   "previous"});
  if (o.count("assay-case") != 1) {
    throw InputError(o.where(), "assay-case", "1", std::to_string(o.count("assay-case")));
  }
  const fs::path folder = file.parent_path();
  CaseFile c;
  c.bytes = json;
  read_identity(o, c);
  c.model = o.has("model") ? folder / o.text("model") : fs::path();
  c.text = o.has("text") ? folder / o.text("text") : fs::path();
  for (const auto& [name, path] : named_texts(o, "dictionaries")) {
    c.dictionaries[name] = folder / path;
  }
  if (o.has("decoder")) {
    const ObjectReader d = o.object("decoder");
    refuse_other_keys(d, {"minP", "temperature", "order"});
    c.decoder =
        make_decoder(d.text("minP"), text_or(d, "temperature", "1"), text_or(d, "order", "after"));
  }
  c.seed = count_or(o, "seed", 1);
  c.eval_tokens = count_or(o, "evalTokens", c.eval_tokens);
  c.cards = count_or(o, "cards", c.cards);
  if (o.has("folded")) {
    c.folded = read_folded(o.object("folded"), folder);
  }
  if (o.has("bounds")) {
    c.bounds = read_bounds(o.object("bounds"), folder);
  }
  for (const ObjectReader& e : o.objects("erasures")) {
    c.erasures.push_back(read_erasure(e));
  }
  if (o.has("automaton")) {
    c.automaton = read_automaton(o.object("automaton"));
  }
  if (o.has("spec")) {
    c.spec = read_spec(o.object("spec"), folder);
  }
  for (const ObjectReader& check : o.objects("checks")) {
    c.checks.push_back(read_check(check, folder));
  }
  for (const ObjectReader& s : o.objects("sampled")) {
    c.sampled.push_back(read_sampled(s, folder));
  }
  share_alpha(c, o);
  for (const ObjectReader& s : o.objects("sites")) {
    c.sites.push_back(read_site(s, folder));
  }
  c.not_claimed = o.texts("notClaimed");
  check_names(c, o.where());
  return c;
}

}  // namespace

CaseFile parse_case(const std::string& json, const fs::path& file) {
  try {
    return read_case(json, file);
  } catch (const InputError& e) {
    throw UsageError(e.what());
  }
}

}  // namespace assay::certify
