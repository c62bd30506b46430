#include <algorithm>
#include <bit>
#include <unordered_map>

#include "assay/automata/step_machine.hpp"
#include "assay/base/errors.hpp"

namespace assay::automata {
namespace {

/// 2 * variable + (negated ? 1 : 0); 0 is false, 1 is true.
using Literal = std::uint32_t;
constexpr Literal kFalse = 0, kTrue = 1;
constexpr std::size_t kMaxGates = 20'000'000;

Literal inverse(Literal a) {
  return a ^ 1U;
}

/// And-inverter gates over inputs and latches, each gate once.
class Circuit {
 public:
  Circuit(std::size_t inputs, std::size_t latches) : inputs_(inputs), next_(latches, kFalse) {}

  [[nodiscard]] Literal input(std::size_t i) const { return static_cast<Literal>(2 * (1 + i)); }
  [[nodiscard]] Literal latch(std::size_t i) const {
    return static_cast<Literal>(2 * (1 + inputs_ + i));
  }
  void set_next(std::size_t latch, Literal value) { next_[latch] = value; }

  Literal both(Literal a, Literal b) {
    if (a == kFalse || b == kFalse || a == inverse(b)) {
      return kFalse;
    }
    if (a == kTrue || a == b) {
      return b;
    }
    if (b == kTrue) {
      return a;
    }
    const auto [lo, hi] = std::minmax(a, b);
    const auto fresh = static_cast<Literal>(2 * (1 + inputs_ + next_.size() + gates_.size()));
    const auto [found, is_new] = by_operands_.emplace(std::uint64_t{hi} << 32U | lo, fresh);
    if (is_new) {
      if (gates_.size() >= kMaxGates) {
        throw UsageError("expected a circuit of at most 20,000,000 gates, found more");
      }
      gates_.emplace_back(hi, lo);
    }
    return found->second;
  }

  /// A balanced tree, so that circuits stay shallow.
  Literal any(std::vector<Literal> of) {
    while (of.size() > 1) {
      std::size_t n = 0;
      for (std::size_t i = 0; i < of.size(); i += 2) {
        of[n++] = i + 1 < of.size() ? inverse(both(inverse(of[i]), inverse(of[i + 1]))) : of[i];
      }
      of.resize(n);
    }
    return of.empty() ? kFalse : of[0];
  }

  /// [count]: literal k says that the bits (least first) are the number k.
  std::vector<Literal> numbers(const std::vector<Literal>& bits, std::size_t count) {
    std::vector<Literal> out{kTrue};  // prefixes from the highest bit on
    for (std::size_t b = bits.size(); b-- > 0;) {
      std::vector<Literal> longer;
      for (std::size_t k = 0; k < out.size() && (2 * k << b) < count; ++k) {
        longer.push_back(both(out[k], inverse(bits[b])));
        if (((2 * k + 1) << b) < count) {
          longer.push_back(both(out[k], bits[b]));
        }
      }
      out = std::move(longer);
    }
    return out;
  }

  [[nodiscard]] std::string text(Literal output, const std::string& symbols) const {
    const std::size_t variables = inputs_ + next_.size() + gates_.size();
    std::string out = "aig " + std::to_string(variables) + " " + std::to_string(inputs_) + " " +
                      std::to_string(next_.size()) + " 1 " + std::to_string(gates_.size()) + "\n";
    for (const Literal next : next_) {
      out += std::to_string(next) + "\n";
    }
    out += std::to_string(output) + "\n";
    auto gate = static_cast<Literal>(2 * (1 + inputs_ + next_.size()));
    for (const auto& [hi, lo] : gates_) {
      append_delta(gate - hi, out);
      append_delta(hi - lo, out);
      gate += 2;
    }
    return out + symbols;
  }

 private:
  /// Seven bits a byte, least first; the eighth says that more follow.
  static void append_delta(std::uint32_t delta, std::string& out) {
    for (; delta >= 0x80U; delta >>= 7U) {
      out += static_cast<char>(0x80U | (delta & 0x7FU));
    }
    out += static_cast<char>(delta);
  }

  std::size_t inputs_;
  std::vector<Literal> next_;
  std::vector<std::pair<Literal, Literal>> gates_;
  std::unordered_map<std::uint64_t, Literal> by_operands_;
};

/// Bits that number `count` things.
std::size_t bits_for(std::size_t count) {
  return std::bit_width(count - 1);
}

/// The machine's states are numbered from 1, 0 is before the first letter: its steps are those of every initial state.
class Encoding {
 public:
  Encoding(const StepMachine& machine, const spec::Dfa& monitor)
      : machine_(machine), monitor_(monitor) {
    for (const std::uint32_t s : machine.initial) {
      start_.insert(start_.end(), machine.steps[s].begin(), machine.steps[s].end());
    }
    std::sort(start_.begin(), start_.end());
    start_.erase(std::unique(start_.begin(), start_.end()), start_.end());
    std::size_t most = start_.size();
    for (const auto& steps : machine.steps) {
      most = std::max(most, steps.size());
    }
    choice_bits_ = bits_for(most);
    state_bits_ = bits_for(machine.steps.size() + 1);
    monitor_bits_ = bits_for(monitor.states);
  }

