#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "assay/automata/feature_automaton.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/model/strict_json.hpp"
#include "automaton_json.hpp"

namespace assay::automata {
namespace {

using nlohmann::json;

constexpr std::uint64_t kNat = std::uint64_t{1} << 31U;  ///< the certificate's NAT is below it

/// One value of the file, with the path that an error names.
class Node {
 public:
  Node(const json& value, const std::string& file, std::string path)
      : value_(value), file_(file), path_(std::move(path)) {}

  [[noreturn]] void refuse(const std::string& expected) const {
    throw InputError(file_, path_, expected, visible(value_.dump(-1, ' ', true).substr(0, 60)));
  }
  [[nodiscard]] Node key(const std::string& name) const {
    if (!value_.is_object()) {
      refuse("an object");
    }
    const auto it = value_.find(name);
    if (it == value_.end()) {
      throw InputError(file_, path_.empty() ? name : path_ + "." + name, "a value", "none");
    }
    return {*it, file_, path_.empty() ? name : path_ + "." + name};
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return value_.is_object() && value_.contains(name);
  }
  [[nodiscard]] std::size_t size() const {
    if (!value_.is_array()) {
      refuse("an array");
    }
    return value_.size();
  }
  [[nodiscard]] Node at(std::size_t i) const {
    return {value_[i], file_, path_ + "[" + std::to_string(i) + "]"};
  }
  /// An unsigned integer below `limit`.
  [[nodiscard]] std::uint64_t nat(std::uint64_t limit) const {
    if (!value_.is_number_unsigned() || value_.get<std::uint64_t>() >= limit) {
      refuse("an integer below " + std::to_string(limit));
    }
    return value_.get<std::uint64_t>();
  }
  [[nodiscard]] std::string text() const {
    if (!value_.is_string()) {
      refuse("a string");
    }
    return value_.get<std::string>();
  }
  /// -1, or an unsigned integer below 2^31.
  [[nodiscard]] std::int64_t feature() const {
    if (value_.is_number_integer() && value_ == -1) {
      return -1;
    }
    return static_cast<std::int64_t>(nat(kNat));
  }
  [[nodiscard]] Node row(std::size_t width) const {
    if (size() != width) {
      refuse("an array of " + std::to_string(width));
    }
    return *this;
  }

