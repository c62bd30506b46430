#include <algorithm>
#include <cmath>

#include "catch.hpp"
#include "check_table.hpp"

using namespace check_test;

// CHANGE, OPERATOR, DIVERGENCE and WORST: against the definition, and every region by its own points.

namespace {

std::string up(double x) {
  return std::to_string(static_cast<long long>(std::ceil(x * 1e6))) + "/1000000";
}
std::string down(double x) {
  return std::to_string(static_cast<long long>(std::floor(x * 1e6))) + "/1000000";
}

/// Width 4, rank 2, 90 rows of three classes; a readout, an unembedding and a region beside them.
struct RegionCase : TableCase {
  Vector w{0.5, -1.25, 0.75, 2}, b{0.125}, u, offset;
  std::size_t V = 5;
  std::string readout, region, unembedding;

  explicit RegionCase(unsigned seed) : TableCase(seed) {
    std::mt19937_64 random(seed + 9);
    for (std::size_t i = 0; i < V * d; ++i) {
      u.push_back(static_cast<double>(random() >> 11) * 0x1p-52 - 1);
    }
    offset.assign(V, 0.25);
    readout = add("readout", {{"weights", axes(1, d), w}, {"bias", "[1]", b}});
    unembedding =
        add("unembedding", {{"u", axes(V, d), u}, {"b", "[" + std::to_string(V) + "]", offset}});
  }
  struct Named {
    std::string name, shape;
    Vector values;
  };
  std::string add(const std::string& name, const std::vector<Named>& tensors) {
    TensorFile file;
    for (const Named& t : tensors) {
      file.add(t.name, "F64", t.shape, t.values);
    }
    const std::string path = (folder.path() / name).string();
    write_file(path, file.bytes());
    if (std::find(inputs.data.begin(), inputs.data.end(), path) == inputs.data.end()) {
      inputs.data.push_back(path);
    }
    return digest(path);
  }
  bool one(const std::string& claim, const std::string& step) {
    const std::vector<std::string> claims{claim}, steps{step};
    return outcome(claims, steps).accepted;
  }
  bool worst(const std::string& most) {
    return one("worst w readout " + readout + " region " + region + " index 0 at-most " + most,
               "w WORST : 4");
  }
  /// What the readout says of an input, deployed.
  [[nodiscard]] double says(const Vector& input) const {
    double sum = b[0];
    Vector c(r);
    for (std::size_t q = 0; q < r; ++q) {
      for (std::size_t j = 0; j < d; ++j) {
        c[q] += right[q * d + j] * (input[j] - bias[j]);
      }
    }
    for (std::size_t i = 0; i < d; ++i) {
      double moved = 0;
      for (std::size_t q = 0; q < r; ++q) {
        moved += left[i * r + q] * c[q];
      }
      sum += w[i] * std::ldexp(std::nearbyint(std::ldexp(input[i] - moved, bits)), -bits);
    }
    return std::fabs(sum);
  }
  /// d says / d input, of the map before rounding
  [[nodiscard]] Vector slope() const {
    Vector out = w;
    for (std::size_t q = 0; q < r; ++q) {
      double into = 0;
      for (std::size_t j = 0; j < d; ++j) {
        into += left[j * r + q] * w[j];
      }
      for (std::size_t j = 0; j < d; ++j) {
        out[j] -= right[q * d + j] * into;
      }
    }
    return out;
  }
};

}  // namespace

