// What must hold among the fields of a sidecar (tflite/FORMAT.md, Checks).
#include <algorithm>

#include "layout.h"
#include "sidecar.h"

namespace odp {
namespace {

constexpr uint32_t kSkeletonAlignment = 16;
constexpr uint32_t kMaxSkeletonBytes = 1u << 24;

template <class... Received>
void require(bool holds, const char* rule, const Received&... received) {
  if (holds) return;
  fail(OD_PATCH_SIDECAR, "In a sidecar, ", rule, ". Received: ", received...,
       ".");
}

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

// What each vector and each bias tensor is used for, so that none is used for
// two things that could need different bytes.
class Uses {
 public:
  explicit Uses(const Sidecar& sidecar)
      : sidecar_(sidecar),
        users_(sidecar.vectors.size()),
        tensor_kernels_(sidecar.biases.size(), kNone) {
    if (sidecar.metadata_vector != kNone) take(sidecar.metadata_vector);
  }

  // Checks the size of a vector and that nothing else uses it.
  void take(uint32_t vector, uint64_t items, uint32_t item_bytes) {
    check_size(vector, items, item_bytes);
    take(vector);
  }

  void take_bias(const Kernel& kernel, const Copy& copy,
                 const Operation& operation) {
    const uint64_t channels = kernel.channels(sidecar_.classes);
    check_size(operation.bias, channels * sidecar_.bias_bytes(), 1);
    take_tensor(kernel, operation.tensor);
    const bool is_zero = copy.norm == kNone && operation.tensor == kNone;
    if (sidecar_.is_int8() && !is_zero) {
      take(operation.bias);
      return;
    }
    const User user = {true, index_of(kernel), copy.norm, operation.tensor};
    User& before = users_[operation.bias];
    if (!before.is_set) before = user;
    require(before.kernel != kNone && before.norm == user.norm &&
                before.tensor == user.tensor &&
                has_same_classes(before.kernel, kernel),
            "each vector has one use", "two of vector ", operation.bias);
  }

 private:
  struct User {
    bool is_set = false;
    uint32_t kernel = kNone;  // the first, of a bias that may be shared
    uint32_t norm = kNone;
    uint32_t tensor = kNone;
  };

  void take(uint32_t vector) {
    require(!users_[vector].is_set, "each vector has one use", "two of vector ",
            vector);
    users_[vector].is_set = true;
  }

  void take_tensor(const Kernel& kernel, uint32_t tensor) {
    if (tensor == kNone) return;
    uint32_t& before = tensor_kernels_[tensor];
    if (before == kNone) before = index_of(kernel);
    require(has_same_classes(before, kernel),
            "kernels with one bias depend on the classes alike",
            shown(sidecar_.biases[tensor].name));
  }

  void check_size(uint32_t index, uint64_t items, uint32_t item_bytes) const {
    const Vector& vector = sidecar_.vectors[index];
    require(vector.items == items && vector.item_bytes == item_bytes,
            "vectors must have the sizes that their use requires", "vector ",
            index, " with ", vector.items, " items instead of ", items);
  }

  bool has_same_classes(uint32_t index, const Kernel& kernel) const {
    const Kernel& other = sidecar_.kernels[index];
    return other.class_factor == kernel.class_factor &&
           other.class_addend == kernel.class_addend;
  }

  uint32_t index_of(const Kernel& kernel) const {
    return static_cast<uint32_t>(&kernel - sidecar_.kernels.data());
  }

  const Sidecar& sidecar_;
  std::vector<User> users_;
  std::vector<uint32_t> tensor_kernels_;
};

void check_operation(const Sidecar& sidecar, const Kernel& kernel,
                     const Copy& copy, const Operation& operation) {
  const bool is_int8 = sidecar.is_int8();
  require((operation.bias_scales != kNone) == is_int8 &&
              (operation.bias_zero_points != kNone) == is_int8 &&
              (operation.activation != kNone) == is_int8,
          "scales, zero points and activations are given in int8 models, and "
          "in no others", shown(kernel.name));
  if (operation.tensor == kNone) return;
  require(copy.norm == kNone,
          "a norm and a bias tensor must not meet in one operation",
          shown(kernel.name));
  require(sidecar.biases[operation.tensor].values.count ==
              kernel.channels(sidecar.classes),
          "a bias must have the channels of its kernel", shown(kernel.name));
}

void check_copy(const Sidecar& sidecar, const Kernel& kernel,
                const Copy& copy) {
  require((copy.scales != kNone) == sidecar.is_int8() &&
              (copy.zero_points != kNone) == sidecar.is_int8(),
          "scales and zero points are given in int8 models, and in no others",
          shown(kernel.name));
  if (copy.norm == kNone) return;
  require(sidecar.norms[copy.norm].channels() ==
              kernel.channels(sidecar.classes),
          "a norm must have the channels of its kernel", shown(kernel.name));
  require(kernel.class_factor == 0,
          "a kernel with a class factor has no norm", shown(kernel.name));
}

void check_kernels(const Sidecar& sidecar) {
  Uses uses(sidecar);
  for (const Kernel& kernel : sidecar.kernels) {
    require(kernel.class_factor == 0 ||
                (kernel.form == Form::kConvolution &&
                 kernel.outputs(sidecar.classes) == kernel.shape[3]),
            "a kernel with a class factor must be a convolution whose last "
            "dimension is factor * (classes + addend)", shown(kernel.name));
    const uint64_t channels = kernel.channels(sidecar.classes);
    const uint64_t bytes =
        kernel.elements(sidecar.classes) * sidecar.weight_bytes();
    for (uint32_t i = 0; i < kernel.copies; ++i) {
      const Copy& copy = sidecar.copies[kernel.first_copy + i];
      check_copy(sidecar, kernel, copy);
      uses.take(copy.weights, bytes, 1);
      if (sidecar.is_int8()) {
        uses.take(copy.scales, channels, 4);
        uses.take(copy.zero_points, channels, 8);
      }
      for (uint32_t j = 0; j < copy.operations; ++j) {
        const Operation& operation =
            sidecar.operations[copy.first_operation + j];
        check_operation(sidecar, kernel, copy, operation);
        uses.take_bias(kernel, copy, operation);
        if (sidecar.is_int8()) {
          uses.take(operation.bias_scales, channels, 4);
          uses.take(operation.bias_zero_points, channels, 8);
        }
      }
    }
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
}

}  // namespace odp
