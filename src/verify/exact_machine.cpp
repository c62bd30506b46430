#include "exact_machine.hpp"

#include <algorithm>
#include <array>
#include <thread>

#include "assay/base/errors.hpp"

namespace assay::verify {
namespace {

using automata::ExactForward;
using automata::WindowCode;

constexpr std::uint32_t kFree = UINT32_MAX;
constexpr std::size_t kMaxMeasured = 32;
/// Separation that the double pass must show beyond its error bound, so that a checker with
/// another order of rounding separates as well. What is nearer goes to intervals.
constexpr double kRoom = 0x1p-34;

std::size_t hashed(WindowCode code) {
  std::uint64_t z = code + 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return static_cast<std::size_t>(z ^ (z >> 31U));
}

}  // namespace

automata::Probe probe_of(const CheckInput& input, const spec::Atom& atom) {
  if (atom.kind == spec::Atom::Kind::readout) {
    const Readout& readout = *input.readouts.at(atom.subject);
    return {readout.hook, readout.weights, Interval(readout.bias)};
  }
  const Sae& sae = *input.saes.at(atom.subject);
  const std::size_t feature = atom.feature->at();
  automata::Probe probe{sae.hook_name, {}, Interval(0.0)};
  if (!sae.b_enc.data.empty()) {
    probe.bias = Interval(static_cast<double>(sae.b_enc.data[feature]));
  }
  for (std::size_t r = 0; r < sae.d_in; ++r) {
    const double w = static_cast<double>(sae.W_enc.at(r, feature));
    probe.weights.push_back(w);
    if (sae.apply_b_dec_to_input && !sae.b_dec.data.empty()) {
      probe.bias += -(Interval(static_cast<double>(sae.b_dec.data[r])) * Interval(w));
    }
  }
  return probe;
}

/// Edges and value bits of consecutive windows, in their order.
struct WindowMachine::Outcome {
  std::vector<Edge> pool;
  std::vector<std::uint16_t> degree;
  std::vector<Bits> bits;
  std::vector<bool> by_intervals;
  std::vector<double> lo, hi;  ///< of the row at hand, [V]
  std::vector<automata::Edge> kinds;
};

std::vector<automata::Probe> WindowMachine::probes_of(const CheckInput& input, std::uint64_t atoms,
                                                      std::vector<std::size_t>& measured) {
  std::vector<automata::Probe> probes;
  for (std::size_t i = 0; i < input.spec->atoms.size(); ++i) {
    const spec::Atom& atom = input.spec->atoms[i];
    if (((atoms >> i) & 1U) == 0) {
      continue;
    }
    if (atom.kind == spec::Atom::Kind::feature || atom.kind == spec::Atom::Kind::readout) {
      probes.push_back(probe_of(input, atom));
      measured.push_back(i);
    }
  }
  if (measured.size() > kMaxMeasured) {
    throw UsageError("exact mode: expected at most 32 aps about features and readouts, found " +
                     std::to_string(measured.size()));
  }
  return probes;
}

WindowMachine::WindowMachine(const ExactInput& input, std::uint64_t atoms, const StateUse* state)
    : input_(input),
      state_(state),
      atoms_((automata::require_exact_family(*input.subject.model), input.subject)),
      forward_(*input.subject.model, probes_of(input.subject, atoms, measured_)),
      token_letters_(forward_.vocabulary(), 0),
      slots_(1024, kFree) {
  for (const std::size_t i : measured_) {
    measured_mask_ |= std::uint64_t{1} << i;
  }
  for (const double r : forward_.logit_radius()) {
    margin_.push_back(round_up(r + kRoom));
  }
  for (std::size_t i = 0; i < input.subject.spec->atoms.size(); ++i) {
    const auto kind = input.subject.spec->atoms[i].kind;
    if (((atoms >> i) & 1U) != 0 &&
        (kind == spec::Atom::Kind::token_in || kind == spec::Atom::Kind::token_is)) {
      for (std::size_t t = 0; t < token_letters_.size(); ++t) {
        token_letters_[t] |= atoms_.token_truth(i, TokenId(t)) ? std::uint64_t{1} << i : 0;
      }
    }
  }
}

std::size_t WindowMachine::bytes() const {
  return windows_.capacity() * sizeof(WindowCode) + begin_.capacity() * sizeof(std::uint64_t) +
         degree_.capacity() * sizeof(std::uint16_t) + bits_.capacity() * sizeof(Bits) +
         by_intervals_of_.capacity() / 8 + pool_.capacity() * sizeof(Edge) +
         slots_.capacity() * sizeof(Index);
}

WindowMachine::Index WindowMachine::intern(WindowCode code) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hashed(code) & mask;
  for (; slots_[at] != kFree; at = (at + 1) & mask) {
    if (windows_[slots_[at]] == code) {
      return slots_[at];
    }
  }
  require(windows_.size() < kFree, "WindowMachine: 2^32 windows");
  const auto index = static_cast<Index>(windows_.size());
  slots_[at] = index;
  windows_.push_back(code);
  begin_.push_back(kNotYet);
  degree_.push_back(0);
  by_intervals_of_.push_back(false);
  if (reads_values()) {
    bits_.emplace_back();
  }
  if (windows_.size() * 10 > slots_.size() * 7) {
    grow();
  }
  return index;
}

