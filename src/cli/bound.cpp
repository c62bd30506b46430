#include "assay/bounds/bound.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <sstream>

#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/bounds/bound_certificate.hpp"
#include "assay/model/strict_json.hpp"
#include "assay/smt/linear_program.hpp"
#include "bound_float.hpp"
#include "bound_request.hpp"
#include "bound_site.hpp"
#include "model_files.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string model, sae, batch, suffix, logit, minus, probe, text, certificate;
  std::vector<std::uint32_t> ids;
  std::optional<std::uint32_t> neuron, feature;
  std::size_t max_length = 0;
  bounds::BoundOptions bound;
  bounds::FloatOptions float32;
  SiteOptions site;
};

using Inputs = ModelFiles;

std::string text_of(const Inputs& in, const std::vector<TokenId>& tokens) {
  if (in.tokenizer) {
    return "\"" + in.tokenizer->decode(tokens) + "\"";
  }
  std::string out;
  for (const TokenId t : tokens) {
    out += (out.empty() ? "" : " ") + std::to_string(t.value);
  }
  return "[" + out + "]";
}

/// Contexts of --text start the search for attained values too.
void attack_from_text(const Options& o, const Inputs& in, bounds::Bounder& bounder) {
  TextParts text(o.text, in.tokenizer, o.model);
  text.fit.insert(text.fit.end(), std::make_move_iterator(text.held_out.begin()),
                  std::make_move_iterator(text.held_out.end()));
  bounder.attack_from(std::move(text.fit));
}

/// The field of an InputError's "file: field: expected …, found …".
std::string field_of(const std::string& message) {
  const std::size_t first = message.find(": ");
  const std::size_t second = first == std::string::npos ? first : message.find(": ", first + 2);
  return second == std::string::npos ? "" : message.substr(first + 2, second - first - 2);
}

void print_line(const ordered_json& object) {
  std::printf("%s\n", object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

/// Of a feature, what it does in every context.
std::optional<bounds::FiringVerdict> firing_of(bounds::Bounder& bounder,
                                               const bounds::Domain& domain,
                                               const bounds::Quantity& q,
                                               const bounds::BoundResult& own,
                                               const bounds::BoundOptions& options) {
  return q.kind == bounds::QuantityKind::feature
             ? std::optional(bounder.firing(domain, q.index, own, options))
             : std::nullopt;
}

/// A margin's error is shown, but no rule speaks of it.
bool has_float32_claim(const bounds::Quantity& q, const bounds::FloatError& error) {
  return error.is_known() && q.kind != bounds::QuantityKind::logit_margin;
}

/// Answers one line; an error is a line too.
ExitCode answer(const std::string& line, std::size_t number, const Inputs& in,
                bounds::Bounder& bounder, const Options& options,
                bounds::BoundCertificate* certificate) {
  nlohmann::json id = nullptr;
  try {
    const nlohmann::json request = parse_strict_json(line, "line " + std::to_string(number));
    if (request.is_object() && request.contains("id")) {
      id = request["id"];
    }
    const BoundRequest asked = read_bound_request(request, in.model);
    const bounds::BoundResult result = bounder.bound(asked.domain, asked.quantity, options.bound);
    const auto verdict = firing_of(bounder, asked.domain, asked.quantity, result, options.bound);
    const bounds::FloatError error =
        bounder.float_error(asked.domain, asked.quantity, options.float32);
    ordered_json o = bound_json(asked.id, result, verdict);
    add_float32(o, result, error);
    if (certificate != nullptr) {
      const std::string wanted = asked.id.is_string() ? asked.id.get<std::string>() : "";
      o["claim"] = bounder.write(*certificate, wanted, asked.domain, asked.quantity, result);
      if (has_float32_claim(asked.quantity, error)) {
        o["float32_claim"] = bounder.write(*certificate, o["claim"].get<std::string>() + ".float32",
                                           asked.domain, asked.quantity, error, options.float32);
      }
      if (verdict && verdict->firing != bounds::Firing::may) {
        o["firing_claim"] = bounder.write(*certificate, wanted + ".firing", asked.domain,
                                          asked.quantity.index, *verdict);
      }
    }
    print_line(o);
    return ExitCode::ok;
  } catch (const InputError& e) {
    ordered_json o;
    o["id"] = id;
    o["status"] = "error";
    o["field"] = field_of(e.what());
    o["error"] = e.what();
    o["line"] = number;
    print_line(o);
    return e.code();
  }
}

/// CERT and, beside it, the request that it is about: CERT.request.
void write_certificate(const Options& o, const bounds::BoundCertificate& certificate) {
  if (certificate.claims() > 0) {
    write_file_atomic(o.certificate, certificate.certificate());
    write_file_atomic(o.certificate + ".request", certificate.request());
  }
}

void run_batch(const Options& o, Session& session) {
  const Inputs in(o.model, o.sae);
  bounds::Bounder bounder(in.model, in.sae_or_null());
  attack_from_text(o, in, bounder);
  bounds::BoundCertificate certificate(in.model, in.sae_or_null());
  bounds::BoundCertificate* kept = o.certificate.empty() ? nullptr : &certificate;
  std::vector<std::string> lines;
  std::istringstream text(read_file(o.batch));
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
  }
  Progress progress("bound", lines.size());
  bool malformed = false;
  std::size_t answered = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].find_first_not_of(" \t\r") == std::string::npos) {
      continue;
    }
    if (interrupted()) {
      break;
    }
    const ExitCode code = answer(lines[i], i + 1, in, bounder, o, kept);
    malformed = malformed || code != ExitCode::ok;
    ++answered;
    progress.update(i + 1);
  }
  if (answered == 0 && !interrupted()) {
    throw InputError(o.batch, "lines", "at least one request", "none");
  }
  if (kept != nullptr) {
    write_certificate(o, certificate);
  }
  session.code = interrupted() ? ExitCode::interrupted
                 : malformed   ? ExitCode::malformed
                               : ExitCode::ok;
}

