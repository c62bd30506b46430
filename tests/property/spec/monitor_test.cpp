// The generated header, compiled by the system's compiler, against progression and LTLf's
// definition on random words.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "assay/spec/monitor.hpp"
#include "assay/spec/progression.hpp"
#include "catch.hpp"
#include "ltlf_words.hpp"

using namespace assay::spec;
using assay::test::holds;
using assay::test::Word;

namespace {

const char* const kClaims[] = {
    "G(p -> F[0:5] q)", "absent(p) after q until r",
    "precedes(q, p)",   "F p",
    "G(p -> O[1:3] q)", "responds(p, q)",
    "p U (q & X r)",    "true | p",
};

Spec spec_of_claims() {
  std::string text =
      "spec \"t\" version 1; ap p = tok = id 0; ap q = tok = id 1; ap r = tok = id 2;";
  for (std::size_t i = 0; i < std::size(kClaims); ++i) {
    text += "prop M" + std::to_string(i) + ": all " + kClaims[i] + ";";
  }
  return parse_spec(text, "x");
}

}  // namespace

TEST_CASE("generated monitors say what progression and the definition say") {
  if (std::system("c++ --version >/dev/null 2>&1") != 0) {
    WARN("no C++ compiler on PATH: the generated headers were NOT compiled");
    return;
  }
  const Spec spec = spec_of_claims();
  const auto dir = std::filesystem::temp_directory_path() /
                   ("assay-monitor-" +
                    std::to_string(std::filesystem::hash_value(std::filesystem::current_path())) +
                    "-" + std::to_string(static_cast<unsigned>(std::rand())));
  std::filesystem::create_directories(dir);
  std::ofstream program(dir / "main.cpp");
  std::vector<Explanation> explained;
  for (const Property& property : spec.properties) {
    explained.push_back(explain(spec, property));
    std::ofstream(dir / (property.name + ".hpp"))
        << monitor_header(property, explained.back(), "a \"test\" \\ with */ odd\nbytes");
    program << "#include \"" << property.name << ".hpp\"\n";
  }
  program << "#include <cstdio>\ntemplate <class M> void show(const char* word) {\n"
             "  M m;\n  for (; *word; ++word) {\n    m.step_index(unsigned(*word - '0'));\n"
             "    std::printf(\"%d%d \", int(m.verdict()), int(m.holds_if_over()));\n  }\n"
             "  std::puts(\"\");\n}\nint main(int, char** v) {\n  for (++v; *v; v += 2) {\n";
  for (std::size_t i = 0; i < spec.properties.size(); ++i) {
    program << "    if (**v == '" << i << "') show<assay_monitor::M" << i << "_monitor>(v[1]);\n";
  }
  program << "  }\n}\n";
  program.close();
  const std::string build = "c++ -std=c++17 -O0 -Wall -Wextra -Wpedantic -Werror -o " +
                            (dir / "run").string() + " " + (dir / "main.cpp").string();
  REQUIRE(std::system(build.c_str()) == 0);

  assay::Random random(3);
  std::string command = (dir / "run").string();
  std::vector<std::pair<std::size_t, Word>> words;
  for (int n = 0; n < 400; ++n) {
    const std::size_t which = random.below(std::size(kClaims));
    const std::size_t letters = explained[which].acceptor.graph.letters();
    Word w = assay::test::random_word(random, 1 + random.below(12), letters);
    command += " " + std::to_string(which) + " ";
    for (const std::uint64_t letter : w) {
      command += std::to_string(letter);
    }
    words.emplace_back(which, std::move(w));
  }
  FILE* pipe = popen((command + " > " + (dir / "out").string()).c_str(), "r");
  REQUIRE(pclose(pipe) == 0);
  std::ifstream out(dir / "out");
  std::size_t decided = 0;
  for (const auto& [which, projected] : words) {
    std::string line;
    REQUIRE(std::getline(out, line));
    std::istringstream fields(line);
    const FormulaPtr f = spec.properties[which].formula;
    const Dfa& dfa = explained[which].acceptor.graph;
    Progression progression(f, Progression::Ending::anywhere);
    auto state = progression.initial();
    Word word;
    for (const std::uint64_t letter : projected) {
      std::uint64_t all = 0;
      for (std::size_t i = 0; i < dfa.atoms.size(); ++i) {
        all |= ((letter >> i) & 1U) << dfa.atoms[i];
      }
      word.push_back(all);
      state = progression.next(state, all);
      std::string said;
      REQUIRE(fields >> said);
      INFO(kClaims[which]);
      REQUIRE((said[1] == '1') == holds(*f, word, 0));
      REQUIRE((said[1] == '1') == progression.accepts_end(state));
      if (progression.is_false(state)) {
        REQUIRE(said[0] == '1');
      }
      if (said[0] != '2') {  // decided: whatever comes
        ++decided;
        for (int e = 0; e < 20; ++e) {
          Word longer = word;
          const Word more = assay::test::random_word(random, random.below(8), 8);
          longer.insert(longer.end(), more.begin(), more.end());
          REQUIRE(holds(*f, longer, 0) == (said[0] == '0'));
        }
      }
    }
  }
  REQUIRE(decided > 300);
  std::filesystem::remove_all(dir);
}
