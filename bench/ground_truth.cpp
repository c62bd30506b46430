// The proved machine of a model trained on a regular language, against two others: the language
// itself, and everything the model does up to a length.
//   bench_ground_truth list
//   bench_ground_truth corpus LANGUAGE FILE [LINES [SEED]]    lines to train on
//   bench_ground_truth compare LANGUAGE MODEL [DECODER [LENGTH [STATES [PREFIX]]]]
// The machine: windows reached from the prompt "\n", edges decided on enclosed logits. Its runs that
// the language forbids and the language's that it lacks are listed, shortest first; a forbidden run
// is real when each of its edges is witnessed, else open. The model's behaviour: every text up to
// LENGTH that the decoder can write after "\n", by the reference forward pass on whole contexts; a
// step outside the machine ends in exit 1 (proved must contain model). With PREFIX the prompts are
// "\n" and every beginning of a word of at most so many symbols (greedy writes one text a prompt);
// a text is then shown as prompt~continuation.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>

#include "assay/base/progress.hpp"
#include "assay/model/forward.hpp"
#include "assay/model/tokenizer.hpp"
#include "exact_machine.hpp"
#include "exact_quotient.hpp"
#include "languages.hpp"

using namespace assay;
using verify::WindowMachine;

namespace {

constexpr std::size_t kShown = 5;

struct Subject {
  const Language& language;
  Transformer model;
  Tokenizer tokenizer;
  spec::Spec spec;  ///< one ap a token, so that minimisation tells tokens apart
  verify::ExactInput input;
  TokenId newline;

  Subject(const Language& l, const std::string& directory, const std::string& decoder)
      : language(l),
        model(load_transformer(directory)),
        tokenizer(Tokenizer::load(directory + "/tokenizer.json")) {
    std::string text = "spec \"b\" version 1; use model M = \"m\";";
    for (std::size_t t = 0; t < model.config.d_vocab; ++t) {
      text += "ap T" + std::to_string(t) + " = tok = id " + std::to_string(t) + ";";
    }
    spec = spec::parse_spec(text, "b");
    spec.uses[0].sha256 = model.weights_digest;
    newline = tokenizer.encode("\n").at(0);
    input.subject.spec = &spec;
    input.subject.model = &model;
    input.emission = automata::Emission::parse(decoder);
    input.prompts.sets = {{newline}};
  }
  /// The symbol of a token; '?' for the unknown token, which no language has.
  [[nodiscard]] char symbol(std::size_t token) const {
    const std::string& text = tokenizer.text(TokenId(token));
    return text.size() == 1 ? text[0] : '?';
  }
};

/// A text after the prompt, shown with the newline as "|".
std::string shown(std::string text) {
  for (char& c : text) {
    c = c == '\n' ? '|' : c;
  }
  return "\"" + text + "\"";
}

/// A prompt and where the language is after it.
struct Start {
  std::vector<TokenId> context;  ///< the newline first
  int state = 0;
  std::string text;
};

/// The newline, then every beginning of a word of at most `most` symbols.
std::vector<Start> starts(const Subject& subject, std::size_t most) {
  std::vector<Start> out = {{{subject.newline}, 0, ""}};
  for (std::size_t i = 0; i < out.size() && out[i].text.size() < most; ++i) {
    for (const char symbol : subject.language.alphabet) {
      if (const auto state = after(subject.language, out[i].state, symbol)) {
        Start next = out[i];
        next.context.push_back(subject.tokenizer.encode(std::string(1, symbol)).at(0));
        next.state = *state;
        next.text += symbol;
        out.push_back(std::move(next));
      }
    }
  }
  for (Start& start : out) {
    start.text += most > 0 ? "~" : "";
  }
  return out;
}

/// Pairs (window of the machine, state of the language) in breadth-first order.
class Comparison {
 public:
  Comparison(const Subject& subject, WindowMachine& machine, const std::vector<Start>& starts,
             std::size_t states)
      : subject_(subject), machine_(machine), states_(states) {
    for (const Start& start : starts) {
      Pair pair;
      pair.text = start.text;
      met(machine_.intern(machine_.codes().encode(start.context)), start.state, std::move(pair));
    }
  }

