// What a norm or a bias does to each channel (tflite/FORMAT.md, Arithmetic).
#ifndef OD_PATCH_FOLD_H_
#define OD_PATCH_FOLD_H_

#include <vector>

#include "sections.h"
#include "sidecar.h"

namespace odp {

// A norm, edited or not: s' that multiplies new weights, r that multiplies
// the base's, the bias b' that it leaves, and s that the base's weights were
// multiplied by.
struct Fold {
  std::vector<float> scale;
  std::vector<float> ratio;
  std::vector<float> offset;
  std::vector<float> base_scale;
};

// `edit` may be null; an Error if a number is not finite.
Fold fold_norm(const Norm& norm, const Entry* edit);

// An Error of status NUMBER unless all are finite; `name` is for messages.
void require_finite(bool are_finite, std::string_view name);

}  // namespace odp

#endif  // OD_PATCH_FOLD_H_
