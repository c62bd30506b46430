#include <algorithm>
#include <cmath>
#include <map>

#include "catch.hpp"
#include "check_table.hpp"

using namespace check_test;

// MMD, MMD-LEAKAGE, the term noise and rows of the fit in another encoding, against their definitions.

namespace {

std::string millionths(double x, bool up) {
  const double k = up ? std::ceil(x * 1e6) : std::floor(x * 1e6);
  return std::to_string(static_cast<long long>(k)) + "/1000000";
}

/// One label; it moves the spread of every coordinate by `wider` and the mean of the first by `shift`.
struct KernelCase : TableCase {
  explicit KernelCase(unsigned seed, double wider, double shift = 0, std::size_t rows = 4000)
      : TableCase(seed, rows, 3) {
    k = 1;
    r = 1;
    std::mt19937_64 random(seed + 177);
    const auto draw = [&random] { return static_cast<double>(random() >> 11) * 0x1p-52 - 1; };
    z.assign(n, 0);
    for (std::size_t row = 0; row < n; ++row) {
      z[row] = random() % 2 == 0 ? 1 : 0;
      for (std::size_t j = 0; j < d; ++j) {
        const double value = draw() * (z[row] != 0 ? 1 + wider : 1);
        x[row * d + j] = static_cast<float>(value + (j == 0 && z[row] != 0 ? shift : 0));
      }
    }
    left = {0, 0.1, 0};
    right = {0, 1, 0.2};
    save();
  }

  std::string alpha = "1/100", unit = "row";

  struct Figures {
    std::size_t units = 0, quadruples = 0;
    double mean = 0, square = 0;
  };

  /// By the definition.
  [[nodiscard]] Figures figures() const {
    std::vector<std::vector<std::size_t>> found;
    std::map<double, std::size_t> known;
    for (std::size_t row = 0; row < n; ++row) {
      const std::size_t at =
          document.empty() ? row : known.emplace(document[row], found.size()).first->second;
      found.resize(std::max(found.size(), at + 1));
      found[at].push_back(row);
    }
    std::vector<std::pair<std::string, std::size_t>> order;
    for (std::size_t u = 0; u < found.size(); ++u) {
      order.emplace_back(assay_check::sha256("assay " + std::to_string(u)), u);
    }
    std::sort(order.begin(), order.end());
    const std::size_t first = std::max<std::size_t>(order.size() / 8, 1);
    Vector centre(d), scale(d, 1.0);
    std::vector<std::size_t> c_rows, drawn;
    for (std::size_t u = 0; u < order.size(); ++u) {
      const auto& rows = found[order[u].second];
      if (u < first) {
        c_rows.insert(c_rows.end(), rows.begin(), rows.end());
      } else {
        const std::string key = assay_check::sha256("assay row " + std::to_string(u));
        drawn.push_back(rows[std::stoull(key.substr(0, 15), nullptr, 16) % rows.size()]);
      }
    }
    for (std::size_t j = 0; j < d; ++j) {
      double sum = 0, squares = 0;
      for (const std::size_t row : c_rows) {
        sum += Y[row][j] / static_cast<double>(c_rows.size());
      }
      centre[j] = std::trunc(sum);
      for (const std::size_t row : c_rows) {
        squares += std::pow(Y[row][j] - centre[j], 2);
      }
      while (squares > static_cast<double>(c_rows.size()) * scale[j] * scale[j]) {
        scale[j] *= 2;
      }
    }
    const auto scaled = [&](std::size_t row) {
      Vector u(d);
      for (std::size_t j = 0; j < d; ++j) {
        u[j] = (Y[row][j] - centre[j]) / scale[j];
      }
      return u;
    };
    const auto square = [](const Vector& u) {
      double sum = 0;
      for (const double v : u) {
        sum += v * v;
      }
      return sum;
    };
    double limit = 0;
    for (const std::size_t row : c_rows) {
      limit = std::max(limit, 2 * square(scaled(row)));
    }
    const auto kernel = [&](std::size_t a, std::size_t b) {
      Vector u = scaled(a), v = scaled(b);
      u = square(u) > limit ? Vector(d) : u;
      v = square(v) > limit ? Vector(d) : v;
      double sum = 0;
      for (std::size_t j = 0; j < d; ++j) {
        sum += (u[j] - v[j]) * (u[j] - v[j]);
      }
      return std::exp(-sum / static_cast<double>(d));
    };
    Figures f{order.size(), drawn.size() / 4, 0, 0};
    for (std::size_t q = 0; q < f.quadruples; ++q) {
      const std::size_t s = drawn[4 * q], t = drawn[4 * q + 1], a = drawn[4 * q + 2],
                        b = drawn[4 * q + 3];
      const double v = (z[s] - z[t]) * (z[a] - z[b]) / 4 *
                       (kernel(s, a) - kernel(s, b) - kernel(t, a) + kernel(t, b));
      f.mean += v / static_cast<double>(f.quadruples);
      f.square += v * v / static_cast<double>(f.quadruples);
    }
    return f;
  }
  /// How far the mean of x may be from its expectation, by Chernoff and then Bernstein.
  static double around(const Figures& f, double a) {
    const double l = std::log(2 / a), count = static_cast<double>(f.quadruples);
    const double step = 0.5 * std::sqrt(2 * l / count);
    const double root = (step + std::sqrt(step * step + 4 * f.square)) / 2;
    return root * std::sqrt(2 * l / count) + 0.5 * l / 3 / count;
  }
  [[nodiscard]] static std::string counts(const Figures& f) {
    return std::to_string(f.units) + " " + std::to_string(f.quadruples);
  }
  [[nodiscard]] bool bounded(const std::string& most, const std::string& numbers,
                             const std::string& noise = "") {
    return outcome({"mmd m " + named() + " label 0 unit " + unit +
                        (noise.empty() ? "" : " noise " + noise) + " alpha " + alpha + " at-most " +
                        most,
                    "ledger book total 1/10 spent 0"},
                   {"m MMD : " + numbers, "book LEDGER : 1"})
        .accepted;
  }
  [[nodiscard]] bool leaks(const std::string& least, const std::string& numbers) {
    return outcome({"mmd-leakage m " + named() + " label 0 unit " + unit + " alpha " + alpha +
                        " at-least " + least,
                    "ledger book total 1/10 spent 0"},
                   {"m MMD-LEAKAGE : " + numbers, "book LEDGER : 1"})
        .accepted;
  }
};

}  // namespace

