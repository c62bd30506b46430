#include "erased.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "json.hpp"
#include "reject.hpp"
#include "sha256.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxWidth = 4096, kMaxRank = 64, kMaxLabels = 64;
constexpr std::size_t kMaxRows = 100'000'000;

/// A file of the statement's data: `x`, `z` or both, and perhaps `document` and `symbol`.
Safetensors read_table(Session& session, const std::string& sha, const Step& step, bool x, bool z) {
  std::string name;
  std::string bytes = session.data(sha, name);
  Safetensors file(std::move(bytes), name);
  for (const std::string& tensor : file.names()) {
    if (!(tensor == "x" && x) && !(tensor == "z" && z) && tensor != "document" &&
        tensor != "symbol") {
      refuse(step, "a tensor of the data that nothing reads");
    }
  }
  return file;
}

/// Claims of kind erasure: the words after the id are KEY VALUE, these keys in this order, labels and noise or
/// without them.
struct Form {
  std::string_view name, keys;
};
constexpr std::array kForms = {
    Form{"residual", "data labels max-r2"},
    Form{"advantage", "data labels loss form size max-gain"},
    Form{"covariance", "data labels of label unit noise alpha at-most"},
    Form{"leakage", "data labels of label unit alpha at-least"},
    Form{"mmd", "data labels label unit noise alpha at-most"},
    Form{"mmd-leakage", "data labels label unit alpha at-least"},
    Form{"ledger", "total spent"},
    Form{"interface", "data labels label symbols unit alpha at-most"},
    Form{"probe", "data labels probes index label unit alpha at-least at-most"},
    Form{"change", "data labels at-most"},
    Form{"operator", "at-most"},
    Form{"divergence", "data labels unembedding kl tv kept"},
    Form{"worst", "readout region index at-most"},
    Form{"unread", "hook"},
    Form{"site-range", "at-most"},
    Form{"never-fires", "feature range"},
    Form{"never-fires-real", "feature"},
};

}  // namespace

std::string printable(std::string hook) {
  for (char& c : hook) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    c = plain || c == '.' || c == '_' ? c : '?';
  }
  return hook.substr(0, 100);
}

Eraser read_eraser(const Session& session, const Step& step) {
  const Header& header = session.header();
  if (!header.eraser || !session.inputs().eraser) {
    refuse(step, "the header must list the eraser and --eraser give it");
  }
  const std::string json = *session.inputs().eraser + "/eraser.json";
  const std::string weights = *session.inputs().eraser + "/eraser.safetensors";
  const Json root = parse_json(read_digested(json, header.eraser->first), json);
  const std::uint64_t d = root.at("d").as_natural(), r = root.at("rank").as_natural();
  const std::uint64_t bits = root.at("gridBits").as_natural();
  const Json* const model = root.find("modelWeights");
  if (root.at("assay-eraser").as_natural() != 1 || d == 0 || d > kMaxWidth || r == 0 || r > d ||
      r > kMaxRank || bits > 24 || (model == nullptr) != header.weights_sha.empty() ||
      (model != nullptr && model->as_text() != header.weights_sha)) {
    throw Reject("eraser", "not an eraser of this model, or of none, within the limits", json);
  }
  Eraser eraser;
  eraser.hook = root.at("hook").as_text();
  for (const auto& [key, digests] :
       {std::pair("fitActivations", &eraser.fitted), std::pair("fitRows", &eraser.fitted_rows)}) {
    if (const Json* const files = root.find(key)) {
      for (const Json& sha : files->as_array()) {
        digests->push_back(sha.as_text());
      }
    }
  }
  eraser.d = static_cast<std::size_t>(d);
  eraser.r = static_cast<std::size_t>(r);
  eraser.grid_bits = static_cast<int>(bits);
  const Safetensors file(read_digested(weights, header.eraser->second), weights);
  if (file.names().size() != 3) {
    throw Reject("eraser", "unknown tensors", weights);
  }
  eraser.left = file.f64("proj_left", {eraser.d, eraser.r});
  eraser.right = file.f64("proj_right", {eraser.r, eraser.d});
  eraser.bias = file.f64("bias", {eraser.d});
  return eraser;
}

