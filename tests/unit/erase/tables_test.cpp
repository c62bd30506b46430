#include "assay/erase/tables.hpp"

#include <functional>
#include <limits>

#include "catch.hpp"
#include "table_files.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;

namespace {

SafetensorsFile only_z(const std::vector<std::int64_t>& z, const std::vector<std::size_t>& shape) {
  SafetensorsFile file;
  file.integers["z"] = z;
  file.integer_shapes["z"] = shape;
  return file;
}

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("activations in float or double, labels beside them or apart") {
  const TableFolder folder("tables");
  const Planted rows = planted({60, 3, 0.5, 1.0, 1});
  const Tables both = read_tables(folder.write("both", rows.file("blocks.2.hook_resid_post")), {});
  REQUIRE(both.x.n == 60);
  REQUIRE(both.x.d == 3);
  REQUIRE(both.x.hook == "blocks.2.hook_resid_post");
  REQUIRE(both.x.wide == rows.x);
  REQUIRE(both.z.k == 1);
  REQUIRE(both.z.zero_one);
  REQUIRE_FALSE(both.apart);
  SafetensorsFile narrow;
  narrow.floats["x"] = {{60, 3}, {rows.x.begin(), rows.x.end()}};
  const Tables apart =
      read_tables(folder.write("x", narrow), folder.write("z", only_z(rows.z, {60, 1})));
  REQUIRE(apart.apart);
  REQUIRE_FALSE(apart.x.hook);
  std::vector<double> a(3), b(3);
  for (std::size_t i = 0; i < 60; ++i) {
    both.x.row(i, a);
    apart.x.row(i, b);
    REQUIRE(a == b);  // the planted rows are float32
  }
  REQUIRE(apart.x.digest == sha256(to_safetensors(narrow)));
}

TEST_CASE("class numbers are refused unless they are said to be quantities") {
  const TableFolder folder("classes");
  const auto path = folder.write("z", only_z({0, 1, 2, 1}, {4}));
  REQUIRE(message_of([&] { (void)read_labels(path); }).find("one-hot") != std::string::npos);
  const LabelTable quantities = read_labels(path, true);
  REQUIRE_FALSE(quantities.zero_one);
  REQUIRE(quantities.z == std::vector<double>{0, 1, 2, 1});
  SafetensorsFile real;
  real.doubles["z"] = {0.25, 1.5, 0.0, 1.0};
  real.double_shapes["z"] = {4};
  REQUIRE_FALSE(read_labels(folder.write("r", real)).zero_one);  // no class numbers
  real.doubles["z"] = {0.0, 1.0, 2.0, 1.0};
  REQUIRE_THROWS_AS(read_labels(folder.write("r", real)), InputError);
  REQUIRE(read_labels(folder.write("hot", only_z({1, 0, 0, 1, 0, 1}, {3, 2}))).k == 2);
}

TEST_CASE("files that are not a table are refused by file and tensor") {
  const TableFolder folder("hostile");
  const Planted rows = planted({40, 3, 0.5, 1.0, 2});
  REQUIRE_NOTHROW(read_tables(folder.write("good", rows.file()), {}));
  const auto refused = [&](const SafetensorsFile& file) {
    const auto path = folder.write("bad", file);
    return message_of([&] { (void)read_tables(path, {}); }).find("bad") != std::string::npos;
  };
  SafetensorsFile file = rows.file();
  file.integers["z"].pop_back();
  file.integer_shapes["z"] = {39};
  REQUIRE(refused(file));  // rows differ
  file = rows.file();
  file.double_shapes["x"] = {120};
  REQUIRE(refused(file));  // one axis
  file.double_shapes["x"] = {2, 20, 3};
  REQUIRE(refused(file));
  file = rows.file();
  file.doubles["x"] = std::vector<double>(2 * 4097);
  file.double_shapes["x"] = {2, 4097};
  REQUIRE(refused(file));  // too wide
  file = rows.file();
  file.doubles["y"] = {1};
  file.double_shapes["y"] = {1};
  REQUIRE(refused(file));  // a tensor that nothing reads
  file = rows.file("a hook; rm");
  REQUIRE(refused(file));
  file = rows.file();
  file.doubles.clear();
  file.double_shapes.clear();
  REQUIRE(refused(file));  // no x
  file = rows.file();
  file.integers.clear();
  file.integer_shapes.clear();
  REQUIRE(refused(file));  // no z
  std::vector<std::int64_t> many(40 * 65, 0);
  REQUIRE_THROWS_AS(read_labels(folder.write("many", only_z(many, {40, 65}))), InputError);
}

TEST_CASE("numbers that are not finite, cut and altered files are refused") {
  const TableFolder folder("bytes");
  for (const double odd :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    Planted rows = planted({40, 3, 0.5, 1.0, 3});
    rows.x[17] = odd;
    REQUIRE_THROWS_AS(read_tables(folder.write("odd", rows.file()), {}), InputError);
  }
  const std::string good = to_safetensors(planted({40, 3, 0.5, 1.0, 3}).file());
  for (std::size_t size = 0; size < good.size(); size += 37) {
    REQUIRE_THROWS_AS(read_tables(folder.write("cut", good.substr(0, size)), {}), InputError);
  }
  std::string longer = good + "x";
  REQUIRE_THROWS_AS(read_tables(folder.write("longer", longer), {}), InputError);
  std::string size = good;
  size[6] = '\x7f';  // a header of 2^54 bytes
  REQUIRE_THROWS_AS(read_tables(folder.write("size", size), {}), InputError);
  REQUIRE_THROWS_AS(read_tables(folder / "missing", {}), Error);
}

TEST_CASE("rows of another hook or width are not deployed") {
  const TableFolder folder("hooks");
  const Planted rows = planted({400, 4, 0.5, 1.5, 4});
  const auto fit = [&](const std::string& named, const std::string& wanted) {
    TensorFitOptions options;
    options.hook = wanted;
    return fit_tensors({{folder.write("fit", rows.file(named)), {}}}, options);
  };
  REQUIRE(fit("", "").fit.eraser.hook == kUnnamedHook);
  REQUIRE(fit("", "a.b").fit.eraser.hook == "a.b");
  const Eraser eraser = fit("ln1.out", "").fit.eraser;
  REQUIRE(eraser.hook == "ln1.out");
  REQUIRE(fit("ln1.out", "ln1.out").fit.eraser.hook == "ln1.out");
  REQUIRE_THROWS_AS(fit("ln1.out", "ln2.out"), InputError);
  REQUIRE_THROWS_AS(check_hook_word("a b"), UsageError);
  const auto deployed = [&](const std::string& named) {
    return deploy_table(eraser, read_activations(folder.write("rows", rows.file(named))));
  };
  REQUIRE(deployed("ln1.out").size() == 1600);
  REQUIRE(deployed("") == deployed("ln1.out"));  // a file that names none
  REQUIRE_THROWS_AS(deployed("ln2.out"), InputError);
  const Planted wider = planted({40, 5, 0.5, 1.5, 4});
  REQUIRE_THROWS_AS(deploy_table(eraser, read_activations(folder.write("wider", wider.file()))),
                    InputError);
  const auto other = folder.write("other", rows.file("ln2.out"));
  REQUIRE_THROWS_AS(fit_tensors({{folder / "fit", {}}, {other, {}}}, {}), InputError);
}

TEST_CASE("certifying marks the rows of the fit and refuses what it cannot show") {
  const TableFolder folder("certify");
  const Planted rows = planted({400, 4, 0.5, 1.5, 5}), others = planted({400, 4, 0.5, 1.5, 6});
  const LoadedEraser eraser = loaded(fit_tensors({{folder.write("fit", rows.file()), {}}}, {}));
  const TensorCertificate own = certify_tensors(eraser, read_tables(folder / "fit", {}));
  REQUIRE(own.fit_rows);
  REQUIRE(own.claim.id == "fit-rows");
  const auto path = folder.write("others", others.file());
  const TensorCertificate other = certify_tensors(eraser, read_tables(path, {}));
  REQUIRE_FALSE(other.fit_rows);
  REQUIRE(other.claim.id == "other-rows");
  REQUIRE(other.json.find("\"rowsOfTheFit\": false") != std::string::npos);
  REQUIRE(other.json.find("notClaimed") != std::string::npos);
  REQUIRE(certify_tensors(eraser, read_tables(path, {})).files == other.files);
  Planted constant = others;
  constant.z.assign(constant.n, 1);
  REQUIRE_THROWS_AS(certify_tensors(eraser, read_tables(folder.write("c", constant.file()), {})),
                    Refusal);
  Planted few = planted({4, 4, 0.5, 1.5, 6});
  few.z = {0, 1, 0, 1};
  REQUIRE_THROWS_AS(certify_tensors(eraser, read_tables(folder.write("f", few.file()), {})),
                    Refusal);
  SafetensorsFile bare = others.file();
  bare.integers.clear();
  bare.integer_shapes.clear();
  std::vector<std::int64_t> numbers(others.z.begin(), others.z.end());
  const auto x = folder.write("x", bare);
  REQUIRE(certify_tensors(eraser, read_tables(x, folder.write("z", only_z(numbers, {400}))))
              .claim.labels_digest.has_value());
  numbers[0] = 3;
  const auto z = folder.write("z", only_z(numbers, {400}));
  REQUIRE_THROWS_AS(read_tables(x, z), InputError);
  REQUIRE_THROWS_AS(certify_tensors(eraser, read_tables(x, z, true)), Refusal);
}
