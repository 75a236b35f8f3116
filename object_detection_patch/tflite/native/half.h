// float16 (IEEE 754 binary16) to float32 and back, rounding to nearest even.
#ifndef OD_PATCH_HALF_H_
#define OD_PATCH_HALF_H_

#include <cstddef>
#include <cstdint>

namespace odp {

void floats_of_halves(const uint16_t* halves, float* floats, size_t count);

// False if a half is NaN or infinite.
bool halves_of_floats(const float* floats, uint16_t* halves, size_t count);

// The same without instructions of one processor.
void floats_of_halves_portable(const uint16_t* halves, float* floats,
                               size_t count);
void halves_of_floats_portable(const float* floats, uint16_t* halves,
                               size_t count);

}  // namespace odp

#endif  // OD_PATCH_HALF_H_
