// Memory for a result.
#ifndef OD_PATCH_MODEL_MEMORY_H_
#define OD_PATCH_MODEL_MEMORY_H_

#include "model.h"

namespace odp {

// Aligned for floats; what it holds is not set.
Model allocated_model(size_t size);

}  // namespace odp

#endif  // OD_PATCH_MODEL_MEMORY_H_
