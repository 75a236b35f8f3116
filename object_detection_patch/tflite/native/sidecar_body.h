// The inflated body of a sidecar, field by field.
#ifndef OD_PATCH_SIDECAR_BODY_H_
#define OD_PATCH_SIDECAR_BODY_H_

#include "sidecar.h"

namespace odp {

// The version of files whose body ends in input sizes.
constexpr uint32_t kVersionWithSizes = 2;

// Fills a sidecar from its `version` and `body`, each field within its limits; what concerns
// several fields is left to check_sidecar.
void read_sidecar_body(Sidecar& sidecar);

}  // namespace odp

#endif  // OD_PATCH_SIDECAR_BODY_H_
