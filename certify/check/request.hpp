#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "decoder.hpp"
#include "domain.hpp"

namespace assay_check {

/// The tokens a context is known to end in: tokens.back() is the current token.
using Suffix = std::vector<std::size_t>;

/// QUANTITY of a bound line.
struct Quantity {
  enum class Kind { neuron, feature, readout, residual_mid, logit, margin } kind = Kind::neuron;
  std::size_t index = 0;             ///< neuron, feature, or the token A
  std::optional<std::size_t> minus;  ///< B of logit-difference, Y of feature-difference
  std::string name;                  ///< of the readout or direction
  std::vector<std::pair<std::size_t, Interval>> mixture =
      {};  ///< y, ω of l_index − Σ ω l_y, Σ ω = 1
};

struct RequestClaim {
  enum class Kind {
    feature_off,
    token_out,
    residual,
    bound,
    float32,
    must_on,
    must_off,
    site_bound,
    nullified,
    never_argmax,
    reach_at_most,
    reach_at_least
  } kind = Kind::feature_off;
  std::string id;
  std::size_t subject = 0;  ///< feature or token
  Suffix suffix;
  // must_on, must_off: of feature `quantity` in every context of the domain
  // bound: lo <= quantity <= hi in every context of the domain; site_bound: for every input of the
  // site, which `domain` then names; nullified: any two inputs' values differ by at most hi
  Quantity quantity;
  std::string domain, words;
  double lo = 0, hi = 0;  ///< float32: |computed − real| <= hi
  std::size_t exp_ulps = 2, act_ulps = 2;
  Fraction probability;               ///< reach_*: of reaching a state with the label `domain`
  std::optional<std::size_t> within;  ///< reach_*: in at most so many steps; none: ever
};

struct Request {
  std::optional<MinP> decoder;
  std::vector<RequestClaim> claims;
  std::map<std::string, std::size_t, std::less<>> place;  ///< of an id among the claims
  std::map<std::string, Domain> domains;
  std::map<std::string, std::vector<Interval>> directions;
  std::map<std::string, std::string> direction_sha;  ///< of the numbers as the line writes them
};

// Each throws Reject("request", …), parse_request with file and line. Claims by the files of their rules.
[[nodiscard]] Quantity parse_quantity(std::span<const std::string_view> words);
/// Not a quantity of a statement: TOKEN-OUT and LEMMA.
[[nodiscard]] Quantity parse_mixture(std::span<const std::string_view> words);
[[nodiscard]] RequestClaim parse_residual(std::span<const std::string_view> words);
[[nodiscard]] RequestClaim parse_float32(std::span<const std::string_view> words);
[[nodiscard]] RequestClaim parse_reach(std::span<const std::string_view> words);
[[nodiscard]] Request parse_request(const std::string& text, const std::string& file);

}  // namespace assay_check
