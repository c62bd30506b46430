#include "assay/automata/closure_files.hpp"

#include <charconv>
#include <map>

#include "assay/automata/hoa.hpp"
#include "assay/base/errors.hpp"

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

/// One line of edges_text: tokens, a colon, edges.
class EdgesLine {
 public:
  EdgesLine(std::string_view line, std::string place) : rest_(line), place_(std::move(place)) {}

  /// The next number, or nullopt at what is not one.
  std::optional<std::size_t> number(std::size_t below) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) {
      return std::nullopt;
    }
    if (value >= below) {
      fail("a token below " + std::to_string(below));
    }
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  bool take(char c) {
    const bool is_there = !rest_.empty() && rest_.front() == c;
    rest_.remove_prefix(is_there ? 1 : 0);
    return is_there;
  }
  [[nodiscard]] bool done() const { return rest_.empty(); }
  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(place_ + ": expected " + what + ", found '" +
                     std::string(rest_.substr(0, 20)) + "'");
  }

 private:
  std::string_view rest_;
  std::string place_;
};

/// What an edge's token says of the aps: a conjunction; "t" when nothing is decided.
std::string label_of(const Letter& letter, std::size_t aps) {
  std::string out;
  for (std::size_t i = 0; i < aps; ++i) {
    const bool must = ((letter.must >> i) & 1U) != 0, may = ((letter.may >> i) & 1U) != 0;
    if (must == may) {
      out += (out.empty() ? "" : "&") + std::string(must ? "" : "!") + std::to_string(i);
    }
  }
  return out.empty() ? "t" : out;
}

void parse_state(EdgesLine line, const WindowCodes& codes, std::size_t vocabulary,
                 ClosurePart& part) {
  WindowCode state = 0;
  std::size_t known = 0;
  do {
    const auto token = line.number(vocabulary);
    if (!token || ++known > codes.window()) {
      line.fail("the state's tokens");
    }
    state = codes.append(state, *token);
  } while (line.take(' '));
  if (!line.take(':')) {
    line.fail("a colon");
  }
  std::size_t least = 0;
  while (!line.done()) {
    const auto token = line.take(' ') ? line.number(vocabulary) : std::nullopt;
    if (!token || *token < least) {
      line.fail("the tokens of its edges, ascending");
    }
    least = *token + 1;
    part.edges.push_back(static_cast<ClosedGraph::Edge>(2 * *token + (line.take('?') ? 1 : 0)));
  }
  part.states.push_back(state);
  part.begin.push_back(part.edges.size());
}

}  // namespace

ClosurePart parse_edges(const std::string& text, const std::string& file, const WindowCodes& codes,
                        std::size_t vocabulary) {
  ClosurePart part;
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const EdgesLine line(rest.substr(0, end), file + ":" + std::to_string(number));
    if (end == std::string_view::npos) {
      line.fail("a whole line");
    }
    if (number > 1) {
      parse_state(line, codes, vocabulary, part);
    } else if (rest.substr(0, 16) != "assay-closure 1 ") {
      line.fail("assay-closure 1");
    }
    rest.remove_prefix(end + 1);
  }
  return part;
}

std::string closure_hoa(const ClosedGraph& graph, const std::vector<std::string>& aps,
                        const std::vector<Letter>& letters,
                        const std::function<std::string(TokenId)>& name) {
  require(graph.complete(), "closure_hoa: a graph that is not closed");
  std::string out =
      "HOA: v1\nname: \"closed suffix machine\"\nStates: " + std::to_string(graph.size()) + "\n";
  for (std::size_t s = 0; s < graph.initial(); ++s) {
    out += "Start: " + std::to_string(s) + "\n";
  }
  out += "AP: " + std::to_string(aps.size());
  for (const std::string& ap : aps) {
    out += " " + hoa_quoted(ap);
  }
  out += "\nacc-name: all\nAcceptance: 0 t\nproperties: trans-labels explicit-labels\n--BODY--\n";
  std::vector<std::string> labels;
  labels.reserve(letters.size());
  for (const Letter& letter : letters) {
    labels.push_back("[" + label_of(letter, aps.size()) + "] ");
  }
  for (std::size_t s = 0; s < graph.size(); ++s) {
    const auto from = static_cast<ClosedGraph::Index>(s);
    std::string text;
    for (const TokenId t : graph.codes().decode(graph.state(from))) {
      text += name(t);
    }
    out += "State: " + std::to_string(s) + " " + hoa_quoted(text) + "\n";
    for (const ClosedGraph::Edge e : graph.edges(from)) {
      out += labels[e >> 1U] + std::to_string(graph.target(from, e >> 1U)) + "\n";
    }
  }
  return out + "--END--\n";
}

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
