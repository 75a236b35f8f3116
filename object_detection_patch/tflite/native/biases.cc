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

// Calls `use` with the offsets of some channels, their first and their number.
template <class Use>
void for_offsets(OffsetReader& offsets, size_t channels, Use use) {
  float piece[kPiece];
  for (size_t first = 0; first < channels; first += kPiece) {
    const size_t count = std::min(kPiece, channels - first);
    offsets.read(piece, count);
    use(piece, first, count);
  }
}

int32_t steps_of(float offset, float scale, std::string_view name) {
  const float steps = std::nearbyint(offset / scale);
  if (!(magnitude(steps) <= kMostSteps)) {
    fail(OD_PATCH_NUMBER, "A bias must fit in 32 bits. Received: one that "
         "does not for ", shown(name), ".");
  }
  return static_cast<int32_t>(steps);
}

}  // namespace

void raise_scales(OffsetReader& offsets, float activation, float* scales,
                  size_t channels) {
  for_offsets(offsets, channels, [&](float* piece, size_t first, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const float steps = magnitude(piece[i]) / activation;
      const float least = steps * kBiasSteps;
      float& scale = scales[first + i];
      scale = least > scale ? least : scale;
    }
  });
}

void write_float_bias(OffsetReader& offsets, uint8_t* out,
                      Precision precision, size_t channels,
                      std::string_view name) {
  for_offsets(offsets, channels, [&](float* piece, size_t first, size_t count) {
    if (precision == Precision::kFloat32) {
      std::memcpy(out + 4 * first, piece, 4 * count);
    } else {
      auto* halves = reinterpret_cast<uint16_t*>(out) + first;
      require_finite(halves_of_floats(piece, halves, count), name);
    }
  });
}

void write_quantised_bias(OffsetReader& offsets, const QuantisedBias& bias,
                          size_t channels, std::string_view name) {
  for_offsets(offsets, channels, [&](float* piece, size_t first, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const float scale = bias.activation * bias.weight_scales[first + i];
      require_finite(all_finite(&scale, 1), name);
      if (!(scale > 0)) {
        fail(OD_PATCH_NUMBER, "The scales of a bias must be above 0. "
             "Received: 0 for ", shown(name), ".");
      }
      bias.scales[first + i] = scale;
      if (bias.steps) bias.steps[first + i] = steps_of(piece[i], scale, name);
    }
  });
}

}  // namespace odp