  void run() {
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      if (machine_.size() > states_) {
        throw std::runtime_error("more than " + std::to_string(states_) + " windows (STATES)");
      }
      const std::vector<WindowMachine::Index> one = {pairs_[i].window};
      machine_.evaluate(one, 1);
      expand(i);
    }
  }

  void print() const {
    print_one("proved, not in the language", beyond_, true);
    print_one("in the language, not proved", lacking_, false);
    std::printf("  pairs (window, state of the language): %zu\n", pairs_.size());
  }
  [[nodiscard]] bool agrees() const { return beyond_.pairs == 0 && lacking_.pairs == 0; }
  [[nodiscard]] std::vector<WindowMachine::Index> windows() const {
    std::vector<WindowMachine::Index> out;
    for (const Pair& pair : pairs_) {
      out.push_back(pair.window);
    }
    return out;
  }

 private:
  struct Pair {
    WindowMachine::Index window = 0;
    int state = 0;
    std::string text;  ///< a shortest one that leads here
    bool real = true;  ///< all of its edges are witnessed
  };
  struct Difference {
    std::size_t pairs = 0, real = 0;
    std::vector<std::pair<std::string, bool>> shortest;
  };

  void met(WindowMachine::Index window, int state, Pair from) {
    if (number_.emplace(std::pair(window, state), pairs_.size()).second) {
      from.window = window;
      from.state = state;
      pairs_.push_back(std::move(from));
    }
  }

  void expand(std::size_t i) {
    std::vector<bool> proved(machine_.vocabulary(), false);
    const std::vector<WindowMachine::Edge> edges(machine_.edges(pairs_[i].window).begin(),
                                                 machine_.edges(pairs_[i].window).end());
    for (const WindowMachine::Edge edge : edges) {
      const std::size_t token = edge >> 1U;
      proved[token] = true;
      Pair next;
      next.text = pairs_[i].text + subject_.symbol(token);
      next.real = pairs_[i].real && (edge & 1U) == 0;
      const auto state = after(subject_.language, pairs_[i].state, subject_.symbol(token));
      if (!state) {
        differ(beyond_, next.text, next.real);
        continue;
      }
      met(machine_.intern(machine_.codes().append(machine_.code(pairs_[i].window), token)), *state,
          std::move(next));
    }
    for (std::size_t token = 0; token < proved.size(); ++token) {
      if (!proved[token] && after(subject_.language, pairs_[i].state, subject_.symbol(token))) {
        differ(lacking_, pairs_[i].text + subject_.symbol(token), pairs_[i].real);
      }
    }
  }

  static void differ(Difference& difference, const std::string& text, bool real) {
    ++difference.pairs;
    difference.real += real ? 1U : 0U;
    if (difference.shortest.size() < kShown) {
      difference.shortest.emplace_back(text, real);
    }
  }

  static void print_one(const char* what, const Difference& difference, bool marks) {
    std::printf("  %s: %zu steps", what, difference.pairs);
    if (marks) {
      std::printf(" (%zu of real runs)", difference.real);
    }
    for (const auto& [text, real] : difference.shortest) {
      std::printf("  %s%s", shown(text).c_str(), !marks ? "" : real ? " real" : " open");
    }
    std::printf("\n");
  }

  const Subject& subject_;
  WindowMachine& machine_;
  std::size_t states_;
  std::vector<Pair> pairs_;
  std::map<std::pair<WindowMachine::Index, int>, std::size_t> number_;
  Difference beyond_, lacking_;
};

/// Every text that the decoder can write after the prompt, to a length, on whole contexts.
struct Behaviour {
  const Subject& subject;
  WindowMachine& machine;
  std::size_t texts = 0, outside = 0;