 private:
  const json& value_;
  const std::string& file_;
  std::string path_;
};

Decoder read_decoder(const Node& node) {
  try {
    const Decoder decoder = make_decoder(node.key("minP").text(), node.key("temperature").text(),
                                         node.key("order").text());
    if (decoder.min_p.text() != node.key("minP").text() ||
        decoder.temperature.text() != node.key("temperature").text()) {
      node.refuse("fractions in lowest terms");
    }
    return decoder;
  } catch (const UsageError& e) {
    node.refuse(std::string("a decoder (") + e.what() + ")");
  }
}

void read_aps(const Node& node, FittedAutomaton& a) {
  for (std::size_t i = 0; i < node.size(); ++i) {
    a.aps.push_back(node.at(i).text());
    if (std::count(a.aps.begin(), a.aps.end(), a.aps.back()) > 1 || a.aps.back().empty()) {
      node.at(i).refuse("a name not given before");
    }
  }
  if (a.aps.size() > 31) {
    node.refuse("at most 31 names");
  }
}

void read_prompts(const Node& node, FittedAutomaton& a) {
  for (std::size_t i = 0; i < node.size(); ++i) {
    const Node prompt = node.at(i);
    std::vector<TokenId> tokens;
    for (std::size_t j = 0; j < prompt.size(); ++j) {
      tokens.emplace_back(prompt.at(j).nat(kNat));
    }
    if (tokens.empty()) {
      prompt.refuse("at least one token");
    }
    a.prompts.push_back(std::move(tokens));
  }
}

void read_states(const Node& node, FittedAutomaton& a) {
  const std::uint64_t letters = std::uint64_t{1} << a.aps.size();
  for (std::size_t i = 0; i < node.size(); ++i) {
    const Node state = node.at(i);
    FittedState s;
    s.name = state.key("name").text();
    s.must = state.key("must").nat(letters);
    s.may = state.key("may").nat(letters);
    s.count = state.key("count").nat(kNat);
    if ((s.must & ~s.may) != 0) {
      state.refuse("must within may");
    }
    if (state.has("block")) {
      s.token_block = state.key("block").text();
    }
    if (state.has("feature")) {
      s.feature = state.key("feature").feature();
    }
    a.states.push_back(std::move(s));
  }
}

void read_initial(const Node& node, FittedAutomaton& a) {
  for (std::size_t i = 0; i < node.size(); ++i) {
    const Node row = node.at(i).row(2);
    const StateId state(row.at(0).nat(a.states.size()));
    if (!a.initial.empty() && state <= a.initial.back().first) {
      row.refuse("initial states in ascending order, each once");
    }
    a.initial.emplace_back(state, row.at(1).nat(kNat));
  }
  if (a.initial.empty()) {
    node.refuse("at least one initial state");
  }
}

void read_edges(const Node& node, FittedAutomaton& a) {
  for (std::size_t i = 0; i < node.size(); ++i) {
    const Node row = node.at(i).row(3);
    const FittedEdge edge{StateId(row.at(0).nat(a.states.size())),
                          StateId(row.at(1).nat(a.states.size())), row.at(2).nat(kNat)};
    if (!a.edges.empty() &&
        std::pair(edge.from, edge.to) <= std::pair(a.edges.back().from, a.edges.back().to)) {
      row.refuse("edges in ascending order, each once");
    }
    a.edges.push_back(edge);
  }
}

}  // namespace

FittedAutomaton parse_automaton(const std::string& text, const std::string& file) {
  const json value = parse_strict_json(text, file);
  const Node root(value, file, "");
  if (root.key("assay-automaton").nat(kNat) != 1) {
    root.key("assay-automaton").refuse("version 1");
  }
  FittedAutomaton a;
  read_aps(root.key("aps"), a);
  a.decoder = read_decoder(root.key("decoder"));
  read_prompts(root.key("prompts"), a);
  a.max_new = root.key("maxNew").nat(kNat);
  a.runs = root.key("runs").nat(kNat);
  try {
    a.seed = parse_unsigned(root.key("seed").text(), "seed");
  } catch (const InputError&) {
    root.key("seed").refuse("a decimal number in a string");
  }
  read_states(root.key("states"), a);
  read_initial(root.key("initial"), a);
  read_edges(root.key("edges"), a);
  return a;
}

nlohmann::ordered_json core_json(const FittedAutomaton& a) {
  using Json = nlohmann::ordered_json;
  Json prompts = Json::array(), states = Json::array(), initial = Json::array(),
       edges = Json::array();
  for (const auto& prompt : a.prompts) {
    Json tokens = Json::array();
    for (const TokenId token : prompt) {
      tokens.push_back(token.at());
    }
    prompts.push_back(std::move(tokens));
  }
  for (const FittedState& s : a.states) {
    states.push_back({{"name", s.name},
                      {"must", s.must},
                      {"may", s.may},
                      {"count", s.count},
                      {"block", s.token_block},
                      {"feature", s.feature}});
  }
  for (const auto& [state, count] : a.initial) {
    initial.push_back({state.at(), count});
  }
  for (const FittedEdge& e : a.edges) {
    edges.push_back({e.from.at(), e.to.at(), e.count});
  }
  return {{"assay-automaton", 1},
          {"aps", a.aps},
          {"decoder",
           {{"minP", a.decoder.min_p.text()},
            {"temperature", a.decoder.temperature.text()},
            {"order", a.decoder.order == TemperatureOrder::before ? "before" : "after"}}},
          {"prompts", prompts},
          {"maxNew", a.max_new},
          {"runs", a.runs},
          {"seed", std::to_string(a.seed)},
          {"states", states},
          {"initial", initial},
          {"edges", edges}};
}

/// One line per top-level key: small, and a line-based diff shows what changed.
std::string layout(const nlohmann::ordered_json& root) {
  std::string text = "{";
  for (auto it = root.begin(); it != root.end(); ++it) {
    text += (it == root.begin() ? "\n" : ",\n") + nlohmann::ordered_json(it.key()).dump() + ":" +
            it.value().dump(-1, ' ', true, json::error_handler_t::replace);
  }
  return text + "\n}\n";
}

std::string automaton_json(const FittedAutomaton& automaton) {
  return layout(core_json(automaton));
}

}  // namespace assay::automata
