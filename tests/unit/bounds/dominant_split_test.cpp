#include "../../../src/bounds/dominant_split.hpp"

#include <algorithm>
#include <catch.hpp>
#include <map>

#include "assay/base/random.hpp"
#include "family_model.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

using Sets = std::vector<std::vector<std::uint32_t>>;

bool holds(const Box& box, const std::vector<TokenId>& context) {
  for (std::size_t j = 0; j < context.size(); ++j) {
    const TokenSet& set = *box.back[j];
    if (std::find(set.begin(), set.end(), context[context.size() - 1 - j]) == set.end()) {
      return false;
    }
  }
  return true;
}

/// The cases below a node that bounds were made of.
void leaves(const std::vector<BranchNode>& tree, std::size_t at, std::vector<const Box*>& out) {
  if (tree[at].children.empty()) {
    out.push_back(&tree[at].box);
  }
  for (const std::size_t child : tree[at].children) {
    leaves(tree, child, out);
  }
}

}  // namespace

TEST_CASE("a division by position: the tokens with a score of at least T, ties above") {
  const auto set = [](std::vector<std::size_t> tokens) {
    TokenSet out(tokens.begin(), tokens.end());
    return std::make_shared<const TokenSet>(out);
  };
  Box box{4, 4, {set({2}), set({0, 1, 2}), set({1, 3}), set({0, 3})}};
  const auto row = [](std::vector<double> values) {
    return Row(Eigen::Map<const Row>(values.data(), index(values.size())));
  };
  const std::vector<SlotScores> scores{{1, row({1, 5, 5})}, {2, row({5, 4.999})}, {3, row({7, 6})}};
  const Split split = dominant_split(box, scores, 5);
  CHECK(split.by == Split::By::dominant);
  CHECK(split.slots == std::vector<std::size_t>{1, 2});  // every token of 3 reaches T: no division
  CHECK(split.sets == std::vector<TokenSet>{*set({1, 2}), *set({1})});
  CHECK(others(*box.back[1], split.sets[0]) == *set({0}));
  CHECK(dominant_split(box, scores, 6.5).by == Split::By::none);  // one position alone
  CHECK(dominant_split(box, scores, 8).by == Split::By::none);
}

TEST_CASE("the search's divisions by position cover every context once, and its bounds hold",
          "[property]") {
  std::size_t divisions = 0, contexts = 0;
  std::uint64_t seed = 7000;
  for (const fixture::Family& family : fixture::families()) {
    for (int round = 0; round < 6; ++round, ++seed) {
      CAPTURE(family.name, seed);
      const Transformer model = fixture::family_model(family, seed, 5, 2.0);
      const Sets sets{{0, 1, 3}, {0, 1, 2, 4}, {0, 2, 3, 4}, {1, 2, 3}, {2}};
      const auto all = fixture::contexts_of(sets);
      const Network net(model);
      DomainWork domain(net, fixed_domain(sets));
      for (Quantity& q : fixture::quantities_of(model, nullptr, seed)) {
        if (q.kind == QuantityKind::logit_margin) {
          continue;  // one tree a rival
        }
        const Target target = make_target(net, nullptr, q);
        const BranchResult found = branch(domain, target, {.nodes = 40, .enumerate = 0}, 40);
        double truth = -1e300;
        std::vector<const Box*> parts;
        leaves(found.tree, 0, parts);
        std::size_t missed = 0;
        for (const auto& context : all) {
          truth = std::max(truth, replay(model, nullptr, q, context));
          // With parts by a neuron's sign a context may lie in several.
          missed += std::none_of(
                        parts.begin(), parts.end(),
                        [&](const Box* box) {
                          return holds(
                              *box, {context.end() - static_cast<std::ptrdiff_t>(box->back.size()),
                                     context.end()});
                        })
                        ? 1
                        : 0;
        }
        CHECK(missed == 0);
        CHECK(found.hi >= truth);
        contexts += all.size();
        for (const BranchNode& node : found.tree) {
          // The chain: the first part is bounded, the rest is divided on without a bound.
          if (node.children.size() == 2 && node.bound && !found.tree[node.children[1]].bound) {
            const BranchNode &first = found.tree[node.children[0]],
                             &rest = found.tree[node.children[1]];
            ++divisions;
            CHECK(first.bound.has_value());
            REQUIRE(rest.children.size() == 2);
            CHECK(node.split.slot != rest.split.slot);
            TokenSet both;
            std::merge(node.split.sets[0].begin(), node.split.sets[0].end(),
                       node.split.sets[1].begin(), node.split.sets[1].end(),
                       std::back_inserter(both));
            CHECK(both == *node.box.back[node.split.slot]);
          }
        }
      }
    }
  }
  WARN(divisions << " cases were divided by position, " << contexts << " points");
  CHECK(divisions > 100);
}
