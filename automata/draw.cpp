#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "assay/automata/render.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"

namespace assay::automata {
namespace {

/// Text inside an HTML-like label; Graphviz copies it into the SVG.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) {
          out += c;
        }
    }
  }
  return out;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "0 %" : std::to_string((200 * part + whole) / (2 * whole)) + " %";
}

const char* kGraph =
    "digraph automaton {\n"
    "  graph [rankdir=TB, fontname=\"Helvetica\", fontsize=12, nodesep=0.35, ranksep=0.45];\n"
    "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f4f6f8\", color=\"#5b6770\", "
    "fontname=\"Helvetica\", fontsize=11, margin=\"0.12,0.06\"];\n"
    "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#5b6770\", arrowsize=0.7];\n";

/// First line: the token block; then the feature; then how often it was visited.
std::string picture_label(const FittedState& state, const FitResult& result,
                          std::uint64_t letters) {
  std::string rest = state.name.substr(state.token_block.size());
  const std::size_t bracket = rest.rfind(" [");
  std::string atoms;
  if (bracket != std::string::npos && !rest.empty() && rest.back() == ']' &&
      !result.automaton.aps.empty()) {
    atoms = rest.substr(bracket + 1);
    rest.resize(bracket);
  }
  const std::string separator = " · ";
  if (rest.starts_with(separator)) {
    rest.erase(0, separator.size());
  }
  std::string label = "<B>" + escaped(state.token_block) + "</B>";
  for (const std::string& line : {rest, atoms}) {
    label += line.empty() ? "" : "<BR/><FONT POINT-SIZE=\"9\">" + escaped(line) + "</FONT>";
  }
  return label + "<BR/><FONT POINT-SIZE=\"8\" COLOR=\"#5b6770\">" + percent(state.count, letters) +
         " of letters</FONT>";
}

/// The most visited states, ascending by id.
std::vector<StateId> main_states(const FittedAutomaton& a, std::size_t most) {
  std::vector<StateId> order;
  for (std::size_t s = 0; s < a.states.size(); ++s) {
    order.emplace_back(s);
  }
  std::stable_sort(order.begin(), order.end(), [&a](StateId x, StateId y) {
    return a.states[x.at()].count > a.states[y.at()].count;
  });
  order.resize(std::min(most, order.size()));
  std::sort(order.begin(), order.end());
  return order;
}

std::vector<FittedEdge> main_edges(const FittedAutomaton& a, const std::set<StateId>& shown,
                                   std::size_t per_state) {
  const std::vector<std::uint64_t> out = out_counts(a);
  std::map<StateId, std::vector<FittedEdge>> by_source;
  for (const FittedEdge& e : a.edges) {
    if (shown.contains(e.from) && shown.contains(e.to) && 20 * e.count >= out[e.from.at()]) {
      by_source[e.from].push_back(e);
    }
  }
  std::vector<FittedEdge> kept;
  for (auto& [from, edges] : by_source) {
    std::stable_sort(edges.begin(), edges.end(),
                     [](const FittedEdge& x, const FittedEdge& y) { return x.count > y.count; });
    edges.resize(std::min(per_state, edges.size()));
    kept.insert(kept.end(), edges.begin(), edges.end());
  }
  return kept;
}

std::string node_line(const FitResult& result, StateId s, std::uint64_t letters) {
  const FittedAutomaton& a = result.automaton;
  const bool initial = std::any_of(a.initial.begin(), a.initial.end(),
                                   [s](const auto& entry) { return entry.first == s; });
  return "s" + std::to_string(s.at()) + " [label=<" +
         picture_label(a.states[s.at()], result, letters) + ">" +
         (initial ? ", penwidth=1.6" : "") + "];\n";
}

/// Drops <!-- … --> (Graphviz writes its version there), closed or not.
std::string without_comments(const std::string& text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find("<!--", at);
    out += text.substr(at, open - at);
    if (open == std::string::npos) {
      break;
    }
    const std::size_t close = text.find("-->", open);
    at = close == std::string::npos ? text.size() : close + 3;
    at += at < text.size() && text[at] == '\n' ? 1U : 0U;
  }
  return out;
}

/// Runs `dot -Tsvg -o OUT IN` without a shell; true when it ended with status 0.
bool run_dot(const std::string& in, const std::string& out) {
  std::string words[] = {"dot", "-Tsvg", "-o", out, in};
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, "dot", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return false;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      return false;
    }
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

std::string to_dot(const FittedAutomaton& a) {
  std::string text = kGraph;
  for (std::size_t s = 0; s < a.states.size(); ++s) {
    text += "  s" + std::to_string(s) + " [label=<" + escaped(a.states[s].name) + ">];\n";
  }
  for (const FittedEdge& e : a.edges) {
    text += "  s" + std::to_string(e.from.at()) + " -> s" + std::to_string(e.to.at()) +
            " [label=\"" + std::to_string(e.count) + "\"];\n";
  }
  return text + "}\n";
}

std::string to_picture_dot(const FitResult& result, const PictureOptions& options) {
  const FittedAutomaton& a = result.automaton;
  const std::vector<StateId> order = main_states(a, options.states);
  const std::set<StateId> shown(order.begin(), order.end());
  const std::vector<std::uint64_t> out = out_counts(a);
  std::uint64_t letters = 0;
  for (const FittedState& state : a.states) {
    letters += state.count;
  }
  std::string text = kGraph;
  std::set<StateId> boxed;
  for (std::size_t c = 0; c < result.shapes.frequent_components.size(); ++c) {
    std::vector<StateId> inside;
    for (const StateId s : result.shapes.frequent_components[c]) {
      if (shown.contains(s)) {
        inside.push_back(s);
      }
    }
    if (inside.size() < 2 || 2 * inside.size() > order.size()) {
      continue;
    }
    text += "  subgraph cluster_" + std::to_string(c) + " {\n    label=\"loop " +
            std::to_string(c + 1) + "\"; style=\"rounded,dashed\"; color=\"#9aa5ad\";\n";
    for (const StateId s : inside) {
      text += "    " + node_line(result, s, letters);
      boxed.insert(s);
    }
    text += "  }\n";
  }
  for (const StateId s : order) {
    text += boxed.contains(s) ? "" : "  " + node_line(result, s, letters);
  }
  for (const FittedEdge& e : main_edges(a, shown, options.edges_per_state)) {
    const std::uint64_t whole = out[e.from.at()];
    const std::uint64_t tenths = whole == 0 ? 0 : 30 * e.count / whole;
    text += "  s" + std::to_string(e.from.at()) + " -> s" + std::to_string(e.to.at()) +
            " [label=\"" + percent(e.count, whole) +
            "\", penwidth=" + std::to_string((6 + tenths) / 10) + "." +
            std::to_string((6 + tenths) % 10) + "];\n";
  }
  return text + "}\n";
}

bool draw_svg(const std::filesystem::path& dot_file, const std::filesystem::path& svg_file) {
  std::filesystem::path raw = svg_file;
  raw += ".part";
  std::error_code ignored;
  const bool drawn = run_dot(dot_file.string(), raw.string()) && std::filesystem::exists(raw);
  if (drawn) {
    write_file_atomic(svg_file, without_comments(read_file(raw)));
  } else {
    std::filesystem::remove(svg_file, ignored);
  }
  std::filesystem::remove(raw, ignored);
  return drawn;
}

}  // namespace assay::automata
