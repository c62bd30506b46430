#include "assay/erase/labelled_eraser.hpp"

#include <set>

#include "assay/erase/apply.hpp"
#include "assay/erase/documents.hpp"
#include "catch.hpp"
#include "table_files.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;

namespace {

/// Classes with means and covariances of their own.
Planted classes(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  Planted out{n, 3, {}, {}};
  for (std::size_t i = 0; i < n; ++i) {
    const bool one = random.unit() < 0.3;
    const double a = gauss(random), b = gauss(random), c = gauss(random);
    out.x.insert(out.x.end(), {one ? 2 * a + 1 : a, one ? a + b : 0.5 * b - 1, c + 0.2 * b});
    out.z.push_back(one ? 1 : 0);
  }
  return out;
}

Moments moments_of_class(const Planted& rows, const std::vector<double>& y, std::int64_t label) {
  std::vector<double> x, z;
  for (std::size_t i = 0; i < rows.n; ++i) {
    if (rows.z[i] == label) {
      x.insert(x.end(), y.begin() + static_cast<std::ptrdiff_t>(i * rows.d),
               y.begin() + static_cast<std::ptrdiff_t>((i + 1) * rows.d));
      z.push_back(0.0);
    }
  }
  return {rows.d, 1, x, z};
}

std::vector<double> erased(const LabelledEraser& e, const Planted& rows) {
  std::vector<double> y(rows.x.size());
  for (std::size_t i = 0; i < rows.n; ++i) {
    const auto z = static_cast<double>(rows.z[i]);
    erase_row(e, std::span(rows.x).subspan(i * rows.d, rows.d), std::span(&z, 1),
              std::span(y).subspan(i * rows.d, rows.d));
  }
  return y;
}

}  // namespace

TEST_CASE("the oracle leaves no covariance and moves the rows less than LEACE") {
  const TableFolder folder("oracle");
  const Planted rows = classes(3000, 1);
  const auto path = folder.write("x", rows.file("ln.out"));
  const LabelledEraser e = fit_labelled(read_tables(path, {}), "oracle", "ln.out", 16);
  const std::vector<double> y = erased(e, rows);
  const std::vector<double> labels(rows.z.begin(), rows.z.end());
  const Moments left(rows.d, 1, y, labels);
  double moved = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    moved += (y[i] - rows.x[i]) * (y[i] - rows.x[i]) / static_cast<double>(rows.n);
  }
  for (std::size_t i = 0; i < rows.d; ++i) {
    REQUIRE(std::fabs(left.xz(i)) < 1e-9);
    // x - Cov(x,z) / Var(z) (z - mean): the difference of class means, by hand.
    double mean[2] = {0, 0};
    double count[2] = {0, 0};
    for (std::size_t r = 0; r < rows.n; ++r) {
      mean[rows.z[r]] += rows.x[r * rows.d + i];
      count[rows.z[r]] += 1;
    }
    REQUIRE(e.gain[i] == Approx(mean[1] / count[1] - mean[0] / count[0]).epsilon(1e-9));
  }
  const TensorFit leace = fit_tensors({{path, {}}}, {});
  REQUIRE(moved < leace.fit.mean_square_change);
}

TEST_CASE(
    "after quadratic erasure the classes share mean and covariance, and a class is moved least") {
  const TableFolder folder("quadratic");
  const Planted rows = classes(3000, 2);
  const auto path = folder.write("x", rows.file("ln.out"));
  const LabelledEraser e = fit_labelled(read_tables(path, {}), "quadratic", "ln.out", 16);
  const std::vector<double> y = erased(e, rows);
  const Moments zero = moments_of_class(rows, y, 0), one = moments_of_class(rows, y, 1);
  const Moments before = moments_of_class(rows, rows.x, 0),
                after = moments_of_class(rows, rows.x, 1);
  REQUIRE(std::fabs(before.xx(0, 0) - after.xx(0, 0)) > 1);
  for (std::size_t i = 0; i < rows.d; ++i) {
    REQUIRE(zero.mean()[i] == Approx(one.mean()[i]).margin(1e-7));
    for (std::size_t j = 0; j < rows.d; ++j) {
      REQUIRE(zero.xx(i, j) == Approx(one.xx(i, j)).margin(1e-5));
    }
  }
  // In one dimension the barycentre's deviation is the mean of the classes' deviations.
  Planted line{3000, 1, {}, rows.z};
  for (std::size_t i = 0; i < rows.n; ++i) {
    line.x.push_back(rows.x[i * rows.d]);
  }
  const LabelledEraser flat =
      fit_labelled(read_tables(folder.write("line", line.file()), {}), "quadratic", "unnamed", 16);
  const Moments a = moments_of_class(line, line.x, 0), b = moments_of_class(line, line.x, 1);
  const double p = static_cast<double>(b.n()) / 3000.0;
  const double sd = (1 - p) * std::sqrt(a.xx(0, 0)) + p * std::sqrt(b.xx(0, 0));
  REQUIRE(flat.gain[0] == Approx(sd / std::sqrt(a.xx(0, 0))).epsilon(1e-6));
  REQUIRE(flat.gain[1] == Approx(sd / std::sqrt(b.xx(0, 0))).epsilon(1e-6));
}

