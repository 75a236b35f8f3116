// The inflated body of a sidecar, field by field.
#ifndef OD_PATCH_SIDECAR_BODY_H_
#define OD_PATCH_SIDECAR_BODY_H_

#include "sidecar.h"

namespace odp {

// Fills a sidecar from its `body`, each field within its limits; what concerns
// several fields is left to check_sidecar.
void read_sidecar_body(Sidecar& sidecar);

}  // namespace odp

#endif  // OD_PATCH_SIDECAR_BODY_H_
