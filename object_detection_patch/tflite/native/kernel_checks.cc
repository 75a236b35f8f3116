// What must hold of the kernels of a sidecar, and of all that they use.
#include "sidecar_checks.h"

namespace odp {
namespace {

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

}  // namespace

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

}  // namespace odp
