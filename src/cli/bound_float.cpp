#include "bound_float.hpp"

#include "assay/base/text.hpp"
#include "assay/num/interval.hpp"

namespace assay::cli {
namespace {

/// FLOAT32-ANY-ORDER   lo <= Q <= hi and |float32 Q − Q| <= E   |-   lo − E <= float32 Q <= hi + E
Interval widened(const bounds::BoundResult& real, double error) {
  return {round_down(real.lo - error), round_up(real.hi + error)};
}

}  // namespace

void add_float32(nlohmann::ordered_json& object, const bounds::BoundResult& real,
                 const bounds::FloatError& error) {
  object["float32_semantics"] = "FLOAT32-ANY-ORDER";
  if (!error.is_known()) {
    object["float32_error"] = nullptr;
    object["float32_lo"] = nullptr;
    object["float32_hi"] = nullptr;
    object["float32_reason"] = error.reason;
    return;
  }
  const Interval interval = widened(real, error.error);
  object["float32_error"] = error.error;
  object["float32_lo"] = interval.lo;
  object["float32_hi"] = interval.hi;
  object["float32_given"] = error.given;
}

std::string float32_lines(const bounds::BoundResult& real, const bounds::FloatError& error) {
  if (!error.is_known()) {
    return "  float32    no bound: " + error.reason + "\n";
  }
  const Interval interval = widened(real, error.error);
  return "  float32    [" + decimal(interval.lo) + ", " + decimal(interval.hi) +
         "]   PROVED (FLOAT32-ANY-ORDER: within " + decimal(error.error) + " of real)\n" +
         "  given      " + error.given + "\n";
}

}  // namespace assay::cli