TEST_CASE(
    "WORST: a bound is accepted just above what points of the region reach, and rejected below") {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    RegionCase c(seed);
    const Vector s = c.slope(), centre{0.25, -0.5, 0.125, 0.75}, radius{1, 0.5, 0, 2},
                 gamma{1, -0.5, 2, 0.75}, A{1, 0.5, -0.25, 0.5, 0.75, -1, 0.125, 0.25};  // [4,2]
    for (int kind = 0; kind < 4; ++kind) {
      double reached = 0;
      for (const int sign : {1, -1}) {
        Vector x(4), along(2), scaled(4);
        double norm = 0, mean = 0;
        for (std::size_t j = 0; j < 4; ++j) {
          along[0] += s[j] * A[2 * j];
          along[1] += s[j] * A[2 * j + 1];
          mean += s[j] * gamma[j] / 4;
        }
        for (std::size_t j = 0; j < 4; ++j) {
          scaled[j] = s[j] * gamma[j] - (kind == 2 ? mean : 0);
          norm += scaled[j] * scaled[j];
        }
        for (std::size_t j = 0; j < 4; ++j) {
          x[j] = kind == 0   ? centre[j] + sign * (s[j] > 0 ? 1 : -1) * radius[j]
                 : kind == 1 ? centre[j] + sign * (A[2 * j] * along[0] + A[2 * j + 1] * along[1]) /
                                               std::hypot(along[0], along[1])
                             : (kind == 2 ? centre[j] : 0) +
                                   sign * 2 * gamma[j] * scaled[j] / std::sqrt(norm);
        }
        reached = std::max(reached, c.says(x));
      }
      c.region = kind == 0 ? c.add("region", {{"center", "[4]", centre}, {"radius", "[4]", radius}})
                 : kind == 1 ? c.add("region", {{"axes", "[4,2]", A}, {"center", "[4]", centre}})
                 : kind == 2 ? c.add("region", {{"beta", "[4]", centre}, {"gamma", "[4]", gamma}})
                             : c.add("region", {{"gamma", "[4]", gamma}});
      INFO(seed << " " << kind << " " << reached);
      CHECK(c.worst(up(reached + 0.006)));  // the grid of 2^-10: at most 4.5 * 2^-11 each way
      CHECK_FALSE(c.worst(down(reached - 1e-5)));
      CHECK_FALSE(c.worst("0"));
    }
  }
}

TEST_CASE("WORST: what underflows counts") {
  for (const double size : {0x1p-40, 0x1p999}) {
    RegionCase c(6);
    c.right.assign(c.right.size(), 0x1p-1074);  // a product with it may be off by half of it
    c.left.assign(c.left.size(), 0);
    c.left[0] = c.left[1] = size;
    c.bias.assign(4, 0);
    c.save();
    c.readout = c.add("readout", {{"weights", "[1,4]", c.w}, {"bias", "[1]", c.b}});
    c.region = c.add("region", {{"center", "[4]", Vector(4, 0.5)}, {"radius", "[4]", Vector(4)}});
    CHECK(c.worst("3") == (size < 1));
    CHECK(c.worst("10"));
  }
}

TEST_CASE("WORST: regions that are none of the four are refused") {
  RegionCase c(5);
  c.region = c.add("region", {{"center", "[4]", Vector(4)}, {"radius", "[4]", Vector(4, 1.0)}});
  REQUIRE(c.worst("100"));
  c.region = c.add("region", {{"center", "[4]", Vector(4)}, {"radius", "[4]", {1, 1, -1, 1}}});
  CHECK_FALSE(c.worst("100"));
  c.region = c.add("region", {{"center", "[3]", Vector(3)}, {"radius", "[3]", Vector(3, 1.0)}});
  CHECK_FALSE(c.worst("100"));
  c.region = c.add("region", {{"radius", "[4]", Vector(4, 1.0)}});
  CHECK_FALSE(c.worst("100"));
  c.region =
      c.add("region", {{"center", "[4]", Vector(4)}, {"radius", "[4]", {1, HUGE_VAL, 1, 1}}});
  CHECK_FALSE(c.worst("100"));
}