TEST_CASE("mmd: accepted just above the bound, rejected below it, of rows and of documents") {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    for (const bool documents : {false, true}) {
      KernelCase c(seed, seed == 2 ? 1.0 : 0.0, 0, 1200);
      if (documents) {
        for (std::size_t row = 0; row < c.n; ++row) {
          c.document.push_back(static_cast<double>(row % 7 == 0 ? row : row / 3 + 5000));
        }
        c.unit = "document";
        c.save();
      }
      const auto f = c.figures();
      const double most = std::sqrt(f.mean + KernelCase::around(f, 0.01));
      INFO(seed << " " << documents << " " << most);
      CHECK(c.bounded(millionths(most * 1.00001, true), KernelCase::counts(f)));
      CHECK_FALSE(c.bounded(millionths(most * 0.99999, false), KernelCase::counts(f)));
      CHECK_FALSE(c.bounded("0", KernelCase::counts(f)));
      CHECK_FALSE(c.bounded("1", std::to_string(f.units) + " " + std::to_string(f.quadruples + 1)));
      CHECK_FALSE(c.bounded("1", std::to_string(f.units + 1) + " " + std::to_string(f.quadruples)));
      CHECK_FALSE(c.bounded("1", KernelCase::counts(f) + " 1"));
      CHECK(c.bounded("1", KernelCase::counts(f)));
      c.alpha = "1/1000";
      CHECK_FALSE(c.bounded(millionths(most * 1.00001, true), KernelCase::counts(f)));
    }
  }
}