bounds::Domain domain_of(const Options& o, const Inputs& in) {
  std::vector<std::uint32_t> suffix = o.ids;
  if (!o.suffix.empty()) {
    if (!in.tokenizer) {
      throw UsageError("bound: --suffix needs tokenizer.json in " + o.model + " (or --suffix-ids)");
    }
    for (const TokenId t : in.tokenizer->encode(o.suffix)) {
      suffix.push_back(t.value);
    }
  }
  if (suffix.empty()) {
    throw UsageError("bound: expected --suffix TEXT or --suffix-ids ID …, found neither");
  }
  if (o.max_length != 0) {
    return bounds::suffix_domain(in.model, suffix, o.max_length);
  }
  const bool any =
      in.model.config.attention_window != 0 && in.model.config.positions != PosKind::standard;
  return any ? bounds::any_length_domain(in.model, suffix)
             : bounds::suffix_domain(in.model, suffix, in.model.config.n_ctx);
}

bounds::Quantity quantity_of(const Options& o, const Inputs& in) {
  using bounds::QuantityKind;
  const int asked = (o.neuron ? 1 : 0) + (o.feature ? 1 : 0) + (o.logit.empty() ? 0 : 1) +
                    (o.probe.empty() ? 0 : 1);
  if (!o.minus.empty() && o.logit.empty()) {
    throw UsageError("bound: --minus: expected --logit TOKEN beside it, found none");
  }
  if (asked != 1) {
    throw UsageError("bound: expected one of --neuron, --feature, --logit, --probe, found " +
                     std::to_string(asked));
  }
  bounds::Quantity q;
  if (o.neuron) {
    q.index = *o.neuron;
  } else if (o.feature) {
    q.kind = QuantityKind::feature;
    q.index = *o.feature;
  } else if (!o.probe.empty()) {
    q.kind = QuantityKind::readout;
    q.readout = load_readout(o.probe);
  } else {
    q.kind = o.minus.empty()    ? QuantityKind::logit
             : o.minus == "any" ? QuantityKind::logit_margin
                                : QuantityKind::logit_difference;
    q.index = one_token(in.tokenizer, o.logit, "--logit");
    if (q.kind == QuantityKind::logit_difference) {
      q.other = one_token(in.tokenizer, o.minus, "--minus");
    }
  }
  return q;
}

