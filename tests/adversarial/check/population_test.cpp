#include <algorithm>
#include <cmath>
#include <map>

#include "catch.hpp"
#include "check_table.hpp"

using namespace check_test;

// ADVANTAGE, TWO-HALVES, LEAKAGE, LEDGER, INTERFACE and PROBE against figures computed from their definitions.

namespace {

std::string millionths_above(double x) {
  return std::to_string(static_cast<long long>(std::ceil(x * 1e6))) + "/1000000";
}
std::string millionths_below(double x) {
  return std::to_string(static_cast<long long>(std::floor(x * 1e6))) + "/1000000";
}

/// One label, 600 rows; the label moves the first coordinate's mean by `shift` and its spread by `wider`.
struct PopulationCase : TableCase {
  explicit PopulationCase(unsigned seed = 1, double shift = 0, double wider = 0,
                          std::size_t rows = 600)
      : TableCase(seed, rows, 3) {
    k = 1;
    r = 1;
    std::mt19937_64 random(seed + 77);
    const auto draw = [&random] { return static_cast<double>(random() >> 11) * 0x1p-52 - 1; };
    z.assign(n, 0);
    for (std::size_t row = 0; row < n; ++row) {
      z[row] = random() % 2 == 0 ? 1 : 0;
      for (std::size_t j = 0; j < d; ++j) {
        x[row * d + j] =
            draw() * (j == 0 && z[row] != 0 ? 1 + wider : 1) + (j == 0 && z[row] != 0 ? shift : 0);
      }
    }
    left = {0, 0.1, 0};
    right = {0, 1, 0.2};
    save();
  }

  std::string alpha = "1/100", unit = "row", ledger = "ledger book total 1/10 spent 0";

  struct Figures {
    std::size_t units = 0, a = 0, b = 0;
    double M = 0, lambda = 0, trace = 0, norm = 0, along = 0, square_along = 0;
  };

