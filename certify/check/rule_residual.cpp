#include <algorithm>
#include <cmath>
#include <cstdint>

#include "definite.hpp"
#include "json.hpp"
#include "numbers.hpp"
#include "reject.hpp"
#include "safetensors.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxWidth = 4096, kMaxRank = 64, kMaxLabels = 64;
constexpr std::size_t kMaxRows = 100'000'000;
constexpr std::size_t kBlock = 32;  // that many products of integers below 2^24 are exact in double

struct Eraser {
  std::string hook;
  std::vector<std::string> fitted;  ///< digests of the files it says it was fitted on
  std::size_t d = 0, r = 0;
  int grid_bits = 0;
  std::vector<double> left, right, bias;
};

/// A hook's name as a word of the output: other characters than letters, digits, `.` and `_` become `?`.
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
  if (const Json* const files = root.find("fitActivations")) {
    for (const Json& sha : files->as_array()) {
      eraser.fitted.push_back(sha.as_text());
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

/// A file of the statement's data: `x`, `z` or both, and perhaps `document`, which nothing reads.
Safetensors read_table(Session& session, const std::string& sha, const Step& step, bool x, bool z) {
  std::string name;
  std::string bytes = session.data(sha, name);
  Safetensors file(std::move(bytes), name);
  for (const std::string& tensor : file.names()) {
    if (!(tensor == "x" && x) && !(tensor == "z" && z) && tensor != "document") {
      refuse(step, "a tensor of the data that nothing reads");
    }
  }
  return file;
}

/// The deployed output of one row, in units of 2^-gridBits: IEEE double, round to nearest
/// even, no fused operation, sums from index 0 up starting at 0.0.
void deploy(const Eraser& e, const Numbers& x, std::size_t row, const Step& step, double* Y) {
  const double grid = std::ldexp(1.0, e.grid_bits);
  std::vector<double> c(e.r);
  for (std::size_t k = 0; k < e.r; ++k) {
    for (std::size_t j = 0; j < e.d; ++j) {
      c[k] += e.right[k * e.d + j] * (x[row * e.d + j] - e.bias[j]);
    }
  }
  for (std::size_t i = 0; i < e.d; ++i) {
    double moved = 0.0;
    for (std::size_t k = 0; k < e.r; ++k) {
      moved += e.left[i * e.r + k] * c[k];
    }
    Y[i] = std::nearbyint((x[row * e.d + i] - moved) * grid);
    if (!(std::fabs(Y[i]) < 0x1p24)) {
      refuse(step, "a deployed output is not below 2^24 grid units");
    }
  }
}

/// Exact sums over the rows of W = (Y, z): ΣW and the lower triangle of ΣWWᵀ; n.
struct Moments {
  std::size_t n = 0, d = 0, k = 0;
  bool one_hot = true;  ///< every row has exactly one label
  std::vector<std::int64_t> S;
  std::vector<std::vector<Wide>> G;
};

/// Adds `rows` rows of W: sums of products of one block are integers below 2^53.
void add_block(const std::vector<double>& W, std::size_t rows, Moments& m) {
  const std::size_t width = m.d + m.k;
  std::vector<double> sum(width);
  for (std::size_t i = 0; i < width; ++i) {
    std::fill(sum.begin(), sum.end(), 0.0);
    for (std::size_t r = 0; r < rows; ++r) {
      const double* row = W.data() + r * width;
      const double w = row[i];
      m.S[i] += static_cast<std::int64_t>(w);
      for (std::size_t j = 0; j <= i; ++j) {
        sum[j] += w * row[j];
      }
    }
    for (std::size_t j = 0; j <= i; ++j) {
      m.G[i][j] += static_cast<std::int64_t>(sum[j]);
    }
  }
}

Moments accumulate(const Eraser& e, const Numbers& x, const Numbers& z, const Step& step) {
  Moments m{x.shape[0], e.d, z.shape.size() == 1 ? 1 : z.shape[1], true, {}, {}};
  const std::size_t width = m.d + m.k;
  m.S.resize(width);
  for (std::size_t i = 0; i < width; ++i) {
    m.G.emplace_back(i + 1);
  }
  std::vector<double> W(kBlock * width);
  for (std::size_t row = 0; row < m.n; ++row) {
    double* const w = W.data() + row % kBlock * width;
    deploy(e, x, row, step, w);
    double labels = 0;
    for (std::size_t c = 0; c < m.k; ++c) {
      w[m.d + c] = z[row * m.k + c];
      if (w[m.d + c] != 0 && w[m.d + c] != 1) {
        refuse(step, "a label is neither 0 nor 1");
      }
      labels += w[m.d + c];
    }
    m.one_hot = m.one_hot && labels == 1;
    if ((row + 1) % kBlock == 0 || row + 1 == m.n) {
      add_block(W, row % kBlock + 1, m);
    }
  }
  return m;
}

/// The lower triangle of [[A, B], [Bᵀ, τC]] = nΣWWᵀ − ΣW ΣWᵀ, its last rows and columns scaled by tau's
/// denominator q (a congruence). Left out, because an affine predictor of the rest says the same: a
/// coordinate that is constant, one that differs from an earlier one by a constant (A_ii = A_jj = A_ij),
/// and the last of several one-hot labels.
Triangle bordered(const Moments& m, const Fraction& tau) {
  const Integer n = m.n, q = tau.den;
  const auto entry = [&](std::size_t i, std::size_t j) {
    return Integer(n * Integer(m.G[i][j]) - Integer(m.S[i]) * m.S[j]);
  };
  Triangle M;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < m.d; ++i) {
    const Integer own = entry(i, i);
    std::vector<Integer> row;
    bool fresh = own != 0;
    for (std::size_t j = 0; j < kept.size() && fresh; ++j) {
      row.push_back(entry(i, kept[j]));
      fresh = row[j] != own || M[j][j] != own;
    }
    if (fresh) {
      row.push_back(own);
      M.push_back(std::move(row));
      kept.push_back(i);
    }
  }
  const std::size_t labels = m.one_hot && m.k > 1 ? m.k - 1 : m.k;
  for (std::size_t c = m.d; c < m.d + labels; ++c) {
    std::vector<Integer> row;
    for (const std::size_t i : kept) {
      row.push_back(q * entry(c, i));
    }
    for (std::size_t e = m.d; e <= c; ++e) {
      row.push_back(q * tau.num * entry(c, e));
    }
    M.push_back(std::move(row));
  }
  return M;
}

}  // namespace

