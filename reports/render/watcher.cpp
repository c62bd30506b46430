#include "watcher.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "assay/base/text.hpp"
#include "html.hpp"

// An arc diagram: nothing is placed by trial, so that the same automaton is the same drawing everywhere.
namespace assay::report {
namespace {

using certify::PropertyExhibit;

constexpr std::size_t kMaxDrawn = 12;
constexpr std::size_t kMaxLabel = 24;  // characters; the table has the whole
constexpr double kRadius = 19, kLetter = 6.9, kLane = 27, kLoop = 52, kUnder = 38, kEdgeOfPage = 58;

struct Arc {
  std::size_t from, to;  ///< places in the row
  std::string label;
  bool taken;
  double left, right;  ///< what it covers of its lane
  std::size_t lane = 0;
};

std::string at(double v) {
  return fixed(v, 1);
}

std::string label_of(const std::string& when) {
  return when.size() <= kMaxLabel ? when : when.substr(0, kMaxLabel - 1) + "\xe2\x80\xa6";
}

double width_of(const std::string& label) {
  return kLetter * static_cast<double>(std::min(label.size(), kMaxLabel));
}

/// Breadth first from state 0; those that cannot change any more at the end, unsafe ones last.
std::vector<std::size_t> row_of(const PropertyExhibit& p) {
  std::vector<std::size_t> order = {0};
  std::vector<bool> seen(p.states.size());
  seen[0] = true;
  const auto take = [&](std::size_t state) {
    if (!seen[state]) {
      seen[state] = true;
      order.push_back(state);
    }
  };
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (const PropertyExhibit::Edge& e : p.edges) {
      if (e.from == order[i]) {
        take(e.to);
      }
    }
  }
  for (std::size_t s = 0; s < p.states.size(); ++s) {
    take(s);
  }
  const auto rank = [&](std::size_t s) {
    return p.states[s] == certify::kBadState ? 2 : p.states[s] == certify::kSettledState ? 1 : 0;
  };
  std::stable_sort(order.begin() + 1, order.end(),
                   [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  return order;
}

/// Shortest first, each in the innermost lane that is free along its whole length.
std::size_t put_in_lanes(std::vector<Arc>& arcs) {
  std::stable_sort(arcs.begin(), arcs.end(),
                   [](const Arc& a, const Arc& b) { return a.right - a.left < b.right - b.left; });
  std::size_t lanes = 0;
  for (std::size_t i = 0; i < arcs.size(); ++i) {
    const auto meets = [&](std::size_t lane) {
      return std::any_of(
          arcs.begin(), arcs.begin() + static_cast<std::ptrdiff_t>(i), [&](const Arc& other) {
            return other.lane == lane && other.left < arcs[i].right && arcs[i].left < other.right;
          });
    };
    while (meets(arcs[i].lane)) {
      ++arcs[i].lane;
    }
    lanes = std::max(lanes, arcs[i].lane + 1);
  }
  return lanes;
}

std::string text_at(double x, double y, const std::string& css, const std::string& text) {
  return "<text class=\"" + css + "\" x=\"" + at(x) + "\" y=\"" + at(y) +
         "\" text-anchor=\"middle\">" + text + "</text>\n";
}

/// The head ends at (x, y), seen along (dx, dy).
std::string head(double x, double y, double dx, double dy) {
  const auto corner = [&](double back, double side) {
    return at(x - back * dx - side * dy) + " " + at(y - back * dy + side * dx);
  };
  return "M" + at(x) + " " + at(y) + "L" + corner(8, 3.6) + "L" + corner(8, -3.6) + "Z";
}

std::string stroke(const Arc& arc, const std::string& line, const std::string& arrow) {
  return std::string("<g class=\"") + (arc.taken ? "edge taken" : "edge") + "\"><path d=\"" + line +
         "\"/><path class=\"tip\" d=\"" + arrow + "\"/></g>\n";
}

class Drawing {
 public:
  Drawing(const PropertyExhibit& p, const std::vector<std::size_t>& path) : p_(p) {
    order_ = row_of(p);
    place_.resize(order_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) {
      place_[order_[i]] = i;
    }
    double widest = 40;
    for (const PropertyExhibit::Edge& e : p.edges) {
      widest = std::max(widest, width_of(label_of(e.when)));
    }
    step_ = widest + 2 * kRadius + 26;
    for (const PropertyExhibit::Edge& e : p.edges) {
      sort_in(e, path);
    }
    const std::size_t above = put_in_lanes(jumps_), below = put_in_lanes(returns_);
    row_ = 14 + kLoop + kRadius + kLane * static_cast<double>(above);
    height_ = row_ + kRadius + 24 + (below > 0 ? 18 + kLane * static_cast<double>(below) : 0);
    width_ = 2 * kEdgeOfPage + step_ * static_cast<double>(order_.size() - 1) +
             std::max(0.0, widest - 2 * kEdgeOfPage);
    shift_ = std::max(0.0, widest / 2 - kEdgeOfPage);
  }

  [[nodiscard]] double width() const { return width_; }
  [[nodiscard]] double height() const { return height_; }

  /// Lines first, then states, then words: nothing crosses a word.
  [[nodiscard]] std::string draw(const std::string& bad_word) const {
    std::string lines = "<g class=\"edge\"><path d=\"M" + at(x(0) - kRadius - 26) + " " + at(row_) +
                        "H" + at(x(0) - kRadius - 7) + "\"/><path class=\"tip\" d=\"" +
                        head(x(0) - kRadius - 1, row_, 1, 0) + "\"/></g>\n";
    std::string words = text_at(x(0) - kRadius - 20, row_ - 8, "tag", "start");
    for (const Arc& a : steps_) {
      lines += stroke(
          a, "M" + at(x(a.from) + kRadius) + " " + at(row_) + "H" + at(x(a.to) - kRadius - 7),
          head(x(a.to) - kRadius - 1, row_, 1, 0));
      words += text_at((x(a.from) + x(a.to)) / 2, row_ - 8, "when", esc(a.label));
    }
    for (const Arc& a : loops_) {
      const double c = x(a.from), y = row_ - kRadius;
      lines += stroke(a,
                      "M" + at(c - 7) + " " + at(y + 1) + "C" + at(c - 22) + " " + at(y - 32) +
                          " " + at(c + 22) + " " + at(y - 32) + " " + at(c + 9) + " " + at(y - 4),
                      head(c + 7.5, y + 0.5, -0.3, 0.954));
      words += text_at(c, y - 30, "when", esc(a.label));
    }
    for (const Arc& a : jumps_) {
      const double y = row_ - kRadius - kLoop - kLane * static_cast<double>(a.lane);
      bend(a, y, -1, y - 5, lines, words);
    }
    for (const Arc& a : returns_) {
      const double y = row_ + kRadius + kUnder + kLane * static_cast<double>(a.lane);
      bend(a, y, 1, y - 5, lines, words);
    }
    return lines + states(bad_word) + words;
  }

 private:
  [[nodiscard]] double x(std::size_t place) const {
    return kEdgeOfPage + shift_ + step_ * static_cast<double>(place);
  }

  void sort_in(const PropertyExhibit::Edge& e, const std::vector<std::size_t>& path) {
    bool taken = false;
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
      taken = taken || (path[i] == e.from && path[i + 1] == e.to);
    }
    Arc a{place_[e.from], place_[e.to], label_of(e.when), taken, 0, 0};
    const double middle = (x(a.from) + x(a.to)) / 2, half = width_of(a.label) / 2 + 6;
    a.left = std::min({x(a.from), x(a.to), middle - half});
    a.right = std::max({x(a.from), x(a.to), middle + half});
    (a.to == a.from       ? loops_
     : a.to == a.from + 1 ? steps_
     : a.to > a.from      ? jumps_
                          : returns_)
        .push_back(std::move(a));
  }

  /// Out of one state, along a lane at height `y`, into another; `side` is -1 above the row and 1 below it.
  void bend(const Arc& a, double y, double side, double label_y, std::string& lines,
            std::string& words) const {
    const double along = a.to > a.from ? 1 : -1, reach = 0.72 * kRadius, turn = 9;
    const double start = x(a.from) + along * reach, end = x(a.to) - along * reach;
    const double near = row_ + side * reach;
    lines += stroke(a,
                    "M" + at(start) + " " + at(near) + "V" + at(y - side * turn) + "Q" + at(start) +
                        " " + at(y) + " " + at(start + along * turn) + " " + at(y) + "H" +
                        at(end - along * turn) + "Q" + at(end) + " " + at(y) + " " + at(end) + " " +
                        at(y - side * turn) + "V" + at(near + side * 7),
                    head(end, near + side, 0, -side));
    words += text_at((start + end) / 2, label_y, "when", esc(a.label));
  }

  [[nodiscard]] std::string states(const std::string& bad_word) const {
    std::string out;
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const std::string& kind = p_.states[order_[i]];
      const bool bad = kind == certify::kBadState, settled = kind == certify::kSettledState;
      out += "<g class=\"node " + kind + "\">";
      if (bad) {
        out += octagon(x(i), kRadius + 1) + octagon(x(i), kRadius - 4);
      } else {
        out +=
            "<circle cx=\"" + at(x(i)) + "\" cy=\"" + at(row_) + "\" r=\"" + at(kRadius) + "\"/>";
      }
      out += text_at(x(i), row_ + 4.5, "number", std::to_string(order_[i])) + "</g>\n";
      const std::string word = bad ? esc(bad_word) : settled ? "settled" : "";
      out += word.empty() ? "" : text_at(x(i), row_ + kRadius + 15, bad ? "tag bad" : "tag", word);
    }
    return out;
  }

