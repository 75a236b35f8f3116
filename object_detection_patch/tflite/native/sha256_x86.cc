// SHA-256 by the SHA extensions of x86 processors (2016 and later).
#include "sha256.h"

#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)

#include <cpuid.h>
#include <immintrin.h>

namespace odp {
namespace {

// The instructions keep the state as words a b e f and c d g h.
__attribute__((target("sha,sse4.1"))) void compress(uint32_t state[8],
                                                    const uint8_t* data,
                                                    size_t blocks) {
  const __m128i swap =
      _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  auto* words = reinterpret_cast<__m128i*>(state);
  const __m128i dcba = _mm_loadu_si128(words);
  const __m128i hgfe = _mm_loadu_si128(words + 1);
  const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
  for (; blocks > 0; --blocks, data += 64) {
    const __m128i abef_before = abef;
    const __m128i cdgh_before = cdgh;
    __m128i m[4];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      __m128i& next = m[i & 3];
      if (i < 4) {
        next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data) + i);
        next = _mm_shuffle_epi8(next, swap);
      } else {
        const __m128i last = m[(i + 3) & 3];
        const __m128i seventh = _mm_alignr_epi8(last, m[(i + 2) & 3], 4);
        next = _mm_sha256msg1_epu32(next, m[(i + 1) & 3]);
        next = _mm_sha256msg2_epu32(_mm_add_epi32(next, seventh), last);
      }
      const __m128i keys = _mm_loadu_si128(
          reinterpret_cast<const __m128i*>(kSha256Rounds) + i);
      const __m128i added = _mm_add_epi32(next, keys);
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, added);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(added, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128(words, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(words + 1, _mm_alignr_epi8(dchg, feba, 8));
}

bool is_available() {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
  const bool has_sse = (c >> 19 & 1) && (c >> 9 & 1);
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  return has_sse && (b >> 29 & 1);
}

}  // namespace

Sha256::Compress sha256_x86() { return is_available() ? compress : nullptr; }

}  // namespace odp

#else

namespace odp {

Sha256::Compress sha256_x86() { return nullptr; }

}  // namespace odp

#endif
