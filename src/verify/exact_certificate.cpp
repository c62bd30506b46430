#include "exact_certificate.hpp"

#include <algorithm>

#include "certificate.hpp"

namespace assay::verify {
namespace {

/// SET of docs/certificate-format.md: `*`, or rising runs A, A-B.
std::string set_text(const std::vector<std::uint32_t>& tokens, std::size_t vocabulary) {
  if (tokens.size() == vocabulary) {
    return "*";
  }
  std::string out;
  for (std::size_t i = 0; i < tokens.size();) {
    std::size_t j = i;
    while (j + 1 < tokens.size() && tokens[j + 1] == tokens[j] + 1) {
      ++j;
    }
    out += (out.empty() ? "" : ",") + std::to_string(tokens[i]);
    out += j > i ? "-" + std::to_string(tokens[j]) : "";
    i = j + 1;
  }
  return out;
}

std::vector<std::uint32_t> numbers(const std::vector<TokenId>& tokens) {
  std::vector<std::uint32_t> out;
  for (const TokenId t : tokens) {
    out.push_back(t.value);
  }
  return out;
}

/// Everything but the set at `position`, for grouping.
auto rest_of(const WindowBox& box, std::size_t position) {
  std::vector<std::vector<std::uint32_t>> others = box.sets;
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(position));
  return std::tuple(box.step, box.spec, box.sets.size(), std::move(others));
}

/// Boxes that differ at one position only become one.
std::vector<WindowBox> merged_at(std::vector<WindowBox> boxes, std::size_t position) {
  using Key = decltype(rest_of(boxes.front(), position));
  std::vector<std::pair<Key, std::size_t>> order;
  std::vector<WindowBox> out;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (position < boxes[i].sets.size()) {
      order.emplace_back(rest_of(boxes[i], position), i);
    } else {
      out.push_back(std::move(boxes[i]));
    }
  }
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < order.size();) {
    WindowBox box = boxes[order[i].second];
    std::vector<std::uint32_t>& set = box.sets[position];
    std::size_t j = i + 1;
    for (; j < order.size() && order[j].first == order[i].first; ++j) {
      const auto& more = boxes[order[j].second].sets[position];
      set.insert(set.end(), more.begin(), more.end());
    }
    std::sort(set.begin(), set.end());
    out.push_back(std::move(box));
    i = j;
  }
  return out;
}

/// The lines of one set of pairs.
std::string window_lines(const std::vector<WindowBox>& boxes, const std::string& monitor,
                         std::size_t vocabulary, const std::string& number, std::size_t& count) {
  std::string out;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    out += "w." + number + "." + std::to_string(i) + " WINDOWS " + monitor + " : " +
           std::to_string(boxes[i].step) + " " + std::to_string(boxes[i].spec);
    for (const auto& set : boxes[i].sets) {
      out += " " + set_text(set, vocabulary);
    }
    out += "\n";
  }
  count += boxes.size();
  return out;
}

/// The lines of one invariant and the step that concludes.
std::string invariant_lines(const ExactProperty& property, const ExactHolds& holds,
                            const automata::WindowCodes& codes, std::size_t vocabulary,
                            const std::string& number, std::size_t& count) {
  ++count;
  return window_lines(boxes_of(holds.invariant(), codes), "dfa." + number, vocabulary, number,
                      count) +
         property.name + " EXACT dfa." + number + " :\n";
}

/// The lines of ranks and the step that concludes: a pair's step is its rank.
std::string rank_lines(const ExactProperty& property, const ExactEndless& endless,
                       const automata::WindowCodes& codes, std::size_t vocabulary,
                       const std::string& number, std::size_t& count) {
  std::vector<ExactPair> pairs;
  for (const ExactEndless::Pair& pair : endless.ranks()) {
    pairs.push_back({pair.window, pair.state, pair.rank});
  }
  ++count;
  return window_lines(boxes_of(pairs, codes), "buchi." + number, vocabulary, number, count) +
         property.name + " LIVE buchi." + number + " :\n";
}

std::string tokens_text_of(const std::vector<TokenId>& tokens);

/// The values of an upper bound and the step that concludes.
std::string chance_lines(const std::string& property, const ExactChance& chance,
                         const automata::WindowCodes& codes, const std::string& number,
                         std::size_t& count) {
  std::string out;
  for (std::size_t i = 0; i < chance.values.size(); ++i) {
    const ExactChance::Value& v = chance.values[i];
    out += "v." + number + "." + std::to_string(i) + " PAIR dfa." + number + " : " +
           std::to_string(v.spec) + " " + std::to_string(v.value) +
           tokens_text_of(codes.decode(v.window)) + "\n";
  }
  count += chance.values.size() + 2;
  return out + property + " CHANCE dfa." + number + " : " +
         (chance.holds ? "holds " : "violated ") + chance.steps +
         (chance.prompt.empty() ? "" : " P" + tokens_text_of(chance.prompt)) + "\n";
}