  /// By the definition: every pair of rows of every pair of units.
  [[nodiscard]] Figures figures(bool quadratic) const {
    std::vector<std::vector<std::size_t>> found;
    std::map<double, std::size_t> known;
    for (std::size_t row = 0; row < n; ++row) {
      const std::size_t at = document.empty()
                                 ? found.size()
                                 : known.emplace(document[row], found.size()).first->second;
      if (at == found.size()) {
        found.emplace_back();
      }
      found[at].push_back(row);
    }
    std::vector<std::pair<std::string, std::size_t>> order;
    for (std::size_t u = 0; u < found.size(); ++u) {
      order.emplace_back(assay_check::sha256("assay " + std::to_string(u)), u);
    }
    std::sort(order.begin(), order.end());
    Figures f;
    f.units = order.size();
    const std::size_t first = std::max<std::size_t>(f.units / 8, 1), pairs = (f.units - first) / 2;
    f.a = pairs / 2;
    f.b = pairs - f.a;
    Vector centre(d), scale(d);
    std::vector<std::size_t> c_rows;
    for (std::size_t i = 0; i < first; ++i) {
      const auto& rows = found[order[i].second];
      c_rows.insert(c_rows.end(), rows.begin(), rows.end());
    }
    for (std::size_t j = 0; j < d; ++j) {
      double sum = 0, squares = 0;
      for (const std::size_t row : c_rows) {
        sum += Y[row][j];
      }
      centre[j] = std::trunc(sum / static_cast<double>(c_rows.size()));
      for (const std::size_t row : c_rows) {
        squares += (Y[row][j] - centre[j]) * (Y[row][j] - centre[j]);
      }
      scale[j] = 1;
      while (squares > static_cast<double>(c_rows.size()) * scale[j] * scale[j]) {
        scale[j] *= 2;
      }
    }
    double limit = 0;
    const auto square = [&](std::size_t row) {
      double sum = 0;
      for (std::size_t j = 0; j < d; ++j) {
        sum += std::pow((Y[row][j] - centre[j]) / scale[j], 2);
      }
      return sum;
    };
    for (const std::size_t row : c_rows) {
      limit = std::max(limit, 2 * square(row));
    }
    f.M = quadratic ? limit : std::sqrt(limit);
    const auto phi = [&](std::size_t row) {
      Vector y(d), out;
      for (std::size_t j = 0; j < d; ++j) {
        y[j] = square(row) > limit ? 0 : (Y[row][j] - centre[j]) / scale[j];
      }
      for (std::size_t i = 0; quadratic && i < d; ++i) {
        for (std::size_t j = 0; j < d; ++j) {
          out.push_back(y[i] * y[j]);
        }
      }
      return quadratic ? out : y;
    };
    const auto v_of = [&](std::size_t i) {
      const auto &s = found[order[first + 2 * i].second],
                 &t = found[order[first + 2 * i + 1].second];
      Vector v(quadratic ? d * d : d);
      for (const std::size_t p : s) {
        for (const std::size_t q : t) {
          const Vector a = phi(p), b = phi(q);
          for (std::size_t j = 0; j < v.size(); ++j) {
            v[j] += (a[j] - b[j]) * (z[p] - z[q]) / 2 / static_cast<double>(s.size() * t.size());
          }
        }
      }
      return v;
    };
    Vector mean(quadratic ? d * d : d);
    std::vector<Vector> G(mean.size(), Vector(mean.size()));
    for (std::size_t i = 0; i < f.a; ++i) {
      const Vector v = v_of(i);
      for (std::size_t j = 0; j < v.size(); ++j) {
        mean[j] += v[j] / static_cast<double>(f.a);
        f.trace += v[j] * v[j] / static_cast<double>(f.a);
        for (std::size_t l = 0; l < v.size(); ++l) {
          G[j][l] += v[j] * v[l] / static_cast<double>(f.a);
        }
      }
    }
    Vector u(mean.size(), 1.0);
    for (int step = 0; step < 3000; ++step) {
      Vector next(u.size());
      double size = 0;
      for (std::size_t j = 0; j < u.size(); ++j) {
        for (std::size_t l = 0; l < u.size(); ++l) {
          next[j] += G[j][l] * u[l];
        }
        size += next[j] * next[j];
      }
      f.lambda = std::sqrt(size);
      for (std::size_t j = 0; j < u.size(); ++j) {
        u[j] = next[j] / f.lambda;
      }
    }
    for (const double m : mean) {
      f.norm += m * m;
    }
    f.norm = std::sqrt(f.norm);
    for (std::size_t i = f.a; i < pairs; ++i) {
      const Vector v = v_of(i);
      double along = 0;
      for (std::size_t j = 0; j < v.size(); ++j) {
        along += mean[j] * v[j];
      }
      f.along += along / static_cast<double>(f.b);
      f.square_along += along * along / static_cast<double>(f.b);
    }
    return f;
  }
  static double root(double seen, double size, double l, std::size_t count) {
    const double k = size * std::sqrt(2 * l / static_cast<double>(count));
    return (k + std::sqrt(k * k + 4 * seen)) / 2;
  }
  static double room(double r, double size, double l, std::size_t count) {
    return r * std::sqrt(2 * l / static_cast<double>(count)) +
           size * l / 3 / static_cast<double>(count);
  }
  static double at_most(const Figures& f, double lambda, double a) {
    const double l = std::log(3 / a), r = root(lambda, f.M, l, f.a), b = room(r, f.M, l, f.a);
    return (b + std::sqrt(b * b + 4 * std::max(0.0, f.along + f.norm * room(r, f.M, l, f.b)))) / 2;
  }
  static double at_least(const Figures& f, double a) {
    const double l = std::log(2 / a), size = f.norm * f.M;
    return (f.along - room(root(f.square_along, size, l, f.b), size, l, f.b)) / f.norm;
  }
  std::string terms(bool quadratic) const {
    return named() + " of " + (quadratic ? "quadratic" : "linear") + " label 0 unit " + unit +
           " alpha " + alpha;
  }
  std::string counts(const Figures& f) const {
    return std::to_string(f.units) + " " + std::to_string(f.a) + " " + std::to_string(f.b);
  }
  bool covers(const std::string& most, double lambda, const std::string& numbers,
              bool quadratic = false) {
    return outcome({"covariance c " + terms(quadratic) + " at-most " + most, ledger},
                   {"c TWO-HALVES : " + numbers + " " + hex(lambda), "book LEDGER : 1"})
        .accepted;
  }
  bool leaks(const std::string& least, const std::string& numbers, bool quadratic) {
    return outcome({"leakage c " + terms(quadratic) + " at-least " + least, ledger},
                   {"c LEAKAGE : " + numbers, "book LEDGER : 1"})
        .accepted;
  }
};

}  // namespace

