// The constants by which the weights of a channel are computed.
#ifndef OD_PATCH_CHANNEL_H_
#define OD_PATCH_CHANNEL_H_

#include "fold.h"
#include "lanes.h"
#include "patch.h"

namespace odp {

// P = B * factor + (set where the mask is 1, else clear).
struct Constants {
  float factor;
  float clear;
  float set;
};

inline float scale_of(const Fold* fold, size_t channel) {
  return fold == nullptr ? 1.0f : fold->scale[channel];
}

inline float base_scale_of(const Fold* fold, size_t channel) {
  return fold == nullptr ? 1.0f : fold->base_scale[channel];
}

inline float ratio_of(const Fold* fold, size_t channel) {
  return fold == nullptr ? 1.0f : fold->ratio[channel];
}

// Of a channel whose kernel has the edit, which is no replace; null without.
inline Constants constants_of(const Entry* edit, float scale, float ratio) {
  if (edit != nullptr && edit->kind == kAddSigned) {
    const float step = edit->single(0) * scale;
    return {ratio, step, -step};
  }
  if (edit != nullptr && edit->kind == kAffineMask) {
    const float sum = edit->single(1) + edit->single(2);
    return {edit->single(0) * ratio, edit->single(1) * scale, sum * scale};
  }
  return {ratio, 0.0f, 0.0f};
}

// P of weights side by side; `mask` is read only where there is an edit.
template <class Factor>
void fold_weights(const Entry* edit, const float* base, const uint8_t* mask,
                  Factor factor, Factor clear, Factor set, float* out,
                  size_t count) {
  if (edit == nullptr) {
    scale(base, factor, out, count);
  } else if (edit->kind == kKeepMasked) {
    scale_and_keep(base, mask, factor, out, count);
  } else {
    scale_and_add(base, mask, factor, clear, set, out, count);
  }
}

// t', which is `natural` unless that is less than what biases need, or NaN.
inline float settled_scale(float natural, float least) {
  return natural >= least ? natural : least;
}

// A step of the base under a norm whose ratio may be negative.
inline int8_t kept_step(int8_t step, bool is_negated) {
  const int turned = is_negated ? -step : step;
  return static_cast<int8_t>(turned < -127 ? -127
                             : turned > 127 ? 127
                                            : turned);
}

}  // namespace odp

#endif  // OD_PATCH_CHANNEL_H_
