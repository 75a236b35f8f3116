// float16 conversions by the processor's own instructions.
#ifndef OD_PATCH_HALF_VECTOR_H_
#define OD_PATCH_HALF_VECTOR_H_

#include <cstddef>
#include <cstdint>

namespace odp {

// Each converts the first numbers, as many as fit in whole registers, and
// returns how many: 0 where this build or this processor cannot.
size_t floats_of_halves_vector(const uint16_t* halves, float* floats,
                               size_t count);
size_t halves_of_floats_vector(const float* floats, uint16_t* halves,
                               size_t count);

}  // namespace odp

#endif  // OD_PATCH_HALF_VECTOR_H_
