#include "level_points.hpp"

#include <algorithm>
#include <unordered_set>

namespace assay::verify {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
constexpr std::size_t kMaxBits = 2000;
constexpr std::size_t kMaxNumbers = 200000;  // computed in all

std::string key_of(const LevelPoint& point) {
  std::string out = std::to_string(point.control);
  for (const Exact& value : point.values) {
    out += " " + exact_text(value);
  }
  return out;
}

bool is_large(const LevelPoint& point) {
  return std::any_of(point.values.begin(), point.values.end(), [](const Exact& v) {
    return msb(boost::multiprecision::denominator(v)) > kMaxBits ||
           (v != 0 && msb(abs(boost::multiprecision::numerator(v))) > kMaxBits);
  });
}

struct Visit {
  std::size_t before, edge, letter;
};

std::vector<LevelStep> path(const std::vector<LevelPoint>& points, const std::vector<Visit>& visits,
                            std::size_t i) {
  std::vector<LevelStep> out;
  for (; visits[i].before != kNone; i = visits[i].before) {
    out.push_back({visits[i].edge, visits[i].letter, points[i]});
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

LevelPoint move_point(const LevelBranch& branch, const LevelPoint& from) {
  const LevelNode* node = branch.root.get();
  while (!node->is_leaf()) {
    node = node->split.holds(from.values) ? node->yes.get() : node->no.get();
  }
  LevelPoint out{node->to, {}};
  out.values.reserve(node->update.size());
  for (const Form& form : node->update) {
    out.values.push_back(form.constant + value_of(form.terms, from.values));
  }
  return out;
}

PointSearch search_points(const LevelSystem& system, std::size_t limit) {
  PointSearch out;
  std::size_t numbers = 0;
  std::vector<Visit> visits;
  std::unordered_set<std::string> seen;
  const auto visit = [&](LevelPoint point, Visit from) {
    if (seen.insert(key_of(point)).second) {
      out.points.push_back(std::move(point));
      visits.push_back(from);
    }
  };
  for (const std::size_t c : system.start) {
    visit({c, system.initial}, {kNone, 0, 0});
  }
  for (std::size_t i = 0; i < out.points.size(); ++i) {
    if (system.controls[out.points[i].control].bad) {
      out.run = path(out.points, visits, i);
      return out;
    }
    const std::vector<LevelBranch>& branches = system.controls[out.points[i].control].branches;
    numbers += branches.size() * system.levels.size();
    if (out.points.size() > limit || numbers > kMaxNumbers || is_large(out.points[i])) {
      return out;
    }
    for (const LevelBranch& branch : branches) {
      visit(move_point(branch, out.points[i]), {i, branch.edge, branch.letter});
    }
  }
  out.closed = true;
  return out;
}

std::vector<LevelStep> replay_levels(
    const LevelSystem& system, const std::vector<std::pair<std::size_t, std::size_t>>& moves) {
  for (const std::size_t start : system.start) {
    LevelPoint at{start, system.initial};
    std::vector<LevelStep> run;
    for (const auto& [edge, letter] : moves) {
      const auto& branches = system.controls[at.control].branches;
      const auto found = std::find_if(branches.begin(), branches.end(), [&](const LevelBranch& b) {
        return b.edge == edge && b.letter == letter;
      });
      if (found == branches.end()) {
        break;
      }
      at = move_point(*found, at);
      run.push_back({edge, letter, at});
      if (system.controls[at.control].bad) {
        return run;
      }
    }
  }
  return {};
}

}  // namespace assay::verify
