// The weights of a kernel in all its copies (tflite/FORMAT.md, Arithmetic).
#ifndef OD_PATCH_WEIGHTS_H_
#define OD_PATCH_WEIGHTS_H_

#include <vector>

#include "fold.h"
#include "patch.h"
#include "sidecar.h"

namespace odp {

// One copy that is computed. Pointers are aligned to 16 bytes.
struct CopyJob {
  const Fold* fold;          // null without a norm
  const uint8_t* base;       // weights in base.tflite; unused by a replace
  const float* base_scales;  // int8: t
  uint8_t* out;              // weights in the result
  float* scales;             // int8: the least allowed, then t'
};

struct KernelJob {
  std::string_view name;
  Precision precision;
  Form form;
  size_t rows;      // weights of a channel
  size_t channels;
  const Entry* edit;  // null without one
  std::vector<CopyJob> copies;
};

// An Error of status NUMBER if a number is not finite.
void write_weights(const KernelJob& job);

}  // namespace odp

#endif  // OD_PATCH_WEIGHTS_H_
