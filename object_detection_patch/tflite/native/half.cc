#include "half.h"

#include "half_vector.h"
#include "lanes.h"

namespace odp {
namespace {

// 2^112: lifts an exponent of 5 bits, moved into float32's place, to its
// value; a subnormal half becomes a normal float in the same step.
constexpr uint32_t kLift = 0x77800000;
// float32 bits of 2^-14, the least normal half, and of 65536 = 2^16.
constexpr uint32_t kLeastNormal = 0x38800000;
constexpr uint32_t kBeyond = 0x47800000;
// 0.5: its last bit is worth 2^-24, as a subnormal half's is.
constexpr uint32_t kSubnormalUnit = 0x3f000000;

float float_of_half(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t magnitude = half & 0x7fffu;
  const float lifted = from_bits(magnitude << 13) * from_bits(kLift);
  // Exponent 31 means NaN or infinite: all bits of float32's exponent.
  const uint32_t special = magnitude >= 0x7c00 ? 0x7f800000u : 0u;
  return from_bits(to_bits(lifted) | special | sign);
}

uint16_t half_of_float(float value) {
  const uint32_t bits = to_bits(value);
  const uint32_t sign = bits >> 16 & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  // Subnormal: adding 0.5 rounds at the bit that is worth 2^-24.
  const float moved = from_bits(magnitude) + from_bits(kSubnormalUnit);
  const uint32_t subnormal = to_bits(moved) - kSubnormalUnit;
  // Normal: 13 bits go; half of the last one kept, less one unless it is odd.
  const uint32_t odd = magnitude >> 13 & 1u;
  const uint32_t rounded = magnitude - (112u << 23) + 0xfffu + odd;
  uint32_t half = rounded >> 13;
  half = magnitude < kLeastNormal ? subnormal : half;
  half = magnitude >= kBeyond ? 0x7c00u : half;
  half = magnitude > 0x7f800000u ? 0x7e00u : half;
  return static_cast<uint16_t>(half | sign);
}

}  // namespace

void floats_of_halves_portable(const uint16_t* __restrict halves,
                               float* __restrict floats, size_t count) {
  for (size_t i = 0; i < count; ++i) floats[i] = float_of_half(halves[i]);
}

void halves_of_floats_portable(const float* __restrict floats,
                               uint16_t* __restrict halves, size_t count) {
  for (size_t i = 0; i < count; ++i) halves[i] = half_of_float(floats[i]);
}

void floats_of_halves(const uint16_t* halves, float* floats, size_t count) {
  const size_t done = floats_of_halves_vector(halves, floats, count);
  floats_of_halves_portable(halves + done, floats + done, count - done);
}

bool halves_of_floats(const float* floats, uint16_t* halves, size_t count) {
  const size_t done = halves_of_floats_vector(floats, halves, count);
  halves_of_floats_portable(floats + done, halves + done, count - done);
  uint16_t special = 0;
  for (size_t i = 0; i < count; ++i) {
    // The carry of an exponent of all ones reaches the highest bit.
    special |= static_cast<uint16_t>((halves[i] & 0x7c00u) + 0x0400u);
  }
  return (special & 0x8000u) == 0;
}

}  // namespace odp