std::optional<WindowMachine::Index> WindowMachine::find(WindowCode code) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hashed(code) & mask; slots_[at] != kFree; at = (at + 1) & mask) {
    if (windows_[slots_[at]] == code) {
      return slots_[at];
    }
  }
  return std::nullopt;
}

void WindowMachine::grow() {
  slots_.assign(slots_.size() * 2, kFree);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    std::size_t at = hashed(windows_[i]) & mask;
    while (slots_[at] != kFree) {
      at = (at + 1) & mask;
    }
    slots_[at] = static_cast<Index>(i);
  }
}

Decided WindowMachine::letter(Index i) const {
  Decided out;
  out.must = out.may = token_letters_[codes().last(windows_[i])];
  for (std::size_t k = 0; k < measured_.size(); ++k) {
    out.must |= std::uint64_t{(bits_[i].must >> k) & 1U} << measured_[k];
    out.may |= std::uint64_t{(bits_[i].may >> k) & 1U} << measured_[k];
  }
  return out;
}

WindowMachine::Bits WindowMachine::measured_bits(const double* probes) const {
  Bits bits;
  for (std::size_t k = 0; k < measured_.size(); ++k) {
    const spec::Atom& atom = input_.subject.spec->atoms[measured_[k]];
    const double r = forward_.probe_radius()[k] + kRoom;
    Interval value(round_down(probes[k] - r), round_up(probes[k] + r));
    bool on_or_off = true;
    if (atom.kind == spec::Atom::Kind::feature) {
      const Sae& sae = *input_.subject.saes.at(atom.subject);
      const double threshold = sae.threshold.data.empty()
                                   ? 0.0
                                   : static_cast<double>(sae.threshold.data[atom.feature->at()]);
      on_or_off = value.hi <= threshold || value.lo > threshold;
      value = value.hi <= threshold ? Interval(0.0) : value;
    }
    const std::optional<bool> truth = on_or_off ? decide(atom, value) : std::nullopt;
    bits.must |= truth.value_or(false) ? 1U << k : 0U;
    bits.may |= truth.value_or(true) ? 1U << k : 0U;
  }
  return bits;
}

/// What the double pass left undecided.
void WindowMachine::read_in_intervals(WindowCode window, Bits& bits, Outcome& out) const {
  const std::size_t V = vocabulary();
  out.by_intervals.back() = true;
  const std::vector<TokenId> context = codes().decode(window);
  const bounds::ConcreteValues values = bounds::enclose(*input_.subject.model, context);
  for (std::size_t t = 0; t < V; ++t) {
    out.lo[t] = values.logits[t].lo;
    out.hi[t] = values.logits[t].hi;
  }
  std::vector<automata::Edge> again(V);
  input_.emission.decide(out.lo, out.hi, again);
  for (std::size_t t = 0; t < V; ++t) {
    out.kinds[t] = out.kinds[t] == automata::Edge::open ? again[t] : out.kinds[t];
  }
  const Decided decided = atoms_.enclosed(measured_mask_, context.back(), values);
  for (std::size_t k = 0; k < measured_.size(); ++k) {
    if (((bits.must ^ bits.may) >> k & 1U) != 0) {
      const std::uint32_t bit = 1U << k;
      bits.must |= ((decided.must >> measured_[k]) & 1U) != 0 ? bit : 0U;
      bits.may &= ((decided.may >> measured_[k]) & 1U) != 0 ? ~0U : ~bit;
    }
  }
}

void WindowMachine::read_row(WindowCode window, const double* logits, const double* probes,
                             Outcome& out) const {
  const std::size_t V = vocabulary();
  for (std::size_t t = 0; t < V; ++t) {
    out.lo[t] = logits[t] - margin_[t];
    out.hi[t] = logits[t] + margin_[t];
  }
  input_.emission.decide(out.lo, out.hi, out.kinds);
  Bits bits = measured_bits(probes);
  out.by_intervals.push_back(false);
  if (bits.must != bits.may ||
      std::find(out.kinds.begin(), out.kinds.end(), automata::Edge::open) != out.kinds.end()) {
    read_in_intervals(window, bits, out);
  }
  std::uint16_t degree = 0;
  for (std::size_t t = 0; t < V; ++t) {
    if (out.kinds[t] != automata::Edge::absent) {
      out.pool.push_back(static_cast<Edge>(2 * t + (out.kinds[t] == automata::Edge::open ? 1 : 0)));
      ++degree;
    }
  }
  require(degree > 0 || input_.emission.mask() == automata::Emission::Mask::after,
          "WindowMachine: a window without any edge");
  out.degree.push_back(degree);
  out.bits.push_back(bits);
}

