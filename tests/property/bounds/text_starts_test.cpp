#include <catch.hpp>
#include <limits>

#include "assay/bounds/bound.hpp"
#include "family_model.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

using Document = std::vector<TokenId>;

Document random_text(Random& r, std::size_t V, std::size_t n) {
  Document text;
  for (std::size_t i = 0; i < n; ++i) {
    text.emplace_back(r.below(V));
  }
  return text;
}

/// Contexts of the domain that end somewhere in the text, as long as they can be: their number.
std::size_t count_ends(const Transformer& m, const Domain& domain, const Document& text) {
  const std::size_t window = m.config.attention_window;
  std::size_t count = 0;
  for (std::size_t end = 0; end < text.size(); ++end) {
    const std::size_t need = window == 0 ? domain.min_length : std::min(domain.min_length, window);
    bool fits = end + 1 >= need;
    for (std::size_t j = 0; fits && j < need; ++j) {
      const TokenSet& set = domain.back(j);
      fits = std::find(set.begin(), set.end(), text[end - j]) != set.end();
    }
    count += fits ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("contexts of a text only raise what is attained, and are replayed", "[property]") {
  std::uint64_t seed = 4000;
  std::size_t raised = 0, found = 0;
  for (const fixture::Family& family : fixture::families()) {
    for (int round = 0; round < 6; ++round) {
      ++seed;
      CAPTURE(family.name, seed);
      Random r(seed);
      const Transformer m = fixture::family_model(family, seed, 5, 3.0);
      const std::vector<std::vector<std::uint32_t>> sets{
          {0, 1, 2, 3, 4}, {0, 2, 3, 4}, {0, 1, 2, 3}, {1, 2, 4}, {2, 3}};
      const Domain domain = round % 2 == 0 ? fixed_domain(sets) : suffix_domain(m, {1, 2}, 6);
      const Document text = random_text(r, 5, 4000);
      Bounder alone(m, nullptr), helped(m, nullptr);
      helped.attack_from({text, {}, random_text(r, 5, 1)});
      for (const Quantity& q : fixture::quantities_of(m, nullptr, seed)) {
        CAPTURE(q.text());
        const BoundOptions options{.nodes = 1, .enumerate = 0};
        const BoundResult a = alone.bound(domain, q, options);
        const BoundResult b = helped.bound(domain, q, options);
        CHECK(a.text_contexts == 0);
        CHECK((b.text_contexts > 0) == (count_ends(m, domain, text) > 0));
        CHECK(b.attained_hi >= a.attained_hi - 1e-9);
        CHECK(b.attained_lo <= a.attained_lo + 1e-9);
        CHECK(b.hi == a.hi);
        CHECK(b.lo == a.lo);
        CHECK(b.attained_hi == replay(m, nullptr, q, b.witness_hi));
        CHECK(b.attained_lo == replay(m, nullptr, q, b.witness_lo));
        for (const auto* witness : {&b.witness_hi, &b.witness_lo}) {
          CHECK(witness->size() >= domain.min_length);
          CHECK(witness->size() <= std::max(domain.max_length, domain.min_length));
          CHECK(count_ends(m, domain, *witness) > 0);
        }
        raised += (b.attained_hi > a.attained_hi + 1e-9 ? 1 : 0) +
                  (b.attained_lo < a.attained_lo - 1e-9 ? 1 : 0);
        found += b.text_contexts;
      }
    }
  }
  CHECK(raised > 0);
  CHECK(found > 1000);
}

TEST_CASE("the text's own contexts are tried: the best of all is found there", "[property]") {
  // Every context of the domain stands in the text, so that no search is needed.
  for (const fixture::Family& family : fixture::families()) {
    const Transformer m = fixture::family_model(family, 77, 4, 4.0);
    const std::vector<std::vector<std::uint32_t>> sets{{0, 1, 2, 3}, {0, 1, 2, 3}, {1}};
    std::vector<Document> documents = fixture::contexts_of(sets);
    for (const Quantity& q : fixture::quantities_of(m, nullptr, 5)) {
      if (q.kind == QuantityKind::logit_margin) {
        continue;  // its rivals are searched one by one
      }
      CAPTURE(family.name, q.text());
      double most = -std::numeric_limits<double>::infinity();
      for (const Document& context : documents) {
        most = std::max(most, replay(m, nullptr, q, context));
      }
      Bounder bounder(m, nullptr);
      bounder.attack_from(documents);
      const BoundResult b = bounder.bound(fixed_domain(sets), q, {.nodes = 1, .enumerate = 0});
      CHECK(b.text_contexts == 16);
      CHECK(b.attained_hi == Approx(most).margin(1e-9));
    }
  }
}
