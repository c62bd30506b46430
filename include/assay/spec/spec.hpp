#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/base/index.hpp"
#include "assay/base/rational.hpp"
#include "assay/spec/level.hpp"

namespace assay::spec {

/// Where something stands in a .spec file, 1-based.
struct Place {
  std::size_t line = 0;
  std::size_t column = 0;
};

struct Use {
  std::string kind;  ///< "model", "sae", "readout"
  std::string name;
  std::string path;
  std::optional<Digest> sha256;
  Place place;
};

struct TokenClass {
  std::string name;
  enum class Form { strings, regex, ids, combination } form = Form::ids;
  std::vector<std::string> strings;  ///< token texts; a regular expression; or left, op, right
  std::vector<TokenId> ids;          ///< sorted; filled when resolved
  Place place;
};

enum class Comparison { at_least, above, at_most, below };

struct Atom {
  std::string name;  ///< the `ap` name
  enum class Kind {
    token_in,
    token_is,
    feature,
    readout,
    role,
    position,
    level
  } kind = Kind::token_in;
  std::string subject;                ///< class name, token text, use name (sae, readout), role
  std::optional<TokenId> token;       ///< token_is, when resolved
  std::optional<FeatureId> feature;   ///< feature, when resolved
  std::string best_class, best_site;  ///< best_feature(class, site), when not resolved
  Comparison comparison = Comparison::above;
  Rational threshold, band;  ///< position: the threshold is a whole number
  LinearForm form;           ///< level: what is compared, without constant
  Place place;
};

enum class Op {
  constant_true,
  constant_false,
  atom,
  not_,
  and_,
  or_,
  next_weak,
  next_strong,
  until,
  weak_until,
  eventually,
  globally,
  yesterday,
  once,
  historically
};

/// An immutable formula; bounds only on eventually/globally ([lo:hi], no hi = unbounded) and on
/// once/historically ([0:hi], no hi = unbounded).
struct Formula;
using FormulaPtr = std::shared_ptr<const Formula>;
struct Formula {
  Op op = Op::constant_true;
  std::size_t atom = 0;  ///< index into Spec::atoms, for Op::atom
  std::vector<FormulaPtr> children;
  std::size_t lo = 0;
  std::optional<std::size_t> hi;
};

/// A named formula, kept as written; a property's formula has it expanded.
struct Let {
  std::string name;
  std::vector<std::string> parameters;
  std::string text;  ///< the ltl, tokens in canonical spacing
  Place place;
};

struct Property {
  enum class Claim { all, some, pmax, pmin };
  std::string name;
  Claim claim = Claim::all;
  Comparison comparison = Comparison::at_most;  ///< pmax, pmin
  Rational probability;                         ///< pmax, pmin
  /// Lets and patterns expanded, `from b` and `assume a` worked in:
  ///   all φ: a -> G(b -> X φ)     some φ: a & F(b & X[!] φ)     pmax, pmin: φ alone
  FormulaPtr formula;
  FormulaPtr from, assume;  ///< null: not given
  std::string text;         ///< the ltl as written, tokens in canonical spacing
  std::string from_text, assume_text;
  std::map<std::string, std::string> attributes;  ///< doc, severity, owner, expect, horizon, conf
  std::string waiver, waived_until;               ///< reason and YYYY-MM-DD; empty: none
  Place place;

  /// "all G !a assume b": the claim with what it is conditioned on.
  [[nodiscard]] std::string claim_text() const;
};

/// Why no engine can decide the claim: not `all`, or an atom that none sees (`role`). Empty: it can.
[[nodiscard]] std::string beyond_universal(const struct Spec& spec, const Property& property);

struct Spec {
  std::string name;
  std::size_t version = 0;
  std::vector<Use> uses;
  std::vector<TokenClass> classes;
  std::vector<Level> levels;
  std::vector<Atom> atoms;
  std::vector<Let> lets;
  std::vector<Property> properties;

  [[nodiscard]] const TokenClass* find_class(const std::string& class_name) const;
  [[nodiscard]] const Use* find_use(const std::string& use_name) const;
  /// Every class, token, feature fixed and every use digested.
  [[nodiscard]] bool is_resolved() const;
};

/// Names are declared before they are used. Limits: 1 MiB, 64 aps, 200 nested levels, 100,000
/// nodes a formula once expanded. Throws UsageError "FILE:LINE:COL: expected …, found …" with the
/// line, a caret under the place, and a fix where one is known.
[[nodiscard]] Spec parse_spec(const std::string& text, const std::string& file);
/// The atoms that occur in the formula, ascending.
[[nodiscard]] std::vector<std::size_t> atoms_of(const FormulaPtr& formula);

}  // namespace assay::spec
