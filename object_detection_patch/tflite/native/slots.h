// The vectors of a result: where the bytes of each come from and go to.
#ifndef OD_PATCH_SLOTS_H_
#define OD_PATCH_SLOTS_H_

#include <vector>

#include "fit.h"
#include "patch.h"
#include "sidecar.h"

namespace odp {

enum class Source : uint8_t {
  kBase,      // copied from base.tflite
  kSize,      // what the task's input size has there
  kMetadata,  // the patch's model metadata
  kZeros,
  kComputed,  // written at `start` before places are final
};

struct Slot {
  Source source = Source::kBase;
  bool is_shared = false;  // takes its leader's place
  bool is_ready = true;    // false: it is still to be computed
  uint32_t items = 0;
  uint32_t start = 0;  // of its items in the result
};

// The slots of a result in which what is computed has a place of its own:
// whether it can share its leader's shows only afterwards. Everything is
// then at its final place or behind it.
class Slots {
 public:
  Slots(const Sidecar& sidecar, const Patch& patch, const Fit& fit, Span base);

  const Slot& operator[](uint32_t index) const { return slots_[index]; }

  // Where the last vector ends before places are final.
  uint64_t end() const { return end_; }

  // The bytes of a vector in base.tflite.
  const uint8_t* base_bytes(uint32_t index) const {
    return base_.data + base_places_[index];
  }

  // Says that a vector was computed; kNone is allowed.
  void set_ready(uint32_t index);

  // Gives vectors their final places in the result, and their bytes, up to
  // the first that is not ready; returns where the last of them ends.
  uint64_t settle(uint8_t* result);

 private:
  void set(uint32_t index, Source source);
  void find_sources(const Fit& fit);
  void find_copy_sources(const Fit& fit, const Copy& copy, bool is_edited);
  void place();
  size_t bytes(uint32_t index) const;
  // The bytes of a vector of the source kSize.
  const uint8_t* size_bytes(uint32_t index) const;
  Span contents(uint32_t index, const uint8_t* result) const;
  bool is_like_leader(uint32_t index, const uint8_t* result) const;
  void put(uint32_t index, uint64_t start, uint8_t* result);

  const Sidecar& sidecar_;
  const InputSize* const size_;
  const Span metadata_;
  const Span base_;
  std::vector<uint32_t> base_places_;
  std::vector<Slot> slots_;
  uint64_t end_ = 0;
  uint32_t settled_ = 0;      // vectors that have their final places
  uint64_t settled_end_ = 0;  // where the last of those ends
};

}  // namespace odp

#endif  // OD_PATCH_SLOTS_H_
