#include <map>

#include "assay/automata/hoa.hpp"
#include "assay/spec/cover.hpp"

namespace assay::automata {
namespace {

/// Infix, with brackets wherever an operator stands below another.
std::string infix(const HoaLabel& label) {
  struct Part {
    std::string text;
    int op;
  };
  std::vector<Part> stack;
  const auto inner = [](const Part& part, int op) {
    const bool bare = part.op >= 0 || part.op == op;
    return bare ? part.text : "(" + part.text + ")";
  };
  for (const int op : label.program) {
    if (op >= 0) {
      stack.push_back({std::to_string(op), 0});
    } else if (op == HoaLabel::kTrue || op == HoaLabel::kFalse) {
      stack.push_back({op == HoaLabel::kTrue ? "t" : "f", 0});
    } else if (op == HoaLabel::kNot) {
      stack.back() = {"!" + inner(stack.back(), 1), 0};
    } else {
      const Part right = stack.back();
      stack.pop_back();
      const char* sign = op == HoaLabel::kAnd ? " & " : " | ";
      // the right operand keeps its brackets, so that it reads back in the same order
      stack.back() = {inner(stack.back(), op) + sign + inner(right, 1), op};
    }
  }
  return stack.at(0).text;
}

HoaLabel of_cubes(const std::vector<spec::Cube>& cubes, std::size_t bits) {
  HoaLabel out;
  for (std::size_t c = 0; c < cubes.size(); ++c) {
    std::size_t literals = 0;
    for (std::size_t i = 0; i < bits; ++i) {
      if (((cubes[c].care >> i) & 1U) == 0) {
        continue;
      }
      out.program.push_back(static_cast<int>(i));
      if (((cubes[c].value >> i) & 1U) == 0) {
        out.program.push_back(HoaLabel::kNot);
      }
      if (literals++ > 0) {
        out.program.push_back(HoaLabel::kAnd);
      }
    }
    if (literals == 0) {
      out.program.push_back(HoaLabel::kTrue);
    }
    if (c > 0) {
      out.program.push_back(HoaLabel::kOr);
    }
  }
  return out;
}

/// The letters from one state to each next one.
std::map<std::uint32_t, std::vector<bool>> letters_by_target(const spec::Dfa& dfa,
                                                             std::uint32_t state) {
  std::map<std::uint32_t, std::vector<bool>> out;
  for (std::size_t letter = 0; letter < dfa.letters(); ++letter) {
    auto& members = out[dfa.next(state, letter)];
    members.resize(dfa.letters());
    members[letter] = true;
  }
  return out;
}

}  // namespace

std::string hoa_quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += static_cast<unsigned char>(c) >= 0x20 ? c : ' ';
  }
  return out + "\"";
}

std::string to_hoa(const Hoa& hoa) {
  std::string text = "HOA: v1\nname: " + hoa_quoted(hoa.name) + "\n";
  text += "States: " + std::to_string(hoa.states) + "\n";
  for (const std::size_t s : hoa.start) {
    text += "Start: " + std::to_string(s) + "\n";
  }
  text += "AP: " + std::to_string(hoa.aps.size());
  for (const std::string& ap : hoa.aps) {
    text += " " + hoa_quoted(ap);
  }
  text += hoa.buchi ? "\nacc-name: Buchi\nAcceptance: 1 Inf(0)\n"
                    : "\nacc-name: all\nAcceptance: 0 t\n";
  text += hoa.finite_words ? "Finite-words: t\n" : "";
  text += "properties: trans-labels explicit-labels\n--BODY--\n";
  std::size_t next = 0;
  for (std::size_t s = 0; s < hoa.states; ++s) {
    text += "State: " + std::to_string(s);
    text += hoa.state_names[s].empty() ? "" : " " + hoa_quoted(hoa.state_names[s]);
    text += hoa.accepting[s] ? " {0}\n" : "\n";
    for (; next < hoa.edges.size() && hoa.edges[next].from == s; ++next) {
      const Hoa::Edge& edge = hoa.edges[next];
      text += "[" + infix(edge.label) + "] " + std::to_string(edge.to);
      text += edge.accepting && !hoa.accepting[s] ? " {0}\n" : "\n";
    }
  }
  return text + "--END--\n";
}

Hoa to_hoa(const spec::Acceptor& acceptor, const std::vector<std::string>& aps,
           const std::string& name) {
  const spec::Dfa& dfa = acceptor.graph;
  Hoa out;
  out.name = name;
  out.aps = aps;
  out.states = dfa.states;
  out.start = {0};
  out.buchi = out.finite_words = true;
  out.state_names.assign(dfa.states, "");
  for (std::uint32_t s = 0; s < dfa.states; ++s) {
    out.accepting.push_back(acceptor.accepts(s));
    for (const auto& [to, members] : letters_by_target(dfa, s)) {
      out.edges.push_back({s, to, of_cubes(spec::cover(members), aps.size()), acceptor.accepts(s)});
    }
  }
  return out;
}

std::string to_dot(const spec::Acceptor& acceptor, const std::vector<std::string>& aps,
                   const std::string& name) {
  const std::vector<spec::Outlook> outlooks = spec::outlooks(acceptor);
  std::string text = "digraph property {\n  rankdir=LR;\n  label=" + hoa_quoted(name) +
                     ";\n  node [shape=circle, style=filled, fillcolor=white];\n"
                     "  start [shape=point, fillcolor=black];\n  start -> 0;\n";
  for (std::uint32_t s = 0; s < acceptor.graph.states; ++s) {
    static constexpr const char* kColours[] = {"palegreen", "lightcoral", "white"};
    text += "  " + std::to_string(s) + " [fillcolor=" + kColours[static_cast<int>(outlooks[s])] +
            (acceptor.accepts(s) ? ", shape=doublecircle" : "") + "];\n";
  }
  for (std::uint32_t s = 0; s < acceptor.graph.states; ++s) {
    for (const auto& [to, members] : letters_by_target(acceptor.graph, s)) {
      text += "  " + std::to_string(s) + " -> " + std::to_string(to) +
              " [label=" + hoa_quoted(spec::cover_text(spec::cover(members), aps)) + "];\n";
    }
  }
  return text + "}\n";
}

}  // namespace assay::automata
