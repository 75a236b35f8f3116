#include "slots.h"

#include <algorithm>
#include <cstring>

#include "layout.h"

namespace odp {

Slots::Slots(const Sidecar& sidecar, const Patch& patch, const Fit& fit,
             Span base)
    : sidecar_(sidecar),
      size_(fit.size),
      metadata_(patch.model_metadata),
      base_(base),
      base_places_(base_places(sidecar)),
      slots_(sidecar.vectors.size()),
      settled_end_(sidecar.skeleton_bytes) {
  for (size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].items = fit.vectors[i].items;
  }
  if (size_ != nullptr) {
    for (const Content& content : size_->contents) {
      set(content.vector, Source::kSize);
    }
  }
  if (metadata_.size > 0) {
    set(sidecar.metadata_vector, Source::kMetadata);
    slots_[sidecar.metadata_vector].items =
        static_cast<uint32_t>(metadata_.size);
  }
  find_sources(fit);
  place();
}

void Slots::set(uint32_t index, Source source) {
  if (index == kNone) return;
  slots_[index].source = source;
  slots_[index].is_ready = source != Source::kComputed;
}

void Slots::set_ready(uint32_t index) {
  if (index != kNone) slots_[index].is_ready = true;
}

void Slots::find_sources(const Fit& fit) {
  for (size_t i = 0; i < sidecar_.kernels.size(); ++i) {
    const Kernel& kernel = sidecar_.kernels[i];
    const bool is_edited = fit.kernels[i] != nullptr;
    for (uint32_t j = 0; j < kernel.copies; ++j) {
      const Copy& copy = sidecar_.copies[kernel.first_copy + j];
      find_copy_sources(fit, copy, is_edited);
    }
  }
}

void Slots::find_copy_sources(const Fit& fit, const Copy& copy,
                              bool is_edited) {
  const bool is_refolded = copy.norm != kNone && fit.norms[copy.norm];
  if (is_edited || is_refolded || sidecar_.is_int8()) {
    set(copy.weights, Source::kComputed);
  }
  set(copy.scales, Source::kComputed);
  set(copy.zero_points, Source::kZeros);
  for (uint32_t i = 0; i < copy.operations; ++i) {
    const Operation& operation = sidecar_.operations[copy.first_operation + i];
    const bool is_zero = copy.norm == kNone && operation.tensor == kNone;
    set(operation.bias, is_zero ? Source::kZeros : Source::kComputed);
    set(operation.bias_scales, Source::kComputed);
    set(operation.bias_zero_points, Source::kZeros);
  }
}

void Slots::place() {
  uint64_t at = sidecar_.skeleton_bytes;
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    const uint32_t leader = sidecar_.vectors[i].leader;
    if (leader != kNone && slot.source != Source::kComputed &&
        slots_[leader].source != Source::kComputed) {
      slot.is_shared = is_like_leader(i, nullptr);
    }
    if (slot.is_shared) continue;
    const uint64_t start = start_after(at);
    slot.start = static_cast<uint32_t>(start);
    at = start + bytes(i);
  }
  end_ = at;
}

uint64_t Slots::settle(uint8_t* result) {
  for (; settled_ < slots_.size() && slots_[settled_].is_ready; ++settled_) {
    Slot& slot = slots_[settled_];
    const uint32_t leader = sidecar_.vectors[settled_].leader;
    if (leader != kNone) {
      slot.is_shared = slot.is_shared || is_like_leader(settled_, result);
      if (slot.is_shared) {
        slot.start = slots_[leader].start;
        continue;
      }
    }
    const uint64_t start = start_after(settled_end_);
    put(settled_, start, result);
    const uint64_t count = start - kCountBytes;
    std::memset(result + settled_end_, 0, count - settled_end_);
    store<uint32_t>(result + count, slot.items);
    slot.start = static_cast<uint32_t>(start);
    settled_end_ = start + bytes(settled_);
  }
  return settled_end_;
}

size_t Slots::bytes(uint32_t index) const {
  return size_t{slots_[index].items} * sidecar_.vectors[index].item_bytes;
}

// The bytes of a vector; null for zeros.
Span Slots::contents(uint32_t index, const uint8_t* result) const {
  switch (slots_[index].source) {
    case Source::kBase:
      return {base_bytes(index), bytes(index)};
    case Source::kSize:
      return {size_bytes(index), bytes(index)};
    case Source::kMetadata:
      return metadata_;
    case Source::kZeros:
      return {nullptr, bytes(index)};
    default:
      return {result + slots_[index].start, bytes(index)};
  }
}

const uint8_t* Slots::size_bytes(uint32_t index) const {
  const std::vector<Content>& contents = size_->contents;
  return std::lower_bound(contents.begin(), contents.end(), index,
                          [](const Content& content, uint32_t vector) {
                            return content.vector < vector;
                          })
      ->bytes;
}

bool Slots::is_like_leader(uint32_t index, const uint8_t* result) const {
  const Span own = contents(index, result);
  const Span other = contents(sidecar_.vectors[index].leader, result);
  if (own.size != other.size) return false;
  if (own.data == other.data || own.size == 0) return true;
  if (own.data != nullptr && other.data != nullptr) {
    return std::memcmp(own.data, other.data, own.size) == 0;
  }
  const uint8_t* data = own.data != nullptr ? own.data : other.data;
  return std::all_of(data, data + own.size, [](uint8_t b) { return b == 0; });
}

void Slots::put(uint32_t index, uint64_t start, uint8_t* result) {
  const Span from = contents(index, result);
  if (from.size == 0) return;
  if (from.data == nullptr) {
    std::memset(result + start, 0, from.size);
  } else if (slots_[index].source != Source::kComputed) {
    std::memcpy(result + start, from.data, from.size);
  } else if (start != slots_[index].start) {
    // Never to a later place, so the vectors behind are still whole.
    std::memmove(result + start, from.data, from.size);
  }
}

}  // namespace odp
