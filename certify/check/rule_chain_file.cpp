#include "rule_chain_file.hpp"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>

#include "reject.hpp"

namespace assay_check {
namespace {

using Integer = boost::multiprecision::cpp_int;
constexpr std::size_t kMaxStates = 4'000'000, kMaxEdges = 40'000'000, kMaxLabels = 256;
constexpr std::size_t kMaxDigits = 400, kMaxExponent = 400;

[[noreturn]] void no(const std::string& reason) {
  throw Reject("chain", reason);
}

std::string_view trimmed(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t\r");
  return begin == std::string_view::npos
             ? std::string_view()
             : line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
}

Integer digits_of(std::string_view text) {
  if (text.empty() || text.size() > kMaxDigits ||
      text.find_first_not_of("0123456789") != std::string_view::npos) {
    no("expected digits");
  }
  Integer n = 0;
  for (const char c : text) {
    n = n * 10 + (c - '0');
  }
  return n;
}

std::size_t natural(std::string_view text, std::size_t limit) {
  const Integer n = digits_of(text);
  if (n > limit) {
    no("a number over the limit of " + std::to_string(limit));
  }
  return n.convert_to<std::size_t>();
}

Integer ten_to(std::size_t n) {
  Integer out = 1;
  for (; n > 0; --n) {
    out *= 10;
  }
  return out;
}

/// P/Q or a decimal with an exponent, times 2^40, rounded down and up; exact before that.
std::pair<Units, Units> number(std::string_view text) {
  Integer num, den = 1;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    if (text.size() < 30 && slash < 16 &&
        text.size() - slash < 16) {  // the usual case, in 128 bits
      const Fraction f = parse_fraction(text);
      __extension__ using Wide = unsigned __int128;
      const Wide scaled = Wide{static_cast<Units>(f.num)} << 40;
      const auto d = static_cast<Units>(f.den);
      if (f.num < 0 || f.num > f.den) {
        no("expected a number of [0, 1]");
      }
      return {static_cast<Units>(scaled / d), static_cast<Units>((scaled + d - 1) / d)};
    }
    num = digits_of(text.substr(0, slash));
    den = digits_of(text.substr(slash + 1));
  } else {
    const std::size_t e = std::min(text.find_first_of("eE"), text.size());
    const std::string_view decimal = text.substr(0, e);
    const std::size_t point = std::min(decimal.find('.'), decimal.size());
    num = digits_of(decimal.substr(0, point));
    if (point < decimal.size()) {
      const std::string_view places = decimal.substr(point + 1);
      num = num * ten_to(places.size()) + digits_of(places);
      den = ten_to(places.size());
    }
    if (e < text.size()) {
      std::string_view exponent = text.substr(e + 1);
      const bool negative = exponent.starts_with('-');
      exponent.remove_prefix(negative || exponent.starts_with('+') ? 1 : 0);
      (negative ? den : num) *= ten_to(natural(exponent, kMaxExponent));
    }
  }
  if (den == 0 || num > den) {
    no("expected a number of [0, 1]");
  }
  const Integer scaled = num << 40;
  return {Integer(scaled / den).convert_to<Units>(),
          Integer((scaled + den - 1) / den).convert_to<Units>()};
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  [[nodiscard]] std::size_t line() const { return line_; }

  GivenChain read() {
    read_header();
    while (next()) {
      if (row_.starts_with("state ") || row_.starts_with("state\t")) {
        close();
        open();
      } else if (row_ == "action" || row_.starts_with("action ")) {
        if (!open_ || action_ || row_.find('[') != std::string_view::npos) {
          no("expected one action a state, without rewards");
        }
        action_ = true;
      } else {
        edge();
      }
    }
    close();
    if (out_.rows.size() != states_ || !out_.labels.contains("init")) {
      no("expected as many states as @nr_states, one with the label init");
    }
    return std::move(out_);
  }

