#include "windows.hpp"

#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxWindows = 1'100'000;  // re-evaluated for one certificate

}  // namespace

Windows::Windows(Session& session)
    : session_(session),
      forward_(session.attention()),
      base_(session.attention().net().d_vocab + 1) {
  const Network& net = session.attention().net();
  need_plain_windows(net);
  for (std::size_t i = 1; i < net.window; ++i) {
    if (keep_ > UINT64_MAX / base_ / base_) {
      throw Reject("model", "the windows do not fit into 64 bits");
    }
    keep_ *= base_;
  }
}

std::uint64_t Windows::code(const std::vector<std::uint32_t>& tokens) const {
  std::uint64_t window = 0;
  for (const std::uint32_t t : tokens) {
    window = append(window, t);
  }
  return window;
}

void Windows::read_atoms(std::uint64_t atoms) {
  if ((atoms & ~atoms_) != 0) {
    known_.clear();
    atoms_ |= atoms;
  }
}

void Windows::read_chances() {
  if (!wants_chances_) {
    known_.clear();
    wants_chances_ = true;
  }
}

// EVAL: what lies before the window is not read, so one evaluation speaks of every such context
const WindowFacts& Windows::at(std::uint64_t window, const Step& step) {
  const auto found = known_.find(window);
  if (found != known_.end()) {
    return found->second;
  }
  if (known_.size() >= kMaxWindows) {
    refuse(step, "more windows than are re-evaluated");
  }
  std::vector<std::size_t> back;
  for (std::uint64_t rest = window; rest != 0; rest /= base_) {
    back.push_back(static_cast<std::size_t>(rest % base_ - 1));
  }
  const Position position = forward_.at(back, back.size());
  const std::vector<Interval> logits = forward_.logits(position);
  const std::vector<Kept> kept = session_.runs().emission.support(logits);
  WindowFacts facts;
  for (std::size_t t = 0; t < kept.size(); ++t) {
    if (kept[t] != Kept::no) {
      facts.possible.push_back(static_cast<std::uint32_t>(t));
    }
  }
  if (wants_chances_) {
    facts.chances = chances_of(session_.runs().emission, logits, kept);
  }
  facts.letter = LetterReader(session_, step, atoms_).letter(back[0], &position);
  return known_.emplace(window, std::move(facts)).first->second;
}

Letter Windows::letter(std::uint64_t window, const Step& step) {
  LetterReader reader(session_, step, atoms_);
  return reader.needs_position() ? at(window, step).letter : reader.letter(last(window), nullptr);
}

Windows& Session::windows() {
  if (!windows_) {
    windows_ = std::make_shared<Windows>(*this);
  }
  return *windows_;
}

}  // namespace assay_check
