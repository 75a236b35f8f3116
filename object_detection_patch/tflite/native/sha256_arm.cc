// SHA-256 by the cryptographic extension of 64-bit ARM processors.
#include "sha256.h"

// GCC and newer clang compile the instructions for one function; older clang
// only where the whole build may use them, as builds for Apple do.
#if defined(__aarch64__) &&                                   \
    (defined(__ARM_FEATURE_SHA2) ||                           \
     (defined(__GNUC__) && !defined(__clang__)) ||            \
     (defined(__clang_major__) && __clang_major__ >= 17))
#define OD_PATCH_HAS_ARM_SHA2 1
#endif

#if defined(OD_PATCH_HAS_ARM_SHA2)

#include <arm_neon.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif

namespace odp {
namespace {

#if !defined(__clang__)
#define OD_PATCH_TARGET __attribute__((target("+crypto")))
#elif defined(__ARM_FEATURE_SHA2)
#define OD_PATCH_TARGET
#else
#define OD_PATCH_TARGET __attribute__((target("sha2")))
#endif

OD_PATCH_TARGET void compress(uint32_t state[8], const uint8_t* data,
                              size_t blocks) {
  uint32x4_t abcd = vld1q_u32(state);
  uint32x4_t efgh = vld1q_u32(state + 4);
  for (; blocks > 0; --blocks, data += 64) {
    const uint32x4_t abcd_before = abcd;
    const uint32x4_t efgh_before = efgh;
    uint32x4_t m[4];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      uint32x4_t& next = m[i & 3];
      if (i < 4) {
        const uint8x16_t bytes = vrev32q_u8(vld1q_u8(data + 16 * i));
        next = vreinterpretq_u32_u8(bytes);
      } else {
        next = vsha256su0q_u32(next, m[(i + 1) & 3]);
        next = vsha256su1q_u32(next, m[(i + 2) & 3], m[(i + 3) & 3]);
      }
      const uint32x4_t keys = vld1q_u32(kSha256Rounds + 4 * i);
      const uint32x4_t added = vaddq_u32(next, keys);
      const uint32x4_t abcd_here = abcd;
      abcd = vsha256hq_u32(abcd, efgh, added);
      efgh = vsha256h2q_u32(efgh, abcd_here, added);
    }
    abcd = vaddq_u32(abcd, abcd_before);
    efgh = vaddq_u32(efgh, efgh_before);
  }
  vst1q_u32(state, abcd);
  vst1q_u32(state + 4, efgh);
}

bool is_available() {
#if defined(__linux__)
  constexpr unsigned long kHasSha2 = 1ul << 6;  // HWCAP_SHA2
  return (getauxval(AT_HWCAP) & kHasSha2) != 0;
#else
  return true;  // every 64-bit processor of Apple
#endif
}

}  // namespace

Sha256::Compress sha256_arm() { return is_available() ? compress : nullptr; }

}  // namespace odp

#else

namespace odp {

Sha256::Compress sha256_arm() { return nullptr; }

}  // namespace odp

#endif
