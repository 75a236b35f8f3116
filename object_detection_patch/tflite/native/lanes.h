// The arithmetic of FORMAT.md over contiguous floats.
//
// Each loop is a few operations without a branch, which compilers turn into
// vector instructions; none may fuse a multiplication with an addition
// (-ffp-contract=off). A factor is a number for all (Same) or one for each
// (Each), so that convolutions (a channel is a run) and depthwise kernels
// (channels lie side by side) share the formulas.
#ifndef OD_PATCH_LANES_H_
#define OD_PATCH_LANES_H_

#include <cfloat>
#include <cstddef>
#include <cstdint>
#include <cstring>

static_assert(FLT_EVAL_METHOD == 0, "Each operation is rounded to float32.");
static_assert(sizeof(float) == 4, "float is IEEE 754 binary32.");

namespace odp {

inline uint32_t to_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float from_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline float magnitude(float value) {
  return from_bits(to_bits(value) & 0x7fffffffu);
}

struct Same {
  float value;
  float operator[](size_t) const { return value; }
};

struct Each {
  const float* values;
  float operator[](size_t i) const { return values[i]; }
};

inline bool all_finite(const float* values, size_t count) {
  uint32_t special = 0;
  for (size_t i = 0; i < count; ++i) {
    // The carry of an exponent of all ones reaches the highest bit.
    special |= (to_bits(values[i]) & 0x7f800000u) + 0x00800000u;
  }
  return (special & 0x80000000u) == 0;
}

// out = in * factor
template <class Factor>
void scale(const float* __restrict in, Factor factor, float* __restrict out,
           size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = in[i] * factor[i];
}

// total = total + in * factor
inline void add_scaled(const float* __restrict in, float factor,
                       float* __restrict total, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float term = in[i] * factor;
    total[i] = total[i] + term;
  }
}

// sum = sum + added
inline void add(const float* __restrict added, float* __restrict sum,
                size_t count) {
  for (size_t i = 0; i < count; ++i) sum[i] = sum[i] + added[i];
}

// codes = lo + step * codes
template <class Group>
void put_on_grid(Group lo, Group step, float* __restrict codes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float above = step[i] * codes[i];
    codes[i] = lo[i] + above;
  }
}

// out = in * factor + (set if the mask is all ones, else clear)
template <class Factor>
void scale_and_add(const float* __restrict in,
                   const uint8_t* __restrict mask, Factor factor,
                   Factor clear, Factor set, float* __restrict out,
                   size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const uint32_t chosen = 0u - (mask[i] & 1u);
    const uint32_t low = to_bits(clear[i]);
    const uint32_t change = low ^ to_bits(set[i]);
    out[i] = in[i] * factor[i] + from_bits(low ^ (change & chosen));
  }
}

// out = in * factor + 0 if the mask is all ones, else +0
template <class Factor>
void scale_and_keep(const float* __restrict in,
                    const uint8_t* __restrict mask, Factor factor,
                    float* __restrict out, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const uint32_t chosen = 0u - (mask[i] & 1u);
    const float kept = in[i] * factor[i] + 0.0f;
    out[i] = from_bits(to_bits(kept) & chosen);
  }
}

// out = q * factor
template <class Factor>
void dequantise(const int8_t* __restrict steps, Factor factor,
                float* __restrict out, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(steps[i]) * factor[i];
  }
}

// The bits of a magnitude, which are ordered as magnitudes are: below those of
// infinity for all that is finite, and above for NaN.
constexpr int32_t kInfinityBits = 0x7f800000;

inline int32_t magnitude_bits(float value) {
  return static_cast<int32_t>(to_bits(value) & 0x7fffffffu);
}

// out = q * scale * factor; returns the greatest bits of magnitude. This and
// the next two are one pass where floats have four: what int8 models wait for.
inline int32_t scale_steps(const int8_t* __restrict steps, float scale,
                           float factor, float* __restrict out,
                           size_t count) {
  int32_t most = 0;
  for (size_t i = 0; i < count; ++i) {
    const float weight = static_cast<float>(steps[i]) * scale;
    out[i] = weight * factor;
    const int32_t bits = magnitude_bits(out[i]);
    most = bits > most ? bits : most;
  }
  return most;
}

// out = q * scale * factor + (set if the mask is 1, else clear)
inline int32_t add_to_steps(const int8_t* __restrict steps, float scale,
                            const uint8_t* __restrict mask, float factor,
                            float clear, float set, float* __restrict out,
                            size_t count) {
  const uint32_t low = to_bits(clear);
  const uint32_t change = low ^ to_bits(set);
  int32_t most = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t chosen = 0u - (mask[i] & 1u);
    const float weight = static_cast<float>(steps[i]) * scale;
    out[i] = weight * factor + from_bits(low ^ (change & chosen));
    const int32_t bits = magnitude_bits(out[i]);
    most = bits > most ? bits : most;
  }
  return most;
}

// out = q * scale * factor + 0 if the mask is 1, else +0
inline int32_t keep_of_steps(const int8_t* __restrict steps, float scale,
                             const uint8_t* __restrict mask, float factor,
                             float* __restrict out, size_t count) {
  int32_t most = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t chosen = 0u - (mask[i] & 1u);
    const float weight = static_cast<float>(steps[i]) * scale;
    const float kept = weight * factor + 0.0f;
    out[i] = from_bits(to_bits(kept) & chosen);
    const int32_t bits = magnitude_bits(out[i]);
    most = bits > most ? bits : most;
  }
  return most;
}

// most[i] = the greater of most[i] and the magnitude of values[i]
inline void raise_greatest(const float* __restrict values,
                           float* __restrict most, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float found = magnitude(values[i]);
    most[i] = found > most[i] ? found : most[i];
  }
}

// Next to 1.5 * 2^23 floats are integers, the last byte being the number's
// own, and adding rounds halves to even.
constexpr float kIntegers = 12582912.0f;

inline int8_t rounded(float step) {
  return static_cast<int8_t>(to_bits(step + kIntegers) & 0xffu);
}

// q = rint(value / factor) where no magnitude is above 127 times its factor,
// but for rounding: so |q| is not above 127 either.
template <class Factor>
void quantise(const float* __restrict values, Factor factor,
              int8_t* __restrict steps, size_t count) {
  for (size_t i = 0; i < count; ++i) steps[i] = rounded(values[i] / factor[i]);
}

// The same for any values: q is kept within -127 to 127.
inline void quantise_within(const float* __restrict values, float factor,
                            int8_t* __restrict steps, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    float step = values[i] / factor;
    step = step > -127.0f ? step : -127.0f;
    step = step < 127.0f ? step : 127.0f;
    steps[i] = rounded(step);
  }
}

}  // namespace odp

#endif  // OD_PATCH_LANES_H_
