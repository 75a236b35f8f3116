#include "fit.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "layout.h"

namespace odp {
namespace {

constexpr size_t kDigestBytes = 32;
constexpr uint64_t kMaxI32 = 0x7fffffff;

bool is_head(std::string_view name) {
  const std::string_view place = name.substr(0, name.find('/'));
  return place == "box_head" || place == "class_head";
}

uint32_t classes_of(const Sidecar& sidecar, const Patch& patch) {
  const uint32_t classes = patch.classes();
  if (classes == 0) {
    fail(OD_PATCH_CAPACITY, "A patch must have a label map to become a model. "
         "Received: one without labels.");
  }
  if (classes > sidecar.capacity) {
    fail(OD_PATCH_CAPACITY, "This base was published for at most ",
         sidecar.capacity, " classes. Received: a patch with ", classes, ".");
  }
  return classes;
}

bool fits_kind(const Sidecar& sidecar, const Entry& entry,
               const Tensor& tensor) {
  switch (tensor.kind) {
    case TensorKind::kNorm:
      return entry.kind == kScaleOffset;
    case TensorKind::kBias:
      return entry.kind == kReplace;
    default:
      return entry.kind == kReplace || entry.is_masked() ||
             (entry.is_adapter() &&
              sidecar.kernels[tensor.index].form == Form::kConvolution);
  }
}

bool has_shape(const Entry& entry, std::initializer_list<uint64_t> shape) {
  return std::equal(shape.begin(), shape.end(), entry.shape,
                    entry.shape + entry.rank);
}

bool fits_matrix(const Entry& entry, const Kernel& kernel, uint64_t outputs) {
  uint64_t rows = outputs;
  if (entry.is_at_centre()) {
    if (kernel.shape[0] % 2 == 0 || kernel.shape[1] % 2 == 0) return false;
    rows = kernel.shape[2];
  }
  if (entry.is_product()) return entry.shape[1] == rows + outputs;
  return has_shape(entry, {rows, outputs});
}

bool fits_kernel(const Entry& entry, const Kernel& kernel, uint64_t outputs) {
  if (entry.is_adapter()) return fits_matrix(entry, kernel, outputs);
  return has_shape(entry, {kernel.shape[0], kernel.shape[1], kernel.shape[2],
                           outputs});
}

// The numbers of each bias tensor for so many classes. Kernels that share one
// depend on the classes alike.
std::vector<uint64_t> bias_sizes(const Sidecar& sidecar, uint32_t classes) {
  std::vector<uint64_t> sizes;
  for (const Bias& bias : sidecar.biases) sizes.push_back(bias.values.count);
  for (const Kernel& kernel : sidecar.kernels) {
    if (kernel.class_factor == 0) continue;
    for (uint32_t i = 0; i < kernel.copies; ++i) {
      const Copy& copy = sidecar.copies[kernel.first_copy + i];
      for (uint32_t j = 0; j < copy.operations; ++j) {
        const uint32_t tensor =
            sidecar.operations[copy.first_operation + j].tensor;
        if (tensor != kNone) sizes[tensor] = kernel.channels(classes);
      }
    }
  }
  return sizes;
}

void place_edit(const Sidecar& sidecar, const Entry& entry,
                const std::vector<uint64_t>& sizes, Fit& found) {
  const Tensor* tensor = sidecar.find(entry.target);
  if (tensor == nullptr || !fits_kind(sidecar, entry, *tensor)) {
    fail(OD_PATCH_UNFIT_EDIT, "An edit must name a tensor of the published "
         "base, by a kind that fits it. Received: kind ",
         uint64_t{entry.kind}, " of ", shown(entry.target), ".");
  }
  const uint32_t index = tensor->index;
  bool fits = false;
  if (tensor->kind == TensorKind::kNorm) {
    fits = has_shape(entry, {2, sidecar.norms[index].channels()});
    found.norms[index] = &entry;
  } else if (tensor->kind == TensorKind::kBias) {
    fits = has_shape(entry, {sizes[index]});
    found.biases[index] = &entry;
  } else {
    const Kernel& kernel = sidecar.kernels[index];
    fits = fits_kernel(entry, kernel, kernel.outputs(found.classes));
    found.kernels[index] = &entry;
  }
  if (!fits) {
    fail(OD_PATCH_UNFIT_EDIT, "An edit of ", shown(entry.target),
         " must have the shape that the base has for ", found.classes,
         " classes. Received: another.");
  }
}

bool is_replaced(const Entry* entry) {
  return entry != nullptr && entry->kind == kReplace;
}

void require_replaced(const Entry* entry, std::string_view name) {
  if (is_replaced(entry)) return;
  fail(OD_PATCH_MISSING_HEAD, "A patch must replace every tensor of its heads, "
       "and for another number of classes whatever depends on it. Received: "
       "one without ", shown(name), ".");
}

void check_heads(const Sidecar& sidecar, const Fit& found) {
  for (size_t i = 0; i < sidecar.kernels.size(); ++i) {
    const std::string_view name = sidecar.kernels[i].name;
    if (is_head(name)) require_replaced(found.kernels[i], name);
  }
  for (size_t i = 0; i < sidecar.biases.size(); ++i) {
    const std::string_view name = sidecar.biases[i].name;
    if (is_head(name)) require_replaced(found.biases[i], name);
  }
}

// Another number of classes: nothing of the base's size may be left.
void check_class_tensors(const Sidecar& sidecar, const Fit& found) {
  for (size_t i = 0; i < sidecar.kernels.size(); ++i) {
    const Kernel& kernel = sidecar.kernels[i];
    if (kernel.class_factor == 0) continue;
    require_replaced(found.kernels[i], kernel.name);
    for (uint32_t j = 0; j < kernel.copies; ++j) {
      const Copy& copy = sidecar.copies[kernel.first_copy + j];
      for (uint32_t k = 0; k < copy.operations; ++k) {
        const uint32_t tensor =
            sidecar.operations[copy.first_operation + k].tensor;
        if (tensor != kNone) {
          require_replaced(found.biases[tensor], sidecar.biases[tensor].name);
        }
      }
    }
  }
}

void check_class_numbers(const Sidecar& sidecar, uint32_t classes) {
  for (const ClassNumber& number : sidecar.class_numbers) {
    const uint64_t value =
        uint64_t{number.factor} * (uint64_t{classes} + number.addend);
    if (value > kMaxI32) {
      fail(OD_PATCH_NUMBER, "A number that depends on the classes must fit in "
           "32 bits. Received: ", value, ".");
    }
  }
  for (const Kernel& kernel : sidecar.kernels) {
    if (kernel.elements(classes) > kMaxElements) {
      fail(OD_PATCH_NUMBER, "A kernel may have ", kMaxElements,
           " weights. Received: more in ", shown(kernel.name), " for ",
           classes, " classes.");
    }
  }
}

void check_result_size(const Sidecar& sidecar,
                       const std::vector<Vector>& vectors) {
  const uint64_t size = unshared_bytes(sidecar, vectors);
  if (size > kMaxModelBytes) {
    fail(OD_PATCH_SIDECAR, "A result without labels may have ",
         kMaxModelBytes, " bytes. Received: ", size,
         " if no two vectors share a place.");
  }
}

const Release* release_of(const Patch& patch, const uint8_t* base_sha256) {
  for (const Release& release : patch.releases) {
    if (!std::memcmp(release.base_sha256, base_sha256, kDigestBytes)) {
      return &release;
    }
  }
  return nullptr;
}

// The size that the patch was published for; null for the base's own, which
// comes first, and for none of this base.
const InputSize* chosen_size(const Sidecar& sidecar, const Patch& patch) {
  if (release_of(patch, sidecar.base_sha256) != nullptr) return nullptr;
  for (const InputSize& size : sidecar.sizes) {
    if (release_of(patch, size.base_sha256) != nullptr) return &size;
  }
  return nullptr;
}

const Release* release_for(const Sidecar& sidecar, const Patch& patch,
                           const InputSize* size) {
  const Release* release = release_of(
      patch, size == nullptr ? sidecar.base_sha256 : size->base_sha256);
  if (release != nullptr) {
    if (release->activations != sidecar.activations.size()) {
      fail(OD_PATCH_ACTIVATION, "A release for this base must have ",
           sidecar.activations.size(), " activations. Received: ",
           release->activations, ".");
    }
    return release;
  }
  if (sidecar.is_int8()) {
    fail(OD_PATCH_MISSING_RELEASE, "An int8 base needs a patch that was "
         "published for it, with the ranges of the task's activations. "
         "Received: a patch published for ", patch.releases.size(),
         " other bases.");
  }
  if (!sidecar.sizes.empty()) {
    fail(OD_PATCH_MISSING_RELEASE, "A base of several input sizes needs a "
         "patch that was published for it, which says its size. Received: a "
         "patch published for ", patch.releases.size(), " other bases.");
  }
  if (!patch.releases.empty()) {
    fail(OD_PATCH_MISSING_RELEASE, "A published patch fits the bases that it "
         "was published for, each of one precision and input size. Received: "
         "a patch published for ", patch.releases.size(), " other bases.");
  }
  return nullptr;
}

}  // namespace

void check_fingerprint(const Sidecar& sidecar, const Patch& patch) {
  if (std::memcmp(patch.base_fingerprint, sidecar.base_fingerprint,
                  kDigestBytes) == 0) {
    return;
  }
  fail(OD_PATCH_FINGERPRINT, "A patch fits the base model that it was trained "
       "on, and no other. Received: a patch for base ",
       hex(patch.base_fingerprint, kDigestBytes), ", and the published base ",
       hex(sidecar.base_fingerprint, kDigestBytes), ".");
}

Fit fit(const Sidecar& sidecar, const Patch& patch) {
  Fit found;
  found.classes = classes_of(sidecar, patch);
  found.norms.resize(sidecar.norms.size());
  found.biases.resize(sidecar.biases.size());
  found.kernels.resize(sidecar.kernels.size());
  const std::vector<uint64_t> sizes = bias_sizes(sidecar, found.classes);
  for (const Entry& entry : patch.entries) {
    place_edit(sidecar, entry, sizes, found);
  }
  check_heads(sidecar, found);
  if (found.classes != sidecar.classes) check_class_tensors(sidecar, found);
  if (patch.model_metadata.size > 0 && sidecar.metadata_vector == kNone) {
    fail(OD_PATCH_UNFIT_EDIT, "Only a base with model metadata takes those of "
         "a patch. Received: a base without.");
  }
  check_class_numbers(sidecar, found.classes);
  found.size = chosen_size(sidecar, patch);
  found.vectors = vectors_for_classes(sidecar, found.classes, found.size);
  check_result_size(sidecar, found.vectors);
  found.release = release_for(sidecar, patch, found.size);
  return found;
}

}  // namespace odp