TEST_CASE("population: TWO-HALVES is accepted just above the bound and rejected below it") {
  for (const bool quadratic : {false, true}) {
    for (unsigned seed = 1; seed <= 3; ++seed) {
      for (const bool documents : {false, true}) {
        PopulationCase c(seed, seed == 2 ? 0.5 : 0.0);
        if (documents) {
          for (std::size_t row = 0; row < c.n; ++row) {
            c.document.push_back(static_cast<double>(row % 7 == 0 ? row : row / 3 + 1000));
          }
          c.unit = "document";
          c.save();
        }
        const auto f = c.figures(quadratic);
        const double lambda = quadratic ? f.trace * 1.0001 : f.lambda * 1.0001;
        const double most = PopulationCase::at_most(f, lambda, 0.01);
        INFO(quadratic << " " << seed << " " << documents << " " << most);
        CHECK(c.covers(millionths_above(most * 1.00001), lambda, c.counts(f), quadratic));
        CHECK_FALSE(c.covers(millionths_below(most * 0.99999), lambda, c.counts(f), quadratic));
        CHECK_FALSE(c.covers("100", f.lambda * 0.999, c.counts(f), quadratic));
        CHECK_FALSE(c.covers("100", 0, c.counts(f), quadratic));
        CHECK_FALSE(c.covers("100", -lambda, c.counts(f), quadratic));
        if (quadratic) {
          CHECK_FALSE(c.covers("100", f.trace * 0.999, c.counts(f),
                               true));  // no matrix of products is formed
        }
      }
    }
  }
}

TEST_CASE("population: a smaller alpha needs a larger bound, and other counts are refused") {
  PopulationCase c(4);
  const auto f = c.figures(false);
  const double lambda = f.lambda * 1.001;
  const std::string most = millionths_above(PopulationCase::at_most(f, lambda, 0.01) * 1.0001);
  REQUIRE(c.covers(most, lambda, c.counts(f)));
  c.alpha = "1/200";
  CHECK_FALSE(c.covers(most, lambda, c.counts(f)));
  c.alpha = "1/50";
  CHECK(c.covers(most, lambda, c.counts(f)));
  for (const char* alpha : {"0", "1", "-1/100", "2"}) {
    c.alpha = alpha;
    CHECK_FALSE(c.covers("100", lambda, c.counts(f)));
  }
  c.alpha = "1/100";
  for (const char* numbers :
       {"601 131 131", "600 130 132", "600 132 131", "600 131 132", "600 131 131 1"}) {
    CHECK_FALSE(c.covers(most, lambda, numbers));
  }
}

