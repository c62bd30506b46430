#include "level_search.hpp"

#include <algorithm>
#include <optional>
#include <sstream>

#include "apart.hpp"

namespace assay::smt {
namespace {

constexpr std::size_t kMaxDigits = 2000;
constexpr std::size_t kMaxCells = 10000;

LevelAnswer nothing(const std::string& why) {
  return {{}, {}, why};
}

/// "P" or "P/Q", Q not 0.
bool is_number(const std::string& word) {
  const std::size_t slash = std::min(word.find('/'), word.size());
  const auto digits = [](const std::string& text) {
    return !text.empty() && text.size() <= kMaxDigits &&
           text.find_first_not_of("0123456789") == std::string::npos;
  };
  const std::string below = slash < word.size() ? word.substr(slash + 1) : "1";
  return digits(word.substr(word[0] == '-' ? 1 : 0, slash - (word[0] == '-' ? 1 : 0))) &&
         digits(below) && below.find_first_not_of('0') != std::string::npos;
}

/// Reads what the child wrote; it may be anything.
class Reader {
 public:
  Reader(const std::string& text, const LevelProblem& problem) : in_(text), problem_(problem) {}

  bool word(std::string& out) { return static_cast<bool>(in_ >> out); }
  bool goes_on() { return !(in_ >> std::ws).eof(); }

  std::optional<std::size_t> below(std::size_t limit) {
    std::string text;
    if (!(in_ >> text) || text.empty() || text.size() > 18 ||
        text.find_first_not_of("0123456789") != std::string::npos) {
      return std::nullopt;
    }
    const std::size_t n = std::stoul(text);
    return n < limit ? std::optional<std::size_t>(n) : std::nullopt;
  }

  std::optional<LevelCandidate> cell() {
    LevelCandidate out;
    const auto control = below(problem_.controls);
    const auto rows = below(kMaxCells);
    if (!control || !rows) {
      return std::nullopt;
    }
    out.control = *control;
    for (std::size_t i = 0; i < *rows; ++i) {
      std::optional<LevelProblem::Row> next = row();
      if (!next) {
        return std::nullopt;
      }
      out.rows.push_back(std::move(*next));
    }
    return out;
  }

 private:
  std::optional<LevelProblem::Row> row() {
    LevelProblem::Row out;
    std::string sign;
    if (!(in_ >> sign >> out.bound) || (sign != "<" && sign != "<=") || !is_number(out.bound)) {
      return std::nullopt;
    }
    out.strict = sign == "<";
    const auto terms = below(problem_.initial.size() + 1);
    for (std::size_t i = 0; terms && i < *terms; ++i) {
      const auto level = below(problem_.initial.size());
      std::string coefficient;
      const bool is_next = level && (out.terms.empty() || out.terms.back().first < *level);
      if (!is_next || !(in_ >> coefficient) || !is_number(coefficient)) {
        return std::nullopt;
      }
      out.terms.emplace_back(*level, coefficient);
    }
    return terms ? std::optional<LevelProblem::Row>(std::move(out)) : std::nullopt;
  }

  std::istringstream in_;
  const LevelProblem& problem_;
};

/// What the child says, or why it says nothing.
ApartText asked(const std::string& question, const LevelProblem& problem,
                const LevelLimits& limits) {
  if (problem.steps.size() > limits.steps) {
    return {"", std::to_string(problem.steps.size()) + " steps: not asked"};
  }
  return text_apart(
      [&] {
        return limits.instead      ? limits.instead(question, problem)
               : question == "run" ? level_bmc(problem, limits)
                                   : level_spacer(problem, limits);
      },
      limits.seconds);
}

}  // namespace

LevelAnswer find_level_run(const LevelProblem& problem, const LevelLimits& limits) {
  const ApartText answer = asked("run", problem, limits);
  if (!answer.failure.empty()) {
    return nothing(answer.failure);
  }
  Reader in(answer.text, problem);
  std::string word;
  const bool any = in.word(word);
  if (any && word == "none") {
    return nothing("no run of at most " + std::to_string(limits.depth) + " letters");
  }
  LevelAnswer out;
  bool good = any && word == "run";
  while (good && in.goes_on()) {
    const auto step = in.below(problem.steps.size());
    good = step.has_value();
    out.run.push_back(step.value_or(0));
  }
  return good && !out.run.empty() ? out : nothing("the answer could not be read");
}

LevelAnswer find_level_invariant(const LevelProblem& problem, const LevelLimits& limits) {
  const ApartText answer = asked("invariant", problem, limits);
  if (!answer.failure.empty()) {
    return nothing(answer.failure);
  }
  if (answer.text.rfind("none", 0) == 0) {
    return nothing(answer.text.substr(std::min<std::size_t>(5, answer.text.size()), 200));
  }
  Reader in(answer.text, problem);
  std::string word;
  LevelAnswer out;
  if (!in.word(word) || word != "cells") {
    return nothing("the answer could not be read");
  }
  while (in.word(word)) {
    std::optional<LevelCandidate> cell = in.cell();
    if (word != "cell" || !cell || out.invariant.size() == kMaxCells) {
      return nothing("the answer could not be read");
    }
    out.invariant.push_back(std::move(*cell));
  }
  return out.invariant.empty() ? nothing("an empty model") : out;
}

}  // namespace assay::smt
