#include "refined_attack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "exact_machine.hpp"
#include "refined_facts.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kStarts = 4, kSweeps = 1;  // of one box
constexpr double kInf = std::numeric_limits<double>::infinity();

std::vector<automata::Probe> probes_of(const RefinedInput& input,
                                       const std::vector<RefinedLetters::Measured>& measured) {
  std::vector<automata::Probe> out;
  for (const RefinedLetters::Measured& m : measured) {
    out.push_back(probe_of(input.runs.subject, input.runs.subject.spec->atoms[m.atom]));
  }
  return out;
}

std::vector<std::uint32_t> values(const TokenBits& set) {
  std::vector<std::uint32_t> out;
  for (const TokenId t : set.tokens()) {
    out.push_back(t.value);
  }
  return out;
}

}  // namespace

ContextAttack::ContextAttack(const RefinedInput& input,
                             const std::vector<RefinedLetters::Measured>& measured)
    : input_(input),
      measured_(measured),
      forward_(*input.runs.subject.model, probes_of(input, measured)),
      scratch_(forward_.make_scratch()) {}

std::vector<automata::WindowCode> ContextAttack::windows_of(
    const std::vector<Genome>& genomes) const {
  std::vector<automata::WindowCode> out;
  for (const Genome& genome : genomes) {
    automata::WindowCode code = 0;
    for (const std::uint32_t t : genome) {
      code = forward_.codes().append(code, t);
    }
    out.push_back(code);
  }
  return out;
}

void ContextAttack::evaluate(
    const std::vector<automata::WindowCode>& windows,
    const std::function<void(std::size_t, const double*, const double*)>& read) {
  constexpr std::size_t kBatch = automata::ExactForward::kBatch;
  const std::size_t probes = measured_.size();
  for (std::size_t at = 0; at < windows.size(); at += kBatch) {
    const auto batch = std::span(windows).subspan(at, std::min(kBatch, windows.size() - at));
    forward_.evaluate(batch, scratch_);
    for (std::size_t r = 0; r < batch.size(); ++r) {
      read(at + r, scratch_.logits.data() + r * forward_.stride(),
           scratch_.probes.data() + r * probes);
    }
  }
  evaluated_ += windows.size();
}

double ContextAttack::lead(const double* logits, std::uint32_t token) const {
  using Kind = automata::Emission::Kind;
  const automata::Emission& emission = input_.runs.emission;
  const std::size_t V = forward_.vocabulary();
  if (emission.kind() == Kind::top_k) {
    std::vector<double> others(logits, logits + V);
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(token));
    if (emission.k() > others.size()) {
      return kInf;
    }
    const auto kth = others.begin() + static_cast<std::ptrdiff_t>(emission.k() - 1);
    std::nth_element(others.begin(), kth, others.end(), std::greater<>());
    return logits[token] - *kth;
  }
  if (emission.kind() != Kind::greedy && emission.kind() != Kind::min_p) {
    return kInf;
  }
  double rival = -kInf;
  for (std::size_t y = 0; y < V; ++y) {
    rival = y == token ? rival : std::max(rival, logits[y]);
  }
  return logits[token] - rival - emission.cut().hi;
}

double ContextAttack::atom_lead(std::size_t which, bool truth, double value) const {
  using spec::Comparison;
  const std::size_t atom = measured_[which].atom;
  const Comparison cmp = input_.runs.subject.spec->atoms[atom].comparison;
  const bool up = cmp == Comparison::above || cmp == Comparison::at_least;
  return (up == truth ? 1 : -1) * (value - threshold_of(input_.runs.subject, atom));
}

ContextAttack::Climbed ContextAttack::climb(const Choices& choices, const Objective& objective,
                                            std::size_t starts, std::size_t sweeps) {
  std::mt19937_64 random(17);
  Climbed out;
  for (std::size_t s = 0; s < starts; ++s) {
    Genome genome;
    for (const auto& set : choices) {
      genome.push_back(set[random() % set.size()]);
    }
    out.genomes.push_back(std::move(genome));
  }
  out.leads = objective(out.genomes);
  for (std::size_t sweep = 0; sweep < sweeps; ++sweep) {
    bool changed = false;
    for (std::size_t p = choices.size(); p-- > 0;) {
      if (choices[p].size() < 2) {
        continue;
      }
      std::vector<Genome> tried;
      for (const Genome& genome : out.genomes) {
        for (const std::uint32_t t : choices[p]) {
          tried.push_back(genome);
          tried.back()[p] = t;
        }
      }
      const std::vector<double> leads = objective(tried);
      for (std::size_t i = 0; i < tried.size(); ++i) {
        const std::size_t s = i / choices[p].size();
        if (leads[i] > out.leads[s]) {
          out.leads[s] = leads[i];
          out.genomes[s] = tried[i];
          changed = true;
        }
      }
    }
    if (!changed) {
      break;
    }
  }
  return out;
}

