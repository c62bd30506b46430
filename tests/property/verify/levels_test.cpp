// Random machines with levels against a second, dumb program (tests/support/level_trial.hpp), and what assay-check accepts
// against the same.
#include "assay/verify/levels.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "assay/base/digest.hpp"
#include "assay/base/errors.hpp"
#include "catch.hpp"
#include "kernel.hpp"
#include "level_trial.hpp"

using namespace assay;
using level_trial::kOne;
using level_trial::Random;
using level_trial::Trial;
using Verdict = verify::LevelResult::Verdict;

namespace {

/// No Z3: what is found here is found by enumeration or induction.
verify::LevelEffort without_solver(std::size_t points) {
  verify::LevelEffort effort;
  effort.points = points;
  effort.induction = 3;
  effort.depth = 0;
  effort.spacer = false;
  return effort;
}

/// Nothing when the machine has no run, which is an error.
std::optional<verify::LevelResult> decide(const Trial& trial, const verify::LevelEffort& effort) {
  const spec::Spec spec = spec::parse_spec(trial.spec(), "t");
  const automata::Hoa machine = automata::parse_hoa(trial.hoa(), "m");
  if (!trial.live_states()[0]) {
    CHECK_THROWS_AS(verify::decide_levels(spec, spec.properties[0], machine, effort), UsageError);
    return std::nullopt;
  }
  return verify::decide_levels(spec, spec.properties[0], machine, effort);
}

std::string exact_text(std::int64_t value) {
  std::int64_t below = kOne;
  while (below > 1 && value % 2 == 0) {
    value /= 2;
    below /= 2;
  }
  return std::to_string(value) + (below == 1 ? "" : "/" + std::to_string(below));
}

/// The run is one of the machine, with these numbers, and violates the property at its last letter.
void need_run(const Trial& trial, const verify::LevelResult& r) {
  using Tuple = std::array<std::int64_t, 4>;  // state, x, y, monitor
  const auto has = [](const std::vector<std::string>& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  std::set<Tuple> at{
      {0, trial.levels[0].initial * (kOne / 4), trial.levels[1].initial * (kOne / 4), 0}};
  for (const verify::LevelResult::Step& step : r.run) {
    const auto agrees = [&](unsigned letter) {
      return (!has(r.aps, "A") || has(step.shown, "A") == ((letter & 1U) != 0)) &&
             (!has(r.aps, "B") || has(step.shown, "B") == ((letter & 2U) != 0));
    };
    std::set<Tuple> next;
    for (const auto& [state, x, y, m] : at) {
      for (const Trial::Edge& e : trial.edges) {
        for (unsigned letter = 0; letter < 4 && m >= 0; ++letter) {
          if (e.from != state || e.to != static_cast<int>(step.state) ||
              ((e.letters >> letter) & 1U) == 0 || !agrees(letter)) {
            continue;
          }
          const auto [x2, y2] = trial.moved(x, y, letter);
          bool shown = true;
          for (std::size_t l = 0; l < r.levels.size(); ++l) {
            shown = shown && step.values[l] == exact_text(r.levels[l] == "x" ? x2 : y2);
          }
          if (shown) {
            next.insert({e.to, x2, y2, trial.watch(static_cast<int>(m), letter, x2, y2)});
          }
        }
      }
    }
    REQUIRE_FALSE(next.empty());
    at = std::move(next);
  }
  CHECK(std::any_of(at.begin(), at.end(), [](const Tuple& t) { return t[3] < 0; }));
}

/// What assay-check says of a certificate about a machine and a spec.
class Checked {
 public:
  Checked() { std::filesystem::create_directories(folder_); }
  ~Checked() { std::filesystem::remove_all(folder_); }
  Checked(const Checked&) = delete;
  Checked& operator=(const Checked&) = delete;

  bool accepts(const std::string& certificate, const std::string& machine,
               const std::string& spec) {
    const auto put = [&](const char* name, const std::string& text) {
      std::ofstream(folder_ / name, std::ios::binary) << text;
      return (folder_ / name).string();
    };
    assay_check::Inputs in;
    in.certificate = put("c", certificate);
    in.machine = put("m.hoa", machine);
    in.spec = put("t.spec", spec);
    const assay_check::Outcome outcome = assay_check::check(in);
    last = outcome.lines.back();
    return outcome.accepted;
  }
  std::string last;

 private:
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("assay-levels-" + std::to_string(::getpid()));
};

std::string with_digests(const std::string& proof, const std::string& machine,
                         const std::string& spec) {
  return "assay-cert 1\nkind level\nsemantics REAL\nmachine " + sha256(machine).hex() +
         "\nstatement " + sha256(spec).hex() + "\n" + proof + "end " +
         std::to_string(std::count(proof.begin(), proof.end(), '\n')) + "\n";
}

/// One number of the levels or of the comparison moved.
Trial changed(Trial t, Random& random) {
  level_trial::Trial::Level& level = t.levels[static_cast<std::size_t>(random.in(0, 1))];
  const int by = random.in(0, 1) == 0 ? -4 : 4;
  switch (random.in(0, 4)) {
    case 0:
      t.compared[2] += by;
      break;
    case 1:
      level.cases[static_cast<std::size_t>(random.in(0, static_cast<int>(level.cases.size()) - 1))]
          .to[2] += by;
      break;
    case 2:
      t.sign = random.in(0, 3);
      break;
    case 3:
      level.most = level.most ? std::optional<int>(*level.most + 4) : std::nullopt;
      break;
    default:
      t.edges[static_cast<std::size_t>(random.in(0, static_cast<int>(t.edges.size()) - 1))]
          .letters = static_cast<unsigned>(random.in(1, 15));
  }
  return t;
}

/// The proof with one of its numbers changed.
std::string corrupted(const std::string& proof, Random& random) {
  std::vector<std::size_t> digits;
  for (std::size_t i = 0; i < proof.size(); ++i) {
    if (proof[i] >= '0' && proof[i] <= '9' &&
        (proof[i - 1] == ' ' || proof[i - 1] == '-' || proof[i - 1] == '/')) {
      digits.push_back(i);
    }
  }
  std::string out = proof;
  const std::size_t at =
      digits[static_cast<std::size_t>(random.in(0, static_cast<int>(digits.size()) - 1))];
  out[at] = static_cast<char>('0' + random.in(0, 9));
  return out;
}

}  // namespace

TEST_CASE("levels: whole numbers within bounds are decided as brute force decides them") {
  Checked checked;
  std::size_t holds = 0, violated = 0, accepted_anyway = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Random random{std::mt19937_64(seed)};
    const Trial trial(random, true);
    INFO("seed " << seed << "\n" << trial.hoa() << trial.spec());
    const auto r = decide(trial, without_solver(20000));
    if (!r) {
      continue;
    }
    REQUIRE(r->verdict != Verdict::unknown);
    REQUIRE((r->verdict == Verdict::violated) == trial.violable(10000));
    if (r->verdict == Verdict::violated) {
      ++violated;
      need_run(trial, *r);
      continue;
    }
    ++holds;
    const bool accepted = checked.accepts(with_digests(r->proof, trial.hoa(), trial.spec()),
                                          trial.hoa(), trial.spec());
    INFO(checked.last << "\n" << r->proof);
    REQUIRE(accepted);
    for (int i = 0; i < 4; ++i) {
      const Trial other = changed(trial, random);
      const std::string proof = i == 3 ? corrupted(r->proof, random) : r->proof;
      INFO("changed:\n" << other.hoa() << other.spec());
      if (checked.accepts(with_digests(proof, other.hoa(), other.spec()), other.hoa(),
                          other.spec())) {
        ++accepted_anyway;
        CHECK((!other.live_states()[0] || !other.violable(10000)));
      }
    }
  }
  CHECK(holds > 60);
  CHECK(violated > 60);
  CHECK(accepted_anyway > 20);  // the check above has something to say
}

