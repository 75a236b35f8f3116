// The four ways of weights: each file of that name has one.
#ifndef OD_PATCH_WEIGHTS_BY_FORM_H_
#define OD_PATCH_WEIGHTS_BY_FORM_H_

#include "weights.h"

namespace odp {

// Unedited or masked, a channel being a run of weights.
void write_convolution(const KernelJob& job);

// Unedited or masked, channels lying side by side.
void write_depthwise(const KernelJob& job);

// A convolution with a matrix between its channels.
void write_adapted(const KernelJob& job);

// New values, which come in Keras order.
void write_replaced(const KernelJob& job);

}  // namespace odp

#endif  // OD_PATCH_WEIGHTS_BY_FORM_H_
