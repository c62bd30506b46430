#include "assay/automata/closure_files.hpp"

#include <map>

namespace assay::automata {
namespace {

std::string dot_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += static_cast<unsigned char>(c) < ' ' ? std::string("\\\\n") : std::string(1, c);
  }
  return out + "\"";
}

}  // namespace

std::string edges_text(const ClosedGraph& graph) {
  std::string out = "assay-closure 1 states " + std::to_string(graph.size()) + " initial " +
                    std::to_string(graph.initial()) +
                    (graph.complete() ? " complete\n" : " incomplete\n");
  for (std::size_t s = 0; s < graph.expanded(); ++s) {
    const auto i = static_cast<ClosedGraph::Index>(s);
    std::string line;
    for (const TokenId t : graph.codes().decode(graph.state(i))) {
      line += (line.empty() ? "" : " ") + std::to_string(t.at());
    }
    line += ":";
    for (const ClosedGraph::Edge e : graph.edges(i)) {
      line += " " + std::to_string(e >> 1U) + ((e & 1U) != 0 ? "?" : "");
    }
    out += line + "\n";
  }
  return out;
}

std::string closure_dot(const ClosedGraph& graph, std::size_t limit,
                        const std::function<std::string(TokenId)>& name) {
  std::vector<ClosedGraph::Index> shown{0};
  std::map<ClosedGraph::Index, std::size_t> number{{0, 0}};
  std::string out = "digraph closure {\n  rankdir=LR;\n  node [shape=box];\n", arrows;
  for (std::size_t k = 0; k < shown.size(); ++k) {
    const ClosedGraph::Index from = shown[k];
    std::size_t hidden = 0;
    const bool known = from < graph.expanded();
    for (const ClosedGraph::Edge e :
         known ? graph.edges(from) : std::span<const ClosedGraph::Edge>{}) {
      const ClosedGraph::Index to = graph.target(from, e >> 1U);
      if (!number.contains(to) && shown.size() < limit) {
        number.emplace(to, shown.size());
        shown.push_back(to);
      }
      if (!number.contains(to)) {
        ++hidden;
        continue;
      }
      arrows += "  s" + std::to_string(k) + " -> s" + std::to_string(number.at(to)) +
                " [label=" + dot_text(name(TokenId(std::size_t{e} >> 1U))) +
                ((e & 1U) != 0 ? ", style=dashed" : "") + "];\n";
    }
    std::string label;
    for (const TokenId t : graph.codes().decode(graph.state(from))) {
      label += name(t);
    }
    label += hidden == 0 ? "" : " +" + std::to_string(hidden);
    out += "  s" + std::to_string(k) + " [label=" + dot_text(label) + "];\n";
  }
  return out + arrows + "}\n";
}

}  // namespace assay::automata