TEST_CASE("population: the ledger adds up every alpha and refuses to be overdrawn") {
  PopulationCase c(5);
  const auto f = c.figures(false);
  const double lambda = f.lambda * 1.001;
  const auto run = [&](const std::string& ledger, std::size_t claims, bool with = true) {
    std::vector<std::string> lines{"covariance c " + c.terms(false) + " at-most 100",
                                   "covariance e " + c.terms(false) + " at-most 100"};
    std::vector<std::string> steps{"c TWO-HALVES : " + c.counts(f) + " " + hex(lambda),
                                   "e TWO-HALVES : " + c.counts(f) + " " + hex(lambda)};
    if (with) {
      lines.push_back(ledger);
      steps.push_back("book LEDGER : " + std::to_string(claims));
    }
    return c.outcome(lines, steps).accepted;
  };
  REQUIRE(run("ledger book total 1/50 spent 0", 2));
  CHECK_FALSE(run("ledger book total 1/50 spent 0", 1));
  CHECK_FALSE(run("ledger book total 1/50 spent 1/1000000000", 2));
  CHECK_FALSE(run("ledger book total 19/1000 spent 0", 2));
  CHECK_FALSE(run("ledger book total 1/50 spent -1/100", 2));
  CHECK_FALSE(run("ledger book total 1 spent 0", 2));
  CHECK_FALSE(run("", 0, false));  // no ledger, no claim with an alpha
}

TEST_CASE("population: rows of the fit, hidden documents and constant outputs are refused") {
  PopulationCase c(6);
  const auto f = c.figures(false);
  const double lambda = f.lambda * 1.01;
  REQUIRE(c.covers("100", lambda, c.counts(f)));
  const std::string elsewhere = c.more_config;
  c.more_config = fitted_on(digest(c.inputs.data[0]));
  c.save();
  CHECK_FALSE(c.covers("100", lambda, c.counts(f)));
  c.more_config.clear();  // an eraser that does not say
  c.save();
  CHECK_FALSE(c.covers("100", lambda, c.counts(f)));
  c.more_config = elsewhere;
  c.unit = "document";
  c.save();
  CHECK_FALSE(c.covers("100", lambda, c.counts(f)));
  c.unit = "row";
  for (std::size_t row = 0; row < c.n; ++row) {
    c.document.push_back(static_cast<double>(row));
  }
  c.save();
  CHECK_FALSE(c.covers("100", lambda, c.counts(f)));
  c.unit = "document";
  REQUIRE(c.covers("100", lambda, c.counts(f)));
  c.document[3] = 0.5;
  c.save();
  CHECK_FALSE(c.covers("100", lambda, c.counts(f)));
  c.document.clear();
  c.unit = "row";
  std::fill(c.x.begin(), c.x.end(), 0.25);
  c.save();
  CHECK_FALSE(c.covers("100", lambda, c.counts(f)));
}

TEST_CASE(
    "population: a concept that moves the variance shows as LEAKAGE of products, not of outputs") {
  PopulationCase c(7, 0, 1.5, 6000);
  const auto f = c.figures(true);
  const double least = PopulationCase::at_least(f, 0.01);
  INFO(least);
  REQUIRE(least > 0.02);
  CHECK(c.leaks(millionths_below(least * 0.9999), c.counts(f), true));
  CHECK_FALSE(c.leaks(millionths_above(least * 1.0001), c.counts(f), true));
  CHECK_FALSE(c.leaks("1/1000000000", c.counts(f), false));
  CHECK_FALSE(c.leaks("0", c.counts(f), true));
}

