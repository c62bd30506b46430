#pragma once
// Certificates for the tiny model, written by a producer of its own, and the files around them.

#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <sstream>

#include "check_model.hpp"
#include "kernel.hpp"
#include "sha256.hpp"

namespace check_test {

/// A folder that goes away with its owner.
class Folder {
 public:
  Folder() {
    static int count = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("assay-check-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline std::string digest(const std::filesystem::path& path) {
  return assay_check::sha256(read_bytes(path));
}

/// A certificate as lines, and the inputs that go with it.
struct Case {
  Case() = default;
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;
  virtual ~Case() = default;

  Folder folder;
  assay_check::Inputs inputs;
  std::vector<std::string> lines;  ///< all lines, `end` included

  [[nodiscard]] std::string text() const {
    std::string all;
    for (const std::string& line : lines) {
      all += line + "\n";
    }
    return all;
  }
  [[nodiscard]] assay_check::Outcome check_text(const std::string& bytes) {
    inputs.certificate = (folder.path() / "case.cert").string();
    write_file(inputs.certificate, bytes);
    assay_check::Outcome outcome = assay_check::check(inputs);
    if (const char* kept = std::getenv("ASSAY_KEEP"); kept != nullptr && outcome.accepted) {
      keep(kept);
    }
    return outcome;
  }
  [[nodiscard]] assay_check::Outcome check() { return check_text(text()); }
  /// The index of the first line that starts with `prefix`.
  [[nodiscard]] std::size_t find(const std::string& prefix) const {
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (lines[i].rfind(prefix, 0) == 0) {
        return i;
      }
    }
    throw std::runtime_error("no line " + prefix);
  }
  /// Replaces word `index` of the line that starts with `prefix`.
  void set_word(const std::string& prefix, std::size_t index, const std::string& word) {
    std::string& line = lines[find(prefix)];
    std::istringstream in(line);
    std::string out, each;
    for (std::size_t i = 0; in >> each; ++i) {
      out += (i == 0 ? "" : " ") + (i == index ? word : each);
    }
    line = out;
  }
  [[nodiscard]] std::string word(const std::string& prefix, std::size_t index) const {
    std::istringstream in(lines[find(prefix)]);
    std::string each;
    for (std::size_t i = 0; i <= index; ++i) {
      in >> each;
    }
    return each;
  }
  /// Copies the inputs with the program's arguments, for tests/adversarial/check/keep.py.
  void keep(const std::filesystem::path& out) const {
    const auto to = out / folder.path().filename();
    const std::filesystem::path& root = folder.path();
    std::string args;
    const auto add = [&](const std::string& option, const std::string& path) {
      args += option + std::filesystem::relative(path, root).string() + "\n";
    };
    if (!inputs.model.empty()) {
      add("--model\n", inputs.model);
    }
    for (const auto& [option, path] : {std::pair("--sae\n", inputs.sae),
                                       {"--eraser\n", inputs.eraser},
                                       {"--automaton\n", inputs.automaton},
                                       {"--runs\n", inputs.runs},
                                       {"--spec\n", inputs.spec},
                                       {"--request\n", inputs.request}}) {
      if (path) {
        add(option, *path);
      }
    }
    for (const auto& [name, path] : inputs.readouts) {
      add("--readout\n" + name + "=", path);
    }
    for (const std::string& path : inputs.data) {
      add("--data\n", path);
    }
    std::filesystem::remove_all(to);
    std::filesystem::copy(root, to, std::filesystem::copy_options::recursive);
    write_file(to / "args", args);
  }
  /// Corrects the number of steps after lines were added or removed.
  void recount() { lines.back() = "end " + std::to_string(lines.size() - find("statement") - 2); }
};

/// Writes the steps of kind bounds for the tiny model; every number is padded a little.
class Producer {
 public:
  Producer(const TinyModel& model, Tokens suffix) : model_(model), suffix_(std::move(suffix)) {}

