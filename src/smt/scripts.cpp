#include "assay/smt/scripts.hpp"

#include "apart.hpp"
#include "solver.hpp"

namespace assay::smt {
namespace {

Opinion ask(const std::string& text, const Limits& limits) {
  LimitedConfig config(limits);
  z3::context c(config);
  z3::solver solver(c);
  solver.from_string(text.c_str());
  const z3::check_result answer = solver.check();
  return answer == z3::unsat ? Opinion::agree
         : answer == z3::sat ? Opinion::disagree
                             : Opinion::unknown;
}

}  // namespace

SecondOpinion check_scripts_apart(const std::vector<Script>& scripts, const Limits& limits) {
  return run_apart(
      [&] {
        SecondOpinion out{Opinion::agree, 0, ""};
        for (const auto& [name, text] : scripts) {
          try {
            ++out.obligations;
            const Opinion said = ask(text, limits);
            if (said != Opinion::agree) {
              return SecondOpinion{said, out.obligations, name};
            }
          } catch (const z3::exception& e) {
            return SecondOpinion{Opinion::unknown, out.obligations, name + ": " + e.msg()};
          }
        }
        return out;
      },
      static_cast<int>(limits.milliseconds / 1000) + 1);
}

}  // namespace assay::smt
