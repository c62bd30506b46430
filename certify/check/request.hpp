#pragma once

#include <cstdint>
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

/// The claims of a request, each read from its line when it is asked for: a line and 12 bytes are all that is kept.
class ClaimLines {
 public:
  explicit ClaimLines(std::string text) : text_(std::move(text)) {}

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::size_t size() const { return lines_.size(); }
  [[nodiscard]] RequestClaim at(std::size_t place) const;
  [[nodiscard]] std::string id(std::size_t place) const { return std::string(id_at(place)); }
  [[nodiscard]] std::optional<std::size_t> find(std::string_view id) const;

  /// A claim's line that begins there. @param number of the line, from 0
  void add(std::size_t begin, std::size_t number);
  /// After the last line: what `find` needs. Reject when an id stands twice.
  void index();
  [[nodiscard]] std::size_t number(std::size_t place) const { return lines_[place].number; }

 private:
  struct Line {
    std::uint32_t begin = 0, number = 0;
  };
  [[nodiscard]] std::string_view line(std::size_t place) const;
  [[nodiscard]] std::string_view id_at(std::size_t place) const;

  std::string text_;
  std::vector<Line> lines_;
  std::vector<std::uint32_t> by_id_;  ///< places
};

struct Request {
  std::optional<MinP> decoder;
  ClaimLines claims;
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
[[nodiscard]] Request parse_request(std::string text, const std::string& file);

}  // namespace assay_check