  [[nodiscard]] std::string head_numbers(const Vector& g, double& sum) const {
    std::string text;
    for (std::size_t h = 0; h < model_.H; ++h) {
      const double L = model_.attention_max(h, g, suffix_);
      const double padded = L + 1e-9 * (1 + std::fabs(L));
      sum += padded;
      text += " " + hex(padded);
    }
    return text;
  }
  [[nodiscard]] std::string suffix_text() const {
    std::string text;
    for (const std::size_t t : suffix_) {
      text += " " + std::to_string(t);
    }
    return text;
  }
  [[nodiscard]] double along_residual(const Vector& g) const {
    const Vector x = model_.residual(suffix_.back());
    double sum = 0;
    for (std::size_t i = 0; i < model_.d; ++i) {
      sum += g[i] * x[i];
    }
    return sum;
  }
  /// NEURONS and its ranges.
  void neurons(std::vector<std::string>& lines) {
    lines.push_back("n NEURONS s : " + std::to_string(model_.f));
    for (std::size_t j = 0; j < model_.f; ++j) {
      Vector g(model_.d), minus(model_.d);
      for (std::size_t i = 0; i < model_.d; ++i) {
        g[i] = model_.at("blocks.0.mlp.W_in", i * model_.f + j);
        minus[i] = -g[i];
      }
      double up = along_residual(g) + model_.at("blocks.0.mlp.b_in", j), down = -up;
      const std::string U = head_numbers(g, up), D = head_numbers(minus, down);
      hi_.push_back(up);
      lo_.push_back(-down);
      lines.push_back("n" + std::to_string(j) + " NEURON-RANGE n " + std::to_string(j) + " :" + U +
                      D);
    }
  }
  /// "S … L …" for const0 + <g0, m> + Σ κ relu(z); `bound` is what it shows, up to rounding.
  [[nodiscard]] std::string fold(const Vector& kappa, const Vector& g0, double const0,
                                 double& bound) const {
    Vector G = g0;
    bound = const0;
    std::string slopes = "S";
    for (std::size_t j = 0; j < model_.f; ++j) {
      const double lo = lo_[j], hi = hi_[j];
      const double a = hi <= 0 ? 0 : lo >= 0 ? 1 : hi / (hi - lo);
      slopes += " " + hex(a);
      for (std::size_t i = 0; i < model_.d; ++i) {
        G[i] += kappa[j] * a * model_.at("blocks.0.mlp.W_in", i * model_.f + j);
      }
      const double gap = std::max({std::max(lo, 0.0) - a * lo, std::max(hi, 0.0) - a * hi, 0.0});
      bound += kappa[j] * a * model_.at("blocks.0.mlp.b_in", j) + std::max(kappa[j], 0.0) * gap;
    }
    bound += along_residual(G);
    return slopes + " L" + head_numbers(G, bound);
  }

 private:
  const TinyModel& model_;
  Tokens suffix_;
  Vector lo_, hi_;
};

/// An SAE of 3 features on a hook; feature i's pre-activation is <W_enc[:, i], x> + b_enc[i].
struct TinySae {
  std::string hook;
  std::size_t width = 4;
  std::vector<float> W_enc, b_enc, threshold;

  [[nodiscard]] Vector direction(std::size_t i) const {
    Vector g;
    for (std::size_t r = 0; r < width; ++r) {
      g.push_back(static_cast<double>(W_enc[r * 3 + i]));
    }
    return g;
  }
  [[nodiscard]] double pre(std::size_t i, const Vector& x) const {
    double sum = static_cast<double>(b_enc[i]);
    for (std::size_t r = 0; r < width; ++r) {
      sum += static_cast<double>(W_enc[r * 3 + i]) * x[r];
    }
    return sum;
  }
  void save(const std::filesystem::path& dir) const {
    const std::string n = std::to_string(width);
    write_file(
        dir / "cfg.json",
        "{\"architecture\":\"jumprelu\",\"d_in\":" + n +
            ",\"d_sae\":3,\"dtype\":\"float32\",\"apply_b_dec_to_input\":false,"
            "\"normalize_activations\":\"none\",\"metadata\":{\"sae_lens_version\":\"6.0.0\","
            "\"hook_name\":\"" +
            hook + "\"}}");
    TensorFile file;
    file.add("W_dec", "F32", "[3," + n + "]", std::vector<float>(3 * width));
    file.add("W_enc", "F32", "[" + n + ",3]", W_enc);
    file.add("b_dec", "F32", "[" + n + "]", std::vector<float>(width, 1.0F));
    file.add("b_enc", "F32", "[3]", b_enc);
    file.add("threshold", "F32", "[3]", threshold);
    write_file(dir / "sae_weights.safetensors", file.bytes());
  }
};

inline TinySae make_sae(unsigned seed, const std::string& hook, std::size_t width) {
  std::mt19937_64 random(seed);
  TinySae sae{hook, width, {}, {0, 0, 0}, {0, 0, 0}};
  for (std::size_t i = 0; i < 3 * width; ++i) {
    sae.W_enc.push_back(static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-52 - 1));
  }
  return sae;
}

inline std::vector<std::string> header(const Case& c, const std::string& kind,
                                       const std::string& semantics) {
  const std::filesystem::path model = c.inputs.model;
  std::vector<std::string> lines = {
      "assay-cert 1", "kind " + kind, "semantics " + semantics,
      "model " + digest(model / "config.json") + " " + digest(model / "model.safetensors")};
  if (c.inputs.sae) {
    const std::filesystem::path sae = *c.inputs.sae;
    lines.push_back("sae " + digest(sae / "cfg.json") + " " +
                    digest(sae / "sae_weights.safetensors"));
  }
  return lines;
}

/// Feature 1 of the SAE and token 2, both out after `suffix`; true by a margin of about
/// `margin` against the producer's own bound (negative: false by it).
struct BoundsOptions {
  unsigned seed = 1;
  Tokens suffix = {3, 0};
  std::string hook = "blocks.0.hook_resid_mid";
  double margin = 1e-3;
  std::string order = "after";
};

struct BoundsCase : Case {
  TinyModel model;
  TinySae sae;
  double feature_bound = 0, token_bound = 0;  ///< as the producer sees them

