#include "mask.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace odp {
namespace {

using Table = std::array<std::array<uint8_t, 8>, 256>;

constexpr Table expanded() {
  Table table = {};
  for (size_t byte = 0; byte < 256; ++byte) {
    for (size_t bit = 0; bit < 8; ++bit) {
      table[byte][bit] = static_cast<uint8_t>(byte >> (7 - bit) & 1);
    }
  }
  return table;
}

// The bits of each byte, the most significant first.
constexpr Table kExpanded = expanded();

// Bits at, ..., at + 7 as a byte; those behind `end` are 0.
uint64_t byte_at(const uint8_t* bits, uint64_t at, uint64_t end) {
  if (at >= end) return 0;
  const uint64_t byte = at / 8;
  uint32_t two = uint32_t{bits[byte]} << 8;
  if (8 * byte + 8 < end) two |= bits[byte + 1];
  return two >> (8 - at % 8) & 0xff;
}

// The 8 bits from `column` on of 8 rows from `row` on, a row a byte.
uint64_t square_at(const BitMatrix& matrix, size_t row, size_t column) {
  const uint64_t at = uint64_t{row} * matrix.columns + column;
  uint64_t square = 0;
  if (matrix.columns % 8 == 0 && at % 8 == 0 && row + 8 <= matrix.rows) {
    // Whole bytes, which most kernels have.
    const uint8_t* byte = matrix.bits + at / 8;
    for (size_t i = 0; i < 8; ++i) {
      square = square << 8 | byte[i * (matrix.columns / 8)];
    }
    return square;
  }
  const uint64_t end = uint64_t{matrix.rows} * matrix.columns;
  for (size_t i = 0; i < 8; ++i) {
    const uint64_t bit = at + uint64_t{i} * matrix.columns;
    square = square << 8 | byte_at(matrix.bits, bit, end);
  }
  return square;
}

// Byte i of the result, from the most significant, holds bit i of each byte:
// 2x2 blocks of bits change places, then of pairs, then of fours.
uint64_t transposed(uint64_t square) {
  uint64_t moved = (square ^ square >> 7) & 0x00aa00aa00aa00aaULL;
  square ^= moved ^ moved << 7;
  moved = (square ^ square >> 14) & 0x0000cccc0000ccccULL;
  square ^= moved ^ moved << 14;
  moved = (square ^ square >> 28) & 0x00000000f0f0f0f0ULL;
  return square ^ moved ^ moved << 28;
}

}  // namespace

void bytes_of_bits(const uint8_t* bits, uint64_t first, size_t count,
                   uint8_t* out) {
  bits += first / 8;
  const auto skipped = static_cast<size_t>(first % 8);
  if (skipped > 0) {
    const size_t part = std::min(count, 8 - skipped);
    std::memcpy(out, kExpanded[*bits++].data() + skipped, part);
    out += part;
    count -= part;
  }
  for (; count >= 8; count -= 8, out += 8) {
    std::memcpy(out, kExpanded[*bits++].data(), 8);
  }
  if (count > 0) std::memcpy(out, kExpanded[*bits].data(), count);
}

void transpose_bits(const BitMatrix& matrix, size_t first, size_t last,
                    uint8_t* out) {
  const size_t stride = (matrix.rows + 7) / 8;
  for (size_t row = 0; row < matrix.rows; row += 8) {
    for (size_t column = first; column < last; column += 8) {
      const uint64_t square = transposed(square_at(matrix, row, column));
      const size_t count = std::min<size_t>(8, last - column);
      for (size_t i = 0; i < count; ++i) {
        out[(column - first + i) * stride + row / 8] =
            static_cast<uint8_t>(square >> (56 - 8 * i));
      }
    }
  }
}

}  // namespace odp
