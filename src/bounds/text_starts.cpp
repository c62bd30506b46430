#include "text_starts.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace assay::bounds {
namespace {

constexpr std::size_t kMostStarts = 512;
constexpr std::size_t kClimbed = 4;

/// Tokens before and at `end` that lie in the domain's sets, at most as many as a query reads.
std::size_t matched(const Network& net, const Domain& domain, const std::vector<TokenId>& text,
                    std::size_t end) {
  const std::size_t most = std::min(end + 1, net.keys(domain.max_length));
  std::size_t n = 0;
  while (n < most && (n < domain.last.size() || !domain.rest.empty()) &&
         std::binary_search(domain.back(n).begin(), domain.back(n).end(), text[end - n])) {
    ++n;
  }
  return n;
}

/// The length of a context whose last `seen` tokens are given: all that are read are given.
std::size_t length_of(const Network& net, const Domain& domain, std::size_t seen) {
  return seen == net.keys(domain.max_length) ? domain.max_length
                                             : std::max(seen, domain.min_length);
}

}  // namespace

TextStarts text_starts(DomainWork& work, const std::vector<std::vector<TokenId>>& documents) {
  const Network& net = work.places().net();
  const Domain& domain = work.places().domain();
  struct Place {
    const std::vector<TokenId>* text;
    std::size_t end, count;
  };
  std::vector<Place> places;
  for (const std::vector<TokenId>& text : documents) {
    for (std::size_t end = 0; end < text.size(); ++end) {
      const std::size_t n = matched(net, domain, text, end);
      if (n >= net.keys(domain.min_length)) {
        places.push_back({&text, end, n});
      }
    }
  }
  std::set<std::vector<TokenId>> found;  // query first
  const std::size_t tries = std::min(places.size(), kMostStarts);
  for (std::size_t i = 0; i < tries; ++i) {
    const Place& place = places[i * places.size() / tries];
    const auto last = place.text->rend() - static_cast<std::ptrdiff_t>(place.end + 1);
    found.emplace(last, last + static_cast<std::ptrdiff_t>(place.count));
  }
  TextStarts starts;
  starts.mid = Rows(index(found.size()), index(net.d));
  for (const std::vector<TokenId>& back : found) {
    Context c = context_of(work, back, length_of(net, domain, back.size()));
    starts.mid.row(index(starts.contexts.size())) = nearest_mid(
        work.work(c.box)->ready(), std::vector<const std::vector<TokenId>*>(net.heads, &c.back));
    starts.contexts.push_back(std::move(c));
  }
  return starts;
}

std::vector<Context> climb_from_text(DomainWork& work, const Target& target,
                                     const Coordinate& coordinate, const TextStarts& starts) {
  const std::vector<double> values = nearest_values(work.places().net(), target, starts.mid);
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  order.resize(std::min(order.size(), kClimbed));
  std::vector<Context> climbed;
  for (const std::size_t i : order) {
    climbed.push_back(starts.contexts[i]);
    climbed.back().value = values[i];
    climb(work, target, coordinate, climbed.back());
  }
  std::stable_sort(climbed.begin(), climbed.end(),
                   [](const Context& a, const Context& b) { return a.value > b.value; });
  return climbed;
}

}  // namespace assay::bounds
