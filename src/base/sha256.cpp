#include <sodium.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "assay/base/sha256.hpp"
#include "sha256_blocks.hpp"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace assay {

#if defined(__x86_64__)
namespace {

alignas(16) constexpr std::uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

}  // namespace

bool has_sha_instructions() {
  unsigned a = 7, b = 0, c = 0, d = 0;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return (b >> 29U & 1U) != 0 && __builtin_cpu_supports("sse4.1") != 0;
}

/// The compression function of FIPS 180-4, four rounds a step: state is (a,b,e,f) and (c,d,g,h).
__attribute__((target("sha,sse4.1"))) void sha256_blocks(std::uint32_t* state, const char* data,
                                                         std::size_t blocks) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  const auto* words = reinterpret_cast<const __m128i*>(state);
  const __m128i dcba = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1B);
  __m128i abef = _mm_alignr_epi8(dcba, hgfe, 8);
  __m128i cdgh = _mm_blend_epi16(hgfe, dcba, 0xF0);
  for (; blocks > 0; --blocks, data += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[4];
    for (int i = 0; i < 4; ++i) {
      w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(data) + i), swap);
    }
#pragma GCC unroll 16
    for (int step = 0; step < 16; ++step) {
      __m128i& now = w[step % 4];
      if (step >= 4) {  // 16 words of the schedule are kept
        const __m128i& last = w[(step + 3) % 4];
        const __m128i seventh = _mm_alignr_epi8(last, w[(step + 2) % 4], 4);
        now = _mm_sha256msg2_epu32(
            _mm_add_epi32(_mm_sha256msg1_epu32(now, w[(step + 1) % 4]), seventh), last);
      }
      const __m128i sum =
          _mm_add_epi32(now, _mm_load_si128(reinterpret_cast<const __m128i*>(kRound) + step));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  auto* out = reinterpret_cast<__m128i*>(state);
  _mm_storeu_si128(out, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(out + 1, _mm_alignr_epi8(dchg, feba, 8));
}
#else
bool has_sha_instructions() {
  return false;
}
void sha256_blocks(std::uint32_t*, const char*, std::size_t) {}
#endif

struct Sha256::State {
  inline static const bool native =
      has_sha_instructions();  // asked once: a virtual machine traps cpuid
  crypto_hash_sha256_state sodium{};
  std::uint32_t words[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  char pending[64] = {};
  std::size_t held = 0;      ///< bytes in `pending`
  std::uint64_t length = 0;  ///< bytes in all
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  crypto_hash_sha256_init(&state_->sodium);
}

Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  State& s = *state_;
  if (!s.native) {
    crypto_hash_sha256_update(&s.sodium, reinterpret_cast<const unsigned char*>(bytes.data()),
                              bytes.size());
    return;
  }
  s.length += bytes.size();
  if (s.held > 0) {
    const std::size_t take = std::min(sizeof s.pending - s.held, bytes.size());
    std::copy_n(bytes.data(), take, s.pending + s.held);
    s.held += take;
    bytes.remove_prefix(take);
    if (s.held < sizeof s.pending) {
      return;
    }
    sha256_blocks(s.words, s.pending, 1);
    s.held = 0;
  }
  sha256_blocks(s.words, bytes.data(), bytes.size() / 64);
  bytes.remove_prefix(bytes.size() / 64 * 64);
  std::copy_n(bytes.data(), bytes.size(), s.pending);
  s.held = bytes.size();
}

Digest Sha256::finish() {
  State& s = *state_;
  Digest digest;
  if (!s.native) {
    crypto_hash_sha256_final(&s.sodium, digest.bytes.data());
    return digest;
  }
  const std::uint64_t bits = 8 * s.length;
  const std::size_t zeros = (s.held < 56 ? 55 : 119) - s.held;
  std::string padding(1, '\x80');
  padding.append(zeros, '\0');
  for (int shift = 56; shift >= 0; shift -= 8) {
    padding.push_back(static_cast<char>(bits >> static_cast<unsigned>(shift)));
  }
  update(padding);
  for (std::size_t i = 0; i < 32; ++i) {
    digest.bytes[i] = static_cast<std::uint8_t>(s.words[i / 4] >> (24U - 8U * (i % 4)));
  }
  return digest;
}

}  // namespace assay