TEST_CASE("erasers that read labels are kept in files, and applied or refused as fitted") {
  const TableFolder folder("labelled");
  const Planted rows = classes(2000, 3);
  const Tables tables = read_tables(folder.write("x", rows.file("ln.out")), {});
  for (const std::string method : {"oracle", "quadratic"}) {
    REQUIRE(is_labelled_method(method));
    const LabelledEraser e = fit_labelled(tables, method, "ln.out", 16);
    (void)folder.write("eraser.json", labelled_json(e, {}));
    (void)folder.write("eraser.safetensors", labelled_tensors(e));
    REQUIRE(kind_of_eraser(folder / "") == method);
    const LabelledEraser back = load_labelled(folder / "");
    REQUIRE(back.gain == e.gain);
    REQUIRE(deploy_labelled(back, tables) == deploy_labelled(e, tables));
    const Tables elsewhere = read_tables(folder.write("y", rows.file("mlp.out")), {});
    REQUIRE_THROWS_AS(deploy_labelled(e, elsewhere), InputError);
  }
  REQUIRE_FALSE(is_labelled_method("leace"));
  Planted constant = rows;
  std::fill(constant.z.begin(), constant.z.end(), 1);
  const Tables all_one = read_tables(folder.write("one", constant.file()), {});
  REQUIRE_THROWS_AS(fit_labelled(all_one, "oracle", "a", 16), Refusal);
  REQUIRE_THROWS_AS(fit_labelled(all_one, "quadratic", "a", 16), Refusal);
  Planted twice = rows;
  for (std::size_t i = 0; i < rows.n; ++i) {
    twice.x[i * 3 + 2] = twice.x[i * 3];
  }
  REQUIRE_THROWS_AS(
      fit_labelled(read_tables(folder.write("twice", twice.file()), {}), "quadratic", "a", 16),
      Refusal);
}

TEST_CASE("a bottleneck leaves out coordinates that the others determine") {
  const TableFolder folder("bottleneck");
  const Planted rows = planted({1200, 5, 0.4, 1.5, 4});
  const auto path = folder.write("x", rows.file());
  const LoadedEraser e = loaded(fit_tensors({{path, {}}}, {}));
  const ActivationTable x = read_activations(path);
  const Applied whole = apply_table(e, x, folder / "whole");
  const Applied narrow = apply_table(e, x, folder / "narrow", true);
  REQUIRE(whole.dropped.empty());
  REQUIRE(narrow.dropped.size() == 1);
  const ActivationTable y = read_activations(folder / "whole"),
                        n = read_activations(folder / "narrow");
  REQUIRE(y.d == 5);
  REQUIRE(n.d == 4);
  REQUIRE(whole.digest == y.digest);
  std::vector<double> full(5), kept(4);
  const std::size_t gone = narrow.dropped[0];
  for (std::size_t i = 0; i < 200; ++i) {
    y.row(i, full);
    n.row(i, kept);
    double rest = 0.0;
    for (std::size_t j = 0, at = 0; j < 5; ++j) {
      if (j != gone) {
        REQUIRE(kept[at++] == full[j]);
        rest += e.eraser.proj_right[j] * (full[j] - e.eraser.bias[j]);
      }
    }
    REQUIRE(e.eraser.bias[gone] - rest / e.eraser.proj_right[gone] ==
            Approx(full[gone]).margin(1e-3));
  }
}

TEST_CASE("parts are of whole documents, all of them, and rows without documents are not split") {
  const TableFolder folder("split");
  const Planted rows = planted({1500, 3, 0.4, 1.0, 5});
  SafetensorsFile file = rows.file("ln.out");
  for (std::size_t i = 0; i < rows.n; ++i) {
    file.integers["document"].push_back(static_cast<std::int64_t>(i / 25) - 30);
  }
  file.integer_shapes["document"] = {rows.n};
  const auto parts = split_table(read_tables(folder.write("x", file), {}), 1, folder / "parts");
  REQUIRE(parts.size() == 3);
  std::set<std::int64_t> seen;
  std::size_t total = 0, documents = 0;
  for (const WrittenPart& part : parts) {
    const Tables t = read_tables(folder / ("parts/" + part.name + ".safetensors"), {});
    REQUIRE(t.x.hook == "ln.out");
    REQUIRE(t.x.digest == part.digest);
    const auto of = read_documents(t.x);
    REQUIRE(of.has_value());
    const std::set<std::int64_t> distinct(of->begin(), of->end());
    REQUIRE(distinct.size() == part.documents);
    documents += distinct.size();
    seen.insert(distinct.begin(), distinct.end());
    total += t.x.n;
  }
  REQUIRE(total == rows.n);
  REQUIRE(seen.size() == documents);  // no document in two parts
  REQUIRE(documents == 60);
  REQUIRE_THROWS_AS(split_table(read_tables(folder.write("y", rows.file()), {}), 1, folder / "p"),
                    InputError);
}
