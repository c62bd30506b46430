#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <utility>

namespace assay_check {

/// The one way to say no: thrown wherever something cannot be read, decided or shown.
/// `file` and `line` are empty when the certificate's current line is meant.
class Reject : public std::exception {
 public:
  Reject(std::string rule, std::string reason, std::string file = {}, std::size_t line = 0)
      : rule_(std::move(rule)), reason_(std::move(reason)), file_(std::move(file)), line_(line) {}
  [[nodiscard]] const char* what() const noexcept override { return reason_.c_str(); }
  [[nodiscard]] const std::string& rule() const { return rule_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  std::string rule_, reason_, file_;
  std::size_t line_;
};

}  // namespace assay_check
