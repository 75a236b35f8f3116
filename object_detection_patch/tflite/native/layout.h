// Where the vectors of a model lie (tflite/FORMAT.md, The layout).
#ifndef OD_PATCH_LAYOUT_H_
#define OD_PATCH_LAYOUT_H_

#include <vector>

#include "sidecar.h"

namespace odp {

constexpr uint64_t kAlignment = 16;
constexpr uint64_t kCountBytes = 4;

// Where the items of a vector begin when everything before ends at `at`.
inline uint64_t start_after(uint64_t at) {
  return (at + kCountBytes + kAlignment - 1) / kAlignment * kAlignment;
}

// Where the items of each vector begin in base.tflite; an Error if they do
// not end within it.
std::vector<uint32_t> base_places(const Sidecar& sidecar);

// The vectors as a task with so many classes has them; `size` is null for
// base.tflite's own.
std::vector<Vector> vectors_for_classes(const Sidecar& sidecar,
                                        uint32_t classes,
                                        const InputSize* size);

// Bytes of the skeleton and of vectors of which no two share a place.
uint64_t unshared_bytes(const Sidecar& sidecar,
                        const std::vector<Vector>& vectors);

}  // namespace odp

#endif  // OD_PATCH_LAYOUT_H_