ContextAttack::Met ContextAttack::best_of(const ViewBox& box, const Objective& objective) {
  Met met;
  Climbed all;
  std::vector<std::size_t> lengths = {box.hi};
  if (box.lo < box.hi && box.lo == 1) {
    lengths.push_back(box.lo);
  }
  for (const std::size_t n : lengths) {
    Choices choices;
    std::size_t free = 0;
    for (std::size_t j = n; j-- > 0;) {
      choices.push_back(values(box.back[j]));
      free += choices.back().size() > 1 ? 1 : 0;
    }
    const std::size_t starts = free == 0 ? 1 : kStarts;
    Climbed climbed = climb(choices, objective, starts, kSweeps);
    all.genomes.insert(all.genomes.end(), climbed.genomes.begin(), climbed.genomes.end());
    all.leads.insert(all.leads.end(), climbed.leads.begin(), climbed.leads.end());
  }
  const auto best = static_cast<std::size_t>(std::max_element(all.leads.begin(), all.leads.end()) -
                                             all.leads.begin());
  met.lead = all.leads[best];
  const std::vector<automata::WindowCode> windows = windows_of(all.genomes);
  for (const std::uint32_t t : all.genomes[best]) {
    met.context.emplace_back(t);
  }
  met.mean.assign(forward_.vocabulary(), 0.0);
  evaluate(windows, [&](std::size_t, const double* logits, const double*) {
    const double top = *std::max_element(logits, logits + forward_.vocabulary());
    double sum = 0;
    for (std::size_t y = 0; y < forward_.vocabulary(); ++y) {
      sum += std::exp(logits[y] - top);
    }
    for (std::size_t y = 0; y < forward_.vocabulary(); ++y) {
      met.mean[y] += std::exp(logits[y] - top) / sum / static_cast<double>(windows.size());
    }
  });
  return met;
}

ContextAttack::Met ContextAttack::emits(const ViewBox& box, std::uint32_t token) {
  return best_of(box, [&](const std::vector<Genome>& genomes) {
    std::vector<double> out(genomes.size());
    evaluate(windows_of(genomes), [&](std::size_t i, const double* logits, const double*) {
      out[i] = lead(logits, token);
    });
    return out;
  });
}

ContextAttack::Met ContextAttack::shows(const ViewBox& box, std::size_t which, bool truth) {
  return best_of(box, [&](const std::vector<Genome>& genomes) {
    std::vector<double> out(genomes.size());
    evaluate(windows_of(genomes), [&](std::size_t i, const double*, const double* probes) {
      out[i] = atom_lead(which, truth, probes[which]);
    });
    return out;
  });
}

std::vector<double> ContextAttack::run_leads(const std::vector<Genome>& genomes, std::size_t prompt,
                                             const std::vector<RunStep>& steps) {
  std::vector<double> out(genomes.size(), kInf);
  std::vector<automata::WindowCode> windows(genomes.size(), 0);
  for (std::size_t g = 0; g < genomes.size(); ++g) {
    for (std::size_t i = 0; i < prompt; ++i) {
      windows[g] = forward_.codes().append(windows[g], genomes[g][i]);
    }
  }
  for (std::size_t k = 0; k <= steps.size(); ++k) {
    const bool reads = k > 0 && !steps[k - 1].shows.empty();
    if (k == steps.size() && !reads) {
      break;
    }
    evaluate(windows, [&](std::size_t g, const double* logits, const double* probes) {
      if (reads) {
        for (const auto& [which, truth] : steps[k - 1].shows) {
          out[g] = std::min(out[g], atom_lead(which, truth, probes[which]));
        }
      }
      if (k < steps.size()) {
        out[g] = std::min(out[g], lead(logits, genomes[g][prompt + k]));
      }
    });
    for (std::size_t g = 0; k < steps.size() && g < genomes.size(); ++g) {
      windows[g] = forward_.codes().append(windows[g], genomes[g][prompt + k]);
    }
  }
  return out;
}

std::vector<MetRun> ContextAttack::runs(const std::vector<RunStep>& steps, std::size_t starts,
                                        std::size_t sweeps) {
  const PromptSet& prompts = input_.runs.prompts;
  const std::size_t w = forward_.codes().window();
  std::vector<std::uint32_t> all(forward_.vocabulary());
  std::iota(all.begin(), all.end(), 0U);
  std::vector<std::size_t> lengths = {
      std::min(prompts.any() ? prompts.max_length : prompts.sets.size(), w)};
  if (prompts.any() && lengths.front() > 1) {
    lengths.push_back(1);
  }
  std::vector<MetRun> out;
  for (const std::size_t n : lengths) {
    Choices choices;
    for (std::size_t i = 0; i < n; ++i) {
      choices.push_back(all);
      if (!prompts.any()) {
        choices.back().clear();
        for (const TokenId t : prompts.sets[prompts.sets.size() - n + i]) {
          choices.back().push_back(t.value);
        }
      }
    }
    for (const RunStep& step : steps) {
      choices.push_back(step.tokens);
    }
    const Climbed climbed = climb(
        choices, [&](const std::vector<Genome>& genomes) { return run_leads(genomes, n, steps); },
        starts, sweeps);
    for (std::size_t s = 0; s < climbed.genomes.size(); ++s) {
      automata::WindowCode code = 0;
      for (std::size_t i = 0; i < n; ++i) {
        code = forward_.codes().append(code, climbed.genomes[s][i]);
      }
      MetRun run{climbed.leads[s], prompts.prompt_of(forward_.codes(), code), {}};
      for (std::size_t k = 0; k < steps.size(); ++k) {
        run.tokens.emplace_back(climbed.genomes[s][n + k]);
      }
      out.push_back(std::move(run));
    }
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const MetRun& a, const MetRun& b) { return a.lead > b.lead; });
  return out;
}

}  // namespace assay::verify
