// What must hold of the input sizes of a sidecar (tflite/FORMAT.md, Checks).
#include <cstring>

#include "sidecar_checks.h"

namespace odp {
namespace {

constexpr size_t kDigestBytes = 32;

// What applying writes or computes at every size, so that no size may.
struct Taken {
  explicit Taken(const Sidecar& sidecar)
      : words(sidecar.skeleton_bytes / 4), vectors(sidecar.vectors.size()) {
    for (const Link& link : sidecar.links) take_word(link.position);
    for (const ClassNumber& number : sidecar.class_numbers) {
      take_word(number.position);
    }
    for (const Activation& activation : sidecar.activations) {
      take_word(activation.scale_position);
      take_word(activation.zero_point_position);
      take_word(activation.zero_point_position + 4);
    }
    for (const Copy& copy : sidecar.copies) {
      for (uint32_t index : {copy.weights, copy.scales, copy.zero_points}) {
        take_vector(index);
      }
    }
    for (const Operation& operation : sidecar.operations) {
      for (uint32_t index : {operation.bias, operation.bias_scales,
                             operation.bias_zero_points}) {
        take_vector(index);
      }
    }
  }

  void take_word(uint32_t position) { words[position / 4] = true; }
  void take_vector(uint32_t index) {
    if (index != kNone) vectors[index] = true;
  }

  std::vector<bool> words;
  std::vector<bool> vectors;
};

void check_size(const InputSize& size, const Taken& taken) {
  for (uint32_t i = 0; i < size.word_count; ++i) {
    const uint32_t position = size.position(i);
    require(position % 4 == 0 && position / 4 < taken.words.size(),
            "a word of a size must be aligned and lie within the skeleton",
            position);
    require(!taken.words[position / 4],
            "each part of the skeleton may be written once", position);
  }
  for (const Content& content : size.contents) {
    require(!taken.vectors[content.vector],
            "a size may replace only vectors that no kernel uses", "vector ",
            content.vector);
  }
}

void check_distinct(const InputSize& size, uint32_t height, uint32_t width,
                    const uint8_t* base_sha256) {
  require((size.height != height || size.width != width) &&
              std::memcmp(size.base_sha256, base_sha256, kDigestBytes) != 0,
          "each size stands once, and so does each SHA-256", size.height,
          " x ", size.width);
}

}  // namespace

void check_sizes(const Sidecar& sidecar) {
  if (sidecar.sizes.empty()) return;
  const Taken taken(sidecar);
  for (size_t i = 0; i < sidecar.sizes.size(); ++i) {
    const InputSize& size = sidecar.sizes[i];
    check_distinct(size, sidecar.height, sidecar.width, sidecar.base_sha256);
    for (size_t j = 0; j < i; ++j) {
      const InputSize& other = sidecar.sizes[j];
      check_distinct(size, other.height, other.width, other.base_sha256);
    }
    check_size(size, taken);
  }
}

}  // namespace odp