  std::string text(const std::string& title) {
    const std::size_t bad = state_bits_ + monitor_bits_;
    Circuit circuit(choice_bits_, bad + 1);
    const std::vector<Literal> letter = step(circuit);
    const Literal turns_bad = read(circuit, letter);
    circuit.set_next(bad, inverse(circuit.both(inverse(circuit.latch(bad)), inverse(turns_bad))));
    return circuit.text(monitor_.bad[0] ? kTrue : circuit.latch(bad), symbols(title));
  }

 private:
  std::vector<Literal> latches(const Circuit& circuit, std::size_t from, std::size_t count) const {
    std::vector<Literal> out;
    for (std::size_t i = 0; i < count; ++i) {
      out.push_back(circuit.latch(from + i));
    }
    return out;
  }

  /// Sets the state's next value; the letter's bits. A choice beyond a state's last step is its first one.
  std::vector<Literal> step(Circuit& circuit) {
    const auto states =
        circuit.numbers(latches(circuit, 0, state_bits_), machine_.steps.size() + 1);
    std::vector<Literal> inputs;
    for (std::size_t i = 0; i < choice_bits_; ++i) {
      inputs.push_back(circuit.input(i));
    }
    const auto choices = circuit.numbers(inputs, std::size_t{1} << choice_bits_);
    std::vector<std::vector<Literal>> next(state_bits_), letter(machine_.aps.size());
    for (std::size_t s = 0; s <= machine_.steps.size(); ++s) {
      const auto& steps = s == 0 ? start_ : machine_.steps[s - 1];
      std::vector<Literal> others(choices.begin() + 1,
                                  choices.begin() + static_cast<std::ptrdiff_t>(steps.size()));
      const Literal first = inverse(circuit.any(others));
      for (std::size_t j = 0; j < steps.size(); ++j) {
        const Literal taken = circuit.both(states[s], j == 0 ? first : choices[j]);
        add_bits(steps[j].to + 1, taken, next);
        add_bits(steps[j].letter, taken, letter);
      }
    }
    for (std::size_t b = 0; b < state_bits_; ++b) {
      circuit.set_next(b, circuit.any(next[b]));
    }
    std::vector<Literal> out;
    for (auto& bit : letter) {
      out.push_back(circuit.any(std::move(bit)));
    }
    return out;
  }

  /// Sets the monitor's next value; that it turns bad.
  Literal read(Circuit& circuit, const std::vector<Literal>& letter_bits) {
    const auto states =
        circuit.numbers(latches(circuit, state_bits_, monitor_bits_), monitor_.states);
    const auto letters = circuit.numbers(letter_bits, monitor_.letters());
    std::vector<std::vector<Literal>> next(monitor_bits_);
    std::vector<Literal> bad;
    for (std::uint32_t m = 0; m < monitor_.states; ++m) {
      for (std::size_t letter = 0; letter < letters.size(); ++letter) {
        const std::uint32_t to = monitor_.next(m, letter);
        const Literal taken = circuit.both(states[m], letters[letter]);
        add_bits(to, taken, next);
        if (monitor_.bad[to]) {
          bad.push_back(taken);
        }
      }
    }
    for (std::size_t b = 0; b < monitor_bits_; ++b) {
      circuit.set_next(state_bits_ + b, circuit.any(next[b]));
    }
    return circuit.any(std::move(bad));
  }

  static void add_bits(std::size_t number, Literal when, std::vector<std::vector<Literal>>& bits) {
    for (std::size_t b = 0; b < bits.size(); ++b) {
      if (((number >> b) & 1U) != 0) {
        bits[b].push_back(when);
      }
    }
  }

  [[nodiscard]] std::string symbols(const std::string& title) const {
    std::string out;
    for (std::size_t i = 0; i < choice_bits_; ++i) {
      out += "i" + std::to_string(i) + " choice_" + std::to_string(i) + "\n";
    }
    for (std::size_t i = 0; i < state_bits_; ++i) {
      out += "l" + std::to_string(i) + " state_" + std::to_string(i) + "\n";
    }
    for (std::size_t i = 0; i < monitor_bits_; ++i) {
      out += "l" + std::to_string(state_bits_ + i) + " monitor_" + std::to_string(i) + "\n";
    }
    return out + "l" + std::to_string(state_bits_ + monitor_bits_) + " was_bad\no0 bad\nc\n" +
           title + "\n";
  }

  const StepMachine& machine_;
  const spec::Dfa& monitor_;
  std::vector<StepMachine::Step> start_;
  std::size_t choice_bits_ = 0, state_bits_ = 0, monitor_bits_ = 0;
};

}  // namespace

std::string to_aiger(const StepMachine& machine, const spec::Dfa& monitor,
                     const std::string& title) {
  require(monitor.atoms.size() == machine.aps.size(), "to_aiger: a monitor over other aps");
  return Encoding(machine, monitor).text(title);
}

}  // namespace assay::automata