  [[nodiscard]] std::string octagon(double cx, double radius) const {
    std::string points;
    const double pi = std::acos(-1.0);
    for (int k = 0; k < 8; ++k) {
      const double angle = pi * (2 * k + 1) / 8;
      points += (k == 0 ? "" : " ") + at(cx + radius * std::cos(angle)) + "," +
                at(row_ + radius * std::sin(angle));
    }
    return "<polygon points=\"" + points + "\"/>";
  }

  const PropertyExhibit& p_;
  std::vector<std::size_t> order_, place_;
  std::vector<Arc> steps_, loops_, jumps_, returns_;
  double step_ = 0, row_ = 0, width_ = 0, height_ = 0, shift_ = 0;
};

}  // namespace

std::string watcher_svg(const PropertyExhibit& property, const std::vector<std::size_t>& path,
                        const std::string& bad_word) {
  if (property.states.empty() || property.states.size() > kMaxDrawn) {
    return "";
  }
  const Drawing drawing(property, path);
  return "<svg class=\"watcher\" viewBox=\"0 0 " + at(drawing.width()) + " " +
         at(drawing.height()) + "\" style=\"width:" + at(drawing.width()) + "px;min-width:min(" +
         at(drawing.width()) + "px,34rem)\" role=\"img\" aria-label=\"Automaton of the property, " +
         std::to_string(property.states.size()) + " states; the table below says the same\">\n" +
         drawing.draw(bad_word) + "</svg>\n";
}

std::vector<std::size_t> path_of(const PropertyExhibit& property,
                                 const certify::Counterexample& run) {
  std::vector<std::size_t> path = {0};
  for (const certify::RunStep& step : run.steps) {
    std::size_t state = 0;
    const char* end = step.state.data() + step.state.size();
    const auto [stop, error] = std::from_chars(step.state.data(), end, state);
    if (step.state.empty() || error != std::errc() || stop != end ||
        state >= property.states.size()) {
      return {};
    }
    path.push_back(state);
  }
  return path;
}

}  // namespace assay::report
