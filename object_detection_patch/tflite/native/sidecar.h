// The sidecar of a published base: where everything lies in base.tflite.
#ifndef OD_PATCH_SIDECAR_H_
#define OD_PATCH_SIDECAR_H_

#include <string_view>
#include <vector>

#include "bytes.h"

namespace odp {

// Limits that the base, the sidecar and the result share (tflite/FORMAT.md).
constexpr uint64_t kMaxModelBytes = (1u << 28) + (1u << 23);
constexpr uint32_t kMaxCount = 1u << 16;

// Where a reference leads to nothing.
constexpr uint32_t kNone = 0xffffffff;

enum class Precision : uint8_t { kFloat32 = 0, kFloat16 = 1, kInt8 = 2 };
enum class Form : uint8_t { kConvolution = 0, kDepthwise = 1 };

// A vector behind the skeleton. `is_shared`: in base.tflite it lies at its
// leader's place.
struct Vector {
  uint32_t items;
  uint32_t leader;
  uint8_t item_bytes;
  bool is_shared;

  uint64_t bytes() const { return uint64_t{items} * item_bytes; }
};

struct Link {
  uint32_t position;
  uint32_t vector;
};

// An i32 of the skeleton: factor * (classes + addend).
struct ClassNumber {
  uint32_t position;
  uint32_t factor;
  uint32_t addend;
};

struct Activation {
  uint32_t scale_position;
  uint32_t zero_point_position;
};

// Numbers as they lie in the body, aligned to nothing.
struct Numbers {
  const uint8_t* bytes;
  uint32_t count;

  float operator[](size_t i) const { return load<float>(bytes + 4 * i); }
};

struct Norm {
  std::string_view name;
  Numbers gamma;
  Numbers beta;
  Numbers mean;
  Numbers inverse_deviation;

  uint32_t channels() const { return gamma.count; }
};

struct Bias {
  std::string_view name;
  Numbers values;
};

// An operation of the model that uses a copy of a kernel. All but `bias`
// may be kNone.
struct Operation {
  uint32_t bias;
  uint32_t bias_scales;
  uint32_t bias_zero_points;
  uint32_t tensor;
  uint32_t activation;
};

// A kernel as it lies in the model, one norm folded into it.
struct Copy {
  uint32_t weights;
  uint32_t scales;
  uint32_t zero_points;
  uint32_t norm;
  uint32_t first_operation;  // in Sidecar::operations
  uint32_t operations;
};

struct Kernel {
  std::string_view name;
  Form form;
  uint32_t shape[4];  // in Keras order
  uint32_t class_factor;
  uint32_t class_addend;
  uint32_t first_copy;  // in Sidecar::copies
  uint32_t copies;

  // The size of the last dimension for so many classes.
  uint64_t outputs(uint32_t classes) const {
    if (class_factor == 0) return shape[3];
    return uint64_t{class_factor} * (uint64_t{classes} + class_addend);
  }
  uint64_t elements(uint32_t classes) const {
    return uint64_t{shape[0]} * shape[1] * shape[2] * outputs(classes);
  }
  uint64_t channels(uint32_t classes) const {
    return form == Form::kConvolution ? outputs(classes)
                                      : uint64_t{shape[2]} * shape[3];
  }
};

// A vector that has other items at another input size.
struct Content {
  uint32_t vector;
  uint32_t items;
  const uint8_t* bytes;  // in the body, aligned to nothing
};

// Another input size of a base: how its file at that size differs.
struct InputSize {
  uint32_t height;
  uint32_t width;
  const uint8_t* base_sha256;
  const uint8_t* words;  // a position and a value each, u32 both
  uint32_t word_count;
  std::vector<Content> contents;

  uint32_t position(uint32_t i) const { return load<uint32_t>(words + 8 * i); }
  uint32_t value(uint32_t i) const {
    return load<uint32_t>(words + 8 * i + 4);
  }
};

// What an edit can name: the place of a tensor in its list.
enum class TensorKind : uint8_t { kNorm, kBias, kKernel };
struct Tensor {
  std::string_view name;
  TensorKind kind;
  uint32_t index;
};

// The views lead into `body`, so a sidecar is moved, not copied.
struct Sidecar {
  Sidecar() = default;
  Sidecar(Sidecar&&) = default;
  Sidecar& operator=(Sidecar&&) = default;

  uint32_t version = 0;
  std::vector<uint8_t> body;
  const uint8_t* base_fingerprint = nullptr;
  const uint8_t* base_sha256 = nullptr;
  uint64_t base_bytes = 0;
  Precision precision = Precision::kFloat32;
  uint32_t skeleton_bytes = 0;
  uint32_t classes = 0;
  uint32_t capacity = 0;
  uint32_t metadata_vector = kNone;
  std::vector<Vector> vectors;
  std::vector<Link> links;
  std::vector<ClassNumber> class_numbers;
  std::vector<Activation> activations;
  std::vector<Norm> norms;
  std::vector<Bias> biases;
  std::vector<Kernel> kernels;
  std::vector<Copy> copies;
  std::vector<Operation> operations;
  uint32_t height = 0;  // of base.tflite, where it has other sizes
  uint32_t width = 0;
  std::vector<InputSize> sizes;
  std::vector<Tensor> tensors;  // ascending by name

  uint32_t weight_bytes() const {
    return precision == Precision::kFloat32   ? 4
           : precision == Precision::kFloat16 ? 2
                                              : 1;
  }
  uint32_t bias_bytes() const {
    return precision == Precision::kFloat16 ? 2 : 4;
  }
  bool is_int8() const { return precision == Precision::kInt8; }
  // Null if no tensor has the name.
  const Tensor* find(std::string_view name) const;
};

// Reads and checks a whole file; an Error names the rule that it breaks.
Sidecar read_sidecar(Span file);

// Everything that concerns several fields; fills `tensors`.
void check_sidecar(Sidecar& sidecar);

}  // namespace odp

#endif  // OD_PATCH_SIDECAR_H_