TEST_CASE(
    "mmd: a concept in the spread of all coordinates shows as leakage, equal classes do not") {
  KernelCase wide(4, 3.0), equal(5, 0.0);
  const auto f = wide.figures(), g = equal.figures();
  const double least = std::sqrt(f.mean - KernelCase::around(f, 0.01));
  REQUIRE(least > 0.02);
  CHECK(wide.leaks(millionths(least * 0.9999, false), KernelCase::counts(f)));
  CHECK_FALSE(wide.leaks(millionths(least * 1.0001, true), KernelCase::counts(f)));
  CHECK_FALSE(wide.leaks("0", KernelCase::counts(f)));
  CHECK_FALSE(equal.leaks("1/1000000000", KernelCase::counts(g)));
}

TEST_CASE(
    "noise: a bound of the true label is the recorded one's over 1 - 2h, and never without h") {
  KernelCase c(6, 0.5, 0.3, 1200);
  const auto f = c.figures();
  const double most = std::sqrt(f.mean + KernelCase::around(f, 0.01));
  const std::string noisy = millionths(most / (1 - 2 * 0.2) * 1.00001, true);
  CHECK(c.bounded(noisy, KernelCase::counts(f), "1/5"));
  CHECK_FALSE(c.bounded(millionths(most / 0.6 * 0.99999, false), KernelCase::counts(f), "1/5"));
  CHECK_FALSE(c.bounded(noisy, KernelCase::counts(f), "1/4"));
  for (const char* noise : {"0", "1/2", "3/5", "-1/5", "x"}) {
    INFO(noise);
    CHECK_FALSE(c.bounded("1000", KernelCase::counts(f), noise));
  }
  CHECK(c.bounded("1000", KernelCase::counts(f), "49/100"));
  // Leakage is never of the true label by this term, and classes have no flips.
  CHECK_FALSE(c.outcome({"mmd-leakage m " + c.named() +
                             " label 0 unit row noise 1/5 alpha 1/100 at-least 1/1000000",
                         "ledger book total 1/10 spent 0"},
                        {"m MMD-LEAKAGE : " + KernelCase::counts(f), "book LEDGER : 1"})
                  .accepted);
  TableCase classes(7, 400);
  const auto bounded = [&](const std::string& noise) {
    return classes
        .outcome(
            {"mmd m " + classes.named() + " label 0 unit row" + noise + " alpha 1/100 at-most 1000",
             "ledger book total 1/10 spent 0"},
            {"m MMD : 400 87", "book LEDGER : 1"})
        .accepted;
  };
  CHECK(bounded(""));
  CHECK_FALSE(bounded(" noise 1/5"));
}

TEST_CASE("rows of the fit are known in another number format, order or file") {
  KernelCase c(8, 0.0, 0, 600);
  std::vector<std::string> each;
  for (std::size_t row = 0; row < c.n; ++row) {
    std::string bytes;
    for (std::size_t j = 0; j < c.d; ++j) {
      const auto narrow = static_cast<float>(c.x[row * c.d + j]);
      bytes.append(reinterpret_cast<const char*>(&narrow), sizeof narrow);
    }
    each.push_back(assay_check::sha256(bytes));
  }
  std::sort(each.begin(), each.end());
  std::string all;
  for (const std::string& sha : each) {
    all += sha;
  }
  const std::string sha = assay_check::sha256(all);
  const std::string numbers = KernelCase::counts(c.figures());
  REQUIRE(c.bounded("1", numbers));
  c.more_config += ",\"fitRows\":[\"" + std::string(64, '1') + "\"]";
  c.save();
  REQUIRE(c.bounded("1", numbers));
  c.more_config = fitted_on(std::string(64, '0')) + ",\"fitRows\":[\"" + sha + "\"]";
  c.save();
  CHECK_FALSE(c.bounded("1", numbers));  // F64 file of float32 numbers
  c.type = "F32";
  c.save();
  CHECK_FALSE(c.bounded("1", numbers));
  for (std::size_t j = 0; j < c.d; ++j) {
    std::swap(c.x[j], c.x[7 * c.d + j]);
  }
  std::swap(c.z[0], c.z[7]);
  c.save();
  CHECK_FALSE(c.bounded("1", numbers));
  c.x[0] += 0.25;  // other rows
  c.save();
  CHECK(c.bounded("1", KernelCase::counts(c.figures())));
}
