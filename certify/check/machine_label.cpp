#include "machine.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxHidden = 16;

}  // namespace

bool Machine::Label::holds(std::uint64_t letter) const {
  std::vector<bool> stack;
  const auto pop = [&stack] {
    const bool top = stack.back();
    stack.pop_back();
    return top;
  };
  for (const int op : program) {
    if (op >= 0) {
      stack.push_back((letter >> op & 1) != 0);
    } else if (op == kTrue || op == kFalse) {
      stack.push_back(op == kTrue);
    } else if (op == kNot) {
      stack.back() = !stack.back();
    } else {
      const bool right = pop(), left = pop();
      stack.push_back(op == kAnd ? left && right : left || right);
    }
  }
  return stack.back();
}

std::uint64_t Machine::Label::aps() const {
  std::uint64_t out = 0;
  for (const int op : program) {
    out |= op >= 0 ? std::uint64_t{1} << op : 0;
  }
  return out;
}

bool shows(const Machine::Label& label, std::uint64_t letter, std::uint64_t known) {
  std::vector<std::size_t> hidden;
  for (std::size_t ap = 0; ap < 64; ++ap) {
    if ((label.aps() & ~known) >> ap & 1) {
      hidden.push_back(ap);
    }
  }
  if (hidden.size() > kMaxHidden) {
    throw Reject("machine", "more than 16 aps in a label beside the property's");
  }
  for (std::size_t v = 0; v < std::size_t{1} << hidden.size(); ++v) {
    std::uint64_t all = letter;
    for (std::size_t i = 0; i < hidden.size(); ++i) {
      all |= std::uint64_t{v >> i & 1} << hidden[i];
    }
    if (label.holds(all)) {
      return true;
    }
  }
  return false;
}

}  // namespace assay_check