  BoundsCase(unsigned seed, TinySae dictionary) : model(seed), sae(std::move(dictionary)) {}
};

inline Vector logit_direction(const TinyModel& model, double* const0, Vector* kappa) {
  Vector delta(model.d);
  for (std::size_t i = 0; i < model.d; ++i) {
    const auto W = [&](std::size_t t) { return model.at("unembed.W_U", i * model.V + t); };
    delta[i] = W(2) - 0.75 * W(0) - 0.25 * W(4);
  }
  const auto b = [&](std::size_t t) { return model.at("unembed.b_U", t); };
  *const0 = b(2) - 0.75 * b(0) - 0.25 * b(4);
  kappa->assign(model.f, 0);
  for (std::size_t i = 0; i < model.d; ++i) {
    *const0 += model.at("blocks.0.mlp.b_out", i) * delta[i];
    for (std::size_t j = 0; j < model.f; ++j) {
      (*kappa)[j] += model.at("blocks.0.mlp.W_out", j * model.d + i) * delta[i];
    }
  }
  return delta;
}

inline std::unique_ptr<BoundsCase> make_bounds(const BoundsOptions& o) {
  const bool mid = o.hook == "blocks.0.hook_resid_mid";
  std::unique_ptr<BoundsCase> c(new BoundsCase(o.seed, make_sae(o.seed + 7, o.hook, mid ? 4 : 6)));
  Producer producer(c->model, o.suffix);
  std::vector<std::string> steps{"s SUFFIX :" + producer.suffix_text()};
  producer.neurons(steps);
  const Vector g = c->sae.direction(1);
  double bound = 0;
  std::string feature;
  if (mid) {
    bound = producer.along_residual(g);
    feature = "f FEATURE-OFF s :" + producer.head_numbers(g, bound);
  } else {
    feature = "f FEATURE-OFF-MLP n : " + producer.fold(g, Vector(c->model.d), 0, bound);
  }
  steps.push_back(feature);
  c->sae.b_enc[1] = static_cast<float>(1 - bound);
  c->feature_bound = bound + static_cast<double>(c->sae.b_enc[1]);
  c->sae.threshold[1] = static_cast<float>(c->feature_bound + o.margin);
  double const0 = 0, shown = 0;
  Vector kappa;
  Vector delta = logit_direction(c->model, &const0, &kappa);
  static_cast<void>(producer.fold(kappa, delta, const0, shown));
  const double cut = std::log(0.1) * (o.order == "before" ? 2.0 : 1.0);
  c->model.weights["unembed.b_U"][2] += static_cast<float>(cut - shown - o.margin);
  delta = logit_direction(c->model, &const0, &kappa);
  steps.push_back("t TOKEN-OUT n : M 2 0 49152 4 16384 " +
                  producer.fold(kappa, delta, const0, c->token_bound));
  const auto& root = c->folder.path();
  c->inputs.model = (root / "model").string();
  c->inputs.sae = (root / "sae").string();
  c->inputs.request = (root / "case.request").string();
  c->model.save(c->inputs.model);
  c->sae.save(*c->inputs.sae);
  write_file(*c->inputs.request,
             "assay-request 1\n# a comment\ndecoder min-p 1/10 temperature 2 order " + o.order +
                 "\nfeature-off f 1 suffix" + producer.suffix_text() + "\ntoken-out t 2 suffix" +
                 producer.suffix_text() + "\nend\n");
  c->lines = header(*c, "bounds", "REAL");
  c->lines.push_back("statement " + digest(*c->inputs.request));
  c->lines.insert(c->lines.end(), steps.begin(), steps.end());
  c->lines.push_back("end " + std::to_string(steps.size()));
  return c;
}

}  // namespace check_test
