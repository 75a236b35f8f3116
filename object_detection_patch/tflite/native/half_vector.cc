#include "half_vector.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <cpuid.h>
#include <immintrin.h>

namespace odp {
namespace {

constexpr size_t kWidth = 8;

__attribute__((target("f16c"))) size_t widen(const uint16_t* halves,
                                             float* floats, size_t count) {
  size_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    const auto* from = reinterpret_cast<const __m128i*>(halves + i);
    _mm256_storeu_ps(floats + i, _mm256_cvtph_ps(_mm_loadu_si128(from)));
  }
  return i;
}

__attribute__((target("f16c"))) size_t narrow(const float* floats,
                                              uint16_t* halves,
                                              size_t count) {
  constexpr int kNearestEven = 0;
  size_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    const __m256 from = _mm256_loadu_ps(floats + i);
    auto* to = reinterpret_cast<__m128i*>(halves + i);
    _mm_storeu_si128(to, _mm256_cvtps_ph(from, kNearestEven));
  }
  return i;
}

// The processor has the instructions, and the system saves their registers.
bool is_available() {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
  if (!((c >> 27 & 1) && (c >> 28 & 1) && (c >> 29 & 1))) return false;
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & 6) == 6;
}

const bool kIsAvailable = is_available();

}  // namespace

size_t floats_of_halves_vector(const uint16_t* halves, float* floats,
                               size_t count) {
  return kIsAvailable ? widen(halves, floats, count) : 0;
}

size_t halves_of_floats_vector(const float* floats, uint16_t* halves,
                               size_t count) {
  return kIsAvailable ? narrow(floats, halves, count) : 0;
}

}  // namespace odp

#elif defined(__aarch64__)

#include <arm_neon.h>

namespace odp {
namespace {

constexpr size_t kWidth = 4;

}  // namespace

size_t floats_of_halves_vector(const uint16_t* halves, float* floats,
                               size_t count) {
  size_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    const float16x4_t from = vreinterpret_f16_u16(vld1_u16(halves + i));
    vst1q_f32(floats + i, vcvt_f32_f16(from));
  }
  return i;
}

size_t halves_of_floats_vector(const float* floats, uint16_t* halves,
                               size_t count) {
  size_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    const float16x4_t from = vcvt_f16_f32(vld1q_f32(floats + i));
    vst1_u16(halves + i, vreinterpret_u16_f16(from));
  }
  return i;
}

}  // namespace odp

#else

namespace odp {

size_t floats_of_halves_vector(const uint16_t*, float*, size_t) { return 0; }

size_t halves_of_floats_vector(const float*, uint16_t*, size_t) { return 0; }

}  // namespace odp

#endif