std::string table(const Inputs& in, const std::string& what, const bounds::BoundResult& r,
                  const std::optional<bounds::FiringVerdict>& verdict,
                  const bounds::FloatError& error) {
  std::string out = what + "\n";
  out += "  interval   [" + decimal(r.lo) + ", " + decimal(r.hi) +
         "]   PROVED (REAL: exact arithmetic)\n";
  out += float32_lines(r, error);
  out += "  attained   [" + decimal(r.attained_lo) + ", " + decimal(r.attained_hi) +
         "]   replayed through the forward pass\n";
  if (r.text_contexts > 0) {
    out += "  text       " + std::to_string(r.text_contexts) +
           " contexts of the domain started the search too\n";
  }
  out += "  gap        " + decimal(r.attained_lo - r.lo) + " below, " +
         decimal(r.hi - r.attained_hi) + " above\n";
  if (verdict) {
    out += std::string("  firing     ") + bounds::name(verdict->firing) + ": " + verdict->reason +
           "\n";
    out += std::string("  ties       ") +
           (in.sae->is_top_k() ? "for the last of the k places: may" : "at the threshold: off") +
           "\n";
  }
  out += "  least at   " + text_of(in, r.witness_lo) + "\n  most at    " +
         text_of(in, r.witness_hi) + "\n";
  out += "  by         " + r.method + ", " + std::to_string(r.nodes) + " nodes, " +
         decimal(r.seconds) + " s" + (r.stopped ? ", stopped early" : "");
  return out;
}

void run_one(const Options& o, Session& session) {
  const Inputs in(o.model, o.sae);
  bounds::Bounder bounder(in.model, in.sae_or_null());
  attack_from_text(o, in, bounder);
  const bounds::Domain domain = domain_of(o, in);
  const bounds::Quantity q = quantity_of(o, in);
  bounds::BoundOptions options = o.bound;
  std::string what = q.kind == bounds::QuantityKind::logit_margin
                         ? "logit " + std::to_string(q.index) + " minus the largest other"
                         : q.text();
  Progress progress("nodes", o.bound.nodes);
  options.progress = [&](std::size_t done, std::size_t budget) {
    progress.update(std::min(done, budget) * o.bound.nodes / std::max<std::size_t>(budget, 1));
  };
  const bounds::BoundResult result = bounder.bound(domain, q, options);
  const auto verdict = firing_of(bounder, domain, q, result, options);
  const bounds::FloatError error = bounder.float_error(domain, q, o.float32);
  if (!o.certificate.empty()) {
    bounds::BoundCertificate certificate(in.model, in.sae_or_null());
    bounder.write(certificate, "bound", domain, q, result);
    if (has_float32_claim(q, error)) {
      bounder.write(certificate, "bound.float32", domain, q, error, o.float32);
    }
    if (verdict) {
      bounder.write(certificate, "firing", domain, q.index, *verdict);
    }
    write_certificate(o, certificate);
  }
  std::vector<TokenId> suffix;
  for (const bounds::TokenSet& set : domain.last) {
    suffix.push_back(set.front());
  }
  what += " over every context" +
          (domain.any_length ? std::string(" of any length")
                             : " of at most " + std::to_string(domain.max_length) + " tokens") +
          " that ends in " + text_of(in, suffix);
  ordered_json object{{"assay-bound", 1}, {"quantity", what}};
  object.update(bound_json("bound", result, verdict));
  add_float32(object, result, error);
  session.finish(ExitCode::ok, table(in, what, result, verdict, error), object);
}

/// --site has its own domain, every input; what speaks of contexts has no place beside it.
void run_site(const CLI::App& sub, Options& o, Session& session) {
  for (const char* option :
       {"--batch", "--neuron", "--suffix", "--suffix-ids", "--max-length", "--nodes", "--enumerate",
        "--z3", "--seconds", "--text", "--exp-ulps", "--act-ulps"}) {
    if (sub.count(option) > 0) {
      throw UsageError(std::string("bound --site: expected no ") + option +
                       " (a bound of a site is over every input), found it");
    }
  }
  o.site.model = o.model;
  o.site.sae = o.sae;
  o.site.logit = o.logit;
  o.site.minus = o.minus;
  o.site.probe = o.probe;
  o.site.feature = o.feature;
  o.site.certificate = o.certificate;
  run_bound_site(o.site, session);
}

