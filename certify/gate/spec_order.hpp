#pragma once

#include <string>

#include "assay/spec/spec.hpp"

namespace assay::certify {

/// Whether two properties, perhaps of two specs, imply each other. Atoms are the same when they mean the same token ids, the
/// same feature of a dictionary with the same digest, or the same reading; and of token sets and of thresholds on one number it is
/// known which excludes or includes which.
///
///   φ => ψ   when no run, ended or endless, satisfies φ & !ψ & what is known of the atoms
/// by emptiness of the LTLf and of the Büchi automaton. What their limits do not allow is not shown.
struct PropertyOrder {
  bool now_implies_old = false, old_implies_now = false;
  std::string reason;  ///< why the first is not shown, or empty
};
/// As claims: of `all` and `some` by the formulas, of Pmax and Pmin by event and probability.
/// @pre both specs are resolved and about token ids of one tokenizer.
[[nodiscard]] PropertyOrder compare(const spec::Spec& old_spec, const spec::Property& old_property,
                                    const spec::Spec& now_spec, const spec::Property& now_property);

/// The property says nothing: every run satisfies it, whatever the model does (`all`, `some`), or its probability is within
/// its limit by itself.
[[nodiscard]] bool says_nothing(const spec::Spec& spec, const spec::Property& property);

}  // namespace assay::certify
