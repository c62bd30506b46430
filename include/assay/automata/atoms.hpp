#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "assay/base/index.hpp"
#include "assay/model/forward.hpp"
#include "assay/model/readout.hpp"
#include "assay/model/sae.hpp"
#include "assay/spec/spec.hpp"

namespace assay::automata {

/// A readout under the name by which a spec uses it.
struct NamedReadout {
  std::string name;
  Readout readout;
};

/// Three-valued truth of the atoms at one position: bit i speaks of atom i; an atom that is not
/// decided is in may and not in must.
struct Letter {
  std::uint64_t must = 0, may = 0;
  bool operator==(const Letter&) const = default;
  auto operator<=>(const Letter&) const = default;
};

enum class Truth { no, unknown, yes };

/// value = [lo, hi] against `cmp threshold band`: yes when all of it lies in the region by at
/// least the band, no when all of it lies outside by at least the band, else unknown; NaN is
/// unknown.
[[nodiscard]] Truth compare(double lo, double hi, spec::Comparison comparison, double threshold,
                            double band);

/// The atoms of one or several resolved specs, ready to be read at positions of a forward pass.
class AtomReader {
 public:
  /// Atoms in the order of the specs; one name may come twice only with the same meaning. The
  /// SAE and the readouts must outlive the reader. Throws UsageError when a spec is not resolved,
  /// names clash, a readout is missing or there are more than 31 atoms, and
  /// Error(ExitCode::artifact) when a file is not the one a spec was resolved with.
  AtomReader(const std::vector<const spec::Spec*>& specs, const Transformer& model, const Sae& sae,
             const std::vector<NamedReadout>& readouts);

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  /// Sites that the forward pass must keep for `read` (the SAE's input site among them).
  [[nodiscard]] const std::vector<std::string>& hooks() const { return hooks_; }
  /// For each token the atoms about tokens alone that are true of it: [d_vocab].
  [[nodiscard]] const std::vector<std::uint64_t>& token_atoms() const { return token_atoms_; }

  /// Row `row` of a pass over a sequence with `token` there; `pre` = encoder pre-activations [d_sae]
  /// of that row. Doubles are taken with an error of one part in 10^9: what is nearer to a
  /// threshold than that is unknown.
  [[nodiscard]] Letter read(TokenId token, std::span<const double> pre,
                            const std::map<std::string, Matrix>& hooks, std::size_t row) const;

 private:
  struct Measure {
    std::size_t bit = 0;
    const Readout* readout = nullptr;  ///< null: a feature
    FeatureId feature;
    spec::Comparison comparison = spec::Comparison::above;
    double threshold = 0, band = 0;
  };
  void add(const spec::Spec& spec, const spec::Atom& atom,
           const std::vector<NamedReadout>& readouts);
  void add_tokens(const spec::Spec& spec, const spec::Atom& atom, std::size_t bit);
  void add_measure(const spec::Spec& spec, const spec::Atom& atom, std::size_t bit,
                   const std::vector<NamedReadout>& readouts);

  const Sae& sae_;
  std::vector<std::string> names_, meanings_, hooks_;
  std::vector<std::uint64_t> token_atoms_;
  std::uint64_t undecided_ = 0;  ///< atoms that are unknown everywhere
  std::vector<Measure> measures_;
};

}  // namespace assay::automata
