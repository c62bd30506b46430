#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "assay/spec/dfa.hpp"

namespace assay::spec {

using Letters = std::vector<std::size_t>;

/// What the letters read so far say of the whole run (LTL3 on finite runs):
///
///   LTL3   every run that begins with w satisfies φ   |-  holds
///          no run that begins with w satisfies φ      |-  violated
///          else open: it depends on what comes
/// Source: Bauer, Leucker and Schallhart, "Runtime verification for LTL and TLTL", 2011.
enum class Outlook : std::uint8_t { holds, violated, open };

/// [states]; exact.
[[nodiscard]] std::vector<Outlook> outlooks(const Acceptor& acceptor);

/// Whether every state can still reach one that is not open (Pnueli and Zaks 2006).
[[nodiscard]] bool is_monitorable(const Acceptor& acceptor);
/// A shortest run, perhaps without a letter, after which no way on is ever decided; nothing when
/// the formula is monitorable.
[[nodiscard]] std::optional<Letters> hopeless_run(const Acceptor& acceptor);

/// A shortest run of at least one letter that is accepted (or rejected); the first in the order
/// of the letters. Empty when there is none: the formula is unsatisfiable (or valid).
[[nodiscard]] std::optional<Letters> shortest_run(const Acceptor& acceptor, bool accepted);

/// Whether some run of at least one letter satisfies all: a run, or nothing. Throws UsageError
/// when the search meets more than 1,000,000 combinations of states.
/// @pre every acceptor is over the same atoms.
[[nodiscard]] std::optional<Letters> common_run(const std::vector<Acceptor>& acceptors);

/// Same language over runs of at least one letter. @pre over the same atoms.
[[nodiscard]] bool is_equivalent(const Acceptor& a, const Acceptor& b);

}  // namespace assay::spec
