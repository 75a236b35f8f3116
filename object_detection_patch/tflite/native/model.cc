#include "model.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "biases.h"
#include "folds.h"
#include "labels_zip.h"
#include "model_memory.h"
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
        folds_(sidecar, fit) {}

  Model write() {
    const std::string text = labels_text(patch_.labels);
    const size_t most =
        static_cast<size_t>(slots_.end()) + labels_zip(text, 0).size();
    Model model = allocated_model(most);
    result_ = model.data.get();
    std::memcpy(result_, base_.data, sidecar_.skeleton_bytes);
    if (progress_) progress_->begin(result_, sidecar_.skeleton_bytes);
    const uint64_t end = write_vectors();
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
  // Returns where the last one ends.
  uint64_t write_vectors() {
    if (!sidecar_.is_int8()) {
      for (const Kernel& kernel : sidecar_.kernels) write_biases_of(kernel);
    }
    uint64_t end = slots_.settle(result_);
    for (const size_t index : order()) {
      write_weights_of(index);
      if (sidecar_.is_int8()) write_biases_of(sidecar_.kernels[index]);
      end = slots_.settle(result_);
      if (progress_) progress_->reach(static_cast<size_t>(end));
    }
    return end;
  }

  template <class T>
  T* place_of(uint32_t index) {
    return reinterpret_cast<T*>(result_ + slots_[index].start);
  }

  // Kernels in the order in which the model holds them, so that what is
  // before the next is whole, and can be written meanwhile.
  std::vector<size_t> order() const {
    std::vector<std::pair<uint32_t, size_t>> places;
    for (const Kernel& kernel : sidecar_.kernels) {
      uint32_t first = kNone;
      for (uint32_t i = 0; i < kernel.copies; ++i) {
        first = std::min(first, copy_of(kernel, i).weights);
      }
      places.emplace_back(first, places.size());
    }
    std::sort(places.begin(), places.end());
    std::vector<size_t> order;
    for (const auto& place : places) order.push_back(place.second);
    return order;
  }

  void write_weights_of(size_t index) {
    const Kernel& kernel = sidecar_.kernels[index];
    KernelJob job;
    job.name = kernel.name;
    job.precision = sidecar_.precision;
    job.form = kernel.form;
    job.channels = channels_of(kernel);
    job.rows =
        static_cast<size_t>(kernel.elements(fit_.classes)) / job.channels;
    job.edit = fit_.kernels[index];
    for (uint32_t i = 0; i < kernel.copies; ++i) {
      add_copy(copy_of(kernel, i), job);
    }
    write_weights(job);
    for (uint32_t i = 0; i < kernel.copies; ++i) {
      slots_.set_ready(copy_of(kernel, i).weights);
      slots_.set_ready(copy_of(kernel, i).scales);
    }
  }

  // Adds a copy to the job unless its weights are copied from the base.
  void add_copy(const Copy& copy, KernelJob& job) {
    if (slots_[copy.weights].source != Source::kComputed) return;
    CopyJob copy_job = {folds_.fold(copy.norm),
                        slots_.base_bytes(copy.weights), nullptr,
                        place_of<uint8_t>(copy.weights), nullptr};
    if (sidecar_.is_int8()) {
      copy_job.base_scales =
          reinterpret_cast<const float*>(slots_.base_bytes(copy.scales));
      copy_job.scales = place_of<float>(copy.scales);
      std::fill_n(copy_job.scales, job.channels, kLeastScale);
      for (uint32_t i = 0; i < copy.operations; ++i) {
        const Operation& operation = operation_of(copy, i);
        const float* offsets = folds_.offsets(copy, operation);
        if (offsets == nullptr) continue;
        raise_scales(offsets, fit_.release->scale(operation.activation),
                     copy_job.scales, job.channels);
      }
    }
    job.copies.push_back(copy_job);
  }

  // In int8 models after the weights, on whose scales biases depend.
  void write_biases_of(const Kernel& kernel) {
    for (uint32_t i = 0; i < kernel.copies; ++i) {
      const Copy& copy = copy_of(kernel, i);
      for (uint32_t j = 0; j < copy.operations; ++j) {
        const Operation& operation = operation_of(copy, j);
        if (sidecar_.is_int8()) {
          write_int8_bias(kernel, copy, operation);
        } else if (!slots_[operation.bias].is_ready) {
          write_float_bias(folds_.offsets(copy, operation),
                           place_of<uint8_t>(operation.bias),
                           sidecar_.precision, channels_of(kernel),
                           kernel.name);
        }
        slots_.set_ready(operation.bias);
        slots_.set_ready(operation.bias_scales);
      }
    }
  }

  void write_int8_bias(const Kernel& kernel, const Copy& copy,
                       const Operation& operation) {
    write_quantised_bias({folds_.offsets(copy, operation),
                          place_of<const float>(copy.scales),
                          fit_.release->scale(operation.activation),
                          place_of<int32_t>(operation.bias),
                          place_of<float>(operation.bias_scales)},
                         channels_of(kernel), kernel.name);
  }

  size_t channels_of(const Kernel& kernel) const {
    return static_cast<size_t>(kernel.channels(fit_.classes));
  }

  const Copy& copy_of(const Kernel& kernel, uint32_t index) const {
    return sidecar_.copies[kernel.first_copy + index];
  }

  const Operation& operation_of(const Copy& copy, uint32_t index) const {
    return sidecar_.operations[copy.first_operation + index];
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
    if (fit_.size != nullptr) write_words(*fit_.size);
    if (fit_.release == nullptr) return;
    for (uint32_t i = 0; i < sidecar_.activations.size(); ++i) {
      const Activation& activation = sidecar_.activations[i];
      store<float>(result_ + activation.scale_position,
                   fit_.release->scale(i));
      store<int64_t>(result_ + activation.zero_point_position,
                     fit_.release->zero_point(i));
    }
  }

  void write_words(const InputSize& size) {
    for (uint32_t i = 0; i < size.word_count; ++i) {
      store<uint32_t>(result_ + size.position(i), size.value(i));
    }
  }

  const Sidecar& sidecar_;
  const Patch& patch_;
  const Fit& fit_;
  const Span base_;
  Progress* const progress_;
  Slots slots_;
  Folds folds_;
  uint8_t* result_ = nullptr;
};

}  // namespace

Model patched_model(const Sidecar& sidecar, const Patch& patch,
                    const Fit& fit, Span base, Progress* progress) {
  return ModelWriter(sidecar, patch, fit, base, progress).write();
}

}  // namespace odp
