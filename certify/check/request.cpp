#include "request.hpp"

#include <algorithm>

#include "erasure_claim.hpp"
#include "reject.hpp"
#include "sha256.hpp"

namespace assay_check {
namespace {

using Words = std::vector<std::string_view>;

void need(bool good, const std::string& reason) {
  if (!good) {
    throw Reject("request", reason);
  }
}

/// bound ID QUANTITY domain ID lo HEX hi HEX | site-bound ID QUANTITY site SITE lo HEX hi HEX |
/// nullified ID QUANTITY site SITE width HEX
RequestClaim parse_bound(const Words& words) {
  using Kind = RequestClaim::Kind;
  RequestClaim claim;
  claim.kind = words[0] == "bound"        ? Kind::bound
               : words[0] == "site-bound" ? Kind::site_bound
                                          : Kind::nullified;
  const bool width = claim.kind == Kind::nullified;
  const std::size_t n = words.size(), at = n - (width ? 4 : 6);  // of `domain` or `site`
  need(n >= (width ? 8 : 10) && words[at] == (claim.kind == Kind::bound ? "domain" : "site") &&
           (width || words[n - 4] == "lo") && words[n - 2] == (width ? "width" : "hi"),
       "expected ID QUANTITY domain ID lo HEX hi HEX, or site SITE, or width HEX");
  claim.id = parse_id(words[1]);
  claim.quantity = parse_quantity(std::span(words).subspan(2, at - 2));
  claim.domain = parse_id(words[at + 1]);
  claim.lo = width ? 0 : parse_hex(words[n - 3]);
  claim.hi = parse_hex(words[n - 1]);
  need(claim.lo <= claim.hi, "expected lo <= hi, or a width of at least 0");
  for (std::size_t i = 2; i < at; ++i) {
    claim.words += std::string(words[i]) + " ";
  }
  claim.words +=
      width ? "is one number to within " + std::string(words[n - 1])
            : "lies in [" + std::string(words[n - 3]) + ", " + std::string(words[n - 1]) + "]";
  return claim;
}

std::vector<Interval> parse_direction(const Words& words) {
  need(words.size() >= 4 && parse_nat(words[2]) == words.size() - 3,
       "expected direction ID NAT and as many numbers");
  std::vector<Interval> g;
  for (std::size_t i = 3; i < words.size(); ++i) {
    g.emplace_back(parse_hex(words[i]));
  }
  return g;
}

RequestClaim parse_claim(const Words& words) {
  if (words[0] == "bound" || words[0] == "site-bound" || words[0] == "nullified") {
    return parse_bound(words);
  }
  RequestClaim claim;
  if (words[0] == "never-argmax") {
    need(words.size() == 3, "expected never-argmax ID NAT");
    claim.kind = RequestClaim::Kind::never_argmax;
    claim.id = parse_id(words[1]);
    claim.subject = parse_nat(words[2]);
    return claim;
  }
  if (words[0] == "reach-at-most" || words[0] == "reach-at-least") {
    return parse_reach(words);
  }
  if (is_erasure_form(words[0])) {
    need(words.size() >= 4, "expected a claim");
    return parse_residual(words);
  }
  need(words.size() >= 5, "expected a claim");
  claim.id = parse_id(words[1]);
  if (words[0] == "float32") {
    return parse_float32(words);
  }
  if (words[3] == "domain") {
    need(words.size() == 5 && (words[0] == "feature-off" || words[0] == "feature-on"),
         "expected feature-on|feature-off ID NAT domain ID");
    claim.kind =
        words[0] == "feature-on" ? RequestClaim::Kind::must_on : RequestClaim::Kind::must_off;
    claim.quantity = {Quantity::Kind::feature, parse_nat(words[2]), {}, {}};
    claim.domain = parse_id(words[4]);
    claim.words = "feature " + std::string(words[2]);
    return claim;
  }
  need(words[0] == "feature-off" || words[0] == "token-out", "expected a claim");
  need(words[3] == "suffix", "expected suffix");
  claim.kind =
      words[0] == "token-out" ? RequestClaim::Kind::token_out : RequestClaim::Kind::feature_off;
  claim.subject = parse_nat(words[2]);
  claim.quantity = {Quantity::Kind::feature, claim.subject, {}, {}};  // of feature-off
  claim.words = (words[0] == "token-out" ? "token " : "feature ") + std::string(words[2]);
  for (std::size_t i = 4; i < words.size(); ++i) {
    claim.suffix.push_back(parse_nat(words[i]));
  }
  return claim;
}

/// A decoder, domain or direction line; false for a claim's.
bool parse_line(std::string_view line, Request& request) {
  const Words words = split_words(line);
  if (words[0] == "decoder") {
    need(!request.decoder && words.size() == 7 && words[1] == "min-p" &&
             words[3] == "temperature" && words[5] == "order",
         "expected one line decoder min-p FRAC temperature FRAC order before|after");
    request.decoder = parse_min_p(words[2], words[4], words[6]);
    return true;
  }
  if (words[0] == "domain" || words[0] == "direction") {
    need(words.size() >= 4, "expected a domain or direction line");
    const std::string id = parse_id(words[1]);
    const bool fresh =
        words[0] == "domain"
            ? request.domains.emplace(id, parse_domain(std::span(words).subspan(2))).second
            : request.directions.emplace(id, parse_direction(words)).second;
    need(fresh, "a second line of this kind has this id");
    if (words[0] == "direction") {
      request.direction_sha[id] = sha256(line.substr(words[3].data() - line.data()));
    }
    return true;
  }
  return false;
}

/// What a claim names is there.
void check_names(const RequestClaim& claim, const Request& request) {
  using Kind = RequestClaim::Kind;
  need(claim.kind != Kind::token_out || request.decoder, "token-out needs a decoder line");
  need((claim.kind != Kind::bound && claim.kind != Kind::float32 && claim.kind != Kind::must_on &&
        claim.kind != Kind::must_off) ||
           request.domains.contains(claim.domain),
       "the claim names no domain line");
  need(claim.quantity.kind != Quantity::Kind::residual_mid ||
           request.directions.contains(claim.quantity.name),
       "residual-mid names no direction line");
}

/// Everything but the claims, and where these are; `line` is the current one's number, from 0.
void read_lines(Request& request, std::size_t& line) {
  const std::string_view text = request.claims.text();
  bool ended = false;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::size_t end = text.find('\n', begin);
    need(end != std::string::npos, "the last line does not end");
    const std::string_view row = text.substr(begin, end - begin);
    need(!ended, "a line after end");
    if (line == 0) {
      need(row == "assay-request 1", "expected assay-request 1");
    } else if (row == "end") {
      ended = true;
    } else if (!row.starts_with('#') && !parse_line(row, request)) {
      request.claims.add(begin, line);
    }
    begin = end + 1;
  }
  need(ended && request.claims.size() > 0, "expected at least one claim and end");
}

}  // namespace

