#include "runs.hpp"

#include <algorithm>

#include "reject.hpp"

namespace assay_check {
namespace {

using Words = std::vector<std::string_view>;

void need(bool good, const char* reason) {
  if (!good) {
    throw Reject("runs", reason);
  }
}

void parse_prompts(const Words& words, std::size_t d_vocab, Runs& runs) {
  need(words.size() >= 3 && words[0] == "prompts", "expected prompts any NAT or sets SET …");
  if (words[1] == "any") {
    need(words.size() == 3, "expected prompts any NAT");
    runs.max_length = parse_nat(words[2]);
    need(runs.max_length > 0, "no prompt");
    runs.words = "any prompt of 1 to " + std::to_string(runs.max_length) + " tokens";
    return;
  }
  need(words[1] == "sets", "expected prompts any or sets");
  runs.words = "prompts in";
  for (std::size_t i = 2; i < words.size(); ++i) {
    runs.sets.push_back(parse_set(words[i]).tokens(d_vocab));
    runs.words += " " + std::string(words[i]);
  }
}

void parse_lines(const std::vector<Words>& lines, std::size_t d_vocab, Runs& runs) {
  need(lines.size() == 5 && lines[0] == Words{"assay-runs", "1"} && lines[4] == Words{"end"},
       "expected assay-runs 1, decoder, prompts, max-new, end");
  need(lines[1][0] == "decoder", "expected decoder");
  runs.emission = parse_emission(std::span(lines[1]).subspan(1));
  parse_prompts(lines[2], d_vocab, runs);
  need(lines[3].size() == 2 && lines[3][0] == "max-new", "expected max-new NAT or any");
  if (lines[3][1] != "any") {
    runs.max_new = parse_nat(lines[3][1]);
    need(*runs.max_new > 0, "max-new 0: no token to speak of");
  }
  runs.words += ", decoder " + runs.emission.text() +
                (runs.max_new ? ", at most " + std::to_string(*runs.max_new) + " new tokens"
                              : ", any number of new tokens");
}

}  // namespace

bool Runs::is_prompt(const std::vector<std::size_t>& tokens) const {
  if (sets.empty()) {
    return !tokens.empty() && tokens.size() <= max_length;
  }
  bool good = tokens.size() == sets.size();
  for (std::size_t i = 0; good && i < tokens.size(); ++i) {
    good = std::binary_search(sets[i].begin(), sets[i].end(), tokens[i]);
  }
  return good;
}

void Runs::for_each_end(std::size_t window, std::size_t d_vocab,
                        const std::function<void(const std::vector<std::uint32_t>&)>& visit) const {
  const TokenSet all = parse_set("*").tokens(d_vocab);
  const std::size_t longest = std::min(window, sets.empty() ? max_length : sets.size());
  for (std::size_t n = sets.empty() ? 1 : longest; n <= longest; ++n) {
    const auto choice = [&](std::size_t i) -> const TokenSet& {
      return sets.empty() ? all : sets[sets.size() - n + i];
    };
    std::vector<std::size_t> at(n, 0);
    std::vector<std::uint32_t> end(n);
    for (std::size_t i = 0; i < n;) {
      for (std::size_t j = 0; j < n; ++j) {
        end[j] = choice(j)[at[j]];
      }
      visit(end);
      for (i = 0; i < n && ++at[i] == choice(i).size(); ++i) {
        at[i] = 0;
      }
      i = i == n ? n : 0;
    }
  }
}

bool has_plain_windows(const Network& net) {
  return net.window != 0 && !net.normalised && net.act == ActKind::relu &&
         (net.positions == PositionKind::relative_bias || net.positions == PositionKind::none);
}

void need_plain_windows(const Network& net) {
  if (!has_plain_windows(net) || net.d_vocab != net.d_vocab_out) {
    throw Reject(
        "model",
        "config.json: expected an attention window, relative bias or no positions, relu, no "
        "LayerNorm and d_vocab_out = d_vocab");
  }
}

Runs parse_runs(const std::string& text, const std::string& file, std::size_t d_vocab) {
  Runs runs;
  std::vector<Words> lines;
  try {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      need(end != std::string::npos, "the last line does not end");
      lines.push_back(split_words(std::string_view(text).substr(begin, end - begin)));
      begin = end + 1;
    }
    parse_lines(lines, d_vocab, runs);
  } catch (const Reject& r) {
    throw Reject("runs", r.reason(), file, lines.size());
  }
  return runs;
}

}  // namespace assay_check
