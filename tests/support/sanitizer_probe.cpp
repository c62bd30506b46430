// Commits one crime on request, so that a test can see whether the sanitizers notice.
#include <cstring>
#include <limits>
#include <memory>

int main(int argc, char** argv) {
  const char* crime = argc > 1 ? argv[1] : "none";
  volatile int index = 4;
  if (std::strcmp(crime, "heap") == 0) {
    const auto cells = std::make_unique<int[]>(4);
    return cells[static_cast<std::size_t>(index)] & 1;
  }
  if (std::strcmp(crime, "overflow") == 0) {
    volatile int big = std::numeric_limits<int>::max();
    return (big + index) & 1;
  }
  return 0;
}
