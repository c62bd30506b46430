#include "statistics_json.hpp"

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"

namespace assay::certify {

nlohmann::json statistics_json(const Statistics& s) {
  return {{"n", s.n},
          {"k", s.k},
          {"undecided", s.undecided},
          {"alpha", s.alpha},
          {"lo", s.lo},
          {"hi", s.hi},
          {"method", s.method},
          {"plan", s.plan},
          {"planSha256", s.plan_sha256},
          {"runs", s.runs},
          {"prompts", s.prompts},
          {"promptsSha256", s.prompts_sha256},
          {"seed", s.seed},
          {"decoder", s.decoder}};
}

Statistics read_statistics(const ObjectReader& o) {
  Statistics s;
  s.n = o.count("n");
  s.k = o.count("k");
  s.undecided = o.count("undecided");
  s.alpha = o.text("alpha");
  s.lo = o.text("lo");
  s.hi = o.text("hi");
  s.method = o.text("method");
  s.plan = o.text("plan");
  s.plan_sha256 = o.text("planSha256");
  s.runs = o.text("runs");
  s.prompts = o.text("prompts");
  s.prompts_sha256 = o.text("promptsSha256");
  s.seed = o.text("seed");
  s.decoder = o.text("decoder");
  if (s.method != kClopperPearson) {
    throw InputError(o.where(), "method", kClopperPearson, visible(s.method));
  }
  return s;
}

}  // namespace assay::certify
