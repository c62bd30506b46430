#include "assay/smt/invariant.hpp"

namespace assay::smt {

const char* name(Opinion opinion) {
  switch (opinion) {
    case Opinion::agree:
      return "agree";
    case Opinion::disagree:
      return "disagree";
    case Opinion::unknown:
      return "unknown";
    case Opinion::not_built:
      break;
  }
  return "not_built";
}

}  // namespace assay::smt