TEST_CASE("advantage: the best probe found stays within what is accepted, and less is rejected") {
  PopulationCase c(8, 0.4);
  const double n = static_cast<double>(c.n);
  double p = 0;
  Vector sigma(c.d), mean(c.d);
  for (std::size_t row = 0; row < c.n; ++row) {
    p += c.z[row] / n;
    for (std::size_t j = 0; j < c.d; ++j) {
      mean[j] += c.Y[row][j] / 1024 / n;
      sigma[j] += c.z[row] * c.Y[row][j] / 1024 / n;
    }
  }
  double norm = 0;
  for (std::size_t j = 0; j < c.d; ++j) {
    sigma[j] -= p * mean[j];
    norm += sigma[j] * sigma[j];
  }
  norm = std::sqrt(norm);
  const double r2 = best_r2(c.Y, c.z), q = 1 - p;
  const std::string tau = millionths_above(r2 * 1.0001);
  const auto gain = [&](const std::string& loss, const std::string& form, const std::string& size,
                        const std::string& most, const std::string& premise = "r ") {
    const bool through = form == "spread" || form == "free";
    return c
        .outcome({"residual r " + c.named() + " max-r2 " + tau,
                  "advantage g " + c.named() + " loss " + loss + " form " + form + " size " + size +
                      " max-gain " + most},
                 {"r RESIDUAL : 600 " + c.ones() + tau,
                  "g ADVANTAGE " + (through ? premise : std::string()) + ": 600 " + most})
        .accepted;
  };
  struct Row {
    const char *loss, *form, *size;
    double gain;
  };
  const double t = std::ceil(r2 * 1.0001 * 1e6) / 1e6;
  const std::vector<Row> table = {{"log", "norm", "3/2", 1.5 * norm},
                                  {"hinge", "norm", "1", norm / std::max(p, q)},
                                  {"square", "norm", "2", 4 * norm},
                                  {"log", "ridge", "1/10", norm * norm * 5},
                                  {"log", "spread", "1", std::sqrt(p * q * t)},
                                  {"hinge", "spread", "1", std::sqrt(p * q * t) / std::max(p, q)},
                                  {"square", "free", "1", p * q * t}};
  for (const Row& row : table) {
    INFO(row.loss << " " << row.form);
    CHECK(gain(row.loss, row.form, row.size, millionths_above(row.gain + 1e-9)));
    CHECK_FALSE(gain(row.loss, row.form, row.size, millionths_below(row.gain - 1e-9)));
  }
  CHECK_FALSE(gain("log", "free", "1", "1"));
  CHECK_FALSE(gain("softmax", "norm", "1", "100"));
  CHECK_FALSE(gain("exp", "norm", "1", "100"));
  CHECK_FALSE(gain("log", "norm", "0", "100"));
  CHECK_FALSE(gain("log", "norm", "-1", "100"));
  CHECK_FALSE(gain("log", "spread", "1", "100", ""));
  CHECK_FALSE(gain("log", "spread", "1", "100", "g "));
  // The steepest probes of norm 3/2 gain no more than the bound.
  double best = 0;
  for (int step = 0; step < 400; ++step) {
    const double size = 1.5 * step / 399;
    for (int at = 0; at < 41; ++at) {
      double loss = 0, b = std::log(p / q) + 0.05 * (at - 20);
      for (std::size_t row = 0; row < c.n; ++row) {
        double eta = b;
        for (std::size_t j = 0; j < c.d; ++j) {
          eta += size * sigma[j] / norm * (c.Y[row][j] / 1024 - mean[j]);
        }
        loss += (std::log1p(std::exp(eta)) - c.z[row] * eta) / n;
      }
      best = std::max(best, -p * std::log(p) - q * std::log(q) - loss);
    }
  }
  CHECK(best > 0.2 * 1.5 * norm);
  CHECK(best <= 1.5 * norm);
}

TEST_CASE("advantage: three classes have the softmax loss") {
  TableCase c;
  double square = 0;
  for (std::size_t label = 0; label < 3; ++label) {
    for (std::size_t j = 0; j < c.d; ++j) {
      double p = 0, mean = 0, with = 0;
      for (std::size_t row = 0; row < c.n; ++row) {
        p += c.z[row * 3 + label] / 90;
        mean += c.Y[row][j] / 1024 / 90;
        with += c.z[row * 3 + label] * c.Y[row][j] / 1024 / 90;
      }
      square += std::pow(with - p * mean, 2);
    }
  }
  const auto gain = [&](const std::string& loss, const std::string& most) {
    const std::vector<std::string> claims{"advantage g " + c.named() + " loss " + loss +
                                          " form norm size 1 max-gain " + most},
        steps{"g ADVANTAGE : 90 " + most};
    return c.outcome(claims, steps).accepted;
  };
  CHECK(gain("softmax", millionths_above(std::sqrt(square) + 1e-9)));
  CHECK_FALSE(gain("softmax", millionths_below(std::sqrt(square) - 1e-9)));
  CHECK_FALSE(gain("log", "100"));
}
