#include "layout.h"

namespace odp {

std::vector<uint32_t> base_places(const Sidecar& sidecar) {
  std::vector<uint32_t> places;
  places.reserve(sidecar.vectors.size());
  uint64_t at = sidecar.skeleton_bytes;
  for (const Vector& vector : sidecar.vectors) {
    if (vector.is_shared) {
      places.push_back(places[vector.leader]);
      continue;
    }
    const uint64_t start = start_after(at);
    at = start + vector.bytes();
    if (at > sidecar.base_bytes) {
      fail(OD_PATCH_SIDECAR, "In a sidecar, the vectors must end within "
           "base.tflite, ", sidecar.base_bytes, " bytes. Received: ", at, ".");
    }
    places.push_back(static_cast<uint32_t>(start));
  }
  return places;
}

std::vector<Vector> vectors_for_classes(const Sidecar& sidecar,
                                        uint32_t classes,
                                        const InputSize* size) {
  std::vector<Vector> vectors = sidecar.vectors;
  if (size != nullptr) {
    for (const Content& content : size->contents) {
      vectors[content.vector].items = content.items;
    }
  }
  auto resize = [&](uint32_t index, uint64_t items) {
    if (index != kNone) vectors[index].items = static_cast<uint32_t>(items);
  };
  for (const Kernel& kernel : sidecar.kernels) {
    if (kernel.class_factor == 0) continue;
    const uint64_t channels = kernel.channels(classes);
    for (uint32_t i = 0; i < kernel.copies; ++i) {
      const Copy& copy = sidecar.copies[kernel.first_copy + i];
      resize(copy.weights, kernel.elements(classes) * sidecar.weight_bytes());
      resize(copy.scales, channels);
      resize(copy.zero_points, channels);
      for (uint32_t j = 0; j < copy.operations; ++j) {
        const Operation& operation =
            sidecar.operations[copy.first_operation + j];
        resize(operation.bias, channels * sidecar.bias_bytes());
        resize(operation.bias_scales, channels);
        resize(operation.bias_zero_points, channels);
      }
    }
  }
  return vectors;
}

uint64_t unshared_bytes(const Sidecar& sidecar,
                        const std::vector<Vector>& vectors) {
  uint64_t at = sidecar.skeleton_bytes;
  for (const Vector& vector : vectors) at = start_after(at) + vector.bytes();
  return at;
}

}  // namespace odp
