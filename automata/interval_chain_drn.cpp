#include <algorithm>

#include "assay/automata/interval_chain_files.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "interval_chain_number.hpp"

namespace assay::automata {
namespace {

constexpr std::size_t kMaxText = std::size_t{256} << 20U;
constexpr std::size_t kMaxStates = 4'000'000, kMaxEdges = 40'000'000, kMaxLabels = 256;

std::string_view trimmed(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t\r");
  return begin == std::string_view::npos
             ? std::string_view()
             : line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t begin = line.find_first_not_of(" \t", at);
    if (begin == std::string_view::npos) {
      break;
    }
    at = std::min(line.find_first_of(" \t", begin), line.size());
    out.push_back(line.substr(begin, at - begin));
  }
  return out;
}

class DrnReader {
 public:
  DrnReader(const std::string& text, const std::string& file) : text_(text), file_(file) {
    if (text.size() > kMaxText) {
      fail("a file of at most 256 MiB", std::to_string(text.size()) + " bytes");
    }
  }

  LabelledChain read() {
    read_header();
    while (next()) {
      if (line_.starts_with("state ") || line_.starts_with("state\t")) {
        close_state();
        open_state(words_of(line_));
      } else if (line_.starts_with("action")) {
        open_action();
      } else {
        read_edge();
      }
    }
    close_state();
    finish();
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const std::string& expected, const std::string& found) const {
    throw InputError(file_ + ":" + std::to_string(number_) + ": expected " + expected + ", found " +
                     visible(found.substr(0, 80)));
  }

  /// The next line that is neither empty nor a comment.
  bool next() {
    while (at_ < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      line_ = trimmed(std::string_view(text_).substr(at_, end - at_));
      at_ = end + 1;
      ++number_;
      if (!line_.empty() && !line_.starts_with("//")) {
        return true;
      }
    }
    return false;
  }
  std::string_view value_of(std::string_view key) {
    std::string_view rest = trimmed(line_.substr(key.size()));
    rest.remove_prefix(rest.starts_with(':') ? 1 : 0);
    return trimmed(rest);
  }
  /// The value of a key, on its own line or on the next one.
  std::size_t number_of(std::string_view key) {
    std::string_view value = value_of(key);
    if (value.empty() && next()) {
      value = line_;
    }
    std::size_t out = 0;
    for (const char c : value) {
      if (c < '0' || c > '9' || out > kMaxEdges) {
        fail("a number after " + std::string(key), std::string(value));
      }
      out = out * 10 + static_cast<std::size_t>(c - '0');
    }
    if (value.empty()) {
      fail("a number after " + std::string(key), "none");
    }
    return out;
  }

  void read_header() {
    while (next()) {
      if (line_ == "@model") {
        if (!typed_ || states_ == 0) {
          fail("@type: DTMC and @nr_states above 0 before @model", "none");
        }
        return;
      }
      read_key();
    }
    fail("@model", "the end of the file");
  }
  void read_key() {
    if (line_.starts_with("@type")) {
      typed_ = value_of("@type") == "DTMC";
      if (!typed_) {
        fail("@type: DTMC, the one kind that is read", std::string(line_));
      }
    } else if (line_.starts_with("@value_type")) {
      const std::string_view value = value_of("@value_type");
      if (value != "double" && value != "rational" && value != "double-interval" &&
          value != "rational-interval") {
        fail("@value_type: double, rational, double-interval or rational-interval",
             std::string(value));
      }
    } else if (line_.starts_with("@nr_states")) {
      states_ = number_of("@nr_states");
      if (states_ > kMaxStates) {
        fail("at most 4,000,000 states", std::to_string(states_));
      }
    } else if (line_.starts_with("@nr_choices")) {
      choices_ = number_of("@nr_choices");
    } else if (line_ != "@parameters" && line_ != "@reward_models") {
      fail("a header of a chain without parameters and rewards", std::string(line_));
    }
  }

