#include "bound_site.hpp"

#include <vector>

#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/bounds/site_certificate.hpp"
#include "bound_request.hpp"
#include "named_files.hpp"

namespace assay::cli {
namespace {

using nlohmann::ordered_json;

struct SiteInputs {
  NormalisedSite site;
  std::optional<Sae> sae;
  std::optional<Tokenizer> tokenizer;

  [[nodiscard]] std::string text(std::uint32_t token) const {
    return tokenizer && token < tokenizer->size()
               ? "#" + std::to_string(token) + " \"" + visible(tokenizer->text(TokenId{token})) +
                     "\""
               : "#" + std::to_string(token);
  }
};

const char* norm_name(const NormalisedSite& site) {
  return site.norm == SiteNorm::layer_norm ? "LayerNorm" : "RMSNorm";
}

/// The keys that every answer starts with.
ordered_json head(const NormalisedSite& site, const std::string& quantity) {
  return {{"assay-bound", 1},
          {"quantity", quantity},
          {"site", site.name},
          {"norm", norm_name(site)},
          {"n_layers", site.n_layers},
          {"domain", "every input"},
          {"semantics", "REAL"},
          {"config", site.config_digest.hex()},
          {"weights", site.weights_digest.hex()},
          {"ignored", site.ignored}};
}

std::string ignored_line(const NormalisedSite& site) {
  constexpr std::size_t kShown = 4;
  std::string out = "  not read   " + std::to_string(site.ignored.size()) + " tensors";
  for (std::size_t i = 0; i < site.ignored.size() && i < kShown; ++i) {
    out += (i == 0 ? ": " : ", ") + visible(site.ignored[i]);
  }
  return out + (site.ignored.size() > kShown ? ", …" : "");
}

bounds::Reading reading_of(const SiteOptions& o, const SiteInputs& in) {
  const int asked = (o.feature ? 1 : 0) + (o.logit.empty() ? 0 : 1) + (o.probe.empty() ? 0 : 1);
  if (asked != 1) {
    throw UsageError(
        "bound --site: expected one of --logit, --feature, --probe (or --never-argmax), found " +
        std::to_string(asked));
  }
  if (!o.minus.empty() && (o.logit.empty() || o.minus == "any")) {
    throw UsageError("bound --site: --minus: expected --logit TOKEN and one other token, found " +
                     (o.logit.empty() ? std::string("no --logit") : "\"any\""));
  }
  if (o.feature) {
    if (!in.sae) {
      throw UsageError("bound --site: --feature needs --sae");
    }
    return bounds::feature_reading(in.site, *in.sae, *o.feature);
  }
  if (!o.probe.empty()) {
    return bounds::readout_reading(in.site, load_readout_of(o.probe, bounds::site_hooks(in.site)));
  }
  const std::uint32_t token = one_token(in.tokenizer, o.logit, "--logit");
  return o.minus.empty() ? bounds::logit_reading(in.site, token)
                         : bounds::difference_reading(in.site, token,
                                                      one_token(in.tokenizer, o.minus, "--minus"));
}

/// OUT and, beside it, the request that it is about: OUT.request.
void write_certificate(const SiteOptions& o, const bounds::SiteCertificate& certificate) {
  if (!o.certificate.empty() && certificate.claims() > 0) {
    write_file_atomic(o.certificate, certificate.certificate());
    write_file_atomic(o.certificate + ".request", certificate.request());
  }
}

void run_reading(const SiteOptions& o, const SiteInputs& in, Session& session) {
  const bounds::Reading reading = reading_of(o, in);
  const bounds::SiteBound bound = bounds::sphere_bound(in.site, reading);
  const bool nullified = bound.is_nullified(o.tolerance);
  ordered_json object = head(in.site, reading.text);
  object["lo"] = bound.lo;
  object["hi"] = bound.hi;
  object["constant_lo"] = bound.constant.lo;
  object["constant_hi"] = bound.constant.hi;
  object["radius"] = bound.radius;
  object["nullified"] = nullified;
  object["tolerance"] = o.tolerance;
  object["level"] = "PROVED";
  object["method"] = "SITE-SPHERE";
  std::string out = reading.text + " over every input, read from " + in.site.name + " (" +
                    norm_name(in.site) + ", " + std::to_string(in.site.n_layers) + " layers)\n";
  out += "  interval   [" + decimal(bound.lo) + ", " + decimal(bound.hi) +
         "]   PROVED (real arithmetic)\n";
  out += "  constant   [" + decimal(bound.constant.lo) + ", " + decimal(bound.constant.hi) +
         "]   ± sqrt(d)|h| = " + decimal(bound.radius) + "\n";
  out += nullified ? "  nullified  yes: one number to within " + decimal(o.tolerance) + "\n"
                   : "  nullified  not within " + decimal(o.tolerance) + "\n";
  if (o.feature) {
    const char* fires = firing(*in.sae, *o.feature, bound.lo, bound.hi);
    object["firing"] = fires;
    out += std::string("  firing     ") + fires + "\n";
  }
  bounds::SiteCertificate certificate(in.site, in.sae ? &*in.sae : nullptr);
  certificate.add("bound", reading, bound);
  if (nullified) {
    certificate.add_nullified("nullified", reading, o.tolerance);
  }
  write_certificate(o, certificate);
  session.finish(ExitCode::ok, out + ignored_line(in.site), object);
}

ordered_json never_json(const bounds::NeverArgmax& never) {
  ordered_json mixture = ordered_json::array();
  for (const bounds::Share& share : never.mixture) {
    mixture.push_back({share.token, share.parts});
  }
  return {
      {"token", never.token}, {"margin", never.margin}, {"mixture", mixture}, {"level", "PROVED"}};
}

std::string never_line(const SiteInputs& in, const bounds::NeverArgmax& never) {
  constexpr std::size_t kShown = 4;
  std::string out = "  " + in.text(never.token) + "   margin " + decimal(never.margin) + "   below";
  for (std::size_t k = 0; k < never.mixture.size() && k < kShown; ++k) {
    const bounds::Share& share = never.mixture[k];
    out += (k == 0 ? " " : " + ") +
           fixed(static_cast<double>(share.parts) / static_cast<double>(bounds::kMixtureParts), 4) +
           " " + in.text(share.token);
  }
  return never.mixture.size() > kShown
             ? out + " + … (" + std::to_string(never.mixture.size()) + " tokens)\n"
             : out + "\n";
}

void run_never_argmax(const SiteOptions& o, const SiteInputs& in, Session& session) {
  if (o.feature || !o.probe.empty() || !o.minus.empty()) {
    throw UsageError(
        "bound --site: --never-argmax: expected no quantity or --logit TOKEN, found --feature, "
        "--probe or --minus");
  }
  const bounds::ArgmaxSearch search(in.site);
  std::vector<std::uint32_t> tokens;
  if (!o.logit.empty()) {
    // Refuses an id out of range, naming it.
    static_cast<void>(bounds::logit_reading(
        in.site, tokens.emplace_back(one_token(in.tokenizer, o.logit, "--logit"))));
  }
  for (std::uint32_t u = 0; o.logit.empty() && u < in.site.vocabulary(); ++u) {
    tokens.push_back(u);
  }
  ordered_json found = ordered_json::array();
  std::string lines;
  bounds::SiteCertificate certificate(in.site, nullptr);
  Progress progress("tokens", tokens.size());
  std::size_t searched = 0;
  for (; searched < tokens.size() && !interrupted(); ++searched) {
    if (const auto never = search.search(tokens[searched], o.steps)) {
      found.push_back(never_json(*never));
      lines += never_line(in, *never);
      certificate.add("never_" + std::to_string(never->token), *never);
    }
    progress.update(searched + 1);
  }
  ordered_json object = head(in.site, "never-argmax");
  object["tokens"] = in.site.vocabulary();
  object["searched"] = searched;
  object["proved"] = found.size();
  object["not_shown"] = searched - found.size();
  object["parts"] = bounds::kMixtureParts;
  object["method"] = "NEVER-ARGMAX";
  object["never_argmax"] = found;
  const std::string out = std::to_string(found.size()) + " of " + std::to_string(searched) +
                          " tokens are argmax for no input: PROVED (real arithmetic); " +
                          std::to_string(searched - found.size()) + " not shown\n" + lines +
                          ignored_line(in.site);
  write_certificate(o, certificate);
  session.finish(interrupted() ? ExitCode::interrupted : ExitCode::ok, out, object);
}

}  // namespace

void run_bound_site(const SiteOptions& o, Session& session) {
  SiteInputs in{load_normalised_site(o.model, o.site), {}, load_tokenizer(o.model)};
  if (!o.sae.empty()) {
    in.sae = load_sae(o.sae);
  }
  if (o.never_argmax) {
    run_never_argmax(o, in, session);
  } else {
    run_reading(o, in, session);
  }
}

}  // namespace assay::cli
