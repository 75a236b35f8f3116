// One channel of a convolution in an int8 model, unedited or masked.
#ifndef OD_PATCH_CONVOLUTION_STEPS_H_
#define OD_PATCH_CONVOLUTION_STEPS_H_

#include "weights.h"

namespace odp {

// `bits`: the channel's mask; unused without an edit.
void write_channel_steps(const KernelJob& job, const CopyJob& copy,
                         size_t channel, const uint8_t* bits);

}  // namespace odp

#endif  // OD_PATCH_CONVOLUTION_STEPS_H_