TEST_CASE(
    "levels: what induction shows of numbers without bounds no run of ten letters contradicts") {
  Checked checked;
  std::size_t holds = 0, violated = 0, unknown = 0;
  for (std::uint64_t seed = 1000; seed < 1400; ++seed) {
    Random random{std::mt19937_64(seed)};
    const Trial trial(random, false);
    INFO("seed " << seed << "\n" << trial.hoa() << trial.spec());
    const auto r = decide(trial, without_solver(seed % 2 == 0 ? 0 : 60));
    if (!r) {
      continue;
    }
    if (r->verdict == Verdict::violated) {
      ++violated;
      if (r->run.size() <= 10) {
        need_run(trial, *r);
      }
    } else if (r->verdict == Verdict::holds) {
      ++holds;
      CHECK_FALSE(trial.violable(10));
      const bool accepted = checked.accepts(with_digests(r->proof, trial.hoa(), trial.spec()),
                                            trial.hoa(), trial.spec());
      INFO(checked.last << "\n" << r->proof);
      REQUIRE(accepted);
      for (int i = 0; i < 4; ++i) {
        const Trial other = changed(trial, random);
        const std::string proof = i == 3 ? corrupted(r->proof, random) : r->proof;
        if (checked.accepts(with_digests(proof, other.hoa(), other.spec()), other.hoa(),
                            other.spec())) {
          CHECK((!other.live_states()[0] || !other.violable(10)));
        }
      }
    } else {
      ++unknown;
      CHECK_FALSE(r->reason.empty());
    }
  }
  CHECK(holds > 40);
  CHECK(violated > 40);
  CHECK(unknown < 200);
}
