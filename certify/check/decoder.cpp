#include "decoder.hpp"

#include "elementary.hpp"
#include "reject.hpp"
#include "session.hpp"

namespace assay_check {

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
  if (order != "before" && order != "after") {
    throw Reject("request", "decoder order: expected before or after");
  }
  if (!(decoder.min_p.num > 0 && decoder.min_p.num <= decoder.min_p.den &&
        decoder.temperature.num > 0)) {
    throw Reject("request", "decoder: expected 0 < min-p <= 1 and temperature > 0");
  }
  return decoder;
}

const MinP& Session::request_decoder() const {
  if (!request_ || !request_->decoder) {
    throw Reject("request", "no decoder line");
  }
  return *request_->decoder;
}

}  // namespace assay_check