  void open_state(const std::vector<std::string_view>& words) {
    const std::size_t s = out_.chain.states();
    if (words.size() < 2 || words[1] != std::to_string(s) || s >= states_) {
      fail("state " + std::to_string(s) + " of " + std::to_string(states_), std::string(line_));
    }
    for (std::size_t i = 2; i < words.size(); ++i) {
      if (words[i].find_first_of("[]:\"") != std::string_view::npos) {
        fail("labels after the state's number, no rewards", std::string(words[i]));
      }
      auto& label = out_.labels[std::string(words[i])];
      if (out_.labels.size() > kMaxLabels) {
        fail("at most 256 labels", "more");
      }
      label.resize(states_, false);
      label[s] = true;
    }
    in_state_ = true;
    actions_ = 0;
    row_.clear();
  }
  void open_action() {
    if (!in_state_ || ++actions_ > 1) {
      fail("one action a state, for nature alone chooses", std::string(line_));
    }
    if (line_.find('[') != std::string_view::npos) {
      fail("an action without rewards", std::string(line_));
    }
  }
  void read_edge() {
    const std::size_t colon = line_.find(':');
    const std::string_view to = trimmed(line_.substr(0, colon));
    if (!in_state_ || actions_ != 1 || colon == std::string_view::npos || to.empty() ||
        to.size() > 9 || to.find_first_not_of("0123456789") != std::string_view::npos) {
      fail("TARGET : PROBABILITY under an action", std::string(line_));
    }
    ChainEdge edge;
    edge.to = static_cast<std::uint32_t>(std::stoul(std::string(to)));
    if (edge.to >= states_) {
      fail("a state below " + std::to_string(states_), std::string(to));
    }
    std::string_view value = trimmed(line_.substr(colon + 1));
    const bool interval = value.starts_with('[') && value.ends_with(']');
    const std::size_t comma = value.find(',');
    if (interval != (comma != std::string_view::npos)) {
      fail("a probability or [LO, HI]", std::string(value));
    }
    const auto lo = grid_around(interval ? trimmed(value.substr(1, comma - 1)) : value);
    const auto hi =
        grid_around(interval ? trimmed(value.substr(comma + 1, value.size() - comma - 2)) : value);
    if (!lo || !hi || lo->lo > hi->hi) {
      fail("numbers of [0, 1], the lower end first", std::string(value));
    }
    edge.lo = lo->lo;
    edge.hi = hi->hi;
    row_.push_back(edge);
    if (out_.chain.edges() + row_.size() > kMaxEdges) {
      fail("at most 40,000,000 edges", "more");
    }
  }
  void close_state() {
    if (!in_state_) {
      return;
    }
    try {
      out_.chain.add_row(row_);
    } catch (const InputError& e) {
      throw InputError(file_ + ":" + std::to_string(number_) + ": " + e.what());
    }
  }
  void finish() {
    if (out_.chain.states() != states_ || (choices_ != 0 && choices_ != states_)) {
      fail(std::to_string(states_) + " states with one choice each",
           std::to_string(out_.chain.states()) + " states and @nr_choices " +
               std::to_string(choices_));
    }
    const auto init = out_.labels.find("init");
    if (init == out_.labels.end()) {
      fail("a state with the label init", "none");
    }
    out_.chain.require_closed();
  }

  const std::string& text_;
  std::string file_;
  std::string_view line_;
  std::size_t at_ = 0, number_ = 0, states_ = 0, choices_ = 0, actions_ = 0;
  bool typed_ = false, in_state_ = false;
  std::vector<ChainEdge> row_;
  LabelledChain out_;
};

}  // namespace

LabelledChain parse_drn(const std::string& text, const std::string& file) {
  return DrnReader(text, file).read();
}

std::string to_drn(const LabelledChain& labelled) {
  const IntervalChain& chain = labelled.chain;
  const std::string n = std::to_string(chain.states());
  std::string out =
      "@type: DTMC\n@value_type: rational-interval\n@parameters\n\n@reward_models\n\n@nr_states\n" +
      n + "\n@nr_choices\n" + n + "\n@model\n";
  const std::string one = "/" + std::to_string(kGridOne);
  for (std::size_t s = 0; s < chain.states(); ++s) {
    out += "state " + std::to_string(s);
    for (const auto& [name, states] : labelled.labels) {
      out += states[s] ? " " + name : "";
    }
    out += "\n\taction 0\n";
    for (const ChainEdge& e : chain.row(s)) {
      out.append("\t\t").append(std::to_string(e.to)).append(" : [").append(std::to_string(e.lo));
      out.append(one).append(", ").append(std::to_string(e.hi)).append(one).append("]\n");
    }
  }
  return out;
}

PrismFiles to_prism(const LabelledChain& labelled) {
  const IntervalChain& chain = labelled.chain;
  PrismFiles out;
  out.tra = std::to_string(chain.states()) + " " + std::to_string(chain.edges()) + "\n";
  for (std::size_t s = 0; s < chain.states(); ++s) {
    for (const ChainEdge& e : chain.row(s)) {
      out.tra += std::to_string(s) + " " + std::to_string(e.to) + " [" + exact_decimal(e.lo) + "," +
                 exact_decimal(e.hi) + "]\n";
    }
  }
  std::vector<const std::vector<bool>*> columns;
  const auto add = [&](const std::string& name, const std::vector<bool>* states) {
    out.lab += (columns.empty() ? "" : " ") + std::to_string(columns.size()) + "=\"" + name + "\"";
    columns.push_back(states);
  };
  const std::vector<bool> none(chain.states(), false);
  const auto init = labelled.labels.find("init"), deadlock = labelled.labels.find("deadlock");
  add("init",
      init == labelled.labels.end() ? &none : &init->second);  // PRISM wants these two first
  add("deadlock", deadlock == labelled.labels.end() ? &none : &deadlock->second);
  for (const auto& [name, states] : labelled.labels) {
    if (name != "init" && name != "deadlock") {
      add(name, &states);
    }
  }
  out.lab += "\n";
  for (std::size_t s = 0; s < chain.states(); ++s) {
    std::string row;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      row += (*columns[i])[s] ? " " + std::to_string(i) : "";
    }
    out.lab += row.empty() ? "" : std::to_string(s) + ":" + row + "\n";
  }
  return out;
}

}  // namespace assay::automata
