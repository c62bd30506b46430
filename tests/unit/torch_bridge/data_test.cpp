#include "assay/torch_bridge/data.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/model/safetensors.hpp"
#include "assay/torch_bridge/checkpoint.hpp"
#include "assay/torch_bridge/run_log.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::torch_bridge;
namespace fs = std::filesystem;

namespace {

TokenText three_documents() {
  TokenText text;
  for (std::int64_t i = 0; i < 12; ++i) {
    text.tokens.push_back(i);
  }
  text.starts = {0, 5, 7, 12};  // lengths 5, 2, 5
  return text;
}

}  // namespace

TEST_CASE("windows lie inside one document and are all reached") {
  const TokenText text = three_documents();
  const Windows windows(text, 3, "text");
  REQUIRE(windows.count() == 6);
  std::set<std::size_t> starts;
  for (std::size_t i = 0; i < windows.count(); ++i) {
    starts.insert(windows.start(i));
  }
  REQUIRE(starts == std::set<std::size_t>{0, 1, 2, 7, 8, 9});
  const auto rows = windows.draw(100, 1, 0);
  REQUIRE(rows.size() == 300);
  for (std::size_t r = 0; r < rows.size(); r += 3) {
    REQUIRE(rows[r + 1] == rows[r] + 1);
    REQUIRE(rows[r + 2] == rows[r] + 2);
    REQUIRE(starts.contains(static_cast<std::size_t>(rows[r])));
  }
}

TEST_CASE("a draw is a function of seed and index alone") {
  const TokenText text = three_documents();
  const Windows windows(text, 2, "text");
  REQUIRE(windows.draw(20, 3, 7) == windows.draw(20, 3, 7));
  REQUIRE(windows.draw(20, 3, 7) != windows.draw(20, 3, 8));
  REQUIRE(windows.draw(20, 3, 7) != windows.draw(20, 4, 7));
  REQUIRE(windows.spread(1000).size() == 2 * windows.count());
}

TEST_CASE("a text too small for the window is refused") {
  const TokenText text = three_documents();
  REQUIRE_THROWS_AS(Windows(text, 6, "text"), InputError);
  TokenText none;
  none.starts = {0};
  REQUIRE_THROWS_AS(Windows(none, 1, "text"), InputError);
}

TEST_CASE("a permutation holds every number once") {
  auto order = permutation(1000, 5);
  REQUIRE(order != permutation(1000, 6));
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < order.size(); ++i) {
    REQUIRE(order[i] == static_cast<std::int64_t>(i));
  }
}

TEST_CASE("a checkpoint comes back as it was, and only for the same run") {
  const fs::path path = fs::temp_directory_path() / "assay_checkpoint_test.safetensors";
  Checkpoint c;
  c.floats["parameter/a"] = {{2}, {1.5F, -2.25F}};
  c.integers["step"] = {7};
  c.integers["silent"] = {-1, 4};
  c.options = "{\"seed\":1}";
  c.corpus_digest = "d";
  save_checkpoint(path, c);
  const Checkpoint back = load_checkpoint(path, c.options, c.corpus_digest);
  REQUIRE(back.step() == 7);
  REQUIRE(back.floats.at("parameter/a").data == c.floats.at("parameter/a").data);
  REQUIRE(back.integers == c.integers);
  REQUIRE_THROWS_AS(load_checkpoint(path, "{\"seed\":2}", "d"), UsageError);
  REQUIRE_THROWS_AS(load_checkpoint(path, c.options, "e"), UsageError);
  SafetensorsFile other;
  other.floats["x"] = {{1}, {0.0F}};
  write_safetensors(path, other);
  REQUIRE_THROWS_AS(load_checkpoint(path, c.options, "d"), InputError);
  fs::remove(path);
}

TEST_CASE("a resumed log keeps the lines up to its step") {
  const fs::path directory = fs::temp_directory_path() / "assay_run_log_test";
  fs::remove_all(directory);
  make_directory(directory);
  {
    MetricsLog log(directory, 0);
    log.write(10, {{"loss", 2.5}});
    log.write(20, {{"loss", 2.0}});
  }
  {
    MetricsLog log(directory, 10);
    log.write(15, {{"loss", 2.25}});
  }
  REQUIRE(read_file(directory / "metrics.jsonl") ==
          "{\"step\":10,\"loss\":2.5}\n{\"step\":15,\"loss\":2.25}\n");
  fs::remove_all(directory);
}

TEST_CASE("a run stops at its steps, or pauses where it was told to") {
  RunOptions o;
  o.steps = 5;
  StopRule plain(o);
  REQUIRE_FALSE(plain.leave(0));
  REQUIRE_FALSE(plain.leave(4));
  REQUIRE(plain.leave(5));
  REQUIRE(plain.ending() == Ending::finished);
  o.pause_at = 3;
  StopRule paused(o);
  REQUIRE_FALSE(paused.leave(2));
  REQUIRE(paused.leave(3));
  REQUIRE(paused.ending() == Ending::paused);
}
