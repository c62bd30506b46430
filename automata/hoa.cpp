#include "assay/automata/render.hpp"

namespace assay::automata {
namespace {

/// A C string as HOA wants it: quote and backslash escaped, other control bytes dropped.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
    }
  }
  return out + "\"";
}

/// The cube of what is decided at a state: "0 & !2", or "t".
std::string cube(const FittedState& state, std::size_t aps) {
  std::string text;
  for (std::size_t i = 0; i < aps; ++i) {
    const bool must = (state.must >> i & 1U) != 0, may = (state.may >> i & 1U) != 0;
    if (must || !may) {
      text.append(text.empty() ? "" : " & ").append(must ? "" : "!").append(std::to_string(i));
    }
  }
  return text.empty() ? "t" : text;
}

}  // namespace

std::string to_hoa(const FittedAutomaton& a) {
  const auto edge = [&a](StateId to) {
    return "[" + cube(a.states[to.at()], a.aps.size()) + "] " + std::to_string(to.at() + 1) + "\n";
  };
  std::string text = "HOA: v1\nname: \"feature automaton fitted to sampled runs (OBSERVED)\"\n";
  text += "States: " + std::to_string(a.states.size() + 1) + "\nStart: 0\n";
  text += "AP: " + std::to_string(a.aps.size());
  for (const std::string& ap : a.aps) {
    text += " " + quoted(ap);
  }
  text += "\nacc-name: all\nAcceptance: 0 t\nproperties: trans-labels explicit-labels state-acc\n";
  text += "--BODY--\nState: 0 \"start\"\n";
  for (const auto& [state, count] : a.initial) {
    text += edge(state);
  }
  std::size_t next = 0;
  for (std::size_t s = 0; s < a.states.size(); ++s) {
    text += "State: " + std::to_string(s + 1) + " " + quoted(a.states[s].name) + "\n";
    for (; next < a.edges.size() && a.edges[next].from.at() == s; ++next) {
      text += edge(a.edges[next].to);
    }
  }
  return text + "--END--\n";
}

}  // namespace assay::automata
