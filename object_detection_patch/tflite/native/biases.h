// The biases of operations (tflite/FORMAT.md, Arithmetic).
#ifndef OD_PATCH_BIASES_H_
#define OD_PATCH_BIASES_H_

#include "fold.h"
#include "sidecar.h"

namespace odp {

// `offsets` are b' by channel.

// scale = the greater of scale and (|b'| / activation) * 2^-30, by channel.
void raise_scales(const float* offsets, float activation, float* scales,
                  size_t channels);

// b' in the precision of a float model.
void write_float_bias(const float* offsets, uint8_t* out, Precision precision,
                      size_t channels, std::string_view name);

struct QuantisedBias {
  const float* offsets;        // null where the bias is zeros, as are steps
  const float* weight_scales;  // t'
  float activation;            // scale of the operation's input
  int32_t* steps;
  float* scales;
};

// The bias of an int8 model, and its scales.
void write_quantised_bias(const QuantisedBias& bias, size_t channels,
                          std::string_view name);

}  // namespace odp

#endif  // OD_PATCH_BIASES_H_
