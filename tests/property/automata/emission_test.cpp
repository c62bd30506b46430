#include "assay/automata/emission.hpp"

#include "assay/spec/spec.hpp"
#include "emission_truth.hpp"

using namespace assay;

TEST_CASE("emission: every decoder and mask agrees with its definition, ties and cuts included") {
  emission_truth::compare(
      [](const emission_truth::Decoder& d, const std::vector<double>& lo,
         const std::vector<double>& hi) {
        automata::Emission emission = automata::Emission::parse(d.option());
        if (d.mask != emission_truth::Decoder::Mask::none) {
          emission.allow(d.allow(), spec::Spec{}, lo.size());
        }
        std::vector<automata::Edge> edges(lo.size());
        emission.decide(lo, hi, edges);
        std::vector<int> out;
        for (const automata::Edge e : edges) {
          out.push_back(e == automata::Edge::absent ? 0 : e == automata::Edge::open ? 1 : 2);
        }
        return out;
      },
      20000, 11);
}
