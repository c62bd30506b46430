#include "session.hpp"

#include <algorithm>
#include <utility>

#include "refinement.hpp"
#include "reject.hpp"
#include "sha256.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxFile = std::size_t{4} << 30, kMaxStatement = std::size_t{16} << 20;

}  // namespace

std::string read_digested(const std::string& path, const std::string& sha) {
  std::string bytes = read_file(path, kMaxFile);
  if (sha256(bytes) != sha) {
    throw Reject("digest", "the certificate is about another file", path);
  }
  return bytes;
}

std::string tokens_text(const std::vector<std::size_t>& tokens) {
  std::string text;
  for (const std::size_t t : tokens) {
    text += text.empty() ? "" : " ";
    text += std::to_string(t);
  }
  return text;
}

Session::Session(const Inputs& inputs, Header header)
    : inputs_(inputs), header_(std::move(header)) {
  const std::string& path = inputs.request ? *inputs.request : inputs.spec.value();
  std::string text = read_file(path, kMaxStatement);
  if (sha256(text) != header_.statement_sha) {
    throw Reject("digest", "the certificate is about another statement", path);
  }
  if (header_.is_about_runs() != inputs.spec.has_value()) {
    throw Reject("header", "kind " + header_.kind + " does not fit the statement", path);
  }
  if (inputs.spec) {
    spec_ = parse_spec(text, path);
  } else {
    request_ = parse_request(std::move(text), path);
  }
  const bool model = !header_.weights_sha.empty();
  if (model == inputs.model.empty() || header_.chain.has_value() != inputs.chain.has_value() ||
      header_.machine.has_value() != inputs.machine.has_value()) {
    throw Reject("header", "kind " + header_.kind + " does not fit --model, --chain or --machine");
  }
  if (model) {
    config_ = read_digested(inputs.model + "/config.json", header_.config_sha);
    weights_ = read_digested(inputs.model + "/model.safetensors", header_.weights_sha);
  }
  check_model_uses();
  shown_.resize(claim_count());
}

std::size_t Session::claim_count() const {
  return spec_ ? spec_->properties.size() : request_->claims.size();
}

std::string Session::claim_id(std::size_t place) const {
  return spec_ ? spec_->properties.at(place).name : request_->claims.id(place);
}

std::string Session::claim_words(std::size_t place) const {
  return spec_ ? std::string() : request_->claims.at(place).words;
}

std::optional<std::size_t> Session::claim_place(std::string_view id) const {
  if (request_) {
    return request_->claims.find(id);
  }
  const auto found = std::find_if(spec_->properties.begin(), spec_->properties.end(),
                                  [&](const SpecProperty& p) { return p.name == id; });
  return found == spec_->properties.end()
             ? std::nullopt
             : std::optional<std::size_t>(found - spec_->properties.begin());
}

void Session::close(std::size_t place) {
  shown_[place] = true;
  if (request_ && facts_) {
    facts_->forget(request_->claims.id(place));
  }
  open_.erase(place);
}

const RequestClaim& Session::claim(const Step& step, std::string_view id, RequestClaim::Kind kind) {
  const auto place = request_ ? request_->claims.find(id) : std::nullopt;
  if (place) {
    auto found = open_.find(*place);
    if (found == open_.end()) {
      found = open_.emplace(*place, request_->claims.at(*place)).first;
    }
    if (found->second.kind == kind) {
      return found->second;
    }
  }
  throw Reject(std::string(step.rule), "the statement has no such claim " + std::string(id));
}

const RequestClaim& Session::domain_claim(const Step& step, std::string_view id) {
  using Kind = RequestClaim::Kind;
  if (spec_) {
    return refinement().lemma(step, id).claim;
  }
  const auto place = request().claims.find(id);
  const Kind kind = place ? request().claims.at(*place).kind : Kind::bound;
  return claim(step, id, kind == Kind::must_on || kind == Kind::must_off ? kind : Kind::bound);
}

std::pair<std::string, const Domain&> Session::domain(const Step& step, const std::string& id) {
  if (spec_) {
    const Lemma& lemma = refinement().lemma(step, id);
    return {lemma.claim.domain, lemma.domain};
  }
  const auto found = request().domains.find(id);
  if (found == request().domains.end()) {
    refuse(step, "the request has no such domain line");
  }
  return {id, found->second};
}

const Request& Session::request() const {
  if (!request_) {
    throw Reject("request", "the statement is not a request");
  }
  return *request_;
}

std::string Session::source(const Quantity& q) const {
  using Kind = Quantity::Kind;
  const bool feature = q.kind == Kind::feature, readout = q.kind == Kind::readout;
  if (!feature && !readout && q.kind != Kind::residual_mid) {
    return "";
  }
  const std::string& sha = feature   ? header_.sae.value().second
                           : readout ? header_.readouts.at(q.name)
                                     : request().direction_sha.at(q.name);
  return (feature ? ", sae " : readout ? ", readout " : ", direction ") + sha.substr(0, 16);
}

Attention& Session::attention() {
  if (!attention_) {
    network_ = std::make_unique<Network>(read_network(
        config_, inputs_.model + "/config.json", weights_, inputs_.model + "/model.safetensors"));
    attention_ = std::make_unique<Attention>(*network_);
  }
  return *attention_;
}

const SaeEncoder& Session::sae() {
  if (!sae_) {
    if (!header_.sae || !inputs_.sae) {
      throw Reject("sae", "a claim reads features: the header must list the SAE and --sae give it");
    }
    const std::string config = *inputs_.sae + "/cfg.json";
    const std::string weights = *inputs_.sae + "/sae_weights.safetensors";
    sae_ = read_sae(read_digested(config, header_.sae->first), config,
                    read_digested(weights, header_.sae->second), weights);
  }
  return *sae_;
}

const AffineReadout& Session::readout(const std::string& name) {
  const auto known = readouts_.find(name);
  if (known != readouts_.end()) {
    return known->second;
  }
  const auto listed = header_.readouts.find(name);
  const auto given = std::find_if(inputs_.readouts.begin(), inputs_.readouts.end(),
                                  [&](const auto& r) { return r.first == name; });
  if (listed == header_.readouts.end() || given == inputs_.readouts.end()) {
    throw Reject("readout", "the header must list the readout " + name + " and --readout give it");
  }
  return readouts_
      .emplace(name, read_readout(read_digested(given->second, listed->second), given->second))
      .first->second;
}

Facts& Session::facts() {
  if (!facts_) {
    facts_ = std::make_unique<Facts>(attention());
  }
  return *facts_;
}

}  // namespace assay_check
