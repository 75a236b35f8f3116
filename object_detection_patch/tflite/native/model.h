// base.tflite + sidecar + patch -> the bytes of task.tflite.
#ifndef OD_PATCH_MODEL_H_
#define OD_PATCH_MODEL_H_

#include <cstdlib>
#include <memory>

#include "fit.h"
#include "patch.h"
#include "progress.h"
#include "sidecar.h"

namespace odp {

struct Free {
  void operator()(uint8_t* data) const { std::free(data); }
};

// A model in memory that std::free releases.
struct Model {
  std::unique_ptr<uint8_t, Free> data;
  size_t size = 0;
};

// `base` must be as long as the sidecar says and aligned to 16 bytes;
// `progress` may be null. An Error of status NUMBER if a number of the result
// is not finite.
Model patched_model(const Sidecar& sidecar, const Patch& patch,
                    const Fit& fit, Span base, Progress* progress);

}  // namespace odp

#endif  // OD_PATCH_MODEL_H_