std::string tokens_text_of(const std::vector<TokenId>& tokens) {
  std::string out;
  for (const TokenId t : tokens) {
    out += " " + std::to_string(t.at());
  }
  return out;
}

std::string run_line(const std::string& property, const ExactViolated& violated) {
  const auto& tokens = violated.run.tokens;
  const auto end = tokens.end() - static_cast<std::ptrdiff_t>(violated.loop);
  const std::string stem = " : P" + tokens_text_of(violated.prompt) + " N" +
                           tokens_text_of(std::vector<TokenId>(tokens.begin(), end));
  return property + (violated.loop == 0 ? " WITNESS" + stem : " LASSO" + stem + " L") +
         (violated.loop == 0 ? "" : tokens_text_of(std::vector<TokenId>(end, tokens.end()))) + "\n";
}

}  // namespace

std::string buchi_line(const std::string& id, const std::string& property,
                       const spec::Buchi& automaton) {
  const auto set = [&](const std::vector<std::uint32_t>& states) {
    return states.empty() ? std::string("-") : set_text(states, automaton.states());
  };
  std::vector<std::uint32_t> accepting;
  for (std::uint32_t s = 0; s < automaton.states(); ++s) {
    if (automaton.accepting[s]) {
      accepting.push_back(s);
    }
  }
  std::string out = id + " BUCHI " + property + " : " + std::to_string(automaton.states()) + " I " +
                    set(automaton.initial) + " A " + set(accepting) + " T";
  for (const auto& after : automaton.table) {
    out += " " + set(after);
  }
  return out + "\n";
}

std::string runs_text(const ExactInput& input) {
  const std::size_t V = input.subject.model->config.d_vocab;
  std::string out = "assay-runs 1\ndecoder " + input.emission.text() + "\nprompts ";
  if (input.prompts.any()) {
    out += "any " + std::to_string(input.prompts.max_length);
  } else {
    out += "sets";
    for (const auto& set : input.prompts.sets) {
      out += " " + set_text(numbers(set), V);
    }
  }
  return out + "\nmax-new " +
         (input.max_new ? std::to_string(*input.max_new) : std::string("any")) + "\nend\n";
}

std::vector<WindowBox> boxes_of(const std::vector<ExactPair>& invariant,
                                const automata::WindowCodes& codes) {
  std::vector<WindowBox> boxes;
  for (const ExactPair& pair : invariant) {
    WindowBox box{pair.step, pair.spec, {}};
    for (const TokenId t : codes.decode(pair.window)) {
      box.sets.push_back({t.value});
    }
    boxes.push_back(std::move(box));
  }
  for (std::size_t position = 0; position < codes.window(); ++position) {
    boxes = merged_at(std::move(boxes), position);
  }
  std::sort(boxes.begin(), boxes.end(), [](const WindowBox& a, const WindowBox& b) {
    return std::tie(a.step, a.spec, a.sets) < std::tie(b.step, b.spec, b.sets);
  });
  return boxes;
}

std::string exact_certificate(const ExactInput& input, const ExactResult& result) {
  const automata::WindowCodes codes(input.subject.model->config.d_vocab,
                                    input.subject.model->config.attention_window);
  std::string monitors, steps;  // all monitors first: windows are then evaluated once for all
  std::size_t count = 0, number = 0;
  for (const ExactProperty& property : result.properties) {
    if (const auto* holds = std::get_if<ExactHolds>(&property.verdict);
        holds != nullptr && holds->is_checkable()) {
      const std::string id = std::to_string(number++);  // no property's name has a dot
      monitors += dfa_line("dfa." + id, property.name, holds->dfa());
      steps +=
          invariant_lines(property, *holds, codes, input.subject.model->config.d_vocab, id, count);
      ++count;
    } else if (const auto* chance = std::get_if<ExactChance>(&property.verdict);
               chance != nullptr && chance->checkable) {
      const std::string id = std::to_string(number++);
      std::string event = dfa_line("dfa." + id, property.name, chance->event);
      event.replace(event.find(" DFA "), 5, " EVENT ");
      monitors += event;
      steps += chance_lines(property.name, *chance, codes, id, count);
    } else if (const auto* endless = std::get_if<ExactEndless>(&property.verdict);
               endless != nullptr && endless->is_checkable()) {
      const std::string id = std::to_string(number++);
      monitors += buchi_line("buchi." + id, property.name, endless->against());
      steps +=
          rank_lines(property, *endless, codes, input.subject.model->config.d_vocab, id, count);
      ++count;
    } else if (const auto* violated = std::get_if<ExactViolated>(&property.verdict)) {
      steps += run_line(property.name, *violated);
      ++count;
    }
  }
  if (count == 0) {
    return "";
  }
  return certificate_header(input.subject, "exact", "runs " + sha256(runs_text(input)).hex()) +
         monitors + steps + "end " + std::to_string(count) + "\n";
}

}  // namespace assay::verify
