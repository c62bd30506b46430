#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/statement.hpp"

namespace assay::certify {
namespace {

namespace chrono = std::chrono;

constexpr std::uint64_t kLatest = 253402300799;  // 9999-12-31T23:59:59Z

}  // namespace

std::string utc_time(std::int64_t seconds) {
  if (seconds < 0 || static_cast<std::uint64_t>(seconds) > kLatest) {
    throw InputError("time", "seconds", "years 1970 to 9999", std::to_string(seconds));
  }
  const chrono::sys_seconds moment{chrono::seconds(seconds)};
  const auto day = chrono::floor<chrono::days>(moment);
  const chrono::year_month_day date(day);
  const auto rest = static_cast<int>((moment - day).count());
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), rest / 3600, rest / 60 % 60, rest % 60);
  return buffer;
}

std::int64_t parse_utc_time(const std::string& text) {
  const auto bad = [&]() -> InputError {
    return {"time", visible(text), "YYYY-MM-DDThh:mm:ssZ", "another form"};
  };
  const std::string form = "dddd-dd-ddTdd:dd:ddZ";
  if (text.size() != form.size()) {
    throw bad();
  }
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == 'd' ? !digit : text[i] != form[i]) {
      throw bad();
    }
  }
  const auto part = [&](std::size_t at, std::size_t n) {
    return static_cast<int>(parse_unsigned(text.substr(at, n), "time"));
  };
  const chrono::year_month_day date{chrono::year(part(0, 4)),
                                    chrono::month(static_cast<unsigned>(part(5, 2))),
                                    chrono::day(static_cast<unsigned>(part(8, 2)))};
  if (!date.ok() || part(0, 4) < 1970 || part(11, 2) > 23 || part(14, 2) > 59 || part(17, 2) > 59) {
    throw bad();
  }
  const std::int64_t days = chrono::sys_days(date).time_since_epoch().count();
  return days * 86400 + std::int64_t{part(11, 2)} * 3600 + std::int64_t{part(14, 2)} * 60 +
         part(17, 2);
}

std::optional<std::string> issue_time(const std::string& flag) {
  if (!flag.empty()) {
    (void)parse_utc_time(flag);
    return flag;
  }
  if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH"); epoch != nullptr && *epoch != '\0') {
    return utc_time(static_cast<std::int64_t>(parse_unsigned(epoch, "SOURCE_DATE_EPOCH")));
  }
  return std::nullopt;
}

}  // namespace assay::certify
