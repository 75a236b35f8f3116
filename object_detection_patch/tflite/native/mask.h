// Masks: bits in Keras order to the order of the file, and to whole bytes.
#ifndef OD_PATCH_MASK_H_
#define OD_PATCH_MASK_H_

#include <cstddef>
#include <cstdint>

namespace odp {

// Bits first, first + 1, ... as bytes of 0 or 1.
void bytes_of_bits(const uint8_t* bits, uint64_t first, size_t count,
                   uint8_t* out);

// A matrix of bits, row by row without gaps; `rows` times `columns`.
struct BitMatrix {
  const uint8_t* bits;
  size_t rows;
  size_t columns;
};

// Columns first to last - 1 of the matrix, each as the bits of
// (rows + 7) / 8 bytes of its own.
void transpose_bits(const BitMatrix& matrix, size_t first, size_t last,
                    uint8_t* out);

}  // namespace odp

#endif  // OD_PATCH_MASK_H_
