#include "request.hpp"

#include <set>

#include "reject.hpp"

namespace assay_check {
namespace {

using Words = std::vector<std::string_view>;

void need(bool good, const std::string& reason) {
  if (!good) {
    throw Reject("request", reason);
  }
}

RequestClaim parse_claim(const Words& words) {
  RequestClaim claim;
  need(words.size() >= 5, "expected a claim");
  claim.id = parse_id(words[1]);
  if (words[0] == "residual") {
    need(words.size() == 6 && words[2] == "data" && words[4] == "max-r2",
         "expected residual ID data SHA max-r2 FRAC");
    claim.kind = RequestClaim::Kind::residual;
    claim.data_sha = parse_sha(words[3]);
    claim.max_r2 = parse_fraction(words[5]);
    return claim;
  }
  need(words[0] == "feature-off" || words[0] == "token-out", "expected a claim");
  need(words[3] == "suffix", "expected suffix");
  claim.kind =
      words[0] == "token-out" ? RequestClaim::Kind::token_out : RequestClaim::Kind::feature_off;
  claim.subject = parse_nat(words[2]);
  for (std::size_t i = 4; i < words.size(); ++i) {
    claim.suffix.push_back(parse_nat(words[i]));
  }
  return claim;
}

void parse_line(std::string_view line, Request& request, std::set<std::string>& ids) {
  const Words words = split_words(line);
  if (words[0] == "decoder") {
    need(!request.decoder && words.size() == 7 && words[1] == "min-p" &&
             words[3] == "temperature" && words[5] == "order",
         "expected one line decoder min-p FRAC temperature FRAC order before|after");
    request.decoder = parse_min_p(words[2], words[4], words[6]);
    return;
  }
  request.claims.push_back(parse_claim(words));
  need(ids.insert(request.claims.back().id).second, "a second claim has this id");
}

}  // namespace

Interval MinP::cut() const {
  const Interval log = min_p.num == min_p.den ? Interval(0) : logarithm(min_p.interval());
  return temperature_first ? temperature.interval() * log : log;
}

std::string MinP::text() const {
  return "min-p " + min_p.text() + " temperature " + temperature.text() + " order " +
         (temperature_first ? "before" : "after");
}

MinP parse_min_p(std::string_view min_p, std::string_view temperature, std::string_view order) {
  MinP decoder{parse_fraction(min_p), parse_fraction(temperature), order == "before"};
  need(order == "before" || order == "after", "decoder order: expected before or after");
  need(decoder.min_p.num > 0 && decoder.min_p.num <= decoder.min_p.den &&
           decoder.temperature.num > 0,
       "decoder: expected 0 < min-p <= 1 and temperature > 0");
  return decoder;
}

Request parse_request(const std::string& text, const std::string& file) {
  Request request;
  std::set<std::string> ids;
  std::size_t line = 0;
  try {
    bool ended = false;
    for (std::size_t begin = 0; begin < text.size(); ++line) {
      const std::size_t end = text.find('\n', begin);
      need(end != std::string::npos, "the last line does not end");
      const std::string_view row = std::string_view(text).substr(begin, end - begin);
      begin = end + 1;
      need(!ended, "a line after end");
      if (line == 0) {
        need(row == "assay-request 1", "expected assay-request 1");
      } else if (row == "end") {
        ended = true;
      } else if (!row.starts_with('#')) {
        parse_line(row, request, ids);
      }
    }
    need(ended && !request.claims.empty(), "expected at least one claim and end");
    for (const RequestClaim& claim : request.claims) {
      need(claim.kind != RequestClaim::Kind::token_out || request.decoder,
           "token-out needs a decoder line");
    }
  } catch (const Reject& r) {
    throw Reject("request", r.reason(), file, line + 1);
  }
  return request;
}

}  // namespace assay_check