ErasedRows::ErasedRows(Session& session, const Step& step, const ErasureClaim& claim)
    : eraser(read_eraser(session, step)), step_(step), data_sha_(claim.at("data")) {
  const auto apart = claim.terms.find("labels");
  labels_sha_ = apart == claim.terms.end() ? "" : apart->second;
  data_.emplace(read_table(session, data_sha_, step, true, labels_sha_.empty()));
  if (!labels_sha_.empty()) {
    labels_.emplace(read_table(session, labels_sha_, step, false, true));
  }
  if (!data_->hook().empty() && data_->hook() != eraser.hook) {
    refuse(step, "the data file names another hook than the eraser");
  }
  x_ = numbers_of(*data_, "x");
  z_ = numbers_of(labels_ ? *labels_ : *data_, "z");
  n = x_.shape.empty() ? 0 : x_.shape[0];
  d = eraser.d;
  k = z_.shape.size() == 2 ? z_.shape[1] : 1;
  if (n == 0 || n > kMaxRows || k == 0 || k > kMaxLabels || !x_.floating ||
      x_.shape != Safetensors::Shape{n, d} ||
      (z_.shape != Safetensors::Shape{n, k} && (k != 1 || z_.shape != Safetensors::Shape{n}))) {
    refuse(step, "no rows, over the limits, or x or z not of n rows and the eraser's width");
  }
  ones.assign(k, 0);
  for (std::size_t row = 0; row < n; ++row) {
    std::size_t labelled = 0;
    for (std::size_t c = 0; c < k; ++c) {
      const double value = label(row, c);
      if (value != 0 && value != 1) {
        refuse(step, "a label is neither 0 nor 1");
      }
      ones[c] += value == 1 ? 1 : 0;
      labelled += value == 1 ? 1 : 0;
    }
    one_hot = one_hot && labelled == 1;
  }
  for (const std::size_t n1 : ones) {
    if (n1 == 0 || n1 == n) {
      refuse(step, "a class is empty");
    }
  }
  fitted = std::count(eraser.fitted.begin(), eraser.fitted.end(), data_sha_) > 0 ||
           (!eraser.fitted_rows.empty() &&
            std::count(eraser.fitted_rows.begin(), eraser.fitted_rows.end(), rows_digest()) > 0);
}

/// IEEE double, round to nearest even, no fused operation, sums from index 0 up starting at 0.0.
void ErasedRows::deploy(std::size_t row, double* Y) const {
  const Eraser& e = eraser;
  const double grid = std::ldexp(1.0, e.grid_bits);
  std::vector<double> c(e.r);
  for (std::size_t q = 0; q < e.r; ++q) {
    for (std::size_t j = 0; j < e.d; ++j) {
      c[q] += e.right[q * e.d + j] * (x_[row * e.d + j] - e.bias[j]);
    }
  }
  for (std::size_t i = 0; i < e.d; ++i) {
    double moved = 0.0;
    for (std::size_t q = 0; q < e.r; ++q) {
      moved += e.left[i * e.r + q] * c[q];
    }
    Y[i] = std::nearbyint((x_[row * e.d + i] - moved) * grid);
    if (!(std::fabs(Y[i]) < 0x1p24)) {
      refuse(step_, "a deployed output is not below 2^24 grid units");
    }
  }
}

std::vector<std::int64_t> ErasedRows::whole(const std::string& tensor) const {
  const Safetensors& file = data_->has(tensor) || !labels_ ? *data_ : *labels_;
  const Numbers numbers = numbers_of(file, tensor);
  if (numbers.shape != Safetensors::Shape{n}) {
    refuse(step_, "the tensor " + tensor + " is not of one number a row");
  }
  std::vector<std::int64_t> out(n);
  for (std::size_t row = 0; row < n; ++row) {
    const double value = numbers[row];
    if (!(std::fabs(value) < 0x1p53) || value != std::nearbyint(value)) {
      refuse(step_, "the tensor " + tensor + " holds a number that is not whole or not below 2^53");
    }
    out[row] = static_cast<std::int64_t>(value);
  }
  return out;
}