/// residual ID data SHA [labels SHA] max-r2 FRAC
RequestClaim parse_residual(std::span<const std::string_view> words) {
  const bool apart = words.size() == 8 && words[4] == "labels";
  if ((words.size() != 6 && !apart) || words[2] != "data" || words[words.size() - 2] != "max-r2") {
    throw Reject("request", "expected residual ID data SHA [labels SHA] max-r2 FRAC");
  }
  RequestClaim claim;
  claim.kind = RequestClaim::Kind::residual;
  claim.id = parse_id(words[1]);
  claim.data_sha = parse_sha(words[3]);
  claim.labels_sha = apart ? parse_sha(words[5]) : "";
  claim.max_r2 = parse_fraction(words.back());
  return claim;
}

// RESIDUAL
//   Y = the deployed outputs of the data      [[A, B], [Bᵀ, τC]] is positive definite
//   ----------------------------------------------------------------------------------------
//   no affine predictor from Y of z, or of any combination of its columns, has R² above τ on this data
//   (T3: aᵀBᵀA⁻¹Ba < τ aᵀCa for every a ≠ 0)
void rule_residual(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, step.id, RequestClaim::Kind::residual);
  if (!step.premises.empty() || step.words.size() < 3 ||
      !parse_fraction(step.words.back()).equals(claim.max_r2)) {
    refuse(step, "expected RESIDUAL : n n1 … tau with the tau of the statement");
  }
  const Eraser eraser = read_eraser(session, step);
  const bool apart = !claim.labels_sha.empty();
  const Safetensors data = read_table(session, claim.data_sha, step, true, !apart);
  std::optional<Safetensors> labels;
  if (apart) {
    labels.emplace(read_table(session, claim.labels_sha, step, false, true));
  }
  if (!data.hook().empty() && data.hook() != eraser.hook) {
    refuse(step, "the data file names another hook than the eraser");
  }
  const Numbers x = numbers_of(data, "x"), z = numbers_of(apart ? *labels : data, "z");
  const std::size_t n = parse_nat(step.words[0]), k = step.words.size() - 2;
  if (n == 0 || n > kMaxRows || k > kMaxLabels || !x.floating ||
      x.shape != Safetensors::Shape{n, eraser.d} ||
      (z.shape != Safetensors::Shape{n, k} && (k != 1 || z.shape != Safetensors::Shape{n}))) {
    refuse(step, "no rows, over the limits, or x or z not of n rows and the eraser's width");
  }
  const Moments m = accumulate(eraser, x, z, step);
  std::string counts;
  for (std::size_t c = 0; c < k; ++c) {
    const std::int64_t n1 = m.S[m.d + c];
    if (parse_nat(step.words[1 + c]) != static_cast<std::size_t>(n1) || n1 == 0 ||
        n1 == static_cast<std::int64_t>(n)) {
      refuse(step, "n1 is not the number of rows with z = 1, or a class is empty");
    }
    counts += (c == 0 ? "" : ", ") + std::to_string(n1);
  }
  if (!is_positive_definite(bordered(m, claim.max_r2))) {
    refuse(step, "the matrix is not shown positive definite");
  }
  const bool fitted = std::count(eraser.fitted.begin(), eraser.fitted.end(), claim.data_sha) > 0;
  session.conclusions.push_back(
      {step.id, "OBSERVED",
       "no affine predictor of " + std::string(k == 1 ? "z" : "any combination of the labels z") +
           " from the deployed outputs has R^2 above " + claim.max_r2.text() + " on the " +
           std::to_string(n) + " rows of data " + claim.data_sha +
           (apart ? " with labels " + claim.labels_sha : "") + " (" + counts + " with z = 1" +
           (fitted ? "; rows of the fit" : "") + "), hook " + printable(eraser.hook) + ", eraser " +
           session.header().eraser->second.substr(0, 16)});
}

}  // namespace assay_check
