// What must hold among the fields of a sidecar (tflite/FORMAT.md, Checks).
#include <algorithm>

#include "layout.h"
#include "sidecar_checks.h"

namespace odp {
namespace {

constexpr uint32_t kSkeletonAlignment = 16;
constexpr uint32_t kMaxSkeletonBytes = 1u << 24;
// How often sharing may save a place: towers that are run once for each level
// of features are why it exists, and no detector has so many levels.
constexpr uint64_t kMaxSharing = 8;

// Which 4 bytes of the skeleton are written by something already.
class Skeleton {
 public:
  explicit Skeleton(uint32_t bytes) : written_(bytes / 4) {}

  void write(uint32_t position, uint32_t words) {
    const size_t first = position / 4;
    require(position % (4 * words) == 0 && first + words <= written_.size(),
            "a position must be aligned and lie within the skeleton",
            position);
    for (size_t word = first; word < first + words; ++word) {
      require(!written_[word], "each part of the skeleton may be written once",
              4 * word);
      written_[word] = true;
    }
  }

 private:
  std::vector<bool> written_;
};

void check_skeleton(const Sidecar& sidecar) {
  const uint32_t size = sidecar.skeleton_bytes;
  require(size >= kSkeletonAlignment && size <= kMaxSkeletonBytes &&
              size % kSkeletonAlignment == 0,
          "a skeleton's bytes must be a multiple of 16", size);
  require(sidecar.classes <= sidecar.capacity,
          "the base's classes must not exceed the capacity", sidecar.classes);
  require(sidecar.activations.empty() != sidecar.is_int8(),
          "an int8 base must list its activations, and no other may",
          sidecar.activations.size());
  Skeleton skeleton(size);
  uint32_t before = 0;
  for (const Link& link : sidecar.links) {
    require(link.position >= before,
            "links must come in ascending order of position", link.position);
    before = link.position;
    skeleton.write(link.position, 1);
  }
  for (const ClassNumber& number : sidecar.class_numbers) {
    skeleton.write(number.position, 1);
  }
  for (const Activation& activation : sidecar.activations) {
    skeleton.write(activation.scale_position, 1);
    skeleton.write(activation.zero_point_position, 2);
  }
}

void check_vectors(const Sidecar& sidecar) {
  const std::vector<Vector>& vectors = sidecar.vectors;
  require(!vectors.empty(), "there must be a vector", "none");
  for (const Vector& vector : vectors) {
    const uint32_t size = vector.item_bytes;
    require(size == 1 || size == 4 || size == 8,
            "an item must have 1, 4 or 8 bytes", size);
    if (vector.leader == kNone) {
      require(!vector.is_shared, "who shares must have a leader", "none");
      continue;
    }
    const Vector& leader = vectors[vector.leader];
    require(leader.leader == kNone && leader.item_bytes == vector.item_bytes &&
                (leader.items == vector.items || !vector.is_shared),
            "a leader must be an earlier vector of the same items, and have "
            "no leader itself", "vector ", vector.leader);
  }
  require(sidecar.metadata_vector == kNone ||
              vectors[sidecar.metadata_vector].item_bytes == 1,
          "the metadata must be a vector of bytes", sidecar.metadata_vector);
  require(sidecar.base_bytes <= kMaxModelBytes,
          "a base may have 2^28 + 2^23 bytes", sidecar.base_bytes);
  base_places(sidecar);
  const uint64_t size = unshared_bytes(sidecar, vectors);
  require(size <= kMaxSharing * sidecar.base_bytes,
          "skeleton and vectors, if none shared a place, must have at most 8 "
          "times the bytes of base.tflite", size);
}

void check_norms(const Sidecar& sidecar) {
  for (const Norm& norm : sidecar.norms) {
    bool holds = true;
    for (uint32_t i = 0; i < norm.channels(); ++i) {
      holds &= norm.gamma[i] != 0 && norm.inverse_deviation[i] > 0;
    }
    require(holds, "gamma must not be 0, and the inverse deviation above 0",
            shown(norm.name));
  }
}

template <class List>
void add_names(const List& list, TensorKind kind, std::vector<Tensor>& out) {
  uint32_t index = 0;
  for (const auto& entry : list) out.push_back({entry.name, kind, index++});
}

void sort_names(Sidecar& sidecar) {
  std::vector<Tensor>& tensors = sidecar.tensors;
  add_names(sidecar.norms, TensorKind::kNorm, tensors);
  add_names(sidecar.biases, TensorKind::kBias, tensors);
  add_names(sidecar.kernels, TensorKind::kKernel, tensors);
  std::sort(tensors.begin(), tensors.end(),
            [](const Tensor& a, const Tensor& b) { return a.name < b.name; });
  for (size_t i = 1; i < tensors.size(); ++i) {
    require(tensors[i - 1].name != tensors[i].name, "each name stands once",
            shown(tensors[i].name));
  }
}

}  // namespace

const Tensor* Sidecar::find(std::string_view name) const {
  const auto found = std::lower_bound(
      tensors.begin(), tensors.end(), name,
      [](const Tensor& tensor, std::string_view n) { return tensor.name < n; });
  return found != tensors.end() && found->name == name ? &*found : nullptr;
}

void check_sidecar(Sidecar& sidecar) {
  check_skeleton(sidecar);
  check_vectors(sidecar);
  check_norms(sidecar);
  sort_names(sidecar);
  check_kernels(sidecar);
  check_sizes(sidecar);
}

}  // namespace odp