bool ErasedRows::has(const std::string& tensor) const {
  return data_->has(tensor) || (labels_ && labels_->has(tensor));
}

std::string ErasedRows::named() const {
  return "data " + data_sha_ + (labels_sha_.empty() ? "" : " with labels " + labels_sha_);
}

std::string ErasedRows::rows_digest() const {
  std::vector<std::string> each;
  std::vector<float> narrow(d);
  std::vector<double> wide(d);
  for (std::size_t i = 0; i < n; ++i) {
    bool exact = true;
    for (std::size_t j = 0; j < d; ++j) {
      wide[j] = input(i, j);
      narrow[j] = static_cast<float>(wide[j]);
      exact = exact && static_cast<double>(narrow[j]) == wide[j];
    }
    each.push_back(exact
                       ? sha256({reinterpret_cast<const char*>(narrow.data()), d * sizeof(float)})
                       : sha256({reinterpret_cast<const char*>(wide.data()), d * sizeof(double)}));
  }
  std::sort(each.begin(), each.end());
  std::string all;
  for (const std::string& sha : each) {
    all += sha;
  }
  return sha256(all);
}

std::string ErasedRows::tail(const Session& session) const {
  return ", hook " + printable(eraser.hook) + ", eraser " +
         session.header().eraser->second.substr(0, 16);
}

bool is_erasure_form(std::string_view word) {
  return std::any_of(kForms.begin(), kForms.end(), [&](const Form& f) { return f.name == word; });
}

/// FORM ID KEY VALUE …, kept as its words.
RequestClaim parse_residual(std::span<const std::string_view> words) {
  const auto form =
      std::find_if(kForms.begin(), kForms.end(), [&](const Form& f) { return f.name == words[0]; });
  RequestClaim claim;
  claim.kind = RequestClaim::Kind::residual;
  claim.id = parse_id(words[1]);
  claim.words = std::string(words[0]) + " " + claim.id;
  std::size_t at = 2;
  for (const std::string_view key : split_words(form->keys)) {
    if ((key == "labels" || key == "noise") && (at >= words.size() || words[at] != key)) {
      continue;
    }
    if (at + 1 >= words.size() || words[at] != key) {
      throw Reject("request", "expected " + std::string(words[0]) + " ID " +
                                  std::string(form->keys) + ", each with a value");
    }
    if (key == "data" || key == "labels" || key == "probes" || key == "unembedding" ||
        key == "readout" || key == "region") {
      static_cast<void>(parse_sha(words[at + 1]));
    }
    claim.words += " " + std::string(key) + " " + std::string(words[at + 1]);
    at += 2;
  }
  if (at != words.size()) {
    throw Reject("request", "words after the claim");
  }
  return claim;
}

ErasureClaim::ErasureClaim(const RequestClaim& claim) {
  const std::vector<std::string_view> words = split_words(claim.words);
  form = words.at(0);
  id = words.at(1);
  for (std::size_t i = 2; i + 1 < words.size(); i += 2) {
    terms.emplace(words[i], words[i + 1]);
  }
}

ErasureClaim erasure_claim(Session& session, const Step& step, std::string_view form) {
  ErasureClaim claim(session.claim(step, step.id, RequestClaim::Kind::residual));
  if (claim.form != form) {
    refuse(step, "the claim of this id is of another form than the rule");
  }
  return claim;
}

Fraction positive_term(const Step& step, const ErasureClaim& claim, const char* key) {
  const Fraction f = parse_fraction(claim.at(key));
  if (f.num <= 0) {
    refuse(step, std::string(key) + " is not above 0");
  }
  return f;
}

}  // namespace assay_check
