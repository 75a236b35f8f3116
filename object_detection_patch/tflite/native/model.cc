#include "model.h"

#include <algorithm>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "biases.h"
#include "fold.h"
#include "labels_zip.h"
#include "slots.h"
#include "weights.h"

namespace odp {
namespace {

// 2^-60: below it a scale would leave no room for the scales of biases.
constexpr float kLeastScale = 0x1p-60f;

class ModelWriter {
 public:
  ModelWriter(const Sidecar& sidecar, const Patch& patch, const Fit& fit,
              Span base, Progress* progress)
      : sidecar_(sidecar),
        patch_(patch),
        fit_(fit),
        base_(base),
        progress_(progress),
        slots_(sidecar, patch, fit, base),
        folds_(sidecar.norms.size()) {}

  Model write() {
    const std::string text = labels_text(patch_.labels);
    const size_t most =
        static_cast<size_t>(slots_.end()) + labels_zip(text, 0).size();
    Model model = allocated(most);
    result_ = model.data.get();
    std::memcpy(result_, base_.data, sidecar_.skeleton_bytes);
    if (progress_) progress_->begin(result_, sidecar_.skeleton_bytes);
    uint64_t end = slots_.settle(result_);
    for (size_t i = 0; i < sidecar_.kernels.size(); ++i) {
      write_kernel(i);
      end = slots_.settle(result_);
      if (progress_) progress_->reach(static_cast<size_t>(end));
    }
    write_skeleton();
    const std::string zip = labels_zip(text, static_cast<uint32_t>(end));
    model.size = static_cast<size_t>(end) + zip.size();
    if (model.size > kMaxModelBytes) {
      fail(OD_PATCH_NUMBER, "A model may have ", kMaxModelBytes,
           " bytes. Received: ", model.size, ".");
    }
    std::memcpy(result_ + end, zip.data(), zip.size());
    return model;
  }

 private:
  static Model allocated(size_t size);

  template <class T>
  T* place_of(uint32_t index) {
    return reinterpret_cast<T*>(result_ + slots_[index].start);
  }

  // The fold of a norm, computed once; null for none.
  const Fold* fold_of(uint32_t norm) {
    if (norm == kNone) return nullptr;
    std::unique_ptr<Fold>& fold = folds_[norm];
    if (!fold) {
      fold = std::make_unique<Fold>(
          fold_norm(sidecar_.norms[norm], fit_.norms[norm]));
    }
    return fold.get();
  }

  void write_kernel(size_t index) {
    const Kernel& kernel = sidecar_.kernels[index];
    KernelJob job;
    job.name = kernel.name;
    job.precision = sidecar_.precision;
    job.form = kernel.form;
    job.channels = static_cast<size_t>(kernel.channels(fit_.classes));
    job.rows =
        static_cast<size_t>(kernel.elements(fit_.classes)) / job.channels;
    job.edit = fit_.kernels[index];
    for (uint32_t i = 0; i < kernel.copies; ++i) {
      add_copy(sidecar_.copies[kernel.first_copy + i], job);
    }
    write_weights(job);
    for (uint32_t i = 0; i < kernel.copies; ++i) {
      write_biases(sidecar_.copies[kernel.first_copy + i], job);
    }
  }

  // Adds a copy to the job unless its weights are copied from the base.
  void add_copy(const Copy& copy, KernelJob& job) {
    if (slots_[copy.weights].source != Source::kComputed) return;
    CopyJob copy_job = {fold_of(copy.norm), slots_.base_bytes(copy.weights),
                        nullptr, place_of<uint8_t>(copy.weights), nullptr};
    if (sidecar_.is_int8()) {
      copy_job.base_scales =
          reinterpret_cast<const float*>(slots_.base_bytes(copy.scales));
      copy_job.scales = place_of<float>(copy.scales);
      std::fill_n(copy_job.scales, job.channels, kLeastScale);
      for (uint32_t i = 0; i < copy.operations; ++i) {
        const Operation& operation = operation_of(copy, i);
        OffsetReader offsets = offsets_of(copy, operation);
        raise_scales(offsets, fit_.release->scale(operation.activation),
                     copy_job.scales, job.channels);
      }
    }
    job.copies.push_back(copy_job);
  }

  void write_biases(const Copy& copy, const KernelJob& job) {
    for (uint32_t i = 0; i < copy.operations; ++i) {
      const Operation& operation = operation_of(copy, i);
      const bool is_computed =
          slots_[operation.bias].source == Source::kComputed;
      const bool is_new = is_computed && !slots_[operation.bias].is_ready;
      OffsetReader offsets = offsets_of(copy, operation);
      if (sidecar_.is_int8()) {
        const QuantisedBias bias = {
            place_of<const float>(copy.scales),
            fit_.release->scale(operation.activation),
            is_computed ? place_of<int32_t>(operation.bias) : nullptr,
            place_of<float>(operation.bias_scales)};
        write_quantised_bias(offsets, bias, job.channels, job.name);
      } else if (is_new) {
        write_float_bias(offsets, place_of<uint8_t>(operation.bias),
                         sidecar_.precision, job.channels, job.name);
      }
      slots_.set_ready(operation.bias);
      slots_.set_ready(operation.bias_scales);
    }
    slots_.set_ready(copy.weights);
    slots_.set_ready(copy.scales);
  }

  const Operation& operation_of(const Copy& copy, uint32_t index) const {
    return sidecar_.operations[copy.first_operation + index];
  }

  OffsetReader offsets_of(const Copy& copy, const Operation& operation) {
    const uint32_t tensor = operation.tensor;
    if (tensor == kNone) return {fold_of(copy.norm), nullptr, nullptr};
    return {nullptr, &sidecar_.biases[tensor], fit_.biases[tensor]};
  }

  void write_skeleton() {
    for (const Link& link : sidecar_.links) {
      const uint32_t count = slots_[link.vector].start - 4;
      store<uint32_t>(result_ + link.position, count - link.position);
    }
    for (const ClassNumber& number : sidecar_.class_numbers) {
      store<uint32_t>(result_ + number.position,
                      number.factor * (fit_.classes + number.addend));
    }
    if (fit_.release == nullptr) return;
    for (uint32_t i = 0; i < sidecar_.activations.size(); ++i) {
      const Activation& activation = sidecar_.activations[i];
      store<float>(result_ + activation.scale_position,
                   fit_.release->scale(i));
      store<int64_t>(result_ + activation.zero_point_position,
                     fit_.release->zero_point(i));
    }
  }

  const Sidecar& sidecar_;
  const Patch& patch_;
  const Fit& fit_;
  const Span base_;
  Progress* const progress_;
  Slots slots_;
  std::vector<std::unique_ptr<Fold>> folds_;
  uint8_t* result_ = nullptr;
};

Model ModelWriter::allocated(size_t size) {
  constexpr size_t kLargePage = 1u << 21;
  const bool is_large = size >= 2 * kLargePage;
  void* data = nullptr;
  if (posix_memalign(&data, is_large ? kLargePage : 64, size) != 0) {
    throw std::bad_alloc();
  }
#if defined(MADV_HUGEPAGE)
  // A wish: fewer page faults. Whole large pages only, so that no memory is
  // used behind the result.
  if (is_large) madvise(data, size / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
  Model model;
  model.data.reset(static_cast<uint8_t*>(data));
  return model;
}

}  // namespace

Model patched_model(const Sidecar& sidecar, const Patch& patch,
                    const Fit& fit, Span base, Progress* progress) {
  return ModelWriter(sidecar, patch, fit, base, progress).write();
}

}  // namespace odp
