#include "assay/base/text.hpp"
#include "assay/erase/attack.hpp"

namespace assay::erase {
namespace {

constexpr double kLeft = 230, kWidth = 420, kTop = 64, kStep = 26;

std::string number(double v) {
  return fixed(v, 2);
}

double place(double auc) {
  return kLeft + kWidth * auc;
}

std::string line(double x1, double y1, double x2, double y2, const char* style) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
         "\" y2=\"" + number(y2) + "\" " + style + "/>\n";
}

std::string words(double x, double y, const char* anchor, const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    escaped += c == '<' ? "&lt;" : c == '&' ? "&amp;" : c == '>' ? "&gt;" : std::string(1, c);
  }
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" +
         escaped + "</text>\n";
}

std::string mark(const ProbeReading& r, double y, const char* colour, const char* fill) {
  const std::string stroke = std::string("stroke=\"") + colour + "\" stroke-width=\"2\"";
  return line(place(r.lo), y, place(r.hi), y, stroke.c_str()) + "<circle cx=\"" +
         number(place(r.auc)) + "\" cy=\"" + number(y) + "\" r=\"4\" fill=\"" + fill + "\" " +
         stroke + "/>\n";
}

}  // namespace

std::string attack_svg(const AttackReport& report, const std::string& title) {
  const double bottom = kTop + kStep * static_cast<double>(report.attacks.size());
  const std::string width = number(kLeft + kWidth + 40), height = number(bottom + 52);
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" +
                    height + "\" viewBox=\"0 0 " + width + " " + height +
                    "\" font-family=\"sans-serif\" font-size=\"12\">\n"
                    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  out += words(20, 22, "start", title);
  out +=
      words(20, 42, "start",
            "AUC on " + std::to_string(report.test_rows) + " rows of " +
                std::to_string(report.test_documents) +
                " documents no probe was trained on; open: before, filled: after; 95 % intervals");
  for (int tick = 0; tick <= 4; ++tick) {
    const double x = place(0.25 * tick);
    out += line(x, kTop - 8, x, bottom,
                tick == 2 ? "stroke=\"#888\" stroke-dasharray=\"4 3\"" : "stroke=\"#ddd\"");
    out += words(x, bottom + 16, "middle", number(0.25 * tick));
  }
  double y = kTop + 8;
  for (const Attack& a : report.attacks) {
    out += words(kLeft - 10, y + 4, "end", a.probe);
    out += mark(a.before, y - 4, "#888888", "white");
    out += mark(a.after, y + 4, "#b3261e", "#b3261e");
    y += kStep;
  }
  out += words(20, bottom + 40, "start",
               "OBSERVED: these probes on these rows. Another probe may read more.");
  return out + "</svg>\n";
}

}  // namespace assay::erase