 private:
  bool next() {
    while (!text_.empty()) {
      const std::size_t end = std::min(text_.find('\n'), text_.size());
      row_ = trimmed(text_.substr(0, end));
      text_.remove_prefix(std::min(end + 1, text_.size()));
      ++line_;
      if (!row_.empty() && !row_.starts_with("//")) {
        return true;
      }
    }
    return false;
  }
  /// What follows the key on its line, else the next line.
  std::string_view value(std::string_view key) {
    std::string_view rest = trimmed(row_.substr(key.size()));
    rest = trimmed(rest.substr(rest.starts_with(':') ? 1 : 0));
    return rest.empty() && next() ? row_ : rest;
  }
  void read_header() {
    bool typed = false;
    while (next() && row_ != "@model") {
      if (row_.starts_with("@type")) {
        typed = value("@type") == "DTMC";
      } else if (row_.starts_with("@value_type")) {
        const std::string_view v = value("@value_type");
        if (v != "double" && v != "rational" && v != "double-interval" &&
            v != "rational-interval") {
          no("a value type that is not read");
        }
      } else if (row_.starts_with("@nr_states")) {
        states_ = natural(value("@nr_states"), kMaxStates);
      } else if (row_.starts_with("@nr_choices")) {
        choices_ = natural(value("@nr_choices"), kMaxStates);
      } else if (row_ != "@parameters" && row_ != "@reward_models") {
        no("a header line that is not read");
      }
    }
    if (row_ != "@model" || !typed || states_ == 0 || (choices_ != 0 && choices_ != states_)) {
      no("expected @type: DTMC, @nr_states, one choice a state and @model");
    }
  }
  void open() {
    std::string_view rest = trimmed(row_.substr(5));
    const auto word = [&rest] {
      const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
      const std::string_view w = rest.substr(0, end);
      rest = trimmed(rest.substr(end));
      return w;
    };
    if (natural(word(), kMaxStates) != out_.rows.size() || out_.rows.size() >= states_) {
      no("expected state " + std::to_string(out_.rows.size()));
    }
    while (!rest.empty()) {
      const std::string_view name = word();
      if (name.find_first_of("[]:\"") != std::string_view::npos) {
        no("expected labels after the state's number");
      }
      std::vector<bool>& label = out_.labels[std::string(name)];
      if (out_.labels.size() > kMaxLabels) {
        no("more labels than are read");
      }
      label.resize(states_, false);
      label[out_.rows.size()] = true;
    }
    open_ = true;
    action_ = false;
    edges_.clear();
  }
  void edge() {
    const std::size_t colon = row_.find(':');
    if (!action_ || colon == std::string_view::npos) {
      no("expected TARGET : PROBABILITY under an action");
    }
    const std::size_t to = natural(trimmed(row_.substr(0, colon)), states_ - 1);
    const std::string_view v = trimmed(row_.substr(colon + 1));
    ChanceEdge e{static_cast<std::uint32_t>(to), 0, 0};
    if (v.starts_with('[') && v.ends_with(']') && v.find(',') != std::string_view::npos) {
      const std::size_t comma = v.find(',');
      e.lo = number(trimmed(v.substr(1, comma - 1))).first;
      e.hi = number(trimmed(v.substr(comma + 1, v.size() - comma - 2))).second;
    } else {
      std::tie(e.lo, e.hi) = number(v);
    }
    edges_.push_back(e);
    if (out_.rows.edges() + edges_.size() > kMaxEdges) {
      no("more edges than are checked");
    }
  }
  void close() {
    if (open_) {
      out_.rows.add(edges_, "chain");
    }
  }

  std::string_view text_, row_;
  std::size_t line_ = 0, states_ = 0, choices_ = 0;
  bool open_ = false, action_ = false;
  std::vector<ChanceEdge> edges_;
  GivenChain out_;
};

}  // namespace

GivenChain parse_chain(const std::string& text, const std::string& file) {
  Reader reader(text);
  try {
    return reader.read();
  } catch (const Reject& r) {
    throw Reject("chain", r.reason(), file, reader.line());
  }
}

}  // namespace assay_check