void WindowMachine::evaluate_run(std::span<const WindowCode> windows, Outcome& out) const {
  ExactForward::Scratch scratch = forward_.make_scratch();
  out.lo.resize(vocabulary());
  out.hi.resize(vocabulary());
  out.kinds.resize(vocabulary());
  const std::size_t probes = forward_.probe_radius().size();
  for (std::size_t at = 0; at < windows.size(); at += ExactForward::kBatch) {
    const auto batch = windows.subspan(at, std::min(ExactForward::kBatch, windows.size() - at));
    forward_.evaluate(batch, scratch);
    for (std::size_t r = 0; r < batch.size(); ++r) {
      read_row(batch[r], scratch.logits.data() + r * forward_.stride(),
               scratch.probes.data() + r * probes, out);
    }
  }
}

EvaluatedWindows::Window WindowMachine::evaluated_window(Index i) const {
  EvaluatedWindows::Window out;
  out.code = windows_[i];
  out.degree = degree_[i];
  out.flags = by_intervals_of_[i] ? 1 : 0;
  if (reads_values()) {
    out.must = bits_[i].must;
    out.may = bits_[i].may;
  }
  return out;
}

void WindowMachine::store(Index i, std::span<const Edge> edges, Bits bits, bool by_intervals) {
  begin_[i] = pool_.size();
  degree_[i] = static_cast<std::uint16_t>(edges.size());
  pool_.insert(pool_.end(), edges.begin(), edges.end());
  open_ += static_cast<std::size_t>(
      std::count_if(edges.begin(), edges.end(), [](Edge e) { return (e & 1U) != 0; }));
  by_intervals_of_[i] = by_intervals;
  by_intervals_ += by_intervals ? 1 : 0;
  if (reads_values()) {
    bits_[i] = bits;
  }
}

std::vector<WindowMachine::Index> WindowMachine::not_resumed(const std::vector<Index>& wanted) {
  if (state_ == nullptr || state_->resumed == nullptr) {
    return wanted;
  }
  std::vector<Index> out;
  for (const Index i : wanted) {
    if (const EvaluatedWindows::Window* w = state_->resumed->find(windows_[i])) {
      store(i, state_->resumed->edges_of(*w), {w->must, w->may}, w->flags != 0);
    } else {
      out.push_back(i);
    }
  }
  return out;
}

void WindowMachine::evaluate(std::span<const Index> windows, std::size_t threads) {
  std::vector<Index> asked;
  for (const Index i : windows) {
    if (!is_evaluated(i)) {
      begin_[i] = 0;  // marks it, so that a second mention is skipped
      asked.push_back(i);
    }
  }
  const std::vector<Index> wanted = not_resumed(asked);
  std::vector<WindowCode> codes_wanted(wanted.size());
  std::transform(wanted.begin(), wanted.end(), codes_wanted.begin(),
                 [this](Index i) { return windows_[i]; });
  const std::size_t workers = wanted.size() < 4 * ExactForward::kBatch ? 1 : threads;
  const std::size_t part = (wanted.size() + workers - 1) / std::max<std::size_t>(workers, 1);
  std::vector<Outcome> outcomes(workers);
  std::vector<std::exception_ptr> failures(workers);
  std::vector<std::thread> running;
  const auto work = [&](std::size_t k) {
    const std::size_t from = std::min(k * part, wanted.size());
    const std::size_t to = std::min(from + part, wanted.size());
    try {
      evaluate_run(std::span(codes_wanted).subspan(from, to - from), outcomes[k]);
    } catch (...) {
      failures[k] = std::current_exception();
    }
  };
  for (std::size_t k = 1; k < workers; ++k) {
    running.emplace_back(work, k);
  }
  work(0);
  for (std::thread& thread : running) {
    thread.join();
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) {
      std::rethrow_exception(failure);
    }
  }
  std::size_t at = 0;
  for (const Outcome& outcome : outcomes) {
    std::span<const Edge> rest(outcome.pool);
    for (std::size_t r = 0; r < outcome.degree.size(); ++r, ++at) {
      store(wanted[at], rest.first(outcome.degree[r]), outcome.bits[r], outcome.by_intervals[r]);
      rest = rest.subspan(outcome.degree[r]);
    }
  }
  evaluated_ += asked.size();
  if (state_ != nullptr && state_->on_evaluated && !asked.empty()) {
    state_->on_evaluated(*this);
  }
}

}  // namespace assay::verify