void ClaimLines::add(std::size_t begin, std::size_t number) {
  lines_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(number)});
}

std::string_view ClaimLines::line(std::size_t place) const {
  const std::size_t begin = lines_.at(place).begin;
  return std::string_view(text_).substr(begin, text_.find('\n', begin) - begin);
}

/// The second word of a line that `at` has read.
std::string_view ClaimLines::id_at(std::size_t place) const {
  const std::string_view row = line(place);
  const std::size_t from = row.find(' ') + 1;
  return row.substr(from, row.find(' ', from) - from);
}

RequestClaim ClaimLines::at(std::size_t place) const {
  return parse_claim(split_words(line(place)));
}

void ClaimLines::index() {
  for (std::uint32_t i = 0; i < lines_.size(); ++i) {
    by_id_.push_back(i);
  }
  const auto before = [&](std::uint32_t a, std::uint32_t b) { return id_at(a) < id_at(b); };
  std::stable_sort(by_id_.begin(), by_id_.end(), before);
  const auto twice = std::adjacent_find(by_id_.begin(), by_id_.end(),
                                        [&](auto a, auto b) { return !before(a, b); });
  need(twice == by_id_.end(), "a second claim has this id");
}

std::optional<std::size_t> ClaimLines::find(std::string_view id) const {
  const auto found = std::lower_bound(by_id_.begin(), by_id_.end(), id,
                                      [&](auto a, std::string_view x) { return id_at(a) < x; });
  return found != by_id_.end() && id_at(*found) == id ? std::optional<std::size_t>(*found)
                                                      : std::nullopt;
}

Request parse_request(std::string text, const std::string& file) {
  Request request{{}, ClaimLines(std::move(text)), {}, {}, {}};
  std::size_t line = 0;
  try {
    read_lines(request, line);
    for (std::size_t i = 0; i < request.claims.size(); ++i) {
      line = request.claims.number(i);
      check_names(request.claims.at(i), request);
    }
    request.claims.index();
  } catch (const Reject& r) {
    throw Reject("request", r.reason(), file, line + 1);
  }
  return request;
}

}  // namespace assay_check
