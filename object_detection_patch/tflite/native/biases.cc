#include "biases.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "half.h"
#include "lanes.h"

namespace odp {
namespace {

// Keeps a bias below 2^30 steps of its scale.
constexpr float kBiasSteps = 0x1p-30f;
// The greatest float32 that an int32 holds.
constexpr float kMostSteps = 2147483520.0f;

int32_t steps_of(float offset, float scale, std::string_view name) {
  const float steps = std::nearbyint(offset / scale);
  if (!(magnitude(steps) <= kMostSteps)) {
    fail(OD_PATCH_NUMBER, "A bias must fit in 32 bits. Received: one that "
         "does not for ", shown(name), ".");
  }
  return static_cast<int32_t>(steps);
}

}  // namespace

void raise_scales(const float* offsets, float activation, float* scales,
                  size_t channels) {
  for (size_t i = 0; i < channels; ++i) {
    const float steps = magnitude(offsets[i]) / activation;
    const float least = steps * kBiasSteps;
    scales[i] = least > scales[i] ? least : scales[i];
  }
}

void write_float_bias(const float* offsets, uint8_t* out, Precision precision,
                      size_t channels, std::string_view name) {
  if (precision == Precision::kFloat32) {
    std::memcpy(out, offsets, 4 * channels);
    return;
  }
  auto* halves = reinterpret_cast<uint16_t*>(out);
  require_finite(halves_of_floats(offsets, halves, channels), name);
}

void write_quantised_bias(const QuantisedBias& bias, size_t channels,
                          std::string_view name) {
  scale(bias.weight_scales, Same{bias.activation}, bias.scales, channels);
  require_finite(all_finite(bias.scales, channels), name);
  if (std::any_of(bias.scales, bias.scales + channels,
                  [](float scale) { return !(scale > 0); })) {
    fail(OD_PATCH_NUMBER, "The scales of a bias must be above 0. Received: 0 "
         "for ", shown(name), ".");
  }
  if (bias.offsets == nullptr) return;
  for (size_t i = 0; i < channels; ++i) {
    bias.steps[i] = steps_of(bias.offsets[i], bias.scales[i], name);
  }
}

}  // namespace odp
