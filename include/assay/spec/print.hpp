#pragma once

#include <string>
#include <string_view>

#include "assay/spec/spec.hpp"

namespace assay::spec {

/// The canonical text: uses, classes, aps, lets, properties, each group in file order. What it
/// prints parses back to the same spec and prints the same bytes.
[[nodiscard]] std::string print_spec(const Spec& spec);

/// A string literal of the language, quotes included.
[[nodiscard]] std::string string_literal(std::string_view bytes);
/// A number as the language writes it: "0.25". @pre the denominator divides a power of ten.
[[nodiscard]] std::string decimal_text(const Rational& value);
/// "feat(T/7) >= 0.5 band 0.1", "tok in digit", "heat + 2*load >= 5", …
[[nodiscard]] std::string atom_text(const Spec& spec, const Atom& atom);
/// "0.9*heat + 1".
[[nodiscard]] std::string form_text(const LinearForm& form, const std::vector<Level>& levels);

}  // namespace assay::spec
