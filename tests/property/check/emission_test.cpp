#include "emission_truth.hpp"

#include "emission.hpp"

using namespace assay_check;

namespace {

/// The words of a runs file for the decoder.
std::string words_of(const emission_truth::Decoder& d) {
  using Kind = emission_truth::Decoder::Kind;
  std::string out;
  const std::string t = " temperature " + std::to_string(d.temperature);
  const std::string order = t + " order " + (d.temperature_first ? "before" : "after");
  switch (d.kind) {
    case Kind::greedy:
      out = "greedy" + t;
      break;
    case Kind::plain:
      out = "plain";
      break;
    case Kind::top_k:
      out = "top-k " + std::to_string(d.k) + t;
      break;
    case Kind::min_p:
      out = "min-p 1/" + std::to_string(1 << d.halvings) + order;
      break;
    case Kind::top_p:
      out = "top-p " + std::to_string(d.num) + "/" + std::to_string(d.den) + order;
      break;
  }
  if (d.mask != emission_truth::Decoder::Mask::none) {
    std::string set;
    for (std::size_t i = 0; i < d.allowed.size(); ++i) {  // runs are not adjacent in a SET
      std::size_t j = i;
      while (j + 1 < d.allowed.size() && d.allowed[j + 1] == d.allowed[j] + 1) {
        ++j;
      }
      set += (set.empty() ? "" : ",") + std::to_string(d.allowed[i]);
      set += j > i ? "-" + std::to_string(d.allowed[j]) : "";
      i = j;
    }
    out += std::string(" allow ") +
           (d.mask == emission_truth::Decoder::Mask::before ? "before " : "after ") + set;
  }
  return out;
}

}  // namespace

TEST_CASE("check: every decoder and mask agrees with its definition, ties and cuts included") {
  emission_truth::compare(
      [](const emission_truth::Decoder& d, const std::vector<double>& lo,
         const std::vector<double>& hi) {
        const std::string words = words_of(d);
        const Emission emission = parse_emission(split_words(words));
        std::vector<Interval> logits;
        for (std::size_t t = 0; t < lo.size(); ++t) {
          logits.emplace_back(lo[t], hi[t]);
        }
        std::vector<int> out;
        for (const Kept k : emission.support(logits)) {
          out.push_back(k == Kept::no ? 0 : k == Kept::open ? 1 : 2);
        }
        return out;
      },
      20000, 12);
}
