#include "automaton.hpp"

#include <algorithm>

#include "json.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxAps = 31;
constexpr std::uint64_t kNatLimit = std::uint64_t{1} << 31;

class AutomatonReader {
 public:
  AutomatonReader(const std::string& bytes, const std::string& file)
      : root_(parse_json(bytes, file)), file_(file) {}

  FittedAutomaton read() {
    need(root_.at("assay-automaton").as_natural() == 1, "expected assay-automaton 1");
    for (const Json& ap : root_.at("aps").as_array()) {
      automaton_.aps.push_back(ap.as_text());
    }
    need(automaton_.aps.size() <= kMaxAps, "more than 31 aps");
    const Json& decoder = root_.at("decoder");
    automaton_.decoder =
        parse_min_p(decoder.at("minP").as_text(), decoder.at("temperature").as_text(),
                    decoder.at("order").as_text());
    for (const Json& prompt : root_.at("prompts").as_array()) {
      automaton_.prompts.emplace_back();
      for (const Json& token : prompt.as_array()) {
        automaton_.prompts.back().push_back(natural(token));
      }
    }
    automaton_.max_new = natural(root_.at("maxNew"));
    read_states();
    read_initial();
    read_edges();
    return std::move(automaton_);
  }

 private:
  void need(bool good, const char* reason) const {
    if (!good) {
      throw Reject("automaton", reason, file_);
    }
  }

  [[nodiscard]] std::size_t natural(const Json& value) const {
    const std::uint64_t n = value.as_natural();
    need(n < kNatLimit, "a number of 2^31 or more");
    return static_cast<std::size_t>(n);
  }

  [[nodiscard]] std::size_t state(const Json& value) const {
    const std::size_t s = natural(value);
    need(s < automaton_.states.size(), "a state number out of range");
    return s;
  }

  void read_states() {
    for (const Json& value : root_.at("states").as_array()) {
      FittedAutomaton::State s{natural(value.at("must")), natural(value.at("may"))};
      need((s.must & ~s.may) == 0 && s.may >> automaton_.aps.size() == 0,
           "a state's must is not within its may, or its may not within the aps");
      automaton_.states.push_back(s);
    }
    automaton_.successors.resize(automaton_.states.size());
  }

  void read_initial() {
    for (const Json& entry : root_.at("initial").as_array()) {
      need(entry.as_array().size() == 2, "initial: expected [state,count]");
      const std::size_t s = state(entry.items[0]);
      need(automaton_.initial.empty() || automaton_.initial.back() < s,
           "initial states are not sorted and unique");
      automaton_.initial.push_back(s);
    }
    need(!automaton_.initial.empty(), "no initial state");
  }

  void read_edges() {
    std::pair<std::size_t, std::size_t> last;
    bool first = true;
    for (const Json& entry : root_.at("edges").as_array()) {
      need(entry.as_array().size() == 3, "edges: expected [from,to,count]");
      const std::pair edge(state(entry.items[0]), state(entry.items[1]));
      need(first || last < edge, "edges are not sorted and unique");
      first = false;
      last = edge;
      automaton_.successors[edge.first].push_back(edge.second);
    }
  }

  Json root_;
  const std::string& file_;
  FittedAutomaton automaton_;
};

}  // namespace

FittedAutomaton parse_automaton(const std::string& bytes, const std::string& file) {
  return AutomatonReader(bytes, file).read();
}

}  // namespace assay_check
