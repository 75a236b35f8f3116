// What must hold among the fields of a sidecar (tflite/FORMAT.md, Checks).
#ifndef OD_PATCH_SIDECAR_CHECKS_H_
#define OD_PATCH_SIDECAR_CHECKS_H_

#include "sidecar.h"

namespace odp {

// An Error of status SIDECAR unless the rule holds.
template <class... Received>
void require(bool holds, const char* rule, const Received&... received) {
  if (holds) return;
  fail(OD_PATCH_SIDECAR, "In a sidecar, ", rule, ". Received: ", received...,
       ".");
}

// Channels, sizes and uses: everything about kernels.
void check_kernels(const Sidecar& sidecar);

// Everything about input sizes; the rest was checked before.
void check_sizes(const Sidecar& sidecar);

}  // namespace odp

#endif  // OD_PATCH_SIDECAR_CHECKS_H_
