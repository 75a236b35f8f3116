// Whether a patch fits a base: every check that needs no arithmetic.
#ifndef OD_PATCH_FIT_H_
#define OD_PATCH_FIT_H_

#include <vector>

#include "patch.h"
#include "sidecar.h"

namespace odp {

// A patch that fits; pointers lead into it, null where nothing is edited.
struct Fit {
  uint32_t classes = 0;
  std::vector<const Entry*> norms;
  std::vector<const Entry*> biases;
  std::vector<const Entry*> kernels;
  std::vector<Vector> vectors;  // of the result; the metadata's as in the base
  const InputSize* size = nullptr;   // of the task; null for the base's own
  const Release* release = nullptr;  // for this base file, at that size
};

// Check 2 of tflite/FORMAT.md, Applying.
void check_fingerprint(const Sidecar& sidecar, const Patch& patch);

// Checks 4 to 6.
Fit fit(const Sidecar& sidecar, const Patch& patch);

}  // namespace odp

#endif  // OD_PATCH_FIT_H_