/// CLI11's own check prints the range of a double, 300 digits long.
CLI::Validator positive() {
  return {[](std::string& word) {
            double value = 0;
            return CLI::detail::lexical_cast(word, value) && value > 0
                       ? std::string()
                       : "expected a number above 0, found " + word;
          },
          "POSITIVE"};
}

void add_site_options(CLI::App& sub, SiteOptions& o) {
  auto* site = sub.add_option("--site", o.site,
                              "Bound over every input what reads this normalised site (ln_final, "
                              "blocks.N.ln1, blocks.N.ln2), at any depth");
  sub.add_flag("--never-argmax", o.never_argmax,
               "With --site ln_final: prove tokens (or --logit's) that no input makes argmax")
      ->needs(site);
  sub.add_option("--steps", o.steps, "Search steps for one token of --never-argmax (default 400)")
      ->check(positive())
      ->needs(site);
  sub.add_option("--tolerance", o.tolerance,
                 "Width up to which a reading of --site is called nullified (default 1e-6)")
      ->check(positive())
      ->needs(site);
}

}  // namespace

void add_bound(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand(
      "bound", "Enclose a neuron, feature, logit or probe over all contexts of a domain");
  auto o = std::make_shared<Options>();
  sub->add_option("--model", o->model, "Model directory")
      ->required()
      ->check(CLI::ExistingDirectory);
  sub->add_option("--sae", o->sae, "SAE or transcoder directory (for features)")
      ->check(CLI::ExistingDirectory);
  sub->add_option("--batch", o->batch, "Requests, one JSON object a line; one JSON line each back")
      ->check(CLI::ExistingFile);
  sub->add_option("--neuron", o->neuron, "Bound this neuron's pre-activation");
  sub->add_option("--feature", o->feature, "Bound this feature's pre-activation");
  sub->add_option("--logit", o->logit, "Bound this token's logit (text or #ID)");
  sub->add_option("--minus", o->minus, "… minus this token's, or minus `any` other's largest");
  sub->add_option("--probe", o->probe,
                  "Bound this readout file's value (named R1 in a certificate)")
      ->check(CLI::ExistingFile);
  sub->add_option("--suffix", o->suffix, "Contexts end in this text");
  sub->add_option("--suffix-ids", o->ids, "… or in these token ids");
  sub->add_option("--max-length", o->max_length,
                  "Longest context (default: any length where the window allows, else n_ctx)")
      ->check(positive());
  sub->add_option("--nodes", o->bound.nodes, "Budget of cases for one quantity (default 256)")
      ->check(positive());
  sub->add_option("--enumerate", o->bound.enumerate,
                  "Most contexts of a case that may be enumerated (default 65536; 0: none)");
  sub->add_option(
      "--z3", o->bound.solver_cases,
      "Open cases of a side, at the end, whose linear problem Z3 may solve (default 0)");
  o->bound.solver = [](const LinearProblem& problem) { return smt::minimise(problem); };
  sub->add_option("--seconds", o->bound.seconds,
                  "Safety stop for one quantity; the enclosure holds all the same");
  sub->add_option("--text", o->text,
                  "Text file or directory: its contexts of the domain start the attack too")
      ->check(CLI::ExistingPath);
  sub->add_option("--certificate", o->certificate,
                  "Write a certificate for assay-check here, and its request beside it (.request)");
  sub->add_option("--exp-ulps", o->float32.exp_ulps,
                  "FLOAT32-ANY-ORDER: the deployment's exp is within so many ulp (default 2)")
      ->check(CLI::Range(0, 4095));
  sub->add_option("--act-ulps", o->float32.act_ulps, "… and its erf or tanh, for gelu (default 2)")
      ->check(CLI::Range(0, 4095));
  add_site_options(*sub, o->site);
  sub->callback([sub, o, &session] {
    o->bound.keep_proof = !o->certificate.empty();
    if (sub->count("--site") > 0) {
      run_site(*sub, *o, session);
    } else if (o->batch.empty()) {
      run_one(*o, session);
    } else {
      run_batch(*o, session);
    }
  });
}

}  // namespace assay::cli