TEST_CASE("OPERATOR and CHANGE: accepted just above the figure and rejected below it") {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    RegionCase c(seed);
    double mean = 0;
    for (std::size_t row = 0; row < c.n; ++row) {
      for (std::size_t j = 0; j < c.d; ++j) {
        mean += std::pow(std::ldexp(c.Y[row][j], -c.bits) - c.x[row * c.d + j], 2) / 90;
      }
    }
    CHECK(c.one("change m " + c.named() + " at-most " + up(mean + 1e-6), "m CHANGE : 90"));
    CHECK_FALSE(c.one("change m " + c.named() + " at-most " + down(mean - 1e-6), "m CHANGE : 90"));
    CHECK_FALSE(c.one("change m " + c.named() + " at-most 100", "m CHANGE : 91"));
    // The largest singular value of I - L R by power iteration.
    Vector v{1, 0.3, -0.2, 0.5};
    double norm = 0;
    for (int step = 0; step < 5000; ++step) {
      Vector image(4), back(4);
      for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) {
          image[i] += (i == j ? v[j] : 0) -
                      (c.left[2 * i] * c.right[j] + c.left[2 * i + 1] * c.right[4 + j]) * v[j];
        }
      }
      double size = 0;
      for (std::size_t j = 0; j < 4; ++j) {
        back[j] = image[j];
        for (std::size_t i = 0; i < 4; ++i) {
          back[j] -= (c.left[2 * i] * c.right[j] + c.left[2 * i + 1] * c.right[4 + j]) * image[i];
        }
        size += back[j] * back[j];
      }
      norm = std::sqrt(std::sqrt(size));
      for (std::size_t j = 0; j < 4; ++j) {
        v[j] = back[j] / std::sqrt(size);
      }
    }
    INFO(norm);
    CHECK(c.one("operator k at-most " + up(norm * 1.0001), "k OPERATOR : 2"));
    CHECK_FALSE(c.one("operator k at-most " + down(norm * 0.9999), "k OPERATOR : 2"));
    CHECK_FALSE(c.one("operator k at-most 10", "k OPERATOR : 1"));
  }
}

TEST_CASE(
    "DIVERGENCE: the true divergences lie within what is accepted, which is the bound and no "
    "less") {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    RegionCase c(seed);
    double kl = 0, tv = 0, true_kl = 0, true_tv = 0;
    std::size_t kept = 0, same = 0;
    for (std::size_t row = 0; row < c.n; ++row) {
      Vector p(c.V), q(c.V), D(c.V);
      double zp = 0, zq = 0;
      for (std::size_t v = 0; v < c.V; ++v) {
        double l = c.offset[v];
        for (std::size_t j = 0; j < c.d; ++j) {
          l += c.u[v * c.d + j] * c.x[row * c.d + j];
          D[v] += c.u[v * c.d + j] * (std::ldexp(c.Y[row][j], -c.bits) - c.x[row * c.d + j]);
        }
        p[v] = l;
        q[v] = l + D[v];
        zp += std::exp(p[v]);
        zq += std::exp(q[v]);
      }
      const auto [lo, hi] = std::minmax_element(D.begin(), D.end());
      const double range = *hi - *lo;
      kl += range * range / 8 / 90;
      tv += std::tanh(range / 4) / 90;
      Vector order = p;
      std::sort(order.rbegin(), order.rend());
      kept += order[0] - order[1] > range ? 1 : 0;
      same += std::max_element(p.begin(), p.end()) - p.begin() ==
                      std::max_element(q.begin(), q.end()) - q.begin()
                  ? 1
                  : 0;
      for (std::size_t v = 0; v < c.V; ++v) {
        const double a = std::exp(p[v]) / zp, e = std::exp(q[v]) / zq;
        true_kl += a * std::log(a / e) / 90;
        true_tv += std::fabs(a - e) / 2 / 90;
      }
    }
    CHECK(true_kl <= kl);
    CHECK(true_tv <= tv);
    CHECK(kept <= same);
    const auto accepts = [&](const std::string& most, const std::string& variation,
                             std::size_t rows) {
      return c.one("divergence e " + c.named() + " unembedding " + c.unembedding + " kl " + most +
                       " tv " + variation + " kept " + std::to_string(rows),
                   "e DIVERGENCE : 90 5");
    };
    CHECK(accepts(up(kl + 1e-6), up(tv + 1e-6), kept));
    CHECK_FALSE(accepts(down(kl - 1e-6), up(tv + 1e-6), kept));
    CHECK_FALSE(accepts(up(kl + 1e-6), down(tv - 1e-6), kept));
    CHECK_FALSE(accepts(up(kl + 1e-6), up(tv + 1e-6), kept + 1));
  }
}