  void grow(std::vector<TokenId>& context, std::size_t left) {
    ++texts;
    if (left == 0) {
      return;
    }
    const std::vector<double> logits = next_logits(subject.model, context);
    std::vector<automata::Edge> edges(logits.size());
    subject.input.emission.decide(logits, logits, edges);
    const WindowMachine::Index window = machine.intern(machine.codes().encode(context));
    machine.evaluate(std::vector{window}, 1);
    std::vector<bool> proved(logits.size(), false);
    for (const WindowMachine::Edge edge : machine.edges(window)) {
      proved[edge >> 1U] = true;
    }
    for (std::size_t t = 0; t < edges.size(); ++t) {
      if (edges[t] == automata::Edge::absent) {
        continue;
      }
      outside += proved[t] ? 0U : 1U;
      context.emplace_back(t);
      grow(context, left - 1);
      context.pop_back();
    }
  }
};

int compare(const Language& language, const std::string& directory, const std::string& decoder,
            std::size_t length, std::size_t states, std::size_t prefix) {
  const auto begin = std::chrono::steady_clock::now();
  const Subject subject(language, directory, decoder);
  const std::uint64_t every = (std::uint64_t{1} << subject.model.config.d_vocab) - 1;
  WindowMachine machine(subject.input, every);
  const std::vector<Start> prompts = starts(subject, prefix);
  Comparison comparison(subject, machine, prompts, states);
  comparison.run();
  const auto quotient = verify::ExactQuotient::of(machine, comparison.windows(), every);
  std::printf("%s (%s), decoder %s, window %zu, %zu prompts\n", language.name.c_str(),
              language.words.c_str(), subject.input.emission.text().c_str(),
              subject.model.config.attention_window, prompts.size());
  std::printf("  machine: %zu windows, %zu edges (%zu open)", machine.evaluated(),
              machine.edge_count(), machine.open_count());
  if (quotient) {
    std::printf(", %zu classes", quotient->classes());
  }
  std::printf("; language: %zu states\n", language.accepting.size());
  comparison.print();
  Behaviour behaviour{subject, machine};
  for (const Start& start : prompts) {
    std::vector<TokenId> context = start.context;
    behaviour.grow(context, length);
  }
  std::printf("  the model's own texts to length %zu: %zu, steps outside the machine %zu\n", length,
              behaviour.texts, behaviour.outside);
  std::printf("  %s, %.2f s\n", comparison.agrees() ? "the machine is the language" : "they differ",
              std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return behaviour.outside == 0 ? 0 : 1;
}

const Language& language_of(const std::string& name) {
  for (const Language& language : languages()) {
    if (language.name == name) {
      return language;
    }
  }
  throw std::runtime_error("no language " + name + "; bench_ground_truth list prints them");
}

int usage() {
  std::fprintf(stderr,
               "usage: bench_ground_truth list | corpus LANGUAGE FILE [LINES [SEED]] | "
               "compare LANGUAGE MODEL [DECODER [LENGTH [STATES [PREFIX]]]]\n");
  return 2;
}

int run(const std::vector<std::string>& words) {
  const auto number = [&words](std::size_t at, std::size_t otherwise) {
    return words.size() > at ? static_cast<std::size_t>(std::stoull(words[at])) : otherwise;
  };
  if (words.size() == 1 && words[0] == "list") {
    for (const Language& language : languages()) {
      std::printf("%-10s %s\n", language.name.c_str(), language.words.c_str());
    }
    return 0;
  }
  if (words.size() >= 3 && words[0] == "corpus") {
    std::ofstream out(words[2]);
    out << corpus(language_of(words[1]), number(3, 40000), 10, number(4, 1));
    return out.flush() ? 0 : throw std::runtime_error("cannot write " + words[2]);
  }
  if (words.size() >= 3 && words[0] == "compare") {
    return compare(language_of(words[1]), words[2], words.size() > 3 ? words[3] : "min-p:0.1",
                   number(4, 12), number(5, 3'000'000), number(6, 0));
  }
  return usage();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    set_progress(false);
    return run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
}
