// A small published base and a patch that fits it, for the fuzzers.
#ifndef OD_PATCH_FUZZ_WORLD_H_
#define OD_PATCH_FUZZ_WORLD_H_

#include "fuzz/frame.h"

namespace odp_fuzz {

// One norm "n" of 2 channels and one bias "b"; kernels "c" (convolution, two
// copies, the second following the first), "d" (depthwise) and
// "class_head/k"; of a precision as sidecars number it.
struct World {
  explicit World(uint8_t precision);

  Bytes base;
  Bytes body;  // of the sidecar
  // Of a patch: an inflated header and sections, as inputs have them.
  Bytes header;
  Bytes sections;
};

// The first world of each precision, made once.
const World& world_of(uint8_t precision);

// Applies, and lets refusals pass; aborts if a result is not sound.
void apply(const Bytes& patch, const Bytes& sidecar, const Bytes& base,
           bool trusts_base);

}  // namespace odp_fuzz

#endif  // OD_PATCH_FUZZ_WORLD_H_
