#include "assay/model/sampling.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/base/counter_random.hpp"
#include "assay/base/errors.hpp"
#include "assay/model/strict_json.hpp"

namespace assay {
namespace {

class Draws {
 public:
  Draws(TokenEngine& engine, const DrawPlan& plan, std::size_t begin,
        std::vector<std::vector<TokenId>> prompts)
      : engine_(engine), plan_(plan), random_(plan.seed), begin_(begin), runs_(prompts.size()) {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      require(!prompts[i].empty(), "draw_side_by_side: an empty prompt");
      runs_[i].prompt = std::move(prompts[i]);
    }
  }

  std::vector<SampledRun> take() {
    std::vector<std::size_t> rows;
    for (std::size_t r = 0; r < runs_.size() && plan_.max_new > 0; ++r) {
      rows.push_back(r);
    }
    for (std::size_t fed = 0; !rows.empty(); ++fed) {
      std::vector<TokenId> tokens;
      for (const std::size_t r : rows) {
        const SampledRun& run = runs_[r];
        tokens.push_back(fed < run.prompt.size() ? run.prompt[fed]
                                                 : run.tokens[fed - run.prompt.size()]);
      }
      const Matrix logits = engine_.append(rows, tokens);
      std::vector<std::size_t> left;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (fed + 1 < runs_[rows[i]].prompt.size() || goes_on(rows[i], logits.row(i))) {
          left.push_back(rows[i]);
        }
      }
      rows = std::move(left);
    }
    return std::move(runs_);
  }

 private:
  /// Draws the run's next token; false when the run needs no further one.
  bool goes_on(std::size_t r, std::span<const double> logits) {
    SampledRun& run = runs_[r];
    const double u = random_.unit(CounterRandom::Stream::token, begin_ + r,
                                  static_cast<std::uint32_t>(run.tokens.size()));
    Draw next = draw(plan_.rule, logits, u);
    if (next.slack < kNearTie) {
      std::vector<TokenId> context = run.prompt;
      context.insert(context.end(), run.tokens.begin(), run.tokens.end());
      if (const std::vector<double> alone = engine_.alone(context); !alone.empty()) {
        next = draw(plan_.rule, alone, u);
      }
    }
    run.slack = std::min(run.slack, next.slack);
    if (!next.token || next.token->at() >= plan_.d_vocab) {
      run.is_over = true;
      return false;
    }
    run.tokens.push_back(*next.token);
    return run.tokens.size() < plan_.max_new;
  }

  TokenEngine& engine_;
  const DrawPlan& plan_;
  CounterRandom random_;
  std::size_t begin_;
  std::vector<SampledRun> runs_;
};

std::vector<TokenId> ids_of(const nlohmann::json& list, const std::string& where, const char* key,
                            std::size_t vocabulary) {
  if (!list.is_array()) {
    throw InputError(where, key, "token ids", list.type_name());
  }
  std::vector<TokenId> out;
  for (const nlohmann::json& id : list) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= vocabulary) {
      throw InputError(where, key, "token ids below " + std::to_string(vocabulary),
                       id.is_primitive() ? id.dump(-1, ' ', true) : id.type_name());
    }
    out.emplace_back(id.get<std::size_t>());
  }
  return out;
}

}  // namespace

std::vector<SampledRun> draw_side_by_side(TokenEngine& engine, const DrawPlan& plan,
                                          std::size_t begin,
                                          std::vector<std::vector<TokenId>> prompts) {
  return Draws(engine, plan, begin, std::move(prompts)).take();
}

std::string runs_jsonl(const std::vector<SampledRun>& runs, bool slack) {
  std::string out;
  const auto ids = [](const std::vector<TokenId>& tokens) {
    std::string list;
    for (const TokenId t : tokens) {
      list += (list.empty() ? "" : ",") + std::to_string(t.at());
    }
    return "[" + list + "]";
  };
  for (const SampledRun& run : runs) {
    out += std::string("{\"over\":") + (run.is_over ? "true" : "false") +
           ",\"prompt\":" + ids(run.prompt) +
           (slack ? ",\"slack\":" + nlohmann::json(run.slack).dump() : "") +
           ",\"tokens\":" + ids(run.tokens) + "}\n";
  }
  return out;
}

std::vector<SampledRun> parse_runs_jsonl(const std::string& text, const std::string& file,
                                         std::size_t vocabulary) {
  std::vector<SampledRun> out;
  for (std::size_t at = 0, number = 1; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string where = file + " line " + std::to_string(number);
    const nlohmann::json o = parse_strict_json(text.substr(at, end - at), where);
    at = end + 1;
    if (!o.is_object() || o.size() != (o.contains("slack") ? 4U : 3U) || !o.contains("over") ||
        !o["over"].is_boolean() || !o.contains("prompt") || !o.contains("tokens")) {
      throw InputError(where, "value", R"({"over":BOOL,"prompt":[IDS],"tokens":[IDS]})", "another");
    }
    SampledRun run;
    run.is_over = o["over"].get<bool>();
    run.prompt = ids_of(o["prompt"], where, "prompt", vocabulary);
    run.tokens = ids_of(o["tokens"], where, "tokens", vocabulary);
    if (o.contains("slack")) {
      if (!o["slack"].is_number()) {
        throw InputError(where, "slack", "a number", o["slack"].type_name());
      }
      run.slack = o["slack"].get<double>();
    }
    if (run.prompt.empty()) {
      throw InputError(where, "prompt", "at least one token id", "none");
    }
    out.push_back(std::move(run));
  }
  return out;
}

}  // namespace assay
